//! Table `trending`: the fold adds new viewers, the list is read in the order of the keys, and the night takes out what
//! has faded.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use scoped_futures::ScopedFutureExt;
use tokio_postgres::{Row, types::ToSql};

use super::sql;
use crate::{
    events::region::GLOBAL,
    postgres::{Store, StoreError, Tables, Transaction, execute, query},
    views::{
        fold::NewViewer,
        trending::{By, Candidate, HalfLives, Masses, key},
    },
};

/// At most so many videos are looked at for a list: more than any list has, and read in a few milliseconds.
const MAX_CANDIDATES: i64 = 2_000;
/// So many rows are removed in one transaction.
const PIECE_ROWS: i64 = 5_000;
/// A recent mass below this is next to nothing: nobody came for six and a half half-lives.
const FADED: f64 = 0.01;
/// No list has a lower floor than this.
const LOWEST_FLOOR: f64 = 1.0;

/// A list as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TrendingQuery {
    pub by: By,
    /// One region, or `GLOBAL`.
    pub region: String,
    pub limit: usize,
}

impl Store {
    /// Returns the videos that a list may have, their masses as they are now, and the half-lives of these. Each has at
    /// least the mass `floor`: the recent one, or for [`By::Top`] the baseline.
    pub async fn read_trending(
        &self,
        asked: &TrendingQuery,
        floor: f64,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Candidate>, HalfLives), StoreError> {
        self.run_tx("read_trending", |tx| {
            async move {
                let half_lives = half_lives(tx).await?;
                let (statement, half_life) = match asked.by {
                    By::Rise | By::Hot => (sql::READ_HOT, half_lives.recent_secs),
                    By::Top => (sql::READ_TOP, half_lives.baseline_secs),
                };
                let rows =
                    query(tx, statement, &[&asked.region, &key(floor, now, half_life), &MAX_CANDIDATES])
                        .await?;
                let mut candidates: Vec<Candidate> =
                    rows.iter().map(|row| candidate(row, now, half_lives)).collect::<Result<_, _>>()?;
                // Keys are rounded down, so the last ones may lie below the floor.
                candidates.retain(|candidate| match asked.by {
                    By::Rise | By::Hot => candidate.masses.recent >= floor,
                    By::Top => candidate.masses.baseline >= floor,
                });
                Ok((candidates, half_lives))
            }
            .scope_boxed()
        })
        .await
    }

    /// Makes these the half-lives from now on, in hours; what is left out stays. Keys of others have no common order with
    /// theirs, so if they change all rows go and trending begins anew; returns true then. A fold that is under way may
    /// still write a few rows with keys of before: they come into order with their next new viewer.
    pub async fn set_half_lives(
        &self,
        recent_hours: Option<u32>,
        baseline_hours: Option<u32>,
    ) -> Result<bool, StoreError> {
        let secs = |hours: Option<u32>| hours.map(|hours| (hours * 3600) as i32);
        let wanted = (secs(recent_hours), secs(baseline_hours));
        self.run_tx("set_half_lives", |tx| {
            async move {
                if is_set(&query(tx, sql::READ_HALF_LIVES, &[]).await?, wanted)? {
                    return Ok(false);
                }
                // Whoever waited here for another that did the same finds it done.
                if is_set(&query(tx, sql::LOCK_HALF_LIVES, &[]).await?, wanted)? {
                    return Ok(false);
                }
                execute(tx, sql::WRITE_HALF_LIVES, &[&wanted.0, &wanted.1]).await?;
                execute(tx, sql::EMPTY_TRENDING, &[]).await?;
                Ok(true)
            }
            .scope_boxed()
        })
        .await
    }

    /// Removes the rows of which next to nothing is left, in pieces; returns how many. A row stays as long as its baseline
    /// might still be listed.
    pub async fn delete_faded(&self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut removed = 0;
        let mut behind = Some((String::new(), String::new()));
        while let Some(from) = behind {
            let from = &from;
            let (rows, last) = self
                .run_tx("delete_faded", |tx| {
                    async move {
                        let half_lives = half_lives(tx).await?;
                        let recent = key(FADED, now, half_lives.recent_secs);
                        let baseline = key(LOWEST_FLOOR, now, half_lives.baseline_secs);
                        let found =
                            query(tx, sql::PEEK_FADED, &[&from.0, &from.1, &recent, &baseline, &PIECE_ROWS])
                                .await?;
                        let Some(last) = found.last() else { return Ok((0, None)) };
                        let last = (last.try_get("video_id")?, last.try_get("region")?);
                        let mut videos: Vec<&str> =
                            found.iter().map(|row| row.try_get("video_id")).collect::<Result<_, _>>()?;
                        videos.dedup();
                        let rows = execute(tx, sql::DELETE_FADED, &[&videos, &recent, &baseline]).await?;
                        Ok((rows, Some(last)))
                    }
                    .scope_boxed()
                })
                .await?;
            removed += rows;
            behind = last;
        }
        Ok(removed)
    }
}

/// Adds new viewers, within the transaction of a fold: one change a row, sorted by key.
pub(super) async fn add_in(
    tx: &Transaction<'_>,
    tables: Tables,
    new_viewers: &[NewViewer<'_>],
) -> Result<u64, StoreError> {
    if new_viewers.is_empty() {
        return Ok(0);
    }
    let half_lives = half_lives(tx).await?;
    let mut rows: BTreeMap<(&str, &str), Masses> = BTreeMap::new();
    for NewViewer { video_id, region, at } in new_viewers {
        let one = Masses::of_one(*at);
        for region in [GLOBAL, region] {
            rows.entry((video_id, region)).and_modify(|masses| masses.add(one, half_lives)).or_insert(one);
        }
    }
    let (videos, regions): (Vec<&str>, Vec<&str>) = rows.keys().copied().unzip();
    if tables == Tables::Distributed {
        let mut there: HashMap<(String, String), Masses> = HashMap::new();
        for row in &query(tx, sql::READ_MASSES_DISTRIBUTED, &[&videos, &regions]).await? {
            there.insert((row.try_get("video_id")?, row.try_get("region")?), masses(row)?);
        }
        for (&(video_id, region), new) in &mut rows {
            if let Some(mut both) = there.remove(&(video_id.to_owned(), region.to_owned())) {
                both.add(*new, half_lives);
                *new = both;
            }
        }
    }
    let recent: Vec<f64> = rows.values().map(|masses| masses.recent).collect();
    let baseline: Vec<f64> = rows.values().map(|masses| masses.baseline).collect();
    let at: Vec<DateTime<Utc>> = rows.values().map(|masses| masses.at).collect();
    let born: Vec<DateTime<Utc>> = rows.values().map(|masses| masses.born).collect();
    if tables == Tables::Distributed {
        let keys = |mass: fn(&Masses) -> f64, half_life| -> Vec<i32> {
            rows.values().map(|masses| key(mass(masses), masses.at, half_life)).collect()
        };
        let recent_keys = keys(|masses| masses.recent, half_lives.recent_secs);
        let baseline_keys = keys(|masses| masses.baseline, half_lives.baseline_secs);
        let parameters: &[&(dyn ToSql + Sync)] =
            &[&videos, &regions, &recent, &baseline, &at, &born, &recent_keys, &baseline_keys];
        return execute(tx, sql::WRITE_MASSES_DISTRIBUTED, parameters).await;
    }
    let parameters: &[&(dyn ToSql + Sync)] = &[
        &videos,
        &regions,
        &recent,
        &baseline,
        &at,
        &born,
        &half_lives.recent_secs,
        &half_lives.baseline_secs,
    ];
    execute(tx, sql::ADD_TRENDING, parameters).await
}

async fn half_lives(tx: &Transaction<'_>) -> Result<HalfLives, StoreError> {
    let rows = query(tx, sql::READ_HALF_LIVES, &[]).await?;
    let secs = |name: &str| rows[0].try_get::<_, i32>(name).map(f64::from);
    Ok(HalfLives { recent_secs: secs("recent_secs")?, baseline_secs: secs("baseline_secs")? })
}

fn is_set(
    rows: &[Row],
    (recent_secs, baseline_secs): (Option<i32>, Option<i32>),
) -> Result<bool, StoreError> {
    let differs = |name: &str, wanted: Option<i32>| -> Result<bool, StoreError> {
        Ok(wanted.is_some_and(|wanted| rows[0].try_get::<_, i32>(name).is_ok_and(|set| set != wanted)))
    };
    Ok(!differs("recent_secs", recent_secs)? && !differs("baseline_secs", baseline_secs)?)
}

fn candidate(row: &Row, now: DateTime<Utc>, half_lives: HalfLives) -> Result<Candidate, StoreError> {
    Ok(Candidate { video_id: row.try_get("video_id")?, masses: masses(row)?.aged(now, half_lives) })
}

fn masses(row: &Row) -> Result<Masses, StoreError> {
    Ok(Masses {
        recent: row.try_get("recent")?,
        baseline: row.try_get("baseline")?,
        at: row.try_get("at")?,
        born: row.try_get("born")?,
    })
}
