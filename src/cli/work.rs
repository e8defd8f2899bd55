//! `heatstrip work`

use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, config, postgres::Store, queue::Queue, shutdown, work::worker};

/// The flags of `heatstrip work`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Return once everything that is queued now is folded
    #[arg(long)]
    once: bool,
    /// How long a heartbeat may wait for others of its lane, so that more of a session's beats fold to one run
    #[arg(long, env = "HEATSTRIP_FOLD_WAIT_SECS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=600))]
    fold_wait_secs: u64,
    #[command(flatten)]
    settings: config::WorkSettings,
    #[command(flatten)]
    view_rule: config::ViewRuleSettings,
    #[command(flatten)]
    metrics: super::metrics::MetricsSettings,
}

/// Runs `heatstrip work`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let (connections, rule) = (arguments.settings.worker_connections, arguments.view_rule);
    if arguments.once {
        let store = connect(&config::database_url()?, &arguments.settings).await?;
        set_rule(&store, rule).await?;
        let queue = Queue::open(&store, config::queue_url()?.as_deref()).await?;
        let folded = worker::run_once(&queue, &Clock::system()).await?;
        println!("folded {folded} heartbeats");
        return Ok(());
    }
    let stop = shutdown::on_signal()?;
    let store = connect(&config::database_url()?, &arguments.settings).await?;
    set_rule(&store, rule).await?;
    let queue = Queue::open(&store, config::queue_url()?.as_deref()).await?;
    arguments.metrics.serve(&store, stop.clone()).await?;
    tracing::info!(connections, "folding on {connections} connections");
    work(queue, Clock::system(), connections, Duration::from_secs(arguments.fold_wait_secs), stop).await;
    Ok(())
}

async fn set_rule(store: &Store, rule: config::ViewRuleSettings) -> anyhow::Result<()> {
    Ok(store.set_view_rule(rule.view_after_secs, rule.view_window_mins).await?)
}

/// Opens a pool for the workers, and says how they sample the audience.
pub async fn connect(database_url: &str, settings: &config::WorkSettings) -> anyhow::Result<Store> {
    // Each worker needs a second connection now and then, to make a partition while its transaction waits.
    let store = Store::connect(database_url, 2 * settings.worker_connections).await?;
    store.set_sample_size(settings.sample_size).await?;
    let half_lives = settings.half_lives;
    let (recent, baseline) = (half_lives.trending_recent_hours, half_lives.trending_baseline_hours);
    if store.set_half_lives(recent, baseline).await? {
        tracing::warn!("the half-lives of trending have changed: it begins anew");
    }
    Ok(store)
}

/// Works on that many connections until told to stop. A step that does not end soon then is given up: it is rolled
/// back, and its batches wait in the queue for another worker.
pub async fn work(queue: Queue, clock: Clock, connections: usize, wait: Duration, stop: CancellationToken) {
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        workers.spawn(worker::run(queue.clone(), clock.clone(), wait, stop.clone()));
    }
    let tidying = tokio::spawn(worker::tidy_queue(queue, stop.clone()));
    tokio::select! {
        _ = workers.join_all() => {}
        () = shutdown::overdue(&stop) => tracing::warn!("a step did not end in time, its batches stay in the queue"),
    }
    tidying.abort();
}
