//! Reads what `heatstrip doctor` looks at, on a session of its own, so also from a database that no pool would open.

use chrono::{DateTime, NaiveDate, Utc};
use tokio_postgres::Client;

use super::sql;
use crate::{
    heatmap,
    postgres::{
        self, StoreError,
        citus::{self, Cluster},
        config, describe, migrate,
        tls::tls,
    },
    queue,
};

/// A session with a database of whatever state.
pub struct Examination {
    client: Client,
}

/// The server and its settings.
#[derive(Debug, Clone)]
pub struct Server {
    pub version_number: i32,
    pub version: String,
    pub now: DateTime<Utc>,
    pub fsync: bool,
    pub full_page_writes: bool,
    pub synchronous_commit: String,
    pub autovacuum: bool,
    pub shared_buffers: i64,
    pub max_wal_size: i64,
    pub connections: i64,
    pub max_connections: i64,
}

/// How this session is encrypted.
#[derive(Debug, Clone)]
pub struct Encryption {
    /// True if it goes through a socket file.
    pub on_socket: bool,
    /// True if it does not leave this machine.
    pub on_this_machine: bool,
    /// The protocol and the cipher; none if nothing is encrypted.
    pub tls: Option<(String, String)>,
}

/// The extension, if it is there.
#[derive(Debug, Clone)]
pub struct Hll {
    pub version: String,
    /// True if that version is new enough.
    pub supported: bool,
}

/// The state of the salts.
#[derive(Debug, Clone)]
pub struct SaltHealth {
    /// True if today's epoch has its salt, and none if there is no such epoch yet.
    pub today: Option<bool>,
    pub rotation: Option<String>,
    /// True if tomorrow's epoch has its salt, and none if there is no such epoch yet.
    pub tomorrow: Option<bool>,
    /// How many epochs have a salt that should be destroyed by now.
    pub overdue: i64,
}

/// The heartbeats that wait in the queue.
#[derive(Debug, Clone)]
pub struct QueueHealth {
    pub heartbeats: i64,
    /// The instant at which the oldest was accepted.
    pub oldest: Option<DateTime<Utc>>,
}

/// The heartbeats that were set aside.
#[derive(Debug, Clone)]
pub struct SetAside {
    pub heartbeats: i64,
    /// The reason why the last one was set aside.
    pub reason: Option<String>,
}

impl Examination {
    /// Opens the session.
    pub async fn begin(database_url: &str) -> Result<Self, StoreError> {
        let (client, connection) = config(database_url)?
            .connect(tls(database_url)?)
            .await
            .map_err(|error| StoreError::Unavailable(describe(&error)))?;
        tokio::spawn(connection);
        Ok(Examination { client })
    }

    /// Reads the server and its settings.
    pub async fn server(&self) -> Result<Server, StoreError> {
        let row = self.client.query_one(sql::READ_SERVER, &[]).await?;
        Ok(Server {
            version_number: row.try_get("version_number")?,
            version: row.try_get("version")?,
            now: row.try_get("now")?,
            fsync: row.try_get("fsync")?,
            full_page_writes: row.try_get("full_page_writes")?,
            synchronous_commit: row.try_get("synchronous_commit")?,
            autovacuum: row.try_get("autovacuum")?,
            shared_buffers: row.try_get("shared_buffers")?,
            max_wal_size: row.try_get("max_wal_size")?,
            connections: row.try_get("connections")?,
            max_connections: row.try_get("max_connections")?,
        })
    }

    /// Reads how this session is encrypted.
    pub async fn encryption(&self) -> Result<Encryption, StoreError> {
        let row = self.client.query_one(sql::READ_ENCRYPTION, &[]).await?;
        let tls = match row.try_get::<_, bool>("ssl")? {
            true => Some((row.try_get("version")?, row.try_get("cipher")?)),
            false => None,
        };
        Ok(Encryption {
            on_socket: row.try_get("on_socket")?,
            on_this_machine: row.try_get("on_this_machine")?,
            tls,
        })
    }

    /// Reads the extension, if it is there.
    pub async fn hll(&self) -> Result<Option<Hll>, StoreError> {
        let row = self.client.query_opt(postgres::sql::READ_HLL_VERSION, &[]).await?;
        let hll = |row: tokio_postgres::Row| {
            Ok(Hll { version: row.try_get("extversion")?, supported: row.try_get("supported")? })
        };
        row.map(hll).transpose()
    }

    /// Returns an error unless the schema is the one this program knows; the error says what to do.
    pub async fn schema(&self) -> Result<(), StoreError> {
        migrate::check(&self.client).await.map(|_| ())
    }

    /// Reads the salts; those of epochs that had ended and were made by `over_since` are overdue.
    pub async fn salts(&self, today: NaiveDate, over_since: DateTime<Utc>) -> Result<SaltHealth, StoreError> {
        let row = self.client.query_one(sql::READ_SALT_HEALTH, &[&today, &over_since]).await?;
        Ok(SaltHealth {
            today: row.try_get("today")?,
            rotation: row.try_get("rotation")?,
            tomorrow: row.try_get("tomorrow")?,
            overdue: row.try_get("overdue")?,
        })
    }

    /// Returns the names of partitions that should not be as they are, with what is wrong.
    pub async fn partition_faults(&self, tomorrow: NaiveDate) -> Result<Vec<String>, StoreError> {
        let rows = self.client.query(sql::READ_PARTITION_FAULTS, &[&tomorrow]).await?;
        let fault = |row: &tokio_postgres::Row| {
            Ok(format!("{} {}", row.try_get::<_, &str>("name")?, row.try_get::<_, &str>("fault")?))
        };
        rows.iter().map(fault).collect()
    }

    /// Returns the days that have shard rows, ascending.
    pub async fn shard_days(&self) -> Result<Vec<NaiveDate>, StoreError> {
        let rows = self.client.query(heatmap::store::sql::READ_SHARD_DAYS, &[]).await?;
        rows.iter().map(|row| Ok(row.try_get("day")?)).collect()
    }

    /// Looks at the cluster, if the tables are distributed.
    pub async fn cluster(&self) -> Result<Option<Cluster>, StoreError> {
        citus::look(&self.client).await
    }

    /// Reads the queue.
    pub async fn queue(&self) -> Result<QueueHealth, StoreError> {
        let row = self.client.query_one(queue::sql::READ_QUEUE_DEPTH, &[]).await?;
        Ok(QueueHealth { heartbeats: row.try_get("heartbeats")?, oldest: row.try_get("oldest")? })
    }

    /// Reads what was set aside.
    pub async fn set_aside(&self) -> Result<SetAside, StoreError> {
        let row = self.client.query_one(sql::READ_SET_ASIDE, &[]).await?;
        Ok(SetAside { heartbeats: row.try_get("heartbeats")?, reason: row.try_get("reason")? })
    }
}
