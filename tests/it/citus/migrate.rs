//! `heatstrip migrate --citus`: what it refuses, and what it does.

use heatstrip::{
    clock::Clock,
    doctor::{Level, examine},
    postgres::{
        Store, Tables,
        migrate::{migrate, migrate_to_citus},
    },
};

use super::cluster;
use crate::support::one_server;

#[tokio::test]
async fn without_citus_nothing_is_distributed() {
    let database = one_server().await;
    let error = migrate_to_citus(&database.url, 16, 4).await.expect_err("no Citus").to_string();
    assert!(error.contains("CREATE EXTENSION citus") && !error.contains('\n'), "{error}");
    let store = Store::connect(&database.url, 2).await.expect("nothing has changed");
    assert_eq!(store.tables(), Tables::Local);
}

#[tokio::test]
async fn tables_are_distributed_once() {
    let Some(cluster) = cluster().await else { return };
    let database = cluster.bare_database("distributed_once").await;
    migrate(&database.url, 16).await.expect("the schema");
    let store = Store::connect(&database.url, 2).await.expect("a store");
    assert_eq!(store.tables(), Tables::Local);
    let error = migrate_to_citus(&database.url, 16, 4).await.expect_err("a store is open").to_string();
    assert!(error.contains("stop them all"), "{error}");
    store.check().await.expect("it goes on as before");
    store.close();
    drop(store);

    let tables = migrate_to_citus(&database.url, 16, 4).await.expect("nobody is left");
    assert_eq!(tables.len(), heatstrip::postgres::citus::DISTRIBUTED.len());
    assert!(migrate_to_citus(&database.url, 16, 4).await.expect("again").is_empty());
    let store = Store::connect(&database.url, 2).await.expect("a store");
    assert_eq!(store.tables(), Tables::Distributed);
    let findings = examine(&database.url, None, &Clock::system()).await;
    let finding = findings.iter().find(|finding| finding.check == "cluster").expect("a look at the cluster");
    assert!(finding.level == Level::Ok && finding.seen.starts_with("3 of 3 nodes"), "{finding}");
}
