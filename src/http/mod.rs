//! The kit of every route: bodies, parameters, validators, request ids, and the one place that knows status codes.

pub mod body;
pub mod caching;
pub mod error;
pub mod metrics;
pub mod parameters;
pub(crate) mod problems;
pub mod request_id;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use error::ApiError;

/// Whoever is at the other end of the connection, which may be a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Whoever sends a request, as far as one sender's excess is kept from others: a key in a page is used by many, and many may
/// be behind one address. It is among the extensions of a request with a body.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sender {
    /// The name of the key; none where no key is needed.
    pub key: Option<Arc<str>>,
    /// The address of the client, or of its network.
    pub address: IpAddr,
}

/// A small look-up may take this long. A Postgres that fell silent, as behind a broken network, refuses nothing and
/// would keep every request waiting.
const LOOK_UP_WAIT: Duration = Duration::from_secs(3);

/// Returns the answer of a look-up, or 503 if it takes too long.
pub async fn in_time<T>(look_up: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
    tokio::time::timeout(LOOK_UP_WAIT, look_up).await.unwrap_or_else(|_| Err(ApiError::silent_database()))
}
