//! Whatever a file of statements holds, plain or packed, its heartbeats are heartbeats, and the same file gives the same ones.

#![no_main]

use chrono::{DateTime, Utc};
use heatstrip::{
    events::heartbeat::{self, Arrival},
    import::file::elements,
    ingest::xapi::convert,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let read = || elements(data).and_then(convert);
    let Ok(converted) = read() else { return };
    assert_eq!(read().expect("it was read before").heartbeats, converted.heartbeats);
    assert!(converted.refused.is_sorted_by(|(one, _), (next, _)| one < next));
    let arrival = Arrival {
        now: DateTime::<Utc>::from_timestamp(1_795_255_200, 0).expect("an instant"),
        default_region: "ZZ".parse().expect("a region"),
        max_age: None,
        captured_on: DateTime::<Utc>::from_timestamp(1_795_255_200, 0).map(|at| at.date_naive()),
        terms: None,
    };
    for text in &converted.heartbeats {
        assert!(heartbeat::parse(text, &arrival).is_ok(), "it was made to be one");
    }
});
