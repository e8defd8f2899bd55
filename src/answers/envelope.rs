//! The fields that every answer has around its numbers. This file is pure.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::viewers::epoch::Rotation;

/// Says what `viewers` counts, which depends on how many salt epochs the range spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Viewers are people, because the range lies inside one epoch.
    Viewers,
    /// A person counts once a day.
    ViewerDays,
    /// A person counts once an ISO week.
    ViewerWeeks,
    /// A person counts once a month.
    ViewerMonths,
    /// A person counts once a salt epoch; the epochs are of several kinds.
    ViewerEpochs,
}

impl Scope {
    /// Returns the scope of a range over these epochs.
    pub fn of(epochs: &[Rotation]) -> Self {
        let kinds: BTreeSet<Rotation> = epochs.iter().copied().collect();
        match (epochs.len(), Vec::from_iter(kinds).as_slice()) {
            (0 | 1, _) => Scope::Viewers,
            (_, [Rotation::Daily]) => Scope::ViewerDays,
            (_, [Rotation::Weekly]) => Scope::ViewerWeeks,
            (_, [Rotation::Monthly]) => Scope::ViewerMonths,
            _ => Scope::ViewerEpochs,
        }
    }

    /// Returns the name as it stands in answers.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Viewers => "viewers",
            Scope::ViewerDays => "viewer-days",
            Scope::ViewerWeeks => "viewer-weeks",
            Scope::ViewerMonths => "viewer-months",
            Scope::ViewerEpochs => "viewer-epochs",
        }
    }
}

/// Returns `part / whole` to 4 decimals, half away from zero, and 0 where there is no whole.
pub fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    // The ratio is rounded in integers, because the float nearest to a half may lie on either side of it.
    let (part, whole) = (u128::from(part), u128::from(whole));
    ((part * 20_000 + whole) / (whole * 2)) as f64 / 10_000.0
}

/// Returns a number of viewers in whole steps of `step`, rounded down.
pub fn steps(viewers: u64, step: u64) -> u64 {
    viewers - viewers % step
}
