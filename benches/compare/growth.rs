//! What more heartbeats cost: by heartbeat, by row, in memory, and for who reads.

use std::time::Instant;

use heatstrip::heatmap::store::strips::StripQuery;

use crate::{
    Plan,
    audience::{self, Beat},
    ingest::enqueue,
    picture,
    postgres::{self, Postgres},
    process,
    report::{Goal, Section, mebibytes, median, thousands},
};

/// Beats that are held at once while a backlog is made.
const PIECE: usize = 1_000_000;
/// So few that all their seconds are watched by thousands.
const EVENT_VIDEOS: usize = 2;
/// What counts as flat on a noisy machine.
const FLAT: f64 = 1.25;

/// A backlog and what it took.
struct Point {
    heartbeats: usize,
    seconds: f64,
    /// Rows inserted and updated.
    upserted: f64,
    rows: f64,
    dense: f64,
    read_ms: f64,
    worker: f64,
    backend: f64,
}

impl Point {
    fn micros(&self) -> f64 {
        self.seconds * 1e6 / self.heartbeats as f64
    }

    fn row_micros(&self) -> f64 {
        self.seconds * 1e6 / self.upserted
    }
}

/// A catalogue: the more heartbeats, the more rows.
pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let points = measure_all(audience::VIDEOS, plan.backlogs).await?;
    let (first, last) = (&points[0], &points[points.len() - 1]);
    let most = |value: fn(&Point) -> f64| points.iter().map(value).fold(0.0, f64::max);
    Ok(Section {
        title: "Growth",
        text: "A backlog of one day over 5,000 videos, folded by `heatstrip work --once` on 2 connections; the audience grows with it. Then a cold\n\
               strip of the most watched video at 5 s, all of it in shards still, eight regions to unite: the reads' worst case. Memory is the peak of\n\
               the worker (VmHWM) and of its largest Postgres backend (RssAnon). Rows are counted as often as they are written."
            .into(),
        goals: vec![
            Goal::at_most("cost of a heartbeat, largest backlog / smallest", 1.0, last.micros() / first.micros()),
            Goal::at_most("worker's memory, of 512 MiB", 1.0, most(|point| point.worker) / f64::from(512 << 20)),
            Goal::at_most("a backend's memory, of 256 MiB", 1.0, most(|point| point.backend) / f64::from(256 << 20)),
        ],
        pictures: pictures(&points, "growth", "a catalogue of 5,000 videos"),
        ..table(&points)
    })
}

/// An event: the same rows again and again, until all of them are dense.
pub async fn dense_section(plan: &Plan) -> anyhow::Result<Section> {
    let points = measure_all(EVENT_VIDEOS, plan.event_backlogs).await?;
    let mut goals = Vec::new();
    if let Some(first) = points.iter().position(|point| point.dense > 0.9)
        && first + 1 < points.len()
    {
        let (first, last) = (&points[first], &points[points.len() - 1]);
        goals = vec![
            Goal::at_most(
                "cost of an upserted row once dense, largest backlog / first dense",
                FLAT,
                last.row_micros() / first.row_micros(),
            ),
            Goal::at_most(
                "cold strip once dense, largest backlog / first dense",
                FLAT,
                last.read_ms / first.read_ms,
            ),
        ];
    }
    Ok(Section {
        title: "Growth of dense rows",
        text: format!(
            "The same with {EVENT_VIDEOS} videos, as in the hours of an event: sketches stop growing, and with them what a row and a read cost."
        ),
        goals,
        pictures: pictures(&points, "growth-dense", "2 videos that everybody watches"),
        ..table(&points)
    })
}

fn table(points: &[Point]) -> Section {
    let row = |point: &Point| {
        vec![
            thousands(point.heartbeats as f64),
            format!("{:.1} µs", point.micros()),
            format!("{:.2} µs", point.row_micros()),
            thousands(point.upserted),
            thousands(point.rows),
            format!("{:.1} %", 100.0 * point.dense),
            format!("{:.1} ms", point.read_ms),
            mebibytes(point.worker),
            mebibytes(point.backend),
        ]
    };
    Section {
        head: vec![
            "heartbeats",
            "a heartbeat",
            "an upserted row",
            "rows upserted",
            "rows in the end",
            "dense",
            "cold strip",
            "worker",
            "backend",
        ],
        rows: points.iter().map(row).collect(),
        ..Section::default()
    }
}

fn pictures(points: &[Point], name: &str, of: &str) -> Vec<(String, String, String)> {
    let per = |value: fn(&Point) -> f64| -> Vec<(f64, f64)> {
        points.iter().map(|point| (point.heartbeats as f64, value(point))).collect()
    };
    vec![
        (
            format!("{name}-writes.svg"),
            format!("Cost of a heartbeat and of a row against the number of heartbeats, {of}"),
            picture::lines(
                &format!("What a heartbeat costs the worker and Postgres, {of}"),
                "µs",
                &[("µs a heartbeat", per(Point::micros)), ("µs an upserted row", per(Point::row_micros))],
            ),
        ),
        (
            format!("{name}-reads.svg"),
            format!("Time of a cold strip against the number of heartbeats, {of}"),
            picture::lines(
                &format!("A cold strip at 5 s, nothing compacted, {of}"),
                "ms",
                &[("ms a strip", per(|point| point.read_ms))],
            ),
        ),
    ]
}

async fn measure_all(videos: usize, backlogs: &[usize]) -> anyhow::Result<Vec<Point>> {
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
    for piece in 0.. {
        let beats: Vec<Beat> = audience::beats_of(piece, videos, waiting.min(PIECE));
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
            "SELECT count(*), count(*) FILTER (WHERE get_byte(hll_send(viewers), 0) & 15 > 2),
                (SELECT sum(n_tup_ins + n_tup_upd)::bigint FROM pg_stat_user_tables WHERE relname LIKE 'video_heatmap_shards_%')
             FROM video_heatmap_shards",
            &[],
        )
        .await?;
    let (rows, dense, upserted): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    let asked = StripQuery {
        video_id: "video-00000".into(),
        regions: vec!["GLOBAL".into()],
        resolution: 5,
        from: None,
        to: None,
    };
    let mut reads = Vec::new();
    for _ in 0..7 {
        let started = Instant::now();
        let (_, buckets) = store.read_strip(&asked).await?;
        reads.push(started.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(!buckets.is_empty(), "an empty strip");
    }
    Ok(Point {
        heartbeats: backlog,
        seconds: taken.time.as_secs_f64(),
        upserted: upserted as f64,
        rows: rows as f64,
        dense: dense as f64 / rows as f64,
        read_ms: median(reads),
        worker: taken.peak_memory,
        backend: taken.peak_backend_memory,
    })
}
