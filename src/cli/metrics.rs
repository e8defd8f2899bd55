//! `--metrics-listen` serves the metrics of processes that serve nothing else.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{postgres::Store, serve};

/// The settings of a process that answers Prometheus and nobody else.
#[derive(Debug, clap::Args)]
pub struct MetricsSettings {
    /// Address and port to serve /metrics on; left out, it is not served
    #[arg(long, env = "HEATSTRIP_METRICS_LISTEN", value_name = "ADDR")]
    metrics_listen: Option<SocketAddr>,
}

impl MetricsSettings {
    /// Serves the metrics, if asked to, until told to stop.
    pub async fn serve(&self, store: &Store, stop: CancellationToken) -> anyhow::Result<()> {
        let Some(address) = self.metrics_listen else {
            return Ok(());
        };
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}: is another process using the port?"))?;
        println!("metrics on http://{}/metrics", listener.local_addr()?);
        let router = serve::metrics::router(store.clone());
        tokio::spawn(async move {
            let serving = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
            if let Err(error) = serving.await {
                tracing::error!(%error, "metrics are not served any more: {error}");
            }
        });
        Ok(())
    }
}
