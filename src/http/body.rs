//! Reads a body of bounded size, so that memory is bounded however many clients send at once, and whatever one of them does.

use std::{
    collections::{BTreeSet, HashMap, hash_map::Entry},
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};

use super::{Sender, error::ApiError};

/// The largest body has this many bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// This much of a larger body is read and thrown away, so that a client that is still sending reads its answer.
const MAX_DRAINED_BYTES: usize = 8 << 20;
/// The whole process holds at most this many bytes of bodies at once.
const BUDGET_BYTES: usize = 64 << 20;
/// Those of one sender hold at most this many and one body, so that no sender keeps others out by sending slowly.
const SENDER_BYTES: usize = 8 << 20;
/// A client that is sending a body may pause for this long.
const MAX_PAUSE: Duration = Duration::from_secs(10);
/// A request waits this long for room in the budget.
const MAX_BUDGET_WAIT: Duration = Duration::from_secs(2);
/// The body of a request that is refused anyway is thrown away for this long.
const MAX_DRAIN: Duration = Duration::from_secs(5);

/// The room that bodies may take at once, and how long they may take to arrive.
///
/// Room is taken for bytes that have arrived and never for bytes that were announced: else a few clients that announce
/// much and send nothing would keep everybody out.
pub struct BodyBudget {
    all: Arc<Semaphore>,
    /// The senders whose bodies are being read or held, so there are no more than connections.
    senders: Mutex<HashMap<Sender, Share>>,
    deadline: Duration,
}

/// What one sender holds; it is forgotten with its last body.
#[derive(Default)]
struct Share {
    bytes: usize,
    /// Its bodies, by a number that grows. The first may always go on, beyond the share if need be: else many that arrive at
    /// once would wait for each other.
    bodies: BTreeSet<u64>,
    next: u64,
    /// Told when one of its bodies is gone.
    freed: Arc<Notify>,
}

impl BodyBudget {
    /// Returns a budget of which nothing is taken, for bodies that may take so long to arrive.
    pub fn new(deadline: Duration) -> Arc<BodyBudget> {
        let all = Arc::new(Semaphore::new(BUDGET_BYTES));
        Arc::new(BodyBudget { all, senders: Mutex::default(), deadline })
    }

    fn senders(&self) -> MutexGuard<'_, HashMap<Sender, Share>> {
        // A map poisoned by a panic elsewhere is whole.
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The room of one body, which is given back when this is dropped.
struct Room {
    budget: Arc<BodyBudget>,
    sender: Sender,
    number: u64,
    /// How much of the sender's share is this body's.
    bytes: usize,
    /// The same of the whole budget; none while nothing has arrived.
    of_all: Option<OwnedSemaphorePermit>,
    freed: Arc<Notify>,
}

impl Room {
    /// Returns no room yet.
    fn of(budget: &Arc<BodyBudget>, sender: Sender) -> Room {
        let (number, freed) = {
            let mut senders = budget.senders();
            let share = senders.entry(sender.clone()).or_default();
            share.next += 1;
            share.bodies.insert(share.next);
            (share.next, Arc::clone(&share.freed))
        };
        Room { budget: Arc::clone(budget), sender, number, bytes: 0, of_all: None, freed }
    }

    /// Takes room for bytes that have arrived.
    async fn take(&mut self, bytes: usize) -> Result<(), ApiError> {
        // The sender's own room first: whoever waits for it holds nothing more that others could have.
        let own = timeout(MAX_BUDGET_WAIT, self.take_of_share(bytes)).await;
        own.map_err(|_| ApiError::TooMany { retry_after: MAX_BUDGET_WAIT })?;
        let room = timeout(MAX_BUDGET_WAIT, Arc::clone(&self.budget.all).acquire_many_owned(bytes as u32));
        let room = room.await.ok().and_then(Result::ok).ok_or(ApiError::Unavailable {
            detail: "too many requests at once",
            retry_after: MAX_BUDGET_WAIT,
        })?;
        match &mut self.of_all {
            None => self.of_all = Some(room),
            Some(of_all) => of_all.merge(room),
        }
        Ok(())
    }

    async fn take_of_share(&mut self, bytes: usize) {
        loop {
            // Made before the look, so that whatever is freed behind it is heard of.
            let freed = self.freed.notified();
            if let Some(share) = self.budget.senders().get_mut(&self.sender)
                && (share.bytes + bytes <= SENDER_BYTES || share.bodies.first() == Some(&self.number))
            {
                share.bytes += bytes;
                self.bytes += bytes;
                return;
            }
            freed.await;
        }
    }

    /// Gives the room back of a body that goes on and is not held.
    fn give_back(&mut self) {
        self.of_all = None;
        if let Some(share) = self.budget.senders().get_mut(&self.sender) {
            share.bytes -= std::mem::take(&mut self.bytes);
        }
        self.freed.notify_waiters();
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = self.budget.senders().entry(self.sender.clone()) {
            let share = entry.get_mut();
            share.bytes -= self.bytes;
            share.bodies.remove(&self.number);
            if share.bodies.is_empty() {
                entry.remove();
            }
        }
        self.freed.notify_waiters();
    }
}

/// A body, and the room in the budget it takes until it is dropped.
pub struct Received {
    pub bytes: Bytes,
    _room: Room,
}

/// A body that has not been read yet, and whose it is.
pub struct Unread {
    announced: Option<usize>,
    sender: Sender,
    body: Body,
}

impl<S: Send + Sync> FromRequest<S> for Unread {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Unread, Infallible> {
        let (mut parts, body) = request.into_parts();
        // Somebody without a gate in front has one share with all others.
        let nobody = || Sender { key: None, address: IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
        let sender = parts.extensions.remove().unwrap_or_else(nobody);
        Ok(Unread { announced: announced(&parts.headers), sender, body })
    }
}

impl Unread {
    /// Reads the body whole, or says why it cannot.
    pub async fn read(self, budget: &Arc<BodyBudget>) -> Result<Received, ApiError> {
        if self.announced.is_some_and(|length| length > MAX_DRAINED_BYTES) {
            return Err(too_large());
        }
        collect(self.body, Room::of(budget, self.sender)).await
    }
}

/// Throws a body away whose request is refused, so that a client that is still sending reads why. It costs no memory.
pub async fn drain(headers: &HeaderMap, mut body: Body) {
    if announced(headers).is_some_and(|length| length > MAX_DRAINED_BYTES) {
        return;
    }
    let draining = async {
        let mut received = 0;
        while let Some(Ok(frame)) = body.frame().await {
            received += frame.data_ref().map_or(0, Bytes::len);
            if received > MAX_DRAINED_BYTES {
                break;
            }
        }
    };
    // Whoever is slower than this does not read the answer either.
    let _ = timeout(MAX_DRAIN, draining).await;
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok())
}

async fn collect(mut body: Body, mut room: Room) -> Result<Received, ApiError> {
    let deadline = Instant::now() + room.budget.deadline;
    let mut bytes = Vec::new();
    let mut received = 0;
    loop {
        let next = timeout_at(deadline.min(Instant::now() + MAX_PAUSE), body.frame());
        let frame = match next.await.map_err(|_| ApiError::BodyTimeout(room.budget.deadline))? {
            None => break,
            Some(frame) => frame.map_err(|_| ApiError::BadRequest("the body broke off".into()))?,
        };
        let Ok(data) = frame.into_data() else { continue };
        received += data.len();
        if received > MAX_DRAINED_BYTES {
            break;
        }
        if received > MAX_BYTES {
            // What is too large is refused, so nothing of it has to be held.
            bytes = Vec::new();
            room.give_back();
            continue;
        }
        room.take(data.len()).await?;
        bytes.extend_from_slice(&data);
    }
    if received > MAX_BYTES {
        return Err(too_large());
    }
    Ok(Received { bytes: bytes.into(), _room: room })
}

fn too_large() -> ApiError {
    ApiError::TooLarge(format!("the body is larger than {MAX_BYTES} bytes: send fewer heartbeats at once"))
}
