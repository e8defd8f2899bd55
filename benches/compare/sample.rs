//! What the sample of the audience costs: the fold's throughput with it and without it, bytes, and an answer.

use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate, Utc};
use heatstrip::{
    audience::{
        answer::answer,
        question::{Condition, Range},
        sample::DEFAULT_SIZE,
        store::read::{AudienceQuery, Scene},
    },
    events::{
        hashed::{HashedHeartbeat, HashedHeartbeats},
        region::GLOBAL,
    },
    postgres::Store,
    work::nightly::{self, Keep},
};

use crate::{
    Plan,
    audience::{Beat, FEW, MANY, watched_secs},
    engine::{self, CONNECTIONS, WINDOW},
    postgres::{self, Postgres},
    process::Server,
    report::{Goal, Section, Table, median, thousands},
};

pub const TITLE: &str = "The audience's sample";

/// Turns of each way of folding.
const TURNS: usize = 3;
/// Days and viewers of the video that is asked about.
const DAYS: u64 = 28;
const VIEWERS: i64 = 3_000;

/// What folding an audience took.
#[derive(Default)]
struct Folded {
    /// Heartbeats a second of each turn.
    rates: Vec<f64>,
    /// Bytes of the sample a watched second, folded and after a night.
    bytes: f64,
    sealed_bytes: f64,
    /// The most viewers that a row said it has.
    viewers: i32,
}

pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let postgres = Postgres::start().await?;
    let mut rows = Vec::new();
    let mut goals = Vec::new();
    for (name, audience) in [("100 sessions at once", FEW), ("100,000 at once", MANY)] {
        let beats = audience.beats(plan.beats);
        let (mut on, mut off) = (Folded::default(), Folded::default());
        for _ in 0..TURNS {
            fold(&postgres, &beats, 0, &mut off).await?;
            fold(&postgres, &beats, DEFAULT_SIZE, &mut on).await?;
        }
        let (with, without) = (median(on.rates), median(off.rates));
        rows.push(vec![
            name.to_owned(),
            thousands(without),
            thousands(with),
            format!("{:.2}", with / without),
            format!("{:.2}", on.bytes),
            format!("{:.2}", on.sealed_bytes),
            on.viewers.to_string(),
        ]);
        goals.push(Goal::at_least(
            format!("throughput with the sample / without, {name}"),
            0.8,
            with / without,
        ));
        goals.push(Goal::at_most(format!("bytes a watched second more, {name}"), 1.5, on.bytes));
        goals.push(Goal::at_most(
            format!("viewers kept a video-day, {name}"),
            2.5 * DEFAULT_SIZE as f64,
            on.viewers.into(),
        ));
    }
    let [cold, http] = answers(&postgres, plan.turns).await?;
    goals.push(Goal::at_most(format!("an answer over {DAYS} days, cold, over HTTP, in ms"), 50.0, http));
    postgres.stop().await?;
    let head = [
        "",
        "heartbeats/s, off",
        "on",
        "on / off",
        "bytes a watched second",
        "after the night",
        "most viewers kept",
    ];
    Ok(Section {
        title: TITLE,
        text: format!(
            "{} heartbeats of one day, folded in windows of {} with the sample off and on ({DEFAULT_SIZE} viewers a video-day), in turns on a\n\
             database of their own, the median of {TURNS}. An answer (`saw=0-30&missed=540-600`) over {DAYS} days of one epoch, {} viewers a\n\
             day of whom each watched five stretches: {cold:.1} ms to read and count, {http:.1} ms over HTTP without a cache, the median of {}.",
            thousands(plan.beats as f64),
            thousands(WINDOW as f64),
            thousands(VIEWERS as f64),
            plan.turns
        ),
        tables: vec![Table::new(head, rows)],
        goals,
        ..Section::default()
    })
}

async fn fold(postgres: &Postgres, beats: &[Beat], size: usize, folded: &mut Folded) -> anyhow::Result<()> {
    let (url, store) = postgres.heatstrip("sample", 2 * CONNECTIONS).await?;
    store.set_sample_size(size).await?;
    postgres::settle(&url).await?;
    let taken = engine::fold_in_windows(&store, beats, WINDOW).await?;
    folded.rates.push(beats.len() as f64 / taken.as_secs_f64());
    if size > 0 {
        let client = postgres::connect(&url).await?;
        let bytes = async || -> anyhow::Result<f64> {
            let sizes = postgres::sizes(&client).await?;
            Ok(sizes.get("sampled_watches").copied().unwrap_or(0.0) / watched_secs(beats) as f64)
        };
        folded.bytes = bytes().await?;
        let most = client.query_one("SELECT coalesce(max(viewers), 0) FROM sampled_watches", &[]).await?;
        folded.viewers = folded.viewers.max(most.get(0));
        let clock = heatstrip::clock::Clock::system();
        heatstrip::audience::nightly::run(&store, &clock, None).await?;
        client.batch_execute("VACUUM sampled_watches").await?;
        folded.sealed_bytes = bytes().await?;
    }
    store.close();
    postgres.drop("sample").await
}

/// Milliseconds of an answer: read and counted, and over HTTP.
async fn answers(postgres: &Postgres, turns: usize) -> anyhow::Result<[f64; 2]> {
    let (url, store) = postgres.heatstrip("answers", 2 * CONNECTIONS).await?;
    let today = Utc::now().date_naive();
    postgres::connect(&url)
        .await?
        .batch_execute(
            "INSERT INTO salt_epochs (first_day, last_day, rotation, salt, made_at)
                SELECT current_date - 40, current_date + 2, 'monthly', '\\x00', now()",
        )
        .await?;
    for before in 0..DAYS {
        engine::enqueue_hashed(&store, &day_of(today - Days::new(before))).await?;
    }
    heatstrip::work::worker::run_once(&store, &heatstrip::clock::Clock::system()).await?;
    let yesterday = today - Days::new(1);
    nightly::run(&store, &heatstrip::clock::Clock::system(), yesterday, Keep::default(), |_| ()).await?;
    postgres::settle(&url).await?;
    let asked = AudienceQuery {
        video_id: "asked".to_owned(),
        scene: Scene { regions: vec![GLOBAL.to_owned()], from: None, to: None },
        conditions: vec![
            Condition::Saw(Range { start_sec: 0, end_sec: 30 }),
            Condition::Missed(Range { start_sec: 540, end_sec: 600 }),
        ],
    };
    let read = read_ms(&store, &asked, turns).await?;
    let server = Server::start(&url, &[("HEATSTRIP_CACHE_TTL_SECS", "0")])?;
    let client = heatstrip::import::replay::client();
    let address = format!("{}/v1/videos/asked/audience?saw=0-30&missed=540-600", server.url);
    let mut times = Vec::new();
    for _ in 0..=turns {
        let started = Instant::now();
        client.get(&address).send().await?.error_for_status()?.bytes().await?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    store.close();
    postgres.drop("answers").await?;
    Ok([read, median(times.split_off(1))])
}

async fn read_ms(store: &Store, asked: &AudienceQuery, turns: usize) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for _ in 0..=turns {
        let started = Instant::now();
        let (span, strata) = store.read_audience(asked).await?;
        let told = answer(asked.video_id.clone(), span, &strata);
        let taken: Duration = started.elapsed();
        anyhow::ensure!(told.estimate.refused.is_none() && !told.exact, "the answer is an estimate");
        times.push(taken.as_secs_f64() * 1e3);
    }
    Ok(median(times.split_off(1)))
}

/// A day of the video that is asked about; the viewers are others every day, as the most that an answer has to look at.
fn day_of(captured_on: NaiveDate) -> HashedHeartbeats {
    let mut heartbeats = HashedHeartbeats::default();
    let first = captured_on.signed_duration_since(NaiveDate::MIN).num_days() * VIEWERS;
    for viewer in first..first + VIEWERS {
        for part in 0..5 {
            let start_sec = part * 120 + (viewer % 50) as i32;
            heartbeats.push(&HashedHeartbeat {
                video_id: "asked",
                region: "JP",
                captured_on,
                start_sec,
                end_sec: start_sec + 60,
                viewer_hash: viewer,
            });
        }
    }
    heartbeats
}
