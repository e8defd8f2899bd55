//! The request that is being answered, for the lines that are logged meanwhile. It is written out only where a line is: a
//! span would cost every request a twentieth of its time.

use std::sync::Arc;

/// What a log line says of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What the request is called in the logs of everybody it passes.
    pub id: String,
    /// The HTTP method.
    pub method: String,
    /// The route, not the path: what strangers write stays out of the logs.
    pub route: String,
}

tokio::task_local! {
    static CURRENT: Arc<Request>;
}

/// The request under way, if this task answers one.
pub fn current() -> Option<Arc<Request>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// Does the work of answering a request.
pub async fn answering<T>(request: Arc<Request>, work: impl Future<Output = T>) -> T {
    CURRENT.scope(request, work).await
}

/// Work that another task does for the request under way, if there is one.
pub async fn carried<T>(request: Option<Arc<Request>>, work: impl Future<Output = T>) -> T {
    match request {
        Some(request) => answering(request, work).await,
        None => work.await,
    }
}
