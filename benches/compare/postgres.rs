//! The Postgres of the comparison: one server, the same settings for all contestants, a database each.

use std::{collections::BTreeMap, fs, time::Duration};

use heatstrip::postgres::{
    Store,
    local::{Lifetime, LocalPostgres, LocalPostgresOptions},
    migrate::migrate,
};
use tokio_postgres::{Client, NoTls};

/// What an operator gives a small server, and what keeps a checkpoint out of the middle of one contestant's minute.
pub const SETTINGS: [(&str, &str); 4] = [
    ("shared_buffers", "2GB"),
    ("max_wal_size", "8GB"),
    ("checkpoint_timeout", "30min"),
    ("wal_buffers", "64MB"),
];

/// A running server.
pub struct Postgres(LocalPostgres);

impl Postgres {
    /// Starts one that ends with this process.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(SETTINGS.to_vec()).await
    }

    /// The same with settings of its own.
    pub async fn start_with(settings: Vec<(&'static str, &'static str)>) -> anyhow::Result<Self> {
        let data_dir = std::env::temp_dir().join(format!("heatstrip-bench-{}", std::process::id()));
        let options = LocalPostgresOptions { settings, ..LocalPostgresOptions::default() };
        Ok(Postgres(LocalPostgres::start_with(&data_dir, Lifetime::Process, &options).await?))
    }

    /// A new database with the extension.
    pub async fn database(&self, name: &str) -> anyhow::Result<String> {
        self.0.create_database(name, None).await?;
        let url = self.0.url(name);
        connect(&url).await?.batch_execute("CREATE EXTENSION hll").await?;
        Ok(url)
    }

    /// A new database of heatstrip's, and a pool of that many connections to it.
    pub async fn heatstrip(&self, name: &str, connections: usize) -> anyhow::Result<(String, Store)> {
        let url = self.database(name).await?;
        migrate(&url, 16).await?;
        let store = Store::connect(&url, connections).await?;
        Ok((url, store))
    }

    /// The process whose children the backends are.
    pub fn postmaster(&self) -> anyhow::Result<u32> {
        let pid = fs::read_to_string(self.0.data_dir().join("pgdata/postmaster.pid"))?;
        Ok(pid.lines().next().unwrap_or("").parse()?)
    }

    /// Drops a database, so that the next contestant does not share the disk with it.
    pub async fn drop(&self, name: &str) -> anyhow::Result<()> {
        let client = connect(&self.0.url("postgres")).await?;
        client.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
        Ok(())
    }

    /// Stops it.
    pub async fn stop(self) -> anyhow::Result<()> {
        Ok(self.0.stop().await?)
    }
}

/// A plain connection.
pub async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Nothing of what others did is left to be written while the next one is measured.
pub async fn settle(url: &str) -> anyhow::Result<()> {
    connect(url).await?.batch_execute("CHECKPOINT").await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(())
}

/// Bytes of a database on disk.
pub async fn size(url: &str) -> anyhow::Result<f64> {
    let row = connect(url).await?.query_one("SELECT pg_database_size(current_database())", &[]).await?;
    Ok(row.get::<_, i64>(0) as f64)
}

/// Bytes on disk by table, its partitions, indexes and long values included.
pub async fn sizes(client: &Client) -> anyhow::Result<BTreeMap<String, f64>> {
    let sizes = "SELECT coalesce(pg_partition_root(oid)::regclass::text, relname) AS name,
            sum(pg_total_relation_size(oid))::bigint AS bytes
        FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace GROUP BY 1";
    let rows = client.query(sizes, &[]).await?;
    Ok(rows.iter().map(|row| (row.get("name"), row.get::<_, i64>("bytes") as f64)).collect())
}
