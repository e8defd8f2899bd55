//! Counters: likes, favourites, shares, purchases. Who × object × kind × ±1, with totals that cannot drift from their
//! records, since both change in one transaction.

pub mod apply;
pub mod block;
pub mod element;
pub mod erase;
pub mod http;
pub mod intake;
pub mod kinds;
pub mod metrics;
pub mod nightly;
pub mod reconcile;
pub mod store;
