//! The same input makes the same rows by other ways, and once more.

use std::{collections::BTreeSet, time::Instant};

use chrono::Utc;
use serde_json::json;
use tempfile::TempDir;

use super::{
    DEADLINE, counts, database, digest, file, heartbeats, heatstrip, packed, ran, run, run_with, statements,
    text, unpacked, yesterday,
};
use crate::support::{App, Settings};

#[tokio::test]
async fn packed_plain_or_piped_is_all_the_same() {
    let (statements, _) = statements();
    let plain = unpacked(&statements);
    let folder = TempDir::new().expect("a folder");
    let day = yesterday().to_string();
    let options = ["--format", "xapi", "--captured-on", &day];
    // The names say the opposite, because the first bytes tell what a file is. Logs are packed in several parts.
    let middle = plain.len() / 2;
    let parts = [packed(&plain[..middle]), packed(&plain[middle..])].concat();
    let plain_file = file(&folder, "plain.gz", &plain);
    let packed_file = file(&folder, "packed.jsonl", &packed(&plain));
    let mut digests = BTreeSet::new();
    for (name, path, input) in [
        ("plain", text(&plain_file), vec![]),
        ("packed", text(&packed_file), vec![]),
        ("piped", "-", plain.clone()),
        ("piped and packed in parts", "-", parts),
    ] {
        let database = database().await;
        let ran = run_with(&database, &[&["replay", path][..], &options].concat(), &input).await;
        assert_eq!(ran.code, Some(0), "{name}: {}", ran.stderr);
        assert_eq!(
            ran.stderr.contains("replayed again it counts again"),
            path == "-",
            "{name}: {}",
            ran.stderr
        );
        run(&database, &["work", "--once"]).await;
        digests.insert(digest(&database).await);
        if name == "piped" {
            let once = counts(&database).await;
            run_with(&database, &[&["replay", path][..], &options].concat(), &input).await;
            run(&database, &["work", "--once"]).await;
            assert_eq!(counts(&database).await, (once.0 * 2, once.1), "a pipe counts again");
        }
    }
    assert_eq!(digests.len(), 1, "the same rows");
    assert!(!digests.contains("nothing"));
}

#[tokio::test]
async fn an_interrupted_replay_is_simply_run_again() {
    let folder = TempDir::new().expect("a folder");
    // The file makes three chunks.
    let path = file(&folder, "heartbeats", &heartbeats(12_000));
    let whole = database().await;
    run(&whole, &["replay", text(&path)]).await;
    run(&whole, &["work", "--once"]).await;

    let cut = database().await;
    let sql = cut.connect().await;
    sql.batch_execute(
        "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             -- The chunk's own id counts.
             IF (SELECT count(*) FROM batch_ids) > 1 THEN
                 PERFORM pg_advisory_xact_lock(4711);
             END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER stop AFTER INSERT ON heartbeat_queue FOR EACH STATEMENT EXECUTE FUNCTION stop();
         SELECT pg_advisory_lock(4711)",
    )
    .await
    .expect("a stop");
    let mut child = heatstrip(&cut, &["replay", text(&path)]).spawn().expect("the program");
    let stopped = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name = 'heatstrip'";
    let started = Instant::now();
    while sql.query_one(stopped, &[]).await.expect("the activity").get::<_, i64>(0) == 0 {
        assert!(started.elapsed() < DEADLINE, "it never gets to its second chunk");
    }
    child.kill().await.expect("killed");
    sql.batch_execute("SELECT pg_advisory_unlock(4711)").await.expect("released");
    let mut started = Instant::now();
    let gone = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'heatstrip'";
    while sql.query_one(gone, &[]).await.expect("the activity").get::<_, i64>(0) > 0 {
        assert!(started.elapsed() < DEADLINE, "its sessions outlive it");
    }
    let queued = "SELECT coalesce(sum(heartbeats), 0)::bigint FROM heartbeat_queue";
    assert_eq!(sql.query_one(queued, &[]).await.expect("a sum").get::<_, i64>(0), 5_000, "one whole chunk");
    // A worker folds in between, so that the first chunk is no longer in the queue.
    run(&cut, &["work", "--once"]).await;
    started = Instant::now();
    assert_eq!(
        run(&cut, &["replay", text(&path)]).await,
        "7000 heartbeats accepted, 5000 known from an earlier replay of this file, 0 rejected\n"
    );
    assert!(started.elapsed() < DEADLINE);
    run(&cut, &["work", "--once"]).await;
    assert_eq!(counts(&cut).await, counts(&whole).await);
    assert_eq!(digest(&cut).await, digest(&whole).await);
}

#[tokio::test]
async fn a_replay_may_go_to_an_api() {
    let (statements, _) = statements();
    let folder = TempDir::new().expect("a folder");
    let day = yesterday().to_string();
    let (direct, unused) = (database().await, database().await);
    let options = ["--format", "xapi", "--captured-on", &day];
    run(&direct, &[&["replay", text(&statements)][..], &options].concat()).await;
    run(&direct, &["work", "--once"]).await;

    let app = App::start(Settings {
        now: Utc::now(),
        salts: heatstrip::viewers::salt::SaltSource::Given(heatstrip::viewers::hash::Salt::new(
            "pepper-2026-01-01".into(),
        )),
        ..Settings::default()
    })
    .await;
    let url = format!("{}/", app.url);
    let to_api = [&["replay", text(&statements)][..], &options, &["--to", &url]].concat();
    // A replay to an API needs no database of its own.
    let mut command = heatstrip(&unused, &to_api);
    let ran_first = ran(command.env_remove("DATABASE_URL").spawn().expect("the program")).await;
    assert_eq!(ran_first.code, Some(0), "{}", ran_first.stderr);
    app.fold().await;
    assert_eq!(digest(&app.database).await, digest(&direct).await);
    let again = run(&unused, &to_api).await;
    assert!(
        again.starts_with("0 heartbeats accepted, ") && again.contains(" known from an earlier replay"),
        "{again}"
    );
    app.fold().await;
    assert_eq!(digest(&app.database).await, digest(&direct).await);

    // The API's limits apply: lines are refused where they stand, and so are those older than 48 hours.
    let mut lines = heartbeats(5_003);
    lines.extend(b"{broken\n");
    lines.extend(json!({"video_id": "v", "viewer_id": "a", "start_sec": 0, "end_sec": 1, "at": "2021-11-29T23:09:00Z"}).to_string().bytes());
    let path = file(&folder, "mixed", &lines);
    assert_eq!(
        run(&unused, &["replay", text(&path), "--to", &app.url]).await,
        "5003 heartbeats accepted, 2 rejected\n         1 malformed, the first is number 5004\n         \
         1 too_old in at, the first is number 5005\n"
    );
    let nowhere = run_with(&unused, &["replay", text(&path), "--to", "http://127.0.0.1:1"], b"").await;
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.stderr.contains("cannot be reached"), "{}", nowhere.stderr);
}
