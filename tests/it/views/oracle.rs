//! Random views, windows, batches, devices bound at random moments, archives, days and regions; then every number against plain
//! sets. The oracle replays the fold's order: a video's views are folded as they were queued.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use heatstrip::{
    viewers::epoch::Rotation,
    views::{
        answer::{range_views, video_views},
        archive,
        identify::IdentifyError,
        store::ranges::RangeQuery,
    },
};
use rand::{Rng, RngExt, seq::IndexedRandom};
use serde_json::{Value, json};

use super::Engine;
use crate::support::chance;

const VIDEOS: [&str; 4] = ["popular", "b", "c", "Ä/ö"];
const REGIONS: [&str; 3] = ["JP", "KR", "DE"];

/// A viewer as the tables know one: an id in a salt epoch.
type Person = (NaiveDate, String);

#[derive(Debug, Clone)]
struct Viewed {
    video: &'static str,
    region: &'static str,
    viewer: String,
    at: DateTime<Utc>,
}

impl Viewed {
    fn json(&self) -> Value {
        json!({"video_id": self.video, "viewer_id": self.viewer, "region": self.region, "at": self.at})
    }
}

/// A row of recent views.
#[derive(Debug, Clone)]
struct Row {
    last: DateTime<Utc>,
    counted: (DateTime<Utc>, DateTime<Utc>),
}

/// What counted of a day.
#[derive(Debug, Default)]
struct Counted {
    views: u64,
    people: BTreeSet<Person>,
}

/// What must be told, kept in plain sets.
#[derive(Default)]
struct Oracle {
    queued: Vec<(Viewed, NaiveDate)>,
    rows: BTreeMap<(&'static str, Person), Row>,
    days: BTreeMap<(&'static str, &'static str, NaiveDate), Counted>,
    /// Devices and users, by epoch.
    bound: BTreeMap<Person, String>,
    archived: BTreeMap<&'static str, u64>,
    merged: BTreeMap<&'static str, u64>,
    window: TimeDelta,
}

impl Oracle {
    fn person(&self, epoch: NaiveDate, viewer: &str) -> Person {
        let mut person = (epoch, viewer.to_owned());
        while let Some(user) = self.bound.get(&person) {
            person.1.clone_from(user);
        }
        person
    }

    fn fold(&mut self) {
        for (viewed, epoch) in std::mem::take(&mut self.queued) {
            let person = self.person(epoch, &viewed.viewer);
            let row = self.rows.get_mut(&(viewed.video, person.clone()));
            let counts = match row {
                None => {
                    let row = Row { last: viewed.at, counted: (viewed.at, viewed.at) };
                    self.rows.insert((viewed.video, person.clone()), row);
                    true
                }
                Some(row) => {
                    row.last = row.last.max(viewed.at);
                    let (first, last) = row.counted;
                    // Without a window every view counts, also one between others.
                    let counts = self.window.is_zero()
                        || viewed.at >= last + self.window
                        || viewed.at <= first - self.window;
                    if counts {
                        row.counted = (first.min(viewed.at), last.max(viewed.at));
                    }
                    counts
                }
            };
            if counts {
                let day = self.days.entry((viewed.video, viewed.region, viewed.at.date_naive())).or_default();
                day.views += 1;
                day.people.insert(person);
            }
        }
    }

    /// Binds in these epochs; returns how many rows must become the user's, none if it must be refused.
    fn identify(&mut self, epochs: &[NaiveDate], device: &str, user: &str) -> Option<u64> {
        if epochs.iter().any(|epoch| self.bound.contains_key(&(*epoch, user.to_owned()))) {
            return None;
        }
        let mut merged = 0;
        for &epoch in epochs {
            self.bound.insert((epoch, device.to_owned()), user.to_owned());
            for video in VIDEOS {
                let Some(row) = self.rows.remove(&(video, (epoch, device.to_owned()))) else { continue };
                merged += 1;
                *self.merged.entry(video).or_default() += 1;
                self.rows
                    .entry((video, (epoch, user.to_owned())))
                    .and_modify(|of_user| {
                        of_user.last = of_user.last.max(row.last);
                        let (first, last) = row.counted;
                        of_user.counted = (of_user.counted.0.min(first), of_user.counted.1.max(last));
                    })
                    .or_insert(row);
            }
        }
        Some(merged)
    }

    fn archive(&mut self, before: NaiveDate) -> u64 {
        let mut gone = 0;
        self.rows.retain(|(video, _), row| {
            let stays = row.last.date_naive() >= before;
            if !stays {
                gone += 1;
                *self.archived.entry(video).or_default() += 1;
            }
            stays
        });
        gone
    }

    /// Views and, by epoch, the people of some days and regions.
    fn range(
        &self,
        video: &str,
        regions: &[String],
        from: NaiveDate,
        to: NaiveDate,
    ) -> (u64, BTreeSet<Person>) {
        let (mut views, mut people) = (0, BTreeSet::new());
        for ((of, region, day), counted) in &self.days {
            let asked = regions == ["GLOBAL"] || regions.iter().any(|asked| asked == region);
            if *of == video && asked && (from..=to).contains(day) {
                views += counted.views;
                people.extend(counted.people.iter().cloned());
            }
        }
        (views, people)
    }
}

/// Compares the answers about every video, and some ranges.
async fn compare(engine: &Engine, oracle: &Oracle, rng: &mut impl Rng, days: &[NaiveDate]) {
    let videos = VIDEOS.map(str::to_owned);
    let found = engine.store.view_totals(&videos).await.expect("totals");
    for video in VIDEOS {
        let told = video_views(video.to_owned(), &found);
        let all = ["GLOBAL".to_owned()];
        let (first, last) = (days[0], *days.last().expect("a day"));
        let (views, people) = oracle.range(video, &all, first, last);
        assert_eq!(told.views, views, "{video}");
        let recent = oracle.rows.keys().filter(|(of, _)| *of == video).count() as u64;
        assert_eq!(told.viewers.recent, recent, "{video}");
        let archived = oracle.archived.get(video).copied().unwrap_or(0);
        let merged = oracle.merged.get(video).copied().unwrap_or(0);
        let ever = people.len() as u64;
        let lifetime = told.viewers.lifetime;
        match archived {
            0 => assert_eq!(lifetime, recent, "{video}"),
            _ if told.viewers.relative_error == 0.0 => assert_eq!(lifetime, ever.max(recent), "{video}"),
            _ => assert_near(lifetime, ever),
        }
        assert_eq!(told.viewers.exact, merged == 0 && told.viewers.relative_error == 0.0, "{video}");
        // So many people too much at most, as rows were merged; whoever was archived before is another viewer for ever.
        let known: BTreeSet<Person> = people.iter().map(|(epoch, id)| oracle.person(*epoch, id)).collect();
        assert!(archived > 0 || ever - known.len() as u64 <= merged, "{video}: the overcount is bounded");

        for _ in 0..6 {
            let (a, b) = (*days.choose(rng).expect("a day"), *days.choose(rng).expect("a day"));
            let regions = match rng.random_range(0..3) {
                0 => vec!["GLOBAL".to_owned()],
                1 => vec![REGIONS.choose(rng).expect("a region").to_string()],
                _ => vec!["DE".to_owned(), "JP".to_owned()],
            };
            let (from, to) = (a.min(b), a.max(b));
            let asked = RangeQuery {
                video_id: video.to_owned(),
                regions: regions.clone(),
                from: Some(from),
                to: Some(to),
            };
            let totals = engine.store.view_range(&asked).await.expect("a range");
            let range = range_views(asked, totals);
            let (views, people) = oracle.range(video, &regions, from, to);
            assert_eq!(range.views, views, "{video} {regions:?} {from}..{to} of {:?}", range.pieces);
            match range.relative_error == 0.0 {
                true => assert_eq!(range.viewers, people.len() as u64, "{video} {regions:?} {from}..{to}"),
                false => assert_near(range.viewers, people.len() as u64),
            }
        }
    }
}

/// Within three standard errors, and three times three at the estimator's bump.
fn assert_near(told: u64, right: u64) {
    let share = if (8_000..=13_000).contains(&right) { 0.09 } else { 3.0 * 0.01625 };
    let off = (told as f64 - right as f64).abs() / right.max(1) as f64;
    assert!(off <= share, "{told} is {off} off {right}");
}

/// The salt epochs of views by day, and those whose salts may still be used.
async fn epochs(engine: &Engine) -> Vec<(NaiveDate, NaiveDate, bool)> {
    let rows = engine
        .sql
        .query("SELECT first_day, last_day, made_at FROM salt_epochs WHERE purpose = 'views' ORDER BY 1", &[])
        .await
        .expect("epochs");
    rows.iter()
        .map(|row| {
            let (first, last): (NaiveDate, NaiveDate) = (row.get(0), row.get(1));
            let ends = heatstrip::viewers::epoch::destroyed_from(last, row.get(2));
            (first, last, engine.clock.now() < ends)
        })
        .collect()
}

async fn run(rotation: Rotation, people: u32, per_step: usize, steps: u32) {
    let mut rng = chance();
    let engine = Engine::start("2026-10-20T10:00:00Z", rotation).await;
    let window = *[0_u32, 5, 30, 1_440].choose(&mut rng).expect("a window");
    engine.store.set_view_rule(None, Some(window)).await.expect("set");
    let mut oracle = Oracle { window: TimeDelta::minutes(window.into()), ..Oracle::default() };
    let first_day = engine.clock.today() - Days::new(3);
    let mut refused = 0;
    for _ in 0..steps {
        match rng.random_range(0..10) {
            0..5 => {
                let now = engine.clock.now();
                let mut batch: Vec<Viewed> = Vec::new();
                for _ in 0..rng.random_range(1..=per_step) {
                    let viewer = rng.random_range(0..people);
                    batch.push(Viewed {
                        video: if rng.random_bool(0.5) {
                            VIDEOS[0]
                        } else {
                            VIDEOS.choose(&mut rng).expect("one")
                        },
                        region: REGIONS.choose(&mut rng).expect("one"),
                        viewer: if rng.random_bool(0.5) {
                            format!("user {viewer}")
                        } else {
                            format!("device {viewer}")
                        },
                        // Whose day's salt is there for certain.
                        at: now - TimeDelta::seconds(rng.random_range(0..47 * 3_600)),
                    });
                }
                let texts: Vec<Value> = batch.iter().map(Viewed::json).collect();
                engine.send(&texts).await;
                let epochs = epochs(&engine).await;
                for viewed in batch {
                    let day = viewed.at.date_naive();
                    let epoch = epochs.iter().find(|(first, last, _)| (*first..=*last).contains(&day));
                    oracle.queued.push((viewed, epoch.expect("its epoch").0));
                }
            }
            5..7 => {
                engine.fold().await;
                oracle.fold();
            }
            7 => {
                let id = |rng: &mut dyn Rng| {
                    let sort = if rng.random_bool(0.8) { "user" } else { "device" };
                    format!("{sort} {}", rng.random_range(0..people))
                };
                let (device, user) = (format!("device {}", rng.random_range(0..people)), id(&mut rng));
                // Users are devices too, now and then: chains.
                let device = if rng.random_bool(0.2) { id(&mut rng) } else { device };
                if device == user {
                    continue;
                }
                let outcome = engine.identify(&device, &user).await;
                let live: Vec<NaiveDate> = epochs(&engine)
                    .await
                    .iter()
                    .filter(|(.., live)| *live)
                    .map(|(first, ..)| *first)
                    .collect();
                match (outcome, oracle.identify(&live, &device, &user)) {
                    (Ok(merged), Some(expected)) => assert_eq!(merged, expected, "{device} -> {user}"),
                    (Err(IdentifyError::UserIsDevice), None) => refused += 1,
                    (outcome, expected) => panic!("{device} -> {user}: {outcome:?}, not {expected:?}"),
                }
            }
            8 => {
                // Nothing waits in the queue for longer than bindings are kept.
                engine.fold().await;
                oracle.fold();
                let days = rng.random_range(3..6);
                let archived = archive::run(&engine.store, &engine.clock, days).await.expect("an archive");
                let before = engine.clock.today() - Days::new(days.into());
                assert_eq!(archived.viewers, oracle.archive(before));
            }
            _ => {
                let hours = rng.random_range(1..60);
                engine.clock.set(engine.clock.now() + TimeDelta::hours(hours));
            }
        }
    }
    engine.fold().await;
    oracle.fold();
    let days: Vec<NaiveDate> = first_day.iter_days().take_while(|day| *day <= engine.clock.today()).collect();
    compare(&engine, &oracle, &mut rng, &days).await;
    let rows: i64 = engine.count("SELECT count(*) FROM recent_views").await;
    assert_eq!(rows as usize, oracle.rows.len());
    assert_eq!(engine.drift().await, 0);
    println!("{refused} refused, {} merged, {} archived", oracle.merged.len(), oracle.archived.len());
}

#[tokio::test]
async fn every_number_is_that_of_plain_sets() {
    run(Rotation::Monthly, 20, 40, 120).await;
}

#[tokio::test]
async fn every_number_is_that_of_plain_sets_when_salts_change_weekly() {
    run(Rotation::Weekly, 12, 30, 120).await;
}

#[tokio::test]
async fn every_number_is_that_of_plain_sets_when_salts_change_daily_or_never() {
    run(Rotation::Daily, 8, 20, 60).await;
    run(Rotation::Never, 12, 30, 60).await;
}

#[tokio::test]
async fn large_audiences_are_estimated_within_three_errors() {
    run(Rotation::Monthly, 6_000, 3_000, 40).await;
}
