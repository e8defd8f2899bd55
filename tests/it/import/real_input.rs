//! The program itself runs on real input: recordings of a learning platform are replayed, folded and held against plain
//! sets.

mod watched;
mod counted;
mod again;
mod memory;
mod refused;
mod show;

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use chrono::{NaiveDate, TimeDelta, Utc};
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};

use crate::support::{TestDatabase, database};

/// A run of the program may take this long.
const DEADLINE: Duration = Duration::from_secs(60);
/// A sketch is a list up to this many viewers.
const EXACT: usize = 320;

// -- the program --

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Returns a heatstrip on this database, with nothing else in its environment.
fn heatstrip(database: &TestDatabase, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heatstrip"));
    command
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", &database.url)
        // Hashes are the same in every database, so that their rows can be compared.
        .env("HEATSTRIP_VIEWER_SALT", "pepper-2026-01-01")
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

/// Runs the program to its end, in order, and returns what it printed.
async fn run(database: &TestDatabase, arguments: &[&str]) -> String {
    let ran = run_with(database, arguments, b"").await;
    assert_eq!(ran.code, Some(0), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    ran.stdout
}

/// Selects every second that was watched, in whatever form it is kept.
const SECONDS: &str = "SELECT video_id, captured_on, region, bucket_sec, sum(plays)::bigint AS plays, \
                       hll_union_agg(viewers) AS viewers FROM video_heatmap_seconds GROUP BY 1, 2, 3, 4";

/// Returns all rows of the database in one number.
async fn digest(database: &TestDatabase) -> String {
    let query = format!(
        "SELECT coalesce(md5(string_agg(format('%s %s %s %s %s %s', video_id, captured_on, region, bucket_sec,
             plays, encode(hll_send(viewers), 'hex')), ',' ORDER BY video_id, captured_on, region, bucket_sec)),
             'nothing')
         FROM ({SECONDS}) AS seconds"
    );
    database.connect().await.query_one(&query, &[]).await.expect("a digest").get(0)
}

async fn counts(database: &TestDatabase) -> (i64, i64) {
    let query = format!(
        "SELECT coalesce(sum(plays), 0)::bigint, coalesce(sum(round(hll_cardinality(viewers))), 0)::bigint
         FROM ({SECONDS}) AS seconds"
    );
    let row = database.connect().await.query_one(&query, &[]).await.expect("counts");
    (row.get(0), row.get(1))
}

fn yesterday() -> NaiveDate {
    Utc::now().date_naive() - TimeDelta::days(1)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

// -- the input --

/// Returns the statements of the MOOC platform where they are at hand, else those made up for the project, and true for
/// the former.
fn statements() -> (PathBuf, bool) {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = checkout.join("../shared/data/fun-mooc-video-statements.jsonl.gz");
    match std::env::var_os("HEATSTRIP_MOOC_FILE") {
        Some(file) => (file.into(), true),
        None if beside.exists() => (beside, true),
        None => (checkout.join("tests/data/xapi.jsonl"), false),
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

/// Returns heartbeats of players, a line each, enough for several chunks.
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
