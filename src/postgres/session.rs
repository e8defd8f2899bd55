//! What every session is set to, and which poolers let it stay so.

use std::sync::{Arc, OnceLock};

use deadpool_postgres::{Client, Hook, HookError, Pool};
use tokio_postgres::SimpleQueryMessage;

use super::{StoreError, Tables, checkout, engine::Engine, sql};

/// Where a pool's owner believes the tables to be, once it has read it.
#[derive(Clone, Default)]
pub(super) struct KnownTables(Arc<OnceLock<Tables>>);

impl KnownTables {
    /// Says where they are.
    pub(super) fn set(&self, tables: Tables) {
        // Its owner reads it once.
        let _ = self.0.set(tables);
    }
}

/// Sets up each new session of a pool. A process that has missed that the tables were distributed gets no session any more: its
/// statements have the wrong form.
pub(super) fn settings(known: KnownTables) -> Hook {
    Hook::async_fn(move |client, _| {
        let known = known.clone();
        Box::pin(async move {
            client.batch_execute(sql::PREPARE_SESSION).await.map_err(HookError::Backend)?;
            let Some(known) = known.0.get() else { return Ok(()) };
            match Engine::read(client).await {
                Ok(engine) if engine.tables == *known => Ok(()),
                Ok(_) => Err(HookError::message(
                    "the tables were distributed since this process started: restart it",
                )),
                Err(error) => Err(HookError::message(error.to_string())),
            }
        })
    })
}

/// Refuses a pooler in transaction mode: statements are prepared once and locks of migrations are held by a session, and such
/// a pooler hands both to somebody else. Two sessions that are open at once have one process of the server only there.
pub(super) async fn refuse_transaction_pooler(pool: &Pool) -> Result<(), StoreError> {
    let (first, second) = (checkout(pool).await?, checkout(pool).await?);
    let before = backend(&first).await?;
    // It hands out what was used last.
    let other = backend(&second).await?;
    match before == other || backend(&first).await? != before {
        true => Err(StoreError::Unsuitable(
            "a pooler in transaction mode stands in front of Postgres, and forgets what is prepared: let it pool sessions \
             (PgBouncer: pool_mode = session), or let DATABASE_URL name Postgres itself"
                .into(),
        )),
        false => Ok(()),
    }
}

/// Asks without preparing a statement.
async fn backend(client: &Client) -> Result<Option<String>, StoreError> {
    let answer = client.simple_query(sql::READ_BACKEND).await?;
    Ok(answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    }))
}
