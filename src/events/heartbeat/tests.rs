use super::*;
use crate::events::region::Region;

fn arrival() -> Arrival {
    Arrival {
        now: "2026-11-21T00:02:00Z".parse().expect("an instant"),
        default_region: Region::parse("ZZ").expect("a region"),
        max_age: Some(MAX_AGE),
        captured_on: None,
        terms: None,
    }
}

fn refusal(element: &str) -> (Option<&'static str>, Reason) {
    let refusal = parse(element, &arrival()).expect_err(element);
    (refusal.field, refusal.reason)
}

/// A good heartbeat with one field replaced by raw JSON text, or left out.
fn with(field: &str, value: Option<&str>) -> String {
    let mut fields = vec![
        ("video_id", r#""v""#),
        ("region", r#""JP""#),
        ("start_sec", "8"),
        ("end_sec", "47"),
        ("viewer_id", r#""w""#),
    ];
    fields.retain(|(name, _)| *name != field);
    fields.extend(value.map(|value| (field, value)));
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

#[test]
fn reads_the_example() {
    let element = r#"{"video_id":"yt_abc123","region":"jp","start_sec":8,"end_sec":47,"viewer_id":"sess_91f2",
        "at":"2026-11-20T23:59:59+00:00","duration_sec":540,"unknown":[[1]]}"#;
    let heartbeat = parse(element, &arrival()).expect("the example is good");
    assert_eq!(heartbeat.video_id, "yt_abc123");
    assert_eq!(heartbeat.region.as_str(), "JP");
    assert_eq!((heartbeat.start_sec, heartbeat.end_sec), (8, 47));
    assert_eq!(heartbeat.captured_on.to_string(), "2026-11-20");
    assert_eq!(heartbeat.viewer_id.as_bytes(), b"sess_91f2");
}

#[test]
fn what_may_be_left_out_may_be_null() {
    for field in ["region", "at", "duration_sec"] {
        for value in [None, Some("null")] {
            let element = with(field, value);
            let heartbeat = parse(&element, &arrival()).expect("optional");
            assert_eq!(heartbeat.captured_on.to_string(), "2026-11-21");
            assert_eq!(heartbeat.region.as_str(), if field == "region" { "ZZ" } else { "JP" });
        }
    }
}

#[test]
fn a_clock_ahead_does_not_reach_into_tomorrow() {
    let mut arrival = arrival();
    arrival.now = "2026-11-20T23:58:00Z".parse().expect("an instant");
    let element = with("at", Some(r#""2026-11-21T00:01:00Z""#));
    assert_eq!(parse(&element, &arrival).expect("3 min ahead").captured_on.to_string(), "2026-11-20");
}

#[test]
fn whole_numbers_may_be_written_as_floats() {
    for eight in ["8", "8.0", "8e0", "0.8e1"] {
        assert_eq!(parse(&with("start_sec", Some(eight)), &arrival()).expect(eight).start_sec, 8);
    }
}

#[test]
fn every_reason_has_its_input() {
    use Reason::*;
    let long = |n| format!("\"{}\"", "x".repeat(n));
    let (long_video, long_viewer) = (long(129), long(257));
    let cases: &[(&str, Option<&str>, Reason)] = &[
        ("video_id", None, Missing),
        ("video_id", Some("null"), Missing),
        ("video_id", Some("7"), WrongType),
        ("video_id", Some(r#""""#), Empty),
        ("video_id", Some(&long_video), TooLong),
        ("video_id", Some(r#""a\u0000b""#), ControlCharacter),
        ("video_id", Some(r#""a\u0085b""#), ControlCharacter),
        ("video_id", Some(r#""\ud800""#), Malformed),
        ("viewer_id", None, Missing),
        ("viewer_id", Some("{}"), WrongType),
        ("viewer_id", Some(&long_viewer), TooLong),
        ("viewer_id", Some(r#""\n""#), ControlCharacter),
        ("region", Some("81"), WrongType),
        ("region", Some(r#""""#), Empty),
        ("region", Some(r#""J""#), BadFormat),
        ("region", Some(r#""J_P""#), BadFormat),
        ("region", Some(r#""ABCDEFGHIJKLMNOPQ""#), TooLong),
        ("region", Some(r#""global""#), Reserved),
        ("start_sec", None, Missing),
        ("start_sec", Some(r#""8""#), WrongType),
        ("start_sec", Some("8.5"), WrongType),
        ("start_sec", Some("true"), WrongType),
        ("start_sec", Some("-1"), OutOfRange),
        ("end_sec", Some("86400"), OutOfRange),
        ("end_sec", Some("1e999"), OutOfRange),
        ("end_sec", Some("99999999999999999999999999"), OutOfRange),
        ("end_sec", Some("7"), EndBeforeStart),
        ("end_sec", Some("608"), TooManySeconds),
        ("duration_sec", Some("46"), OutOfRange),
        ("duration_sec", Some("0"), OutOfRange),
        ("duration_sec", Some("1e999"), OutOfRange),
        ("duration_sec", Some("[]"), WrongType),
        ("at", Some("1700000000"), WrongType),
        ("at", Some(r#""yesterday""#), BadFormat),
        ("at", Some(r#""2026-11-21""#), BadFormat),
        ("at", Some(r#""2026-11-19T00:01:59Z""#), TooOld),
        ("at", Some(r#""2026-11-21T00:07:01Z""#), InFuture),
    ];
    for &(field, value, reason) in cases {
        let blamed = match (field, reason) {
            // The length of the video is what bounds the end.
            ("duration_sec", OutOfRange) if value == Some("46") => "end_sec",
            _ => field,
        };
        assert_eq!(refusal(&with(field, value)), (Some(blamed), reason), "{field} = {value:?}");
    }
}

#[test]
fn bounds_are_inclusive() {
    for (field, value) in [
        ("end_sec", "607"),
        ("duration_sec", "47"),
        ("at", r#""2026-11-19T00:02:00Z""#),
        ("at", r#""2026-11-21T00:07:00Z""#),
    ] {
        assert!(parse(&with(field, Some(value)), &arrival()).is_ok(), "{field} = {value}");
    }
}

#[test]
fn what_is_no_object_is_malformed() {
    for element in [
        "5",
        "null",
        "[]",
        r#"["v","JP","w",1,2]"#,
        "{",
        r#"{"video_id":"a","video_id":"b"}"#,
        "",
        "\u{feff}{}",
    ] {
        assert_eq!(refusal(element), (None, Reason::Malformed), "{element}");
    }
}
