//! The load: requests at a fixed pace, whatever becomes of them, from one thread that does little else than write them.
//!
//! The pace is open-loop: a request is due when it is due, and its latency counts from then, so that a server that stalls
//! is not asked less. What cannot be sent, because all connections wait or its sessions' last heartbeats are not answered
//! yet, is counted as refused.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::LocalSet,
};
use tokio_util::sync::CancellationToken;

use super::sessions::{BATCH, Request, Sessions};
use crate::cpu;

/// Connections; each has one request under way.
const CONNECTIONS: usize = 128;
/// What is later than this was not sent when it was due.
const MAX_LATENESS: Duration = Duration::from_secs(5);

/// What became of the load so far.
#[derive(Default)]
pub struct Counts {
    /// Heartbeats that were due.
    pub due: AtomicU64,
    /// Heartbeats that were answered 202, and the seconds they cover.
    pub accepted: AtomicU64,
    pub accepted_secs: AtomicU64,
    /// Requests that were answered 429, 503 or otherwise, that broke, or that could not be sent.
    pub too_many: AtomicU64,
    pub unavailable: AtomicU64,
    pub otherwise: AtomicU64,
    pub broken: AtomicU64,
    pub unsent: AtomicU64,
    /// Requests by their latency in powers of two of a millisecond.
    pub latencies: [AtomicU64; 16],
    /// CPU time of the thread, in milliseconds.
    pub cpu_ms: AtomicU64,
}

/// A load under way.
pub struct Generator {
    pub counts: Arc<Counts>,
    stop: CancellationToken,
    thread: JoinHandle<anyhow::Result<()>>,
}

/// What the tasks of the thread share.
struct Shared {
    address: SocketAddr,
    begin: Instant,
    period: Duration,
    next: Cell<u64>,
    sessions: RefCell<Sessions>,
    /// A request is away while it is under way.
    requests: RefCell<Vec<Option<Request>>>,
    counts: Arc<Counts>,
    stop: CancellationToken,
}

impl Generator {
    /// Begins to send `rate` heartbeats a second to the server at `url`, from `sessions` sessions at once.
    pub fn start(url: &str, rate: u64, sessions: usize, seed: u64) -> anyhow::Result<Self> {
        let address = url.strip_prefix("http://").context("an address")?.parse()?;
        let (counts, stop) = (Arc::new(Counts::default()), CancellationToken::new());
        let (ready, is_ready) = std::sync::mpsc::channel();
        let thread = {
            let (counts, stop) = (Arc::clone(&counts), stop.clone());
            std::thread::spawn(move || {
                let mut made = Sessions::new(seed);
                let requests = (0..sessions.div_ceil(BATCH)).map(|_| Some(made.request())).collect();
                let shared = Rc::new(Shared {
                    address,
                    begin: Instant::now(),
                    period: Duration::from_secs_f64(BATCH as f64 / rate as f64),
                    next: Cell::new(0),
                    sessions: RefCell::new(made),
                    requests: RefCell::new(requests),
                    counts,
                    stop,
                });
                let _ = ready.send(());
                run(&shared)
            })
        };
        // Sessions are drawn before the clock starts.
        is_ready.recv().context("the load did not start")?;
        Ok(Generator { counts, stop, thread })
    }

    /// Ends the load; what is under way is waited for.
    pub fn end(self) -> anyhow::Result<Arc<Counts>> {
        self.stop.cancel();
        self.thread.join().expect("the load does not panic")?;
        Ok(self.counts)
    }
}

impl Counts {
    /// Requests that were not accepted.
    pub fn refused(&self) -> u64 {
        [&self.too_many, &self.unavailable, &self.otherwise, &self.broken, &self.unsent]
            .into_iter()
            .map(|count| count.load(Relaxed))
            .sum()
    }

    /// The latency, in ms, that this share of the requests stayed below, to a power of two.
    pub fn latency_ms(&self, share: f64) -> u64 {
        let counts: Vec<u64> = self.latencies.iter().map(|count| count.load(Relaxed)).collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * share) as u64;
        let mut below = 0;
        let reached = counts.iter().position(|count| {
            below += count;
            below > wanted
        });
        1 << reached.unwrap_or(counts.len() - 1)
    }
}

fn run(shared: &Rc<Shared>) -> anyhow::Result<()> {
    let thread = std::fs::read_link("/proc/thread-self")?.to_string_lossy().into_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = LocalSet::new();
    for _ in 0..CONNECTIONS {
        let shared = Rc::clone(shared);
        tasks.spawn_local(async move { send_all(&shared).await });
    }
    let counts = Arc::clone(&shared.counts);
    let stop = shared.stop.clone();
    tasks.spawn_local(async move {
        while stop.run_until_cancelled(tokio::time::sleep(Duration::from_millis(500))).await.is_some() {
            counts.cpu_ms.store(cpu::of_thread(&thread).as_millis() as u64, Relaxed);
        }
    });
    runtime.block_on(tasks);
    Ok(())
}

/// One connection: takes the next request that is due, again and again.
async fn send_all(shared: &Shared) {
    let counts = &shared.counts;
    let mut connection = None;
    let mut answer = Vec::new();
    loop {
        let number = shared.next.get();
        shared.next.set(number + 1);
        let due = shared.begin + shared.period.mul_f64(number as f64);
        if shared.stop.run_until_cancelled(tokio::time::sleep_until(due.into())).await.is_none() {
            return;
        }
        counts.due.fetch_add(BATCH as u64, Relaxed);
        let slot = number as usize % shared.requests.borrow().len();
        let taken = shared.requests.borrow_mut()[slot].take_if(|_| due.elapsed() < MAX_LATENESS);
        let Some(mut request) = taken else {
            counts.unsent.fetch_add(1, Relaxed);
            continue;
        };
        let watched_secs = shared.sessions.borrow_mut().advance(&mut request);
        let outcome = exchange(&mut connection, shared.address, request.bytes(), &mut answer).await;
        let latency = due.elapsed().as_millis() as u64;
        let class = (u64::BITS - latency.leading_zeros()) as usize;
        counts.latencies[class.min(counts.latencies.len() - 1)].fetch_add(1, Relaxed);
        shared.requests.borrow_mut()[slot] = Some(request);
        let count = match outcome {
            Ok(202) if contains(&answer, br#""accepted":100,"#) => {
                counts.accepted.fetch_add(BATCH as u64, Relaxed);
                counts.accepted_secs.fetch_add(watched_secs, Relaxed);
                continue;
            }
            Ok(429) => &counts.too_many,
            Ok(503) => &counts.unavailable,
            Ok(_) => &counts.otherwise,
            Err(_) => {
                connection = None;
                // A server that is away is not asked a thousand times a second.
                tokio::time::sleep(Duration::from_millis(100)).await;
                &counts.broken
            }
        };
        if count.fetch_add(1, Relaxed) == 0 {
            eprintln!("the first of its kind: {outcome:?} {:.300}", String::from_utf8_lossy(&answer));
        }
    }
}

/// Sends a request and reads its answer; returns the status.
async fn exchange(
    connection: &mut Option<TcpStream>,
    address: SocketAddr,
    request: &[u8],
    answer: &mut Vec<u8>,
) -> anyhow::Result<u16> {
    answer.clear();
    let stream = match connection {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            connection.insert(stream)
        }
    };
    stream.write_all(request).await?;
    loop {
        anyhow::ensure!(stream.read_buf(answer).await? > 0, "the server closed the connection");
        let Some(head) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&answer[..head])?;
        let status = text.get(9..12).context("a status")?.parse()?;
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.context("a length")?.parse()?;
        if answer.len() >= head + 4 + length {
            if text.lines().any(|line| line == "connection: close") {
                *connection = None;
            }
            return Ok(status);
        }
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|bytes| bytes == part)
}
