//! What heatstrip and its peers do with the same beats.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use crate::{
    audience::{Beat, watched_secs},
    engine::{self, CONNECTIONS, WINDOW},
    peers,
    postgres::{self, Postgres},
    report::{Table, mebibytes, thousands},
};

/// The modes of `ClickHouse`: the aggregate function, how it is written, whether it is on disk when the INSERT returns.
const CLICKHOUSE: [(&str, &str, bool); 5] = [
    ("uniqCombined64", "group-by", true),
    ("uniqCombined64", "initialize", true),
    ("uniqCombined64", "initialize", false),
    ("uniqHLL12", "initialize", true),
    ("uniqHLL12", "initialize", false),
];

/// What all contestants did with the same beats.
pub struct Contest {
    /// How many, in words.
    pub heartbeats: String,
    /// heatstrip's come first.
    entries: Vec<Entry>,
    article: f64,
    /// The best mode of those that are on disk when they say so.
    clickhouse: f64,
}

/// What a contestant did.
struct Entry {
    name: String,
    heartbeats: f64,
    per_second: f64,
    bytes: f64,
    /// Milliseconds of the strip of the most watched video, where it was read.
    strip: Option<f64>,
}

impl Contest {
    pub async fn hold(beats: &[Beat], sample: usize) -> anyhow::Result<Self> {
        let file = std::env::temp_dir().join(format!("heatstrip-bench-{}.ndjson", std::process::id()));
        write(beats, &file)?;
        let (beats_arg, count) = (file.to_string_lossy().into_owned(), beats.len().to_string());
        let postgres = Postgres::start().await?;
        let mut entries = vec![
            ours(&postgres, beats, WINDOW, "windows of 100,000").await?,
            ours(&postgres, beats, beats.len(), "one backlog").await?,
        ];

        let url = postgres.database("article").await?;
        let sample = sample.to_string();
        let mut arguments = vec!["--beats", &beats_arg, "--count", &sample];
        arguments.extend(["--dsn", &url, "--commit-every", "1000"]);
        let article = peers::run("article.py", &arguments).map(|answer| {
            Entry::of(&answer, "the article's ingester, commit every 1,000, 1 connection".into())
        });
        let article_rate = article.as_ref().map_or(f64::NAN, |entry| entry.per_second);
        entries.extend(article);
        postgres.drop("article").await?;

        let all = ["--beats", &beats_arg, "--count", &count, "--window", "100000"];
        let url = postgres.database("raw").await?;
        let raw = peers::run("raw_events.py", &[&all[..], &["--dsn", &url]].concat());
        entries.extend(raw.map(|answer| {
            Entry::of(&answer, "raw events, COPY, a row a viewer and second (no sketches)".into())
        }));
        postgres.stop().await?;

        let mut clickhouse = f64::NAN;
        for (state, insert, fsync) in CLICKHOUSE {
            let mut arguments = [&all[..], &["--state", state, "--insert", insert]].concat();
            arguments.extend(fsync.then_some("--fsync"));
            let Some(answer) = peers::run("clickhouse.py", &arguments) else { continue };
            let how = if fsync { "fsync" } else { "no fsync" };
            let name = format!("ClickHouse embedded, `{state}`, {insert}, windows of 100,000, {how}");
            let entry = Entry::of(&answer, name);
            if fsync {
                // `max` takes the other number for one that is none yet.
                clickhouse = clickhouse.max(entry.per_second);
            }
            entries.push(entry);
        }
        let redis = peers::run("redis_peer.py", &[&all[..], &["--sync", "everysec"]].concat());
        entries.extend(redis.map(|answer| {
            Entry::of(&answer, "Redis, one `PFADD` a key and window, appendfsync everysec (no plays)".into())
        }));
        std::fs::remove_file(&file)?;
        let heartbeats = format!(
            "{} heartbeats of {} seconds in all",
            thousands(beats.len() as f64),
            thousands(watched_secs(beats) as f64)
        );
        Ok(Contest { heartbeats, entries, article: article_rate, clickhouse })
    }

    pub fn table(&self) -> Table {
        let ours = self.entries[0].per_second;
        let row = |entry: &Entry| {
            vec![
                entry.name.clone(),
                thousands(entry.heartbeats),
                thousands(entry.per_second),
                format!("{:.2} ×", entry.per_second / ours),
                mebibytes(entry.bytes),
                entry.strip.map_or(String::new(), |strip| format!("{strip:.1} ms")),
            ]
        };
        Table::new(
            ["contestant", "heartbeats", "heartbeats/s", "", "on disk", "a strip"],
            self.entries.iter().map(row).collect(),
        )
    }

    /// Heartbeats a second by name.
    pub fn rates(&self) -> Vec<(String, f64)> {
        self.entries.iter().map(|entry| (entry.name.replace('*', ""), entry.per_second)).collect()
    }

    /// How many times as fast as the best mode of `ClickHouse` with fsync.
    pub fn to_clickhouse(&self) -> f64 {
        self.entries[0].per_second / self.clickhouse
    }

    /// How many times as fast as the article's ingester.
    pub fn to_article(&self) -> f64 {
        self.entries[0].per_second / self.article
    }
}

impl Entry {
    fn of(answer: &serde_json::Value, name: String) -> Self {
        Entry {
            name,
            heartbeats: peers::number(answer, "heartbeats"),
            per_second: peers::number(answer, "heartbeats_per_second"),
            bytes: peers::number(answer, "bytes_on_disk"),
            strip: answer["strip_median_ms"].as_f64(),
        }
    }
}

/// heatstrip in a new database, which is dropped again.
async fn ours(postgres: &Postgres, beats: &[Beat], window: usize, how: &str) -> anyhow::Result<Entry> {
    let (url, store) = postgres.heatstrip("ours", 2 * CONNECTIONS).await?;
    postgres::settle(&url).await?;
    let taken = engine::fold_in_windows(&store, beats, window).await?;
    let entry = Entry {
        name: format!("**heatstrip**, {how}, {CONNECTIONS} connections"),
        heartbeats: beats.len() as f64,
        per_second: beats.len() as f64 / taken.as_secs_f64(),
        bytes: postgres::size(&url).await?,
        strip: Some(engine::strip_ms(&url, most_watched(beats)).await?),
    };
    store.close();
    postgres.drop("ours").await?;
    Ok(entry)
}

/// The video with the most seconds played, as the peers choose it.
fn most_watched(beats: &[Beat]) -> &str {
    let mut seconds: HashMap<&str, u64> = HashMap::new();
    for beat in beats {
        *seconds.entry(&beat.video_id).or_default() += u64::from(beat.end_sec - beat.start_sec + 1);
    }
    seconds.into_iter().max_by_key(|(_, seconds)| *seconds).map_or("", |(video_id, _)| video_id)
}

fn write(beats: &[Beat], path: &Path) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for beat in beats {
        serde_json::to_writer(&mut file, beat)?;
        file.write_all(b"\n")?;
    }
    Ok(file.flush()?)
}
