//! Beyond one server: `heatstrip migrate --citus` distributes the tables that lead with a video over the nodes of a Citus cluster.
//!
//! All of them are co-located: whatever is kept of a video is on one node, so that one node answers for it. What no video leads
//! stays on the coordinator: the queue, batch ids, salts, bindings, keys, the catalogue, retention and the counters.
//!
//! Statements for distributed tables are right for local ones too, never the other way round. So the first step is to say that
//! they are to be used, and the tables are distributed, in one transaction, once nobody is left who has not heard it.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::Instant;
use tokio_postgres::{Client, Row};

use super::{StoreError, Tables, Transaction, describe, engine::Engine, query, sql};

/// The tables that lead with a video; the first one's shards are where those of the others are.
pub const DISTRIBUTED: &[&str] = &[
    "video_heatmap_shards",
    "video_heatmap_second_shards",
    "video_heatmap_whole_shards",
    "video_heatmap_growth",
    "video_heatmap_runs",
    "video_heatmap_spread",
    "video_heatmap",
    "video_heatmap_5s",
    "video_heatmap_60s",
    "video_heatmap_whole",
    "video_heatmap_bounds",
    "video_heatmap_counts",
    "video_heatmap_uncounted",
    "sampled_watches",
    "recent_views",
    "view_totals",
    "view_epochs",
    "view_days",
    "view_months",
    "trending",
];
/// The tables that have a column of this name are distributed by it.
const COLUMN: &str = "video_id";
/// A node has to have room for as many prepared transactions as lanes may fold at once, and for so many pieces of a night beside.
const PIECES: i64 = 16;
/// Sessions that are ending are waited for so long, and looked at this often.
const SESSIONS_WAIT: Duration = Duration::from_secs(5);
/// Citus looks for transactions that a crash left prepared once a minute.
const PREPARED_WAIT: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(100);
/// The maintenance daemon starts with the first statement after the extension was made.
const DAEMON_WAIT: Duration = Duration::from_secs(10);

/// A node of the cluster, as the coordinator knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Host and port.
    pub name: String,
    pub is_coordinator: bool,
    pub active: bool,
    /// True if shards may be placed on it.
    pub has_shards: bool,
    /// What it says of itself; none if it does not answer.
    pub state: Option<NodeState>,
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeState {
    pub max_prepared_transactions: i64,
    /// The version of hll, `none` where the extension is missing.
    pub hll: String,
    pub citus: String,
}

/// Distributes what is not distributed yet; returns the names of those tables.
pub(super) async fn distribute(client: &mut Client, shards: u32) -> Result<Vec<String>, StoreError> {
    let engine = Engine::read(client).await?;
    check(client, engine.lanes).await?;
    let undistributed = undistributed(client).await?;
    if undistributed.is_empty() && engine.tables == Tables::Distributed {
        return Ok(undistributed);
    }
    if client.query_one(sql::CITUS_READ_SECOND_SHARDS, &[]).await?.try_get("any")? {
        return unsuitable(
            "rows of an earlier version wait to be compacted: run `heatstrip compact`, then this again",
        );
    }
    refuse_company(client).await?;
    client.execute(sql::WRITE_DISTRIBUTED, &[&true]).await?;
    // Whoever came meanwhile may not have heard it.
    if let Err(error) = refuse_company(client).await {
        if engine.tables == Tables::Local {
            client.execute(sql::WRITE_DISTRIBUTED, &[&false]).await?;
        }
        return Err(error);
    }
    place(client, &undistributed, shards).await.map_err(|error| {
        StoreError::Unsuitable(format!(
            "the tables could not be distributed, and none is: {}",
            describe(&error)
        ))
    })?;
    for table in &undistributed {
        client.execute(sql::CITUS_TRUNCATE_LOCAL, &[table]).await?;
    }
    Ok(undistributed)
}

/// Returns an error, which says what to do, unless the tables can be distributed here.
async fn check(client: &Client, lanes: u16) -> Result<(), StoreError> {
    let Some(version) = version(client).await? else {
        return unsuitable(
            "the extension citus is not in this database: name citus in shared_preload_libraries of every node, and run \
             CREATE EXTENSION citus in this database on each",
        );
    };
    let group: i32 = client.query_one(sql::CITUS_READ_GROUP, &[]).await?.try_get("groupid")?;
    if group != 0 {
        return unsuitable("this is a worker node of the cluster: let DATABASE_URL name its coordinator");
    }
    let nodes = nodes(client).await?;
    if !nodes.iter().any(|node| node.active && node.has_shards) {
        return unsuitable(
            "the coordinator knows no node that takes shards: run SELECT citus_add_node('HOST', PORT) for each worker",
        );
    }
    let needed = i64::from(lanes) + PIECES;
    let mut sketches = BTreeSet::new();
    for node in &nodes {
        let name = &node.name;
        let Some(state) = &node.state else {
            return unsuitable(format!(
                "the node {name} does not answer: see that it runs, and that the coordinator may connect to it without a password \
                 prompt (pg_hba.conf, .pgpass)"
            ));
        };
        if state.hll == "none" {
            return unsuitable(format!(
                "the extension hll is not on the node {name}: install its package there, and run CREATE EXTENSION hll in this \
                 database"
            ));
        }
        sketches.insert(state.hll.as_str());
        if state.citus != version {
            return unsuitable(format!(
                "the node {name} has Citus {}, the coordinator {version}: upgrade, and run ALTER EXTENSION citus UPDATE on each",
                state.citus
            ));
        }
        if state.max_prepared_transactions < needed {
            return unsuitable(format!(
                "the node {name} has room for {} prepared transactions: set max_prepared_transactions to {needed} or more, and \
                 restart it",
                state.max_prepared_transactions
            ));
        }
    }
    if sketches.len() > 1 {
        let found = sketches.into_iter().collect::<Vec<_>>().join(" and ");
        return unsuitable(format!(
            "the nodes have hll {found}: install one version, and run ALTER EXTENSION hll UPDATE on each"
        ));
    }
    let deadline = Instant::now() + DAEMON_WAIT;
    while !has_daemon(client).await? {
        if Instant::now() >= deadline {
            return unsuitable(
                "the maintenance daemon of Citus does not run for this database, which ends what a crash leaves prepared: raise \
                 max_worker_processes and restart the coordinator",
            );
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Returns whether the process runs that finds deadlocks across nodes and ends what a crash leaves prepared.
pub async fn has_daemon(client: &Client) -> Result<bool, StoreError> {
    Ok(client.query_one(sql::CITUS_READ_DAEMON, &[]).await?.try_get("runs")?)
}

/// Returns the version of the extension, none where it is missing.
pub async fn version(client: &Client) -> Result<Option<String>, StoreError> {
    let row = client.query_opt(sql::CITUS_READ_VERSION, &[]).await?;
    row.map(|row| Ok(row.try_get("extversion")?)).transpose()
}

/// Returns the nodes of the cluster, the coordinator first.
pub async fn nodes(client: &Client) -> Result<Vec<Node>, StoreError> {
    client.query(sql::CITUS_READ_NODES, &[]).await?.iter().map(node).collect()
}

/// The state of a cluster whose tables are distributed.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// The coordinator first.
    pub nodes: Vec<Node>,
    /// Tables that are not distributed, though this version distributes them.
    pub undistributed: Vec<String>,
    /// True if the maintenance daemon runs.
    pub maintained: bool,
    /// What the tables take on the nodes that answer.
    pub bytes: i64,
}

/// Looks at the cluster; none where the tables are not distributed.
pub async fn look(client: &Client) -> Result<Option<Cluster>, StoreError> {
    if Engine::read(client).await?.tables == Tables::Local {
        return Ok(None);
    }
    Ok(Some(Cluster {
        nodes: nodes(client).await?,
        undistributed: undistributed(client).await?,
        maintained: has_daemon(client).await?,
        bytes: client.query_one(sql::CITUS_READ_SIZE, &[&DISTRIBUTED]).await?.try_get("bytes")?,
    }))
}

/// Returns those of the tables that are not distributed.
pub async fn undistributed(client: &Client) -> Result<Vec<String>, StoreError> {
    let rows = client.query(sql::CITUS_READ_UNDISTRIBUTED, &[&DISTRIBUTED]).await?;
    rows.iter().map(|row| Ok(row.try_get("name")?)).collect()
}

fn node(row: &Row) -> Result<Node, StoreError> {
    let answer: Option<String> = row.try_get("result")?;
    let state = answer.filter(|_| row.get("answers")).and_then(|answer| {
        let mut words = answer.split_whitespace();
        Some(NodeState {
            max_prepared_transactions: words.next()?.parse().ok()?,
            hll: words.next()?.to_owned(),
            citus: words.next()?.to_owned(),
        })
    });
    Ok(Node {
        name: row.try_get("node")?,
        is_coordinator: row.try_get::<_, i32>("groupid")? == 0,
        active: row.try_get("active")?,
        has_shards: row.try_get("has_shards")?,
        state,
    })
}

/// Waits, where the tables are distributed, until every transaction has ended that is prepared on a node now. Most end at once;
/// those of a node that was lost between the two phases of a commit end within a minute of its return.
pub(crate) async fn wait_for_prepared(tx: &Transaction<'_>, tables: Tables) -> Result<(), StoreError> {
    if tables == Tables::Local {
        return Ok(());
    }
    let deadline = Instant::now() + PREPARED_WAIT;
    let mut waiting: Option<BTreeSet<String>> = None;
    loop {
        let rows = query(tx, sql::CITUS_READ_PREPARED, &[]).await?;
        let now: BTreeSet<String> =
            rows.iter().map(|row| row.try_get("prepared")).collect::<Result<_, _>>()?;
        let left = match waiting {
            None => now,
            Some(before) => before.intersection(&now).cloned().collect(),
        };
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(StoreError::Unavailable("transactions of a lost node have not ended yet".into()));
        }
        waiting = Some(left);
        tokio::time::sleep(POLL).await;
    }
}

/// Refuses to go on while another process of this program is connected: it may not know that the tables are distributed.
async fn refuse_company(client: &Client) -> Result<(), StoreError> {
    let deadline = Instant::now() + SESSIONS_WAIT;
    while client.query_one(sql::CITUS_COUNT_SESSIONS, &[]).await?.try_get::<_, i64>("sessions")? > 0 {
        if Instant::now() >= deadline {
            return unsuitable(
                "other processes of heatstrip are connected: stop them all (serve, work, compact) for as long as this takes, and \
                 start them afterwards",
            );
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Distributes tables, all of them or none.
async fn place(client: &mut Client, tables: &[String], shards: u32) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    let first = DISTRIBUTED[0];
    for table in tables {
        match table == first {
            true => {
                transaction.execute(sql::CITUS_DISTRIBUTE_FIRST, &[table, &COLUMN, &(shards as i32)]).await?
            }
            false => transaction.execute(sql::CITUS_DISTRIBUTE, &[table, &COLUMN, &first]).await?,
        };
    }
    transaction.commit().await
}

fn unsuitable<T>(text: impl Into<String>) -> Result<T, StoreError> {
    Err(StoreError::Unsuitable(text.into()))
}
