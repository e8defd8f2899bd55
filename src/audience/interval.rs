//! Intervals for what a sample counted: how many there are, and which share of all.
//!
//! A stratum is a salt epoch: its viewers are below one threshold with the chance τ, each on their own, so of N viewers
//! m ~ Binomial(N, τ) are sampled and m/τ is an unbiased estimate of N. Epochs are added.
//!
//! **How many.** Of a number N the score interval holds every N that a test would not reject: those with
//! |m − Nτ| ≤ z √(N τ (1 − τ)). Solved for N it is a quadratic. Over several strata the test statistic is that of the sum,
//! and its variance depends on how the sum is spread over the strata, so for each sum the most likely spread is taken (a
//! profile score interval, as Miettinen and Nurminen, [Comparative analysis of two rates], 1985, make it for two
//! proportions). With one stratum it is the quadratic again; a stratum that is sampled whole has no variance.
//!
//! **Which share.** Wilson's interval ([Probable inference], 1927) is the same for a proportion; sampling without putting
//! back makes its variance smaller by the part that is not sampled, 1 − τ, the finite-population correction (Cochran,
//! *Sampling techniques*, 1977, section 2.6). Over several strata the same profile is taken. A stratum that is sampled whole
//! has no variance here either.
//!
//! [Comparative analysis of two rates]: https://doi.org/10.1002/sim.4780040211
//! [Probable inference]: https://doi.org/10.1080/01621459.1927.10502953

/// The chance that an interval holds the truth, of all the samples that might have been drawn.
pub const CONFIDENCE: f64 = 0.95;
/// The normal quantile that leaves 2.5 % on either side.
const Z: f64 = 1.959_963_984_540_054;
/// Halvings of a bracket: enough for every bit of a number.
const HALVINGS: usize = 200;

/// Sampled viewers of a salt epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stratum {
    /// The part of the hash space that was sampled, τ.
    pub share: f64,
    /// Sampled viewers, M.
    pub all: u64,
    /// Those of them who meet the conditions, m.
    pub matching: u64,
}

/// An estimate, and between which numbers the truth is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub estimate: f64,
    pub low: f64,
    pub high: f64,
}

/// Returns how many viewers meet the conditions.
pub fn count(strata: &[Stratum]) -> Interval {
    let strata: Vec<(f64, f64)> = strata.iter().map(|s| (s.matching as f64, s.share)).collect();
    let estimate: f64 = strata.iter().map(|(sampled, share)| sampled / share).sum();
    let least = strata.iter().map(|&(_, share)| share).fold(1.0, f64::min);
    if least >= 1.0 {
        return Interval { estimate, low: estimate, high: estimate };
    }
    // Of every spread that has the likelihood's gradient in common, `tilt` makes one: 1 the estimate, less fewer viewers.
    let spread = |tilt: f64| Spread::of(&strata, tilt);
    let is_rejected = |spread: &Spread| (estimate - spread.sum).powi(2) > Z * Z * spread.variance;
    let low = spread(bisect(0.0, 1.0, |tilt| is_rejected(&spread(tilt)))).sum;
    // A stratum without sampled viewers adds nothing by tilting. What no tilt explains is most likely in the stratum of
    // which least is sampled: a viewer there is missed most easily.
    let most = 1.0 / (1.0 - least);
    let widest = spread(most * (1.0 - 1e-9));
    let high = if is_rejected(&widest) {
        spread(bisect(most * (1.0 - 1e-9), 1.0, |tilt| is_rejected(&spread(tilt)))).sum
    } else {
        let unseen = |more: f64| Spread {
            sum: widest.sum + more,
            variance: widest.variance + more * (1.0 - least) / least,
        };
        let mut beyond = Z * Z / least;
        while !is_rejected(&unseen(beyond)) {
            beyond *= 2.0;
        }
        widest.sum + bisect(beyond, 0.0, |more| is_rejected(&unseen(more)))
    };
    Interval { estimate, low: low.min(estimate), high: high.max(estimate) }
}

/// Viewers as they may be spread over the strata.
struct Spread {
    sum: f64,
    /// The variance of the estimate, if these are the viewers.
    variance: f64,
}

impl Spread {
    fn of(strata: &[(f64, f64)], tilt: f64) -> Spread {
        let mut spread = Spread { sum: 0.0, variance: 0.0 };
        for &(sampled, share) in strata {
            let viewers = sampled / (1.0 - (1.0 - share) * tilt).max(f64::MIN_POSITIVE);
            spread.sum += viewers;
            spread.variance += viewers * (1.0 - share) / share;
        }
        spread
    }
}

/// Returns which share of the viewers meets the conditions.
pub fn share(strata: &[Stratum]) -> Interval {
    let strata: Vec<Part> = strata.iter().filter(|s| s.all > 0).map(Part::of).collect();
    let all: f64 = strata.iter().map(|part| part.viewers).sum();
    if all == 0.0 {
        return Interval { estimate: 0.0, low: 0.0, high: 0.0 };
    }
    let matching: f64 = strata.iter().map(|part| part.viewers * part.matching).sum();
    let estimate = matching / all;
    if strata.iter().all(|part| part.unsampled == 0.0) {
        return Interval { estimate, low: estimate, high: estimate };
    }
    let is_rejected = |tilt: f64| {
        let share = strata.iter().map(|part| part.viewers * part.tilted(tilt)).sum::<f64>() / all;
        let variance: f64 = strata.iter().map(|part| part.variance(part.tilted(tilt), share)).sum();
        ((estimate - share) * all).powi(2) > Z * Z * variance
    };
    let end = |sign: f64| {
        let mut beyond = 1.0;
        // All matching, or none: nothing is beyond.
        while !is_rejected(sign * beyond) && beyond < 1e12 {
            beyond *= 2.0;
        }
        let tilt = bisect(sign * beyond, 0.0, is_rejected);
        strata.iter().map(|part| part.viewers * part.tilted(tilt)).sum::<f64>() / all
    };
    Interval { estimate, low: end(1.0).min(estimate), high: end(-1.0).max(estimate) }
}

/// A stratum of a share.
struct Part {
    /// The estimate of its viewers.
    viewers: f64,
    /// The share of its sampled viewers who meet the conditions.
    matching: f64,
    /// (1 − τ)/τ: how many viewers are not sampled for one who is.
    unsampled: f64,
}

impl Part {
    fn of(stratum: &Stratum) -> Part {
        Part {
            viewers: stratum.all as f64 / stratum.share,
            matching: stratum.matching as f64 / stratum.all as f64,
            unsampled: (1.0 - stratum.share) / stratum.share,
        }
    }

    /// Returns the share that is most likely in this stratum if the likelihood of all has this gradient: with 0 its own, with
    /// more less of it. It solves matching/p − (1 − matching)/(1 − p) = tilt · unsampled.
    fn tilted(&self, tilt: f64) -> f64 {
        let tilt = tilt * self.unsampled;
        // The root of c p² − (1 + c) p + p₀ for a c below 0, in the form that does not cancel out; the other side is its
        // mirror image.
        let root = |share: f64, c: f64| {
            let half = 1.0 + c;
            let wide = (half * half - 4.0 * c * share).max(0.0).sqrt();
            if half > 0.0 { 2.0 * share / (half + wide) } else { (half - wide) / (2.0 * c) }
        };
        let tilted = match tilt {
            0.0 => self.matching,
            tilt if tilt < 0.0 => root(self.matching, tilt),
            tilt => 1.0 - root(1.0 - self.matching, -tilt),
        };
        tilted.clamp(0.0, 1.0)
    }

    /// Returns the variance of what this stratum adds to (matching − share × all), if its own share is `matching`.
    fn variance(&self, matching: f64, share: f64) -> f64 {
        let each = matching * (1.0 - share).powi(2) + (1.0 - matching) * share * share;
        self.viewers * self.unsampled * each
    }
}

/// Returns the number next to `outside` that is still inside, between a number that is outside and one that is inside.
fn bisect(mut outside: f64, mut inside: f64, is_outside: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = outside + (inside - outside) / 2.0;
        if middle == outside || middle == inside {
            break;
        }
        if is_outside(middle) { outside = middle } else { inside = middle }
    }
    inside
}

#[cfg(test)]
mod tests;
