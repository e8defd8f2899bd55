//! The clocks: nothing that cannot be undone is done on one clock's word.
//!
//! A host that boots ten years ahead would destroy today's salt and drop every partition. So whoever destroys something
//! compares this host's clock with Postgres's, and with the last instant that was trusted.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    clock::Clock,
    postgres::{Store, StoreError},
    work::metrics::METRICS,
};

/// Clocks further apart than this are not trusted.
const MAX_SKEW: TimeDelta = TimeDelta::seconds(60);
/// A longer time since the last trusted instant, in either direction, is taken for a jump of both clocks.
const MAX_JUMP: TimeDelta = TimeDelta::days(40);
/// The row of the clocks in the table of nights.
pub const CLOCKS: &str = "clocks";

/// Why the time is not trusted.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The clocks do not agree.
    #[error(
        "this host's clock says {here}, Postgres's says {server}: let both keep time by NTP; nothing is destroyed until they \
         are within {} s (`heatstrip compact --accept-clock` goes by this host's)",
        MAX_SKEW.num_seconds()
    )]
    Apart { here: DateTime<Utc>, server: DateTime<Utc> },
    /// The clocks agree, but on a time far from the last one.
    #[error(
        "the clocks say {now}, but the last night was at {last}: if that is right, run `heatstrip compact --accept-clock` \
         once; until then nothing is destroyed"
    )]
    Jumped { now: DateTime<Utc>, last: DateTime<Utc> },
    /// The database did not tell.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns how far Postgres's clock is ahead of this host's.
pub async fn skew(store: &Store, clock: &Clock) -> Result<TimeDelta, StoreError> {
    let (server, here) = instants(store, clock).await?;
    Ok(server - here)
}

/// True if the clocks are close enough to each other to forget by them.
pub fn agree(skew: TimeDelta) -> bool {
    skew.abs() <= MAX_SKEW
}

/// Returns the time if it can be trusted, and notes it as the last that was. With `accept`, this host's clock is taken at its
/// word.
pub async fn trusted_now(store: &Store, clock: &Clock, accept: bool) -> Result<DateTime<Utc>, ClockError> {
    let (server, here) = instants(store, clock).await?;
    METRICS.clock_skew_seconds.set((server - here).as_seconds_f64());
    let judged = match accept {
        true => Ok(()),
        false => judge(here, server, last_trusted(store).await?),
    };
    let failure = judged.as_ref().err().map(ToString::to_string);
    store.write_night(CLOCKS, here, failure.as_deref()).await?;
    judged.map(|()| here)
}

/// The server's time and this host's, read as close together as can be.
async fn instants(store: &Store, clock: &Clock) -> Result<(DateTime<Utc>, DateTime<Utc>), StoreError> {
    if let Some(server) = clock.server_by_hand() {
        return Ok((server, clock.now()));
    }
    let before = clock.now();
    let server = store.server_time().await?;
    // The answer was made somewhere in between: a slow connection is no difference of clocks.
    Ok((server, before + (clock.now() - before) / 2))
}

/// The last instant that a night trusted; before the first night, when the last salt was made.
async fn last_trusted(store: &Store) -> Result<Option<DateTime<Utc>>, StoreError> {
    let clocks = store.nights().await?.into_iter().find(|row| row.step == CLOCKS);
    match clocks.and_then(|row| row.succeeded_at) {
        Some(last) => Ok(Some(last)),
        None => store.newest_salt().await,
    }
}

fn judge(here: DateTime<Utc>, server: DateTime<Utc>, last: Option<DateTime<Utc>>) -> Result<(), ClockError> {
    if !agree(server - here) {
        return Err(ClockError::Apart { here, server });
    }
    match last {
        Some(last) if (here - last).abs() > MAX_JUMP => Err(ClockError::Jumped { now: here, last }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_clock_or_a_long_jump_is_not_believed() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("an instant");
        let night = at("2026-11-21T03:30:00Z");
        for (here, server, last, trusted) in [
            ("2026-11-22T03:30:00Z", "2026-11-22T03:31:00Z", Some(night), true),
            ("2026-11-22T03:30:00Z", "2026-11-22T03:31:01Z", Some(night), false),
            ("2026-11-22T03:31:01Z", "2026-11-22T03:30:00Z", Some(night), false),
            ("2026-12-31T03:30:00Z", "2026-12-31T03:30:00Z", Some(night), true),
            ("2026-12-31T03:30:01Z", "2026-12-31T03:30:01Z", Some(night), false),
            ("2026-10-12T03:30:00Z", "2026-10-12T03:30:00Z", Some(night), true),
            ("2026-10-12T03:29:59Z", "2026-10-12T03:29:59Z", Some(night), false),
            ("2036-11-21T03:30:00Z", "2036-11-21T03:30:00Z", None, true),
        ] {
            assert_eq!(judge(at(here), at(server), last).is_ok(), trusted, "{here} {server}");
        }
    }
}
