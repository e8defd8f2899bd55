//! Slow and greedy clients: what they cost others, and what they cost the process. Correctness is asserted, times are told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use chrono::Utc;
use heatstrip::{
    access::{
        budget::Budget,
        key::{Key, Role, Secret},
    },
    clock::Clock,
    import::replay::client,
    work::worker,
};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};
use uuid::Uuid;

use crate::{
    Plan,
    postgres::Postgres,
    process::{Running, Server},
    report::{Goal, Section, Table, mebibytes, thousands},
};

pub const TITLE: &str = "Slow and greedy clients";

/// Sockets that send next to nothing, or read nothing.
const SLOW: usize = 200;
/// Heartbeats of a batch under overload, and the seconds of each.
const BATCH: u64 = 50;
const BEAT_SECS: u64 = 10;
const VIDEOS: u64 = 100;
/// Requests under way at once; what would be more is not sent.
const MAX_UNDER_WAY: usize = 2_000;
/// The process holds no more than this, as the section over HTTP asks too.
const MAX_MEMORY: f64 = (256 << 20) as f64;

pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let postgres = Postgres::start().await?;
    let beside = beside_a_flood(&postgres, plan).await?;
    let overload = overload(&postgres, plan).await?;
    let readers = slow_readers(&postgres).await?;
    postgres.stop().await?;
    let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let row = |what: &str, value: String| vec![what.to_owned(), value];
    Ok(Section {
        title: TITLE,
        text: format!(
            "One sender tells a heartbeat every 25 ms, alone and then beside {SLOW} sockets that send a head and one byte of a body, and a\n\
             flood of 16 requests at once from another address under the same player key. Under overload an open loop offers twice as many\n\
             batches of {BATCH} as a closed one had accepted before, while a worker folds; what was not acknowledged is sent again afterwards\n\
             with its batch id, and every batch must then be counted once. The slow readers ask for a strip of a day by the second and read\n\
             nothing. The generator runs on the same two cores."
        ),
        tables: vec![Table::new(
            ["what", "measured"],
            vec![
                row(
                    "a heartbeat alone, 50 % and 99 %",
                    format!("{}, {}", ms(beside.alone[0]), ms(beside.alone[1])),
                ),
                row("the same under siege", format!("{}, {}", ms(beside.under[0]), ms(beside.under[1]))),
                row(
                    "the flood: accepted and refused a second",
                    format!("{}, {}", thousands(beside.accepted), thousands(beside.refused)),
                ),
                row(
                    "overload: batches offered a second, for so long",
                    format!("{}, {} s", thousands(overload.offered), overload.secs),
                ),
                row(
                    "of them acknowledged at once, and later",
                    format!(
                        "{}, {}",
                        thousands(overload.acknowledged as f64),
                        thousands(overload.later as f64)
                    ),
                ),
                row("acknowledged and not counted, or counted twice", overload.wrong.to_string()),
                row("memory of the API at most", mebibytes(overload.memory)),
                row(
                    &format!(
                        "a strip of {} to each of {SLOW} slow readers, memory for each",
                        mebibytes(readers.bytes)
                    ),
                    mebibytes(readers.each),
                ),
            ],
        )],
        goals: vec![
            Goal::at_most(
                "99 % of another sender's heartbeats, of 250 ms",
                1.0,
                beside.under[1].as_secs_f64() / 0.25,
            ),
            Goal::at_most("acknowledged batches lost or counted twice", 0.0, overload.wrong as f64),
            Goal::at_most("memory of the API under overload, of 256 MiB", 1.0, overload.memory / MAX_MEMORY),
            Goal::at_most(
                "memory of a slow reader, of the strip it asked for",
                1.0,
                readers.each / readers.bytes,
            ),
        ],
        ..Section::default()
    })
}

struct Beside {
    /// The median and the 99th percentile.
    alone: [Duration; 2],
    under: [Duration; 2],
    /// Of the flood, a second.
    accepted: f64,
    refused: f64,
}

/// Returns how long another sender's heartbeats take.
async fn beside_a_flood(postgres: &Postgres, plan: &Plan) -> anyhow::Result<Beside> {
    let (url, store) = postgres.heatstrip("siege", 2).await?;
    let secret = Secret::make(Role::Player)?;
    let key = Key {
        name: "site".into(),
        role: Role::Player,
        origins: Vec::new(),
        video_prefix: None,
        namespace: None,
        signing_secret: None,
        min_audience: None,
        budget: Budget::default(),
    };
    store.add_key(&key, &secret.hash(), Utc::now()).await?;
    let server = Server::start(&url, &[("HEATSTRIP_CLIENT_ADDRESS_HEADER", "x-forwarded-for")])?;
    let address = server.url.trim_start_matches("http://").to_owned();
    let heartbeats = format!("{}/v1/heartbeats?key={}", server.url, secret.text());
    let phase = Duration::from_secs(2 * u64::from(plan.load_secs));

    let alone = watch(&client(), &heartbeats, phase).await?;
    let mut siege = JoinSet::new();
    for _ in 0..SLOW {
        let address = address.clone();
        let target = format!("/v1/heartbeats?key={}", secret.text());
        siege.spawn(async move {
            loop {
                let Ok(mut stream) = TcpStream::connect(&address).await else { continue };
                let head = format!("POST {target} HTTP/1.1\r\nhost: h\r\ncontent-length: 1048576\r\n\r\n[");
                let _ = stream.write_all(head.as_bytes()).await;
                // Until it is given up.
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }
        });
    }
    let counts = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    let flooding = client();
    for _ in 0..16 {
        let (flooding, heartbeats, counts) = (flooding.clone(), heartbeats.clone(), Arc::clone(&counts));
        siege.spawn(async move {
            loop {
                let status = tell(&flooding, &heartbeats, "203.0.113.66").await;
                let which = usize::from(status.is_ok_and(|status| status == 429));
                counts[which].fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let under = watch(&client(), &heartbeats, phase).await?;
    siege.shutdown().await;
    let rate = |which: usize| counts[which].load(Ordering::Relaxed) as f64 / phase.as_secs_f64();
    Ok(Beside { alone, under, accepted: rate(0), refused: rate(1) })
}

/// Tells one heartbeat; returns the status.
async fn tell(client: &Client, heartbeats: &str, sender: &str) -> anyhow::Result<u16> {
    let viewer = Uuid::new_v4().simple().to_string();
    let beat = json!({"video_id": "v", "viewer_id": viewer, "start_sec": 0, "end_sec": 9});
    let post = client.post(heartbeats).header("x-forwarded-for", sender).body(beat.to_string());
    Ok(post.send().await?.status().as_u16())
}

/// Returns the median and the 99th percentile of what one sender waits for its 202.
async fn watch(client: &Client, heartbeats: &str, phase: Duration) -> anyhow::Result<[Duration; 2]> {
    let ends = Instant::now() + phase;
    let mut tick = tokio::time::interval(Duration::from_millis(25));
    let mut took = Vec::new();
    while Instant::now() < ends {
        tick.tick().await;
        let asked = Instant::now();
        let status = tell(client, heartbeats, "203.0.113.7").await?;
        anyhow::ensure!(status == 202, "another sender's heartbeat was answered {status}");
        took.push(asked.elapsed());
    }
    took.sort_unstable();
    Ok([took[took.len() / 2], took[took.len() * 99 / 100]])
}

struct Overload {
    offered: f64,
    secs: u32,
    acknowledged: usize,
    later: usize,
    /// Batches that the strips have too few or too many of.
    wrong: u64,
    memory: f64,
}

/// Sends twice as much as is accepted, and counts what was acknowledged.
async fn overload(postgres: &Postgres, plan: &Plan) -> anyhow::Result<Overload> {
    let (url, store) = postgres.heatstrip("overload", 4).await?;
    let server = Server::start(&url, &[("HEATSTRIP_QUEUE_MAX_HEARTBEATS", "500000")])?;
    let working = Running::start(&url, &["work"])?;
    let client = client();
    let heartbeats = format!("{}/v1/heartbeats", server.url);
    let mut next = 0..;

    // What is accepted from as many as can be under way in good order.
    let accepted = Arc::new(AtomicU64::new(0));
    let ends = Instant::now() + Duration::from_secs(plan.load_secs.into());
    let mut closed = JoinSet::new();
    let numbers = Arc::new(AtomicU64::new(0));
    for _ in 0..64 {
        let (client, heartbeats) = (client.clone(), heartbeats.clone());
        let (accepted, numbers) = (Arc::clone(&accepted), Arc::clone(&numbers));
        closed.spawn(async move {
            let mut unsaid = Vec::new();
            while Instant::now() < ends {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                match send(&client, &heartbeats, number).await {
                    true => drop(accepted.fetch_add(1, Ordering::Relaxed)),
                    false => unsaid.push(number),
                }
            }
            unsaid
        });
    }
    let mut unsaid: Vec<u64> = closed.join_all().await.into_iter().flatten().collect();
    let capacity = accepted.load(Ordering::Relaxed) as f64 / f64::from(plan.load_secs);
    let mut acknowledged = accepted.load(Ordering::Relaxed);
    next.start = numbers.load(Ordering::Relaxed);

    let secs = 10 * plan.load_secs;
    let per_tick = (2.0 * capacity / 100.0).ceil() as u64;
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let ends = Instant::now() + Duration::from_secs(secs.into());
    let (mut under_way, mut at_once) = (JoinSet::new(), 0);
    while Instant::now() < ends {
        tick.tick().await;
        for _ in 0..per_tick {
            if under_way.len() >= MAX_UNDER_WAY {
                continue;
            }
            let number = next.next().context("a number")?;
            let (client, heartbeats) = (client.clone(), heartbeats.clone());
            under_way.spawn(async move { (number, send(&client, &heartbeats, number).await) });
        }
        while let Some(sent) = under_way.try_join_next() {
            let (number, is_acknowledged) = sent?;
            if is_acknowledged { at_once += 1 } else { unsaid.push(number) }
        }
    }
    for (number, is_acknowledged) in under_way.join_all().await {
        if is_acknowledged { at_once += 1 } else { unsaid.push(number) }
    }
    let memory = server.peak_memory();
    acknowledged += at_once;

    // Whoever heard nothing, or that there was no room, sends again until it is told.
    let later = unsaid.len();
    for number in unsaid {
        while !send(&client, &heartbeats, number).await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    drop(working);
    worker::run_once(&store, &Clock::system()).await?;
    let mut played = 0;
    for video in 0..VIDEOS {
        let strip = format!("{}/v1/videos/film-{video}/heatmap?resolution=3600", server.url);
        let strip: Value = client.get(strip).send().await?.json().await?;
        played += strip["seconds_played"].as_u64().context("a number")?;
    }
    let batches = acknowledged + later as u64;
    let wrong = played.abs_diff(batches * BATCH * BEAT_SECS).div_ceil(BATCH * BEAT_SECS);
    anyhow::ensure!(wrong == 0, "{batches} batches were acknowledged, and {played} seconds are counted");
    let offered = 2.0 * capacity;
    Ok(Overload { offered, secs, acknowledged: at_once as usize, later, wrong, memory })
}

/// Sends a batch by its number, which says its id and all that it holds; returns true once it is durable.
async fn send(client: &Client, heartbeats: &str, number: u64) -> bool {
    let beats: Vec<Value> = (0..BATCH)
        .map(|beat| {
            let start_sec = (number + beat) % 60 * BEAT_SECS;
            json!({
                "video_id": format!("film-{}", (number * 7 + beat) % VIDEOS),
                "viewer_id": format!("viewer-{}", (number * BATCH + beat) % 50_000),
                "region": "JP",
                "start_sec": start_sec,
                "end_sec": start_sec + BEAT_SECS - 1,
            })
        })
        .collect();
    let id = Uuid::from_u64_pair(0x6865_6174_0000_7000, 0x8000_0000_0000_0000 | number);
    let body = json!({"batch_id": id, "heartbeats": beats}).to_string();
    let post = client.post(heartbeats).timeout(Duration::from_secs(10)).body(body);
    post.send().await.is_ok_and(|answer| answer.status() == 202)
}

struct Readers {
    /// The strip.
    bytes: f64,
    /// The memory that one of them costs.
    each: f64,
}

/// Asks for a large strip on many sockets and reads none of them.
async fn slow_readers(postgres: &Postgres) -> anyhow::Result<Readers> {
    let (url, store) = postgres.heatstrip("readers", 2).await?;
    let server = Server::start(&url, &[])?;
    let client = client();
    let beats: Vec<Value> = (0..144)
        .map(|part| json!({"video_id": "day", "viewer_id": format!("viewer-{part}"), "start_sec": part * 600, "end_sec": part * 600 + 599}))
        .collect();
    let sent =
        client.post(format!("{}/v1/heartbeats", server.url)).body(json!(beats).to_string()).send().await?;
    anyhow::ensure!(sent.status() == 202, "{}", sent.text().await?);
    worker::run_once(&store, &Clock::system()).await?;
    let path = "/v1/videos/day/heatmap?resolution=1";
    let bytes = client.get(format!("{}{path}", server.url)).send().await?.bytes().await?.len() as f64;
    let before = server.peak_memory();
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).await?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: h\r\n\r\n").as_bytes()).await?;
        // Its answer has begun.
        stream.read_exact(&mut [0; 12]).await?;
        slow.push(stream);
    }
    let each = (server.peak_memory() - before).max(0.0) / SLOW as f64;
    Ok(Readers { bytes, each })
}
