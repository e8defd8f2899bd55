//! What is left of the sample once a part of a video is forgotten: what the viewers below its threshold watched elsewhere.

use heatstrip::{
    audience::{
        question::{Condition, Range},
        store::read::{AudienceQuery, Scene},
    },
    events::{lane::lane, part::Part},
    work::{
        forget::forget,
        nightly::{self, Keep},
    },
};
use rand::RngExt;

use super::{
    Said, day,
    expected::{Oracle, rows},
    watch,
};
use crate::support::{App, Settings, chance};

/// What is left of what was said.
fn left(said: Vec<Said>, video: &str, part: &Part) -> Vec<Said> {
    let leaves = |said: Said| {
        if said.video != video || part.day.is_some_and(|day| day != said.day) {
            return Some(said);
        }
        let end_sec = part.leaves_of(said.region, said.start_sec as i32, said.end_sec as i32)?;
        Some(Said { end_sec: end_sec as u32, ..said })
    };
    said.into_iter().filter_map(leaves).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_is_that_of_what_is_left() {
    let mut rng = chance();
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    app.store.set_sample_size(30).await.expect("a size");
    let days = [day("2026-11-20"), day("2026-11-21")];
    let mut said = Vec::new();
    for (round, part) in [
        Part { region: Some("JP".parse().expect("a region")), ..Part::default() },
        Part { after_sec: Some(70), day: Some(days[0]), ..Part::default() },
        Part { after_sec: Some(40), region: Some("KR".parse().expect("a region")), ..Part::default() },
    ]
    .into_iter()
    .enumerate()
    {
        // One video is thinned, the other is not.
        let batch: Vec<Said> = (0..400).map(|_| Said::any(&mut rng, &days, 200)).collect();
        let batch: Vec<Said> =
            batch.into_iter().filter(|said| said.video == "a" || said.viewer < 20).collect();
        watch(&app, &batch).await;
        said.extend(batch);
        if round == 1 {
            let night = nightly::run(&app.store, &app.clock, days[0], Keep::default(), |_| ());
            night.await.expect("a night");
        }
        let before = rows(&sql).await;
        for video in ["a", "b"] {
            let gone = forget(&app.store, video, lane(video, app.store.lanes()), &part).await;
            assert!(gone.expect("forgotten").samples > 0, "{video} {part:?}");
            said = left(said, video, &part);
        }
        let (after, oracle) = (rows(&sql).await, Oracle::of(&sql, &said).await);
        for (video_day, row) in &after {
            assert_eq!(row.threshold, before[video_day].threshold, "{video_day:?} {part:?}");
            assert!(
                row.watched.len() <= row.bound as usize * 3,
                "a bound of viewers, each in up to 3 regions"
            );
        }
        assert!(after.values().any(|row| !row.threshold.keeps_all()), "none is thinned");
        assert!(after.values().any(|row| row.threshold.keeps_all()), "all are thinned");
        oracle.assert_watched(&after);
        for _ in 0..20 {
            let start_sec = rng.random_range(0..140);
            let range = Range { start_sec, end_sec: start_sec + rng.random_range(0..40) };
            let regions = [vec!["GLOBAL"], vec!["JP"], vec!["KR", "ZZ-9"]];
            let regions = &regions[rng.random_range(0..3)];
            let asked = AudienceQuery {
                video_id: ["a", "b"][rng.random_range(0..2)].to_owned(),
                scene: Scene {
                    regions: regions.iter().map(|&region| region.to_owned()).collect(),
                    from: None,
                    to: None,
                },
                conditions: vec![[Condition::Saw(range), Condition::Missed(range)][rng.random_range(0..2)]],
            };
            let (_, strata) = app.store.read_audience(&asked).await.expect("an answer");
            assert_eq!(strata, oracle.strata(&after, &asked), "{asked:?} after {part:?}");
        }
    }
}

/// Of a day of which nothing is left there is no sample either.
#[tokio::test]
async fn a_row_that_held_nothing_else_goes() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    let said =
        |region| Said { video: "a", region, day: day("2026-11-21"), start_sec: 10, end_sec: 19, viewer: 1 };
    watch(&app, &[said("JP"), said("KR")]).await;
    let lane = lane("a", app.store.lanes());
    for (region, left) in [("JP", 1), ("KR", 0)] {
        let part = Part { region: Some(region.parse().expect("a region")), ..Part::default() };
        assert_eq!(forget(&app.store, "a", lane, &part).await.expect("forgotten").samples, 1);
        assert_eq!(rows(&sql).await.len(), left, "{region}");
    }
    let tables = "SELECT (SELECT count(*) FROM video_heatmap_whole_shards) + (SELECT count(*) FROM video_heatmap_shards)";
    let rows: i64 = sql.query_one(tables, &[]).await.expect("a count").get(0);
    assert_eq!(rows, 0);
}
