//! `heatstrip compact`

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    config,
    heatmap::store::canonical::ShardDay,
    postgres::{Store, StoreError},
    shutdown,
    work::metrics::METRICS,
    work::nightly::{Failed, Keep, Night, Step},
};

/// One connection is for the lock, one for the pieces, or four where the tables are distributed, and one to spare.
const CONNECTIONS: usize = 6;
/// A wait looks at the clock this often, because clocks are set and machines sleep.
const MAX_NAP: Duration = Duration::from_secs(30);
/// Between two nights, salts whose time has come are looked for this often.
const PROMISE_PERIOD: Duration = Duration::from_secs(600);
/// A job that does not stay tries this long to keep the promise that salts go, if somebody is in the way.
const PROMISE_PATIENCE: Duration = Duration::from_secs(3600);
/// Between two of those tries.
const PROMISE_PAUSE: Duration = Duration::from_secs(10);

/// The flags of `heatstrip compact`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Last UTC day to compact, inclusive; left out, every day before today
    #[arg(long, value_name = "DATE")]
    through: Option<NaiveDate>,
    /// Stay, and compact every day at this time (UTC)
    #[arg(
        long,
        env = "HEATSTRIP_COMPACT_EVERY_DAY_AT",
        value_name = "HH:MM",
        value_parser = time_of_day,
        conflicts_with = "through"
    )]
    every_day_at: Option<NaiveTime>,
    /// Go by this host's clock, though Postgres's says otherwise or the last night was more than 40 days ago
    #[arg(long, conflicts_with = "every_day_at")]
    accept_clock: bool,
    #[command(flatten)]
    keep: config::KeepSettings,
    #[command(flatten)]
    metrics: super::metrics::MetricsSettings,
}

/// Runs `heatstrip compact`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let store = Store::connect(&config::database_url()?, CONNECTIONS).await?;
    let (clock, keep) = (Clock::system(), arguments.keep.keep());
    if let Some(time) = arguments.every_day_at {
        let stop = shutdown::on_signal()?;
        arguments.metrics.serve(&store, stop.clone()).await?;
        every_day(store, clock, time, keep, stop).await;
        return Ok(());
    }
    let through = arguments.through.unwrap_or_else(|| yesterday(&clock));
    let night = || Night::new(&store, &clock).accept_clock(arguments.accept_clock);
    let (text, failed) = compact(&store, &clock, night(), through, keep).await?;
    println!("{text}");
    let Some(failed) = failed else { return Ok(()) };
    // Somebody's long transaction, or a disk that is full, is no reason to break a promise until tomorrow.
    if failed.failures.iter().any(|(step, error)| *step == Step::Salts && error.may_pass()) {
        let began = Instant::now();
        while let Err(error) = night().keep_promise().await {
            if !error.may_pass() || began.elapsed() >= PROMISE_PATIENCE {
                break;
            }
            tokio::time::sleep(PROMISE_PAUSE).await;
        }
    }
    Err(failed.into())
}

/// Compacts every day before today, once a day, until told to stop. In between it destroys the salts whose time has come.
pub async fn every_day(store: Store, clock: Clock, time: NaiveTime, keep: Keep, stop: CancellationToken) {
    loop {
        let today = clock.today().and_time(time).and_utc();
        let next = if today > clock.now() { today } else { today + Days::new(1) };
        tracing::info!(%next, "the next compaction begins at {next}");
        tokio::select! {
            () = stop.cancelled() => return,
            () = keep_promises_until(&store, &clock, next) => {}
        }
        tokio::select! {
            () = stop.cancelled() => return,
            outcome = compact(&store, &clock, Night::new(&store, &clock), yesterday(&clock), keep) => match outcome {
                Ok((summary, None)) => tracing::info!("{summary}"),
                Ok((summary, Some(failed))) => tracing::error!(
                    %failed,
                    "{summary}; the next night goes on with the rest: {failed}"
                ),
                Err(error) => tracing::error!(%error, "compaction failed, the next one goes on with the rest: {error}"),
            }
        }
    }
}

/// Waits for an instant, and meanwhile destroys the salts whose time comes.
async fn keep_promises_until(store: &Store, clock: &Clock, next: DateTime<Utc>) {
    let mut looked: Option<Instant> = None;
    while clock.now() < next {
        if looked.is_none_or(|looked| looked.elapsed() >= PROMISE_PERIOD) {
            match Night::new(store, clock).patience(Duration::ZERO).keep_promise().await {
                Ok(0) => {}
                Ok(destroyed) => tracing::info!(destroyed, "destroyed the salts of {destroyed} epochs"),
                // Its own line says why.
                Err(error) => tracing::debug!(%error, "salts are looked for again soon: {error}"),
            }
            looked = Some(Instant::now());
        }
        let nap = (next - clock.now()).to_std().unwrap_or_default().min(MAX_NAP);
        tokio::time::sleep(nap).await;
    }
}

/// Runs a night, and returns what is said of it, and what of it failed.
async fn compact(
    store: &Store,
    clock: &Clock,
    night: Night<'_>,
    through: NaiveDate,
    keep: Keep,
) -> anyhow::Result<(String, Option<Failed>)> {
    let started = Instant::now();
    // What is only said must not keep the night from its work: it waits for a database that is away.
    let before = due(store, through).await.unwrap_or_default();
    let progress = progress(before.iter().map(|day| day.about_rows).sum());
    let counted = |rows| {
        METRICS.rows_compacted.inc_by(rows);
        progress.inc(rows);
    };
    let outcome = night.run(through, keep, counted).await;
    METRICS.compaction_seconds.observe(started.elapsed().as_secs_f64());
    let (summary, failed) = match outcome {
        Ok(summary) => (summary, None),
        Err(failed) => (failed.summary, Some(failed)),
    };
    match &failed {
        None => METRICS.compaction_last_success.set(clock.now().timestamp()),
        Some(_) => METRICS.compactions_failed.inc(),
    }
    progress.finish_and_clear();
    let bytes = |days: Vec<ShardDay>| HumanBytes(days.iter().map(|day| day.bytes).sum());
    let mut text = format!(
        "compacted {} shard rows of {} days through {through} in {:.1} s: shards took {} before, {} after",
        HumanCount(summary.compacted.rows),
        summary.compacted.days,
        started.elapsed().as_secs_f64(),
        bytes(before),
        bytes(due(store, through).await.unwrap_or_default()),
    );
    if keep.days.is_some() {
        let (partitions, rows) = (summary.dropped_partitions, HumanCount(summary.deleted_rows));
        text += &format!("; dropped {partitions} partitions and {rows} rows of days that are not kept");
    }
    if keep.fine_days.is_some() {
        text += &format!("; thinned {} seconds", HumanCount(summary.thinned_rows));
    }
    if summary.destroyed_salts > 0 {
        text += &format!("; destroyed the salts of {} epochs", HumanCount(summary.destroyed_salts));
    }
    if summary.views.archived.viewers > 0 {
        let viewers = HumanCount(summary.views.archived.viewers);
        text += &format!("; archived {viewers} recent viewers");
    }
    if summary.audience.dropped_days > 0 {
        text += &format!("; dropped the samples of {} days", HumanCount(summary.audience.dropped_days));
    }
    if summary.counters.packed > 0 {
        text += &format!("; packed {} records of counters", HumanCount(summary.counters.packed));
    }
    Ok((text, failed))
}

/// Returns the days with shard partitions that are to be compacted.
async fn due(store: &Store, through: NaiveDate) -> Result<Vec<ShardDay>, StoreError> {
    let mut days = store.shard_sizes().await?;
    days.retain(|day| day.day <= through);
    Ok(days)
}

fn yesterday(clock: &Clock) -> NaiveDate {
    clock.today() - Days::new(1)
}

/// Returns a bar by rows, where the statistics know how many there are, and none where nobody looks.
fn progress(about_rows: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match about_rows {
        0 => (ProgressBar::no_length(), "{spinner} {human_pos} rows, {elapsed}"),
        rows => (ProgressBar::new(rows), "{bar:40} {human_pos} of about {human_len} rows, {eta} left"),
    };
    bar.with_style(ProgressStyle::with_template(template).expect("the templates are well-formed"))
}

fn time_of_day(text: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| "a time of day is written 03:30".to_owned())
}
