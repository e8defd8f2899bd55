//! What a key with a minimum audience is shown of views: nothing where fewer viewers were than it takes, and elsewhere
//! numbers in steps of as many, so that the difference of two answers is never a single person.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use chrono::NaiveDate;
use serde_json::{Map, Value};

use crate::{
    answers::{
        cache::Answer,
        envelope::{Scope, steps},
    },
    sketch,
};

/// Sends an answer without the numbers of videos, or of the range of days that was asked for, that fewer than `least` viewed.
pub fn withheld(answer: &Answer, (from, to): (Option<NaiveDate>, Option<NaiveDate>), least: u64) -> Response {
    let mut body: Map<String, Value> = serde_json::from_slice(&answer.body).expect("it was written here");
    if let Some(videos) = body.get_mut("videos").and_then(Value::as_array_mut) {
        videos.iter_mut().filter_map(Value::as_object_mut).for_each(|video| step(video, least));
    } else {
        // Which days hold views, and of how many rows the answer was made, tells of the few who viewed on them.
        if body.remove("pieces").is_some() {
            body.insert("from".into(), serde_json::json!(from));
            body.insert("to".into(), serde_json::json!(to));
        }
        step(&mut body, least);
    }
    // For how long the answer is kept would say whether nobody viewed or few did.
    let headers = [(header::CONTENT_TYPE, answer.content_type), (header::CACHE_CONTROL, "private, no-cache")];
    (headers, Value::Object(body).to_string()).into_response()
}

/// Writes the numbers of a video, or of a range, in steps, and none of them where too few or nobody are behind them.
fn step(entry: &mut Map<String, Value>, least: u64) {
    let stepped = |number: &Value| match steps(number.as_u64().unwrap_or(0), least) {
        0 => Value::Null,
        number => number.into(),
    };
    if let Value::Object(viewers) = &mut entry["viewers"] {
        viewers["recent"] = stepped(&viewers["recent"]);
        viewers["lifetime"] = stepped(&viewers["lifetime"]);
        blur(viewers);
        if viewers["lifetime"].is_null() {
            entry["viewers"] = Value::Null;
        }
    } else {
        entry["viewers"] = stepped(&entry["viewers"]);
        blur(entry);
    }
    if entry["viewers"].is_null() {
        entry["views"] = Value::Null;
        entry.insert("withheld".into(), true.into());
    } else {
        entry["views"] = stepped(&entry["views"]);
    }
}

/// Takes away what may hang on a single viewer: in how many epochs people viewed, and whether they could still be counted.
fn blur(viewers: &mut Map<String, Value>) {
    for (field, blurred) in [
        ("scope", Scope::ViewerEpochs.name().into()),
        ("recent_scope", Scope::ViewerEpochs.name().into()),
        ("exact", false.into()),
        ("relative_error", sketch::RELATIVE_STANDARD_ERROR.into()),
    ] {
        if let Some(value) = viewers.get_mut(field) {
            *value = blurred;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stepped(mut entry: Value) -> Value {
        step(entry.as_object_mut().expect("an object"), 5);
        entry
    }

    #[test]
    fn few_are_withheld_and_so_is_nobody() {
        for few in [
            json!({"views": 9, "viewers": {"lifetime": 4, "recent": 4}}),
            json!({"views": 0, "viewers": {"lifetime": 0, "recent": 0}}),
            json!({"views": 9, "viewers": 4}),
            // Views that were brought along have no viewers behind them that anybody knows.
            json!({"views": 9, "viewers": 0}),
        ] {
            assert_eq!(stepped(few), json!({"views": null, "viewers": null, "withheld": true}));
        }
        let range = |viewers: u64, scope: &str, exact: bool| {
            stepped(
                json!({"views": 1, "viewers": viewers, "scope": scope, "exact": exact, "relative_error": 0.0}),
            )
        };
        assert_eq!(range(4, "viewer-months", false), range(0, "viewers", true));
    }

    #[test]
    fn numbers_come_in_steps() {
        assert_eq!(
            stepped(json!({"views": 19, "viewers": {"lifetime": 14, "recent": 4}})),
            json!({"views": 15, "viewers": {"lifetime": 10, "recent": null}})
        );
        assert_eq!(stepped(json!({"views": 5, "viewers": 9})), json!({"views": 5, "viewers": 5}));
    }
}
