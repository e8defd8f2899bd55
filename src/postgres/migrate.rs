//! The schema: embedded migrations run under an advisory lock, and every pool checks that its database has them.
//!
//! A migration never queues in front of traffic: it asks for its locks for a moment, and when somebody has them it is
//! undone, steps aside and tries again. Refinery numbers the migrations and keeps their checksums, but would refuse one whose
//! number is below the last that was applied; branches that grow side by side land in any order.

use std::{collections::BTreeMap, time::Duration};

use rand::RngExt;
use refinery::Migration;
use tokio_postgres::{Client, error::SqlState};

use super::{
    StoreError, citus, config, describe,
    engine::Engine,
    pool,
    session::{self, KnownTables},
    sql,
    tls::tls,
};
use crate::sketch;

/// A migration as refinery names it, and its file.
macro_rules! migration {
    ($name:literal, $file:literal) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/migrations/", $file, ".sql")))
    };
}

/// The migrations, oldest first. Once released a file never changes, because refinery keeps its checksum.
const MIGRATIONS: &[(&str, &str)] = &[
    migration!("V1__initial", "0001_initial"),
    migration!("V2__levels", "0002_levels"),
    migration!("V3__salt_epochs", "0003_salt_epochs"),
    migration!("V4__retention", "0004_retention"),
    migration!("V5__counts", "0005_counts"),
    migration!("V6__bounds", "0006_bounds"),
    migration!("V7__storage", "0007_storage"),
    migration!("V8__shard_storage", "0008_shard_storage"),
    migration!("V9__heatmap_runs", "0009_heatmap_runs"),
    migration!("V10__queue_payload", "0010_queue_payload"),
    migration!("V11__heatmap_view", "0011_heatmap_view"),
    migration!("V12__views", "0012_views"),
    migration!("V14__catalogue", "0014_catalogue"),
    migration!("V15__trending", "0015_trending"),
    migration!("V16__nights", "0016_nights"),
    migration!("V17__queue_heads", "0017_queue_heads"),
    migration!("V20__counters", "0020_counters"),
    migration!("V23__audience", "0023_audience"),
    migration!("V24__access_keys", "0024_access_keys"),
    migration!("V27__audience_storage", "0027_audience_storage"),
    migration!("V28__audience_drops", "0028_audience_drops"),
    migration!("V29__ledger", "0029_ledger"),
    migration!("V30__default_region", "0030_default_region"),
    migration!("V32__audience_cursor", "0032_audience_cursor"),
    migration!("V33__single_drops", "0033_single_drops"),
    migration!("V34__distributed", "0034_distributed"),
    migration!("V37__queue_stream", "0037_queue_stream"),
];

/// A migration that meets locks of others steps aside and tries again this often, which takes some five minutes.
const MAX_LOCK_ATTEMPTS: u32 = 200;
/// Between two attempts traffic flows for at least this long.
const LOCK_PAUSE: Duration = Duration::from_secs(1);

/// Brings a database to the schema of this program. `lanes` counts at the first migration only.
///
/// Two processes may do so at once: one migrates, the other waits and finds it done.
pub async fn migrate(database_url: &str, lanes: u16) -> Result<(), StoreError> {
    run(database_url, lanes, None).await.map(|_| ())
}

/// Migrates as [`migrate`] does, and then distributes the tables that lead with a video over the nodes of a Citus cluster, each in
/// so many shards; returns the names of those that were not distributed yet.
pub async fn migrate_to_citus(
    database_url: &str,
    lanes: u16,
    shards: u32,
) -> Result<Vec<String>, StoreError> {
    run(database_url, lanes, Some(shards)).await
}

async fn run(database_url: &str, lanes: u16, shards: Option<u32>) -> Result<Vec<String>, StoreError> {
    // Its lock is held by a session.
    session::refuse_transaction_pooler(&pool(database_url, 2, &KnownTables::default())?).await?;
    let (mut client, connection) = config(database_url)?
        .connect(tls(database_url)?)
        .await
        .map_err(|error| StoreError::Unavailable(describe(&error)))?;
    let connection = tokio::spawn(connection);
    client.batch_execute(sql::LIFT_TIMEOUTS).await?;
    client.query_one(sql::LOCK_MIGRATIONS, &[]).await?;
    let outcome = async {
        migrate_locked(&mut client, lanes).await?;
        match shards {
            Some(shards) => citus::distribute(&mut client, shards).await,
            None => Ok(Vec::new()),
        }
    }
    .await;
    // The lock would go with the session, but only once the server has noticed that it ended.
    client.query_one(sql::UNLOCK_MIGRATIONS, &[]).await?;
    drop(client);
    // The session has done its work, so how it ends is of no interest; but when this returns it has ended.
    let _ = connection.await;
    outcome
}

async fn migrate_locked(client: &mut Client, lanes: u16) -> Result<(), StoreError> {
    if client.query_opt(sql::READ_HLL_VERSION, &[]).await?.is_none() {
        client.batch_execute(sql::CREATE_HLL).await.map_err(explain_missing_hll)?;
    }
    client.batch_execute(sql::CREATE_HISTORY).await?;
    let applied = applied(client).await?;
    for migration in migrations() {
        match applied.get(&migration.version()) {
            None => apply(client, &migration).await?,
            Some(checksum) if *checksum != migration.checksum().to_string() => {
                return Err(StoreError::Unsuitable(format!(
                    "migration {migration} is not the one that this database has: run the heatstrip that made it"
                )));
            }
            Some(_) => {}
        }
    }
    let lanes = i16::try_from(lanes).map_err(|_| {
        StoreError::Unsuitable(format!("{lanes} lanes are too many, at most 1024 are possible"))
    })?;
    client.execute(sql::INSERT_ENGINE, &[&lanes]).await?;
    check(client).await.map(|_| ())
}

/// Returns the checksums of the migrations that a database has, by version.
async fn applied(client: &Client) -> Result<BTreeMap<i32, String>, StoreError> {
    let rows = client.query(sql::READ_HISTORY, &[]).await?;
    rows.iter().map(|row| Ok((row.try_get("version")?, row.try_get("checksum")?))).collect()
}

/// Applies one migration, in one transaction, as soon as nobody holds what it changes.
async fn apply(client: &mut Client, migration: &Migration) -> Result<(), StoreError> {
    for attempt in 1..=MAX_LOCK_ATTEMPTS {
        match try_apply(client, migration).await {
            Err(error)
                if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
                    || error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) =>
            {
                if attempt == 1 {
                    tracing::info!(
                        "migration {migration} waits for a moment in which nobody uses its tables"
                    );
                }
                let by_chance = Duration::from_millis(rand::rng().random_range(0..500));
                tokio::time::sleep(LOCK_PAUSE + by_chance).await;
            }
            outcome => {
                return outcome.map_err(|error| {
                    StoreError::Unsuitable(format!("migration {migration} failed: {}", describe(&error)))
                });
            }
        }
    }
    Err(StoreError::Unsuitable(format!(
        "migration {migration} found its tables in use for {MAX_LOCK_ATTEMPTS} attempts: end the long transactions that \
         pg_stat_activity shows, and run it again; nothing is half done"
    )))
}

async fn try_apply(client: &mut Client, migration: &Migration) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(sql::LIMIT_MIGRATION_WAIT).await?;
    transaction.batch_execute(migration.sql().expect("an embedded migration has its text")).await?;
    let applied_on = chrono::Utc::now().to_rfc3339();
    let (version, checksum) = (migration.version(), migration.checksum().to_string());
    transaction.execute(sql::WRITE_HISTORY, &[&version, &migration.name(), &applied_on, &checksum]).await?;
    transaction.commit().await
}

fn migrations() -> Vec<Migration> {
    let migration = |(name, text): &(&str, &str)| Migration::unapplied(name, text);
    MIGRATIONS
        .iter()
        .map(migration)
        .collect::<Result<_, _>>()
        .expect("the names of the embedded migrations are well-formed")
}

/// Refuses a database that this program does not know its way about, and returns what was decided once.
pub(crate) async fn check(client: &Client) -> Result<Engine, StoreError> {
    check_beside(client, false).await
}

/// Checks as [`check`] does. A process that runs already may go on `beside_newer` ones: migrations leave what the version
/// before them reads and writes, so that nobody is taken out of service before the new version runs.
pub(crate) async fn check_beside(client: &Client, beside_newer: bool) -> Result<Engine, StoreError> {
    let unsuitable = |text: String| Err(StoreError::Unsuitable(text));
    let known: Vec<i32> = migrations().iter().map(Migration::version).collect();
    let applied = match client.query(sql::READ_HISTORY, &[]).await {
        Ok(rows) => rows.iter().map(|row| row.try_get("version")).collect::<Result<Vec<i32>, _>>()?,
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if applied.is_empty() {
        return unsuitable("the database has no heatstrip schema yet: run `heatstrip migrate`".into());
    }
    let newer = applied.iter().find(|version| !known.contains(version));
    if let (Some(newer), false) = (newer, beside_newer) {
        return unsuitable(format!(
            "the database has migration {newer}, which this program does not know: run a newer heatstrip"
        ));
    }
    if let Some(missing) = known.iter().find(|version| !applied.contains(version)) {
        return unsuitable(format!("the database lacks migration {missing}: run `heatstrip migrate`"));
    }

    match client.query_opt(sql::READ_HLL_VERSION, &[]).await? {
        None => return unsuitable("the extension hll is gone from the database: create it again".into()),
        Some(row) if !row.try_get::<_, bool>("supported")? => {
            let found: &str = row.try_get("extversion")?;
            return unsuitable(format!(
                "the extension hll has version {found}, 2.15 is needed: run ALTER EXTENSION hll UPDATE as a superuser"
            ));
        }
        Some(_) => {}
    }
    for row in client.query(sql::READ_SKETCH_COLUMNS, &[]).await? {
        let (table, column, found): (&str, &str, &str) =
            (row.try_get("table_name")?, row.try_get("column_name")?, row.try_get("type")?);
        if found != sketch::COLUMN_TYPE {
            let needed = sketch::COLUMN_TYPE;
            return unsuitable(format!(
                "{table}.{column} has type {found}, this program writes {needed} sketches"
            ));
        }
    }

    Engine::read(client).await
}

fn explain_missing_hll(error: tokio_postgres::Error) -> StoreError {
    match error.code() {
        Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => StoreError::Unsuitable(
            "the extension hll is missing and this role may not create it: \
             run CREATE EXTENSION hll in this database as a superuser"
                .into(),
        ),
        Some(code) if *code == SqlState::UNDEFINED_FILE || *code == SqlState::FEATURE_NOT_SUPPORTED => {
            StoreError::Unsuitable(
                "the extension hll is not installed on the database server: \
                 install its package there (Debian: postgresql-15-hll, with your server's version)"
                    .into(),
            )
        }
        _ => error.into(),
    }
}
