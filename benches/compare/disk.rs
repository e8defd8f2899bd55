//! Bytes a watched second, table by table, before and after compaction; and how long compaction takes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Plan,
    audience::{self, Beat, FEW, MANY, watched_secs},
    engine::{self, CONNECTIONS, WINDOW},
    postgres::{self, Postgres},
    process,
    report::{Goal, Section, Table, mebibytes, thousands},
};

pub const TITLE: &str = "On disk";

/// Compaction is told for so many watched seconds.
const COMPACTED_SECS: f64 = 10e6;

/// What an audience left on disk.
struct Measured {
    name: &'static str,
    watched_secs: f64,
    /// Bytes by table, without what its empty partitions take.
    before: BTreeMap<String, f64>,
    after: BTreeMap<String, f64>,
    /// Bytes of the empty partitions, and of everything that is no table of the heatmap.
    empty: f64,
    others: f64,
    shard_runs: i64,
    canonical_runs: i64,
    spread_blocks: i64,
    seconds: i64,
    compaction_secs: f64,
    compaction_memory: f64,
    compaction_backend: f64,
}

pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let postgres = Postgres::start().await?;
    let few = measure(&postgres, "100 sessions at once", &FEW.beats(plan.beats)).await?;
    let many = measure(&postgres, "100,000 at once", &MANY.beats(plan.beats)).await?;
    let films = measure(&postgres, "films", &audience::films(plan.viewings)).await?;
    postgres.stop().await?;
    let goals = vec![
        Goal::at_most("bytes a watched second before compaction, 100 sessions", 4.0, few.bytes(&few.before)),
        Goal::at_most("the same, 100,000 sessions", 12.0, many.bytes(&many.before)),
        Goal::at_most("the same, films", 0.5, films.bytes(&films.before)),
        Goal::at_most("bytes a watched second after compaction, 100 sessions", 15.0, few.bytes(&few.after)),
        Goal::at_most("the same, 100,000 sessions", 15.0, many.bytes(&many.after)),
        Goal::at_most("the same, films", 0.5, films.bytes(&films.after)),
        Goal::at_most(
            "seconds of compaction for 10 million watched seconds of films",
            25.0,
            films.compaction(),
        ),
    ];
    let all = [few, many, films];
    Ok(Section {
        title: TITLE,
        text: format!(
            "Bytes a watched second, indexes and long values included (`pg_total_relation_size`), when {} heartbeats of one day are folded in\n\
             windows of {}, and when `heatstrip compact` has moved that day (and a plain VACUUM has run, as autovacuum would). Films: {} viewings of\n\
             90 minutes, heartbeats of 10 s, 1,000 at once, three viewers a film. What partitions take while they are empty, and everything that is no\n\
             table of the heatmap (catalogue, emptied queue, batch ids), does not grow with what is watched and stands below. The sample of the\n\
             audience is off.",
            thousands(plan.beats as f64),
            thousands(WINDOW as f64),
            thousands(plan.viewings as f64)
        ),
        tables: vec![by_table(&all), aside(&all)],
        goals,
        ..Section::default()
    })
}

fn by_table(all: &[Measured]) -> Table {
    let names: BTreeSet<&String> =
        all.iter().flat_map(|one| one.before.keys().chain(one.after.keys())).collect();
    let cell = |one: &Measured, bytes: Option<&f64>| match bytes {
        Some(bytes) if *bytes > 0.0 => format!("{:.3}", bytes / one.watched_secs),
        _ => String::new(),
    };
    let mut rows: Vec<Vec<String>> = names
        .iter()
        .map(|name| {
            let cells = all
                .iter()
                .flat_map(|one| [cell(one, one.before.get(*name)), cell(one, one.after.get(*name))]);
            std::iter::once(format!("`{name}`")).chain(cells).collect()
        })
        .collect();
    rows.retain(|row| row[1..].iter().any(|cell| !cell.is_empty()));
    let sums = all.iter().flat_map(|one| [one.bytes(&one.before), one.bytes(&one.after)]);
    rows.push(std::iter::once("**all**".to_owned()).chain(sums.map(|sum| format!("**{sum:.3}**"))).collect());
    let heads = all.iter().flat_map(|one| [format!("{}, before", one.name), "after".to_owned()]);
    Table::new(std::iter::once("table".to_owned()).chain(heads), rows)
}

fn aside(all: &[Measured]) -> Table {
    let row = |what: &str, value: fn(&Measured) -> String| {
        std::iter::once(what.to_owned()).chain(all.iter().map(value)).collect::<Vec<_>>()
    };
    let rows = vec![
        row("watched seconds", |one| thousands(one.watched_secs)),
        row("shard runs before", |one| thousands(one.shard_runs as f64)),
        row("canonical runs after", |one| thousands(one.canonical_runs as f64)),
        row("rows of seconds after, `GLOBAL` included", |one| thousands(one.seconds as f64)),
        row("spread blocks after", |one| thousands(one.spread_blocks as f64)),
        row("compaction", |one| format!("{:.1} s", one.compaction_secs)),
        row("compaction, for 10 million watched seconds", |one| format!("{:.1} s", one.compaction())),
        row("peak memory of the job, of its backend", |one| {
            format!("{}, {}", mebibytes(one.compaction_memory), mebibytes(one.compaction_backend))
        }),
        row("empty partitions", |one| mebibytes(one.empty)),
        row("catalogue, emptied queue and others", |one| mebibytes(one.others)),
    ];
    Table::new(std::iter::once("").chain(all.iter().map(|one| one.name)), rows)
}

impl Measured {
    fn bytes(&self, tables: &BTreeMap<String, f64>) -> f64 {
        tables.values().sum::<f64>() / self.watched_secs
    }

    fn compaction(&self) -> f64 {
        self.compaction_secs * COMPACTED_SECS / self.watched_secs
    }
}

fn of_heatmap(sizes: &BTreeMap<String, f64>) -> f64 {
    sizes.iter().filter(|(name, _)| name.starts_with("video_heatmap")).map(|(_, bytes)| bytes).sum()
}

async fn measure(postgres: &Postgres, name: &'static str, beats: &[Beat]) -> anyhow::Result<Measured> {
    let (url, store) = postgres.heatstrip("disk", 2 * CONNECTIONS).await?;
    store.set_sample_size(0).await?;
    let client = postgres::connect(&url).await?;
    let day = audience::day();
    client
        .batch_execute(&format!(
            "SELECT ensure_shard_partition('{day}'), ensure_canonical_partition('{day}')"
        ))
        .await?;
    let empty = postgres::sizes(&client).await?;
    let grown = |sizes: BTreeMap<String, f64>| -> BTreeMap<String, f64> {
        let of_heatmap = sizes.into_iter().filter(|(name, _)| name.starts_with("video_heatmap"));
        of_heatmap.map(|(name, bytes)| (name.clone(), bytes - empty.get(&name).unwrap_or(&0.0))).collect()
    };
    engine::fold_in_windows(&store, beats, WINDOW).await?;
    let before = grown(postgres::sizes(&client).await?);
    let rows = async |table: &str| -> anyhow::Result<i64> {
        Ok(client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await?.get(0))
    };
    let shard_runs = rows("video_heatmap_shards").await?;
    postgres::settle(&url).await?;
    let compaction = process::run(&url, &["compact"], postgres.postmaster()?)?;
    anyhow::ensure!(rows("video_heatmap_shards").await? == 0, "compaction left shard runs");
    client.batch_execute("VACUUM").await?;
    let sizes = postgres::sizes(&client).await?;
    let others = postgres::size(&url).await? - of_heatmap(&sizes);
    // A partition that the night has dropped takes less than it did while it was empty.
    let after = grown(sizes).into_iter().map(|(name, bytes)| (name, bytes.max(0.0))).collect();
    let measured = Measured {
        name,
        watched_secs: watched_secs(beats) as f64,
        before,
        after,
        empty: of_heatmap(&empty),
        others,
        shard_runs,
        canonical_runs: rows("video_heatmap_runs").await?,
        spread_blocks: rows("video_heatmap_spread").await?,
        seconds: rows("video_heatmap").await?,
        compaction_secs: compaction.time.as_secs_f64(),
        compaction_memory: compaction.peak_memory,
        compaction_backend: compaction.peak_backend_memory,
    };
    store.close();
    postgres.drop("disk").await?;
    Ok(measured)
}
