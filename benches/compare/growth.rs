//! What more heartbeats cost: by heartbeat, by row, in memory, and for who reads.

use std::time::Instant;

use heatstrip::store::strips::StripQuery;

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

struct Point {
    heartbeats: usize,
    seconds: f64,
    rows: f64,
    dense: f64,
    read_ms: f64,
    worker: f64,
    backend: f64,
}

pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let postgres = Postgres::start().await?;
    let mut points = Vec::new();
    for &backlog in plan.backlogs {
        points.push(measure(&postgres, backlog).await?);
        postgres.drop("growth").await?;
    }
    postgres.stop().await?;
    let micros = |point: &Point| point.seconds * 1e6 / point.heartbeats as f64;
    let row_micros = |point: &Point| point.seconds * 1e6 / point.rows;
    let rows = points.iter().map(|point| {
        vec![
            thousands(point.heartbeats as f64),
            format!("{:.1} µs", micros(point)),
            format!("{:.2} µs", row_micros(point)),
            thousands(point.rows),
            format!("{:.1} %", 100.0 * point.dense),
            format!("{:.1} ms", point.read_ms),
            mebibytes(point.worker),
            mebibytes(point.backend),
        ]
    });
    let (first, last) = (&points[0], &points[points.len() - 1]);
    let per = |value: &dyn Fn(&Point) -> f64| -> Vec<(f64, f64)> {
        points.iter().map(|point| (point.heartbeats as f64, value(point))).collect()
    };
    let pictures = vec![
        (
            "growth-writes.svg",
            "Cost of a heartbeat and of a row against the number of heartbeats",
            picture::lines(
                "What a heartbeat costs the worker and Postgres, by the size of the backlog",
                "µs",
                &[("µs a heartbeat", per(&micros)), ("µs a final row", per(&row_micros))],
            ),
        ),
        (
            "growth-reads.svg",
            "Time of a cold strip against the number of heartbeats",
            picture::lines(
                "A cold strip of the most watched video at 5 s, nothing compacted, by heartbeats of the day",
                "ms",
                &[("ms a strip", per(&|point| point.read_ms))],
            ),
        ),
    ];
    let worker = points.iter().map(|point| point.worker).fold(0.0, f64::max);
    let backend = points.iter().map(|point| point.backend).fold(0.0, f64::max);
    Ok(Section {
        title: "Growth",
        text: "A backlog of one day, folded by `heatstrip work --once` on 2 connections; the audience grows with it. Then a cold strip of the most\n\
               watched video at 5 s, all of it in shards still, eight regions to unite: the reads' worst case. Memory is the peak of the worker (VmHWM)\n\
               and of its largest Postgres backend (RssAnon)."
            .into(),
        head: vec![
            "heartbeats", "a heartbeat", "a final row", "rows", "dense rows", "cold strip", "worker", "backend",
        ],
        rows: rows.collect(),
        goals: vec![
            Goal::at_most("cost of a heartbeat, largest backlog / smallest", 1.0, micros(last) / micros(first)),
            Goal::at_most("worker's memory, of 512 MiB", 1.0, worker / f64::from(512 << 20)),
            Goal::at_most("a backend's memory, of 256 MiB", 1.0, backend / f64::from(256 << 20)),
        ],
        pictures,
    })
}

async fn measure(postgres: &Postgres, backlog: usize) -> anyhow::Result<Point> {
    let (url, store) = postgres.heatstrip("growth", 2).await?;
    let mut waiting = backlog;
    // Each piece is an audience of its own.
    for piece in 0.. {
        let beats: Vec<Beat> = audience::beats_of(piece, waiting.min(PIECE));
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
            "SELECT count(*), count(*) FILTER (WHERE get_byte(hll_send(viewers), 0) & 15 > 2) FROM video_heatmap_shards",
            &[],
        )
        .await?;
    let (rows, dense): (i64, i64) = (row.get(0), row.get(1));
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
        rows: rows as f64,
        dense: dense as f64 / rows as f64,
        read_ms: median(reads),
        worker: taken.peak_memory,
        backend: taken.peak_backend_memory,
    })
}
