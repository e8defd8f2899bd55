//! The NATS stream, where one is the queue.

use super::{Finding, fail, ok, store::QueueHealth, warn};
use crate::{
    postgres::Store,
    queue::{Queue, QueueError, nats::StreamHealth},
};

/// A stream that is fuller than this, in percent, is close to refusing heartbeats.
const FULL_PERCENT: u64 = 80;

/// Looks at the stream; none where the queue is the table. With it comes how much waits, if that can be seen.
pub async fn examine(database_url: &str, queue_url: Option<&str>) -> Option<(Finding, Option<QueueHealth>)> {
    let opened = async {
        let store = Store::connect(database_url, 2).await?;
        Queue::open(&store, queue_url).await
    };
    match opened.await {
        Ok(Queue::Table(_)) => None,
        Ok(queue) => Some(match look(&queue).await {
            Ok((health, depth)) => (judge(&health), Some(depth)),
            Err(error) => (refused(&error), None),
        }),
        Err(QueueError::Store(_)) if queue_url.is_none() => None,
        Err(error) => Some((refused(&error), None)),
    }
}

async fn look(queue: &Queue) -> Result<(StreamHealth, QueueHealth), QueueError> {
    let Queue::Nats(nats) = queue else { return Err(QueueError::Unsuitable("the queue is a table".into())) };
    let (health, depth) = (nats.health().await?, queue.depth().await?);
    Ok((health, QueueHealth { heartbeats: depth.heartbeats as i64, oldest: depth.oldest }))
}

fn refused(error: &QueueError) -> Finding {
    fail("stream", error.to_string(), "heartbeats are answered 503 until it is mended")
}

fn judge(health: &StreamHealth) -> Finding {
    let StreamHealth { name, replicas, lagging, bytes, max_bytes } = health;
    let mebibytes = |bytes: &u64| bytes >> 20;
    let seen = format!(
        "{name}: {replicas} replicas in files, {} of {} MiB; whether its servers have sync_interval: always cannot be seen from \
         here",
        mebibytes(bytes),
        mebibytes(max_bytes)
    );
    if *lagging > 0 {
        let advice =
            format!("{lagging} replicas are away or behind: see to their servers before another dies");
        return warn("stream", seen, advice);
    }
    if *max_bytes > 0 && bytes * 100 / max_bytes >= FULL_PERCENT {
        let advice =
            "run more of `heatstrip work`, or raise HEATSTRIP_STREAM_MAX_BYTES and run `heatstrip migrate`";
        return warn("stream", seen, advice);
    }
    ok("stream", seen)
}
