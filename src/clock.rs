//! Time comes from the system, or in tests from a clock that is moved by hand.

use std::sync::{Arc, Mutex, MutexGuard};

use chrono::{DateTime, NaiveDate, Utc};

/// Tells the time; clones of a clock moved by hand move together.
#[derive(Debug, Clone)]
pub struct Clock(Option<Arc<Mutex<Hands>>>);

/// What a clock that is moved by hand shows: the time here, and the time that the database is taken to have.
#[derive(Debug, Clone, Copy)]
struct Hands {
    here: DateTime<Utc>,
    server: DateTime<Utc>,
}

impl Clock {
    /// Returns the system's clock.
    pub fn system() -> Self {
        Clock(None)
    }

    /// Returns a clock that stands still until it is [`set`](Clock::set).
    pub fn by_hand(now: DateTime<Utc>) -> Self {
        Clock(Some(Arc::new(Mutex::new(Hands { here: now, server: now }))))
    }

    /// Returns the time.
    pub fn now(&self) -> DateTime<Utc> {
        self.hands().map_or_else(Utc::now, |hands| hands.here)
    }

    /// Returns the UTC day.
    pub fn today(&self) -> NaiveDate {
        self.now().date_naive()
    }

    /// Returns the time that the database is taken to have; none where it is asked.
    pub fn server_by_hand(&self) -> Option<DateTime<Utc>> {
        self.hands().map(|hands| hands.server)
    }

    /// Moves a clock that is moved by hand, and the database's with it; the system's stays as it is.
    pub fn set(&self, to: DateTime<Utc>) {
        if let Some(mut hands) = self.hands() {
            *hands = Hands { here: to, server: to };
        }
    }

    /// Moves the time here alone.
    pub fn set_here(&self, to: DateTime<Utc>) {
        if let Some(mut hands) = self.hands() {
            hands.here = to;
        }
    }

    /// Moves the time that the database is taken to have alone.
    pub fn set_server(&self, to: DateTime<Utc>) {
        if let Some(mut hands) = self.hands() {
            hands.server = to;
        }
    }

    fn hands(&self) -> Option<MutexGuard<'_, Hands>> {
        // A clock poisoned by a panicking test still tells the time.
        self.0.as_ref().map(|hands| hands.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}
