//! The queue beside readers with old snapshots: its head, its ring of batch ids, and how its statements are planned.

mod conformance;
mod forget;
mod heads;
mod nats;
mod plans;
mod ring;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use heatstrip::{
    events::hashed::HashedHeartbeat,
    postgres::Store,
    queue::{
        Batch, Enqueued,
        batch_ids::{Accepted, Ring},
    },
};
use uuid::Uuid;

fn now() -> DateTime<Utc> {
    "2026-11-21T10:00:00Z".parse().expect("an instant")
}

/// Enqueues one heartbeat in lane 3.
async fn enqueue(store: &Store, id: Option<Uuid>) -> Enqueued {
    let heartbeat = HashedHeartbeat {
        video_id: "v",
        region: "JP",
        captured_on: now().date_naive(),
        start_sec: 7,
        end_sec: 7,
        viewer_hash: 1,
    };
    let batch = Batch {
        id,
        lanes: BTreeMap::from([(3, [heartbeat].into_iter().collect())]),
        answer: Accepted { accepted: 1, rejected: "[]".into() },
    };
    store.enqueue(Ring::Http, &[batch], now()).await.expect("it is enqueued").remove(0)
}
