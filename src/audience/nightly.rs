//! The night of the sample: days that are no longer kept go, closed days are sealed and thinned.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};

use crate::{
    clock::Clock,
    postgres::{Store, StoreError},
};

/// Rows sealed in one transaction: of the largest, some ten megabytes.
const MAX_PIECE_VIDEOS: u64 = 200;
/// Closed days that the first night looks at.
const MAX_SEALED_DAYS: u64 = 400;
/// Heartbeats come up to 48 hours late: to today, and to so many days before it. What a replay brings to others is noted.
const LATE_DAYS: u64 = 2;

/// The work that a night did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Days whose samples were dropped.
    pub dropped_days: u64,
    /// Samples that were sealed, and thinned where they had grown.
    pub sealed: u64,
}

/// Does it all; keeps `days` before today, none for all. A night that dies is simply run again: each piece is a transaction
/// of its own.
pub async fn run(store: &Store, clock: &Clock, days: Option<u32>) -> Result<Summary, StoreError> {
    let today = clock.today();
    // First, so that nobody reads a day that is half gone.
    store.advance_sample(days.map(|days| today - Days::new(days.into()))).await?;
    crash_point!("audience::advanced");
    let mut dropped_days = 0;
    while store.drop_sample().await? {
        dropped_days += 1;
    }
    crash_point!("audience::dropped");
    let kept_from = store.sample_settings().await?.kept_from;
    let mut sealed = 0;
    let sealing = store.sealing().await?;
    let first = sealing.sealed_to.max(kept_from).max(today - Days::new(MAX_SEALED_DAYS));
    let mut days: BTreeSet<NaiveDate> = first.iter_days().take_while(|day| *day < today).collect();
    days.extend(sealing.noted_days.iter().filter(|day| **day >= kept_from));
    for day in days {
        sealed += seal_day(store, day).await?;
    }
    crash_point!("audience::sealed_all");
    // A step that is under way knows the former day from which on nothing is noted: the next night looks from there.
    store.advance_sealing(&sealing, today - Days::new(LATE_DAYS)).await?;
    Ok(Summary { dropped_days, sealed })
}

async fn seal_day(store: &Store, day: NaiveDate) -> Result<u64, StoreError> {
    let (mut sealed, mut behind) = (0, String::new());
    while let Some((last, rows)) = store.seal_samples(day, &behind, MAX_PIECE_VIDEOS).await? {
        crash_point!("audience::committed");
        sealed += rows;
        behind = last;
    }
    Ok(sealed)
}
