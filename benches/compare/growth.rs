//! What more heartbeats cost: by heartbeat, in memory, and for who reads.

use std::time::Instant;

use chrono::NaiveDate;
use heatstrip::heatmap::store::strips::StripQuery;

use crate::{
    Plan,
    audience::{self, Audience, FEW},
    engine::enqueue,
    memory, picture,
    postgres::{self, Postgres},
    process,
    report::{Goal, Section, Table, mebibytes, median, thousands},
};

pub const TITLE: &str = "Growth and memory";

/// Beats that are held at once while a backlog is made.
const PIECE: usize = 1_000_000;

/// A backlog and what it took.
pub struct Point {
    pub heartbeats: usize,
    seconds: f64,
    /// Shard runs that were appended, and those that hot compaction has left.
    appended: f64,
    left: f64,
    pub read_ms: f64,
    worker: f64,
    backend: f64,
}

impl Point {
    pub fn micros(&self) -> f64 {
        self.seconds * 1e6 / self.heartbeats as f64
    }
}

/// A catalogue: the more heartbeats, the more runs; and what a day-long stream takes.
pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let points = measure_all(audience::VIDEOS, plan.backlogs).await?;
    let stream = memory::stream(plan.stream_viewers).await?;
    let (first, last) = (&points[0], &points[points.len() - 1]);
    let most = |value: fn(&Point) -> f64| points.iter().map(value).fold(0.0, f64::max);
    let of = |bytes: f64| bytes / f64::from(256 << 20);
    Ok(Section {
        title: TITLE,
        text: format!(
            "A backlog of one day over 5,000 videos, folded by `heatstrip work --once`, which compacts hot videos on the way; the audience grows\n\
             with it. Then a cold strip of the most watched video at 5 s, `GLOBAL`. Memory is the peak of the worker (VmHWM) and of its largest\n\
             Postgres backend (RssAnon). Below it a stream of 24 hours with {} viewers, all of whom see all of it, in heartbeats of 600 s; the\n\
             night's job then compacts it.",
            thousands(plan.stream_viewers as f64)
        ),
        goals: vec![
            Goal::at_most(
                "cost of a heartbeat, largest backlog / smallest",
                1.0,
                last.micros() / first.micros(),
            ),
            Goal::at_most("worker's memory at any backlog, of 256 MiB", 1.0, of(most(|point| point.worker))),
            Goal::at_most(
                "a backend's memory at any backlog, of 256 MiB",
                1.0,
                of(most(|point| point.backend)),
            ),
            Goal::at_most("worker's and job's memory with the stream, of 256 MiB", 1.0, of(stream.process)),
            Goal::at_most("a backend's memory with the stream, of 256 MiB", 1.0, of(stream.backend)),
        ],
        tables: vec![table(&points), stream.table()],
        pictures: pictures(&points, "growth", "a catalogue of 5,000 videos"),
        ..Section::default()
    })
}

pub fn table(points: &[Point]) -> Table {
    let row = |point: &Point| {
        vec![
            thousands(point.heartbeats as f64),
            format!("{:.1} µs", point.micros()),
            thousands(point.appended),
            thousands(point.left),
            format!("{:.1} ms", point.read_ms),
            mebibytes(point.worker),
            mebibytes(point.backend),
        ]
    };
    let head =
        ["heartbeats", "a heartbeat", "shard runs appended", "left", "cold strip", "worker", "backend"];
    Table::new(head, points.iter().map(row).collect())
}

pub fn pictures(points: &[Point], name: &str, of: &str) -> Vec<(String, String, String)> {
    let per = |value: fn(&Point) -> f64| -> Vec<(f64, f64)> {
        points.iter().map(|point| (point.heartbeats as f64, value(point))).collect()
    };
    vec![
        (
            format!("{name}-writes.svg"),
            format!("Cost of a heartbeat against the number of heartbeats, {of}"),
            picture::lines(
                &format!("What a heartbeat costs the worker and Postgres, {of}"),
                "µs",
                &[("µs a heartbeat", per(Point::micros))],
            ),
        ),
        (
            format!("{name}-reads.svg"),
            format!("Time of a cold strip against the number of heartbeats, {of}"),
            picture::lines(
                &format!("A cold strip at 5 s, as the worker left it, {of}"),
                "ms",
                &[("ms a strip", per(|point| point.read_ms))],
            ),
        ),
    ]
}

/// Folds each backlog into a database of its own.
pub async fn measure_all(videos: usize, backlogs: &[usize]) -> anyhow::Result<Vec<Point>> {
    let postgres = Postgres::start().await?;
    let mut points = Vec::new();
    for &backlog in backlogs {
        points.push(measure(&postgres, videos, backlog).await?);
        postgres.drop("growth").await?;
    }
    postgres.stop().await?;
    Ok(points)
}

async fn measure(postgres: &Postgres, videos: usize, backlog: usize) -> anyhow::Result<Point> {
    let (url, store) = postgres.heatstrip("growth", 2).await?;
    let mut waiting = backlog;
    // Each piece is an audience of its own.
    for seed in 0.. {
        let beats = Audience { seed, videos, ..FEW }.beats(waiting.min(PIECE));
        enqueue(&store, &beats).await?;
        waiting -= beats.len();
        if waiting == 0 {
            break;
        }
    }
    postgres::settle(&url).await?;
    let taken = process::run(&url, &["work", "--once"], postgres.postmaster()?)?;
    let row = postgres::connect(&url)
        .await?
        .query_one(
            "SELECT (SELECT sum(runs_appended) FROM video_heatmap_growth)::bigint, (SELECT count(*) FROM video_heatmap_shards)",
            &[],
        )
        .await?;
    let (appended, left): (i64, i64) = (row.get(0), row.get(1));
    let mut reads = Vec::new();
    for _ in 0..7 {
        let started = Instant::now();
        let (_, buckets) = store.read_strip(&whole_strip("video-00000", None)).await?;
        reads.push(started.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(!buckets.is_empty(), "an empty strip");
    }
    Ok(Point {
        heartbeats: backlog,
        seconds: taken.time.as_secs_f64(),
        appended: appended as f64,
        left: left as f64,
        read_ms: median(reads),
        worker: taken.peak_memory,
        backend: taken.peak_backend_memory,
    })
}

/// A strip at 5 s of all regions, of one day or of all.
pub fn whole_strip(video_id: &str, day: Option<NaiveDate>) -> StripQuery {
    StripQuery {
        video_id: video_id.into(),
        regions: vec!["GLOBAL".into()],
        resolution: 5,
        from: day,
        to: day,
        length_sec: None,
    }
}
