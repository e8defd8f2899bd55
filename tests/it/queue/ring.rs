//! The ring of batch ids turns beside a dump: no commit waits for it.

use std::time::Duration;

use heatstrip::{
    postgres::Store,
    queue::{Enqueued, batch_ids::Ring},
};
use uuid::Uuid;

use super::{enqueue, now};
use crate::support::{database, until};

/// A dump holds every table for hours. Whoever wants to empty a slot waits for it, and while it waits commits go on.
#[tokio::test]
async fn no_commit_waits_while_the_ring_waits_for_a_dump() {
    let database = database().await;
    let store = Store::connect(&database.url, 4).await.expect("a store");
    let sql = database.connect().await;
    // Slot 1 comes next and has something to empty.
    sql.batch_execute("INSERT INTO batch_ids VALUES (1, gen_random_uuid(), 1, '[]')")
        .await
        .expect("an old id");
    let dump = database.connect().await;
    dump.batch_execute("BEGIN; LOCK TABLE batch_ids, heartbeat_queue, batch_id_rings IN ACCESS SHARE MODE")
        .await
        .expect("what a dump holds");

    // A turn that waits without limit, as no process does: whatever commits, commits beside it.
    let turning = database.connect().await;
    let turn = tokio::spawn(async move {
        let query = "SELECT rotate_batch_ids('http', '600 s', '2026-11-21T10:00:00Z')";
        turning.query_one(query, &[]).await.expect("a turn in the end").get::<_, bool>(0)
    });
    until("the turn waits for the dump", Duration::from_secs(10), async || {
        let waiting =
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'batch_ids_1'::regclass";
        (sql.query_one(waiting, &[]).await.expect("the locks").get::<_, i64>(0) == 1).then_some(())
    })
    .await;
    let id = Uuid::now_v7();
    let commits = async {
        assert_eq!(enqueue(&store, Some(id)).await, Enqueued::New);
        assert!(matches!(enqueue(&store, Some(id)).await, Enqueued::Duplicate(_)));
        assert!(store.accepted_batches(Ring::Http, &[id]).await.expect("a look").contains_key(&id));
        for _ in 0..20 {
            assert_eq!(enqueue(&store, Some(Uuid::now_v7())).await, Enqueued::New);
        }
    };
    tokio::time::timeout(Duration::from_secs(20), commits).await.expect("commits do not wait");
    assert!(!turn.is_finished(), "the turn still waits");

    // A process does not wait for long, and leaves the ring as it is.
    assert!(!store.rotate_batch_ids(Ring::Http, Duration::from_secs(600), now()).await.expect("a try"));
    dump.batch_execute("COMMIT").await.expect("the dump ends");
    assert!(turn.await.expect("no panic"), "and the ring turns");
    assert!(matches!(enqueue(&store, Some(id)).await, Enqueued::Duplicate(_)), "what was accepted is known");
}
