//! Salt epochs: the spans of days that share one salt, and so count a person once. Pure calendar arithmetic.

use std::{fmt, str::FromStr};

use chrono::{Datelike, NaiveDate, TimeDelta};

/// How often the salt changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Rotation {
    /// Every UTC day.
    Daily,
    /// Every ISO week, Monday to Sunday.
    Weekly,
    /// Every calendar month.
    Monthly,
    /// One salt for every day.
    Never,
}

impl Rotation {
    /// The name as it stands in the setting and in the table of salt epochs.
    pub fn name(self) -> &'static str {
        match self {
            Rotation::Daily => "daily",
            Rotation::Weekly => "weekly",
            Rotation::Monthly => "monthly",
            Rotation::Never => "never",
        }
    }

    /// The first and the last day of the epoch that contains `day`.
    ///
    /// An epoch that never ends is written with the first and last day of the years 1 to 9999, which every client
    /// can read, rather than with Postgres's infinities.
    pub fn span(self, day: NaiveDate) -> (NaiveDate, NaiveDate) {
        let date =
            |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("a day of the calendar");
        match self {
            Rotation::Daily => (day, day),
            Rotation::Weekly => {
                let monday = day - TimeDelta::days(i64::from(day.weekday().num_days_from_monday()));
                (monday, monday + TimeDelta::days(6))
            }
            Rotation::Monthly => {
                let next = match day.month() {
                    12 => date(day.year() + 1, 1, 1),
                    month => date(day.year(), month + 1, 1),
                };
                (date(day.year(), day.month(), 1), next - TimeDelta::days(1))
            }
            Rotation::Never => (date(1, 1, 1), date(9999, 12, 31)),
        }
    }
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Rotation {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [
            Rotation::Daily,
            Rotation::Weekly,
            Rotation::Monthly,
            Rotation::Never,
        ]
        .into_iter()
        .find(|rotation| rotation.name() == name)
        .ok_or_else(|| format!("unknown rotation {name:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn spans() {
        for (rotation, day, first, last) in [
            (Rotation::Daily, "2026-11-21", "2026-11-21", "2026-11-21"),
            (Rotation::Weekly, "2026-11-21", "2026-11-16", "2026-11-22"),
            (Rotation::Weekly, "2027-01-01", "2026-12-28", "2027-01-03"),
            (Rotation::Monthly, "2028-02-29", "2028-02-01", "2028-02-29"),
            (Rotation::Monthly, "2026-12-31", "2026-12-01", "2026-12-31"),
            (Rotation::Never, "2026-11-21", "0001-01-01", "9999-12-31"),
        ] {
            assert_eq!(
                rotation.span(date(day)),
                (date(first), date(last)),
                "{rotation} {day}"
            );
        }
    }
}
