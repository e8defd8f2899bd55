//! Audience: set questions ("who saw the intro but not the ending") on a sample of the viewers, answered with an interval
//! or refused. Sketches cannot answer them: they know neither intersections nor differences.
//!
//! The fold keeps, beside the runs, what the sampled viewers of each video-day watched. The sample is coordinated: a viewer
//! has one element everywhere inside a salt epoch, so whoever is sampled in one video or day is sampled in the others too.

/// Lets the process die here as `kill -9` does, if a test says so.
macro_rules! crash_point {
    ($name:literal) => {
        fail::fail_point!($name, |_| std::process::abort())
    };
}

pub mod answer;
pub mod formats;
pub mod http;
pub mod interval;
pub mod nightly;
pub mod question;
pub mod sample;
pub mod store;

/// The places where a test may let the process die, by `FAILPOINTS=name=return`. They lie between any two lines that change
/// something: in the fold, then in the night.
pub const CRASH_POINTS: &[&str] = &[
    "audience::joined",
    "audience::appended",
    "audience::grown",
    "audience::advanced",
    "audience::dropped",
    "audience::sealed",
    "audience::committed",
    "audience::sealed_all",
];
