//! What was refused, gathered until it is written. Whoever is refused decides what is in it, so it is bounded. Pure.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use chrono::NaiveDate;

use super::Element;
use crate::events::refusal::Reason;

/// Rows that are gathered by video; what is refused of yet another video counts for all unknown ones together. With the
/// longest names these are less than a megabyte.
const MAX_ROWS: usize = 4_096;

/// What was refused alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row {
    /// The video that it names, if it names one that can be.
    pub video_id: Option<String>,
    /// The UTC day on which it was refused.
    pub day: NaiveDate,
    pub element: Element,
    pub reason: Reason,
}

/// How many elements were refused, row by row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused(HashMap<Row, u64>);

impl Refused {
    /// Adds elements that were refused alike.
    pub fn add(&mut self, row: Row, elements: u64) {
        if let Some(there) = self.0.get_mut(&row) {
            *there = there.saturating_add(elements);
        } else if self.0.len() < MAX_ROWS || row.video_id.is_none() {
            // Without a video there are as many rows as there are reasons and days.
            self.0.insert(row, elements);
        } else {
            self.add(Row { video_id: None, ..row }, elements);
        }
    }

    /// Adds what others have gathered.
    pub fn merge(&mut self, others: Refused) {
        others.0.into_iter().for_each(|(row, elements)| self.add(row, elements));
    }

    /// Returns true if nothing was refused.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each row, and how many elements it stands for.
    pub fn rows(&self) -> impl Iterator<Item = (&Row, u64)> {
        self.0.iter().map(|(row, elements)| (row, *elements))
    }
}

/// What the requests of a process have gathered since it was last written.
#[derive(Debug, Clone, Default)]
pub struct Gathered(Arc<Mutex<Refused>>);

impl Gathered {
    /// Adds what was refused.
    pub fn merge(&self, refused: Refused) {
        if !refused.is_empty() {
            self.lock().merge(refused);
        }
    }

    /// Takes all of it.
    pub fn take(&self) -> Refused {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Refused> {
        // Counts are whole at any moment, whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(video_id: Option<&str>) -> Row {
        Row {
            video_id: video_id.map(str::to_owned),
            day: NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day"),
            element: Element::Heartbeat,
            reason: Reason::TooOld,
        }
    }

    #[test]
    fn invented_videos_fill_no_memory() {
        let gathered = Gathered::default();
        for n in 0..3 * MAX_ROWS {
            let mut refused = Refused::default();
            refused.add(row(Some(&format!("video {n}"))), 1);
            gathered.merge(refused);
        }
        let refused = gathered.take();
        assert_eq!(refused.0.len(), MAX_ROWS + 1);
        assert_eq!(refused.0[&row(None)], 2 * MAX_ROWS as u64);
        assert_eq!(refused.rows().map(|(_, elements)| elements).sum::<u64>(), 3 * MAX_ROWS as u64);
        assert!(gathered.take().is_empty());
    }

    #[test]
    fn what_is_alike_is_one_row() {
        let mut refused = Refused::default();
        refused.add(row(Some("v")), 2);
        refused.add(row(Some("v")), 3);
        refused.add(Row { reason: Reason::InFuture, ..row(Some("v")) }, 1);
        assert_eq!((refused.0.len(), refused.0[&row(Some("v"))]), (2, 5));
    }
}
