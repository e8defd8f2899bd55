//! The night: its steps stand by themselves, wait for Postgres, ask the clocks, and are watched by whoever serves.

mod clocks;
mod overdue;
mod steps;

use chrono::{DateTime, NaiveDate, Utc};
use heatstrip::{
    clock::Clock,
    postgres::Store,
    work::nightly::{Failed, Keep, Night, Summary},
};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Runs a night as it would be run at the time of the clock.
async fn night(store: &Store, clock: &Clock, keep: Keep) -> Result<Summary, Failed> {
    let yesterday = clock.today().pred_opt().expect("a day");
    Night::new(store, clock).run(yesterday, keep, |_| ()).await
}
