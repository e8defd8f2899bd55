//! Ends the process in good order after a signal: it stops accepting, answers what was accepted and finishes the step
//! under way.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Work under way may take this long to end once the process is told to stop. Orchestrators kill after 10 s.
const MAX_DRAIN: Duration = Duration::from_secs(8);

/// Returns once work under way has had its time to end.
pub async fn overdue(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(MAX_DRAIN).await;
}

/// Returns a token that SIGTERM or SIGINT cancels. A second signal ends the process at once.
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
                // Nothing acknowledged is lost by this, because whatever is acknowledged is durable.
                std::process::exit(1);
            }
            tracing::info!("stopping");
            token.cancel();
        }
    });
    Ok(stop)
}
