//! Views: the number under the video.

mod archive;
mod identify;
mod oracle;
mod plans;
mod ranges;
mod reads;
mod rule;
mod trending;
mod writes;

use chrono::{DateTime, NaiveDate, Utc};
use heatstrip::{
    clock::Clock,
    events::heartbeat::{Arrival, ViewerId},
    ingest::hash,
    postgres::Store,
    queue::{Batch, batch_ids::Ring},
    viewers::{
        epoch::Rotation,
        salt::{SaltSource, Salts},
    },
    views::identify::{IdentifyError, hash as hash_identity, identify as bind},
    work::worker,
};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::support::{App, TestDatabase, database};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Posts to a path; returns the status and the answer.
async fn post(app: &App, path: &str, body: &Value) -> (u16, Value) {
    let request = app.client.post(format!("{}{path}", app.url)).json(body);
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

/// Sends views all of which are good, and folds them.
async fn view(app: &App, views: Value) {
    let (status, answer) = post(app, "/v1/views", &views).await;
    assert_eq!((status, &answer["rejected"]), (202, &json!([])), "{answer}");
    app.fold().await;
}

/// The answer about a video.
async fn views(app: &App, video: &str) -> Value {
    app.json(&format!("/v1/videos/{video}/views")).await
}

/// Views, recent and lifetime viewers of a video.
async fn numbers(app: &App, video: &str) -> (u64, u64, u64) {
    let answer = views(app, video).await;
    let number = |value: &Value| value.as_u64().expect("a number");
    (number(&answer["views"]), number(&answer["viewers"]["recent"]), number(&answer["viewers"]["lifetime"]))
}

/// The store without the API: views of any age, and clocks moved by hand.
struct Engine {
    database: TestDatabase,
    sql: Client,
    store: Store,
    clock: Clock,
    salts: Salts,
}

impl Engine {
    async fn start(now: &str, rotation: Rotation) -> Engine {
        let database = database().await;
        let store = Store::connect(&database.url, 12).await.expect("a store");
        let clock = Clock::by_hand(at(now));
        let salts = Salts::new(store.clone(), SaltSource::Made(Rotation::Daily), clock.clone());
        Engine {
            sql: database.connect().await,
            salts: salts.with_views_rotation(rotation),
            database,
            store,
            clock,
        }
    }

    /// Queues views, whatever their age.
    async fn send(&self, views: &[Value]) {
        let texts: Vec<String> = views.iter().map(Value::to_string).collect();
        let arrival = Arrival {
            now: self.clock.now(),
            default_region: "ZZ".parse().expect("a region"),
            max_age: None,
            captured_on: None,
            terms: None,
        };
        let parsed = hash::parse_views(texts.iter().map(String::as_str), &arrival);
        let hashed =
            hash::hash_views(parsed, &arrival, &self.salts, self.store.lanes()).await.expect("salts");
        assert_eq!(hashed.accepted, views.len(), "{:?}", hashed.rejected);
        let batch = Batch { id: None, answer: hashed.answer(), lanes: hashed.lanes };
        self.store.enqueue(Ring::Http, &[batch], self.clock.now()).await.expect("enqueued");
    }

    async fn fold(&self) -> u64 {
        worker::run_once(&self.store, &self.clock).await.expect("the queue is folded")
    }

    async fn identify(&self, device: &str, user: &str) -> Result<u64, IdentifyError> {
        let (device, user) = (ViewerId::new(device.to_owned()), ViewerId::new(user.to_owned()));
        let identity = hash_identity(&self.salts, None, device, user).await.expect("salts");
        bind(&self.store, &identity).await
    }

    /// What reconciliation finds, and heals.
    async fn drift(&self) -> u64 {
        let drifts = heatstrip::work::reconcile::reconcile(&self.store, &self.clock).await.expect("compared");
        drifts.iter().map(|drift| drift.found()).sum()
    }

    async fn count(&self, query: &str) -> i64 {
        self.sql.query_one(query, &[]).await.expect("a count").get(0)
    }
}

/// A view of a video, as it is sent.
fn sent(video: &str, viewer: &str, at: DateTime<Utc>) -> Value {
    json!({"video_id": video, "viewer_id": viewer, "at": at})
}
