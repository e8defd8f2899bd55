//! The program itself on real input: what a learning platform recorded, replayed, folded and held against plain sets.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use heatstrip::store::Store;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};

use crate::support::{App, Settings, TestDatabase, database};

/// How long a run of the program may take.
const DEADLINE: Duration = Duration::from_secs(60);
/// Viewers up to which a sketch is a list.
const EXACT: usize = 320;

// -- the program --

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// A heatstrip on this database, with nothing else in its environment.
fn heatstrip(database: &TestDatabase, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heatstrip"));
    command
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", &database.url)
        // The same hashes in every database, so that their rows can be compared.
        .env("HEATSTRIP_VIEWER_SALT", "pepper")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn ran(child: Child) -> Ran {
    let output = tokio::time::timeout(DEADLINE, child.wait_with_output())
        .await
        .expect("it ends in time")
        .expect("its output");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

async fn run_with(database: &TestDatabase, arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = heatstrip(database, arguments).spawn().expect("the program");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    tokio::spawn(async move {
        // A program that ends without reading closes the pipe.
        let _ = stdin.write_all(&input).await;
    });
    ran(child).await
}

/// Runs it to its end, in order, and returns what it printed.
async fn run(database: &TestDatabase, arguments: &[&str]) -> String {
    let ran = run_with(database, arguments, b"").await;
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    ran.stdout
}

/// All rows of the database in one number.
async fn digest(database: &TestDatabase) -> String {
    let query = "SELECT coalesce(md5(string_agg(format('%s %s %s %s %s %s', video_id, captured_on, region, bucket_sec,
                     plays, encode(hll_send(viewers), 'hex')), ',' ORDER BY video_id, captured_on, region, bucket_sec)),
                     'nothing')
                 FROM video_heatmap_shards";
    database.connect().await.query_one(query, &[]).await.expect("a digest").get(0)
}

async fn counts(database: &TestDatabase) -> (i64, i64) {
    let query =
        "SELECT coalesce(sum(plays), 0)::bigint, coalesce(sum(round(hll_cardinality(viewers))), 0)::bigint
                 FROM video_heatmap_shards";
    let row = database.connect().await.query_one(query, &[]).await.expect("counts");
    (row.get(0), row.get(1))
}

fn yesterday() -> NaiveDate {
    Utc::now().date_naive() - TimeDelta::days(1)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

// -- the input --

/// The statements of the MOOC platform where they are at hand, else those made up for the project; and which.
fn statements() -> (PathBuf, bool) {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = checkout.join("../shared/data/fun-mooc-video-statements.jsonl.gz");
    match std::env::var_os("HEATSTRIP_MOOC_FILE") {
        Some(file) => (file.into(), true),
        None if beside.exists() => (beside, true),
        None => (checkout.join("tests/data/xapi_statements.jsonl"), false),
    }
}

fn unpacked(file: &Path) -> Vec<u8> {
    let stored = std::fs::read(file).expect("the statements");
    if !stored.starts_with(&[0x1f, 0x8b]) {
        return stored;
    }
    let mut plain = Vec::new();
    MultiGzDecoder::new(&stored[..]).read_to_end(&mut plain).expect("gzip");
    plain
}

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).expect("packed");
    encoder.finish().expect("packed")
}

/// What was watched, told from the statements with nothing of the program's own.
#[derive(Default)]
struct Watched {
    /// Per video and second who was there, by number.
    viewers: BTreeMap<String, BTreeMap<u32, BTreeSet<usize>>>,
    /// Per video and second how often it was played.
    plays: BTreeMap<String, BTreeMap<u32, u64>>,
    heartbeats: usize,
    rejected: usize,
}

impl Watched {
    fn of(statements: &[u8]) -> Watched {
        let mut watched = Watched::default();
        // Start, in millionths of a second, and the longest end.
        let mut sessions: BTreeMap<Session, BTreeMap<i64, f64>> = BTreeMap::new();
        for line in statements.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            let Ok(statement) = serde_json::from_slice::<Value>(line) else {
                watched.rejected += 1;
                continue;
            };
            if !statement.is_object() {
                watched.rejected += 1;
                continue;
            }
            let segments =
                &statement["result"]["extensions"]["https://w3id.org/xapi/video/extensions/played-segments"];
            if segments.is_null() {
                continue;
            }
            match session(&statement).zip(segments.as_str().and_then(closed)) {
                None => watched.rejected += 1,
                Some((session, segments)) => {
                    let longest = sessions.entry(session).or_default();
                    for (start, end) in segments {
                        let known = longest.entry((start * 1e6).round() as i64).or_insert(end);
                        *known = known.max(end);
                    }
                }
            }
        }
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        for ((video, viewer, _), segments) in sessions {
            let next = numbers.len();
            let viewer = *numbers.entry(viewer).or_insert(next);
            for (start, end) in segments {
                let secs = (start as f64 / 1e6).round() as u32..end.round() as u32;
                watched.heartbeats += secs.len().div_ceil(600);
                if !secs.is_empty() {
                    let viewers = watched.viewers.entry(video.clone()).or_default();
                    let plays = watched.plays.entry(video.clone()).or_default();
                    for sec in secs {
                        viewers.entry(sec).or_default().insert(viewer);
                        *plays.entry(sec).or_default() += 1;
                    }
                }
            }
        }
        watched
    }

    fn seconds(&self) -> impl Iterator<Item = &BTreeSet<usize>> {
        self.viewers.values().flat_map(BTreeMap::values)
    }
}

/// Video, viewer and session.
type Session = (String, String, String);

fn session(statement: &Value) -> Option<Session> {
    let id = |value: &Value, most: usize| {
        let text = value.as_str()?;
        ((1..=most).contains(&text.len()) && !text.contains(char::is_control)).then(|| text.to_owned())
    };
    let actor = &statement["actor"];
    let names = ["mbox", "mbox_sha1sum", "openid"].map(|name| &actor[name]);
    let name = [&actor["account"]["name"]].into_iter().chain(names).find(|name| !name.is_null())?;
    let at: DateTime<Utc> = DateTime::parse_from_rfc3339(statement["timestamp"].as_str()?).ok()?.to_utc();
    let session = &statement["context"]["extensions"]["https://w3id.org/xapi/video/extensions/session-id"];
    let session = match session {
        Value::Null => format!("day {}", at.date_naive()),
        named => format!("named {}", named.as_str()?),
    };
    Some((id(&statement["object"]["id"], 128)?, id(name, 256)?, session))
}

/// The closed segments of a list; none if a number of it is none or lies outside a day.
fn closed(list: &str) -> Option<Vec<(f64, f64)>> {
    let number = |text: &str| {
        let number: f64 = text.trim().parse().ok()?;
        (number >= 0.0 && number.round() <= 86_400.0).then_some(number)
    };
    let mut segments = Vec::new();
    for segment in list.split("[,]").map(str::trim).filter(|segment| !segment.is_empty()) {
        let (start, end) = segment.split_once("[.]").unwrap_or((segment, ""));
        let start = number(start)?;
        if !end.trim().is_empty() {
            let end = number(end)?;
            segments.extend((start < end).then_some((start, end)));
        }
    }
    Some(segments)
}

/// Heartbeats of players, a line each; enough for several chunks.
fn heartbeats(count: usize) -> Vec<u8> {
    let line = |n: usize| {
        json!({
            "video_id": format!("video {}", n % 3), "viewer_id": format!("viewer {}", n * 7 % 200), "start_sec": n % 50,
            "end_sec": n % 50 + n % 11, "at": format!("{}T08:00:00Z", yesterday()),
        })
        .to_string()
            + "\n"
    };
    (0..count).map(line).collect::<String>().into_bytes()
}

fn file(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("a file");
    path
}

// -- tests --

#[tokio::test]
async fn every_second_of_the_statements_is_counted() {
    let (file, real) = statements();
    let watched = Watched::of(&unpacked(&file));
    let crowded = watched.seconds().filter(|viewers| viewers.len() > EXACT).count();
    if real {
        assert_eq!(watched.seconds().count(), 5_245);
        assert_eq!(crowded, 27);
    }
    let database = database().await;
    let day = yesterday().to_string();
    let replay = ["replay", text(&file), "--format", "xapi", "--captured-on", &day];
    let said = run(&database, &replay).await;
    let expected = format!("{} heartbeats accepted, {} rejected\n", watched.heartbeats, watched.rejected);
    assert!(said.starts_with(&expected), "{said} instead of {expected}");
    assert_eq!(
        run(&database, &["work", "--once"]).await,
        format!("folded {} heartbeats\n", watched.heartbeats)
    );
    assert_strips(&database, &watched, &[1, 10], 1).await;
    let once = counts(&database).await;

    // The same file again counts nothing, unless that is meant.
    let said = run(&database, &replay).await;
    let known =
        format!("0 heartbeats accepted, {} known from an earlier replay of this file, ", watched.heartbeats);
    assert!(said.starts_with(&known), "{said}");
    assert_eq!(run(&database, &["work", "--once"]).await, "folded 0 heartbeats\n");
    assert_eq!(counts(&database).await, once);

    let said = run(&database, &[&replay[..], &["--again"]].concat()).await;
    assert!(said.starts_with(&expected), "{said}");
    run(&database, &["work", "--once"]).await;
    assert_eq!(counts(&database).await, (once.0 * 2, once.1), "plays twice, viewers once");
    assert_strips(&database, &watched, &[10], 2).await;
}

/// Every video's strip, by HTTP, after so many replays.
async fn assert_strips(database: &TestDatabase, watched: &Watched, resolutions: &[u32], times: u64) {
    let store = Store::connect(&database.url, 4).await.expect("a store");
    let settings = Settings {
        now: Utc::now(),
        salts: heatstrip::salt::SaltSource::Given(heatstrip::viewer_hash::Salt::new("pepper".into())),
        ..Settings::default()
    };
    let url = database.url.clone();
    let app = App::start_on(TestDatabase { url }, store, settings).await;
    for (video, by_second) in &watched.viewers {
        let plays = &watched.plays[video];
        for &resolution in resolutions {
            let encoded: String = video.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let strip = app.json(&format!("/v1/videos/{encoded}/heatmap?resolution={resolution}")).await;
            let everybody: BTreeSet<&usize> = by_second.values().flatten().collect();
            let last_sec = *by_second.keys().max().expect("a second");
            let exact = everybody.len() <= EXACT;
            assert_eq!((&strip["from"], &strip["to"]), (&json!(yesterday()), &json!(yesterday())), "{video}");
            assert_eq!((&strip["scope"], &strip["exact"]), (&json!("viewers"), &json!(exact)), "{video}");
            assert_eq!(strip["seconds_played"], plays.values().sum::<u64>() * times, "{video}");
            assert_count(&strip["viewers"], everybody.len(), video);
            let buckets = strip["buckets"].as_array().expect("buckets");
            assert_eq!(buckets.len() as u32, last_sec / resolution + 1, "{video}");
            for (bucket, first) in buckets.iter().zip((0..).step_by(resolution as usize)) {
                let secs = first..first + resolution;
                let there: BTreeSet<&usize> =
                    by_second.range(secs.clone()).flat_map(|(_, viewers)| viewers).collect();
                let played: u64 = plays.range(secs).map(|(_, plays)| plays).sum();
                assert_eq!(bucket["bucket"], first, "{video}");
                assert_eq!(bucket["seconds_played"], played * times, "{video} at {first}");
                assert_count(&bucket["viewers"], there.len(), &format!("{video} at {first}"));
            }
            // From the right, as who is there later has reached what comes before.
            let mut later: BTreeSet<&usize> = BTreeSet::new();
            for bucket in buckets.iter().rev() {
                let first = bucket["bucket"].as_u64().expect("a second") as u32;
                later.extend(by_second.range(first..first + resolution).flat_map(|(_, viewers)| viewers));
                if exact {
                    assert_eq!(bucket["reached"], later.len(), "{video} at {first}");
                }
            }
        }
    }
}

fn assert_count(said: &Value, truth: usize, place: &str) {
    let said = said.as_u64().expect("a count");
    if truth <= EXACT {
        assert_eq!(said, truth as u64, "{place}");
    } else {
        assert!(said.abs_diff(truth as u64) as f64 <= truth as f64 * 0.08, "{said} for {truth}: {place}");
    }
}

#[tokio::test]
async fn packed_plain_or_piped_is_all_the_same() {
    let (statements, _) = statements();
    let plain = unpacked(&statements);
    let folder = TempDir::new().expect("a folder");
    let day = yesterday().to_string();
    let options = ["--format", "xapi", "--captured-on", &day];
    // The names say the opposite: what a file is stands in its first bytes. Logs are packed in several parts.
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
    // Three chunks.
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
    // Folded in between, so that the first chunk is no longer in the queue.
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
        salts: heatstrip::salt::SaltSource::Given(heatstrip::viewer_hash::Salt::new("pepper".into())),
        ..Settings::default()
    })
    .await;
    let url = format!("{}/", app.url);
    let to_api = [&["replay", text(&statements)][..], &options, &["--to", &url]].concat();
    // It needs no database of its own.
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

    // Its limits apply: lines are refused where they stand, and what is older than 48 hours.
    let mut lines = heartbeats(5_003);
    lines.extend(b"{broken\n");
    lines.extend(json!({"video_id": "v", "viewer_id": "a", "start_sec": 0, "end_sec": 1, "at": "2021-11-29T23:09:00Z"}).to_string().bytes());
    let path = file(&folder, "mixed", &lines);
    assert_eq!(
        run(&unused, &["replay", text(&path), "--to", &app.url]).await,
        "5003 heartbeats accepted, 2 rejected\n         1 malformed, the first at line 5004\n         \
         1 too_old in at, the first at line 5005\n"
    );
    let nowhere = run_with(&unused, &["replay", text(&path), "--to", "http://127.0.0.1:1"], b"").await;
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.stderr.contains("cannot be reached"), "{}", nowhere.stderr);
}

#[tokio::test]
async fn what_is_refused_is_listed_by_reason() {
    let good = json!({"video_id": "v", "viewer_id": "a", "start_sec": 0, "end_sec": 9, "at": "2026-01-05T00:00:00Z"});
    let with = |field: &str, value: Value| {
        let mut beat = good.clone();
        beat[field] = value;
        beat.to_string()
    };
    let lines = [
        good.to_string(),
        "{".into(),
        with("viewer_id", Value::Null),
        with("region", json!("global")),
        with("end_sec", json!(600)),
        with("video_id", json!("")),
        with("at", json!("2999-01-01T00:00:00Z")),
        with("at", json!("yesterday")),
        with("viewer_id", Value::Null),
        "[1]".into(),
        // An instant before the calendar of the tables.
        with("at", json!("0000-01-01T00:00:00Z")),
        with("start_sec", json!(10)),
    ];
    let folder = TempDir::new().expect("a folder");
    let path = file(&folder, "heartbeats", lines.join("\n").as_bytes());
    let database = database().await;
    assert_eq!(
        run(&database, &["replay", text(&path)]).await,
        "1 heartbeats accepted, 11 rejected
         2 malformed, the first at line 2
         2 missing in viewer_id, the first at line 3
         1 empty in video_id, the first at line 6
         1 bad_format in at, the first at line 8
         1 reserved in region, the first at line 4
         1 end_before_start in end_sec, the first at line 12
         1 too_many_seconds in end_sec, the first at line 5
         1 too_old in at, the first at line 11
         1 in_future in at, the first at line 7
"
    );
    assert_eq!(run(&database, &["work", "--once"]).await, "folded 1 heartbeats\n");
    let none_good = file(&folder, "none good", b"{\n");
    let ran = run_with(&database, &["replay", text(&none_good)], b"").await;
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 malformed, the first at line 1"), "{}", ran.stdout);
}

#[tokio::test]
async fn mistakes_are_told_in_one_line() {
    let folder = TempDir::new().expect("a folder");
    let path = file(&folder, "heartbeats", &heartbeats(1));
    let mut cut_short = packed(&heartbeats(12_000));
    cut_short.truncate(cut_short.len() / 2);
    let cut_short = file(&folder, "cut short", &cut_short);
    let tomorrow = (Utc::now().date_naive() + TimeDelta::days(1)).to_string();
    let database = database().await;
    for (arguments, code, says) in [
        (vec!["replay", "/does/not/exist"], 1, "cannot read /does/not/exist"),
        (vec!["replay", text(&path), "--captured-on", &tomorrow], 1, "--captured-on lies in the future"),
        (vec!["replay", text(&cut_short)], 1, "cut short"),
        (vec!["replay", text(&path), "--captured-on", "soon"], 2, "--captured-on"),
        (vec!["replay", text(&path), "--format", "csv"], 2, "--format"),
        (vec!["replay"], 2, "FILE"),
        (vec!["show", "v", "--resolution", "0"], 2, "--resolution"),
        (vec!["show", "v", "--region", "x"], 2, "--region"),
        (vec!["show", ""], 2, "VIDEO"),
    ] {
        let ran = run_with(&database, &arguments, b"").await;
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.to_lowercase().contains(&says.to_lowercase()), "{arguments:?}: {}", ran.stderr);
        if code == 1 {
            assert_eq!(ran.stderr.lines().count(), 1, "{arguments:?}: {}", ran.stderr);
        }
    }
}

#[tokio::test]
async fn show_draws_the_strip_in_80_columns() {
    let (statements, _) = statements();
    let database = database().await;
    let day = yesterday().to_string();
    run(&database, &["replay", text(&statements), "--format", "xapi", "--captured-on", &day]).await;
    run(&database, &["work", "--once"]).await;
    let watched = Watched::of(&unpacked(&statements));
    for (video, by_second) in &watched.viewers {
        let drawn = run(&database, &["show", video]).await;
        assert!(drawn.lines().count() > 8, "{drawn}");
        assert!(drawn.lines().all(|line| line.chars().count() <= 80), "{drawn}");
        assert!(!drawn.contains('\x1b'), "{drawn}");
        assert!(drawn.starts_with(video.as_str()) && drawn.contains(&day) && drawn.contains('█'), "{drawn}");
        let everybody: BTreeSet<&usize> = by_second.values().flatten().collect();
        if everybody.len() <= EXACT {
            let viewers = format!("{} viewer", everybody.len());
            assert!(drawn.contains(&viewers) && drawn.contains("exact"), "{drawn}");
        }
        let coarse =
            run(&database, &["show", video, "--resolution", "60", "--region", "zz", "--from", &day]).await;
        assert!(coarse.contains("60 s a bucket"), "{coarse}");
    }
    for nothing in
        [vec!["show", "nobody's"], vec!["show", "nobody's", "--region", "JP", "--to", "2026-01-01"]]
    {
        let drawn = run(&database, &nothing).await;
        assert!(drawn.starts_with("Nobody has watched nobody's"), "{drawn}");
        assert_eq!(drawn.lines().count(), 1, "{drawn}");
    }
}
