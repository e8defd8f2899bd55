//! Whatever a file of statements holds, plain or packed, its heartbeats are heartbeats, and little memory tells the same ones as
//! much.

#![no_main]

use std::io;

use chrono::{DateTime, Utc};
use heatstrip::{
    events::heartbeat::{self, Arrival},
    import::file::elements,
    ingest::xapi::convert,
};
use libfuzzer_sys::fuzz_target;

/// So few bytes hold a few sessions only.
const LITTLE: usize = 1_000;

/// Returns the heartbeats, sorted, and the lines that were refused.
fn told(data: &[u8], memory: usize) -> io::Result<(Vec<String>, Vec<usize>)> {
    let mut refused = Vec::new();
    let told = convert(|| elements(data), memory, |line, _| refused.push(line))?;
    let mut heartbeats = told.collect::<io::Result<Vec<String>>>()?;
    heartbeats.sort_unstable();
    Ok((heartbeats, refused))
}

fuzz_target!(|data: &[u8]| {
    let Ok((heartbeats, refused)) = told(data, usize::MAX) else { return };
    assert!(refused.is_sorted_by(|one, next| one < next));
    assert!(told(data, LITTLE).is_ok_and(|again| again == (heartbeats.clone(), refused)));
    let now = DateTime::<Utc>::from_timestamp(1_795_255_200, 0).expect("an instant");
    let arrival = Arrival {
        now,
        default_region: "ZZ".parse().expect("a region"),
        max_age: None,
        captured_on: Some(now.date_naive()),
        terms: None,
    };
    for text in &heartbeats {
        assert!(heartbeat::parse(text, &arrival).is_ok(), "it was made to be one");
    }
});
