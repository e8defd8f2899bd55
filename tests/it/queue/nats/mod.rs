//! A NATS stream as the queue, with the real server.

mod changed;
mod cluster;
mod end_to_end;
mod full;
mod refused;
mod restarts;

use heatstrip::queue::QueueError;

use super::conformance::Bench;

/// Folds, and returns what is wrong with the stream.
async fn fault(bench: &Bench) -> String {
    match heatstrip::work::worker::run_once(&bench.queue, &bench.clock).await {
        Err(QueueError::Unsuitable(text)) => text,
        other => panic!("the stream is to be refused: {other:?}"),
    }
}
