//! What a serving process does once a second: sample the queue's depth and turn the ring of batch ids.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    intake::Intake,
    store::{Store, StoreError, batch_ids::Ring},
};

/// Between two rounds.
const PERIOD: Duration = Duration::from_secs(1);

/// One round.
pub async fn step(
    store: &Store,
    clock: &Clock,
    intake: &Intake,
    dedup_window: Option<Duration>,
) -> Result<(), StoreError> {
    intake.set_queued(store.queue_depth().await?.heartbeats);
    if let Some(window) = dedup_window {
        store.rotate_batch_ids(Ring::Http, window, clock.now()).await?;
    }
    Ok(())
}

/// Rounds until told to stop.
pub async fn run(
    store: Store,
    clock: Clock,
    intake: Intake,
    dedup_window: Option<Duration>,
    stop: CancellationToken,
) {
    let mut failing = false;
    loop {
        let started = Instant::now();
        // A round that waits for a database that hangs is given up: it changes nothing that another could not.
        let outcome = tokio::select! {
            () = stop.cancelled() => return,
            outcome = step(&store, &clock, &intake, dedup_window) => outcome,
        };
        if let Err(error) = &outcome
            && !failing
        {
            // Once an outage, not once a second.
            tracing::warn!(%error, "postgres does not answer: {error}");
        }
        failing = outcome.is_err();
        tokio::select! {
            () = stop.cancelled() => return,
            // A deep queue takes long to count: no more than a tenth of the time.
            () = tokio::time::sleep(PERIOD.max(9 * started.elapsed())) => {}
        }
    }
}
