//! The reads behind the answers: the samples of the days asked for, in one snapshot.

use std::collections::HashMap;

use chrono::NaiveDate;
use scoped_futures::ScopedFutureExt;
use tokio_postgres::Row;

use super::{seal::unreadable, settings, sql};
use crate::{
    audience::{
        answer::{Span, Strata},
        interval::Stratum,
        question::{Condition, count},
        sample::{Threshold, Watch, decode},
    },
    events::region::GLOBAL,
    postgres::{Store, StoreError, Tables, Transaction, query},
    viewers::{epoch::Rotation, store::epochs},
};

/// Where and when a question looks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scene {
    /// The regions to unite, ascending; `GLOBAL` alone for all.
    pub regions: Vec<String>,
    /// The first day; left out: the first that is sampled.
    pub from: Option<NaiveDate>,
    /// The last day; left out: the last that is sampled.
    pub to: Option<NaiveDate>,
}

/// A question about one video.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AudienceQuery {
    pub video_id: String,
    pub scene: Scene,
    pub conditions: Vec<Condition>,
}

/// A question about what several videos have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OverlapQuery {
    pub video_ids: Vec<String>,
    pub scene: Scene,
}

/// A question has no answer for one of these reasons.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The range has days whose sample is not kept or never was; the first day that has one.
    #[error("the sample of the audience begins on {0}: ask from that day on")]
    NotSampled(NaiveDate),
    /// The database did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<tokio_postgres::Error> for ReadError {
    fn from(error: tokio_postgres::Error) -> Self {
        ReadError::Store(error.into())
    }
}

impl Store {
    /// Counts the sampled viewers of a video, and those who meet the conditions.
    pub async fn read_audience(&self, asked: &AudienceQuery) -> Result<(Span, Strata), ReadError> {
        self.run_read(prepare(self.tables()), |tx| {
            async move {
                let (span, samples) = read(tx, std::slice::from_ref(&asked.video_id), &asked.scene).await?;
                let mut counted = Vec::new();
                for of_epoch in samples.epochs() {
                    let (threshold, mut watches) = (lowest(of_epoch), Vec::new());
                    for sample in of_epoch {
                        sample.watches(threshold, &asked.scene, &mut watches)?;
                    }
                    let found = count(&mut watches, &asked.conditions);
                    counted.push(Stratum {
                        share: threshold.share(),
                        all: found.all,
                        matching: found.matching,
                    });
                }
                Ok((span, Strata { exact: samples.exact(), counted }))
            }
            .scope_boxed()
        })
        .await
    }

    /// Counts the sampled viewers of videos by how many of them they watched: of one, of two, and so on.
    pub async fn read_overlap(&self, asked: &OverlapQuery) -> Result<(Span, Vec<Strata>), ReadError> {
        self.run_read(prepare(self.tables()), |tx| {
            async move {
                let (span, samples) = read(tx, &asked.video_ids, &asked.scene).await?;
                let exact = samples.exact();
                let none = Strata { exact, counted: Vec::new() };
                let mut watched = vec![none; asked.video_ids.len()];
                for of_epoch in samples.epochs() {
                    let threshold = lowest(of_epoch);
                    // The videos of each viewer, a bit each.
                    let mut videos: HashMap<u64, u32> = HashMap::new();
                    let mut watches = Vec::new();
                    for sample in of_epoch {
                        watches.clear();
                        sample.watches(threshold, &asked.scene, &mut watches)?;
                        let place = asked.video_ids.iter().position(|id| *id == sample.video_id);
                        let bit = 1 << place.unwrap_or_default();
                        for watch in &watches {
                            *videos.entry(watch.element).or_default() |= bit;
                        }
                    }
                    let all = videos.len() as u64;
                    for (nth, strata) in (1..).zip(&mut watched) {
                        let matching = videos.values().filter(|bits| bits.count_ones() == nth).count() as u64;
                        strata.counted.push(Stratum { share: threshold.share(), all, matching });
                    }
                }
                Ok((span, watched))
            }
            .scope_boxed()
        })
        .await
    }
}

/// The statements with which a read begins.
fn prepare(tables: Tables) -> &'static str {
    tables.form(sql::PREPARE_AUDIENCE, sql::PREPARE_AUDIENCE_DISTRIBUTED)
}

/// The sample of a video-day, as its row has it.
struct Sample {
    video_id: String,
    epoch: i32,
    threshold: Threshold,
    row: Row,
}

impl Sample {
    /// Adds the stretches of the viewers below a threshold that were watched in the regions asked for.
    fn watches<'a>(
        &'a self,
        threshold: Threshold,
        scene: &Scene,
        watches: &mut Vec<Watch<'a>>,
    ) -> Result<(), StoreError> {
        let before = watches.len();
        for name in ["sealed", "open"] {
            if let Some(bytes) = self.row.try_get::<_, Option<&[u8]>>(name)? {
                decode(bytes, |element| threshold.keeps(element), watches).map_err(unreadable)?;
            }
        }
        if scene.regions != [GLOBAL] {
            let of_regions = |watch: &Watch<'_>| scene.regions.iter().any(|region| region == watch.region);
            let mut kept = before;
            for at in before..watches.len() {
                if of_regions(&watches[at]) {
                    watches.swap(kept, at);
                    kept += 1;
                }
            }
            watches.truncate(kept);
        }
        Ok(())
    }
}

/// The samples of a question, by day.
struct Samples(Vec<Sample>);

impl Samples {
    fn epochs(&self) -> impl Iterator<Item = &[Sample]> {
        self.0.chunk_by(|a, b| a.epoch == b.epoch)
    }

    fn exact(&self) -> bool {
        self.0.iter().all(|sample| sample.threshold.keeps_all())
    }
}

/// Returns the threshold below which viewers are in all of these samples.
fn lowest(samples: &[Sample]) -> Threshold {
    samples.iter().fold(Threshold::NOBODY_OUT, |lowest, sample| lowest.lower(sample.threshold))
}

/// Reads the samples of videos.
async fn read(tx: &Transaction<'_>, videos: &[String], scene: &Scene) -> Result<(Span, Samples), ReadError> {
    let kept_from = settings(tx, &[]).await?.sample.kept_from;
    let days = query(tx, sql::READ_SAMPLE_DAYS, &[&videos, &kept_from]).await?;
    // Whoever leaves an end out gets the days that there are.
    if [scene.from, scene.to].into_iter().flatten().any(|day| day < kept_from) {
        return Err(ReadError::NotSampled(kept_from));
    }
    // Where nothing is sampled, the answer says since when there would be a sample.
    let begins = (kept_from > Rotation::Never.span(kept_from).0).then_some(kept_from);
    let mut span = Span {
        regions: scene.regions.clone(),
        from: scene.from.or(days[0].try_get("first_day")?).or(begins),
        to: scene.to.or(days[0].try_get("last_day")?),
        epochs: Vec::new(),
    };
    let (Some(from), Some(to)) = (span.from, span.to) else { return Ok((span, Samples(Vec::new()))) };
    let first_days;
    (first_days, span.epochs) = epochs(tx, from, to).await?;
    let rows = query(tx, sql::READ_WATCHES, &[&videos, &from, &to, &first_days]).await?;
    let sample = |row: Row| -> Result<Sample, StoreError> {
        Ok(Sample {
            video_id: row.try_get("video_id")?,
            epoch: row.try_get("epoch")?,
            threshold: Threshold::from_column(row.try_get("threshold")?),
            row,
        })
    };
    Ok((span, Samples(rows.into_iter().map(sample).collect::<Result<_, _>>()?)))
}
