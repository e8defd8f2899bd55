//! What a replay of statements holds does not grow with the file.

use serde_json::json;
use tempfile::TempDir;
use tokio::process::Child;

use super::{database, digest, file, heatstrip, ran, run, run_with, text, yesterday};
use crate::support::until;

/// So little that a few thousand sessions are too many.
const MIB: &str = "4";
const SESSIONS: usize = 12_000;

/// Returns statements of so many sessions, the second half of each far behind the first.
fn statements(sessions: usize) -> Vec<u8> {
    let statement = |n: usize, segments: &str| {
        json!({
            "actor": {"account": {"name": format!("viewer {}", n % 5_000)}},
            "object": {"id": format!("https://video.example/{}", n / 5_000)},
            "timestamp": format!("{}T08:00:00Z", yesterday()),
            "context": {"extensions": {"https://w3id.org/xapi/video/extensions/session-id": format!("session {n}")}},
            "result": {"extensions": {"https://w3id.org/xapi/video/extensions/played-segments": segments}},
        })
        .to_string()
            + "\n"
    };
    let halves = ["0[.]5[,]9", "0[.]5[,]9[.]12"];
    halves
        .into_iter()
        .flat_map(|segments| (0..sessions).map(move |n| statement(n, segments)))
        .collect::<String>()
        .into_bytes()
}

/// Returns the most memory that a process ever had, in KiB; the kernel forgets it with the process.
async fn peak(child: &Child) -> u64 {
    let status = format!("/proc/{}/status", child.id().expect("it runs"));
    let mut peak = 0;
    until("the program ends", super::DEADLINE, async || {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let Some(line) = line else { return Some(()) };
        peak = line.trim().trim_end_matches(" kB").parse().expect("a number");
        None
    })
    .await;
    peak
}

#[tokio::test]
async fn a_replay_of_statements_does_not_grow_with_the_file() {
    let folder = TempDir::new().expect("a folder");
    let mut peaks = Vec::new();
    for sessions in [SESSIONS, 4 * SESSIONS] {
        let path = file(&folder, "statements", &statements(sessions));
        let database = database().await;
        let arguments = ["replay", text(&path), "--format", "xapi", "--memory-mib", MIB];
        let child = heatstrip(&database, &arguments).spawn().expect("the program");
        peaks.push(peak(&child).await);
        let ran = ran(child).await;
        assert_eq!(
            ran.stdout,
            format!("{} heartbeats accepted, 0 rejected\n", 2 * sessions),
            "{}",
            ran.stderr
        );
    }
    println!("at most {} KiB for {SESSIONS} sessions, {} KiB for four times as many", peaks[0], peaks[1]);
    assert!(peaks[1] * 10 < peaks[0] * 12, "{peaks:?}");
}

#[tokio::test]
async fn passes_make_the_same_rows_as_one_and_a_pipe_has_one() {
    let folder = TempDir::new().expect("a folder");
    let statements = statements(SESSIONS);
    let path = file(&folder, "statements", &statements);
    let mut digests = Vec::new();
    for memory in [MIB, "256"] {
        let database = database().await;
        let replay = ["replay", text(&path), "--format", "xapi", "--memory-mib", memory];
        let (first, again) = (run(&database, &replay).await, run(&database, &replay).await);
        assert_eq!(first, format!("{} heartbeats accepted, 0 rejected\n", 2 * SESSIONS));
        assert!(again.starts_with(&format!("0 heartbeats accepted, {} known", 2 * SESSIONS)), "{again}");
        run(&database, &["work", "--once"]).await;
        digests.push(digest(&database).await);
    }
    assert_eq!(digests[0], digests[1]);
    assert_ne!(digests[0], "nothing");

    let database = database().await;
    let piped = ["replay", "-", "--format", "xapi", "--memory-mib", MIB];
    let ran = run_with(&database, &piped, &statements).await;
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stderr.contains("a pipe cannot be read twice"), "{}", ran.stderr);
    assert_eq!(run(&database, &["work", "--once"]).await, "folded 0 heartbeats\n", "nothing of it counts");
}
