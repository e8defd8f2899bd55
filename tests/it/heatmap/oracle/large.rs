//! Audiences that are estimated: every number lies within the error.

use chrono::{NaiveDate, TimeDelta};
use heatstrip::{answers::envelope::Scope, heatmap::store::strips::StripQuery, viewers::epoch::Rotation};

use super::{Audience, Engine, expected::Expected, rows::assert_rows};
use crate::support::chance;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_audiences_are_estimated_within_the_error() {
    let mut rng = chance();
    let first: NaiveDate = "2026-11-16".parse().expect("a day");
    let audience = Audience {
        videos: vec!["large"],
        regions: vec!["JP", "KR"],
        days: (0..3).map(|day| first + TimeDelta::days(day)).collect(),
        viewers: 7_000,
        last_sec: 89,
        beats: 24_000,
    };
    let engine = Engine::start("2026-11-20T10:00:00Z", Rotation::Weekly).await;
    let said = audience.says(&mut rng);
    let (early, late) = said.split_at(said.len() / 2);
    engine.count(early, 2, 3_000, &mut rng).await;
    engine.compact_some(0.4).await;
    engine.count(late, 3, 3_000, &mut rng).await;
    engine.compact_some(0.3).await;
    assert_rows(&engine, &said).await;

    let epochs = engine.epochs().await;
    for (regions, resolution, day) in [
        (vec!["GLOBAL"], 1, None),
        (vec!["GLOBAL"], 5, None),
        (vec!["JP"], 1, None),
        (vec!["JP", "KR"], 7, None),
        (vec!["KR"], 60, Some(first)),
        (vec!["GLOBAL"], 3600, None),
    ] {
        let asked = StripQuery {
            video_id: "large".into(),
            regions: regions.into_iter().map(str::to_owned).collect(),
            resolution,
            from: day,
            to: day,
            length_sec: None,
        };
        let strip = engine.strip(&asked).await;
        let expected = Expected::of(&said, &epochs, &asked);
        let near = |estimate: u64, truth: u64| estimate.abs_diff(truth) as f64 <= truth as f64 * 0.08;
        assert_eq!((strip.exact, strip.relative_error), (false, 0.01625), "{asked:?}");
        assert_eq!(strip.scope, Scope::Viewers, "{asked:?}");
        assert_eq!(strip.seconds_played, expected.seconds_played(0..=89), "{asked:?}");
        assert_eq!(strip.viewers, strip.buckets[0].reached, "{asked:?}");
        assert!(strip.viewers >= strip.peak, "{asked:?}");
        assert!(near(strip.viewers, expected.viewers(0..=89)), "{asked:?}");
        assert!(strip.buckets.is_sorted_by(|a, b| a.reached >= b.reached), "{asked:?}");
        assert_eq!(strip.buckets.iter().map(|bucket| bucket.viewers).max(), Some(strip.peak), "{asked:?}");
        assert_eq!(strip.buckets.len(), expected.buckets().len(), "{asked:?}");
        for (bucket, secs) in strip.buckets.iter().zip(expected.buckets()) {
            let sets = expected.sets(secs.clone());
            let viewers = sets.iter().sum::<usize>() as u64;
            assert!(near(bucket.viewers, viewers), "{} for {viewers}: {asked:?} {secs:?}", bucket.viewers);
            if sets.iter().all(|&set| set <= 320) {
                // Bucket by bucket what is few is exact, whatever the strip as a whole says.
                assert_eq!(bucket.viewers, viewers, "{asked:?} {secs:?}");
            }
            assert!(bucket.reached >= bucket.viewers, "{asked:?} {secs:?}");
            assert_eq!(bucket.seconds_played, expected.seconds_played(secs.clone()), "{asked:?} {secs:?}");
            assert!((0.0..=1.0).contains(&bucket.retention), "{asked:?} {secs:?}");
        }
    }
}
