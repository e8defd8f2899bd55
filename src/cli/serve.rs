//! `heatstrip serve`

use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::{
    access::{http::Gate, keyring::Keyring},
    answers::cache::AnswerCache,
    audience,
    catalogue::{self, durations::Durations},
    clock::Clock,
    config, counters, heatmap,
    http::body::BodyBudget,
    ingest::{self, intake::Intake},
    ledger::{self, refused::Gathered},
    postgres::Store,
    queue::Queue,
    serve::{
        Parts, days, health, ledger as ledger_route,
        listen::{Terms, listen, make_room},
        router, tls,
    },
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
    #[command(flatten)]
    metrics: super::metrics::MetricsSettings,
    #[command(flatten)]
    tls: config::TlsSettings,
}

/// Runs `heatstrip serve`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let stop = shutdown::on_signal()?;
    let store = Store::connect(&config::database_url()?, arguments.settings.serve_connections).await?;
    let queue = Queue::open(&store, config::queue_url()?.as_deref()).await?;
    let listener = bind(&arguments.settings).await?;
    arguments.metrics.serve(&store, stop.clone()).await?;
    let tls = match arguments.tls.tls_cert.as_deref().zip(arguments.tls.tls_key.as_deref()) {
        Some((cert, key)) => Some(tls::acceptor(cert, key, stop.clone())?),
        None => None,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    println!("listening on {scheme}://{}{}", listener.local_addr()?, arguments.settings.base_path);
    let salts = arguments.salts.source()?;
    serve_encrypted(queue, Clock::system(), &arguments.settings, salts, listener, tls, stop).await
}

/// Listens where the settings say.
pub async fn bind(settings: &config::ServeSettings) -> anyhow::Result<TcpListener> {
    TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}: is another process using the port?", settings.listen))
}

/// Serves until told to stop, and answers what was accepted until then.
pub async fn serve(
    queue: impl Into<Queue>,
    clock: Clock,
    settings: &config::ServeSettings,
    salts: SaltSource,
    listener: TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    serve_encrypted(queue.into(), clock, settings, salts, listener, None, stop).await
}

/// Serves as [`serve`] does, over connections that begin with a handshake.
async fn serve_encrypted(
    queue: Queue,
    clock: Clock,
    settings: &config::ServeSettings,
    salts: SaltSource,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let store = queue.store().clone();
    queue.check_memory(settings.dedup_window()).await?;
    let salts = Salts::new(store.clone(), salts, clock.clone())
        .with_views_rotation(settings.view_salts.views_salt_rotation);
    salts.check().await?;
    let rule = settings.view_rule;
    store.set_view_rule(rule.view_after_secs, rule.view_window_mins).await?;
    store.set_default_region(settings.default_region.as_str()).await?;
    let keyring = Keyring::read(store.clone(), settings.access(), settings.region_header.is_some()).await?;
    let address = listener.local_addr()?;
    if keyring.is_open() && settings.access.is_none() && !address.ip().is_loopback() {
        bail!(
            "everybody who reaches {address} could read and write everything: make a key with `heatstrip keys create`, \
             or say --access open"
        );
    }
    if keyring.is_open() && keyring.has_keys() {
        tracing::warn!(
            "there are keys, and nobody needs one: --access open (HEATSTRIP_ACCESS) lets everybody read and write everything"
        );
    }
    let gate = Gate::new(
        Arc::clone(&keyring),
        settings.client_address_header.clone(),
        settings.trusted_proxies.clone(),
    );
    let keys = tokio::spawn(keyring.refresh(stop.clone()));
    let intake = Intake::start(&queue, clock.clone(), settings.queue_max_heartbeats);
    let upkeep = tokio::spawn(upkeep::run(
        queue.clone(),
        clock.clone(),
        intake.clone(),
        settings.dedup_window(),
        stop.clone(),
    ));
    let gathered = Gathered::default();
    let ledger = tokio::spawn(ledger::store::keep_writing(store.clone(), gathered.clone(), stop.clone()));
    let durations = Durations::new(store.clone());
    // Shared: all bodies count against the same bytes.
    let body_budget = BodyBudget::new(settings.body_deadline());
    let answers = AnswerCache::new(&store, clock.clone(), settings.cache_life())
        .with_deadline(settings.read_deadline());
    let ingest = Arc::new(ingest::http::State {
        store: store.clone(),
        salts,
        durations: durations.clone(),
        intake: intake.clone(),
        clock: clock.clone(),
        default_region: settings.default_region.clone(),
        region_header: settings.region_header.clone(),
        dedup_window: settings.dedup_window(),
        body_budget: Arc::clone(&body_budget),
        gathered: gathered.clone(),
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
        ledger: Arc::new(ledger_route::State { store: store.clone(), clock: clock.clone() }),
        catalogue: Arc::new(catalogue::http::State {
            store: store.clone(),
            durations,
            clock: clock.clone(),
            body_budget: Arc::clone(&body_budget),
        }),
        view_after_secs: store.view_rule().await?.after_secs,
        audience: Arc::new(audience::http::State { store: store.clone(), answers: answers.clone() }),
        views: Arc::new(views::http::State {
            store: store.clone(),
            answers,
            ingest,
            trending: views::http::TrendingSettings {
                floor: settings.trending.trending_floor.into(),
                most_of_channel: settings.trending.trending_channel_cap,
            },
        }),
        counters: Arc::new(counters::http::State {
            intake: counters::intake::Intake::start(&store),
            store: store.clone(),
            clock: clock.clone(),
            body_budget,
            kinds: counters::http::KnownKinds::default(),
        }),
        health: Arc::new(health::State::new(queue, intake, clock, settings.dedup_window())),
        gate,
        store: store.clone(),
        base_path: settings.base_path.to_string(),
        thumbnail_origins: settings.thumbnail_origins.iter().map(ToString::to_string).collect(),
    };

    let terms = Terms {
        max_connections: make_room(settings.max_connections),
        head_deadline: settings.head_deadline(),
        tls,
    };
    tokio::select! {
        () = listen(listener, router(&parts), terms, stop.clone()) => {}
        () = shutdown::overdue(&stop) => tracing::warn!("some connections did not end in time"),
    }
    ledger.await?;
    ledger::store::write_last(&store, &gathered).await;
    upkeep.await?;
    keys.await?;
    Ok(())
}
