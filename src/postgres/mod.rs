//! Postgres: the pool and named transactions that are tried again. Only this folder, the queue and `store` files know
//! the driver.

use std::time::Duration;

pub(crate) use deadpool_postgres::Transaction;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use rand::RngExt;
use scoped_futures::ScopedBoxFuture;
use tokio_postgres::{
    IsolationLevel, Row, RowStream,
    config::{Host, SslMode},
    types::ToSql,
};

pub mod citus;
pub(crate) mod default_region;
mod drift;
mod drops;
mod engine;
mod error;
pub mod kept_days;
mod lease;
pub mod local;
pub mod metrics;
pub mod migrate;
pub mod nights;
mod session;
pub mod sketches;
pub mod sql;
pub(crate) mod tls;

use engine::Engine;
pub use engine::Tables;
pub use error::StoreError;
pub(crate) use error::describe;
use lease::Lease;
use session::KnownTables;
use tls::Tls;

/// A transaction that loses a deadlock or a serialization conflict is tried this often. Lanes make such conflicts rare.
const MAX_ATTEMPTS: u32 = 5;
/// A caller waits this long for a connection before it hears that Postgres is away.
const POOL_WAIT: Duration = Duration::from_secs(5);
/// The network may leave data unacknowledged for this long.
const MAX_SILENCE: Duration = Duration::from_secs(10);
/// The rollback of a read that failed may take this long.
const ROLLBACK_WAIT: Duration = Duration::from_secs(1);

/// The connections of a pool and who waits for them.
#[derive(Debug, Clone, Copy)]
pub struct PoolState {
    /// The pool opens at most this many connections.
    pub max: usize,
    pub connections: usize,
    pub available: usize,
    /// How many callers wait for a connection.
    pub waiting: usize,
}

/// A pool of connections to a database whose schema this program knows.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    /// Cancelling a statement takes a connection of its own, encrypted as the others are.
    tls: Tls,
    engine: Engine,
}

impl Store {
    /// Opens a pool and makes sure that the schema and the sketches are the ones this program was written for.
    pub async fn connect(database_url: &str, max_connections: usize) -> Result<Self, StoreError> {
        let known = KnownTables::default();
        let pool = pool(database_url, max_connections, &known)?;
        let tls = tls::tls(database_url)?;
        session::refuse_transaction_pooler(&pool).await?;
        let client = checkout(&pool).await?;
        let engine = migrate::check(&client).await?;
        known.set(engine.tables);
        Ok(Store { pool, tls, engine })
    }

    /// Returns how many lanes there are, as decided at the first migration.
    pub fn lanes(&self) -> u16 {
        self.engine.lanes
    }

    /// Returns where the tables that lead with a video are.
    pub fn tables(&self) -> Tables {
        self.engine.tables
    }

    /// Returns how busy the pool is now.
    pub fn pool_state(&self) -> PoolState {
        let status = self.pool.status();
        PoolState {
            max: status.max_size,
            connections: status.size,
            available: status.available,
            waiting: status.waiting,
        }
    }

    /// Returns an error unless Postgres answers, takes writes, and has the schema that this program knows, or a newer one.
    pub async fn check(&self) -> Result<(), StoreError> {
        // Another session may be one with a server that takes writes, so this one does not come back if it does not.
        let client = self.lend().await?;
        migrate::check_beside(&client, true).await?;
        let row = client.query_one(sql::READ_WRITABLE, &[]).await?;
        match row.try_get("writable")? {
            true => {
                client.back();
                Ok(())
            }
            false => {
                Err(StoreError::Unavailable("postgres takes no writes: it is a standby or read-only".into()))
            }
        }
    }

    /// Ends the idle connections and lets nobody have another.
    pub fn close(&self) {
        self.pool.close();
    }

    pub(crate) async fn client(&self) -> Result<deadpool_postgres::Object, StoreError> {
        checkout(&self.pool).await
    }

    /// Lends a connection that comes back only when its work is over.
    async fn lend(&self) -> Result<Lease, StoreError> {
        Ok(Lease::new(self.client().await?, self.tls.clone()))
    }

    /// Runs `body` in a transaction and commits it. After a deadlock or serialization conflict it tries again, so the
    /// body may run more than once. Once COMMIT is sent nothing is tried again.
    pub(crate) async fn run_tx<'env, T: Send>(
        &self,
        name: &'static str,
        body: impl for<'t> Fn(&'t Transaction<'t>) -> ScopedBoxFuture<'env, 't, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut attempt = 1;
        loop {
            match self.try_tx(&body).await {
                Err(StoreError::Conflict(reason)) if attempt < MAX_ATTEMPTS => {
                    tracing::debug!(
                        transaction = name,
                        attempt,
                        reason,
                        "transaction {name} lost a conflict, again"
                    );
                    // The pause is drawn by chance, so that the two who met do not meet again.
                    let pause = Duration::from_millis(rand::rng().random_range(1..10 << attempt));
                    tokio::time::sleep(pause).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Runs `body` as [`Store::run_tx`] does, but tries once. This is for DDL, whose lock request makes everybody wait
    /// while it waits itself.
    pub(crate) async fn run_tx_once<'env, T: Send>(
        &self,
        body: impl for<'t> Fn(&'t Transaction<'t>) -> ScopedBoxFuture<'env, 't, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.try_tx(&body).await
    }

    async fn try_tx<'env, T: Send>(
        &self,
        body: &impl for<'t> Fn(&'t Transaction<'t>) -> ScopedBoxFuture<'env, 't, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut client = self.lend().await?;
        let outcome = self.try_tx_on(&mut client, body).await;
        // The session may be one with a server that takes no writes any more: then the next try has another.
        if !matches!(&outcome, Err(StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_))) {
            client.back();
        }
        outcome
    }

    async fn try_tx_on<'env, T: Send>(
        &self,
        client: &mut Lease,
        body: &impl for<'t> Fn(&'t Transaction<'t>) -> ScopedBoxFuture<'env, 't, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        // Whatever the server's default is: who waits for a lock has to see what its holder committed.
        let transaction =
            client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
        let value = match body(&transaction).await {
            Ok(value) => value,
            Err(error) => {
                // The rollback is waited for. A dropped transaction would be undone some time later, and whoever tries
                // again on another connection would meet its locks. The first error says more than that of a broken
                // connection's rollback.
                let _ = transaction.rollback().await;
                return Err(error);
            }
        };
        transaction.commit().await.map_err(|error| match StoreError::from(error) {
            // A server that is shutting down may have committed before it said so.
            StoreError::Unavailable(reason) => StoreError::OutcomeUnknown(reason),
            // The transaction was rolled back for certain, but nothing is tried again once its COMMIT was sent.
            StoreError::Conflict(reason) => StoreError::Unavailable(reason),
            definite => definite,
        })?;
        Ok(value)
    }

    /// Runs `body` on one snapshot. The statements `prepare` come first and take the locks and settings it needs.
    pub(crate) async fn run_read<'env, T: Send, E: From<StoreError>>(
        &self,
        prepare: &str,
        body: impl for<'t> Fn(&'t Transaction<'t>) -> ScopedBoxFuture<'env, 't, Result<T, E>>,
    ) -> Result<T, E> {
        let mut client = self.lend().await?;
        let transaction = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await
            .map_err(StoreError::from)?;
        transaction.batch_execute(prepare).await.map_err(StoreError::from)?;
        let value = match body(&transaction).await {
            Ok(value) => value,
            Err(error) => {
                // The statement under way may have many rows left to send: then the connection does not come back.
                if let Ok(Ok(())) = tokio::time::timeout(ROLLBACK_WAIT, transaction.rollback()).await {
                    client.back();
                }
                return Err(error);
            }
        };
        transaction.commit().await.map_err(StoreError::from)?;
        client.back();
        Ok(value)
    }
}

/// Runs `body` in a savepoint, so that its failure leaves the rest of the transaction standing.
pub(crate) async fn in_savepoint<T>(
    transaction: &Transaction<'_>,
    body: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    transaction.batch_execute(sql::SAVEPOINT).await?;
    let outcome = body.await;
    let end = if outcome.is_ok() { sql::RELEASE_SAVEPOINT } else { sql::ROLLBACK_TO_SAVEPOINT };
    transaction.batch_execute(end).await?;
    outcome
}

/// Makes a pool, which connects when it is first needed.
fn pool(database_url: &str, max_connections: usize, known: &KnownTables) -> Result<Pool, StoreError> {
    let manager = Manager::from_config(
        config(database_url)?,
        tls::tls(database_url)?,
        ManagerConfig { recycling_method: RecyclingMethod::Fast },
    );
    Ok(Pool::builder(manager)
        // Two are needed to find out what stands in front of Postgres.
        .max_size(max_connections.max(2))
        .post_create(session::settings(known.clone()))
        .timeouts(Timeouts { wait: Some(POOL_WAIT), create: Some(POOL_WAIT), recycle: Some(POOL_WAIT) })
        .runtime(Runtime::Tokio1)
        .build()
        .expect("a runtime is given, as timeouts need one"))
}

async fn checkout(pool: &Pool) -> Result<deadpool_postgres::Object, StoreError> {
    pool.get().await.map_err(|error| match error {
        deadpool_postgres::PoolError::Backend(error) => StoreError::Unavailable(describe(&error)),
        error => StoreError::Unavailable(error.to_string()),
    })
}

pub(crate) fn config(database_url: &str) -> Result<tokio_postgres::Config, StoreError> {
    let (url, wanted) = tls::split(database_url)?;
    // The driver's own message is not used, because it may quote the URL, password included.
    let mut config: tokio_postgres::Config = url.parse().map_err(|_| {
        StoreError::Unsuitable(
            "DATABASE_URL is no Postgres URL: write postgresql://user:password@host:5432/database".into(),
        )
    })?;
    // Unacknowledged data is given up long before the kernel would give it up, which takes a quarter of an hour.
    config.connect_timeout(POOL_WAIT).tcp_user_timeout(MAX_SILENCE);
    // A socket file needs no encryption, and no server offers it there.
    let hosts = config.get_hosts();
    let is_local = !hosts.is_empty() && hosts.iter().all(|host| matches!(host, Host::Unix(_)));
    config.ssl_mode(if is_local { SslMode::Disable } else { wanted.mode.of_the_driver() });
    if config.get_application_name().is_none() {
        config.application_name("heatstrip");
    }
    Ok(config)
}

/// Runs a statement through the connection's statement cache.
pub(crate) async fn query(
    transaction: &Transaction<'_>,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, StoreError> {
    let statement = transaction.prepare_cached(statement).await?;
    Ok(transaction.query(&statement, parameters).await?)
}

/// Runs a statement as [`query`] does, for results that are read row by row.
pub(crate) async fn query_stream(
    transaction: &Transaction<'_>,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<RowStream, StoreError> {
    let statement = transaction.prepare_cached(statement).await?;
    Ok(transaction.query_raw(&statement, parameters.iter().copied()).await?)
}

/// Runs a statement as [`query`] does, if it returns no rows.
pub(crate) async fn execute(
    transaction: &Transaction<'_>,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(statement).await?;
    Ok(transaction.execute(&statement, parameters).await?)
}
