//! From a signal to an orderly end: stop accepting, answer what was accepted, finish the step under way.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long what is under way may take to end once the process is told to stop. Orchestrators kill after 10 s.
const MAX_DRAIN: Duration = Duration::from_secs(8);

/// Returns when what is under way had its time to end.
pub async fn overdue(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(MAX_DRAIN).await;
}

/// A token that is cancelled by SIGTERM or SIGINT; a second signal ends the process at once.
pub fn on_signal() -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        for _ in 0..2 {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if token.is_cancelled() {
                // Nothing acknowledged is lost by this: what is acknowledged is durable.
                std::process::exit(1);
            }
            tracing::info!("stopping");
            token.cancel();
        }
    });
    Ok(stop)
}
