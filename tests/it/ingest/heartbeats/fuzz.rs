//! Whatever is sent gets an answer that says what it is, and never a fault of ours.

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{CANARY, good, post, start};

const NAMES: &[&str] = &[
    "video_id",
    "region",
    "start_sec",
    "end_sec",
    "viewer_id",
    "at",
    "duration_sec",
    "heartbeats",
    "batch_id",
    "other",
];

/// Posts `cases` inputs to one API and checks each answer.
fn run<T: Strategy<Value = (usize, Vec<u8>)>>(cases: u32, inputs: T) {
    let runtime = Runtime::new().expect("a runtime");
    let app = runtime.block_on(start());
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    runner
        .run(&inputs, |(content_type, body)| {
            let content_type =
                [None, Some("application/json"), Some("application/x-ndjson")][content_type % 3];
            let answer = runtime.block_on(post(&app, content_type, body.clone()));
            if ![202, 400, 413, 422].contains(&answer.status) {
                return Err(TestCaseError::fail(format!("{}", answer.json)));
            }
            if answer.status == 202 || answer.status == 422 {
                let accepted = answer.json["accepted"].as_u64().expect("a number");
                let rejected = answer.json["rejected"].as_array().expect("a list");
                prop_assert_eq!(accepted > 0, answer.status == 202);
                let indexes: Vec<u64> = rejected.iter().filter_map(|entry| entry["index"].as_u64()).collect();
                prop_assert!(indexes.is_sorted_by(|one, next| one < next));
                prop_assert!(indexes.last().is_none_or(|&last| last < accepted + rejected.len() as u64));
                if let (false, Ok(Value::Array(elements))) =
                    (content_type == Some("application/x-ndjson"), serde_json::from_slice(&body))
                {
                    prop_assert_eq!(accepted as usize + rejected.len(), elements.len());
                }
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    runtime.block_on(async {
        app.fold().await;
        assert_eq!(app.get("/readyz").await.status(), 200);
    });
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..700_i64).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-zA-Z0-9-]{0,20}".prop_map(Value::from),
        Just(Value::from("2026-11-21T09:00:00Z")),
        Just(Value::from("0192f0c1-2345-7abc-8def-0123456789ab")),
    ];
    leaf.prop_recursive(4, 40, 8, |inner| {
        let name = prop_oneof![
            4 => proptest::sample::select(NAMES).prop_map(str::to_owned),
            1 => any::<String>(),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..9)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

#[test]
fn arbitrary_bytes() {
    let start = prop_oneof![Just(""), Just("["), Just("{"), Just("[{\""), Just("{\"heartbeats\":[")];
    let body = (start, prop::collection::vec(any::<u8>(), 0..200))
        .prop_map(|(start, bytes)| [start.as_bytes(), &bytes].concat());
    run(300, (any::<usize>(), body));
}

#[test]
fn arbitrary_json() {
    run(300, (any::<usize>(), json_value().prop_map(|value| value.to_string().into_bytes())));
}

/// Fields of the right names have values of any kind, among good heartbeats.
#[test]
fn arbitrary_fields() {
    let element =
        prop::collection::hash_map(proptest::sample::select(NAMES), json_value(), 0..6).prop_map(|fields| {
            let mut element: Value = serde_json::from_str(&good("fuzzed")).expect("a good one");
            for (name, value) in fields {
                element[name] = value;
            }
            element.to_string()
        });
    let body = (prop::collection::vec(element, 1..6), any::<bool>()).prop_map(|(elements, lines)| {
        match lines {
            true => elements.join("\n"),
            false => format!("[{}]", elements.join(",")),
        }
        .into_bytes()
    });
    run(300, (any::<usize>(), body));
}

/// Good bodies have some bytes changed, cut out or doubled.
#[test]
fn mutated_good_bodies() {
    let one = good("mutated");
    let bodies = vec![
        one.clone(),
        format!("[{one},{one}]"),
        format!("{one}\n{one}\n"),
        format!(r#"{{"batch_id":"0192f0c1-2345-7abc-8def-0123456789ab","heartbeats":[{one}]}}"#),
        r#"{"video_id":"v","at":"2026-11-21T09:00:00Z","duration_sec":540,"region":null,"start_sec":8e0,"end_sec":47,"viewer_id":"\u0063"}"#
            .replace("\\u0063", CANARY),
    ];
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..4_u8);
    let body = (proptest::sample::select(bodies), prop::collection::vec(change, 1..5)).prop_map(
        |(body, changes)| {
            let mut body = body.into_bytes();
            for (place, byte, kind) in changes {
                if body.is_empty() {
                    break;
                }
                let place = place.index(body.len());
                match kind {
                    0 => body[place] = byte,
                    1 => drop(body.remove(place)),
                    2 => body.insert(place, body[place]),
                    _ => body[place] = b"{}[]\",:\\0-\ne"[usize::from(byte) % 12],
                }
            }
            body
        },
    );
    run(400, (any::<usize>(), body));
}
