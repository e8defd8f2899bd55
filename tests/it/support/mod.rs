//! The tests share these and nothing else: a database for each, the API on a free port, the binary as a process, and
//! chance that can be repeated.

mod app;
mod certificates;
mod chance;
mod cluster;
mod nats;
mod process;
mod served;
mod server;

pub use app::{App, Settings};
pub use certificates::{Authority, Certificate};
pub use chance::chance;
pub use cluster::{CITUS_BIN, Cluster};
pub use nats::{Nats, NatsCluster, nats_program};
pub use process::{Process, heatstrip, heatstrip_at, until};
pub use served::Served;
pub use server::{TestDatabase, copy_of, database, one_server};
