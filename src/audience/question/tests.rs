//! Conditions against sets of seconds.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn range(start_sec: i32, end_sec: i32) -> Range {
    Range { start_sec, end_sec }
}

fn condition() -> impl Strategy<Value = Condition> {
    (0..3usize, 0..60i32, 0..30i32).prop_map(|(kind, start, secs)| {
        let range = range(start, start + secs);
        [Condition::Saw(range), Condition::Missed(range), Condition::SawMost(range)][kind]
    })
}

fn is_met(condition: Condition, seen: &BTreeSet<i32>) -> bool {
    let of = |range: Range| {
        (range.start_sec..=range.end_sec).filter(|second| seen.contains(second)).count() as i32
    };
    match condition {
        Condition::Saw(range) => of(range) > 0,
        Condition::Missed(range) => of(range) == 0,
        Condition::SawMost(range) => of(range) * 10 >= (range.end_sec - range.start_sec + 1) * 9,
    }
}

proptest! {
    #[test]
    fn whoever_is_counted_meets_the_conditions(
        watched in proptest::collection::vec((0..12u64, 0..2usize, 0..70i32, 0..25i32), 0..60),
        conditions in proptest::collection::vec(condition(), 0..4),
    ) {
        let mut seen: BTreeMap<u64, BTreeSet<i32>> = BTreeMap::new();
        let mut watches = Vec::new();
        for (element, region, start_sec, secs) in watched {
            seen.entry(element).or_default().extend(start_sec..=start_sec + secs);
            watches.push(Watch { element, region: ["JP", "KR"][region], start_sec, end_sec: start_sec + secs });
        }
        let matching = seen.values().filter(|seen| conditions.iter().all(|asked| is_met(*asked, seen))).count();
        let expected = Counted { all: seen.len() as u64, matching: matching as u64 };
        prop_assert_eq!(count(&mut watches, &conditions), expected);
    }
}

#[test]
fn ranges_as_they_are_asked_for() {
    for (text, read) in [
        ("0-30", Some(range(0, 30))),
        ("7", Some(range(7, 7))),
        ("86399-86399", Some(range(86_399, 86_399))),
        ("30-0", None),
        ("0-86400", None),
        ("-5", None),
        ("5-", None),
        ("+5-7", None),
        ("1.5-2", None),
        ("", None),
        ("0-1-2", None),
        ("99999999999-99999999999", None),
    ] {
        assert_eq!(Range::parse(text), read, "{text}");
    }
    assert_eq!(range(0, 30).to_string(), "0-30");
}
