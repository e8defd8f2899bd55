//! Salt epochs are the spans of days that share one salt, and so count a person once. This file is pure calendar
//! arithmetic.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc};

/// A salt is kept for this long after its epoch's end or its making, whichever is later, so that late heartbeats may
/// come.
pub const SALT_KEPT: TimeDelta = TimeDelta::hours(48);

/// What a salt is for. Hashes of different purposes have nothing in common, so that nobody can join them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The heatmap.
    Heartbeats,
    /// The number under the video.
    Views,
}

impl Purpose {
    /// Returns the name as it stands in the table of salt epochs.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Heartbeats => "heartbeats",
            Purpose::Views => "views",
        }
    }
}

/// The salt changes this often.
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
    /// Returns the name as it stands in the setting and in the table of salt epochs.
    pub fn name(self) -> &'static str {
        match self {
            Rotation::Daily => "daily",
            Rotation::Weekly => "weekly",
            Rotation::Monthly => "monthly",
            Rotation::Never => "never",
        }
    }

    /// Returns the first and the last day of the epoch that contains `day`.
    ///
    /// An epoch that never ends is written with the first and last day of the years 1 to 9999, which every client can
    /// read, rather than with Postgres's infinities.
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

/// An epoch is opened with what the settings say at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The epoch lasts no longer than this rotation.
    pub rotation: Rotation,
    /// True if the salt is given by a setting and not made here.
    pub given: bool,
}

/// Returns true if today's epoch has to end early because the setting has changed since it was opened.
///
/// A given salt in place of another given one is no such change: it is more likely a mistake.
pub fn ends_early(opened: Opening, last_day: NaiveDate, setting: Opening, today: NaiveDate) -> bool {
    opened != setting && last_day > today
}

/// Returns the instant from which on nobody may use the salt of an epoch.
pub fn destroyed_from(last_day: NaiveDate, made_at: DateTime<Utc>) -> DateTime<Utc> {
    let end = (last_day + TimeDelta::days(1)).and_time(NaiveTime::MIN).and_utc();
    end.max(made_at) + SALT_KEPT
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Rotation {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Rotation::Daily, Rotation::Weekly, Rotation::Monthly, Rotation::Never]
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
            assert_eq!(rotation.span(date(day)), (date(first), date(last)), "{rotation} {day}");
        }
    }

    #[test]
    fn a_salt_outlives_its_epoch_and_its_making() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
        for (last_day, made_at, destroyed) in [
            ("2026-11-21", "2026-11-21T00:00:01Z", "2026-11-24T00:00:00Z"),
            ("2026-12-31", "2026-12-28T09:00:00Z", "2027-01-03T00:00:00Z"),
            // A replay made this salt long after the day.
            ("2026-11-01", "2026-11-21T10:00:00Z", "2026-11-23T10:00:00Z"),
        ] {
            assert_eq!(destroyed_from(date(last_day), at(made_at)), at(destroyed));
        }
        let (_, last_day) = Rotation::Never.span(date("2026-11-21"));
        assert!(destroyed_from(last_day, at("2026-11-21T10:00:00Z")) > at("9999-12-31T23:59:59Z"));
    }

    #[test]
    fn only_a_changed_setting_ends_an_epoch_and_only_an_open_one() {
        use Rotation::{Daily, Monthly, Never, Weekly};
        let made = |rotation| Opening { rotation, given: false };
        let given = Opening { rotation: Never, given: true };
        let today = date("2026-11-18");
        for (opened, setting, early) in [
            (made(Weekly), made(Weekly), false),
            (made(Weekly), made(Daily), true),
            (made(Monthly), made(Weekly), true),
            (made(Never), made(Daily), true),
            (made(Never), made(Never), false),
            (made(Never), given, true),
            (given, made(Never), true),
            (given, given, false),
        ] {
            let (_, last_day) = opened.rotation.span(today);
            assert_eq!(ends_early(opened, last_day, setting, today), early, "{opened:?} {setting:?}");
            assert!(!ends_early(opened, today, setting, today), "it ends today anyway");
        }
        assert!(!ends_early(made(Daily), today, given, today));
    }
}
