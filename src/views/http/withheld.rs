//! What a key with a minimum audience is shown of views: nothing where fewer viewers were than it takes.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::answers::cache::Answer;

/// Sends an answer without the numbers of videos, or of the range, that fewer than `least` viewed.
pub fn withheld(answer: &Answer, least: u64) -> Response {
    let mut body: Value = serde_json::from_slice(&answer.body).expect("it was written here");
    match body.get_mut("videos").and_then(Value::as_array_mut) {
        Some(videos) => videos.iter_mut().for_each(|video| blank(video, least)),
        None => blank(&mut body, least),
    }
    let max_age = answer.remaining_life().as_secs();
    let headers = [
        (header::CONTENT_TYPE, answer.content_type.to_owned()),
        (header::CACHE_CONTROL, format!("private, max-age={max_age}")),
    ];
    (headers, body.to_string()).into_response()
}

/// Blanks the numbers of a video or a range, if too few are behind them. Nobody at all is no secret.
fn blank(entry: &mut Value, least: u64) {
    let viewers = entry["viewers"].get("lifetime").unwrap_or(&entry["viewers"]).as_u64().unwrap_or(0);
    let views = entry["views"].as_u64().unwrap_or(0);
    if viewers >= least || (viewers == 0 && views == 0) {
        return;
    }
    entry["views"] = Value::Null;
    entry["viewers"] = Value::Null;
    entry["withheld"] = true.into();
    if let Some(fields) = entry.as_object_mut() {
        fields.remove("pieces");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn few_are_withheld_and_nobody_is_not() {
        let withheld = |mut entry: Value| {
            blank(&mut entry, 5);
            entry
        };
        for few in
            [json!({"views": 9, "viewers": {"lifetime": 4, "recent": 4}}), json!({"views": 9, "viewers": 4})]
        {
            assert_eq!(withheld(few), json!({"views": null, "viewers": null, "withheld": true}));
        }
        for shown in [
            json!({"views": 9, "viewers": {"lifetime": 5, "recent": 0}}),
            json!({"views": 0, "viewers": 0}),
            json!({"views": 5, "viewers": 5, "pieces": {}}),
        ] {
            assert_eq!(withheld(shown.clone()), shown);
        }
        // Views that were brought along have no viewers behind them that anybody knows.
        assert_eq!(withheld(json!({"views": 9, "viewers": 0}))["withheld"], true);
    }
}
