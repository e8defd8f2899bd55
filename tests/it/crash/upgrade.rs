//! Old and new version side by side under load: the new one migrates while the old one runs, then takes over process by
//! process, and every accepted heartbeat counts exactly once.
//!
//! `HEATSTRIP_PREVIOUS_BIN` names the program of the old version; `script/test-long` builds it from the repository. Without
//! it this version stands for both.

use std::{path::PathBuf, sync::atomic::Ordering};

use super::{
    DRAIN, GRACE, assert_counted_once, assert_served,
    load::Clients,
    until_accepted,
    world::{World, connect, start},
};

/// Heartbeats that must have been accepted in each part of the upgrade.
const EACH: u64 = 3_000;

async fn some_more(clients: &Clients) {
    let before = clients.load.heartbeats.load(Ordering::Relaxed);
    crate::support::until("more heartbeats are accepted", DRAIN, async || {
        (clients.load.heartbeats.load(Ordering::Relaxed) > before + EACH).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_and_new_run_side_by_side() {
    let previous = std::env::var_os("HEATSTRIP_PREVIOUS_BIN").map(PathBuf::from);
    println!("the old version is {previous:?}");
    let mut world = World::start_as(previous, 2).await;
    let mut clients = Clients::start(&world.url, rand::random());
    until_accepted(&clients.load).await;
    some_more(&clients).await;

    // The old version goes on while the new one migrates, and afterwards.
    let mut migrate = start(&["migrate"], &world.database_url, &world.logs.path().join("new-migrate.log"));
    assert!(migrate.wait(DRAIN).await.success(), "{}", migrate.log());
    some_more(&clients).await;
    world.assert_runs();

    // Workers of both versions, then an API of the new one.
    world.previous = None;
    world.workers[0].terminate(GRACE).await;
    world.restart_worker(0).await;
    some_more(&clients).await;
    let mut night = start(&["compact"], &world.database_url, &world.logs.path().join("night.log"));
    assert!(night.wait(DRAIN).await.success(), "{}", night.log());
    world.api.terminate(GRACE).await;
    world.restart_api();
    until_accepted(&clients.load).await;
    some_more(&clients).await;
    world.workers[1].terminate(GRACE).await;
    world.restart_worker(1).await;
    some_more(&clients).await;
    clients.assert_run();
    world.assert_runs();

    let oracle = clients.finish().await;
    world.drain(DRAIN).await;
    let client = connect(&world.database_url).await;
    assert_counted_once(&client, &oracle).await;
    assert_served(&world.url, &oracle).await;
    world.api.terminate(GRACE).await;
    world.postgres.stop().await.expect("the server stops");
}
