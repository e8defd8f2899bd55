//! Changed settings, late data and compaction, in any order that chance comes up with.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use heatstrip::{
    heatmap::{compaction, store::strips::StripQuery},
    viewers::{
        epoch::Rotation,
        hash::Salt,
        salt::{SaltError, SaltSource, Salts},
    },
    work::nightly::{self, Keep},
};
use rand::{
    Rng, RngExt,
    seq::{IndexedRandom, SliceRandom},
};

use super::{Audience, Engine, Said, expected::Expected, questions};
use crate::support::chance;

/// Every level, multiples of each, and a resolution of none.
const RESOLUTIONS: [u32; 7] = [1, 5, 7, 10, 60, 120, 3600];
/// Questions asked around a compaction, and at the end.
const ASKED: usize = 10;
const ASKED_AT_THE_END: usize = 40;

/// The processes that hash, each with the setting of its start; they go on while others start.
struct Processes {
    /// One that knows the given salt: nobody else can hash for the days that were opened with it.
    given: Salts,
    started: Vec<Salts>,
}

impl Processes {
    fn start(engine: &Engine, source: SaltSource) -> Salts {
        Salts::new(engine.store.clone(), source, engine.clock.clone())
    }

    /// Another setting from now on; the epoch of today ends with today if it was opened with another one.
    async fn take_over(&mut self, engine: &Engine, rng: &mut impl Rng) {
        let rotations = [Rotation::Daily, Rotation::Weekly, Rotation::Monthly, Rotation::Never];
        let rotation = rotations.get(rng.random_range(0..=rotations.len()));
        println!("{}: {}", engine.clock.now(), rotation.map_or("given", |rotation| rotation.name()));
        let salts = match rotation {
            Some(&rotation) => Processes::start(engine, SaltSource::Made(rotation)),
            None => self.given.clone(),
        };
        match salts.check().await {
            // Until the day is over.
            Ok(()) | Err(SaltError::OtherSalt { .. }) => self.started.push(salts),
            Err(error) => panic!("no salt for today: {error}"),
        }
    }

    /// Mostly the newest.
    fn choose(&self, rng: &mut impl Rng) -> &Salts {
        let any = self.started.choose(rng);
        let newest = self.started.last();
        if rng.random_bool(0.8) { newest } else { any }.expect("one has started")
    }

    /// Queues and folds heartbeats that arrive together.
    async fn count(&self, engine: &mut Engine, said: &[Said], rng: &mut impl Rng) {
        let epochs = engine.epochs().await;
        let is_given = |beat: &&Said| epochs.iter().any(|epoch| epoch.given && epoch.holds(beat.day));
        let (given, made): (Vec<&Said>, Vec<&Said>) = said.iter().partition(is_given);
        for (beats, salts) in [(given, &self.given), (made, self.choose(rng))] {
            let beats: Vec<Said> = beats.into_iter().cloned().collect();
            engine.salts = salts.clone();
            engine.count(&beats, 2, 40, rng).await;
        }
    }
}

/// Moves rows as a job does that dies on its way, as one that ends, or as the whole nightly one; or nothing.
async fn compact(engine: &Engine, rng: &mut impl Rng) {
    let today = engine.clock.today();
    match rng.random_range(0..4) {
        0 => engine.compact_some(rng.random()).await,
        1 => {
            // The open day too, if somebody asks for it.
            let through = today - TimeDelta::days(rng.random_range(0..3));
            compaction::run(&engine.store, through, |_| ()).await.expect("compacted");
        }
        2 => {
            let yesterday = today - TimeDelta::days(1);
            let night = nightly::run(&engine.store, &engine.clock, yesterday, Keep::default(), |_| ());
            night.await.expect("a night");
        }
        _ => (),
    }
}

/// The answers' bytes, without the instant they were made at.
async fn texts(engine: &Engine, asked: &[StripQuery]) -> Vec<String> {
    let mut texts = Vec::new();
    for asked in asked {
        texts.push(serde_json::to_string(&engine.strip(asked).await).expect("JSON"));
    }
    texts
}

/// Each strip is that of the exact sets, and no compaction changes a byte of it.
async fn check(engine: &Engine, said: &[Said], asked: &[StripQuery], rng: &mut impl Rng) {
    let before = texts(engine, asked).await;
    compact(engine, rng).await;
    let after = texts(engine, asked).await;
    let epochs = engine.epochs().await;
    for ((asked, before), after) in asked.iter().zip(before).zip(after) {
        assert_eq!(after, before, "compaction changed {asked:?}");
        let of_seconds = engine.strip_of_seconds(asked).await;
        assert_eq!(after, serde_json::to_string(&of_seconds).expect("JSON"), "{asked:?}");
        Expected::of(said, &epochs, asked).assert_exact(of_seconds, asked);
    }
}

/// Some about videos that were watched by then.
fn some_questions(audience: &Audience, said: &[Said], most: usize, rng: &mut impl Rng) -> Vec<StripQuery> {
    let mut asked = questions(audience, &RESOLUTIONS, rng);
    asked.retain(|asked| said.iter().any(|beat| beat.video == asked.video_id));
    asked.shuffle(rng);
    asked.truncate(most);
    asked
}

async fn weeks(rng: &mut impl Rng) {
    // Over the end of a month and, somewhere, the ends of weeks.
    let first = NaiveDate::from_ymd_opt(2026, 10, rng.random_range(20..=31)).expect("a day of October");
    let days: Vec<NaiveDate> = first.iter_days().take(8).collect();
    let audience = Audience {
        videos: vec!["a", "B"],
        regions: vec!["AA", "JP", "ZZ-9"],
        days: days.clone(),
        viewers: rng.random_range(1..=320),
        last_sec: rng.random_range(1..150),
        beats: 500,
    };
    let mut arrivals: BTreeMap<NaiveDate, Vec<Said>> = BTreeMap::new();
    for beat in audience.says(rng) {
        // No later than the salt of the shortest epoch is kept for.
        let late = [0, 0, 0, 1, 2][rng.random_range(0..5)];
        arrivals.entry(beat.day + TimeDelta::days(late)).or_default().push(beat);
    }
    let mut engine = Engine::start(&format!("{first}T00:00:00Z"), Rotation::Daily).await;
    let given = Processes::start(&engine, SaltSource::Given(Salt::new(b"pepper".to_vec())));
    let mut processes = Processes { given, started: Vec::new() };
    let mut said: Vec<Said> = Vec::new();
    for (today, beats) in arrivals {
        let noon = today.and_hms_opt(12, 35, 0).expect("a time of day").and_utc();
        engine.clock.set(noon + TimeDelta::minutes(rng.random_range(0..600)));
        if said.is_empty() || rng.random_bool(0.4) {
            processes.take_over(&engine, rng).await;
        }
        let (morning, evening) = beats.split_at(rng.random_range(0..=beats.len()));
        for beats in [morning, evening] {
            processes.count(&mut engine, beats, rng).await;
            said.extend_from_slice(beats);
            check(&engine, &said, &some_questions(&audience, &said, ASKED, rng), rng).await;
        }
    }
    assert_eq!(said.len(), audience.beats);
    check(&engine, &said, &some_questions(&audience, &said, ASKED_AT_THE_END, rng), rng).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_settings_and_late_data_survive_every_compaction() {
    let mut rng = chance();
    for _ in 0..2 {
        weeks(&mut rng).await;
    }
}
