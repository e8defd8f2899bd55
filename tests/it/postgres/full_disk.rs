//! A disk that runs full: heartbeats are refused, nothing acknowledged is lost, and the API comes back by itself.
//!
//! Only a small filesystem can be filled in reasonable time, and mounting one takes the rights of root: `script/test-long` sets
//! `HEATSTRIP_FULL_DISK_MIB`. Without it a trigger says what the server says then, which tests our side of it alone.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use chrono::TimeDelta;
use heatstrip::{
    postgres::{
        Store,
        local::{Lifetime, LocalPostgres},
        migrate::migrate,
    },
    work::nightly::{Night, StepError},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    support::{App, Process, Settings, TestDatabase, database, heatstrip, until},
    viewers::salt_destruction::{files_with, salt_bytes},
};

const SOON: Duration = Duration::from_secs(60);
/// A viewer id this long makes bytes; those of a batch differ, so that nothing is compressed away.
const BATCH: usize = 400;

/// Says what the server says when its disk is full.
const DISK_FULL: &str = "CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$";

/// A filesystem of its own; unmounted when it is dropped.
struct Small(PathBuf);

impl Small {
    fn mount(mib: u64) -> Small {
        let folder = std::env::temp_dir().join(format!("heatstrip-it-small-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).expect("a folder");
        let size = format!("size={mib}m,mode=0755");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&folder).status();
        assert!(mounted.expect("mount").success(), "mounting takes the rights of root");
        Small(folder)
    }

    /// Fills it up, but for so many bytes.
    fn fill(&self, but: u64) -> PathBuf {
        let ballast = self.0.join("ballast");
        let mut file = std::fs::File::create(&ballast).expect("a file");
        let block = vec![0; 1 << 16];
        while file.write_all(&block).is_ok() {}
        let length = file.metadata().expect("a length").len();
        file.set_len(length.saturating_sub(but)).expect("a little room");
        ballast
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

async fn send(app: &App, id: Uuid, video: &str) -> u16 {
    let beats: Vec<_> = (0..BATCH)
        .map(|_| {
            let viewer = Uuid::new_v4().to_string();
            json!({"video_id": video, "region": "JP", "start_sec": 0, "end_sec": 4, "viewer_id": viewer})
        })
        .collect();
    app.post(json!({"batch_id": id, "heartbeats": beats}).to_string()).await.status().as_u16()
}

/// Looks for salts whose time has come, as the job that stays does every ten minutes.
async fn look(app: &App) -> Result<u64, StepError> {
    Night::new(&app.store, &app.clock).patience(Duration::ZERO).keep_promise().await
}

async fn readiness(app: &App) -> u16 {
    app.get("/readyz").await.status().as_u16()
}

async fn start(data_dir: &Path) -> (LocalPostgres, App) {
    let server = LocalPostgres::start(data_dir, Lifetime::Process).await.expect("a server");
    server.create_database("full", None).await.expect("a database");
    let url = server.url("full");
    migrate(&url, 4).await.expect("a schema");
    let store = Store::connect(&url, 8).await.expect("a store");
    let app = App::start_on(TestDatabase { url }, store, Settings::default()).await;
    (server, app)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_and_is_told() {
    let Some(mib) = std::env::var("HEATSTRIP_FULL_DISK_MIB").ok() else {
        return refused_tables().await;
    };
    let small = Small::mount(mib.parse().expect("HEATSTRIP_FULL_DISK_MIB is a number"));
    let data_dir = small.0.join("data");
    std::fs::create_dir(&data_dir).expect("a folder");
    let (server, app) = start(&data_dir).await;
    assert_eq!(readiness(&app).await, 200);
    let ballast = small.fill(6 << 20);

    // Whatever is answered 202 until the disk is full has to count; what is not is sent again.
    let (mut accepted, mut refused) = (Vec::new(), None);
    while refused.is_none() {
        let id = Uuid::now_v7();
        match send(&app, id, "v").await {
            202 => accepted.push(id),
            503 => refused = Some(id),
            status => panic!("{status}"),
        }
    }
    println!("{} batches were accepted before the disk was full", accepted.len());
    until("the API says so", SOON, async || (readiness(&app).await == 503).then_some(())).await;

    // A salt whose time comes now may find the little room that it needs, or goes with the first look behind.
    let sql = app.database.connect().await;
    let salt = salt_bytes(&sql, app.clock.today()).await;
    app.clock.set(app.clock.now() + TimeDelta::days(3));
    let destroyed = look(&app).await;
    println!("salts destroyed on the full disk: {destroyed:?}");

    std::fs::remove_file(ballast).expect("room is made");
    until("the API is ready again", SOON, async || (readiness(&app).await == 200).then_some(())).await;
    let after = look(&app).await.expect("there is room");
    assert_eq!(destroyed.unwrap_or(0) + after, 1);
    let sql = app.database.connect().await;
    assert_eq!(files_with(&sql, &salt).await, Vec::<String>::new());
    let refused = refused.expect("the batch that was refused");
    until("the batch is accepted", SOON, async || (send(&app, refused, "v").await == 202).then_some(()))
        .await;
    app.fold().await;
    let strip = app.json("/v1/videos/v/heatmap").await;
    let plays = (accepted.len() + 1) * BATCH * 5;
    assert_eq!(strip["seconds_played"], plays, "every accepted heartbeat once");
    server.stop().await.expect("the server stops");
}

/// The queue can take nothing more, as if its disk were full; small changes elsewhere still succeed.
async fn refused_tables() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    let (before, during) = (Uuid::now_v7(), Uuid::now_v7());
    assert_eq!(send(&app, before, "v").await, 202);
    sql.batch_execute(DISK_FULL).await.expect("the disk is full");
    sql.batch_execute(
        "CREATE TRIGGER disk_full BEFORE INSERT ON heartbeat_queue EXECUTE FUNCTION disk_full()",
    )
    .await
    .expect("for the queue");
    assert_eq!(send(&app, during, "v").await, 503);
    assert_eq!(readiness(&app).await, 503, "reads succeed, but it can take nothing");
    let salt = salt_bytes(&sql, app.clock.today()).await;
    sql.batch_execute("CREATE TRIGGER disk_full BEFORE UPDATE ON salt_epochs EXECUTE FUNCTION disk_full()")
        .await
        .expect("not even this");
    app.clock.set(app.clock.now() + TimeDelta::days(3));
    look(&app).await.expect_err("no room to destroy a salt in");
    sql.batch_execute("DROP FUNCTION disk_full CASCADE").await.expect("room is made");
    assert_eq!(look(&app).await.expect("there is room"), 1);
    assert_eq!(files_with(&sql, &salt).await, Vec::<String>::new());
    // Nobody sends anything: the API finds out by itself.
    until("the API is ready again", SOON, async || (readiness(&app).await == 200).then_some(())).await;
    assert_eq!(send(&app, during, "v").await, 202);
    app.fold().await;
    assert_eq!(app.json("/v1/videos/v/heatmap").await["seconds_played"], 2 * BATCH * 5);
}

/// A job that cron runs once a day stays until the salts are gone, as tomorrow would be too late.
#[tokio::test]
async fn a_job_that_does_not_stay_waits_for_room_to_destroy_salts_in() {
    let database = database().await;
    let sql = database.connect().await;
    sql.batch_execute(
        "INSERT INTO salt_epochs (first_day, last_day, rotation, salt, made_at, used_through)
         VALUES ('2026-01-01', '2026-01-01', 'daily', 'a salt without room', now() - interval '3 days', '2026-01-01')",
    )
    .await
    .expect("a salt whose time has come");
    sql.batch_execute(DISK_FULL).await.expect("the disk is full");
    sql.batch_execute("CREATE TRIGGER disk_full BEFORE UPDATE ON salt_epochs EXECUTE FUNCTION disk_full()")
        .await
        .expect("for salts");
    let logs = tempfile::tempdir().expect("a folder");
    let mut command = heatstrip(&["compact"]);
    command.env("DATABASE_URL", &database.url);
    let mut job = Process::start(command, &logs.path().join("compact.log"));
    until("the step has failed", SOON, async || {
        let failed = "SELECT count(*) FROM nights WHERE step = 'salts' AND failure IS NOT NULL";
        (sql.query_one(failed, &[]).await.expect("the nights").get::<_, i64>(0) == 1).then_some(())
    })
    .await;
    job.assert_runs();
    sql.batch_execute("DROP FUNCTION disk_full CASCADE").await.expect("room is made");
    let status = job.wait(SOON).await;
    assert_eq!(status.code(), Some(1), "a step of its night failed: {}", job.log());
    assert_eq!(files_with(&sql, b"a salt without room").await, Vec::<String>::new());
}
