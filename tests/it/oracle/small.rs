//! Audiences whose sketches are lists: every number is exact.

use chrono::{NaiveDate, TimeDelta};
use heatstrip::{
    salt::{SaltSource, Salts},
    salt_epoch::Rotation,
    store::strips::StripQuery,
};
use rand::{Rng, RngExt};

use super::{
    Audience, Engine,
    expected::{Expected, four_decimals},
    rows::assert_rows,
};
use crate::support::chance;

fn questions(audience: &Audience, rng: &mut impl Rng) -> Vec<StripQuery> {
    let mut regions: Vec<Vec<&str>> = vec![vec!["GLOBAL"], audience.regions.clone()];
    regions.extend(audience.regions.iter().map(|&region| vec![region]));
    regions.push(audience.regions[..2].to_vec());
    regions.push(vec![audience.regions[0], "XX"]);
    regions.push(vec!["XX"]);
    let mut questions = Vec::new();
    for video in &audience.videos {
        for regions in &regions {
            for resolution in [1, 5, 7, 60, 3600] {
                let day = |rng: &mut dyn Rng| audience.days[rng.random_range(0..audience.days.len())];
                let (a, b) = (day(rng), day(rng));
                let ranges = [
                    (None, None),
                    (Some(a.min(b)), Some(a.max(b))),
                    (Some(a), Some(a)),
                    (Some(audience.days[0]), None),
                    (None, audience.days.last().copied()),
                    (Some(audience.days[0] - TimeDelta::days(9)), Some(b)),
                ];
                // Two of them each time.
                for _ in 0..2 {
                    let (from, to) = ranges[rng.random_range(0..ranges.len())];
                    questions.push(StripQuery {
                        video_id: (*video).to_owned(),
                        regions: regions.iter().map(|&region| region.to_owned()).collect(),
                        resolution,
                        from,
                        to,
                    });
                }
            }
        }
    }
    questions
}

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
        for asked in questions(&audience, &mut rng) {
            if !beats.iter().any(|beat| beat.video == asked.video_id) {
                continue;
            }
            let strip = engine.strip(&asked).await;
            let expected = Expected::of(beats, &epochs, &asked);
            let buckets = expected.buckets();
            let peak = buckets.iter().map(|secs| expected.viewers(secs.clone())).max().unwrap_or(0);
            let last_sec = expected.last_sec().unwrap_or(0);
            assert_eq!(
                (strip.video_id, strip.regions, strip.resolution),
                (asked.video_id.clone(), asked.regions.clone(), asked.resolution)
            );
            assert_eq!((strip.from, strip.to), (Some(expected.days.0), Some(expected.days.1)), "{asked:?}");
            assert_eq!(strip.scope, expected.scope(), "{asked:?}");
            assert_eq!((strip.exact, strip.relative_error), (true, 0.0), "{asked:?}");
            assert_eq!(strip.viewers, expected.viewers(0..=last_sec), "{asked:?}");
            assert_eq!(strip.seconds_played, expected.seconds_played(0..=last_sec), "{asked:?}");
            assert_eq!(strip.peak, peak, "{asked:?}");
            assert_eq!(strip.buckets.len(), buckets.len(), "{asked:?}");
            for (bucket, secs) in strip.buckets.iter().zip(buckets) {
                let (viewers, played) =
                    (expected.viewers(secs.clone()), expected.seconds_played(secs.clone()));
                let seconds = u64::from(secs.end() - secs.start() + 1);
                assert_eq!(bucket.bucket, *secs.start(), "{asked:?}");
                assert_eq!(bucket.viewers, viewers, "{asked:?} {secs:?}");
                assert_eq!(bucket.seconds_played, played, "{asked:?} {secs:?}");
                assert_eq!(bucket.replay, four_decimals(played, seconds * viewers), "{asked:?} {secs:?}");
                assert_eq!(bucket.retention, four_decimals(viewers, peak), "{asked:?} {secs:?}");
                assert_eq!(bucket.reached, expected.viewers(*secs.start()..=last_sec), "{asked:?} {secs:?}");
            }
        }
    }
}
