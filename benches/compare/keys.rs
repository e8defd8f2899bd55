//! What keys and budgets cost: the same binary on the same database, open and with keys.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::Utc;
use heatstrip::access::{
    budget::Budget,
    key::{Key, Role, Secret},
};
use serde_json::json;

use crate::{
    Plan,
    audience::FEW,
    http::{BATCH, bodies},
    load::{Load, in_turns},
    postgres::{self, Postgres},
    process::Server,
    report::{Goal, Section, Table, thousands},
};

pub const TITLE: &str = "With keys and budgets";

/// No load reaches these, so every request is accounted for and none is refused.
const BUDGET: Budget = Budget { requests_per_sec: Some(1_000_000), watched_secs_per_min: Some(u32::MAX) };

pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let postgres = Postgres::start().await?;
    let (url, store) = postgres.heatstrip("keys", 2).await?;
    postgres::settle(&url).await?;
    let secret = Secret::make(Role::Player)?;
    let key = Key {
        name: "site".into(),
        role: Role::Player,
        origins: Vec::new(),
        video_prefix: None,
        namespace: None,
        signing_secret: None,
        min_audience: None,
        budget: BUDGET,
    };
    store.add_key(&key, &secret.hash(), Utc::now()).await?;
    let mut beats = FEW.beats(40_000);
    for beat in &mut beats {
        // A player key takes no others than 32 hexadecimal digits.
        let mut hasher = DefaultHasher::new();
        beat.viewer_id.hash(&mut hasher);
        beat.viewer_id = format!("{:032x}", hasher.finish());
    }
    let batches = bodies("keyed-batches", beats.chunks(BATCH).map(|batch| json!(batch).to_string()))?;
    let singles = bodies("keyed-singles", beats[..4_000].iter().map(|beat| json!(beat).to_string()))?;
    // Nobody folds, so the queue takes all of it.
    let room = ("HEATSTRIP_QUEUE_MAX_HEARTBEATS", "1000000000");
    let open = Server::start(&url, &[("HEATSTRIP_ACCESS", "open"), room])?;
    let keyed = Server::start(&url, &[("HEATSTRIP_ACCESS", "keys"), room])?;
    let open = format!("{}/v1/heartbeats", open.url);
    let keyed = format!("{}/v1/heartbeats?key={}", keyed.url, secret.text());

    let mut rows = Vec::new();
    let mut goals = Vec::new();
    for (what, bodies, connections) in [
        ("batches of 100 heartbeats, 32 connections", &batches, 32),
        ("one heartbeat a request, 256 connections", &singles, 256),
    ] {
        let load =
            Load { connections, secs: plan.load_secs, bodies: Some(bodies), keyed: bodies == &batches };
        let (with, without) = in_turns(&keyed, &open, &load)?;
        rows.push(vec![what.into(), thousands(with), thousands(without), format!("{:.3}", with / without)]);
        goals.push(Goal::at_least(format!("with / without, {what}"), 0.95, with / without));
    }
    postgres.stop().await?;
    std::fs::remove_file(&batches)?;
    std::fs::remove_file(&singles)?;
    Ok(Section {
        title: TITLE,
        text: "Requests a second, by `wrk` in turns, of two processes on one database: one is open, and the other asks for a key, which\n\
               stands in the address, checks viewer ids and keeps account of requests and watched seconds. The median of three turns each."
            .into(),
        tables: vec![Table::new(["what", "with keys and budgets", "open", "ratio"], rows)],
        goals,
        ..Section::default()
    })
}
