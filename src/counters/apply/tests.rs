use super::*;
use crate::counters::element::{CounterName, ElementId};

fn element(mode: Mode, delta: i64, id: Option<(u128, i64)>) -> Element {
    Element {
        counter: CounterName { object_type: "video".into(), object_id: "a".into(), kind: 1 },
        mode,
        member_id: "m".into(),
        delta,
        at: DateTime::UNIX_EPOCH,
        id: id.map(|(id, content)| ElementId { id: Uuid::from_u128(id), content }),
    }
}

fn ledger(total: i64) -> Ledger {
    Ledger::new([(1, Counter { total, last_seq: 0, packed_seq: 0 })], [], [])
}

fn apply(ledger: &mut Ledger, member: i64, element: &Element) -> (Status, i64, Option<i64>) {
    let outcome = ledger.apply(Resolved { counter: 1, member, element }).expect("no overflow");
    (outcome.status, outcome.total, outcome.seq)
}

#[test]
fn a_set_goes_on_and_off() {
    let (on, off) = (element(Mode::Set, 1, None), element(Mode::Set, -1, None));
    let mut ledger = ledger(0);
    assert_eq!(apply(&mut ledger, 5, &off), (Status::Absent, 0, None));
    assert_eq!(apply(&mut ledger, 5, &on), (Status::Created, 1, Some(1)));
    assert_eq!(apply(&mut ledger, 5, &on), (Status::Exists, 1, Some(1)));
    assert_eq!(apply(&mut ledger, 6, &on), (Status::Created, 2, Some(2)));
    assert_eq!(apply(&mut ledger, 5, &off), (Status::Removed, 1, Some(1)));
    assert_eq!(apply(&mut ledger, 5, &on), (Status::Created, 2, Some(3)));
    let changes = ledger.changes();
    let counter = Counter { total: 2, last_seq: 3, packed_seq: 0 };
    assert_eq!(changes.counters, [(1, counter)]);
    let places: Vec<_> = changes.marked.iter().map(|(pair, mark)| (*pair, mark.seq)).collect();
    assert_eq!(places, [((1, 6), 2), ((1, 5), 3)]);
    assert!(changes.unmarked.is_empty(), "what came and went in one group was never there");
}

#[test]
fn an_id_counts_once_whatever_came_between() {
    let (on, off) = (element(Mode::Set, 1, Some((7, 70))), element(Mode::Set, -1, None));
    let mut ledger = ledger(0);
    assert_eq!(apply(&mut ledger, 5, &on), (Status::Created, 1, Some(1)));
    assert_eq!(apply(&mut ledger, 5, &off), (Status::Removed, 0, Some(1)));
    assert_eq!(apply(&mut ledger, 5, &on), (Status::Exists, 0, Some(1)), "a late retry");
    let other = element(Mode::Count, 1, Some((7, 71)));
    assert_eq!(apply(&mut ledger, 5, &other), (Status::Conflict, 0, None));
    assert_eq!(ledger.changes().ids.len(), 1);
}

#[test]
fn what_did_nothing_is_remembered_too() {
    let off = element(Mode::Set, -1, Some((7, 70)));
    let mut ledger = ledger(0);
    assert_eq!(apply(&mut ledger, 5, &off), (Status::Absent, 0, None));
    assert_eq!(apply(&mut ledger, 5, &element(Mode::Set, 1, None)), (Status::Created, 1, Some(1)));
    assert_eq!(apply(&mut ledger, 5, &off), (Status::Exists, 1, None));
}

#[test]
fn totals_are_refused_before_they_wrap() {
    let mut up = ledger(i64::MAX);
    let more = element(Mode::Count, 1, Some((1, 1)));
    assert_eq!(up.apply(Resolved { counter: 1, member: 5, element: &more }), Err(Overflow));
    assert_eq!(
        up.apply(Resolved { counter: 1, member: 5, element: &element(Mode::Set, 1, None) }),
        Err(Overflow)
    );
    assert_eq!(apply(&mut up, 5, &element(Mode::Count, -1, None)), (Status::Created, i64::MAX - 1, Some(1)));
    assert_eq!(
        apply(&mut up, 5, &more),
        (Status::Created, i64::MAX, Some(2)),
        "the refused id was not used up"
    );
    let mut down = ledger(i64::MIN);
    let less = element(Mode::Signed, -3, None);
    assert_eq!(down.apply(Resolved { counter: 1, member: 5, element: &less }), Err(Overflow));
    assert_eq!(down.changes(), Changes::default());
}

#[test]
fn the_night_is_told_once_a_block() {
    let more = element(Mode::Count, 1, None);
    let row = |last_seq, packed_seq| [(1, Counter { total: 0, last_seq, packed_seq })];
    for (last_seq, packed_seq, told) in
        [(14, 0, false), (15, 0, true), (16, 0, false), (31, 16, true), (31, 20, false)]
    {
        let mut ledger = Ledger::new(row(last_seq, packed_seq), [], []);
        apply(&mut ledger, 5, &more);
        // Blocks hold directions, not deltas: what is signed stays in rows.
        let mut signed = Ledger::new(row(last_seq, packed_seq), [], []);
        apply(&mut signed, 5, &element(Mode::Signed, 1, None));
        assert!(signed.changes().packable.is_empty());
        assert_eq!(!ledger.changes().packable.is_empty(), told, "{last_seq} {packed_seq}");
    }
}
