//! Salts at hand: everybody who asks at once waits for one look, and what is kept of a given salt is slow to guess.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use heatstrip::{
    clock::Clock,
    postgres::Store,
    viewers::{
        epoch::Rotation,
        hash::Salt,
        salt::{SaltError, SaltSource, Salts},
    },
};
use tokio_postgres::Client;

use crate::support::{database, until};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

async fn fingerprint(sql: &Client) -> Vec<u8> {
    sql.query_one("SELECT fingerprint FROM salt_epochs", &[]).await.expect("one epoch").get(0)
}

/// At midnight every request needs a salt that nobody has yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_midnight_one_looks_and_the_others_wait() {
    let database = database().await;
    let store = Store::connect(&database.url, 8).await.expect("a store");
    let clock = Clock::by_hand(at("2026-11-21T23:59:59Z"));
    let salts = Salts::new(store, SaltSource::Made(Rotation::Daily), clock.clone());
    salts.check().await.expect("a salt");
    clock.set(at("2026-11-22T00:00:00Z"));
    let sql = database.connect().await;
    let holder = database.connect().await;
    holder.batch_execute("BEGIN; LOCK TABLE salt_epochs").await.expect("the table is held");
    let asked: Vec<_> = (0..200)
        .map(|_| {
            let (salts, today) = (salts.clone(), clock.today());
            tokio::spawn(async move { salts.salt(today).await })
        })
        .collect();
    let waiting = async || {
        let query = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        sql.query_one(query, &[]).await.expect("the sessions").get::<_, i64>(0)
    };
    until("somebody looks", Duration::from_secs(10), async || (waiting().await > 0).then_some(())).await;
    // The pool has eight connections: without the one look, as many would wait by now.
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_millis(300) {
        assert_eq!(waiting().await, 1);
    }
    holder.batch_execute("COMMIT").await.expect("the table is free");
    let mut found = Vec::new();
    for asked in asked {
        found.push(asked.await.expect("no panic").expect("a salt"));
    }
    assert!(found.iter().all(|salt| *salt == found[0]));
}

/// A fingerprint of an earlier version is known, and is replaced when no neighbour needs it any more.
#[tokio::test]
async fn a_quick_fingerprint_is_replaced_after_a_day() {
    let database = database().await;
    let store = Store::connect(&database.url, 4).await.expect("a store");
    let sql = database.connect().await;
    let pepper = Salt::new(b"pepper-2026-01-01".to_vec());
    sql.execute(
        "INSERT INTO salt_epochs (first_day, last_day, rotation, fingerprint, made_at, used_through)
         VALUES ('0001-01-01', '9999-12-31', 'never', $1, '2026-11-01', '2026-11-20')",
        &[&pepper.quick_fingerprint()],
    )
    .await
    .expect("an epoch of an earlier version");
    let clock = Clock::by_hand(at("2026-11-21T10:00:00Z"));
    let salts = |salt: &Salt| Salts::new(store.clone(), SaltSource::Given(salt.clone()), clock.clone());
    let running = salts(&pepper);
    running.check().await.expect("the same salt");
    assert_eq!(fingerprint(&sql).await, pepper.quick_fingerprint(), "a neighbour may need it");
    let other = salts(&Salt::new(b"pepper-2026-01-02".to_vec())).check().await.expect_err("another salt");
    assert!(matches!(other, SaltError::OtherSalt { .. }), "{other}");

    clock.set(clock.now() + TimeDelta::hours(25));
    running.check().await.expect("the same salt");
    let slow = fingerprint(&sql).await;
    assert_eq!(slow.len(), 49);
    assert!(pepper.has_fingerprint(&slow));
    salts(&pepper).check().await.expect("a process that starts knows it");
    let other = salts(&Salt::new(b"pepper-2026-01-02".to_vec())).check().await.expect_err("another salt");
    assert!(matches!(other, SaltError::OtherSalt { .. }), "{other}");
    clock.set(clock.now() + TimeDelta::hours(25));
    running.check().await.expect("the same salt");
    assert_eq!(fingerprint(&sql).await, slow, "once");
}
