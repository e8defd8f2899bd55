//! Durable queue to sketches: heartbeats wait in the queue, or in the peer's own input, and become sketches on disk.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    time::{Duration, Instant},
};

use chrono::Utc;
use heatstrip::{
    clock::Clock,
    events::{hashed::HashedHeartbeats, lane::lane},
    postgres::Store,
    queue::{
        Batch,
        batch_ids::{Accepted, Ring},
    },
    work::worker,
};
use tokio::task::JoinSet;

use crate::{
    Plan,
    audience::{self, Beat, beats, hashed},
    peers, picture,
    postgres::{self, Postgres},
    report::{Goal, Section, mebibytes, thousands},
};

/// Heartbeats of one group commit: what the intake gathers under load.
const GROUP: usize = 10_000;
const CONNECTIONS: usize = 2;
const WINDOW: usize = 100_000;

/// What a contestant did.
struct Entry {
    name: String,
    heartbeats: f64,
    per_second: f64,
    bytes: f64,
}

/// The seeded audience.
pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let contest = Contest::hold(&beats(plan.beats), plan.sample).await?;
    let picture = picture::bars(
        "Heartbeats a second, durable queue to sketches on disk",
        &contest
            .entries
            .iter()
            .map(|entry| (entry.name.replace('*', ""), entry.per_second))
            .collect::<Vec<_>>(),
    );
    Ok(Section {
        title: "Durable queue to sketches",
        text: format!(
            "{} over 5,000 videos (Zipf) and 8 regions, one day. heatstrip's lie in its queue, committed, before the clock\n\
             starts, each window when the one before is folded; the peers' lie in memory or in a file of their own format. The slow ones\n\
             get the first {} heartbeats at most. heatstrip keeps plays and whole videos beside the sketches; its bytes are the database's, empty catalogue\n\
             (8 MiB) and emptied queue included.",
            contest.heartbeats,
            thousands(plan.sample as f64)
        ),
        goals: contest.goals(),
        pictures: vec![(
            "peers.svg".into(),
            "Heartbeats a second of heatstrip and its peers".into(),
            picture,
        )],
        ..contest.section()
    })
}

/// The sessions of a MOOC platform, where they are at hand.
pub async fn recorded_section(plan: &Plan) -> anyhow::Result<Section> {
    let title = "The same with recorded sessions";
    let Some(beats) = audience::recorded()? else {
        let text = "Left out: `HEATSTRIP_MOOC_FILE` names no file of xAPI video statements.".into();
        return Ok(Section { title, text, ..Section::default() });
    };
    let contest = Contest::hold(&beats, plan.sample).await?;
    let text = format!("{} as learners of a MOOC platform watched them, as of one day.", contest.heartbeats);
    Ok(Section { title, text, ..contest.section() })
}

/// What all contestants did with the same beats.
struct Contest {
    /// How many, in words.
    heartbeats: String,
    /// heatstrip's come first.
    entries: Vec<Entry>,
    article: f64,
    // The plain form of ClickHouse, and the one that its own engine unites, which is faster; both with fsync.
    group_by: f64,
    initialize: f64,
    rows_per_second: f64,
    bare_rows_per_second: f64,
}

impl Contest {
    async fn hold(beats: &[Beat], sample: usize) -> anyhow::Result<Self> {
        let seconds: u64 = beats.iter().map(|beat| u64::from(beat.end_sec - beat.start_sec + 1)).sum();
        let file = std::env::temp_dir().join(format!("heatstrip-bench-{}.ndjson", std::process::id()));
        write(beats, &file)?;
        let postgres = Postgres::start().await?;
        let mut entries = Vec::new();

        let (windows, rows_per_second) = in_windows(&postgres, "windows", beats, WINDOW).await?;
        let (at_once, _) = in_windows(&postgres, "at_once", beats, beats.len()).await?;
        postgres.drop("at_once").await?;
        let bare_rows_per_second = bare_upsert(&postgres).await?;
        postgres.drop("windows").await?;
        let name = |how: &str| format!("**heatstrip**, {how}, 2 connections");
        entries.push(windows.named(name("windows of 100,000")));
        entries.push(at_once.named(name("one backlog")));

        let beats_arg = file.to_string_lossy().into_owned();
        let count = beats.len().to_string();
        let mut article: f64 = 0.0;
        for (commit_every, sample) in [("1", sample / 5), ("1000", sample)] {
            let sample = sample.to_string();
            let url = postgres.database("article").await?;
            let answer = peers::run(
                "article.py",
                &["--beats", &beats_arg, "--count", &sample, "--dsn", &url, "--commit-every", commit_every],
            );
            if let Some(answer) = answer {
                let entry = Entry::of(
                    &answer,
                    format!("the article's ingester, commit every {commit_every}, 1 connection"),
                );
                article = article.max(entry.per_second);
                entries.push(entry);
            }
            postgres.drop("article").await?;
        }
        let url = postgres.database("raw").await?;
        let arguments = ["--beats", &beats_arg, "--count", &count, "--window", "100000", "--dsn", &url];
        let raw = peers::run("raw_events.py", &arguments);
        entries.extend(raw.map(|answer| {
            Entry::of(&answer, "raw events, COPY, a row a viewer and second (no sketches)".into())
        }));
        postgres.stop().await?;

        let (mut group_by, mut initialize) = (f64::NAN, f64::NAN);
        for (state, insert, fsync) in [
            ("uniqCombined64", "group-by", true),
            ("uniqCombined64", "initialize", true),
            ("uniqCombined64", "initialize", false),
            ("uniqHLL12", "initialize", true),
            ("uniqHLL12", "initialize", false),
        ] {
            let mut arguments = vec!["--beats", &beats_arg, "--count", &count, "--window", "100000"];
            arguments.extend(["--state", state, "--insert", insert]);
            arguments.extend(fsync.then_some("--fsync"));
            let Some(answer) = peers::run("clickhouse.py", &arguments) else { continue };
            let how = if fsync { "fsync" } else { "no fsync" };
            let entry = Entry::of(
                &answer,
                format!("ClickHouse embedded, `{state}`, {insert}, windows of 100,000, {how}"),
            );
            match (state, insert, fsync) {
                ("uniqCombined64", "group-by", true) => group_by = entry.per_second,
                ("uniqCombined64", "initialize", true) => initialize = entry.per_second,
                _ => {}
            }
            entries.push(entry);
        }
        let arguments =
            ["--beats", &beats_arg, "--count", &count, "--window", "100000", "--sync", "everysec"];
        let redis = peers::run("redis_peer.py", &arguments);
        entries.extend(redis.map(|answer| {
            Entry::of(&answer, "Redis, one `PFADD` a key and window, appendfsync everysec (no plays)".into())
        }));
        std::fs::remove_file(&file)?;
        let heartbeats = format!(
            "{} heartbeats of {} seconds in all",
            thousands(beats.len() as f64),
            thousands(seconds as f64)
        );
        Ok(Contest {
            heartbeats,
            entries,
            article,
            group_by,
            initialize,
            rows_per_second,
            bare_rows_per_second,
        })
    }

    fn section(&self) -> Section {
        let ours = self.entries[0].per_second;
        let row = |entry: &Entry| {
            vec![
                entry.name.clone(),
                thousands(entry.heartbeats),
                thousands(entry.per_second),
                format!("{:.2} ×", entry.per_second / ours),
                mebibytes(entry.bytes),
            ]
        };
        Section {
            head: vec!["contestant", "heartbeats", "heartbeats/s", "", "on disk"],
            rows: self.entries.iter().map(row).collect(),
            ..Section::default()
        }
    }

    fn goals(&self) -> Vec<Goal> {
        let ours = self.entries[0].per_second;
        vec![
            Goal::at_least(
                "heatstrip / the article's ingester in its better mode",
                30.0,
                ours / self.article,
            ),
            Goal::at_least(
                "heatstrip / ClickHouse `uniqCombined64(12)`, GROUP BY, with fsync",
                1.0,
                ours / self.group_by,
            ),
            Goal::at_least(
                "heatstrip / ClickHouse `uniqCombined64(12)`, initializeAggregation, with fsync",
                1.0,
                ours / self.initialize,
            ),
            Goal::at_least(
                "rows upserted per second / a bare INSERT … SELECT … ON CONFLICT of the final rows from a temp table, 2 connections",
                0.8,
                self.rows_per_second / self.bare_rows_per_second,
            ),
        ]
    }
}

impl Entry {
    fn named(self, name: String) -> Self {
        Entry { name, ..self }
    }

    fn of(answer: &serde_json::Value, name: String) -> Self {
        Entry {
            name,
            heartbeats: peers::number(answer, "heartbeats"),
            per_second: peers::number(answer, "heartbeats_per_second"),
            bytes: peers::number(answer, "bytes_on_disk"),
        }
    }
}

/// Folds the beats window by window into a new database; returns the rows written a second too.
async fn in_windows(
    postgres: &Postgres,
    name: &str,
    beats: &[Beat],
    window: usize,
) -> anyhow::Result<(Entry, f64)> {
    let (url, store) = postgres.heatstrip(name, 2 * CONNECTIONS).await?;
    postgres::settle(&url).await?;
    let (mut taken, mut rows) = (Duration::ZERO, 0);
    for window in beats.chunks(window) {
        enqueue(&store, window).await?;
        let started = Instant::now();
        rows += drain(&store).await?;
        taken += started.elapsed();
    }
    let entry = Entry {
        name: String::new(),
        heartbeats: beats.len() as f64,
        per_second: beats.len() as f64 / taken.as_secs_f64(),
        bytes: postgres::size(&url).await?,
    };
    Ok((entry, rows as f64 / taken.as_secs_f64()))
}

/// Makes heartbeats wait in the queue.
pub async fn enqueue(store: &Store, beats: &[Beat]) -> anyhow::Result<()> {
    for group in beats.chunks(GROUP) {
        let heartbeats = hashed(group);
        let mut lanes: BTreeMap<u16, HashedHeartbeats> = BTreeMap::new();
        for heartbeat in heartbeats.iter() {
            let heartbeat = heartbeat?;
            lanes.entry(lane(heartbeat.video_id, store.lanes())).or_default().push(&heartbeat);
        }
        let answer = Accepted { accepted: group.len(), rejected: "[]".into() };
        store.enqueue(Ring::Http, &[Batch { id: None, lanes, answer }], Utc::now()).await?;
    }
    Ok(())
}

/// Folds until the queue is empty, as the worker's loop does; returns the rows written.
async fn drain(store: &Store) -> anyhow::Result<u64> {
    let mut workers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let store = store.clone();
        workers.spawn(async move {
            let (clock, mut written) = (Clock::system(), 0);
            while let worker::Step::Folded { rows, .. } = worker::step(&store, &clock, Duration::ZERO).await?
            {
                written += rows;
            }
            anyhow::Ok(written)
        });
    }
    let mut written = 0;
    while let Some(worker) = workers.join_next().await {
        written += worker??;
    }
    Ok(written)
}

/// The plainest way to the same rows: rows a second of an upsert from a temp table, on as many connections, into a table
/// like the shards' that is empty.
async fn bare_upsert(postgres: &Postgres) -> anyhow::Result<f64> {
    let url = postgres.url("windows");
    let client = postgres::connect(&url).await?;
    client
        .batch_execute("CREATE TABLE bare (LIKE video_heatmap_shards INCLUDING ALL) WITH (fillfactor = 50, toast_tuple_target = 4080)")
        .await?;
    let mut clients = Vec::new();
    let mut rows = 0;
    for half in 0..CONNECTIONS {
        let client = postgres::connect(&url).await?;
        client
            .batch_execute(&format!(
                "SET temp_buffers = '512MB';
                 CREATE TEMP TABLE mine AS SELECT * FROM video_heatmap_shards WHERE shard % {CONNECTIONS} = {half}
                    ORDER BY video_id, captured_on, region, bucket_sec"
            ))
            .await?;
        rows += client.query_one("SELECT count(*) FROM mine", &[]).await?.get::<_, i64>(0);
        clients.push(client);
    }
    postgres::settle(&url).await?;
    let started = Instant::now();
    let mut upserts = JoinSet::new();
    for client in clients {
        upserts.spawn(async move {
            client
                .batch_execute(
                    "INSERT INTO bare AS t SELECT * FROM mine ON CONFLICT (video_id, captured_on, region, bucket_sec, shard)
                     DO UPDATE SET viewers = t.viewers || EXCLUDED.viewers, plays = t.plays + EXCLUDED.plays",
                )
                .await
        });
    }
    while let Some(upsert) = upserts.join_next().await {
        upsert??;
    }
    Ok(rows as f64 / started.elapsed().as_secs_f64())
}

fn write(beats: &[Beat], path: &Path) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for beat in beats {
        serde_json::to_writer(&mut file, beat)?;
        file.write_all(b"\n")?;
    }
    Ok(file.flush()?)
}
