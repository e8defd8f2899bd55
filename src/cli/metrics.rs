//! `--metrics-listen` serves the metrics of processes that serve nothing else.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    postgres::Store,
    serve::{self, listen::Terms},
};

/// Prometheus and whoever looks by hand need no more connections than this.
const MAX_CONNECTIONS: usize = 64;
/// Their heads are small.
const HEAD_DEADLINE: Duration = Duration::from_secs(10);

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
        let terms = Terms { max_connections: MAX_CONNECTIONS, head_deadline: HEAD_DEADLINE, tls: None };
        tokio::spawn(serve::listen::listen(listener, router, terms, stop));
        Ok(())
    }
}
