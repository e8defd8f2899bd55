use std::cell::Cell;

use chrono::TimeDelta;

use super::*;
use crate::events::{heartbeat::Arrival, region::Region};

const FIXTURE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/xapi.jsonl"));

/// All that is told of some lines.
#[derive(Debug, PartialEq)]
struct Told {
    heartbeats: Vec<String>,
    refused: Vec<(usize, Refusal)>,
    without_segments: usize,
    passes: usize,
}

fn convert_within<'a>(memory: usize, lines: impl IntoIterator<Item = &'a str>) -> Told {
    let lines: Vec<&str> = lines.into_iter().collect();
    let (mut refused, passes) = (Vec::new(), Cell::new(0));
    let open = || {
        passes.set(passes.get() + 1);
        Ok(lines.iter().map(|line| Ok((*line).to_owned())))
    };
    let told = convert(open, memory, |index, refusal| refused.push((index, refusal)));
    let told = told.expect("lines in memory can be read");
    let without_segments = told.without_segments;
    let heartbeats = told.map(|text| text.expect("lines in memory can be read")).collect();
    Told { heartbeats, refused, without_segments, passes: passes.get() }
}

fn convert_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Told {
    convert_within(usize::MAX, lines)
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
fn passes_tell_the_same_as_one() {
    let whole = convert_lines(FIXTURE.lines());
    assert_eq!(whole.passes, 1);
    let sorted = |mut heartbeats: Vec<String>| {
        heartbeats.sort_unstable();
        heartbeats
    };
    for memory in [0, 1_000, 3_000, 6_000] {
        let forth = convert_within(memory, FIXTURE.lines());
        // Whatever the memory, a file's chunks are the same each time, also when it is sorted anew.
        let back = convert_within(memory, FIXTURE.lines().rev());
        assert_eq!((&forth.heartbeats, forth.passes), (&back.heartbeats, back.passes), "{memory}");
        assert!(forth.passes > 1, "{memory}");
        assert_eq!((forth.refused, forth.without_segments), (whole.refused.clone(), whole.without_segments));
        assert_eq!(sorted(forth.heartbeats), sorted(whole.heartbeats.clone()), "{memory}");
    }
    // Without any memory each pass tells one session.
    let (sessions, none) = (convert_within(0, FIXTURE.lines()).passes, convert_within(0, []));
    assert!((11..=20).contains(&sessions), "{sessions}");
    assert_eq!((none.heartbeats.len(), none.passes), (0, 1));
}

#[test]
fn what_cannot_be_read_twice_fails_before_anything_is_told() {
    let once = |memory| {
        let mut lines = Some(FIXTURE.lines().map(|line| Ok(line.to_owned())));
        let open = move || lines.take().ok_or(io::Error::other("a pipe"));
        convert(open, memory, |_, _| ()).map(Iterator::count)
    };
    assert_eq!(once(100_000).expect("one pass"), 16);
    assert_eq!(once(3_000).expect_err("two passes").to_string(), "a pipe");
}

#[test]
fn a_reader_that_fails_ends_it() {
    let lines = || Ok([Ok(String::new()), Err(io::Error::other("the disk is gone"))].into_iter());
    let Err(error) = convert(lines, usize::MAX, |_, _| ()) else { panic!("passed through") };
    assert_eq!(error.to_string(), "the disk is gone");
}
