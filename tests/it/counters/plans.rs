//! Reads and writes look rows up, however many there are: no statement of theirs reads a whole table or sorts one.

use heatstrip::counters::store::sql;
use tokio_postgres::Client;

use crate::support::database;

/// A hot counter, many small ones, a busy member, blocks.
async fn fill(client: &Client) {
    client
        .batch_execute(
            "INSERT INTO counter_objects (object_type, object_id) SELECT 'video', 'o' || n FROM generate_series(1, 3000) n;
             INSERT INTO counter_members (member_id) SELECT 'm' || n FROM generate_series(1, 3000) n;
             INSERT INTO counters (object, kind, total, last_seq) SELECT n, 2, 30, 40 FROM generate_series(1, 3000) n;
             INSERT INTO counters (object, kind, total, last_seq) SELECT n, 4, 30, 40 FROM generate_series(1, 3000) n;
             INSERT INTO counter_marks SELECT 1, n, n, now() FROM generate_series(1, 3000) n;
             INSERT INTO counter_marks SELECT n, 1, 1, now() FROM generate_series(2, 3000) n;
             INSERT INTO counter_marks SELECT n, 2 + k, 2 + (n + k) % 2900, now() FROM generate_series(2, 3000) n, generate_series(1, 5) k;
             INSERT INTO counter_events SELECT 3001, n, n, now(), 1 FROM generate_series(1, 3000) n;
             INSERT INTO counter_events SELECT n, 1, 1, now(), 1 FROM generate_series(3002, 6000) n;
             INSERT INTO counter_blocks SELECT 3001, -128 * n, now(), now(), array_agg(1 + (n * 7 + k) % 3000), decode(repeat('00', 128), 'hex')
                FROM generate_series(1, 400) n, generate_series(0, 127) k GROUP BY n",
        )
        .await
        .expect("counters");
    client.batch_execute("VACUUM ANALYZE").await.expect("statistics");
}

async fn plan(client: &Client, prepare: &str, statement: &str, parameters: &str) -> String {
    let mut plans = String::new();
    // As it is planned at first, and as it is once it has been asked a few times.
    for mode in ["force_custom_plan", "force_generic_plan"] {
        client.batch_execute("BEGIN").await.expect("a transaction");
        client.batch_execute(prepare).await.expect("the settings");
        client
            .batch_execute(&format!("SET LOCAL plan_cache_mode = {mode}; PREPARE asked AS {statement}"))
            .await
            .expect("a statement");
        let explain = format!("EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF) EXECUTE asked ({parameters})");
        let rows = client.query(&explain, &[]).await.expect("a plan");
        client.batch_execute("DEALLOCATE asked; ROLLBACK").await.expect("the end");
        plans.extend(rows.iter().map(|row| row.get::<_, String>(0) + "\n"));
    }
    plans
}

#[tokio::test]
async fn every_read_looks_rows_up() {
    let database = database().await;
    let client = database.connect().await;
    fill(&client).await;
    let one = "'{video}', '{o1}'";
    let ids: Vec<String> = (1..=10).map(|n| format!("o{n}")).collect();
    let ten = format!("'{{{}}}', '{{{}}}'", ["video"; 10].join(","), ids.join(","));
    let newest = "1, 9223372036854775807, 20";
    let of_member = "1, NULL, '9999-01-01', 9223372036854775807, 9223372036854775807, 20";
    for (statement, parameters) in [
        (sql::READ_TOTALS, format!("{one}, NULL")),
        (sql::READ_TOTALS, format!("{ten}, '{{2,4}}'")),
        (sql::READ_MEMBER, "'m7'".to_owned()),
        (sql::READ_MEMBER_NAMES, "'{1,2,3}'".to_owned()),
        (sql::READ_DID, "1, '{1,2,3,3001}'".to_owned()),
        (sql::READ_DID_PACKED, "1, '{3001}'".to_owned()),
        (sql::READ_NEWEST_MARKS, newest.to_owned()),
        (sql::READ_NEWEST_EVENTS, "3001, 9223372036854775807, 20".to_owned()),
        (sql::READ_NEWEST_BLOCKS, "3001, 9223372036854775807, 3".to_owned()),
        (sql::READ_DONE_MARKS, of_member.to_owned()),
        (sql::READ_DONE_EVENTS, of_member.to_owned()),
        (sql::READ_DONE_BLOCKS, "1, NULL, '9999-01-01', 0, 32".to_owned()),
    ] {
        let plan = plan(&client, sql::PREPARE_READS, statement, &parameters).await;
        assert!(!plan.contains("Seq Scan on counter"), "{statement}\n{plan}");
    }
    // The newest come in the order of the index, as many as asked for and no more.
    for (statement, parameters) in
        [(sql::READ_NEWEST_MARKS, newest), (sql::READ_NEWEST_EVENTS, "3001, 9223372036854775807, 20")]
    {
        let plan = plan(&client, sql::PREPARE_READS, statement, parameters).await;
        assert!(!plan.contains("Sort"), "{plan}");
        // Since version 18 rows are counted to two digits, as an average of the loops.
        let as_asked = ["(actual rows=20 loops=1)", "(actual rows=20.00 loops=1)"];
        assert!(plan.contains("Backward") && as_asked.iter().any(|rows| plan.contains(rows)), "{plan}");
    }
    let busy = plan(&client, sql::PREPARE_READS, sql::READ_DONE_EVENTS, of_member).await;
    assert!(busy.contains("counter_events_at"), "{busy}");
}

#[tokio::test]
async fn every_write_looks_rows_up() {
    let database = database().await;
    let client = database.connect().await;
    fill(&client).await;
    for (statement, parameters) in [
        (sql::LOCK_COUNTERS, "'{video,video}', '{o1,o2}', '{2,2}'"),
        (sql::LOCK_MEMBERS, "'{m1,m2,m3}'"),
        (sql::READ_MARKS, "'{1,1,2}', '{5,6,1}'"),
        (sql::UPDATE_COUNTERS, "'{1,2}', '{5,6}', '{50,60}'"),
        (sql::DELETE_MARKS, "'{1,1}', '{7,8}'"),
        (sql::INSERT_OBJECTS, "'{video}', '{o1}'"),
        (sql::INSERT_COUNTERS, "'{video}', '{o1}', '{2}'"),
    ] {
        let plan = plan(&client, sql::PREPARE_WRITE, statement, parameters).await;
        assert!(!plan.contains("Seq Scan on counter") && !plan.contains("Hash Join"), "{statement}\n{plan}");
    }
    let lock =
        plan(&client, sql::PREPARE_WRITE, sql::LOCK_COUNTERS, "'{video,video}', '{o1,o2}', '{2,2}'").await;
    let (locks, sorts) = (lock.find("LockRows"), lock.find("Sort"));
    assert!(locks.is_some() && locks < sorts, "rows are locked in their order\n{lock}");
    for (statement, parameters) in [
        (sql::READ_ERASABLE, "1, 1000"),
        (sql::ERASE_MARKS, "1, '{1,2,3}'"),
        (sql::ERASE_EVENTS, "1, '{3001,3002}', 100"),
        (sql::READ_BLOCKS_OF_MEMBER, "1, '{3001}', 100"),
        (sql::READ_CLOSED_EVENTS, "3001, 1000"),
        (sql::DELETE_PACKED_EVENTS, "3001, 100"),
    ] {
        let plan = plan(&client, sql::PREPARE_PIECES, statement, parameters).await;
        assert!(!plan.contains("Seq Scan on counter"), "{statement}\n{plan}");
    }
}

/// A hot total is updated in place: no index is written for it.
#[tokio::test]
async fn totals_are_updated_in_place() {
    let database = database().await;
    let client = database.connect().await;
    client
        .batch_execute("INSERT INTO counters (object, kind) SELECT n, 2 FROM generate_series(1, 200) n")
        .await
        .expect("counters");
    for n in 1..=200 {
        let update = format!("UPDATE counters SET total = {n}, last_seq = {n} WHERE counter = 7");
        client.batch_execute(&update).await.expect("an update");
    }
    client.batch_execute("SELECT pg_stat_force_next_flush()").await.expect("statistics");
    let row = client
        .query_one("SELECT n_tup_hot_upd AS hot, n_tup_upd AS updates FROM pg_stat_user_tables WHERE relname = 'counters'", &[])
        .await
        .expect("statistics");
    let (hot, updates): (i64, i64) = (row.get("hot"), row.get("updates"));
    assert!(updates >= 200 && hot * 100 >= updates * 99, "{hot} of {updates}");
}
