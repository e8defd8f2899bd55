//! Streams and servers that cannot be relied on are refused, in one line that says what to do.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use heatstrip::{
    postgres::Store,
    queue::{
        Queue, QueueError,
        nats::settings::{StreamSettings, prepare},
    },
};

use crate::support::{Nats, database};

/// What is said of a stream, the remedy, and what is wrong with it.
type Wrong = (&'static str, &'static str, fn(&mut Config));

fn sound() -> Config {
    Config {
        name: "heatstrip".into(),
        subjects: vec!["heatstrip.groups".into()],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        num_replicas: 1,
        max_bytes: 64 << 20,
        max_messages: -1,
        max_messages_per_subject: -1,
        duplicate_window: Duration::from_secs(600),
        allow_direct: true,
        ..Config::default()
    }
}

fn one_line(error: &QueueError) -> String {
    let QueueError::Unsuitable(text) = error else { panic!("another error: {error:?}") };
    assert!(!text.contains('\n'), "{text}");
    text.clone()
}

#[tokio::test]
async fn wrong_settings_of_the_stream_are_refused_with_a_remedy() {
    let nats = Nats::start().await;
    let database = database().await;
    let store = Store::connect(&database.url, 4).await.expect("a store");
    let context = async_nats::jetstream::new(async_nats::connect(&nats.url).await.expect("a client"));
    let wrong: [Wrong; 8] = [
        ("kept in memory", "delete it", |config| config.storage = StorageType::Memory),
        ("drops its oldest", "--discard new", |config| config.discard = DiscardPolicy::Old),
        ("removes messages when somebody else reads", "delete it", |config| {
            config.retention = RetentionPolicy::WorkQueue;
        }),
        ("by their age", "--max-age 0", |config| config.max_age = Duration::from_secs(3600)),
        ("bounded by messages", "--max-msgs=-1", |config| config.max_messages = 1_000_000),
        ("has the subjects", "--subjects heatstrip.groups", |config| {
            config.subjects = vec!["other.>".into()]
        }),
        ("cannot be read directly", "--allow-direct", |config| config.allow_direct = false),
        ("cannot be purged", "delete it", |config| config.deny_purge = true),
    ];
    for (what, remedy, change) in wrong {
        let mut config = sound();
        change(&mut config);
        context.create_stream(config).await.expect("a stream");
        let refused = prepare(&store, &nats.url, &nats.settings()).await.expect_err(what);
        let text = one_line(&refused);
        assert!(text.contains(what) && text.contains(remedy), "{text}");
        context.delete_stream("heatstrip").await.expect("it is gone");
    }
    assert!(store.stream_position().await.expect("a look").is_none(), "none of them became the queue");

    context.create_stream(sound()).await.expect("a stream");
    prepare(&store, &nats.url, &nats.settings()).await.expect("a sound one is taken");
    // Changed later, it is refused by whoever starts.
    let mut config = sound();
    config.discard = DiscardPolicy::Old;
    context.update_stream(config).await.expect("it is changed");
    let refused = Queue::open(&store, Some(&nats.url)).await.err().expect("refused");
    assert!(one_line(&refused).contains("--discard new"));
}

#[tokio::test]
async fn whoever_names_the_wrong_queue_is_refused() {
    let nats = Nats::start().await;
    let (one, two) = (database().await, database().await);
    let store = Store::connect(&one.url, 4).await.expect("a store");
    let no_stream_yet = Queue::open(&store, Some(&nats.url)).await.err().expect("refused");
    assert!(one_line(&no_stream_yet).contains("run `heatstrip migrate` with HEATSTRIP_QUEUE set"));
    prepare(&store, &nats.url, &nats.settings()).await.expect("it is the queue");
    prepare(&store, &nats.url, &nats.settings()).await.expect("and is again");
    let not_told = Queue::open(&store, None).await.err().expect("refused");
    assert!(one_line(&not_told).contains("set HEATSTRIP_QUEUE"));

    let queue = Queue::open(&store, Some(&nats.url)).await.expect("the queue");
    queue.try_enqueue(chrono::Utc::now()).await.expect("it would take some");
    let context = async_nats::jetstream::new(async_nats::connect(&nats.url).await.expect("a client"));
    context.publish("heatstrip.groups", "anything".into()).await.expect("sent").await.expect("stored");
    // Another database: it cannot know what was folded of this stream.
    let other = Store::connect(&two.url, 4).await.expect("a store");
    let text = one_line(&prepare(&other, &nats.url, &nats.settings()).await.expect_err("refused"));
    assert!(text.contains("another database may have folded") && text.contains("--take-stream"), "{text}");
    let another_stream = StreamSettings { name: "another".into(), ..nats.settings() };
    prepare(&other, &nats.url, &another_stream).await.expect("a stream of its own");

    for url in ["localhost:4222", "http://localhost:4222", "nats://a b", "nats://127.0.0.1:4222,postgres://x"]
    {
        let refused = Queue::open(&store, Some(url)).await.err().expect("refused");
        assert!(one_line(&refused).contains("HEATSTRIP_QUEUE is no NATS address"), "{url}");
    }
    let nobody = Queue::open(&store, Some("nats://user:secret@127.0.0.1:1")).await.err().expect("refused");
    assert!(matches!(&nobody, QueueError::Away(text) if !text.contains("secret")), "{nobody}");
}

#[tokio::test]
async fn a_server_that_takes_no_whole_batch_is_refused() {
    let nats = Nats::start_with("max_payload: 1MB", "sync_interval: always").await;
    let database = database().await;
    let store = Store::connect(&database.url, 4).await.expect("a store");
    let text = one_line(&prepare(&store, &nats.url, &nats.settings()).await.expect_err("refused"));
    assert!(text.contains("set max_payload: 8MB"), "{text}");
}
