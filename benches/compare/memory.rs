//! A stream that goes on for a day: what the worker, the night and their backends need for it.

use std::time::Instant;

use chrono::{Days, NaiveDate, Utc};
use heatstrip::events::hashed::{HashedHeartbeat, HashedHeartbeats};

use crate::{
    engine::enqueue_hashed,
    growth::whole_strip,
    postgres::{self, Postgres},
    process,
    report::{Table, mebibytes, thousands},
};

const DAY_SECS: usize = 86_400;
/// The longest heartbeat that is accepted.
const BEAT_SECS: usize = 600;
const VIDEO: &str = "stream";

/// What the stream took.
pub struct Stream {
    rows: Vec<Vec<String>>,
    /// The most memory of the worker or the night's job, and of a backend of theirs.
    pub process: f64,
    pub backend: f64,
}

impl Stream {
    pub fn table(self) -> Table {
        Table::new(["a stream of 24 hours", "time", "process", "backend"], self.rows)
    }
}

/// Folds and compacts a day of one set of viewers, and reads it.
pub async fn stream(viewers: usize) -> anyhow::Result<Stream> {
    let postgres = Postgres::start().await?;
    let (url, store) = postgres.heatstrip("stream", 2).await?;
    let day = Utc::now().date_naive() - Days::new(2);
    let mut heartbeats = 0;
    for beat in 0..DAY_SECS / BEAT_SECS {
        let group = beats(day, viewers, beat);
        heartbeats += group.len();
        enqueue_hashed(&store, &group).await?;
    }
    postgres::settle(&url).await?;
    let postmaster = postgres.postmaster()?;
    let folded = process::run(&url, &["work", "--once"], postmaster)?;
    let mut times = Vec::new();
    times.push(read(&store, day).await?);
    let compacted = process::run(&url, &["compact"], postmaster)?;
    times.push(read(&store, day).await?);
    postgres.stop().await?;

    let of_process = |what: String, taken: &process::Taken| {
        vec![
            what,
            format!("{:.1} s", taken.time.as_secs_f64()),
            mebibytes(taken.peak_memory),
            mebibytes(taken.peak_backend_memory),
        ]
    };
    let of_read =
        |what: &str, ms: f64| vec![what.to_owned(), format!("{ms:.0} ms"), String::new(), String::new()];
    let folding = format!("folding {} heartbeats", thousands(heartbeats as f64));
    Ok(Stream {
        rows: vec![
            of_process(folding, &folded),
            of_read("a cold strip at 5 s before compaction", times[0]),
            of_process("compacting the day".into(), &compacted),
            of_read("a cold strip at 5 s after it", times[1]),
        ],
        process: folded.peak_memory.max(compacted.peak_memory),
        backend: folded.peak_backend_memory.max(compacted.peak_backend_memory),
    })
}

/// One heartbeat of each viewer. Each began at another second, so that their heartbeats do not end together.
fn beats(day: NaiveDate, viewers: usize, beat: usize) -> HashedHeartbeats {
    let heartbeat = |viewer: usize| {
        let (begin, last) = (viewer * 7 % BEAT_SECS + beat * BEAT_SECS, DAY_SECS - 1);
        HashedHeartbeat {
            video_id: VIDEO,
            region: "JP",
            captured_on: day,
            start_sec: begin.min(last) as i32,
            end_sec: (begin + BEAT_SECS - 1).min(last) as i32,
            // Spread over all the registers, as hashes are.
            viewer_hash: (viewer as i64).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()),
        }
    };
    (0..viewers).map(heartbeat).collect()
}

async fn read(store: &heatstrip::postgres::Store, day: NaiveDate) -> anyhow::Result<f64> {
    let started = Instant::now();
    let (_, buckets) = store.read_strip(&whole_strip(VIDEO, Some(day))).await?;
    anyhow::ensure!(buckets.len() > DAY_SECS / 5 - BEAT_SECS, "{} buckets", buckets.len());
    Ok(started.elapsed().as_secs_f64() * 1e3)
}
