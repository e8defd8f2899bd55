//! Budgets: how much one sender may ask for and tell. Pure.
//!
//! A request is admitted while its budget is positive and then takes it into debt, which is paid off by time: so no batch is
//! refused for ever, however large it is, and nobody gets more than the rate in the long run. That is why this is not
//! `governor`: it keeps such an instant for each sender too, but refuses what is larger than its burst, has one rate for all
//! senders of a limiter, and a map that grows until somebody sweeps it.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::{BuildHasher, Hash},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// So many senders have accounts of their own.
const MAX_SENDERS: usize = 100_000;
/// Senders beyond them share so many accounts.
const SHARED: usize = 1 << 14;
/// Accounts that owe nothing are forgotten this often.
const SWEEP_PERIOD: Duration = Duration::from_secs(600);
/// While there is no room they are looked for this often, which takes a millisecond.
const CROWDED_SWEEP_PERIOD: Duration = Duration::from_secs(1);
/// This much of a budget is saved up: a second's requests, and a minute's watched seconds.
const REQUESTS_SAVED: Duration = Duration::from_secs(1);
const WATCHED_SAVED: Duration = Duration::from_secs(60);
/// Nobody is told to wait longer than this.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// What one sender may do; what is none has no limit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Budget {
    pub requests_per_sec: Option<u32>,
    pub watched_secs_per_min: Option<u32>,
}

impl Budget {
    /// True if there is nothing to keep account of.
    pub fn is_unlimited(&self) -> bool {
        *self == Budget::default()
    }
}

/// Returns how long a sender pays for so much, where `rate` of it is paid in `period`.
fn price(amount: u64, rate: u32, period: Duration) -> Duration {
    // Rounded up, so that no sum of small prices comes out a little too low.
    let nanos = (u128::from(amount) * period.as_nanos()).div_ceil(u128::from(rate.max(1)));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// What a sender owes, as the instant at which all of it is paid; it owes nothing from then on.
#[derive(Debug, Clone, Copy)]
struct Debt(Instant);

impl Debt {
    /// Returns how long it is until something may be taken, where so much is saved up; none if something may be now.
    fn wait(self, saved: Duration, now: Instant) -> Option<Duration> {
        let owed = self.0.saturating_duration_since(now);
        (owed >= saved).then(|| owed - saved)
    }

    fn add(&mut self, price: Duration, now: Instant) {
        self.0 = self.0.max(now) + price;
    }
}

/// The two debts of a sender.
#[derive(Debug, Clone, Copy)]
struct Account {
    requests: Debt,
    watched: Debt,
}

impl Account {
    fn owes_nothing(&self, now: Instant) -> bool {
        self.requests.0.max(self.watched.0) <= now
    }

    /// Returns an error with the time to wait unless its budget is positive.
    fn check(&self, budget: &Budget, now: Instant) -> Result<(), Duration> {
        let requests = budget.requests_per_sec.and_then(|_| self.requests.wait(REQUESTS_SAVED, now));
        let watched = budget.watched_secs_per_min.and_then(|_| self.watched.wait(WATCHED_SAVED, now));
        match requests.into_iter().chain(watched).max() {
            None => Ok(()),
            // A clock that is read in whole seconds must not come a moment too early.
            Some(wait) => {
                let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                Err(Duration::from_secs(secs.max(1)).min(MAX_WAIT))
            }
        }
    }
}

/// The accounts of all senders. They are in memory: so many processes admit so many times as much.
#[derive(Debug)]
pub struct Budgets<S>(Mutex<Accounts<S>>);

/// An account is forgotten once it owes nothing and never before, and still the memory is bounded: when there is no room, a
/// sender who is new shares an account with whoever else its hash falls together with, and whoever gets an account of its
/// own later takes along what the shared one owes.
#[derive(Debug)]
struct Accounts<S> {
    own: HashMap<S, Account>,
    shared: Vec<Account>,
    /// Seeded by chance, so that nobody can choose with whom to share.
    hasher: RandomState,
    swept_at: Instant,
}

impl<S: Eq + Hash + Clone> Budgets<S> {
    /// Returns accounts none of which owes anything.
    pub fn new(now: Instant) -> Self {
        let debtless = Account { requests: Debt(now), watched: Debt(now) };
        Budgets(Mutex::new(Accounts {
            own: HashMap::new(),
            shared: vec![debtless; SHARED],
            hasher: RandomState::new(),
            swept_at: now,
        }))
    }

    /// Takes a request from a sender's budget, or returns how long it has to wait.
    pub fn admit(&self, sender: &S, budget: &Budget, now: Instant) -> Result<(), Duration> {
        if budget.is_unlimited() {
            return Ok(());
        }
        let mut accounts = self.accounts();
        let account = accounts.of(sender, now);
        account.check(budget, now)?;
        if let Some(rate) = budget.requests_per_sec {
            account.requests.add(price(1, rate, REQUESTS_SAVED), now);
        }
        Ok(())
    }

    /// Takes watched seconds from a sender's budget, into debt if need be, or returns how long it has to wait. Of bodies that
    /// were admitted at once, whoever tells first takes the budget, and the others find it taken.
    pub fn tell(&self, sender: &S, budget: &Budget, watched_secs: u64, now: Instant) -> Result<(), Duration> {
        let Some(rate) = budget.watched_secs_per_min else {
            return Ok(());
        };
        let mut accounts = self.accounts();
        let account = accounts.of(sender, now);
        // The request was taken when it was admitted, and may have been the last that was left.
        account.check(&Budget { requests_per_sec: None, ..*budget }, now)?;
        account.watched.add(price(watched_secs, rate, WATCHED_SAVED), now);
        Ok(())
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts<S>> {
        // Accounts poisoned by a panic elsewhere are whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Eq + Hash + Clone> Accounts<S> {
    fn of(&mut self, sender: &S, now: Instant) -> &mut Account {
        let is_full = self.own.len() >= MAX_SENDERS;
        let period = if is_full { CROWDED_SWEEP_PERIOD } else { SWEEP_PERIOD };
        if now.saturating_duration_since(self.swept_at) >= period {
            self.own.retain(|_, account| !account.owes_nothing(now));
            self.swept_at = now;
        }
        let shared = &mut self.shared[self.hasher.hash_one(sender) as usize % SHARED];
        if self.own.len() >= MAX_SENDERS && !self.own.contains_key(sender) {
            return shared;
        }
        self.own.entry(sender.clone()).or_insert(*shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget { requests_per_sec: Some(10), watched_secs_per_min: Some(600) };

    #[test]
    fn who_has_spent_it_waits_and_is_told_how_long() {
        let now = Instant::now();
        let budgets = Budgets::new(now);
        for _ in 0..10 {
            assert_eq!(budgets.admit(&"a", &BUDGET, now), Ok(()));
        }
        assert_eq!(budgets.admit(&"a", &BUDGET, now), Err(Duration::from_secs(1)));
        assert_eq!(budgets.admit(&"b", &BUDGET, now), Ok(()), "others have their own");
        assert_eq!(budgets.admit(&"a", &BUDGET, now + Duration::from_millis(200)), Ok(()));
        assert_eq!(budgets.admit(&"a", &BUDGET, now + Duration::from_secs(3600)), Ok(()));
    }

    #[test]
    fn no_rate_admits_one_more_by_rounding() {
        for rate in [1, 3, 7, 9, 200, 999] {
            let now = Instant::now();
            let budgets = Budgets::new(now);
            let budget = Budget { requests_per_sec: Some(rate), watched_secs_per_min: None };
            let admitted = (0..2 * rate).filter(|_| budgets.admit(&"a", &budget, now).is_ok()).count();
            assert_eq!(admitted, rate as usize);
        }
    }

    /// The largest batch is 10,000 heartbeats of 600 s: a limiter with a burst would refuse it for ever.
    #[test]
    fn no_batch_is_too_large_and_each_is_paid_for() {
        let now = Instant::now();
        let budgets = Budgets::new(now);
        assert_eq!(budgets.admit(&"a", &BUDGET, now), Ok(()));
        assert_eq!(budgets.tell(&"a", &BUDGET, 1_200, now), Ok(()));
        // 600 in debt, at 10 a second.
        assert_eq!(budgets.admit(&"a", &BUDGET, now), Err(Duration::from_secs(60)));
        assert!(budgets.admit(&"a", &BUDGET, now + Duration::from_secs(59)).is_err());
        let paid = now + Duration::from_millis(60_001);
        assert_eq!(budgets.admit(&"a", &BUDGET, paid), Ok(()));
        assert_eq!(budgets.tell(&"a", &BUDGET, 6_000_000, paid), Ok(()));
        assert_eq!(budgets.admit(&"a", &BUDGET, paid), Err(MAX_WAIT));
    }

    #[test]
    fn of_bodies_that_were_admitted_at_once_one_overshoots() {
        let now = Instant::now();
        let budgets = Budgets::new(now);
        for _ in 0..10 {
            assert_eq!(budgets.admit(&"a", &BUDGET, now), Ok(()));
        }
        let told = (0..10).filter(|_| budgets.tell(&"a", &BUDGET, 6_000, now).is_ok()).count();
        assert_eq!(told, 1);
    }

    #[test]
    fn a_debt_is_remembered_until_it_is_paid() {
        let now = Instant::now();
        let at = |secs| now + Duration::from_secs(secs);
        let budgets = Budgets::new(now);
        // 60,000 s at 10 a second, of which one minute was saved up.
        assert_eq!(budgets.tell(&0, &BUDGET, 60_000, now), Ok(()));
        // Others come and go for longer than any account is kept that owes nothing, and more of them than there is room for.
        for round in 0..9 {
            for sender in 1..=MAX_SENDERS / 2 {
                let other = 1 + round * MAX_SENDERS + sender;
                assert_eq!(budgets.admit(&other, &BUDGET, at(650 * round as u64)), Ok(()));
            }
        }
        assert!(budgets.admit(&0, &BUDGET, at(5_939)).is_err());
        assert_eq!(budgets.admit(&0, &BUDGET, at(5_941)), Ok(()));
    }

    #[test]
    fn memory_is_bounded_and_nobody_is_forgiven() {
        let now = Instant::now();
        let budgets = Budgets::new(now);
        // Twice as many debtors as there is room for, all at once.
        let mut refused = 0;
        for sender in 0..2 * MAX_SENDERS {
            refused += usize::from(budgets.tell(&sender, &BUDGET, 60_000, now).is_err());
        }
        assert!(refused < MAX_SENDERS, "some of those who share were first");
        let later = now + Duration::from_secs(5_000);
        for sender in 0..2 * MAX_SENDERS {
            assert!(budgets.admit(&sender, &BUDGET, later).is_err(), "{sender} is in debt still");
        }
        let accounts = budgets.accounts();
        assert!(accounts.own.len() <= MAX_SENDERS && accounts.shared.len() == SHARED);
    }

    #[test]
    fn who_gets_an_account_of_its_own_takes_its_debt_along() {
        let now = Instant::now();
        let budgets = Budgets::new(now);
        for sender in 0..MAX_SENDERS {
            assert_eq!(budgets.tell(&sender, &BUDGET, 600, now), Ok(()));
        }
        assert_eq!(budgets.tell(&MAX_SENDERS, &BUDGET, 60_000, now), Ok(()));
        assert!(!budgets.accounts().own.contains_key(&MAX_SENDERS), "there is no room");
        let later = now + Duration::from_secs(60);
        assert!(budgets.admit(&MAX_SENDERS, &BUDGET, later).is_err());
        assert_eq!(budgets.accounts().own.len(), 1, "the others owe nothing any more");
    }

    #[test]
    fn no_limit_costs_nothing() {
        let budgets = Budgets::new(Instant::now());
        for _ in 0..1_000 {
            assert_eq!(budgets.admit(&"a", &Budget::default(), Instant::now()), Ok(()));
        }
        assert_eq!(budgets.tell(&"a", &Budget::default(), 1_000_000, Instant::now()), Ok(()));
        assert!(budgets.accounts().own.is_empty());
    }
}
