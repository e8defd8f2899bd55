//! Clients that count at random, send again what may not have arrived, and know what must have come of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{SubsecRound, TimeDelta, Utc};
use heatstrip::import::replay::client;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

const CLIENTS: u64 = 6;
/// Members of each client: nobody else counts for them, so that it knows their state.
const MEMBERS: usize = 5;
/// Objects, which all share: the first is hot.
const OBJECTS: usize = 12;
const KINDS: [&str; 4] = ["like", "favourite", "share", "points"];
const ANSWER_WAIT: Duration = Duration::from_secs(15);
/// How long a client tries.
const PATIENCE: Duration = Duration::from_secs(60);

/// Object and kind.
pub type Counter = (String, &'static str);

/// What must be there of a member: marks with their seqs, and records with seq and delta.
#[derive(Debug, Default)]
pub struct Member {
    pub marks: BTreeMap<Counter, i64>,
    pub events: BTreeSet<(Counter, i64, i64)>,
}

/// What a client knows.
#[derive(Debug, Default)]
pub struct Model {
    pub members: BTreeMap<String, Member>,
    /// Every seq a counter ever gave, whatever became of the record.
    pub given: Vec<(Counter, i64)>,
    /// Answers that were not as they had to be.
    pub surprises: Vec<String>,
}

/// What the load is doing.
#[derive(Default)]
pub struct Load {
    stop: AtomicBool,
    /// Requests without an answer yet.
    pub in_flight: AtomicUsize,
    /// Counts that were answered.
    pub counts: AtomicU64,
    /// Requests that were sent again.
    pub retries: AtomicU64,
    /// Members that were erased.
    pub erasures: AtomicU64,
}

pub struct Clients {
    pub load: Arc<Load>,
    tasks: JoinSet<Model>,
}

impl Clients {
    pub fn start(urls: &[&str], seed: u64) -> Clients {
        let load = Arc::<Load>::default();
        let mut tasks = JoinSet::new();
        for number in 0..CLIENTS {
            let sender = Sender {
                number,
                urls: urls.iter().map(|url| (*url).to_owned()).collect(),
                client: client(),
                load: Arc::clone(&load),
                rng: ChaCha8Rng::seed_from_u64(seed ^ (number + 1)),
                model: Model::default(),
            };
            tasks.spawn(sender.run());
        }
        Clients { load, tasks }
    }

    /// Fails the test if a client gave up.
    pub fn assert_run(&mut self) {
        if let Some(ended) = self.tasks.try_join_next() {
            ended.expect("no client gives up");
            panic!("a client ended by itself");
        }
    }

    pub async fn finish(self) -> Vec<Model> {
        self.load.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await
    }
}

struct Sender {
    number: u64,
    urls: Vec<String>,
    client: reqwest::Client,
    load: Arc<Load>,
    rng: ChaCha8Rng,
    model: Model,
}

/// An element as it is sent, and what it is.
struct Count {
    member: String,
    counter: Counter,
    delta: i64,
    json: Value,
}

impl Sender {
    async fn run(mut self) -> Model {
        while !self.load.stop.load(Ordering::Relaxed) {
            match self.rng.random_range(0..40) {
                0 => self.erase().await,
                _ => self.count().await,
            }
        }
        self.model
    }

    fn member(&mut self) -> String {
        format!("m{}-{}", self.number, self.rng.random_range(0..MEMBERS))
    }

    async fn count(&mut self) {
        let how_many = if self.rng.random_bool(0.5) { 1 } else { self.rng.random_range(2..40) };
        let counts: Vec<Count> = (0..how_many).map(|_| self.any(how_many == 1)).collect();
        let body: Vec<&Value> = counts.iter().map(|count| &count.json).collect();
        let body = if how_many == 1 { body[0].clone() } else { json!({"counts": body}) };
        let again = self.rng.random_bool(0.2);
        let (answer, retried) =
            self.until_answered(|client, url| client.post(format!("{url}/v1/counts")).json(&body)).await;
        self.note(&counts, &answer, retried, false);
        if again {
            // A client that lost its own answer: nothing may come of it.
            self.load.retries.fetch_add(1, Ordering::Relaxed);
            let (answer, _) =
                self.until_answered(|client, url| client.post(format!("{url}/v1/counts")).json(&body)).await;
            self.note(&counts, &answer, true, true);
        }
        self.load.counts.fetch_add(counts.len() as u64, Ordering::Relaxed);
    }

    /// Alone, a set's natural key is enough; in company of itself it needs an id as the others do.
    fn any(&mut self, alone: bool) -> Count {
        let member = self.member();
        let kind = KINDS[self.rng.random_range(0..KINDS.len())];
        let hot = self.rng.random_bool(0.4);
        let object = format!("o{}", if hot { 0 } else { self.rng.random_range(0..OBJECTS) });
        let delta = match kind {
            "points" => self.rng.random_range(-1_000_000..=1_000_000),
            _ => {
                if self.rng.random_bool(0.7) {
                    1
                } else {
                    -1
                }
            }
        };
        // Yesterday's, so that the night has something to pack at any hour.
        let at = (Utc::now() - TimeDelta::hours(24 + self.rng.random_range(0..20))).trunc_subsecs(3);
        let mut json = json!({"member_id": member, "object_type": "video", "object_id": object, "kind": kind, "delta": delta, "at": at});
        let is_set = matches!(kind, "like" | "favourite");
        if !(is_set && alone) {
            json["id"] = json!(Uuid::from_u128(self.rng.random()).to_string());
        }
        Count { member, counter: (object, kind), delta, json }
    }

    /// Follows an answer in the model; what was sent again may have been done before, what was answered before was.
    fn note(&mut self, counts: &[Count], answer: &Value, retried: bool, known: bool) {
        let results = answer["results"].as_array().expect("results");
        assert_eq!((results.len(), &answer["rejected"]), (counts.len(), &json!([])), "{answer}");
        for (count, result) in counts.iter().zip(results) {
            let (status, seq) = (result["status"].as_str().expect("a status"), result["seq"].as_i64());
            let member = self.model.members.entry(count.member.clone()).or_default();
            let counter = count.counter.clone();
            let mut surprise = |what: &str| {
                self.model.surprises.push(format!("{what}: {result} of {}", count.json));
            };
            if known && matches!(status, "created" | "removed") {
                surprise("done twice");
            } else if matches!(counter.1, "like" | "favourite") {
                let on = member.marks.get(&counter).copied();
                match (status, count.delta > 0, on) {
                    ("created", true, None) | ("exists", true, None) if status == "created" || retried => {
                        let seq = seq.expect("a seq");
                        if !self.model.given.contains(&(counter.clone(), seq)) {
                            self.model.given.push((counter.clone(), seq));
                            member.marks.insert(counter, seq);
                        }
                    }
                    ("exists", true, Some(on)) if seq == Some(on) || retried => {}
                    ("removed", false, Some(on)) if seq == Some(on) => {
                        member.marks.remove(&counter);
                    }
                    ("absent", false, None) => {}
                    // A try before this one removed it, under an id or without one.
                    ("exists" | "absent", false, Some(on))
                        if retried && (status == "absent" || seq == Some(on)) =>
                    {
                        member.marks.remove(&counter);
                    }
                    ("exists", false, _) if retried => {}
                    _ => surprise("a set"),
                }
            } else {
                let seq = seq.unwrap_or(0);
                let is_new = member.events.insert((counter.clone(), seq, count.delta));
                match status {
                    "created" if is_new => self.model.given.push((counter, seq)),
                    // The first try went through, unheard.
                    "exists" if is_new && retried => self.model.given.push((counter, seq)),
                    "exists" if retried => {}
                    _ => surprise("a record"),
                }
            }
        }
    }

    async fn erase(&mut self) {
        let member = self.member();
        let path = format!("/v1/members/{member}");
        let (answer, retried) =
            self.until_answered(|client, url| client.delete(format!("{url}{path}"))).await;
        let gone = self.model.members.remove(&member).unwrap_or_default();
        let records = gone.marks.len() + gone.events.len();
        if !retried && answer["records"] != json!(records) {
            self.model.surprises.push(format!("erased {answer} of {records}"));
        }
        self.load.erasures.fetch_add(1, Ordering::Relaxed);
    }

    /// Sends until there is an answer, to one API or the other; says whether it had to be sent again.
    async fn until_answered(
        &mut self,
        request: impl Fn(&reqwest::Client, &str) -> RequestBuilder,
    ) -> (Value, bool) {
        let (began, mut retried) = (Instant::now(), false);
        loop {
            let url = &self.urls[self.rng.random_range(0..self.urls.len())];
            self.load.in_flight.fetch_add(1, Ordering::Relaxed);
            let answer = ask(request(&self.client, url).timeout(ANSWER_WAIT)).await;
            self.load.in_flight.fetch_sub(1, Ordering::Relaxed);
            match answer {
                Ok((StatusCode::OK, body)) => return (serde_json::from_str(&body).expect("JSON"), retried),
                Ok((StatusCode::SERVICE_UNAVAILABLE, _)) | Err(_) => {}
                Ok((status, body)) => panic!("{status}: {body}"),
            }
            retried = true;
            self.load.retries.fetch_add(1, Ordering::Relaxed);
            assert!(began.elapsed() < PATIENCE, "no answer for {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(self.rng.random_range(0..100))).await;
        }
    }
}

async fn ask(request: RequestBuilder) -> reqwest::Result<(StatusCode, String)> {
    let response = request.send().await?;
    Ok((response.status(), response.text().await?))
}
