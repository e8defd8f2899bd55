//! A cluster and one server, which are told the same.

use chrono::NaiveDate;
use heatstrip::postgres::Store;
use serde_json::{Value, json};

use super::cluster;
use crate::support::{App, Settings, TestDatabase, one_server};

/// Of some days of heartbeats, and of the month of views.
const SALTS: &str = "
    INSERT INTO salt_epochs (purpose, first_day, last_day, rotation, salt, made_at, used_through)
    SELECT 'heartbeats', day, day, 'daily', decode(md5(day::text) || md5('more'), 'hex'), day + time '00:00', day
    FROM (SELECT date '2026-11-18' + n AS day FROM generate_series(0, 3) AS n) AS days
    UNION ALL
    SELECT 'views', '2026-11-01', '2026-11-30', 'monthly', decode(md5('views') || md5('more'), 'hex'), '2026-11-01', '2026-11-21'";

/// Two servers that are told the same.
pub struct Pair {
    pub cluster: App,
    pub one: App,
}

impl Pair {
    /// Starts both; none where there is no Citus.
    pub async fn start(name: &str) -> Option<Pair> {
        let on_cluster = cluster().await?.database(name).await;
        let on_one = one_server().await;
        Some(Pair { cluster: start(on_cluster).await, one: start(on_one).await })
    }

    /// Posts heartbeats to both.
    pub async fn post(&self, heartbeats: &[Value]) {
        for app in [&self.cluster, &self.one] {
            let response = app.post(json!(heartbeats).to_string()).await;
            assert_eq!(response.status(), 202, "{}", response.text().await.expect("a body"));
        }
    }

    /// Folds everything that is queued, on both.
    pub async fn fold(&self) {
        let (cluster, one) = (self.cluster.fold().await, self.one.fold().await);
        assert_eq!(cluster, one, "both fold as many");
    }

    /// Asks both, and returns the answer.
    pub async fn same(&self, path: &str) -> Value {
        let (cluster, one) = (self.cluster.json(path).await, self.one.json(path).await);
        assert_eq!(cluster, one, "{path}");
        cluster
    }
}

/// Elements of sketches are hashes with a salt, of which each database would make its own: equal answers need equal ones.
pub async fn start(database: TestDatabase) -> App {
    let client = database.connect().await;
    client.batch_execute(SALTS).await.expect("salts");
    let store = Store::connect(&database.url, 8).await.expect("a migrated database");
    App::start_on(database, store, Settings::default()).await
}

/// A day of the month in which these tests play.
pub fn day(of_november: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, of_november).expect("a day of November")
}
