use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn day(n: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, n).expect("a day of November")
}

/// Names that live as long as the test.
const NAMES: [&str; 4] = ["n0", "n1", "n2", "n3"];

fn heartbeats(spans: &[(u8, u8, u8, i32, i32, i64)]) -> Vec<HashedHeartbeat<'static>> {
    let heartbeat = |&(video, region, d, start_sec, end_sec, viewer_hash): &(u8, u8, u8, i32, i32, i64)| {
        HashedHeartbeat {
            video_id: NAMES[usize::from(video)],
            region: NAMES[usize::from(region)],
            captured_on: day(u32::from(d) + 1),
            start_sec,
            end_sec,
            viewer_hash,
        }
    };
    spans.iter().map(heartbeat).collect()
}

/// (first, last, plays) of each run.
fn shape(runs: &[Run<'_>]) -> Vec<(i32, i32, i64)> {
    runs.iter().map(|run| (run.start_sec, run.end_sec, run.plays)).collect()
}

#[test]
fn a_lone_viewer_is_one_run() {
    let columns = heartbeats(&[(0, 0, 0, 8, 47, 7)]);
    assert_eq!(shape(&fold(&columns).runs), [(8, 47, 1)]);
}

#[test]
fn consecutive_beats_of_one_viewer_are_one_run() {
    let columns = heartbeats(&[(0, 0, 0, 10, 19, 7), (0, 0, 0, 0, 9, 7), (0, 0, 0, 20, 29, 7)]);
    assert_eq!(shape(&fold(&columns).runs), [(0, 29, 1)]);
}

#[test]
fn a_rewind_cuts_only_where_it_begins_and_ends() {
    let columns = heartbeats(&[(0, 0, 0, 0, 9, 7), (0, 0, 0, 5, 14, 7), (0, 0, 0, 10, 19, 7)]);
    assert_eq!(shape(&fold(&columns).runs), [(0, 4, 1), (5, 14, 2), (15, 19, 1)]);
}

#[test]
fn overlap_cuts_and_gap_separates() {
    let columns = heartbeats(&[(0, 0, 0, 0, 9, 1), (0, 0, 0, 5, 14, 2), (0, 0, 0, 20, 20, 1)]);
    assert_eq!(shape(&fold(&columns).runs), [(0, 4, 1), (5, 9, 2), (10, 14, 1), (20, 20, 1)]);
}

#[test]
fn a_repeat_plays_again_but_is_nobody_new() {
    let columns = heartbeats(&[(0, 0, 0, 0, 9, 1), (0, 0, 0, 0, 9, 1)]);
    let runs = fold(&columns).runs;
    assert_eq!(shape(&runs), [(0, 9, 2)]);
    assert_eq!(runs[0].viewers, sketch::encode(&[sketch::element(1)]));
}

#[test]
fn a_run_ends_where_its_block_does() {
    let columns = heartbeats(&[(0, 0, 0, 3_500, 4_000, 7), (0, 0, 0, 4_001, 11_000, 7)]);
    assert_eq!(
        shape(&fold(&columns).runs),
        [(3_500, 3_599, 1), (3_600, 7_199, 1), (7_200, 10_799, 1), (10_800, 11_000, 1)]
    );
}

proptest! {
    #[test]
    fn equals_a_set_per_second(spans in prop::collection::vec(
        // Around the edge of a block.
        (0u8..2, 0u8..2, 0u8..2, 3570i32..3630, 0i32..20, 0i64..30).prop_map(|(v, r, d, s, n, w)| (v, r, d, s, s + n, w)),
        0..200,
    )) {
        let columns = heartbeats(&spans);
        let runs = fold(&columns).runs;

        let key = |beat: &HashedHeartbeat<'static>| Key {
            video_id: beat.video_id,
            captured_on: beat.captured_on,
            region: beat.region,
        };
        let mut expected: BTreeMap<(Key<'_>, i32), (BTreeSet<i64>, i64)> = BTreeMap::new();
        for beat in &columns {
            for second in beat.start_sec..=beat.end_sec {
                let (viewers, plays) = expected.entry((key(beat), second)).or_default();
                viewers.insert(sketch::element(beat.viewer_hash));
                *plays += 1;
            }
        }
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(at, (viewers, plays))| (at, sketch::encode(&Vec::from_iter(viewers)), plays))
            .collect();
        // In the order of the runs: this also shows that they are sorted and do not overlap.
        let folded: Vec<_> = runs
            .iter()
            .flat_map(|run| (run.start_sec..=run.end_sec).map(|s| ((run.key, s), run.viewers.clone(), run.plays)))
            .collect();
        prop_assert_eq!(folded, expected);
        prop_assert!(runs.iter().all(|run| run.start_sec / BLOCK_SECS == run.end_sec / BLOCK_SECS));

        let mut wholes: BTreeMap<Key<'_>, (BTreeSet<i64>, i64, i32, i64)> = BTreeMap::new();
        for beat in &columns {
            let (viewers, plays, last_sec, heartbeats) = wholes.entry(key(beat)).or_default();
            viewers.insert(sketch::element(beat.viewer_hash));
            *plays += i64::from(beat.end_sec - beat.start_sec + 1);
            *last_sec = beat.end_sec.max(*last_sec);
            *heartbeats += 1;
        }
        let wholes: Vec<Whole<'_>> = wholes
            .into_iter()
            .map(|(key, (viewers, plays, last_sec, heartbeats))| {
                let viewers = sketch::encode(&Vec::from_iter(viewers));
                Whole { key, last_sec, viewers, plays, heartbeats }
            })
            .collect();
        prop_assert_eq!(fold(&columns).wholes, wholes);
    }
}
