//! `heatstrip serve`

use std::{future::IntoFuture, sync::Arc};

use anyhow::Context;
use axum::serve::ListenerExt;
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    answers::cache::AnswerCache,
    audience,
    catalogue::{self, durations::Durations},
    clock::Clock,
    config, counters, heatmap, http,
    ingest::{self, intake::Intake},
    postgres::Store,
    serve::{Parts, days, health, router},
    shutdown,
    viewers::salt::{SaltSource, Salts},
    views,
    work::upkeep,
};

/// The flags of `heatstrip serve`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    settings: config::ServeSettings,
    #[command(flatten)]
    salts: config::SaltSettings,
}

/// Runs `heatstrip serve`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let stop = shutdown::on_signal()?;
    let store = Store::connect(&config::database_url()?, arguments.settings.serve_connections).await?;
    let listener = bind(&arguments.settings).await?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(store, Clock::system(), &arguments.settings, arguments.salts.source()?, listener, stop).await
}

/// Listens where the settings say.
pub async fn bind(settings: &config::ServeSettings) -> anyhow::Result<TcpListener> {
    TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}: is another process using the port?", settings.listen))
}

/// Serves until told to stop, and answers what was accepted until then.
pub async fn serve(
    store: Store,
    clock: Clock,
    settings: &config::ServeSettings,
    salts: SaltSource,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let salts = Salts::new(store.clone(), salts, clock.clone())
        .with_views_rotation(settings.view_salts.views_salt_rotation);
    salts.check().await?;
    let rule = settings.view_rule;
    store.set_view_rule(rule.view_after_secs, rule.view_window_mins).await?;
    let intake = Intake::start(store.clone(), clock.clone(), settings.queue_max_heartbeats);
    let upkeep = tokio::spawn(upkeep::run(
        store.clone(),
        clock.clone(),
        intake.clone(),
        settings.dedup_window(),
        stop.clone(),
    ));
    let durations = Durations::new(store.clone());
    // Shared: all bodies count against the same bytes.
    let body_budget = Arc::new(Semaphore::new(http::body::BUDGET_BYTES));
    let answers = AnswerCache::new(&store, clock.clone(), settings.cache_life());
    let ingest = Arc::new(ingest::http::State {
        store: store.clone(),
        salts,
        durations: durations.clone(),
        intake: intake.clone(),
        clock: clock.clone(),
        default_region: settings.default_region.clone(),
        region_header: settings.region_header.clone(),
        dedup: settings.dedup_window().is_some(),
        body_budget: Arc::clone(&body_budget),
    });
    let parts = Parts {
        ingest: Arc::clone(&ingest),
        heatmap: Arc::new(heatmap::http::State {
            store: store.clone(),
            answers: answers.clone(),
            clock: clock.clone(),
            durations: durations.clone(),
        }),
        days: Arc::new(days::State { store: store.clone(), answers: answers.clone(), clock: clock.clone() }),
        catalogue: Arc::new(catalogue::http::State {
            store: store.clone(),
            durations,
            clock: clock.clone(),
            body_budget: Arc::clone(&body_budget),
        }),
        view_after_secs: store.view_rule().await?.after_secs,
        audience: Arc::new(audience::http::State { store: store.clone(), answers: answers.clone() }),
        views: Arc::new(views::http::State { store: store.clone(), answers, ingest }),
        counters: Arc::new(counters::http::State {
            intake: counters::intake::Intake::start(&store),
            store: store.clone(),
            clock: clock.clone(),
            body_budget,
            kinds: counters::http::KnownKinds::default(),
        }),
        health: Arc::new(health::State {
            store: store.clone(),
            intake,
            clock,
            dedup_window: settings.dedup_window(),
        }),
        store,
    };

    // Answers are small and complete when they are written: nothing is gained by waiting for more.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay: {error}");
        }
    });
    let server = axum::serve(listener, router(&parts)).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        ended = server.into_future() => ended?,
        () = shutdown::overdue(&stop) => tracing::warn!("some connections did not end in time"),
    }
    upkeep.await?;
    Ok(())
}
