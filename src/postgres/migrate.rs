//! The schema: embedded migrations run under an advisory lock, and every pool checks that its database has them.

use refinery::{Migration, Runner};
use tokio_postgres::{Client, NoTls, error::SqlState};

use super::{StoreError, config, describe, sql};
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
    migration!("V20__counters", "0020_counters"),
    migration!("V23__audience", "0023_audience"),
];

/// Brings a database to the schema of this program. `lanes` counts at the first migration only.
///
/// Two processes may do so at once: one migrates, the other waits and finds it done.
pub async fn migrate(database_url: &str, lanes: u16) -> Result<(), StoreError> {
    let (mut client, connection) = config(database_url)?
        .connect(NoTls)
        .await
        .map_err(|error| StoreError::Unavailable(describe(&error)))?;
    let connection = tokio::spawn(connection);
    client.batch_execute(sql::LIFT_TIMEOUTS).await?;
    client.query_one(sql::LOCK_MIGRATIONS, &[]).await?;
    let outcome = migrate_locked(&mut client, lanes).await;
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
    Runner::new(&migrations())
        .run_async(client)
        .await
        .map_err(|error| StoreError::Unsuitable(format!("migration failed: {error}")))?;
    let lanes = i16::try_from(lanes).map_err(|_| {
        StoreError::Unsuitable(format!("{lanes} lanes are too many, at most 1024 are possible"))
    })?;
    client.execute(sql::INSERT_ENGINE, &[&lanes]).await?;
    check(client).await.map(|_| ())
}

fn migrations() -> Vec<Migration> {
    let migration = |(name, text): &(&str, &str)| Migration::unapplied(name, text);
    MIGRATIONS
        .iter()
        .map(migration)
        .collect::<Result<_, _>>()
        .expect("the names of the embedded migrations are well-formed")
}

/// Refuses a database that this program does not know its way about, and returns its number of lanes.
pub(crate) async fn check(client: &Client) -> Result<u16, StoreError> {
    let unsuitable = |text: String| Err(StoreError::Unsuitable(text));
    let known = migrations().last().map_or(0, Migration::version);
    let version = match client.query_one(sql::READ_SCHEMA_VERSION, &[]).await {
        Ok(row) => row.try_get::<_, Option<i32>>("version")?,
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => None,
        Err(error) => return Err(error.into()),
    };
    match version {
        None => {
            return unsuitable("the database has no heatstrip schema yet: run `heatstrip migrate`".into());
        }
        Some(version) if version < known => {
            return unsuitable(format!(
                "the database has schema version {version}, this program needs {known}: run `heatstrip migrate`"
            ));
        }
        Some(version) if version > known => {
            return unsuitable(format!(
                "the database has schema version {version}, this program knows {known}: run a newer heatstrip"
            ));
        }
        Some(_) => {}
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

    let lanes: i16 = client.query_one(sql::READ_ENGINE, &[]).await?.try_get("lanes")?;
    Ok(lanes as u16)
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
