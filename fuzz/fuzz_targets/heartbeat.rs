//! Whatever an element says, what is accepted of it keeps within its bounds.

#![no_main]

use chrono::{DateTime, TimeDelta, Utc};
use heatstrip::events::{heartbeat, heartbeat::Arrival, view};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(element) = std::str::from_utf8(data) else { return };
    let now = DateTime::<Utc>::from_timestamp(1_795_255_200, 0).expect("an instant");
    let max_age = TimeDelta::hours(48);
    let arrival = Arrival {
        now,
        default_region: "ZZ".parse().expect("a region"),
        max_age: Some(max_age),
        captured_on: None,
        terms: None,
    };
    let is_id = |id: &str| {
        (1..=heartbeat::MAX_VIDEO_ID_BYTES).contains(&id.len()) && !id.chars().any(char::is_control)
    };
    if let Ok(beat) = heartbeat::parse(element, &arrival) {
        assert!(is_id(&beat.video_id));
        let (start_sec, end_sec) = (i64::from(beat.start_sec), i64::from(beat.end_sec));
        assert!(0 <= start_sec && start_sec <= end_sec && end_sec <= heartbeat::MAX_SEC);
        assert!(end_sec - start_sec < heartbeat::MAX_SECONDS_PER_HEARTBEAT);
        assert!(now - max_age <= beat.at && beat.at <= now);
        let region = beat.region.to_string();
        assert_eq!(region.parse().as_ref(), Ok(&beat.region));
        // What is said of one is said of all without the bounds of a live one, too.
        let replayed = Arrival { max_age: None, captured_on: Some(now.date_naive()), ..arrival.clone() };
        let replayed = heartbeat::parse(element, &replayed).expect("a replay refuses no more");
        assert_eq!((replayed.start_sec, replayed.end_sec), (beat.start_sec, beat.end_sec));
        assert_eq!(replayed.at.date_naive(), now.date_naive());
    }
    if let Ok(view) = view::parse(element, &arrival) {
        assert!(is_id(&view.video_id));
        assert!(now - max_age <= view.at && view.at <= now);
    }
});
