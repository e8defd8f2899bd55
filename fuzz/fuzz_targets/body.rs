//! A body is cut into elements whatever its bytes are, and what was cut is cut the same again.

#![no_main]

use heatstrip::ingest::body::{Format, MAX_ELEMENTS, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for format in [Format::Json, Format::Ndjson] {
        for noun in ["heartbeats", "views", "counts"] {
            let Ok(body) = parse(data, format, noun) else { continue };
            assert!(body.elements.len() <= MAX_ELEMENTS);
            let text = std::str::from_utf8(data).expect("it was cut, so it is text");
            let whole = text.as_bytes().as_ptr_range();
            for element in &body.elements {
                let part = element.as_bytes().as_ptr_range();
                assert!(whole.start <= part.start && part.end <= whole.end, "a part of the body");
            }
            let again = match format {
                Format::Json => format!("[{}]", body.elements.join(",")),
                // A line may end in a bare carriage return, which is its own.
                Format::Ndjson => body.elements.join("\r\n"),
            };
            let again = parse(again.as_bytes(), format, noun).expect("what was cut can be cut");
            assert_eq!(again.elements, body.elements);
            assert_eq!(again.batch_id, None);
        }
    }
});
