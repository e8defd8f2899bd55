//! Table `engine`: what was decided once for a database, at its first migration or when it was distributed.

use tokio_postgres::Client;

use super::{StoreError, sql};

/// Where the tables that lead with a video are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// They are on the server that holds everything else.
    Local,
    /// Citus has them on the nodes of a cluster; the queue and everything else that is joined to nothing of theirs stays on the
    /// coordinator.
    Distributed,
}

impl Tables {
    /// Returns the form of a statement that these tables need.
    pub(crate) fn form(self, local: &'static str, distributed: &'static str) -> &'static str {
        match self {
            Tables::Local => local,
            Tables::Distributed => distributed,
        }
    }
}

/// What was decided once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Engine {
    pub(crate) lanes: u16,
    pub(crate) tables: Tables,
}

impl Engine {
    /// Reads the one row of the table.
    pub(crate) async fn read(client: &Client) -> Result<Self, StoreError> {
        let row = client.query_one(sql::READ_ENGINE, &[]).await?;
        let tables = match row.try_get("distributed")? {
            true => Tables::Distributed,
            false => Tables::Local,
        };
        Ok(Engine { lanes: row.try_get::<_, i16>("lanes")? as u16, tables })
    }
}
