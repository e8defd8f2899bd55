//! Accepts connections and serves them, as many at once as there may be, each under its deadlines.

use std::{collections::HashMap, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, Id, JoinSet},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use super::connection::{Arriving, Guarded, Phase, Working};
use crate::http::{Peer, metrics::METRICS};

/// A connection without a request is kept for this long. Proxies in front should give up their idle connections sooner.
const MAX_IDLE: Duration = Duration::from_secs(75);
/// The head of a request has at most this many bytes.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// Accepting pauses for this long when the process has no file left for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// This many files are left for everything that is no connection of a client.
const OTHER_FILES: u64 = 128;

/// Says how a listener serves.
#[derive(Clone)]
pub struct Terms {
    /// At most this many connections are open at once.
    pub max_connections: usize,
    /// The head of a request may take this long from its first byte on; with TLS, the handshake too.
    pub head_deadline: Duration,
    /// Connections begin with a TLS handshake.
    pub tls: Option<TlsAcceptor>,
}

/// Makes room for as many files as connections may be open, and returns how many connections that leaves.
pub fn make_room(max_connections: usize) -> usize {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let needed = max_connections as u64 + OTHER_FILES;
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return max_connections;
    };
    let raised = match needed > soft && setrlimit(Resource::RLIMIT_NOFILE, needed.min(hard), hard).is_ok() {
        true => needed.min(hard),
        false => soft,
    };
    if raised >= needed {
        return max_connections;
    }
    let left = raised.saturating_sub(OTHER_FILES).max(1) as usize;
    tracing::warn!(left, "the limit of open files leaves room for {left} connections: raise `ulimit -n`");
    left
}

/// The connections that are open.
#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    open: HashMap<Id, (Arc<Phase>, AbortHandle)>,
}

impl Connections {
    /// Forgets those that have ended.
    fn sweep(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.ended(ended);
        }
    }

    fn ended(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        self.open.remove(&id);
        METRICS.connections.set(self.open.len() as i64);
    }

    /// Ends the connection that has waited longest for its client, and returns false if the server works on all of them.
    fn evict(&mut self) -> bool {
        loop {
            let waiting = self.open.iter().filter_map(|(id, (phase, _))| Some((phase.waiting_since()?, *id)));
            let Some((since, id)) = waiting.min_by_key(|(since, _)| *since) else {
                return false;
            };
            let (phase, task) = &self.open[&id];
            if phase.evict(since) {
                task.abort();
                self.open.remove(&id);
                METRICS.connections_evicted.inc();
                return true;
            }
        }
    }

    fn add(&mut self, phase: Arc<Phase>, connection: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(connection);
        self.open.insert(task.id(), (phase, task));
        METRICS.connections.set(self.open.len() as i64);
    }
}

/// Serves until told to stop, and then ends what is under way in good order.
pub async fn listen(listener: TcpListener, router: Router, terms: Terms, stop: CancellationToken) {
    let mut connections = Connections::default();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = connections.tasks.join_next_with_id() => {
                connections.ended(ended);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                if !is_of_one_connection(&error) {
                    tracing::warn!(%error, "no connection can be accepted: {error}");
                    // Room may be made by those who wait.
                    connections.evict();
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
                continue;
            }
        };
        connections.sweep();
        if connections.open.len() >= terms.max_connections && !connections.evict() {
            METRICS.connections_refused.inc();
            continue;
        }
        // Answers are small and complete when they are written: nothing is gained by waiting for more.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay: {error}");
        }
        let phase = Phase::new();
        let (router, terms, stop) = (router.clone(), terms.clone(), stop.clone());
        connections.add(Arc::clone(&phase), connection(stream, peer, router, terms, phase, stop));
    }
    drop(listener);
    while let Some(ended) = connections.tasks.join_next_with_id().await {
        connections.ended(ended);
    }
}

/// True for what went wrong with one connection, before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    terms: Terms,
    phase: Arc<Phase>,
    stop: CancellationToken,
) {
    let stream = Guarded::new(stream, Arc::clone(&phase), terms.head_deadline);
    match terms.tls {
        None => exchange(TokioIo::new(stream), peer, router, phase, stop).await,
        // A handshake that fails is the client's affair.
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(terms.head_deadline, tls.accept(stream)).await {
                exchange(TokioIo::new(stream), peer, router, phase, stop).await;
            }
        }
    }
}

async fn exchange(
    io: impl hyper::rt::Read + hyper::rt::Write + Unpin,
    peer: SocketAddr,
    router: Router,
    phase: Arc<Phase>,
    stop: CancellationToken,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let working = Working::begin(&phase);
        let mut request = request.map(|body| Arriving::body(body, Arc::clone(&phase)));
        request.extensions_mut().insert(Peer(peer));
        let answering = router.clone().call(request);
        async move {
            let _working = working;
            answering.await
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(MAX_IDLE).max_buf_size(MAX_HEAD_BYTES);
    let mut connection = std::pin::pin!(builder.serve_connection(io, service));
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection broke: {error}");
    }
}
