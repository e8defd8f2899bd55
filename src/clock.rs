//! Time comes from the system, or in tests from a clock that is moved by hand.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, NaiveDate, Utc};

/// Tells the time; clones of a clock moved by hand move together.
#[derive(Debug, Clone)]
pub struct Clock(Option<Arc<Mutex<DateTime<Utc>>>>);

impl Clock {
    /// Returns the system's clock.
    pub fn system() -> Self {
        Clock(None)
    }

    /// Returns a clock that stands still until it is [`set`](Clock::set).
    pub fn by_hand(now: DateTime<Utc>) -> Self {
        Clock(Some(Arc::new(Mutex::new(now))))
    }

    /// Returns the time.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            None => Utc::now(),
            // A clock poisoned by a panicking test still tells the time.
            Some(now) => *now.lock().unwrap_or_else(|poisoned| poisoned.into_inner()),
        }
    }

    /// Returns the UTC day.
    pub fn today(&self) -> NaiveDate {
        self.now().date_naive()
    }

    /// Moves a clock that is moved by hand; the system's stays as it is.
    pub fn set(&self, to: DateTime<Utc>) {
        if let Some(now) = &self.0 {
            *now.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = to;
        }
    }
}
