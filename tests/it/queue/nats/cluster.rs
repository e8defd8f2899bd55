//! Three servers: any one of them may die, and the client is told nothing but 202.

use chrono::Utc;
use heatstrip::postgres::Store;
use serde_json::json;

use crate::support::{App, NatsCluster, Settings, database, until};

#[tokio::test]
async fn one_of_three_servers_may_die_under_load() {
    let mut nats = NatsCluster::start().await;
    let database = database().await;
    let store = Store::connect(&database.url, 8).await.expect("a store");
    let queue = nats.queue(&store).await;
    let app = App::start_on(database, queue, Settings { now: Utc::now(), ..Settings::default() }).await;
    let body = |n: u32| {
        let beat = json!({"video_id": "v", "start_sec": 0, "end_sec": 9, "viewer_id": format!("viewer {n}")});
        json!({"batch_id": uuid::Uuid::from_u128(n.into()), "heartbeats": [beat]}).to_string()
    };
    let mut accepted = 0;
    for dying in 0..3 {
        for n in 0..20 {
            assert_eq!(app.post(body(100 * dying + n)).await.status(), 202);
            accepted += 1;
        }
        nats.servers[dying as usize].process.kill().await;
        // A new leader may have to be found: whoever waits for that is told to come again, and may.
        until("it is accepted again", std::time::Duration::from_secs(30), async || {
            (app.post(body(100 * dying + 50)).await.status() == 202).then_some(())
        })
        .await;
        accepted += 1;
        for n in 60..70 {
            assert_eq!(app.post(body(100 * dying + n)).await.status(), 202, "two of three are enough");
            accepted += 1;
        }
        nats.servers[dying as usize].restart().await;
        nats.until_it_agrees().await;
        until_replicated(&nats).await;
    }
    app.fold().await;
    let strip = app.json("/v1/videos/v/heatmap?resolution=3600").await;
    assert_eq!(strip["seconds_played"], accepted * 10);
    assert_eq!(strip["viewers"], accepted);
}

/// Waits until all replicas of the stream have caught up, so that another may die.
async fn until_replicated(nats: &NatsCluster) {
    until("the replicas have caught up", std::time::Duration::from_secs(30), async || {
        let client = heatstrip::queue::nats::stream::connect(&nats.url).await.ok()?;
        let context = async_nats::jetstream::new(client);
        let stream = context.get_stream("heatstrip").await.ok()?;
        let cluster = stream.cached_info().cluster.clone()?;
        (cluster.leader.is_some() && cluster.replicas.iter().all(|replica| replica.current)).then_some(())
    })
    .await;
}
