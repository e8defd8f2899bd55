//! Streams that were changed behind the database, and databases that went back: noticed, never skipped and never counted twice.

use async_nats::jetstream::stream::Stream;
use heatstrip::{
    postgres::Store,
    queue::{
        Queue,
        nats::settings::{StreamSettings, prepare},
    },
};

use super::{
    super::conformance::{Bench, beat},
    fault,
};
use crate::support::{Nats, TestDatabase, copy_of};

impl Bench {
    fn server(&mut self) -> &mut Nats {
        self.nats.as_mut().expect("a stream")
    }

    async fn of_the_server(&self) -> Stream {
        stream(self.nats.as_ref().expect("a stream")).await
    }

    async fn send(&self, video_id: &str) {
        self.enqueue(&[self.batch(None, &[beat(video_id, 0)])]).await;
    }

    /// Makes the stream the queue, with or without what is missing.
    async fn prepare(&self, take: bool) -> Result<(), String> {
        let nats = self.nats.as_ref().expect("a stream");
        let settings = StreamSettings { take, ..nats.settings() };
        prepare(self.queue.store(), &nats.url, &settings).await.map_err(|error| error.to_string())
    }
}

async fn stream(nats: &Nats) -> Stream {
    let client = async_nats::connect(&nats.url).await.expect("a client");
    async_nats::jetstream::new(client).get_stream("heatstrip").await.expect("the stream")
}

#[tokio::test]
async fn a_stream_that_is_made_anew_is_refused_until_somebody_takes_it() {
    let bench = Bench::stream().await;
    for video in ["one", "two", "three"] {
        bench.send(video).await;
    }
    assert_eq!(bench.fold().await, 3);
    bench.send("lost").await;
    let config = bench.of_the_server().await.cached_info().config.clone();
    let context = async_nats::jetstream::new(
        async_nats::connect(&bench.nats.as_ref().expect("a stream").url).await.expect("a client"),
    );
    context.delete_stream("heatstrip").await.expect("it is gone");
    let gone = fault(&bench).await;
    assert!(gone.contains("is gone") && gone.contains("--take-stream"), "{gone}");
    context.create_stream(config).await.expect("it is there again");
    // More than the old one had: its numbers reach those that are folded.
    for _ in 0..5 {
        bench.send("anew").await;
    }
    let anew = fault(&bench).await;
    assert!(anew.contains("was made anew") && anew.contains("--take-stream"), "{anew}");
    assert_eq!(bench.played("anew").await, 0);
    assert!(bench.prepare(false).await.expect_err("not by itself").contains("was made anew"));
    bench.prepare(true).await.expect("it is taken");
    assert_eq!(bench.fold().await, 5);
    for (video, played) in [("one", 10), ("two", 10), ("three", 10), ("anew", 50), ("lost", 0)] {
        assert_eq!(bench.played(video).await, played, "{video}");
    }
    // A process that had the old one goes on with the new one.
    bench.send("anew").await;
    assert_eq!(bench.fold().await, 1);
}

#[tokio::test]
async fn a_purge_of_what_is_not_folded_is_refused_until_somebody_goes_on() {
    let bench = Bench::stream().await;
    bench.send("one").await;
    assert_eq!(bench.fold().await, 1);
    bench.send("purged").await;
    bench.send("purged").await;
    bench.of_the_server().await.purge().await.expect("it is empty");
    let purged = fault(&bench).await;
    assert!(purged.contains("message 2 is missing"), "{purged}");
    bench.send("two").await;
    // A process that begins only now sees it as well.
    let text = match Queue::open(bench.queue.store(), bench.nats.as_ref().map(|nats| nats.url.as_str())).await
    {
        Ok(queue) => {
            heatstrip::work::worker::run_once(&queue, &bench.clock).await.expect_err("refused").to_string()
        }
        Err(error) => error.to_string(),
    };
    assert!(text.contains("messages 2 to 3") && text.contains("--take-stream"), "{text}");
    bench.prepare(true).await.expect("it goes on");
    assert_eq!(bench.fold().await, 1);
    for (video, played) in [("one", 10), ("purged", 0), ("two", 10)] {
        assert_eq!(bench.played(video).await, played, "{video}");
    }
}

#[tokio::test]
async fn a_purge_of_what_is_folded_harms_nobody() {
    let bench = Bench::stream().await;
    bench.send("one").await;
    assert_eq!(bench.fold().await, 1);
    bench.of_the_server().await.purge().await.expect("it is empty");
    bench.send("two").await;
    assert_eq!(bench.fold().await, 1);
    let another = bench.another().await;
    bench.send("two").await;
    assert_eq!(heatstrip::work::worker::run_once(&another, &bench.clock).await.expect("it is folded"), 1);
    assert_eq!((bench.played("one").await, bench.played("two").await), (10, 20));
}

#[tokio::test]
async fn one_message_that_is_removed_is_noticed() {
    let bench = Bench::stream().await;
    for video in ["one", "removed", "two"] {
        bench.send(video).await;
    }
    bench.of_the_server().await.delete_message(2).await.expect("it is removed");
    let removed = fault(&bench).await;
    assert!(removed.contains("message 2 is missing"), "{removed}");
}

/// What a lost page cache leaves behind: the server has an older end, and gives its numbers out again.
#[tokio::test]
async fn a_server_that_has_lost_its_end_is_noticed() {
    let mut bench = Bench::stream().await;
    bench.send("one").await;
    let (store_dir, copy) = (bench.server().store_dir(), tempfile::tempdir().expect("a folder"));
    bench.server().process.kill().await;
    let cp = |from: &std::path::Path, to: &std::path::Path| {
        let status = std::process::Command::new("cp").arg("-rT").arg(from).arg(to).status().expect("cp");
        assert!(status.success());
    };
    cp(&store_dir, copy.path());
    bench.server().restart().await;
    for video in ["two", "three"] {
        crate::support::until("it is enqueued", std::time::Duration::from_secs(10), async || {
            let batch = bench.batch(None, &[beat(video, 0)]);
            let enqueued = bench
                .queue
                .enqueue(heatstrip::queue::batch_ids::Ring::Http, &[batch], bench.clock.now())
                .await;
            enqueued.ok().map(|_| ())
        })
        .await;
    }
    assert_eq!(bench.fold().await, 3);
    bench.server().process.kill().await;
    std::fs::remove_dir_all(&store_dir).expect("its store");
    cp(copy.path(), &store_dir);
    bench.server().restart().await;
    let another =
        async || match Queue::open(bench.queue.store(), bench.nats.as_ref().map(|nats| nats.url.as_str()))
            .await
        {
            Ok(queue) => heatstrip::work::worker::run_once(&queue, &bench.clock)
                .await
                .expect_err("refused")
                .to_string(),
            Err(error) => error.to_string(),
        };
    let text = another().await;
    assert!(
        text.contains("ends with message 1, and 3 was read before") && text.contains("sync_interval"),
        "{text}"
    );
    // Others accept meanwhile: the numbers are given out again.
    let context = async_nats::jetstream::new(
        async_nats::connect(&bench.nats.as_ref().expect("a stream").url).await.expect("a client"),
    );
    for _ in 0..4 {
        context.publish("heatstrip.groups", "anything".into()).await.expect("sent").await.expect("stored");
    }
    let text = another().await;
    assert!(text.contains("is not the one that was read before"), "{text}");
    let running = fault(&bench).await;
    assert!(running.contains("is not the one that was read before"), "{running}");
}

/// A database that is restored folds again what it has not, if the stream still has it; and says so if not.
#[tokio::test]
async fn a_restored_database_goes_on_from_where_it_was() {
    let bench = Bench::stream().await;
    let send = async |bench: &Bench, id| {
        bench.enqueue(&[bench.batch(Some(uuid::Uuid::from_u128(id)), &[beat("one", 0)])]).await;
    };
    send(&bench, 1).await;
    assert_eq!(bench.fold().await, 1);
    let Bench { queue, clock, database, sql, nats } = bench;
    let nats = nats.expect("a stream");
    queue.store().close();
    drop((queue, sql));
    let (backup, second_backup) = (copy_of(&database).await, copy_of(&database).await);
    let open = async |database: TestDatabase| {
        let store = Store::connect(&database.url, 8).await.expect("a store");
        let queue = Queue::open(&store, Some(&nats.url)).await.expect("the queue");
        let sql = database.connect().await;
        Bench { queue, sql, clock: clock.clone(), database, nats: None }
    };
    let bench = open(database).await;
    for id in [1, 2, 2] {
        send(&bench, id).await;
    }
    assert_eq!(bench.fold().await, 1);
    assert_eq!(bench.played("one").await, 20);

    let restored = open(backup).await;
    assert_eq!(restored.played("one").await, 10);
    assert_eq!(restored.fold().await, 1, "the ids went back as well");
    assert_eq!(restored.played("one").await, 20);

    bench.queue.tidy(false).await.expect("what is folded is removed");
    let messages = stream(&nats).await.cached_info().state.messages;
    assert_eq!(messages, 1, "the last one stays, to be recognised");
    let text = fault(&open(second_backup).await).await;
    assert!(
        text.contains("were removed before they were folded here") && text.contains("older copy"),
        "{text}"
    );
}
