use super::*;
use crate::counters::kinds::Kind;

fn kinds() -> Kinds {
    Kinds::new(
        [("like", Mode::Set), ("share", Mode::Count), ("points", Mode::Signed)]
            .into_iter()
            .zip(1..)
            .map(|((name, mode), id)| Kind { id, name: name.into(), mode }),
    )
}

fn read(change: &str) -> Result<Element, Refusal> {
    let now: DateTime<Utc> = "2026-11-21T10:00:00.123456Z".parse().expect("an instant");
    let mut fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(r#"{"member_id":"ann","object_type":"video","object_id":"a","kind":"like"}"#)
            .expect("JSON");
    let change: serde_json::Map<String, serde_json::Value> = serde_json::from_str(change).expect("JSON");
    fields.extend(change);
    let element = serde_json::to_string(&fields).expect("JSON");
    parse(&element, &kinds(), Arrival { now, max_age: Some(crate::events::fields::MAX_AGE) })
}

#[test]
fn what_is_left_out_is_one_now() {
    let element = read("{}").expect("good");
    assert_eq!((element.delta, element.mode, element.id), (1, Mode::Set, None));
    assert_eq!(element.at.to_rfc3339(), "2026-11-21T10:00:00.123+00:00");
    assert_eq!(read(r#"{"at":"2026-11-21T10:04:00Z"}"#).expect("good").at, element.at, "not in the future");
}

#[test]
fn each_bound_is_named() {
    let long = "x".repeat(129);
    for (change, field, reason) in [
        (r#"{"member_id":null}"#, "member_id", Reason::Missing),
        (r#"{"member_id":5}"#, "member_id", Reason::WrongType),
        (r#"{"member_id":""}"#, "member_id", Reason::Empty),
        (r#"{"member_id":"a\nb"}"#, "member_id", Reason::ControlCharacter),
        (&format!(r#"{{"member_id":"{}"}}"#, "x".repeat(257)), "member_id", Reason::TooLong),
        (&format!(r#"{{"object_id":"{long}"}}"#), "object_id", Reason::TooLong),
        (&format!(r#"{{"object_type":"{long}"}}"#), "object_type", Reason::TooLong),
        (r#"{"object_type":"a:b"}"#, "object_type", Reason::BadFormat),
        (r#"{"kind":"unheard"}"#, "kind", Reason::OutOfRange),
        (r#"{"delta":0}"#, "delta", Reason::OutOfRange),
        (r#"{"delta":2}"#, "delta", Reason::OutOfRange),
        (r#"{"delta":1.5}"#, "delta", Reason::WrongType),
        (r#"{"delta":"1"}"#, "delta", Reason::WrongType),
        (r#"{"kind":"points","delta":1000001}"#, "delta", Reason::OutOfRange),
        (r#"{"kind":"points","delta":-1000001}"#, "delta", Reason::OutOfRange),
        (r#"{"delta":1e300}"#, "delta", Reason::OutOfRange),
        (r#"{"at":"yesterday"}"#, "at", Reason::BadFormat),
        (r#"{"at":"2026-11-21T10:06:00Z"}"#, "at", Reason::InFuture),
        (r#"{"at":"2026-11-19T09:00:00Z"}"#, "at", Reason::TooOld),
        (r#"{"id":""}"#, "id", Reason::Empty),
        (&format!(r#"{{"id":"{long}"}}"#), "id", Reason::TooLong),
    ] {
        assert_eq!(read(change), Err(Refusal { field: Some(field), reason }), "{change}");
    }
    for good in [
        &format!(r#"{{"member_id":"{}"}}"#, "x".repeat(256)),
        &format!(r#"{{"object_id":"{}"}}"#, "x".repeat(128)),
        r#"{"delta":-1}"#,
        r#"{"delta":1.0}"#,
        r#"{"kind":"points","delta":1000000}"#,
        r#"{"kind":"points","delta":-1000000}"#,
        r#"{"unknown":{}}"#,
    ] {
        assert!(read(good).is_ok(), "{good}");
    }
    let arrival = Arrival { now: Utc::now(), max_age: None };
    for broken in ["[1]", "5", "", "{"] {
        assert_eq!(
            parse(broken, &kinds(), arrival),
            Err(Refusal { field: None, reason: Reason::Malformed }),
            "{broken}"
        );
    }
}

#[test]
fn a_retry_is_the_same_and_all_else_differs() {
    let id = |change: &str| read(change).expect("good").id.expect("an id");
    let first = id(r#"{"id":"1"}"#);
    assert_eq!(id(r#"{"id":"1","at":"2026-11-21T09:00:00Z"}"#), first, "stamped anew");
    for other in [
        r#"{"id":"1","member_id":"bob"}"#,
        r#"{"id":"1","object_id":"b"}"#,
        r#"{"id":"1","object_type":"c"}"#,
        r#"{"id":"1","kind":"share"}"#,
        r#"{"id":"1","delta":-1}"#,
    ] {
        let other = id(other);
        assert!(other.id == first.id && other.content != first.content);
    }
    assert_ne!(id(r#"{"id":"2"}"#).id, first.id);
}
