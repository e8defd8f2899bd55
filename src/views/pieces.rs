//! A range of days is read as whole months and single days. Pure.

use chrono::{Days, Months, NaiveDate};
use serde::Serialize;

use super::fold::first_of_month;

/// The rows that a range is united from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Pieces {
    /// First days of whole months.
    #[schema(example = json!(["2026-10-01"]))]
    pub months: Vec<NaiveDate>,
    /// The days beside them.
    #[schema(example = json!(["2026-11-01"]))]
    pub days: Vec<NaiveDate>,
}

/// Days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// Cuts a range into pieces. `rows` is the span of days that the video has rows of, and days before `kept_from` are not kept:
/// a month that has such days still counts them.
pub fn pieces(asked: Span, rows: Span, kept_from: NaiveDate) -> Pieces {
    let mut pieces = Pieces::default();
    let (mut day, last) = (asked.from.max(rows.from).max(kept_from), asked.to.min(rows.to));
    while day <= last {
        let month = first_of_month(day);
        let Some(next) = month.checked_add_months(Months::new(1)) else { break };
        // A month whose other days have no rows is whole as well.
        let begins = month >= kept_from && day == month.max(rows.from);
        let is_whole = begins && (next <= last + Days::new(1) || last == rows.to);
        if is_whole {
            pieces.months.push(month);
            day = next;
        } else {
            pieces.days.push(day);
            day = day + Days::new(1);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn span(from: &str, to: &str) -> Span {
        Span { from: day(from), to: day(to) }
    }

    #[test]
    fn whole_months_then_days() {
        let rows = span("2026-01-10", "2026-11-21");
        let ever = day("0001-01-01");
        let cut = |from, to, kept| {
            let Pieces { months, days } = pieces(span(from, to), rows, kept);
            (months.len(), days.len())
        };
        assert_eq!(cut("2026-02-01", "2026-03-31", ever), (2, 0));
        assert_eq!(cut("2026-01-31", "2026-04-02", ever), (2, 3));
        // Nobody viewed it before the 10th nor after the 21st: those months are whole.
        assert_eq!(cut("2026-01-10", "2026-01-31", ever), (1, 0));
        assert_eq!(cut("2026-01-11", "2026-01-31", ever), (0, 21));
        assert_eq!(cut("2000-01-01", "2030-12-31", ever), (11, 0));
        assert_eq!(cut("2026-11-01", "2026-11-20", ever), (0, 20));
        assert_eq!(cut("2026-11-20", "2026-11-20", ever), (0, 1));
        assert_eq!(cut("2027-01-01", "2027-02-01", ever), (0, 0));
        // A month of which days are not kept has them in its sketch.
        assert_eq!(cut("2026-02-01", "2026-03-31", day("2026-02-02")), (1, 27));
        assert_eq!(cut("2026-02-01", "2026-03-31", day("2026-03-01")), (1, 0));
    }

    #[test]
    fn every_day_is_read_once() {
        let rows = span("2024-02-10", "2024-05-05");
        for first in 0..120 {
            for length in 0..100 {
                let from = day("2024-01-20") + Days::new(first);
                let asked = Span { from, to: from + Days::new(length) };
                let Pieces { months, days } = pieces(asked, rows, day("2024-02-20"));
                let mut read = days;
                for month in months {
                    let next = month + Months::new(1);
                    read.extend(
                        month
                            .iter_days()
                            .take_while(|day| *day < next)
                            .filter(|day| (rows.from..=rows.to).contains(day)),
                    );
                }
                read.sort_unstable();
                let expected: Vec<NaiveDate> = asked
                    .from
                    .iter_days()
                    .take_while(|day| *day <= asked.to)
                    .filter(|of| (rows.from..=rows.to).contains(of) && *of >= day("2024-02-20"))
                    .collect();
                assert_eq!(read, expected, "{asked:?}");
            }
        }
    }
}
