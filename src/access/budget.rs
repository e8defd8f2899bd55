//! Budgets: how much one sender may ask for and tell. Pure.
//!
//! A request is admitted while its budget is positive and then takes it into debt, which is paid off by time: so no batch is
//! refused for ever, however large it is, and nobody gets more than the rate in the long run. That is why this is no common
//! rate limiter, which refuses what is larger than its burst.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// At most twice this many senders are remembered; whoever is forgotten begins anew.
const MAX_SENDERS: usize = 50_000;
/// A sender who has not been heard of for this long is forgotten.
const GENERATION: Duration = Duration::from_secs(600);
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

/// What is left of one of a sender's budgets, as of an instant; negative in debt.
#[derive(Debug, Clone, Copy)]
struct Account {
    requests: f64,
    watched_secs: f64,
    at: Instant,
}

impl Account {
    fn full(budget: &Budget, now: Instant) -> Account {
        Account {
            requests: budget.requests_per_sec.map_or(0.0, f64::from),
            watched_secs: budget.watched_secs_per_min.map_or(0.0, f64::from),
            at: now,
        }
    }

    /// Adds what time has paid. A second's requests and a minute's seconds are the most that is saved up.
    fn pay(&mut self, budget: &Budget, now: Instant) {
        let secs = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        if let Some(rate) = budget.requests_per_sec.map(f64::from) {
            self.requests = (self.requests + secs * rate).min(rate);
        }
        if let Some(rate) = budget.watched_secs_per_min.map(f64::from) {
            self.watched_secs = (self.watched_secs + secs * rate / 60.0).min(rate);
        }
    }

    /// Returns how long until both budgets are positive; none if they are.
    fn wait(&self, budget: &Budget) -> Option<Duration> {
        let until = |left: f64, rate_per_sec: f64| (left <= 0.0).then(|| -left / rate_per_sec);
        let requests = budget.requests_per_sec.and_then(|rate| until(self.requests, f64::from(rate)));
        let watched =
            budget.watched_secs_per_min.and_then(|rate| until(self.watched_secs, f64::from(rate) / 60.0));
        let secs = requests.into_iter().chain(watched).reduce(f64::max)?;
        // A clock that is read in whole seconds must not come a moment too early.
        Some(Duration::from_secs_f64(secs.ceil().clamp(1.0, MAX_WAIT.as_secs_f64())))
    }
}

/// The accounts of all senders. They are in memory: so many processes admit so many times as much.
#[derive(Debug)]
pub struct Budgets<S>(Mutex<Generations<S>>);

/// Two generations: a sender who is heard of moves to the younger one, and the older one is forgotten as a whole. So the
/// memory is bounded without a look through it.
#[derive(Debug)]
struct Generations<S> {
    young: HashMap<S, Account>,
    old: HashMap<S, Account>,
    begun: Instant,
}

impl<S: Eq + Hash + Clone> Budgets<S> {
    /// Returns accounts that are all full.
    pub fn new(now: Instant) -> Self {
        Budgets(Mutex::new(Generations { young: HashMap::new(), old: HashMap::new(), begun: now }))
    }

    /// Takes a request from a sender's budget, or returns how long it has to wait.
    pub fn admit(&self, sender: &S, budget: &Budget, now: Instant) -> Result<(), Duration> {
        if budget.is_unlimited() {
            return Ok(());
        }
        let mut generations = self.generations();
        let account = generations.account(sender, budget, now);
        match account.wait(budget) {
            Some(wait) => Err(wait),
            None => {
                account.requests -= 1.0;
                Ok(())
            }
        }
    }

    /// Takes watched seconds from a sender's budget, into debt if need be.
    pub fn charge(&self, sender: &S, budget: &Budget, watched_secs: u64, now: Instant) {
        if budget.watched_secs_per_min.is_some() {
            self.generations().account(sender, budget, now).watched_secs -= watched_secs as f64;
        }
    }

    fn generations(&self) -> MutexGuard<'_, Generations<S>> {
        // Accounts poisoned by a panic elsewhere are whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Eq + Hash + Clone> Generations<S> {
    fn account(&mut self, sender: &S, budget: &Budget, now: Instant) -> &mut Account {
        let is_over = now.saturating_duration_since(self.begun) >= GENERATION;
        if is_over || (self.young.len() >= MAX_SENDERS && !self.young.contains_key(sender)) {
            self.old = std::mem::take(&mut self.young);
            self.begun = now;
        }
        let old = &mut self.old;
        let account = self
            .young
            .entry(sender.clone())
            .or_insert_with(|| old.remove(sender).unwrap_or_else(|| Account::full(budget, now)));
        account.pay(budget, now);
        account
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

    /// The largest batch is 10,000 heartbeats of 600 s: a limiter with a burst would refuse it for ever.
    #[test]
    fn no_batch_is_too_large_and_each_is_paid_for() {
        let now = Instant::now();
        let budgets = Budgets::new(now);
        assert_eq!(budgets.admit(&"a", &BUDGET, now), Ok(()));
        budgets.charge(&"a", &BUDGET, 1_200, now);
        // 600 in debt, at 10 a second.
        assert_eq!(budgets.admit(&"a", &BUDGET, now), Err(Duration::from_secs(60)));
        assert!(budgets.admit(&"a", &BUDGET, now + Duration::from_secs(59)).is_err());
        assert_eq!(budgets.admit(&"a", &BUDGET, now + Duration::from_millis(60_001)), Ok(()));
        budgets.charge(&"a", &BUDGET, 6_000_000, now);
        assert_eq!(budgets.admit(&"a", &BUDGET, now), Err(MAX_WAIT));
    }

    #[test]
    fn memory_is_bounded_and_debts_are_remembered_for_long() {
        let now = Instant::now();
        let budgets = Budgets::new(now);
        budgets.charge(&0, &BUDGET, 6_000, now);
        for sender in 1..=3 * MAX_SENDERS {
            assert_eq!(budgets.admit(&sender, &BUDGET, now), Ok(()));
            if sender % MAX_SENDERS == 10 {
                assert!(budgets.admit(&0, &BUDGET, now).is_err(), "the debtor is still known");
            }
        }
        let generations = budgets.generations();
        assert!(generations.young.len() + generations.old.len() <= 2 * MAX_SENDERS);
    }

    #[test]
    fn no_limit_costs_nothing() {
        let budgets = Budgets::new(Instant::now());
        for _ in 0..1_000 {
            assert_eq!(budgets.admit(&"a", &Budget::default(), Instant::now()), Ok(()));
        }
        budgets.charge(&"a", &Budget::default(), 1_000_000, Instant::now());
        assert!(budgets.generations().young.is_empty());
    }
}
