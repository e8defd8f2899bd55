//! The sweep against a plain model: a set of elements and a number of plays for every second.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::sketch::{Union, element, encode};

fn sketch(viewers: impl IntoIterator<Item = i64>) -> Vec<u8> {
    let elements: BTreeSet<i64> = viewers.into_iter().map(element).collect();
    encode(&Vec::from_iter(elements))
}

fn run(start_sec: i32, end_sec: i32, viewers: &[i64], plays: i64) -> Run {
    Run { start_sec, end_sec, viewers: sketch(viewers.iter().copied()), plays }
}

/// Every second by itself.
fn seconds(runs: &[Run]) -> BTreeMap<i32, (Vec<u8>, i64)> {
    let mut seconds: BTreeMap<i32, (Union, i64)> = BTreeMap::new();
    for run in runs {
        for second in run.start_sec..=run.end_sec {
            let (viewers, plays) = seconds.entry(second).or_default();
            viewers.add(&run.viewers).expect("a sketch");
            *plays += run.plays;
        }
    }
    seconds.into_iter().map(|(second, (viewers, plays))| (second, (viewers.encode(), plays))).collect()
}

fn assert_merged(runs: Vec<Run>) -> Vec<Run> {
    let expected = seconds(&runs);
    let merged = merge(runs.into_iter()).expect("sketches");
    assert!(seconds(&merged) == expected, "the seconds differ");
    for pair in merged.windows(2) {
        assert!(pair[0].end_sec < pair[1].start_sec, "they overlap or do not ascend");
        let alike = pair[0].viewers == pair[1].viewers && pair[0].plays == pair[1].plays;
        assert!(!alike || pair[0].end_sec + 1 < pair[1].start_sec, "two that could be one");
    }
    merged
}

#[test]
fn runs_that_overlap_are_cut_and_united() {
    assert_eq!(
        assert_merged(vec![run(10, 29, &[1], 1), run(20, 39, &[1, 2], 3)]),
        [run(10, 19, &[1], 1), run(20, 29, &[1, 2], 4), run(30, 39, &[1, 2], 3)]
    );
    assert_eq!(merge(std::iter::empty()), Ok(vec![]));
}

#[test]
fn runs_that_follow_on_each_other_and_are_alike_are_one() {
    assert_eq!(
        assert_merged(vec![run(5, 9, &[1], 1), run(0, 4, &[1], 1), run(11, 12, &[1], 1)]),
        [run(0, 9, &[1], 1), run(11, 12, &[1], 1)]
    );
    // The viewers are those of before, but the seconds were played more often.
    assert_eq!(assert_merged(vec![run(0, 9, &[1], 1), run(5, 9, &[1], 1)]).len(), 2);
}

#[test]
fn a_run_is_cut_at_the_edges_of_blocks() {
    let cut: Vec<(i32, i32)> =
        run(3_000, 10_900, &[1], 1).by_block().map(|run| (run.start_sec, run.end_sec)).collect();
    assert_eq!(cut, [(3_000, 3_599), (3_600, 7_199), (7_200, 10_799), (10_800, 10_900)]);
    assert_eq!(run(0, 3_599, &[1], 1).by_block().count(), 1);
}

#[test]
fn what_is_no_sketch_is_refused() {
    let bad = Run { viewers: vec![1, 2, 3], ..run(0, 9, &[1], 1) };
    assert!(merge([bad, run(0, 9, &[1], 1)].into_iter()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_second_is_exact(
        runs in prop::collection::vec(
            (
                0i32..300,
                prop_oneof![Just(0i32), 0i32..12, 0i32..200],
                0i64..700,
                prop_oneof![8 => 0i64..4, 4 => 1i64..60, 2 => 250i64..330, 1 => 330i64..2_000],
                1i64..4,
            ),
            0..60,
        ),
    ) {
        let run = |(start_sec, more, from, viewers, plays)| Run {
            start_sec,
            end_sec: start_sec + more,
            viewers: sketch(from..from + viewers),
            plays,
        };
        assert_merged(runs.into_iter().map(run).collect());
    }
}
