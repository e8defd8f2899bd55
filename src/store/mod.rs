//! Postgres: the pool, named transactions with retry, and one file per table or read. The only place that knows the
//! driver.

use std::time::Duration;

pub(crate) use deadpool_postgres::Transaction;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use rand::RngExt;
use scoped_futures::ScopedBoxFuture;
use tokio_postgres::{IsolationLevel, NoTls, Row, RowStream, error::SqlState, types::ToSql};

pub mod sql;
pub mod migrate;
pub mod salts;
pub mod batch_ids;
pub mod queue;
pub mod shards;
pub mod canonical;
pub mod counts;
pub mod retention;
pub mod health;
pub mod strips;
pub mod videos;
pub mod regions;
mod sketches;

/// How often a transaction is tried that loses a deadlock or a serialization conflict. Lanes make these rare.
const MAX_ATTEMPTS: u32 = 5;
/// How long a caller waits for a connection before it hears that Postgres is away.
const POOL_WAIT: Duration = Duration::from_secs(5);
/// How long the network may leave unacknowledged what was sent.
const MAX_SILENCE: Duration = Duration::from_secs(10);
/// Server-side limits of every session, in milliseconds: a statement that hangs, a transaction left open and a client
/// that died without a word must not hold locks for long.
const SESSION_OPTIONS: &str = "-c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000 \
                               -c client_connection_check_interval=2000 -c timezone=UTC";

/// Why the database did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Postgres cannot be reached, or went away before the COMMIT was sent: nothing was done.
    #[error("postgres is not reachable: {0}")]
    Unavailable(String),
    /// The connection broke between COMMIT and its answer: it may have been done or not.
    #[error("the outcome of the commit is unknown: {0}")]
    OutcomeUnknown(String),
    /// Somebody else was in the way: nothing was done, and trying again will help.
    #[error("the transaction lost a conflict: {0}")]
    Conflict(String),
    /// Postgres cannot take these values, now or ever.
    #[error("postgres refused a value: {0}")]
    BadValue(String),
    /// Postgres refused for a reason that does not lie in the values: a missing right, a broken disk, a bug.
    #[error("postgres refused: {0}")]
    Refused(String),
    /// The range has days that are not kept by the second; the first day that is.
    #[error("only days from {0} on are kept by the second")]
    TooFine(chrono::NaiveDate),
    /// The database is not one this program can work on; the text says what to do.
    #[error("{0}")]
    Unsuitable(String),
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(db_error) = error.as_db_error() else {
            // Without an answer of the server: the connection is gone, or a value is none the driver can read or write.
            return match error.is_closed()
                || std::error::Error::source(&error).is_some_and(|e| e.is::<std::io::Error>())
            {
                true => StoreError::Unavailable(error.to_string()),
                false => StoreError::BadValue(describe(&error)),
            };
        };
        // The message alone: `detail` may quote rows.
        let text = format!("{} ({})", db_error.message(), db_error.code().code());
        match db_error.code() {
            code if [
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::T_R_DEADLOCK_DETECTED,
                SqlState::LOCK_NOT_AVAILABLE,
                // Somebody inserted the row between our look and our insert: the next look sees it.
                SqlState::UNIQUE_VIOLATION,
            ]
            .contains(code) =>
            {
                StoreError::Conflict(text)
            }
            // The row fits no partition: it was dropped, empty, between the look for it and the write.
            code if *code == SqlState::CHECK_VIOLATION && db_error.constraint().is_none() => {
                StoreError::Conflict(text)
            }
            // 22 data, 23 constraints, 54 program limits.
            code if ["22", "23", "54"].iter().any(|class| code.code().starts_with(class)) => {
                StoreError::BadValue(text)
            }
            // 08 connection, 25 a transaction left open too long, 53 resources, 57 operator intervention: the server's
            // state, not the statement's fault.
            code if ["08", "25", "53", "57"].iter().any(|class| code.code().starts_with(class)) => {
                StoreError::Unavailable(text)
            }
            _ => StoreError::Refused(text),
        }
    }
}

fn describe(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// How busy a pool is.
#[derive(Debug, Clone, Copy)]
pub struct PoolState {
    /// Connections it may have.
    pub max: usize,
    /// Connections it has.
    pub connections: usize,
    /// Those of them that nobody uses.
    pub available: usize,
    /// Who waits for one.
    pub waiting: usize,
}

/// A pool of connections to a database whose schema this program knows.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    lanes: u16,
}

impl Store {
    /// Opens a pool and makes sure that the schema and the sketches are the ones this program was written for.
    pub async fn connect(database_url: &str, max_connections: usize) -> Result<Self, StoreError> {
        let manager = Manager::from_config(
            config(database_url)?,
            NoTls,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = Pool::builder(manager)
            .max_size(max_connections)
            .timeouts(Timeouts { wait: Some(POOL_WAIT), create: Some(POOL_WAIT), recycle: Some(POOL_WAIT) })
            .runtime(Runtime::Tokio1)
            .build()
            .expect("a runtime is given, as timeouts need one");
        let client = checkout(&pool).await?;
        let lanes = migrate::check(&client).await?;
        Ok(Store { pool, lanes })
    }

    /// How many lanes there are, as decided at the first migration.
    pub fn lanes(&self) -> u16 {
        self.lanes
    }

    /// How busy the pool is now.
    pub fn pool_state(&self) -> PoolState {
        let status = self.pool.status();
        PoolState {
            max: status.max_size,
            connections: status.size,
            available: status.available,
            waiting: status.waiting,
        }
    }

    /// Whether Postgres answers and the schema is still the one this program knows.
    pub async fn check(&self) -> Result<(), StoreError> {
        migrate::check(&*self.client().await?).await.map(|_| ())
    }

    /// Ends the idle connections and lets nobody have another.
    pub fn close(&self) {
        self.pool.close();
    }

    async fn client(&self) -> Result<deadpool_postgres::Object, StoreError> {
        checkout(&self.pool).await
    }

    /// Runs `body` in a transaction and commits it; tries again after a deadlock or serialization conflict, so the body
    /// may run more than once. Once COMMIT is sent nothing is tried again.
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
                    // Jitter, so that the two who met do not meet again.
                    let pause = Duration::from_millis(rand::rng().random_range(1..10 << attempt));
                    tokio::time::sleep(pause).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// As [`Store::run_tx`], but tries once: for what makes others wait while it waits itself.
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
        let mut client = self.client().await?;
        let transaction = client.transaction().await?;
        let value = match body(&transaction).await {
            Ok(value) => value,
            Err(error) => {
                // Waited for: dropped, it would be undone some time later, and who tries again on another connection
                // would meet this one's locks. The first error says more than one of a broken connection's rollback.
                let _ = transaction.rollback().await;
                return Err(error);
            }
        };
        transaction.commit().await.map_err(|error| match StoreError::from(error) {
            // A server that is shutting down may have committed before it said so.
            StoreError::Unavailable(reason) => StoreError::OutcomeUnknown(reason),
            // Rolled back for certain, but nothing is tried again once its COMMIT was sent.
            StoreError::Conflict(reason) => StoreError::Unavailable(reason),
            definite => definite,
        })?;
        Ok(value)
    }

    /// Runs `body` on one snapshot, with settings for uniting many sketches.
    async fn run_read<'env, T: Send>(
        &self,
        body: impl for<'t> Fn(&'t Transaction<'t>) -> ScopedBoxFuture<'env, 't, Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut client = self.client().await?;
        let transaction = client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .await?;
        transaction.batch_execute(sql::PREPARE_READ).await?;
        let value = body(&transaction).await?;
        transaction.commit().await?;
        Ok(value)
    }
}

/// Runs `body` so that its failure leaves the rest of the transaction standing.
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

async fn checkout(pool: &Pool) -> Result<deadpool_postgres::Object, StoreError> {
    pool.get().await.map_err(|error| match error {
        deadpool_postgres::PoolError::Backend(error) => StoreError::Unavailable(describe(&error)),
        error => StoreError::Unavailable(error.to_string()),
    })
}

fn config(database_url: &str) -> Result<tokio_postgres::Config, StoreError> {
    // The driver's own message may quote the URL, password included.
    let mut config: tokio_postgres::Config = database_url.parse().map_err(|_| {
        StoreError::Unsuitable(
            "DATABASE_URL is no Postgres URL: write postgresql://user:password@host:5432/database".into(),
        )
    })?;
    let options = match config.get_options() {
        Some(given) => format!("{SESSION_OPTIONS} {given}"),
        None => SESSION_OPTIONS.to_owned(),
    };
    // What is sent and never acknowledged is given up long before the kernel would, after a quarter of an hour.
    config.options(options).connect_timeout(POOL_WAIT).tcp_user_timeout(MAX_SILENCE);
    if config.get_application_name().is_none() {
        config.application_name("heatstrip");
    }
    Ok(config)
}

/// Runs a statement of [`sql`] through the connection's statement cache.
async fn query(
    transaction: &Transaction<'_>,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, StoreError> {
    let statement = transaction.prepare_cached(statement).await?;
    Ok(transaction.query(&statement, parameters).await?)
}

/// As [`query`], for results that are looked at row by row.
async fn query_stream(
    transaction: &Transaction<'_>,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<RowStream, StoreError> {
    let statement = transaction.prepare_cached(statement).await?;
    Ok(transaction.query_raw(&statement, parameters.iter().copied()).await?)
}

/// As [`query`], for statements that return nothing.
async fn execute(
    transaction: &Transaction<'_>,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<u64, StoreError> {
    let statement = transaction.prepare_cached(statement).await?;
    Ok(transaction.execute(&statement, parameters).await?)
}
