//! Metrics of the pool of connections.

use std::sync::LazyLock;

use prometheus::IntGauge;

use super::PoolState;
use crate::telemetry::registry::gauge;

/// The metrics of this folder. They are registered at once, so that none is missing before its first event.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Each field is the handle of one metric, whose help text says what it means.
pub struct Metrics {
    pool_max: IntGauge,
    pool_connections: IntGauge,
    pool_available: IntGauge,
    pool_waiting: IntGauge,
}

impl Metrics {
    fn new() -> Self {
        Metrics {
            pool_max: gauge("pool_max_connections", "Connections to Postgres the pool may have."),
            pool_connections: gauge("pool_connections", "Connections to Postgres the pool has."),
            pool_available: gauge("pool_available_connections", "Connections of the pool that nobody uses."),
            pool_waiting: gauge("pool_waiting", "Requests and jobs that wait for a connection."),
        }
    }

    /// Sets the gauges to how busy a pool is now.
    pub fn pool(&self, pool: &PoolState) {
        self.pool_max.set(pool.max as i64);
        self.pool_connections.set(pool.connections as i64);
        self.pool_available.set(pool.available as i64);
        self.pool_waiting.set(pool.waiting as i64);
    }
}
