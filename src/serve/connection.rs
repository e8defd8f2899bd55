//! One connection: the deadlines of its socket, and what is known of it when room for another is needed.
//!
//! A client that sends nothing, sends slowly or does not read costs a socket for a limited time, and it costs nothing at all
//! once others need the room: whoever has waited longest goes first.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

/// A client that takes nothing of its answer is given up after this long.
const MAX_STALL: Duration = Duration::from_secs(30);
/// A client that takes less than this in the long run is given up too.
const MIN_BYTES_PER_SEC: u32 = 8 << 10;

/// The moment to which waiting is counted, so that it fits into a number.
static START: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
/// The server works on the connection's request.
const WORKING: u64 = 0;
/// The connection has to make room.
const EVICTED: u64 = u64::MAX;
/// Set where the server waits for a body, which has another deadline than a head.
const BODY: u64 = 1;

/// Tells since when a connection has been waiting for its client.
#[derive(Debug)]
pub struct Phase(AtomicU64);

impl Phase {
    /// Returns the phase of a connection that has just been accepted.
    pub fn new() -> Arc<Phase> {
        Arc::new(Phase(AtomicU64::new(now())))
    }

    /// Notes that the server waits for a body from now on, if it did not wait already.
    fn wait_for_body(&self) {
        let _ = self.0.compare_exchange(WORKING, now() | BODY, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Notes that the server is done with a request, whose body may not have come, and waits for the next one.
    fn wait_for_head(&self) {
        let since = self.0.load(Ordering::Relaxed);
        if since != EVICTED {
            let _ = self.0.compare_exchange(since, now(), Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Notes that the server works.
    pub fn work(&self) {
        let since = self.0.load(Ordering::Relaxed);
        if since != EVICTED {
            let _ = self.0.compare_exchange(since, WORKING, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Returns since when the server has been waiting for the client, in units of some count; none while it works.
    pub fn waiting_since(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&since| since != WORKING && since != EVICTED)
    }

    /// Returns the same, and none also while it waits for a body.
    fn waiting_for_head_since(&self) -> Option<u64> {
        self.waiting_since().filter(|since| since & BODY == 0)
    }

    /// Makes the connection one that has to go, unless it has begun to work since.
    pub fn evict(&self, since: u64) -> bool {
        self.0.compare_exchange(since, EVICTED, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Returns nanoseconds of this process's life, never 0; two waits of a connection never begin at the same one. The lowest bit
/// is free.
fn now() -> u64 {
    (START.elapsed().as_nanos() as u64 + 1) << 1
}

/// Notes that the client is waited for when this is dropped, however the work ended.
pub struct Working(Arc<Phase>);

impl Working {
    /// Begins to work.
    pub fn begin(phase: &Arc<Phase>) -> Working {
        phase.work();
        Working(Arc::clone(phase))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.wait_for_head();
    }
}

/// A body that arrives; while nothing comes the connection is one that waits.
pub struct Arriving {
    body: Incoming,
    phase: Arc<Phase>,
}

impl Arriving {
    /// Wraps a body for the routes.
    pub fn body(body: Incoming, phase: Arc<Phase>) -> Body {
        // Most requests have none.
        if HttpBody::is_end_stream(&body) {
            return Body::empty();
        }
        Body::new(Arriving { body, phase })
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => {
                self.phase.wait_for_body();
                Poll::Pending
            }
            ready => {
                // A client that trickles is still one that is waited for: only the end of its body ends that.
                if matches!(ready, Poll::Ready(None)) || HttpBody::is_end_stream(&self.body) {
                    self.phase.work();
                }
                ready
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        HttpBody::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        HttpBody::size_hint(&self.body)
    }
}

/// A socket with deadlines.
pub struct Guarded {
    stream: TcpStream,
    phase: Arc<Phase>,
    /// A head may take this long from its first byte on.
    head_deadline: Duration,
    /// Since when the connection had waited for the head that is arriving, and the head's deadline.
    head: Option<(u64, Instant)>,
    /// Wakes the connection at that deadline. Almost all heads arrive whole and need none.
    head_timer: Option<Pin<Box<Sleep>>>,
    /// The deadline of what is to be written, while the client does not take it.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Guarded {
    /// Puts a socket under its deadlines.
    pub fn new(stream: TcpStream, phase: Arc<Phase>, head_deadline: Duration) -> Guarded {
        Guarded { stream, phase, head_deadline, head: None, head_timer: None, stalled: None }
    }

    /// Returns an error once the head that is arriving has taken too long.
    fn check_head(&mut self, cx: &mut Context<'_>, arrived: bool) -> io::Result<()> {
        let Some(since) = self.phase.waiting_for_head_since() else {
            return Ok(());
        };
        let begun = self.head.filter(|&(begun, _)| begun == since);
        let deadline = match begun {
            Some((_, deadline)) => deadline,
            // Nothing of the next request has come yet.
            None if !arrived => return Ok(()),
            None => Instant::now() + self.head_deadline,
        };
        self.head = Some((since, deadline));
        let is_over = match arrived {
            true => Instant::now() >= deadline,
            false => {
                let timer = self.head_timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
                if timer.deadline() != deadline {
                    timer.as_mut().reset(deadline);
                }
                timer.as_mut().poll(cx).is_ready()
            }
        };
        match is_over {
            true => Err(io::Error::new(io::ErrorKind::TimedOut, "the head of a request took too long")),
            false => Ok(()),
        }
    }

    /// Moves the deadline of what is to be written.
    fn written(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            let deadline =
                self.stalled.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + MAX_STALL)));
            ready!(deadline.as_mut().poll(cx));
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "an answer was not taken")));
        }
        if let (Poll::Ready(Ok(bytes)), Some(deadline)) = (&written, &mut self.stalled) {
            let earned = Duration::from_secs_f64(*bytes as f64 / f64::from(MIN_BYTES_PER_SEC));
            let later = (deadline.deadline() + earned).min(Instant::now() + MAX_STALL);
            deadline.as_mut().reset(later);
        }
        written
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let arrived = buffer.filled().len() > before;
        this.check_head(cx, arrived)?;
        read
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, bytes);
        this.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Everything was taken when this is asked for.
        this.stalled = None;
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    const HEAD_DEADLINE: Duration = Duration::from_secs(10);

    async fn pair() -> (Guarded, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let client = TcpStream::connect(listener.local_addr().expect("an address"));
        let (client, accepted) = tokio::join!(client, listener.accept());
        let accepted = accepted.expect("a connection").0;
        (Guarded::new(accepted, Phase::new(), HEAD_DEADLINE), client.expect("a connection"))
    }

    /// Without the deadline this never ends.
    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_is_given_up() {
        let (mut guarded, _client) = pair().await;
        let error = guarded.write_all(&vec![0; 64 << 20]).await.expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_head_is_given_up_and_no_head_is_not() {
        let (mut guarded, mut client) = pair().await;
        let mut bytes = [0; 16];
        let idle = tokio::time::timeout(100 * HEAD_DEADLINE, guarded.read(&mut bytes)).await;
        assert!(idle.is_err(), "an idle connection is no slow one");
        client.write_all(b"GET / HTT").await.expect("it is sent");
        assert_eq!(guarded.read(&mut bytes).await.expect("bytes"), 9);
        let error = guarded.read(&mut bytes).await.expect_err("no more comes");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    /// Its body may take as long as the routes let it, also while they wait for it; the next head may not.
    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_no_head() {
        let (mut guarded, mut client) = pair().await;
        let mut bytes = [0; 16];
        let phase = Arc::clone(&guarded.phase);
        let working = Working::begin(&phase);
        phase.wait_for_body();
        for _ in 0..10 {
            client.write_all(b"x").await.expect("it is sent");
            assert_eq!(guarded.read(&mut bytes).await.expect("a byte"), 1);
            tokio::time::sleep(HEAD_DEADLINE).await;
        }
        drop(working);
        client.write_all(b"GET / HTT").await.expect("it is sent");
        assert_eq!(guarded.read(&mut bytes).await.expect("bytes"), 9);
        let error = guarded.read(&mut bytes).await.expect_err("no more comes");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn who_works_is_not_evicted() {
        let phase = Phase::new();
        let since = phase.waiting_since().expect("it waits");
        let working = Working::begin(&phase);
        assert!(phase.waiting_since().is_none() && !phase.evict(since));
        drop(working);
        let since = phase.waiting_since().expect("it waits again");
        assert!(phase.evict(since));
        phase.work();
        assert!(phase.waiting_since().is_none(), "it stays evicted");
    }
}
