//! What a serving process does once a second: sample the queue's depth and turn the ring of batch ids.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    ingest::intake::Intake,
    queue::{Queue, QueueError, batch_ids::Ring},
    work::{metrics::METRICS, overdue, reconcile},
};

/// Between two rounds.
const PERIOD: Duration = Duration::from_secs(1);
/// Between two looks at what waits for the nightly job, and at the clocks.
const DAYS_PERIOD: Duration = Duration::from_secs(60);

/// One round. Batch ids are forgotten by the clock, so `forgets` says whether it is trusted.
pub async fn step(
    queue: &Queue,
    clock: &Clock,
    intake: &Intake,
    dedup_window: Option<Duration>,
    forgets: bool,
) -> Result<(), QueueError> {
    if intake.is_refused() {
        // Who is taken out of service has no requests that would show that it may come back.
        queue.try_enqueue(clock.now()).await?;
        intake.set_recovered();
    }
    let depth = queue.depth().await?;
    intake.set_queued(depth.heartbeats);
    METRICS.queue_heartbeats.set(depth.heartbeats as i64);
    let lag = depth.oldest.map(|oldest| (clock.now() - oldest).as_seconds_f64().max(0.0));
    METRICS.fold_lag_seconds.set(lag.unwrap_or(0.0));
    // Beside a stream, whoever registers its messages forgets ids by their time.
    if let (Queue::Table(store), Some(window), true) = (queue, dedup_window, forgets) {
        store.rotate_batch_ids(Ring::Http, window, clock.now()).await?;
    }
    Ok(())
}

/// Rounds until told to stop.
pub async fn run(
    queue: Queue,
    clock: Clock,
    intake: Intake,
    dedup_window: Option<Duration>,
    stop: CancellationToken,
) {
    let store = queue.store();
    let mut failing = false;
    let mut forgets = false;
    let mut days_sampled: Option<Instant> = None;
    loop {
        let started = Instant::now();
        let days_due = days_sampled.is_none_or(|sampled| sampled.elapsed() >= DAYS_PERIOD);
        let round = async {
            if days_due {
                forgets = overdue::clocks_agree(store, &clock).await?;
            }
            step(&queue, &clock, &intake, dedup_window, forgets).await?;
            if days_due {
                overdue::sample(store, &clock).await?;
                reconcile::sample(store).await?;
            }
            Ok(())
        };
        // A round that waits for a database that hangs is given up: it changes nothing that another could not.
        let outcome: Result<(), QueueError> = tokio::select! {
            () = stop.cancelled() => return,
            outcome = round => outcome,
        };
        if days_due && outcome.is_ok() {
            days_sampled = Some(started);
        }
        if let Err(error) = &outcome
            && !failing
        {
            // Once an outage, not once a second.
            tracing::warn!(%error, "the queue cannot be looked at: {error}");
        }
        failing = outcome.is_err();
        METRICS.postgres_up.set(i64::from(!matches!(outcome, Err(QueueError::Store(_)))));
        METRICS.queue_up.set(i64::from(!failing));
        tokio::select! {
            () = stop.cancelled() => return,
            // A deep queue takes long to count: no more than a tenth of the time.
            () = tokio::time::sleep(PERIOD.max(9 * started.elapsed())) => {}
        }
    }
}
