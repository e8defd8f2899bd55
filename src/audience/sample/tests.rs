//! The sample against plain sets: whatever comes in whatever order, its viewers are the smallest, each with all ranges.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const REGIONS: [&str; 4] = ["JP", "KR", "a region that is longer than any that arrives", ""];

fn watch(element: u64, region: usize, start_sec: i32, secs: i32) -> Watch<'static> {
    Watch { element, region: REGIONS[region], start_sec, end_sec: start_sec + secs }
}

/// Stretches of few elements, so that they meet; the elements lie all over the hash space.
fn watches(most: usize) -> impl Strategy<Value = Vec<Watch<'static>>> {
    let one = (0..40u64, 0..REGIONS.len(), 0..3_000i32, 0..40i32)
        .prop_map(|(viewer, region, start, secs)| watch(spread(viewer), region, start, secs));
    proptest::collection::vec(one, 0..most)
}

fn spread(viewer: u64) -> u64 {
    sketch::element(viewer as i64) as u64
}

/// The seconds of each viewer and region.
fn seconds<'a>(watches: &[Watch<'a>]) -> BTreeMap<(u64, &'a str), BTreeSet<i32>> {
    let mut seconds: BTreeMap<(u64, &str), BTreeSet<i32>> = BTreeMap::new();
    for watch in watches {
        let of_viewer = seconds.entry((watch.element, watch.region)).or_default();
        of_viewer.extend(watch.start_sec..=watch.end_sec);
    }
    seconds
}

proptest! {
    #[test]
    fn joining_changes_no_second_and_leaves_no_neighbours(mut all in watches(120)) {
        let before = seconds(&all);
        join(&mut all);
        prop_assert_eq!(seconds(&all), before);
        for pair in all.windows(2) {
            let together = (pair[0].element, pair[0].region) == (pair[1].element, pair[1].region);
            prop_assert!(pair[0] < pair[1] && (!together || pair[0].end_sec + 1 < pair[1].start_sec));
        }
    }

    #[test]
    fn what_is_written_is_read_however_often_it_is_appended(mut one in watches(120), mut two in watches(120)) {
        join(&mut one);
        join(&mut two);
        let bytes = [encode(&one), encode(&two)].concat();
        let mut read = Vec::new();
        decode(&bytes, |_| true, &mut read).expect("stretches");
        prop_assert_eq!(&read, &[one, two].concat());
        let wanted = spread(7);
        let mut some = Vec::new();
        decode(&bytes, |element| element == wanted, &mut some).expect("stretches");
        read.retain(|watch| watch.element == wanted);
        prop_assert_eq!(some, read);
    }

    #[test]
    fn bytes_that_are_cut_are_refused(mut all in watches(8), cut in any::<prop::sample::Index>()) {
        join(&mut all);
        let whole = encode(&all);
        let ends: BTreeSet<usize> = (0..=all.len())
            .filter(|&n| n == all.len() || n == 0 || (all[n].element, all[n].region) != (all[n - 1].element, all[n - 1].region))
            .map(|n| encode(&all[..n]).len())
            .collect();
        let cut = cut.index(whole.len() + 1);
        prop_assert_eq!(decode(&whole[..cut], |_| true, &mut Vec::new()).is_ok(), ends.contains(&cut));
    }

    #[test]
    fn foreign_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes, |_| true, &mut Vec::new());
    }

    /// The invariant of the sample, after every step of any order and with thinning wherever it falls.
    #[test]
    fn the_sample_is_the_smallest_viewers_with_all_that_they_watched(
        mut all in watches(300), size in 1..12usize, each in 1..60usize, nights in any::<u64>(),
    ) {
        let mut sample: Vec<Watch<'_>> = Vec::new();
        let mut threshold = Threshold::NOBODY_OUT;
        for (step, batch) in all.clone().chunks(each).enumerate() {
            let before = threshold;
            sample.extend(batch.iter().filter(|watch| threshold.keeps(watch.element)));
            join(&mut sample);
            threshold = threshold.lower(thin_grown(&mut sample, size));
            if nights >> (step % 64) & 1 == 1 {
                threshold = threshold.lower(thin(&mut sample, size));
                prop_assert!(viewers(&sample) <= size);
            }
            prop_assert!(viewers(&sample) <= SLACK * size);
            prop_assert_eq!(threshold.lower(before), threshold, "it never rises");
        }
        all.retain(|watch| threshold.keeps(watch.element));
        prop_assert_eq!(seconds(&sample), seconds(&all));
        if !threshold.keeps_all() {
            prop_assert!(viewers(&sample) >= size, "{:?}", threshold);
        }
    }

    #[test]
    fn thresholds_sort_in_the_column_as_elements_do(a in any::<u64>(), b in any::<u64>()) {
        let (one, another) = (Threshold::at(a), Threshold::at(b));
        prop_assert_eq!(one.to_column().cmp(&another.to_column()), a.cmp(&b));
        prop_assert_eq!(Threshold::from_column(one.to_column()), one);
        prop_assert_eq!(one.lower(another), Threshold::at(a.min(b)));
        prop_assert_eq!(one.lower(Threshold::NOBODY_OUT), one);
        prop_assert_eq!(one.keeps(b), b < a);
    }
}

#[test]
fn shares_are_parts_of_the_hash_space() {
    assert_eq!(Threshold::NOBODY_OUT.share(), 1.0);
    assert_eq!(Threshold::at(1 << 63).share(), 0.5);
    assert_eq!(Threshold::at(1 << 54).share(), 1.0 / 1024.0);
    assert!(Threshold::at(0).share() > 0.0);
}

#[test]
fn thinning_keeps_the_smallest() {
    let mut all: Vec<Watch<'_>> = (0..10).map(|element| watch(element, 0, 5, 5)).collect();
    assert_eq!(thin_grown(&mut all, 5), Threshold::NOBODY_OUT, "twice its size is not more than twice");
    assert_eq!(thin_grown(&mut all, 4), Threshold::at(4));
    assert_eq!(viewers(&all), 4);
    assert_eq!(thin(&mut all, 4), Threshold::NOBODY_OUT);
    assert_eq!(thin(&mut all, 0), Threshold::at(0));
}

#[test]
fn a_beat_of_ten_seconds_takes_fourteen_bytes() {
    assert_eq!(encode(&[watch(u64::MAX, 0, 600, 9)]).len(), 14);
}

#[test]
fn additions_are_a_video_day_each_of_days_that_are_kept() {
    let day = |day| NaiveDate::from_ymd_opt(2026, 11, day).expect("a day");
    let beat = |video_id, captured_on, start_sec| HashedHeartbeat {
        video_id,
        region: "JP",
        captured_on,
        start_sec,
        end_sec: start_sec + 9,
        viewer_hash: 7,
    };
    let beats = [beat("b", day(21), 0), beat("a", day(21), 0), beat("b", day(20), 0), beat("b", day(21), 10)];
    let added = additions(&beats, day(21));
    let found: Vec<_> = added.iter().map(|a| (a.video_id, a.captured_on, a.watches.len())).collect();
    assert_eq!(found, [("a", day(21), 1), ("b", day(21), 2)]);
    assert_eq!(added[0].watches[0].element, spread(7));
}
