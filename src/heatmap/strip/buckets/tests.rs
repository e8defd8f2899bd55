use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::sketch::{element, encode};

fn sketch(viewers: impl IntoIterator<Item = i64>) -> Vec<u8> {
    let elements: BTreeSet<i64> = viewers.into_iter().map(element).collect();
    encode(&Vec::from_iter(elements))
}

fn row(
    epoch: usize,
    bucket: u32,
    viewers: u64,
    reached: u64,
    seconds_played: u64,
    last_sec: u32,
) -> BucketRow {
    BucketRow { epoch, bucket, viewers, reached, seconds_played, last_sec, exact: true }
}

/// A part that owns its viewers.
#[derive(Debug, Clone)]
struct Stretch {
    epoch: usize,
    start_sec: u32,
    end_sec: u32,
    plays: u64,
    viewers: Vec<i64>,
}

fn stretch(epoch: usize, (start_sec, end_sec): (u32, u32), plays: u64, viewers: &[i64]) -> Stretch {
    Stretch { epoch, start_sec, end_sec, plays, viewers: viewers.to_vec() }
}

fn swept(resolution: u32, stretches: &[Stretch]) -> Vec<BucketRow> {
    let mut buckets = Buckets::new(resolution);
    for Stretch { epoch, start_sec, end_sec, plays, viewers } in stretches.iter().cloned() {
        let viewers = &sketch(viewers);
        buckets.add(Part { epoch, start_sec, end_sec, plays, viewers }).expect("a sketch");
    }
    buckets.finish().expect("sketches")
}

#[test]
fn each_epoch_has_its_own_viewers() {
    let stretches = [
        stretch(0, (35, 35), 1, &[1]),
        stretch(0, (14, 14), 4, &[2, 3]),
        stretch(0, (12, 12), 5, &[1, 2]),
        stretch(0, (4, 4), 2, &[3]),
        stretch(2, (36, 36), 3, &[4, 5]),
        stretch(2, (3, 3), 1, &[]),
    ];
    assert_eq!(
        swept(5, &stretches),
        [
            row(0, 0, 1, 3, 2, 4),
            row(0, 2, 3, 3, 9, 14),
            row(0, 7, 1, 1, 1, 35),
            row(2, 0, 0, 2, 1, 3),
            row(2, 7, 2, 2, 3, 36),
        ]
    );
    assert_eq!(swept(5, &[]), []);
}

#[test]
fn a_run_is_cut_at_the_buckets() {
    let stretches =
        [stretch(0, (8, 32), 2, &[1, 2]), stretch(0, (12, 17), 1, &[2, 3]), stretch(1, (0, 9), 1, &[4])];
    assert_eq!(
        swept(10, &stretches),
        [
            row(0, 0, 2, 3, 4, 9),
            row(0, 1, 3, 3, 26, 19),
            row(0, 2, 2, 2, 20, 29),
            row(0, 3, 2, 2, 6, 32),
            row(1, 0, 1, 1, 10, 9),
        ]
    );
}

#[test]
fn a_bucket_is_as_exact_as_those_behind_it() {
    let many = Vec::from_iter(0..400);
    let stretches = [stretch(0, (9, 9), 1, &[1]), stretch(0, (5, 5), 1, &many), stretch(0, (0, 0), 1, &[1])];
    let exact: Vec<bool> = swept(1, &stretches).iter().map(|row| row.exact).collect();
    assert_eq!(exact, [false, false, true]);
}

#[test]
fn what_is_no_sketch_is_refused() {
    let mut buckets = Buckets::new(5);
    assert!(buckets.add(Part { epoch: 0, start_sec: 0, end_sec: 9, plays: 1, viewers: &[1] }).is_err());
}

/// Which stretches cover a second, and how often it was played.
#[derive(Default)]
struct Second {
    covered_by: BTreeSet<usize>,
    plays: u64,
}

fn expected(resolution: u32, stretches: &[Stretch]) -> Vec<BucketRow> {
    let mut seconds: BTreeMap<(usize, u32), Second> = BTreeMap::new();
    for (number, stretch) in stretches.iter().enumerate() {
        for sec in stretch.start_sec..=stretch.end_sec {
            let second = seconds.entry((stretch.epoch, sec)).or_default();
            second.covered_by.insert(number);
            second.plays += stretch.plays;
        }
    }
    let seconds = Vec::from_iter(seconds);
    let mut rows: Vec<BucketRow> = Vec::new();
    let mut reached = BTreeSet::new();
    let bucket_of = |((epoch, sec), _): &((usize, u32), Second)| (*epoch, sec / resolution);
    for seconds in seconds.chunk_by(|a, b| bucket_of(a) == bucket_of(b)).rev() {
        let (epoch, bucket) = bucket_of(&seconds[0]);
        if rows.last().is_none_or(|row| row.epoch != epoch) {
            reached.clear();
        }
        let covering: BTreeSet<usize> =
            seconds.iter().flat_map(|(_, second)| second.covered_by.iter().copied()).collect();
        let viewers: BTreeSet<i64> =
            covering.iter().flat_map(|&number| stretches[number].viewers.iter().copied()).collect();
        reached.extend(&viewers);
        let (reached, exact) = counted(&reached);
        rows.push(BucketRow {
            epoch,
            bucket,
            viewers: counted(&viewers).0,
            reached,
            seconds_played: seconds.iter().map(|(_, second)| second.plays).sum(),
            last_sec: seconds.iter().map(|((_, sec), _)| *sec).max().expect("a second"),
            exact,
        });
    }
    rows.sort_unstable_by_key(|row| (row.epoch, row.bucket));
    rows
}

/// A union's estimate is a matter of its set alone.
fn counted(viewers: &BTreeSet<i64>) -> (u64, bool) {
    let mut union = Union::default();
    union.add(&sketch(viewers.iter().copied())).expect("a sketch");
    (union.cardinality(), union.is_exact())
}

/// Runs, and rows of a level as the reads give them: their last watched second with all their plays.
fn stretches() -> impl Strategy<Value = Vec<Stretch>> {
    let crowd = prop_oneof![
        8 => vec(0..40_i64, 0..4),
        1 => (0..50_i64).prop_map(|first| Vec::from_iter(first..first + 200)),
        1 => (0..50_i64).prop_map(|first| Vec::from_iter(first..first + 500)),
    ];
    let length = prop_oneof![4 => 0..12_u32, 2 => Just(0), 1 => 0..300_u32];
    let stretch = (0..3_usize, 0..400_u32, length, 0..5_u64, crowd).prop_map(
        |(epoch, start_sec, length, plays, viewers)| Stretch {
            epoch,
            start_sec,
            end_sec: start_sec + length,
            plays,
            viewers,
        },
    );
    vec(stretch, 0..40).prop_map(|mut stretches| {
        stretches.sort_by_key(|stretch| (stretch.epoch, std::cmp::Reverse(stretch.end_sec)));
        stretches
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_sweep_says_what_sets_of_seconds_say(
        stretches in stretches(),
        resolution in prop_oneof![Just(1), Just(5), Just(60), 1..130_u32],
    ) {
        let (swept, expected) = (swept(resolution, &stretches), expected(resolution, &stretches));
        prop_assert_eq!(swept.len(), expected.len());
        for (swept, expected) in swept.iter().zip(&expected) {
            prop_assert_eq!(swept, expected);
        }
    }
}
