//! Runs the API on a free port, with a worker that is stepped by hand.

use axum::http::HeaderName;
use chrono::{DateTime, Utc};
use heatstrip::{
    cli::serve::serve,
    clock::Clock,
    config::{
        AccessSetting, BasePath, Origin, ServeSettings, TrendingSettings, ViewRuleSettings, ViewSaltSettings,
    },
    import::replay::client,
    postgres::Store,
    queue::Queue,
    viewers::{epoch::Rotation, salt::SaltSource},
    work::worker,
};
use reqwest::{Client, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{TestDatabase, database};

/// The settings that differ between the tests.
pub struct Settings {
    pub now: DateTime<Utc>,
    pub salts: SaltSource,
    pub cache_ttl_secs: u64,
    pub queue_max_heartbeats: u64,
    pub dedup_window_secs: u64,
    pub region_header: Option<HeaderName>,
    pub view_rule: ViewRuleSettings,
    pub views_rotation: Rotation,
    pub head_deadline_secs: u64,
    pub body_deadline_secs: u64,
    pub read_deadline_secs: u64,
    pub access: Option<AccessSetting>,
    pub client_address_header: Option<HeaderName>,
    pub thumbnail_origins: Vec<Origin>,
    pub base_path: BasePath,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            now: "2026-11-21T10:00:00Z".parse().expect("an instant"),
            salts: SaltSource::Made(Rotation::Daily),
            // The cache is off, because each test looks at what it has just written.
            cache_ttl_secs: 0,
            queue_max_heartbeats: 1_000_000,
            dedup_window_secs: 600,
            region_header: None,
            view_rule: ViewRuleSettings::default(),
            views_rotation: Rotation::Monthly,
            head_deadline_secs: 10,
            body_deadline_secs: 30,
            read_deadline_secs: 30,
            access: None,
            client_address_header: None,
            thumbnail_origins: Vec::new(),
            base_path: BasePath::default(),
        }
    }
}

/// A running API; it stops when this is dropped.
pub struct App {
    pub url: String,
    pub database: TestDatabase,
    pub store: Store,
    pub queue: Queue,
    pub clock: Clock,
    pub client: Client,
    _stop: DropGuard,
}

impl App {
    /// Starts the API on a database of its own.
    pub async fn start(settings: Settings) -> App {
        let database = database().await;
        let store = Store::connect(&database.url, 8).await.expect("a migrated database");
        App::start_on(database, store, settings).await
    }

    /// Starts the API on a database that is there.
    pub async fn start_on(database: TestDatabase, queue: impl Into<Queue>, settings: Settings) -> App {
        let queue = queue.into();
        let store = queue.store().clone();
        let clock = Clock::by_hand(settings.now);
        let serving = ServeSettings {
            listen: "127.0.0.1:0".parse().expect("an address"),
            base_path: settings.base_path,
            default_region: "ZZ".parse().expect("a region"),
            region_header: settings.region_header,
            cache_ttl_secs: settings.cache_ttl_secs,
            queue_max_heartbeats: settings.queue_max_heartbeats,
            dedup_window_secs: settings.dedup_window_secs,
            serve_connections: 8,
            view_rule: settings.view_rule,
            view_salts: ViewSaltSettings { views_salt_rotation: settings.views_rotation },
            max_connections: 4096,
            access: settings.access,
            client_address_header: settings.client_address_header,
            trusted_proxies: Vec::new(),
            head_deadline_secs: settings.head_deadline_secs,
            body_deadline_secs: settings.body_deadline_secs,
            read_deadline_secs: settings.read_deadline_secs,
            trending: TrendingSettings { trending_floor: 5, trending_channel_cap: 3 },
            thumbnail_origins: settings.thumbnail_origins,
        };
        let listener = TcpListener::bind(serving.listen).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let url = format!("http://{address}{}", serving.base_path);
        let stop = CancellationToken::new();
        let served = {
            let (queue, clock, stop) = (queue.clone(), clock.clone(), stop.clone());
            async move {
                serve(queue, clock, &serving, settings.salts, listener, stop)
                    .await
                    .expect("the API ends in order")
            }
        };
        tokio::spawn(served);
        App { url, database, store, queue, clock, client: client(), _stop: stop.drop_guard() }
    }

    /// Posts a body as `application/json`.
    pub async fn post(&self, body: impl Into<reqwest::Body>) -> Response {
        let request = self.client.post(format!("{}/v1/heartbeats", self.url));
        request.header("content-type", "application/json").body(body).send().await.expect("an answer")
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).send().await.expect("an answer")
    }

    /// Gets a path whose answer is 200 with JSON.
    pub async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.expect("JSON")
    }

    /// Folds everything that is queued.
    pub async fn fold(&self) -> u64 {
        worker::run_once(&self.queue, &self.clock).await.expect("the queue is folded")
    }
}
