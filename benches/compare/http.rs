//! What HTTP costs: the binary beside axum routes that do less.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::Utc;
use heatstrip::{
    catalogue::durations::Durations,
    clock::Clock,
    events::heartbeat::{Arrival, MAX_AGE},
    ingest::{
        body::{self, Format},
        hash,
    },
    postgres::Store,
    viewers::{
        epoch::Rotation,
        salt::{SaltSource, Salts},
    },
};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    Plan,
    audience::{Beat, FEW},
    load::{Load, in_turns},
    postgres::{self, Postgres},
    process::Server,
    report::{Goal, Section, Table, mebibytes, thousands},
};

pub const TITLE: &str = "Over HTTP";

pub const BATCH: usize = 100;

pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let postgres = Postgres::start().await?;
    let (url, store) = postgres.heatstrip("http", 2).await?;
    postgres::settle(&url).await?;
    let beats = FEW.beats(40_000);
    let batches = bodies("batches", beats.chunks(BATCH).map(|batch| json!(batch).to_string()))?;
    let singles = bodies("singles", beats[..4_000].iter().map(|beat| json!(beat).to_string()))?;
    let server = Server::start(&url, &[])?;
    let heartbeats = format!("{}/v1/heartbeats", server.url);

    let secs = plan.load_secs;
    let load = Load { connections: 32, secs, bodies: Some(&batches), keyed: true };
    let less = lesser_routes(store, None).await?;
    let (batches_ours, batches_parsed) = in_turns(&heartbeats, &format!("{less}/parse"), &load)?;
    let load = Load { connections: 256, secs, bodies: Some(&singles), keyed: false };
    let (singles_ours, singles_nothing) = in_turns(&heartbeats, &format!("{less}/nothing"), &load)?;
    let overload = Load { connections: 512, secs, bodies: Some(&batches), keyed: true };
    crate::load::run(&heartbeats, &overload).ok();
    let memory = server.peak_memory();
    drop(server);

    let (strip_ours, strip_bytes) = cached_strip(&postgres, plan, &beats).await?;
    postgres.stop().await?;
    std::fs::remove_file(&batches)?;
    std::fs::remove_file(&singles)?;

    let row = |what: &str, ours: f64, theirs: f64, other: &str| {
        vec![
            what.to_owned(),
            thousands(ours),
            other.to_owned(),
            thousands(theirs),
            format!("{:.2}", ours / theirs),
        ]
    };
    Ok(Section {
        title: TITLE,
        text: format!(
            "Requests a second on loopback, by `wrk` with 2 threads on the same 2 cores; the median of three turns each. Accepting is durable: a 202\n\
             follows the commit. No worker folds meanwhile. Under 512 connections the API held {} at most.",
            mebibytes(memory)
        ),
        tables: vec![Table::new(
            ["what", "heatstrip", "beside an axum route that …", "", "ratio"],
            vec![
                row(
                    "batches of 100 heartbeats, each with an idempotency key, 32 connections",
                    batches_ours,
                    batches_parsed,
                    "parses, checks and hashes them, and stores nothing",
                ),
                row("one heartbeat a request, 256 connections", singles_ours, singles_nothing, "answers 202"),
                row(
                    "a cached strip of 240 buckets, 64 connections",
                    strip_ours,
                    strip_bytes,
                    "answers the same bytes from memory",
                ),
            ],
        )],
        goals: vec![
            Goal::at_least("batches accepted / parsed only", 0.5, batches_ours / batches_parsed),
            Goal::at_least("single heartbeats accepted / answered only", 0.4, singles_ours / singles_nothing),
            Goal::at_least("cached strip / the same bytes from memory", 0.8, strip_ours / strip_bytes),
            Goal::at_most("memory of the API under overload, of 256 MiB", 1.0, memory / f64::from(256 << 20)),
        ],
        ..Section::default()
    })
}

/// The requests a second of a cached strip, and of a route that has its bytes.
async fn cached_strip(postgres: &Postgres, plan: &Plan, beats: &[Beat]) -> anyhow::Result<(f64, f64)> {
    let (url, store) = postgres.heatstrip("cached", 2).await?;
    let server = Server::start(&url, &[("HEATSTRIP_CACHE_TTL_SECS", "3600")])?;
    let client = heatstrip::import::replay::client();
    // One video of twenty minutes, watched all through.
    for (n, beat) in beats.chunks(1_000).flat_map(|chunk| chunk.iter().take(100)).enumerate() {
        let start_sec = n as u32 * 10 % 1_200;
        let beat = Beat { video_id: "film".into(), start_sec, end_sec: start_sec + 9, ..beat.clone() };
        let sent = client.post(format!("{}/v1/heartbeats", server.url)).json(&json!(beat)).send().await?;
        anyhow::ensure!(sent.status() == 202, "{}", sent.text().await?);
    }
    heatstrip::work::worker::run_once(&store, &Clock::system()).await?;
    let strip = format!("{}/v1/videos/film/heatmap", server.url);
    let body = client.get(&strip).send().await?.bytes().await?;
    let less = lesser_routes(store, Some(body)).await?;
    let load = Load { connections: 64, secs: plan.load_secs, bodies: None, keyed: false };
    in_turns(&strip, &format!("{less}/bytes"), &load)
}

#[derive(Clone)]
struct Lesser {
    salts: Salts,
    durations: Durations,
    lanes: u16,
    bytes: Bytes,
}

/// Routes that do less, in this process; returns where.
async fn lesser_routes(store: Store, bytes: Option<Bytes>) -> anyhow::Result<String> {
    let (lanes, durations) = (store.lanes(), Durations::new(store.clone()));
    let salts = Salts::new(store, SaltSource::Made(Rotation::Daily), Clock::system());
    let state = Lesser { salts, durations, lanes, bytes: bytes.unwrap_or_default() };
    let router = Router::new()
        .route("/parse", post(parse))
        .route("/nothing", post(async || StatusCode::ACCEPTED))
        .route("/bytes", get(bytes_from_memory))
        .with_state(state);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(format!("http://{address}"))
}

async fn parse(State(state): State<Lesser>, body: Bytes) -> StatusCode {
    let arrival = Arrival {
        now: Utc::now(),
        default_region: "ZZ".parse().expect("a region"),
        max_age: Some(MAX_AGE),
        captured_on: None,
        terms: None,
    };
    let Ok(body) = body::parse(&body, Format::Json, "heartbeats") else { return StatusCode::BAD_REQUEST };
    let parsed = hash::parse(body.elements.into_iter(), &arrival);
    match hash::hash(parsed, &arrival, &state.salts, &state.durations, state.lanes).await {
        Ok(hashed) if hashed.rejected.is_empty() => StatusCode::ACCEPTED,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

async fn bytes_from_memory(State(state): State<Lesser>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], state.bytes).into_response()
}

/// Writes bodies to a file, a line each.
pub fn bodies(name: &str, bodies: impl Iterator<Item = String>) -> anyhow::Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("heatstrip-bench-{}-{name}", std::process::id()));
    let mut file = BufWriter::new(File::create(&path)?);
    for body in bodies {
        writeln!(file, "{body}")?;
    }
    file.flush()?;
    Ok(Path::new(&path).to_owned())
}
