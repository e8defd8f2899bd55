//! Audiences whose sketches are lists: every number is exact.

use chrono::{NaiveDate, TimeDelta};
use heatstrip::viewers::{
    epoch::Rotation,
    salt::{SaltSource, Salts},
};
use rand::RngExt;

use super::{Audience, Engine, expected::Expected, questions, rows::assert_rows};
use crate::support::chance;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_audiences_are_counted_exactly() {
    let mut rng = chance();
    let rotations = [Rotation::Daily, Rotation::Weekly, Rotation::Monthly, Rotation::Never];
    for round in 0..3 {
        let rotation = rotations[rng.random_range(0..rotations.len())];
        let first: NaiveDate = "2026-10-26".parse().expect("a day");
        let audience = Audience {
            videos: vec!["a", "B", "视频/1?#%", "a b"],
            regions: vec!["AA", "JP", "ZZ-9"],
            days: (0..9).map(|day| first + TimeDelta::days(day)).collect(),
            viewers: rng.random_range(1..=320),
            last_sec: rng.random_range(1..200),
            beats: 1_500,
        };
        let engine = Engine::start("2026-11-20T10:00:00Z", rotation).await;
        // Kinds of epochs that mix: the setting was changed, and a day was opened before.
        if round > 0 {
            let other =
                Salts::new(engine.store.clone(), SaltSource::Made(Rotation::Daily), engine.clock.clone());
            other.salt(audience.days[4]).await.expect("a salt");
        }
        let said = audience.says(&mut rng);
        let workers = rng.random_range(1..=4);
        let max_batch = [1, 40, 600][round];
        let shown = format!("{rotation}, {workers} workers, batches of up to {max_batch}");
        println!("{shown}");
        let beats = if max_batch == 1 { &said[..300] } else { &said[..] };
        let (early, late) = beats.split_at(beats.len() / 2);
        engine.count(early, workers, max_batch, &mut rng).await;
        engine.compact_some(rng.random()).await;
        engine.count(late, workers, max_batch, &mut rng).await;
        engine.compact_some(rng.random_range(0.0..0.5)).await;
        assert_rows(&engine, beats).await;

        let epochs = engine.epochs().await;
        for asked in questions(&audience, &[1, 5, 7, 60, 3600], &mut rng) {
            if !beats.iter().any(|beat| beat.video == asked.video_id) {
                continue;
            }
            let strip = engine.strip(&asked).await;
            Expected::of(beats, &epochs, &asked).assert_exact(strip, &asked);
        }
    }
}
