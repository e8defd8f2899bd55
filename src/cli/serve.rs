//! `heatstrip serve`

use std::{future::IntoFuture, sync::Arc};

use anyhow::Context;
use axum::serve::ListenerExt;
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    config,
    http::{self, AppState},
    intake::Intake,
    salt::{SaltSource, Salts},
    shutdown,
    store::Store,
    strip_cache::StripCache,
    upkeep,
};

/// The flags of `heatstrip serve`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    serving: config::Serving,
    #[command(flatten)]
    salting: config::Salting,
}

/// Runs `heatstrip serve`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let stop = shutdown::on_signal()?;
    let store = Store::connect(&config::database_url()?, arguments.serving.serve_connections).await?;
    let listener = bind(&arguments.serving).await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(store, Clock::system(), &arguments.serving, arguments.salting.source()?, listener, stop).await
}

/// Listens where the settings say.
pub async fn bind(serving: &config::Serving) -> anyhow::Result<TcpListener> {
    TcpListener::bind(serving.listen)
        .await
        .with_context(|| format!("cannot listen on {}: is another process using the port?", serving.listen))
}

/// Serves until told to stop, and answers what was accepted until then.
pub async fn serve(
    store: Store,
    clock: Clock,
    serving: &config::Serving,
    salts: SaltSource,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let salts = Salts::new(store.clone(), salts, clock.clone());
    salts.check().await?;
    let intake = Intake::start(store.clone(), clock.clone(), serving.queue_max_heartbeats);
    let upkeep = tokio::spawn(upkeep::run(
        store.clone(),
        clock.clone(),
        intake.clone(),
        serving.dedup_window(),
        stop.clone(),
    ));
    let state = AppState {
        strips: StripCache::new(store.clone(), clock.clone(), serving.cache_life()),
        store,
        salts,
        intake,
        clock,
        default_region: serving.default_region.clone(),
        region_header: serving.region_header.clone(),
        dedup: serving.dedup_window().is_some(),
        body_budget: Arc::new(Semaphore::new(http::BODY_BUDGET_BYTES)),
    };

    // Answers are small and complete when they are written: nothing is gained by waiting for more.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay: {error}");
        }
    });
    let server =
        axum::serve(listener, http::router(state)).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        ended = server.into_future() => ended?,
        () = shutdown::overdue(&stop) => tracing::warn!("some connections did not end in time"),
    }
    upkeep.await?;
    Ok(())
}
