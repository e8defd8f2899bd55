//! Random audiences over days, regions and two videos, in random order, through several workers, with nights and changes of
//! the sample's size wherever they fall; then every row and every answer against plain sets.

use std::{collections::BTreeMap, time::Duration};

use chrono::{NaiveDate, TimeDelta};
use heatstrip::{
    audience::{
        question::{Condition, Range},
        sample::Threshold,
        store::read::{AudienceQuery, OverlapQuery, Scene},
    },
    clock::Clock,
    postgres::Store,
    viewers::{epoch::Rotation, salt::SaltSource},
    work::{
        nightly::{self, Keep},
        worker::{self, Step},
    },
};
use rand::{Rng, RngExt, seq::SliceRandom};
use tokio_postgres::Client;

use super::{
    Said,
    expected::{Oracle, Row, Salts, rows},
    send,
};
use crate::support::{App, Settings, chance};

/// Folds until the queue is empty, on so many workers at once.
async fn fold(app: &App, workers: usize) {
    let work = async |store: Store, clock: Clock| {
        while store.queue_depth().await.expect("a depth").heartbeats > 0 {
            if worker::step(&store, &clock, Duration::ZERO).await.expect("a step") == Step::Idle {
                tokio::task::yield_now().await;
            }
        }
    };
    let workers: Vec<_> =
        (0..workers).map(|_| tokio::spawn(work(app.store.clone(), app.clock.clone()))).collect();
    for worker in workers {
        worker.await.expect("a worker ends");
    }
}

fn condition(rng: &mut impl Rng) -> Condition {
    let start_sec = rng.random_range(0..140);
    let range = Range { start_sec, end_sec: start_sec + rng.random_range(0..40) };
    [Condition::Saw(range), Condition::Missed(range), Condition::SawMost(range)][rng.random_range(0..3)]
}

fn scene(rng: &mut impl Rng, days: &[NaiveDate]) -> Scene {
    let regions: &[&str] = [["GLOBAL"].as_slice(), &["JP"], &["JP", "KR"], &["XX"], &["JP", "KR", "ZZ-9"]]
        [rng.random_range(0..5)];
    let day = |rng: &mut dyn Rng| days[rng.random_range(0..days.len())];
    let (a, b) = (day(rng), day(rng));
    let (from, to) = [
        (None, None),
        (Some(a.min(b)), Some(a.max(b))),
        (Some(a), Some(a)),
        (Some(a), None),
        (None, Some(b)),
    ][rng.random_range(0..5)];
    Scene { regions: regions.iter().map(|&region| region.to_owned()).collect(), from, to }
}

/// Asks about days that are kept, and compares with the sets.
async fn ask(app: &App, oracle: &Oracle, rows: &BTreeMap<(String, NaiveDate), Row>, rng: &mut impl Rng) {
    let mut days: Vec<NaiveDate> = rows.keys().map(|(_, day)| *day).collect();
    days.sort_unstable();
    days.dedup();
    if days.is_empty() {
        return;
    }
    for _ in 0..15 {
        let asked = AudienceQuery {
            video_id: ["a", "b"][rng.random_range(0..2)].to_owned(),
            scene: scene(rng, &days),
            conditions: (0..rng.random_range(0..4)).map(|_| condition(rng)).collect(),
        };
        let (_, strata) = app.store.read_audience(&asked).await.expect("an answer");
        assert_eq!(strata, oracle.strata(rows, &asked), "{asked:?}");
        let asked =
            OverlapQuery { video_ids: vec!["a".to_owned(), "b".to_owned()], scene: scene(rng, &days) };
        let (_, overlap) = app.store.read_overlap(&asked).await.expect("an answer");
        for (videos, strata) in (1..).zip(overlap) {
            assert_eq!(strata, oracle.overlap(rows, &asked, videos), "{videos} of {asked:?}");
        }
    }
}

/// Looks at everything; returns the thresholds, which must not have risen.
async fn look(
    app: &App,
    sql: &Client,
    oracle: &Oracle,
    size: usize,
    before: BTreeMap<(String, NaiveDate), Threshold>,
    rng: &mut impl Rng,
) -> BTreeMap<(String, NaiveDate), Threshold> {
    let rows = rows(sql).await;
    let kept_from = app.store.sample_settings().await.expect("the settings").kept_from;
    oracle.assert_rows(&rows, kept_from, size);
    ask(app, oracle, &rows, rng).await;
    for (video_day, row) in &rows {
        let earlier = before.get(video_day).copied().unwrap_or(Threshold::NOBODY_OUT);
        assert_eq!(earlier.lower(row.threshold), row.threshold, "{video_day:?} has risen");
    }
    rows.into_iter().map(|(video_day, row)| (video_day, row.threshold)).collect()
}

async fn weeks(rng: &mut impl Rng) {
    let rotations = [Rotation::Daily, Rotation::Weekly, Rotation::Monthly, Rotation::Never];
    let rotation = rotations[rng.random_range(0..rotations.len())];
    // Over the end of a month and of a week.
    let first = NaiveDate::from_ymd_opt(2026, 10, 29).expect("a day");
    let now = first.and_hms_opt(10, 0, 0).expect("a time").and_utc();
    let app = App::start(Settings { now, salts: SaltSource::Made(rotation), ..Settings::default() }).await;
    let sql = app.database.connect().await;
    let (viewers, mut size) = (rng.random_range(20..400), rng.random_range(5..40));
    let keep = Keep { sample_days: [None, Some(3)][rng.random_range(0..2)], ..Keep::default() };
    println!("{rotation}, {viewers} viewers, samples of {size}, {keep:?}");
    app.store.set_sample_size(size).await.expect("a size");
    let (mut said, mut thresholds, mut salts) = (Vec::new(), BTreeMap::new(), Salts::default());
    for days in 0..6 {
        let today = first + TimeDelta::days(days);
        app.clock.set(today.and_hms_opt(10, 0, 0).expect("a time").and_utc());
        for _ in 0..2 {
            // Late ones too, as late as they may come; some once more.
            let open = [today, today, today, today - TimeDelta::days(1), today - TimeDelta::days(2)];
            let kept_from = app.store.sample_settings().await.expect("the settings").kept_from;
            let mut beats: Vec<Said> =
                (0..rng.random_range(0..150)).map(|_| Said::any(rng, &open, viewers)).collect();
            beats.extend(beats.clone().into_iter().take(10));
            beats.shuffle(rng);
            let (night, queued) = (rng.random_bool(0.4), rng.random_bool(0.5));
            send(&app, &beats).await;
            if !queued {
                fold(&app, rng.random_range(1..4)).await;
            }
            if night {
                // With workers that fold late heartbeats of the days that it seals.
                let yesterday = today - TimeDelta::days(1);
                let (folded, night) = tokio::join!(
                    fold(&app, 2),
                    nightly::run(&app.store, &app.clock, yesterday, keep, |_| ())
                );
                let () = folded;
                night.expect("a night");
            }
            fold(&app, 1).await;
            // What came for days that were not kept then is not sampled; what has gone since is gone.
            let kept_now = app.store.sample_settings().await.expect("the settings").kept_from;
            said.extend(beats.into_iter().filter(|beat| beat.day >= kept_from));
            said.retain(|beat: &Said| beat.day >= kept_now);
            salts.look(&sql).await;
            let oracle = Oracle::with(&salts, &said);
            thresholds = look(&app, &sql, &oracle, size, thresholds, rng).await;
        }
        if rng.random_bool(0.2) {
            // From now on; a row that is larger than a smaller size allows shrinks once it grows.
            size = rng.random_range(size..60);
            app.store.set_sample_size(size).await.expect("a size");
            // A larger sample does not bring back who is out, so that fewer may be left than the size says.
            said.clear();
            sql.batch_execute("TRUNCATE sampled_watches").await.expect("no rows");
            thresholds.clear();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_is_that_of_plain_sets_whatever_comes_in_whatever_order() {
    let mut rng = chance();
    for _ in 0..3 {
        weeks(&mut rng).await;
    }
}

/// More than twice the sample's size in one step, in many small ones, and in both orders of the hash space.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thinning_in_a_step_and_over_steps() {
    let mut rng = chance();
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    app.store.set_sample_size(50).await.expect("a size");
    let today = app.clock.today();
    let beat = |viewer: u32, start_sec: u32| Said {
        video: "a",
        region: "JP",
        day: today,
        start_sec,
        end_sec: start_sec + 9,
        viewer,
    };
    let mut said: Vec<Said> = (0..2_000).map(|viewer| beat(viewer, 0)).collect();
    super::watch(&app, &said).await;
    let mut thresholds =
        look(&app, &sql, &Oracle::of(&sql, &said).await, 50, BTreeMap::new(), &mut rng).await;
    let thinned = thresholds.values().next().expect("a row").share();
    assert!(thinned < 0.1, "{thinned}");

    // Who is in goes on, who is out comes again, new ones come: by ascending elements first, then by descending ones.
    let newcomers: Vec<Said> = (2_000..6_000).map(|viewer| beat(viewer, 100)).collect();
    let elements = Oracle::of(&sql, &newcomers).await.elements();
    let mut sorted: Vec<(u64, Said)> = elements.into_iter().zip(newcomers).collect();
    sorted.sort_unstable_by_key(|(element, _)| *element);
    let mut order: Vec<Said> = sorted.into_iter().map(|(_, said)| said).collect();
    order[2_000..].reverse();
    let steps: Vec<Vec<Said>> = order.chunks(500).map(<[Said]>::to_vec).collect();
    for mut step in steps {
        step.extend((0..200).map(|_| beat(rng.random_range(0..2_000), 300)));
        super::watch(&app, &step).await;
        said.extend(step);
        thresholds = look(&app, &sql, &Oracle::of(&sql, &said).await, 50, thresholds, &mut rng).await;
    }
    let lower = thresholds.values().next().expect("a row").share();
    assert!(lower < thinned, "{lower}");
}
