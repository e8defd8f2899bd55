use chrono::TimeDelta;

use super::*;
use crate::events::{heartbeat::Arrival, region::Region};

const FIXTURE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/xapi.jsonl"));

fn convert_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Converted {
    convert(lines.into_iter().map(|line| Ok(line.to_owned()))).expect("lines in memory can be read")
}

#[test]
fn tells_what_the_fixture_says() {
    let expected = [
        // The earliest statement of Ada's first session, one of no segments, was made on the 19th in UTC.
        ("https://video.example/intro", 0, 42, "ada", 19),
        ("https://video.example/intro", 43, 124, "ada", 19),
        ("https://video.example/intro", 176, 179, "ada", 19),
        // A list that was refused dates its session all the same.
        ("https://video.example/intro", 0, 8, "fay", 19),
        // Ada's second session plays some of it again.
        ("https://video.example/intro", 3, 4, "ada", 20),
        ("https://video.example/intro", 100, 100, "ada", 20),
        (
            "https://video.example/intro",
            0,
            0,
            "ebd31e95054c018b10727ccffd2ef2ec3a016ee9",
            20,
        ),
        ("https://video.example/intro", 0, 2, "eve", 20),
        ("https://video.example/intro", 0, 1, "https://id.example/dee", 20),
        // Without session ids each day is a session.
        ("https://video.example/intro", 0, 9, "mailto:bob@example.org", 20),
        ("https://video.example/long", 0, 599, "eve", 20),
        ("https://video.example/long", 600, 1199, "eve", 20),
        ("https://video.example/long", 1200, 1299, "eve", 20),
        ("https://video.example/long", 86_390, 86_399, "eve", 20),
        ("https://video.example/intro", 0, 4, "mailto:bob@example.org", 21),
        ("urn:vidéo:2", 5, 6, "ada", 22),
    ]
    .map(|(video_id, start_sec, end_sec, viewer_id, day)| {
        format!(
            r#"{{"video_id":"{video_id}","start_sec":{start_sec},"end_sec":{end_sec},"viewer_id":"{viewer_id}","at":"2026-11-{day}T12:00:00Z"}}"#
        )
    });
    let converted = convert_lines(FIXTURE.lines());
    // The hour is that of the session's first statement, but the mapping promises the day alone.
    let noon = |text: &String| {
        let (front, at) = text.split_at(text.find("\"at\":\"").expect("at") + 6);
        format!("{front}{}T12:00:00Z\"}}", &at[..10])
    };
    assert_eq!(converted.heartbeats.iter().map(noon).collect::<Vec<_>>(), expected);
    assert_eq!(converted.without_segments, 4);
}

#[test]
fn refuses_line_by_line() {
    use Reason::*;

    let segments = Some("played-segments");
    let expected = [
        (18, None, Malformed),
        (19, None, Malformed),
        (20, Some("object.id"), Missing),
        (21, Some("object.id"), WrongType),
        (22, Some("object.id"), TooLong),
        (23, Some("actor"), Missing),
        (24, Some("actor"), WrongType),
        (25, Some("actor"), ControlCharacter),
        (26, Some("timestamp"), Missing),
        (27, Some("timestamp"), BadFormat),
        (28, Some("session-id"), WrongType),
        (29, segments, WrongType),
        (30, segments, BadFormat),
        (31, segments, BadFormat),
        (32, segments, OutOfRange),
        (33, segments, OutOfRange),
        (34, segments, OutOfRange),
        (35, segments, OutOfRange),
        (36, segments, BadFormat),
    ]
    .map(|(index, field, reason)| (index, Refusal { field, reason }));
    assert_eq!(convert_lines(FIXTURE.lines()).refused, expected);
    assert_eq!(convert_lines([""]).refused.len(), 1, "what a replay file could not read as text");
}

#[test]
fn the_order_of_lines_does_not_matter() {
    let forth = convert_lines(FIXTURE.lines());
    let back = convert_lines(FIXTURE.lines().rev());
    assert_eq!(forth.heartbeats, back.heartbeats);
    assert_eq!(forth.without_segments, back.without_segments);
    assert_eq!(forth.refused.len(), back.refused.len());
}

#[test]
fn heartbeats_are_read_like_any_others() {
    let arrival = Arrival {
        now: "2026-11-22T12:00:00Z".parse().expect("an instant"),
        default_region: Region::parse("ZZ").expect("a region"),
        max_age: Some(TimeDelta::days(4)),
        captured_on: None,
        terms: None,
    };
    for text in &convert_lines(FIXTURE.lines()).heartbeats {
        let heartbeat = heartbeat::parse(text, &arrival).expect(text);
        assert_eq!(heartbeat.region.as_str(), "ZZ");
    }
}

#[test]
fn viewer_ids_do_not_print() {
    let converted = convert_lines(FIXTURE.lines());
    let debug = format!("{converted:?}");
    assert!(debug.starts_with("Converted { heartbeats: 16,"), "{debug}");
    for viewer_id in ["ada", "bob", "ebd31e", "id.example", "eve", "fay"] {
        assert!(!debug.contains(viewer_id), "{debug}");
    }
}

#[test]
fn a_reader_that_fails_ends_it() {
    let lines = [Ok(String::new()), Err(io::Error::other("the disk is gone"))];
    let error = convert(lines).expect_err("passed through");
    assert_eq!(error.to_string(), "the disk is gone");
}
