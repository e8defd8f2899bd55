//! What every session is set to, and which poolers let it stay so.

use deadpool_postgres::{Client, Hook, HookError, Pool};
use tokio_postgres::SimpleQueryMessage;

use super::{StoreError, checkout, sql};

/// Sets up each new session of a pool.
pub(super) fn settings() -> Hook {
    Hook::async_fn(|client, _| {
        Box::pin(async move { client.batch_execute(sql::PREPARE_SESSION).await.map_err(HookError::Backend) })
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
