//! A million viewers: heartbeats over HTTP at a fixed pace, folded as they come, for minutes; and the highest rate that
//! holds where the one that was asked for does not.

mod generator;
mod run;
mod sessions;
mod watch;

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use crate::{
    postgres::{Postgres, SETTINGS},
    report::{Goal, Section, Table, mebibytes, thousands},
};
use run::{Asked, Checked, Kind, MAX_GROWTH, MAX_OLDEST, Outcome, run};
use sessions::BATCH;

pub const TITLE: &str = "A million viewers";

/// Seconds between two heartbeats of a session: so many times the rate are the sessions at once.
const SECS_PER_BEAT: usize = 10;
/// Short runs before the long one, at most.
const MAX_TRIALS: u32 = 5;
/// Where the search ends: the rates that hold and do not are this near, as a share of the rate asked for.
const NEAR: f64 = 0.06;
/// Long runs, at most: what held for a minute may not hold for ten, and then a lower rate is tried.
const MAX_LONG_RUNS: u32 = 3;
const LOWER: f64 = 0.85;
#[derive(clap::Args)]
pub struct Options {
    /// Heartbeats a second of the sustained run
    #[arg(long, default_value_t = 100_000)]
    rate: u64,
    /// Minutes of the sustained run
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Seconds of the short runs that look for the rate that holds
    #[arg(long, default_value_t = 60)]
    trial_secs: u64,
}

pub async fn section(options: &Options) -> anyhow::Result<Section> {
    // Ten minutes see checkpoints, and the whole pages that follow each in the log: the server's own pace of them.
    let settings = SETTINGS.into_iter().filter(|(name, _)| *name != "checkpoint_timeout").collect();
    let postgres = Postgres::start_with(settings).await?;
    let mut runs = Vec::new();
    let mut rate = search(&postgres, options, &mut runs).await?;
    let lasts = Duration::from_secs_f64(60.0 * options.minutes);
    for long_run in 1..=MAX_LONG_RUNS {
        let kind = if long_run == MAX_LONG_RUNS { Kind::Last } else { Kind::Long };
        let outcome = run(&postgres, Asked { rate, lasts, kind }).await?;
        let ends = outcome.checked.is_some();
        runs.push(outcome);
        if ends {
            break;
        }
        rate = round(rate as f64 * LOWER);
    }
    postgres.stop().await?;
    let long = runs.last().expect("there was a long run");
    let checked = long.checked.as_ref().expect("a long run is checked");
    Ok(Section {
        title: TITLE,
        text: text(options),
        tables: vec![of_runs(&runs), of_minutes(long), of_cores(long), of_end(long, checked)],
        goals: goals(options, long, checked),
        ..Section::default()
    })
}

/// The highest rate that holds for a short while: the one asked for, or what a binary search finds below it.
async fn search(postgres: &Postgres, options: &Options, runs: &mut Vec<Outcome>) -> anyhow::Result<u64> {
    let lasts = Duration::from_secs(options.trial_secs);
    let (mut holds, mut too_high) = (0, options.rate);
    let mut rate = options.rate;
    for _ in 0..MAX_TRIALS {
        let outcome = run(postgres, Asked { rate, lasts, kind: Kind::Trial }).await?;
        if outcome.holds() {
            holds = rate;
        } else {
            too_high = rate;
        }
        runs.push(outcome);
        if holds == options.rate || ((too_high - holds) as f64) < NEAR * options.rate as f64 {
            break;
        }
        rate = round((holds + too_high) as f64 / 2.0);
    }
    Ok(if holds > 0 { holds } else { round(too_high as f64 / 2.0) })
}

/// A rate of whole requests.
fn round(rate: f64) -> u64 {
    (rate / BATCH as f64).max(1.0) as u64 * BATCH as u64
}

fn text(options: &Options) -> String {
    format!(
        "`heatstrip serve`, `heatstrip work` (with its hot compaction), Postgres and the load on the same {} cores. Batches of {BATCH} heartbeats, each\n\
         with a batch id, over {} sessions at once (ten times the rate), a heartbeat of 10 s each in 10 s, over 5,000 videos (Zipf) and 8\n\
         regions; a session that ends makes room for another. The pace is open-loop: a request is due when it is due, and its latency counts\n\
         from then. A rate *holds* if nothing was refused, the oldest queued heartbeat is under {MAX_OLDEST} s at the end, and neither its age nor the\n\
         queue (in seconds of the load) has grown by more than {MAX_GROWTH} s over the last half. Short runs look for such a rate below {} heartbeats/s, then it has to hold for {} minutes.\n\
         Checkpoints come as the server makes them (every 5 minutes).",
        std::thread::available_parallelism().map_or(0, usize::from),
        thousands((options.rate as usize * SECS_PER_BEAT) as f64),
        thousands(options.rate as f64),
        options.minutes,
    )
}

fn of_runs(runs: &[Outcome]) -> Table {
    let row = |outcome: &Outcome| {
        let load = |count: &std::sync::atomic::AtomicU64| count.load(Relaxed);
        let counts = &outcome.counts;
        vec![
            format!("{}, {:.1} min", thousands(outcome.asked.rate as f64), outcome.took / 60.0),
            thousands(outcome.accepted() / outcome.took),
            format!("{} / {}", load(&counts.too_many), load(&counts.unavailable)),
            format!("{} / {}", load(&counts.otherwise) + load(&counts.broken), load(&counts.unsent)),
            format!("{:.1} s", outcome.last_oldest()),
            format!("{:+.1} s, {:+.1} s", outcome.oldest_growth, outcome.queue_growth),
            format!("{} / {} ms", counts.latency_ms(0.5), counts.latency_ms(0.99)),
            if outcome.holds() { "holds".into() } else { "**does not**".into() },
        ]
    };
    let head = [
        "heartbeats/s asked for",
        "accepted/s",
        "429 / 503",
        "failed / not sent",
        "oldest at the end",
        "growth over the last half, oldest and queue",
        "latency, half and 99 % below",
        "",
    ];
    Table::new(head, runs.iter().map(row).collect())
}

/// The long run, in ten parts.
fn of_minutes(long: &Outcome) -> Table {
    let mut rows = Vec::new();
    let (mut accepted, mut at) = (0, 0.0);
    for part in long.samples.chunks(long.samples.len().div_ceil(10).max(1)) {
        let last = part.last().expect("chunks are not empty");
        let most = |value: fn(&watch::Sample) -> f64| part.iter().map(value).fold(0.0, f64::max);
        rows.push(vec![
            format!("{:.0} s", last.at),
            thousands((last.accepted - accepted) as f64 / (last.at - at)),
            format!("{:.1} s", most(|sample| sample.oldest)),
            thousands(most(|sample| sample.queued)),
            last.refused.to_string(),
        ]);
        (accepted, at) = (last.accepted, last.at);
    }
    let head =
        ["the long run until", "accepted/s", "oldest queued, at most", "queued, at most", "refused so far"];
    Table::new(head, rows)
}

fn of_cores(long: &Outcome) -> Table {
    let mut rows: Vec<Vec<String>> =
        long.cores.iter().map(|(name, cores)| vec![name.clone(), format!("{cores:.2}")]).collect();
    rows.retain(|row| row[1] != "0.00");
    Table::new(["during the long run", "cores busy"], rows)
}

fn of_end(long: &Outcome, checked: &Checked) -> Table {
    let accepted_secs = checked.accepted as f64;
    let row = |what: &str, value: String| vec![what.to_owned(), value];
    let rows = vec![
        row("heartbeats accepted", thousands(long.accepted())),
        row("drained after", format!("{:.1} s", checked.drained_secs)),
        row("seconds accepted", thousands(accepted_secs)),
        row("plays × seconds in the tables", thousands(checked.counted as f64)),
        row("plays × seconds of whole videos", thousands(checked.whole as f64)),
        row("heartbeats set aside", checked.set_aside.to_string()),
        row("the heatmap's tables, before the night", mebibytes(checked.heatmap_bytes)),
        row("bytes a watched second", format!("{:.2}", checked.heatmap_bytes / accepted_secs)),
        row("peak memory of `serve`", mebibytes(long.serve_memory)),
        row("peak memory of `work`", mebibytes(long.work_memory)),
        row("peak memory of a backend", mebibytes(long.backend_memory)),
    ];
    Table::new(["after the long run", ""], rows)
}

fn goals(options: &Options, long: &Outcome, checked: &Checked) -> Vec<Goal> {
    let holding = if long.holds() { long.asked.rate as f64 } else { f64::NAN };
    let of = |bytes: f64| bytes / f64::from(256 << 20);
    vec![
        Goal::at_least("the highest rate that held, heartbeats/s", options.rate as f64, holding),
        Goal::at_most("requests refused", 0.0, long.counts.refused() as f64),
        Goal::at_most("the oldest queued heartbeat at the end, in s", MAX_OLDEST, long.last_oldest()),
        Goal::at_most("its growth over the last half, in s", MAX_GROWTH, long.oldest_growth),
        Goal::at_most(
            "plays that differ from what was accepted",
            0.0,
            (checked.counted - checked.accepted).abs().max((checked.whole - checked.accepted).abs()) as f64,
        ),
        Goal::at_most("memory of the worker, of 256 MiB", 1.0, of(long.work_memory)),
        Goal::at_most("memory of a backend, of 256 MiB", 1.0, of(long.backend_memory)),
    ]
}
