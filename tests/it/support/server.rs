//! One Postgres server for the whole run, one database per test.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use heatstrip::postgres::{
    local::{Lifetime, LocalPostgres},
    migrate::migrate,
};
use tokio::sync::OnceCell;

use tokio_postgres::{Client, NoTls};

use super::Cluster;

const TEMPLATE: &str = "heatstrip_template";

/// The server is never dropped: it ends with the process. Each test has a runtime of its own, so nothing in here may
/// belong to the runtime that happened to come first.
static SERVER: OnceCell<LocalPostgres> = OnceCell::const_new();

static NEXT_DATABASE: AtomicU32 = AtomicU32::new(1);

/// A migrated database that no other test uses. It is not dropped: the whole server is thrown away.
pub struct TestDatabase {
    /// The address for tokio-postgres and for `DATABASE_URL`.
    pub url: String,
}

impl TestDatabase {
    /// Opens a session beside those of the program.
    pub async fn connect(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.expect("a session");
        tokio::spawn(connection);
        client
    }

    /// Ends the program's sessions, and with them writes their statistics, which would come some time later.
    pub async fn end_sessions(&self) {
        let sql = self.connect().await;
        let end = "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'heatstrip'";
        let ended: Vec<i32> =
            sql.query(end, &[]).await.expect("the activity").iter().map(|row| row.get(0)).collect();
        super::until("the sessions have ended", Duration::from_secs(30), async || {
            let left = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY ($1)";
            let left: i64 = sql.query_one(left, &[&ended]).await.expect("the activity").get(0);
            (left == 0).then_some(())
        })
        .await;
    }
}

/// Says, when it is `citus`, that every test has its database on a Citus cluster.
const ON: &str = "HEATSTRIP_TEST_ON";

/// Makes a fresh database, and with the first one the server too. A test fails if that is not possible.
pub async fn database() -> TestDatabase {
    if std::env::var(ON).is_ok_and(|on| on == "citus") {
        let name = format!("test_{}", NEXT_DATABASE.fetch_add(1, Ordering::Relaxed));
        return Cluster::shared().await.database(&name).await;
    }
    one_server().await
}

/// Makes a fresh database on one server without Citus.
pub async fn one_server() -> TestDatabase {
    let server = SERVER.get_or_init(start).await;
    let name = format!("test_{}", NEXT_DATABASE.fetch_add(1, Ordering::Relaxed));
    server.create_database(&name, Some(TEMPLATE)).await.expect("a database from the template");
    TestDatabase { url: server.url(&name) }
}

/// Copies a database that nobody uses any more; sessions that are being closed are waited for.
pub async fn copy_of(database: &TestDatabase) -> TestDatabase {
    let server = SERVER.get_or_init(start).await;
    let config: tokio_postgres::Config = database.url.parse().expect("its URL");
    let name = format!("test_{}", NEXT_DATABASE.fetch_add(1, Ordering::Relaxed));
    super::until("nobody uses the database", std::time::Duration::from_secs(20), async || {
        server.create_database(&name, config.get_dbname()).await.ok()
    })
    .await;
    TestDatabase { url: server.url(&name) }
}

async fn start() -> LocalPostgres {
    let data_dir = std::env::temp_dir().join(format!("heatstrip-it-{}", uuid::Uuid::new_v4().simple()));
    let server = match LocalPostgres::start(&data_dir, Lifetime::Process).await {
        Ok(server) => server,
        Err(error) => panic!("the tests need a Postgres of their own: {error}"),
    };
    server.create_database(TEMPLATE, None).await.expect("the template database");
    migrate(&server.url(TEMPLATE), 16).await.expect("the template's schema");
    server
}
