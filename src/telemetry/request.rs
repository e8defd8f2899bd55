//! Knows the request that is being answered, for the lines that are logged meanwhile. The request is written out only with
//! a line: a span would cost every request a twentieth of its time.

use std::sync::Arc;

/// A log line says this about its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The request has this name in the logs of everybody it passes.
    pub id: String,
    /// The HTTP method.
    pub method: String,
    /// The route and not the path, so that whatever strangers write stays out of the logs.
    pub route: String,
}

tokio::task_local! {
    static CURRENT: Arc<Request>;
}

/// Returns the request under way, if this task answers one.
pub fn current() -> Option<Arc<Request>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// Does the work of answering a request, whose log lines then name it.
pub async fn answering<T>(request: Arc<Request>, work: impl Future<Output = T>) -> T {
    CURRENT.scope(request, work).await
}

/// Does work that another task takes over from the request under way, if there is one.
pub async fn carried<T>(request: Option<Arc<Request>>, work: impl Future<Output = T>) -> T {
    match request {
        Some(request) => answering(request, work).await,
        None => work.await,
    }
}
