use serde_json::{Value, json};

use super::*;
use crate::heatmap::strip::{BucketRow, StripRange, strip};

const FORMATS: [Format; 6] =
    [Format::Json, Format::Columns, Format::Csv, Format::YtDlp, Format::PeerTube, Format::Svg];

/// A strip of buckets with so many viewers, of whom as many as the largest are there in all.
fn of(viewers: &[u64]) -> Strip {
    let most = viewers.iter().copied().max().unwrap_or(0);
    let rows: Vec<BucketRow> = viewers
        .iter()
        .enumerate()
        .filter(|(_, viewers)| **viewers > 0)
        .map(|(number, &viewers)| BucketRow {
            epoch: 0,
            bucket: number as u32,
            viewers,
            reached: most,
            seconds_played: 5 * viewers,
            last_sec: number as u32 * 5 + 4,
            exact: true,
        })
        .collect();
    let range = StripRange {
        video_id: "v".into(),
        regions: vec!["GLOBAL".into()],
        resolution: 5,
        from: NaiveDate::from_ymd_opt(2026, 11, 20),
        to: NaiveDate::from_ymd_opt(2026, 11, 21),
        epochs: Vec::new(),
    };
    strip(range, &rows)
}

fn shown(strip: &Strip, format: Format) -> String {
    String::from_utf8(render(strip, Known::default(), format, 5)).expect("text")
}

fn json_of(strip: &Strip, format: Format) -> Value {
    serde_json::from_str(&shown(strip, format)).expect("JSON")
}

#[test]
fn few_viewers_are_withheld_where_they_are_few() {
    let answer = json_of(&of(&[5, 4, 10]), Format::Json);
    assert_eq!(answer["viewers"], 10);
    assert_eq!(answer["buckets"][0]["viewers"], 5);
    let withheld = json!({"bucket": 5, "viewers": null, "seconds_played": null, "replay": null,
        "retention": null, "reached": null, "withheld": true});
    assert_eq!(answer["buckets"][1], withheld);
    let answer = json_of(&of(&[5, 4, 10]), Format::Columns);
    assert_eq!(answer["buckets"]["viewers"], json!([5, null, 10]));
    assert_eq!(shown(&of(&[5, 4, 10]), Format::Csv).lines().nth(2), Some("5,,,,,"));
}

#[test]
fn numbers_come_in_steps_and_agree_with_each_other() {
    let mut strip = of(&[19, 12]);
    strip.buckets[0].seconds_played = 19 * 5 * 3 + 20;
    let answer = json_of(&strip, Format::Json);
    assert_eq!((&answer["viewers"], &answer["peak"]), (&json!(15), &json!(15)));
    let first = &answer["buckets"][0];
    assert_eq!(
        (&first["viewers"], &first["replay"], &first["retention"]),
        (&json!(15), &json!(3.0), &json!(1.0))
    );
    assert_eq!(first["seconds_played"], 15 * 5 * 3);
    let second = &answer["buckets"][1];
    assert_eq!(
        (&second["viewers"], &second["retention"], &second["reached"]),
        (&json!(10), &json!(0.6667), &json!(15))
    );
    assert_eq!(answer["seconds_played"], 15 * 5 * 3 + 10 * 5);
}

#[test]
fn a_single_viewer_more_changes_nothing() {
    let (without, with) = (of(&[6, 5, 8]), of(&[7, 6, 8, 0, 1]));
    for format in FORMATS {
        assert_eq!(shown(&without, format), shown(&with, format), "{format:?} tells them apart");
    }
}

#[test]
fn a_strip_of_few_is_as_one_that_nobody_watched() {
    for format in FORMATS {
        let nobody = shown(&Strip { from: None, to: None, ..of(&[]) }, format);
        for few in [of(&[4, 1]), of(&[3, 2, 0, 0, 1])] {
            assert_eq!(shown(&few, format), nobody, "{format:?} tells them apart");
        }
    }
    let answer = json_of(&of(&[4, 1]), Format::Json);
    for field in ["viewers", "seconds_played", "peak", "from", "to"] {
        assert_eq!(answer[field], Value::Null, "{field}");
    }
    assert_eq!(answer["buckets"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer["buckets"][0]["withheld"], true);
}

#[test]
fn the_days_are_those_that_were_asked_for() {
    let day = NaiveDate::from_ymd_opt(2026, 11, 1);
    let known = Known { from: day, ..Known::default() };
    let answer: Value = serde_json::from_slice(&render(&of(&[9]), known, Format::Json, 5)).expect("JSON");
    assert_eq!((&answer["from"], &answer["to"]), (&json!("2026-11-01"), &Value::Null));
}

#[test]
fn the_last_bucket_has_the_seconds_of_the_video_where_they_are_known() {
    let played = |length_sec: Option<u32>| {
        let known = Known { length_sec, ..Known::default() };
        let answer: Value =
            serde_json::from_slice(&render(&of(&[5, 5]), known, Format::Json, 5)).expect("JSON");
        answer["buckets"][1].clone()
    };
    // Five viewers played 5 s each of what the catalogue says are 2 s.
    assert_eq!((&played(Some(7))["replay"], &played(Some(7))["seconds_played"]), (&json!(2.5), &json!(25)));
    assert_eq!((&played(None)["replay"], &played(Some(10))["replay"]), (&json!(1.0), &json!(1.0)));
}
