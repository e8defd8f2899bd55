//! Sessions that go on at once, as the requests that carry their heartbeats: written once, then only the seconds change.

use std::sync::LazyLock;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::audience::{BEAT_SECS, Sample, VIDEOS, Watch};

/// Heartbeats a request.
pub const BATCH: usize = 100;
/// Who watches: as many people as take part in an evening, each with a session now and then.
const VIEWERS: usize = 4_000_000;

/// A heartbeat with blanks where its numbers and names go. All are as long, so that they are written in place.
const ELEMENT: &str = r#"{"video_id":"video-00000","region":"XX","start_sec":     ,"end_sec":     ,"viewer_id":"viewer-00000000"}"#;

/// Where its parts stand in an element.
struct Places {
    video: usize,
    region: usize,
    start_sec: usize,
    end_sec: usize,
    viewer: usize,
}

static PLACES: LazyLock<Places> = LazyLock::new(|| {
    let behind = |text: &str| ELEMENT.find(text).expect("the element holds it") + text.len();
    Places {
        video: behind("video-"),
        region: behind("region\":\""),
        start_sec: behind("start_sec\":"),
        end_sec: behind("end_sec\":"),
        viewer: behind("viewer-"),
    }
});

/// Where somebody is in a session.
#[derive(Clone, Copy)]
struct Session {
    next_sec: u32,
    /// The second after the last.
    end: u32,
}

/// A request that is sent again and again, each time with the next heartbeats of its sessions.
pub struct Request {
    bytes: Vec<u8>,
    /// Where the batch id and the first heartbeat stand.
    batch_id: usize,
    first: usize,
    sessions: [Session; BATCH],
}

/// Draws sessions.
pub struct Sessions {
    rng: ChaCha8Rng,
    sample: Sample,
    /// Tells the batch ids of this run from those of any other.
    run: u32,
    batches: u64,
}

impl Sessions {
    pub fn new(seed: u64) -> Self {
        Sessions {
            rng: ChaCha8Rng::seed_from_u64(seed),
            sample: Sample::of(VIDEOS),
            run: seed as u32,
            batches: 0,
        }
    }

    /// A request whose sessions are under way, each somewhere in its middle.
    pub fn request(&mut self) -> Request {
        let elements = vec![ELEMENT; BATCH].join(",");
        let body =
            format!(r#"{{"batch_id":"00000000-0000-4000-8000-000000000000","heartbeats":[{elements}]}}"#);
        let head = format!(
            "POST /v1/heartbeats HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let position = |of: &str| head.len() + body.find(of).expect("it stands there");
        let mut request = Request {
            batch_id: position("00000000-"),
            first: position(ELEMENT),
            sessions: [Session { next_sec: 0, end: 0 }; BATCH],
            bytes: (head + &body).into_bytes(),
        };
        for index in 0..BATCH {
            self.begin(&mut request, index);
            let session = &mut request.sessions[index];
            let beats = (session.end - session.next_sec).div_ceil(BEAT_SECS);
            session.next_sec += BEAT_SECS * self.rng.random_range(0..beats);
        }
        request
    }

    /// Writes the next heartbeat of each session, and a new batch id; returns how many seconds they cover.
    pub fn advance(&mut self, request: &mut Request) -> u64 {
        self.batches += 1;
        hex(&mut request.bytes[request.batch_id..][..8], self.run.into());
        hex(&mut request.bytes[request.batch_id + 24..][..12], self.batches);
        let mut watched_secs = 0;
        for index in 0..BATCH {
            if request.sessions[index].next_sec >= request.sessions[index].end {
                self.begin(request, index);
            }
            let Session { next_sec, end } = request.sessions[index];
            let last_sec = (next_sec + BEAT_SECS).min(end) - 1;
            decimal(request.place(index, PLACES.start_sec, 5), b' ', next_sec.into());
            decimal(request.place(index, PLACES.end_sec, 5), b' ', last_sec.into());
            request.sessions[index].next_sec = last_sec + 1;
            watched_secs += u64::from(last_sec + 1 - next_sec);
        }
        watched_secs
    }

    /// A new session in place of one that has ended.
    fn begin(&mut self, request: &mut Request, index: usize) {
        let Watch { video, region, viewer, from, to } = self.sample.watch(&mut self.rng, VIEWERS);
        decimal(request.place(index, PLACES.video, 5), b'0', video as u64);
        request.place(index, PLACES.region, 2).copy_from_slice(region.as_bytes());
        decimal(request.place(index, PLACES.viewer, 8), b'0', viewer as u64);
        request.sessions[index] = Session { next_sec: from, end: to };
    }
}

impl Request {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A part of an element.
    fn place(&mut self, index: usize, part: usize, width: usize) -> &mut [u8] {
        &mut self.bytes[self.first + index * (ELEMENT.len() + 1) + part..][..width]
    }
}

/// Writes a number to the right of its place. Names are filled with zeros, numbers with blanks: JSON has no 007.
fn decimal(digits: &mut [u8], fill: u8, mut number: u64) {
    digits.fill(fill);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
}

fn hex(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number % 16) as usize];
        number /= 16;
    }
}
