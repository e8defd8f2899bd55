//! One heartbeat may be wrong in many ways, and costs the others nothing.

use serde_json::{Value, json};

use super::{good, post, seconds_played, start, with};

/// A fault as the answer lists it: element, field, reason.
type Bad = (String, Option<&'static str>, &'static str);

/// Returns faulty elements; the clock stands at 2026-11-21T10:00:00Z.
fn bad_elements() -> Vec<Bad> {
    let quoted = |n: usize, c: &str| format!("\"{}\"", c.repeat(n));
    let fields: &[(&'static str, Option<String>, &'static str)] = &[
        ("video_id", None, "missing"),
        ("video_id", Some("null".into()), "missing"),
        ("video_id", Some("7".into()), "wrong_type"),
        ("video_id", Some("[\"v\"]".into()), "wrong_type"),
        ("video_id", Some("\"\"".into()), "empty"),
        ("video_id", Some(quoted(129, "x")), "too_long"),
        // The id has 43 characters of three bytes.
        ("video_id", Some(quoted(43, "観")), "too_long"),
        ("video_id", Some(r#""a\u0000b""#.into()), "control_character"),
        ("video_id", Some(r#""a\tb""#.into()), "control_character"),
        ("video_id", Some("\"a\u{7f}b\"".into()), "control_character"),
        ("video_id", Some(r#""\ud800""#.into()), "malformed"),
        ("video_id", Some(r#""\udc00\ud800""#.into()), "malformed"),
        ("viewer_id", None, "missing"),
        ("viewer_id", Some("true".into()), "wrong_type"),
        ("viewer_id", Some("\"\"".into()), "empty"),
        ("viewer_id", Some(quoted(257, "x")), "too_long"),
        ("viewer_id", Some(r#""\u0000""#.into()), "control_character"),
        ("viewer_id", Some(r#""\udfff""#.into()), "malformed"),
        ("region", Some("81".into()), "wrong_type"),
        ("region", Some("\"\"".into()), "empty"),
        ("region", Some("\"J\"".into()), "bad_format"),
        ("region", Some("\"J_P\"".into()), "bad_format"),
        ("region", Some("\"日本\"".into()), "bad_format"),
        ("region", Some(quoted(17, "A")), "too_long"),
        ("region", Some("\"GLOBAL\"".into()), "reserved"),
        ("region", Some("\"gloBal\"".into()), "reserved"),
        ("start_sec", None, "missing"),
        ("start_sec", Some("\"8\"".into()), "wrong_type"),
        ("start_sec", Some("8.5".into()), "wrong_type"),
        ("start_sec", Some("-1".into()), "out_of_range"),
        ("start_sec", Some("-1e999".into()), "out_of_range"),
        ("end_sec", None, "missing"),
        ("end_sec", Some("false".into()), "wrong_type"),
        ("end_sec", Some("86400".into()), "out_of_range"),
        ("end_sec", Some("1e999".into()), "out_of_range"),
        ("end_sec", Some("9".repeat(400)), "out_of_range"),
        ("end_sec", Some("7".into()), "end_before_start"),
        ("end_sec", Some("608".into()), "too_many_seconds"),
        ("duration_sec", Some("0".into()), "out_of_range"),
        ("duration_sec", Some("-5".into()), "out_of_range"),
        ("duration_sec", Some("1e999".into()), "out_of_range"),
        ("duration_sec", Some("\"540\"".into()), "wrong_type"),
        ("at", Some("1700000000".into()), "wrong_type"),
        ("at", Some("\"\"".into()), "bad_format"),
        ("at", Some("\"yesterday\"".into()), "bad_format"),
        ("at", Some("\"2026-11-21T10:00:00\"".into()), "bad_format"),
        ("at", Some("\"2026-13-01T00:00:00Z\"".into()), "bad_format"),
        ("at", Some("\"2026-11-19T09:59:59Z\"".into()), "too_old"),
        ("at", Some("\"0001-01-01T00:00:00Z\"".into()), "too_old"),
        ("at", Some("\"2026-11-21T10:05:01Z\"".into()), "in_future"),
        ("at", Some("\"9999-12-31T23:59:59Z\"".into()), "in_future"),
    ];
    let mut elements: Vec<Bad> = fields
        .iter()
        .map(|(field, value, reason)| (with(field, value.as_deref()), Some(*field), *reason))
        .collect();
    // The video's length bounds the end.
    elements.push((with("duration_sec", Some("46.9")), Some("end_sec"), "out_of_range"));
    let deep = 10_000;
    for whole in [
        "5",
        "null",
        "true",
        "\"text\"",
        "[]",
        "1e999",
        "-0",
        r#"["v","JP","w",1,2]"#,
        r#""\ud800""#,
        &format!("{}{}", "[".repeat(deep), "]".repeat(deep)),
        &format!("[{}]", good("inside")),
        r#"{"video_id":"a","video_id":"a","start_sec":1,"end_sec":2,"viewer_id":"w"}"#,
        r#"{"video_id":"a","start_sec":1,"start_sec":null,"end_sec":2,"viewer_id":"w"}"#,
    ] {
        elements.push((whole.to_owned(), None, "malformed"));
    }
    elements.push(("{}".to_owned(), Some("video_id"), "missing"));
    let nested_object = format!("{}1{}", r#"{"a":"#.repeat(deep), "}".repeat(deep));
    elements.push((nested_object, Some("video_id"), "missing"));
    // An envelope is a body, not an element.
    let envelope = format!(r#"{{"heartbeats":[{}]}}"#, good("inside"));
    elements.push((envelope, Some("video_id"), "missing"));
    elements
}

/// Returns lines that are no JSON, which only NDJSON can tell apart from their neighbours.
fn broken_lines() -> Vec<Bad> {
    [
        "{",
        "}",
        "nope",
        "[",
        r#"{"video_id":"#,
        r#"{"video_id":"v",}"#,
        "{}x",
        "{}{}",
        "\u{feff}{}",
        "{\"video_id\":\"a\u{1}b\"}",
        r#"{"video_id":"\u12"}"#,
        r#"{"video_id":"\x41"}"#,
        r#"{'video_id':'v'}"#,
        r#"{"start_sec":01}"#,
        r#"{"start_sec":NaN}"#,
        r#"{"start_sec":1e}"#,
        "\0",
        &"[".repeat(10_000),
        &r#"{"a":"#.repeat(10_000),
    ]
    .into_iter()
    .map(|line| (line.to_owned(), None, "malformed"))
    .collect()
}

fn entry(index: usize, (_, field, reason): &Bad) -> Value {
    json!({"index": index, "field": field, "reason": reason})
}

/// Sends every bad element between two good ones: all the good ones arrive, and the list names all the bad ones.
async fn check_mixed(content_type: &str, bad: &[Bad], join: impl Fn(&[String]) -> String) {
    let app = start().await;
    let mut elements = vec![good("mixed")];
    let mut expected = Vec::new();
    for element in bad {
        expected.push(entry(elements.len(), element));
        elements.push(element.0.clone());
        elements.push(good("mixed"));
    }
    let answer = post(&app, Some(content_type), join(&elements)).await;
    assert_eq!(answer.status, 202, "{}", answer.json);
    assert_eq!(answer.json["accepted"], bad.len() + 1);
    for (listed, expected) in answer.json["rejected"].as_array().expect("a list").iter().zip(&expected) {
        let index = expected["index"].as_u64().expect("a number") as usize;
        let shown: String = elements[index].chars().take(200).collect();
        assert_eq!(listed, expected, "{shown}");
    }
    assert_eq!(answer.json["rejected"], json!(expected));
    assert_eq!(app.fold().await as usize, bad.len() + 1);
    assert_eq!(seconds_played(&app, "mixed").await as usize, 40 * (bad.len() + 1));
    for video in ["refused", "inside", "a"] {
        assert_eq!(seconds_played(&app, video).await, 0, "{video}");
    }
}

#[tokio::test]
async fn a_bad_element_costs_no_other_in_an_array() {
    check_mixed("application/json", &bad_elements(), |elements| format!("[{}]", elements.join(","))).await;
}

#[tokio::test]
async fn a_bad_element_costs_no_other_in_an_envelope() {
    check_mixed("text/plain", &bad_elements(), |elements| {
        format!(r#"{{"heartbeats":[{}]}}"#, elements.join("\n,"))
    })
    .await;
}

#[tokio::test]
async fn a_bad_element_costs_no_other_in_ndjson() {
    let mut bad = bad_elements();
    bad.extend(broken_lines());
    check_mixed("application/x-ndjson", &bad, |elements| elements.join("\n")).await;
}

#[tokio::test]
async fn none_good_is_422_with_the_same_list() {
    let app = start().await;
    for element in &bad_elements() {
        let mut bodies = vec![
            ("application/json", format!("[{}]", element.0), 0),
            ("application/x-ndjson", element.0.clone(), 0),
            ("application/x-ndjson", format!("{}\n\n{}", element.0, element.0), 1),
        ];
        // Alone the element is a body of its own, which must be an object; an envelope would be opened.
        if element.0.starts_with('{') && !element.0.contains("heartbeats") {
            bodies.push(("application/json", element.0.clone(), 0));
        }
        for (content_type, body, last) in bodies {
            let answer = post(&app, Some(content_type), body).await;
            let shown: String = element.0.chars().take(200).collect();
            assert_eq!(answer.status, 422, "{shown}");
            assert_eq!(answer.json["accepted"], 0);
            let expected: Vec<Value> = (0..=last).map(|index| entry(index, element)).collect();
            assert_eq!(answer.json["rejected"], json!(expected), "{shown}");
        }
    }
    for (content_type, nothing) in [
        ("application/json", "[]"),
        ("application/json", " [ ] "),
        ("application/json", r#"{"heartbeats":[]}"#),
        ("application/x-ndjson", ""),
        ("application/x-ndjson", "\n \r\n\t\n"),
    ] {
        let answer = post(&app, Some(content_type), nothing).await;
        assert_eq!(answer.status, 422, "{nothing:?}");
        assert_eq!(answer.json["rejected"], json!([]), "{nothing:?}");
    }
    assert_eq!(app.fold().await, 0);
}

#[tokio::test]
async fn an_odd_unknown_field_harms_nobody() {
    let app = start().await;
    let deep = 10_000;
    let oddities = [
        format!("\"odd\":{}{}", "[".repeat(deep), "]".repeat(deep)),
        format!("\"odd\":{}1{}", r#"{"a":"#.repeat(deep), "}".repeat(deep)),
        r#""odd":1e999"#.to_owned(),
        r#""odd":-1E-999"#.to_owned(),
        format!("\"odd\":{}", "7".repeat(5_000)),
        r#""odd":"\ud800\u0000""#.to_owned(),
        r#""odd":1,"odd":2"#.to_owned(),
        r#""":{}"#.to_owned(),
        r#""\u0000":null"#.to_owned(),
        r#""batch_id":1,"batch_id":2"#.to_owned(),
        format!("\"{}\":1", "k".repeat(100_000)),
        r#""VIDEO_ID":7,"__proto__":{"video_id":8}"#.to_owned(),
    ];
    let mut count = 0;
    for odd in &oddities {
        let element = good("odd").replacen('{', &format!("{{{odd},"), 1);
        for (content_type, body) in [
            ("application/json", element.clone()),
            ("application/json", format!("[{element}]")),
            ("application/x-ndjson", element.clone()),
        ] {
            let answer = post(&app, Some(content_type), body).await;
            let shown: String = odd.chars().take(100).collect();
            assert_eq!(answer.status, 202, "{shown}: {}", answer.json);
            count += 1;
        }
    }
    assert_eq!(app.fold().await, count);
    assert_eq!(seconds_played(&app, "odd").await, 40 * count);
    // A name that is no text breaks the element that has it, and not the body.
    let element = good("odd").replacen('{', r#"{"\ud800":1,"#, 1);
    for body in [element.clone(), format!("[{element}]")] {
        let answer = post(&app, Some("application/json"), body).await;
        assert_eq!(answer.status, 422, "{}", answer.json);
        assert_eq!(answer.json["rejected"], json!([{"index": 0, "field": null, "reason": "malformed"}]));
    }
}
