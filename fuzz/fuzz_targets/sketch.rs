//! Bytes that may be sketches are united without a fault, and a union does not depend on the order, on what comes twice, or on
//! how it was written down in between.

#![no_main]

use heatstrip::sketch::{Present, Union};
use libfuzzer_sys::fuzz_target;

fn union(sketches: &[&[u8]]) -> Union {
    let mut union = Union::default();
    for sketch in sketches {
        union.add(sketch).expect("it could be read before");
    }
    union
}

fuzz_target!(|data: &[u8]| {
    // Each begins with its length, in two bytes.
    let mut rest = data;
    let mut sketches = Vec::new();
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let (sketch, behind) = behind.split_at(behind.len().min(usize::from(u16::from_be_bytes(*length))));
        rest = behind;
        let mut alone = Union::default();
        let before = alone.encode();
        match alone.add(sketch) {
            Ok(()) => sketches.push(sketch),
            Err(_) => assert_eq!(alone.encode(), before, "what cannot be read changes nothing"),
        }
    }
    let mut all = union(&sketches);
    let written = all.encode();
    let mut backwards = sketches.clone();
    backwards.reverse();
    assert_eq!(union(&backwards).encode(), written, "the order is nothing");
    assert_eq!(union(&[&sketches[..], &sketches].concat()).encode(), written, "who comes twice is one");
    let mut read = union(&[&written]);
    assert_eq!(read.encode(), written, "what was written is read");
    assert_eq!(read.cardinality(), all.cardinality());
    assert_eq!(read.is_empty(), all.is_empty());
    let mut merged = Union::default();
    sketches.iter().for_each(|sketch| merged.merge(&union(&[sketch])));
    assert_eq!(merged.encode(), written);
    assert_eq!(merged.cardinality(), all.cardinality());

    // The same with sketches that come and go.
    let mut present = Present::default();
    for (number, sketch) in sketches.iter().enumerate() {
        present.enter(number, &union(&[sketch]));
    }
    assert_eq!(present.encode(), written);
    if let Some((last, others)) = sketches.split_last() {
        present.leave(others.len(), last).expect("it could be read before");
        assert_eq!(present.encode(), union(others).encode(), "who left is gone");
    }
});
