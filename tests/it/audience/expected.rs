//! What the sample must be, by plain sets: every viewer below a row's threshold with all that was said of them, and nobody
//! else.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use heatstrip::{
    audience::{
        answer::Strata,
        interval::Stratum,
        question::{Condition, MOST_PERCENT, Range},
        sample::{Threshold, decode},
        store::read::{AudienceQuery, OverlapQuery, Scene},
    },
    events::heartbeat::ViewerId,
    sketch,
    viewers::hash::{Salt, viewer_hash},
};
use tokio_postgres::Client;

use super::{Said, viewer_id};

/// The seconds that each viewer watched, by region.
type Watched = BTreeMap<(u64, String), BTreeSet<u32>>;

/// The row of a video-day.
pub struct Row {
    pub threshold: Threshold,
    /// What `viewers` says.
    pub bound: i32,
    pub watched: Watched,
    pub open_bytes: i32,
}

/// The rows as they stand, by video and day.
pub async fn rows(sql: &Client) -> BTreeMap<(String, NaiveDate), Row> {
    let query = "SELECT video_id, captured_on, viewers, threshold, open, sealed, octet_length(open) AS bytes FROM sampled_watches";
    let mut rows = BTreeMap::new();
    for row in sql.query(query, &[]).await.expect("the rows") {
        let threshold = Threshold::from_column(row.get("threshold"));
        let mut watches = Vec::new();
        for bytes in [row.get::<_, Option<&[u8]>>("sealed"), row.get("open")].into_iter().flatten() {
            decode(bytes, |element| threshold.keeps(element), &mut watches).expect("stretches");
        }
        let mut watched = Watched::new();
        for watch in watches {
            let seconds = watched.entry((watch.element, watch.region.to_owned())).or_default();
            seconds.extend(watch.start_sec as u32..=watch.end_sec as u32);
        }
        let (bound, open_bytes) = (row.get("viewers"), row.get("bytes"));
        rows.insert(
            (row.get("video_id"), row.get("captured_on")),
            Row { threshold, bound, watched, open_bytes },
        );
    }
    rows
}

/// A salt epoch.
#[derive(Clone)]
struct Epoch {
    days: (NaiveDate, NaiveDate),
    salt: Salt,
}

/// The salts as they were before a night destroyed them.
#[derive(Default)]
pub struct Salts(BTreeMap<NaiveDate, Epoch>);

impl Salts {
    /// Learns the salts that there are now.
    pub async fn look(&mut self, sql: &Client) {
        let query = "SELECT first_day, last_day, salt FROM salt_epochs WHERE salt IS NOT NULL";
        for row in sql.query(query, &[]).await.expect("the epochs") {
            let days: (NaiveDate, NaiveDate) = (row.get(0), row.get(1));
            self.0.insert(days.0, Epoch { days, salt: Salt::new(row.get(2)) });
        }
    }
}

/// What was said, hashed as it is hashed on arrival.
pub struct Oracle {
    epochs: Vec<Epoch>,
    /// Viewer, and what they watched.
    said: Vec<(u64, Said)>,
}

impl Oracle {
    /// Hashes what was said with the salts that there are.
    pub async fn of(sql: &Client, said: &[Said]) -> Oracle {
        let mut salts = Salts::default();
        salts.look(sql).await;
        Oracle::with(&salts, said)
    }

    pub fn with(salts: &Salts, said: &[Said]) -> Oracle {
        let epochs: Vec<Epoch> = salts.0.values().cloned().collect();
        let mut elements: BTreeMap<(u32, usize), u64> = BTreeMap::new();
        let said = said.iter().map(|said| {
            let epoch = epochs.iter().position(|epoch| epoch.holds(said.day)).expect("the epoch of a day");
            let element = *elements.entry((said.viewer, epoch)).or_insert_with(|| {
                let viewer = ViewerId::new(viewer_id(said.viewer));
                sketch::element(viewer_hash(&viewer, &epochs[epoch].salt)) as u64
            });
            (element, said.clone())
        });
        let said = said.collect();
        Oracle { epochs, said }
    }

    /// The elements of the viewers, in the order in which they were said.
    pub fn elements(&self) -> Vec<u64> {
        self.said.iter().map(|(element, _)| *element).collect()
    }

    /// The days that were watched from a day on, by video.
    fn video_days(&self, kept_from: NaiveDate) -> BTreeSet<(String, NaiveDate)> {
        let kept = self.said.iter().filter(|(_, said)| said.day >= kept_from);
        kept.map(|(_, said)| (said.video.to_owned(), said.day)).collect()
    }

    /// Every row holds the viewers below its threshold with all that they watched, and is not too large.
    pub fn assert_rows(&self, rows: &BTreeMap<(String, NaiveDate), Row>, kept_from: NaiveDate, size: usize) {
        let found: BTreeSet<_> = rows.keys().cloned().collect();
        assert_eq!(found, self.video_days(kept_from));
        self.assert_watched(rows);
        for ((video, day), row) in rows {
            let viewers = row.watched.keys().map(|(element, _)| element).collect::<BTreeSet<_>>().len();
            assert!(
                viewers <= row.bound as usize && row.bound as usize <= size * 5 / 2,
                "{video} {day}: {viewers}"
            );
            assert!(row.threshold.keeps_all() || viewers >= size, "{video} {day}: {viewers} are left");
        }
    }

    /// Every row holds the viewers below its threshold with all that they watched.
    pub fn assert_watched(&self, rows: &BTreeMap<(String, NaiveDate), Row>) {
        for ((video, day), row) in rows {
            let mut expected = Watched::new();
            for (element, said) in &self.said {
                if said.video == video && said.day == *day && row.threshold.keeps(*element) {
                    let seconds = expected.entry((*element, said.region.to_owned())).or_default();
                    seconds.extend(said.start_sec..=said.end_sec);
                }
            }
            assert_eq!(row.watched, expected, "{video} {day}");
        }
    }

    /// The strata of a question: sampled viewers, epoch by epoch, below the lowest threshold.
    pub fn strata(&self, rows: &BTreeMap<(String, NaiveDate), Row>, asked: &AudienceQuery) -> Strata {
        let videos = std::slice::from_ref(&asked.video_id);
        self.each_epoch(rows, videos, &asked.scene, |watched| {
            let seen = |seconds: &BTreeSet<u32>| {
                asked.conditions.iter().all(|condition| is_met(*condition, seconds))
            };
            watched.values().filter(|of_videos| of_videos.values().all(seen)).count()
        })
    }

    /// The strata of an overlap, for those who watched so many of the videos.
    pub fn overlap(
        &self,
        rows: &BTreeMap<(String, NaiveDate), Row>,
        asked: &OverlapQuery,
        videos: usize,
    ) -> Strata {
        self.each_epoch(rows, &asked.video_ids, &asked.scene, |watched| {
            watched.values().filter(|of_videos| of_videos.len() == videos).count()
        })
    }

    fn each_epoch(
        &self,
        rows: &BTreeMap<(String, NaiveDate), Row>,
        videos: &[String],
        scene: &Scene,
        matching: impl Fn(&BTreeMap<u64, BTreeMap<&str, BTreeSet<u32>>>) -> usize,
    ) -> Strata {
        let asked = |video: &str, day: NaiveDate| {
            videos.iter().any(|id| id == video)
                && scene.from.is_none_or(|from| from <= day)
                && scene.to.is_none_or(|to| day <= to)
        };
        let mut strata = Strata { counted: Vec::new(), exact: true };
        for epoch in &self.epochs {
            let of_epoch: Vec<_> =
                rows.iter().filter(|((video, day), _)| epoch.holds(*day) && asked(video, *day)).collect();
            if of_epoch.is_empty() {
                continue;
            }
            let threshold =
                of_epoch.iter().fold(Threshold::NOBODY_OUT, |lowest, (_, row)| lowest.lower(row.threshold));
            strata.exact &= threshold.keeps_all();
            let mut watched: BTreeMap<u64, BTreeMap<&str, BTreeSet<u32>>> = BTreeMap::new();
            for (element, said) in &self.said {
                let sampled =
                    rows.contains_key(&(said.video.to_owned(), said.day)) && threshold.keeps(*element);
                let region =
                    scene.regions == ["GLOBAL"] || scene.regions.iter().any(|region| region == said.region);
                if sampled && region && epoch.holds(said.day) && asked(said.video, said.day) {
                    let seconds = watched.entry(*element).or_default().entry(said.video).or_default();
                    seconds.extend(said.start_sec..=said.end_sec);
                }
            }
            strata.counted.push(Stratum {
                share: threshold.share(),
                all: watched.len() as u64,
                matching: matching(&watched) as u64,
            });
        }
        strata
    }
}

impl Epoch {
    fn holds(&self, day: NaiveDate) -> bool {
        (self.days.0..=self.days.1).contains(&day)
    }
}

fn is_met(condition: Condition, seconds: &BTreeSet<u32>) -> bool {
    let seen = |range: Range| seconds.range(range.start_sec as u32..=range.end_sec as u32).count() as i64;
    match condition {
        Condition::Saw(range) => seen(range) > 0,
        Condition::Missed(range) => seen(range) == 0,
        Condition::SawMost(range) => {
            100 * seen(range) >= MOST_PERCENT * i64::from(range.end_sec - range.start_sec + 1)
        }
    }
}
