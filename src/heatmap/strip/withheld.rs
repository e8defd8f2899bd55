//! A strip as it is shown to whoever may not see what few people did: where fewer watched than it takes, it says so instead
//! of how many. Pure.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::{Strip, formats::Format};
use crate::answers::envelope::Scope;

/// The answer, where what is withheld is null.
#[derive(Serialize)]
struct Withheld<'a, B> {
    video_id: &'a str,
    regions: &'a [String],
    resolution: u32,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    scope: Scope,
    viewers: Option<u64>,
    seconds_played: Option<u64>,
    peak: Option<u64>,
    relative_error: f64,
    exact: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_at: Option<DateTime<Utc>>,
    buckets: B,
}

/// A bucket, whose numbers are all there or all withheld.
#[derive(Serialize)]
struct Bucket {
    bucket: u32,
    viewers: Option<u64>,
    seconds_played: Option<u64>,
    replay: Option<f64>,
    retention: Option<f64>,
    reached: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    withheld: bool,
}

/// Buckets with an array a field.
#[derive(Serialize)]
struct Columns {
    bucket: Vec<u32>,
    viewers: Vec<Option<u64>>,
    seconds_played: Vec<Option<u64>>,
    replay: Vec<Option<f64>>,
    retention: Vec<Option<f64>>,
    reached: Vec<Option<u64>>,
}

/// Writes a strip in a shape, without what fewer than `least` viewers did.
pub fn render(strip: &Strip, format: Format, least: u64) -> Vec<u8> {
    let buckets = buckets(strip, least);
    match format {
        Format::Json => bytes(&envelope(strip, least, buckets)),
        Format::Columns => bytes(&envelope(strip, least, columns(&buckets))),
        Format::Csv => csv(&buckets).into_bytes(),
        // These shapes have no word for it: there it is as if nobody had watched.
        Format::YtDlp | Format::PeerTube | Format::Svg => format.render(&blanked(strip, least)),
    }
}

fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("strips are plain values with string keys")
}

fn buckets(strip: &Strip, least: u64) -> Vec<Bucket> {
    let buckets = strip.buckets.iter().map(|bucket| {
        let is_shown = strip.viewers >= least && bucket.viewers >= least;
        Bucket {
            bucket: bucket.bucket,
            viewers: is_shown.then_some(bucket.viewers),
            seconds_played: is_shown.then_some(bucket.seconds_played),
            replay: is_shown.then_some(bucket.replay),
            retention: is_shown.then_some(bucket.retention),
            reached: is_shown.then_some(bucket.reached),
            withheld: !is_shown,
        }
    });
    buckets.collect()
}

fn envelope<B>(strip: &Strip, least: u64, buckets: B) -> Withheld<'_, B> {
    // An empty strip is no secret: nobody watched, which is what an unknown video says too.
    let is_shown = strip.viewers >= least || strip.buckets.is_empty();
    Withheld {
        video_id: &strip.video_id,
        regions: &strip.regions,
        resolution: strip.resolution,
        from: strip.from,
        to: strip.to,
        scope: strip.scope,
        viewers: is_shown.then_some(strip.viewers),
        seconds_played: is_shown.then_some(strip.seconds_played),
        peak: (is_shown && (strip.peak >= least || strip.buckets.is_empty())).then_some(strip.peak),
        relative_error: strip.relative_error,
        exact: strip.exact,
        generated_at: strip.generated_at,
        buckets,
    }
}

fn columns(buckets: &[Bucket]) -> Columns {
    Columns {
        bucket: buckets.iter().map(|b| b.bucket).collect(),
        viewers: buckets.iter().map(|b| b.viewers).collect(),
        seconds_played: buckets.iter().map(|b| b.seconds_played).collect(),
        replay: buckets.iter().map(|b| b.replay).collect(),
        retention: buckets.iter().map(|b| b.retention).collect(),
        reached: buckets.iter().map(|b| b.reached).collect(),
    }
}

fn csv(buckets: &[Bucket]) -> String {
    let cell = |number: Option<u64>| number.map_or(String::new(), |number| number.to_string());
    let share = |number: Option<f64>| number.map_or(String::new(), |number| number.to_string());
    let mut text = "bucket,viewers,seconds_played,replay,retention,reached\n".to_owned();
    for b in buckets {
        let cells = [
            b.bucket.to_string(),
            cell(b.viewers),
            cell(b.seconds_played),
            share(b.replay),
            share(b.retention),
            cell(b.reached),
        ];
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

/// Returns the strip with zeros for what is withheld.
fn blanked(strip: &Strip, least: u64) -> Strip {
    let mut strip = strip.clone();
    let all = strip.viewers < least;
    for bucket in &mut strip.buckets {
        if all || bucket.viewers < least {
            (bucket.viewers, bucket.seconds_played, bucket.reached) = (0, 0, 0);
            (bucket.replay, bucket.retention) = (0.0, 0.0);
        }
    }
    if all {
        (strip.viewers, strip.seconds_played, strip.peak) = (0, 0, 0);
    } else if strip.peak < least {
        strip.peak = 0;
    }
    strip
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::heatmap::strip::{BucketRow, StripRange, strip};

    /// A strip of buckets with so many viewers, of whom as many as the largest are there in all.
    fn of(viewers: &[u64]) -> Strip {
        let most = viewers.iter().copied().max().unwrap_or(0);
        let rows: Vec<BucketRow> = viewers
            .iter()
            .enumerate()
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
            from: None,
            to: None,
            epochs: Vec::new(),
        };
        strip(range, &rows)
    }

    fn json_of(strip: &Strip, format: Format, least: u64) -> Value {
        serde_json::from_slice(&render(strip, format, least)).expect("JSON")
    }

    #[test]
    fn few_viewers_are_withheld_where_they_are_few() {
        let answer = json_of(&of(&[5, 4, 7]), Format::Json, 5);
        assert_eq!(answer["viewers"], 7);
        assert_eq!(answer["buckets"][0]["viewers"], 5);
        let withheld = json!({"bucket": 5, "viewers": null, "seconds_played": null, "replay": null,
            "retention": null, "reached": null, "withheld": true});
        assert_eq!(answer["buckets"][1], withheld);
        let answer = json_of(&of(&[5, 4, 7]), Format::Columns, 5);
        assert_eq!(answer["buckets"]["viewers"], json!([5, null, 7]));
        let csv = String::from_utf8(render(&of(&[5, 4, 7]), Format::Csv, 5)).expect("text");
        assert_eq!(csv.lines().nth(2), Some("5,,,,,"));
    }

    #[test]
    fn a_strip_of_few_says_nothing_in_any_shape() {
        let (few, more) = (of(&[4, 1]), of(&[3, 2]));
        let answer = json_of(&few, Format::Json, 5);
        for field in ["viewers", "seconds_played", "peak"] {
            assert_eq!(answer[field], Value::Null, "{field}");
        }
        for format in
            [Format::Json, Format::Columns, Format::Csv, Format::YtDlp, Format::PeerTube, Format::Svg]
        {
            let written = render(&few, format, 5);
            assert_eq!(written, render(&more, format, 5), "{format:?} tells them apart");
        }
    }

    #[test]
    fn a_video_that_nobody_watched_is_no_secret() {
        let answer = json_of(&of(&[]), Format::Json, 5);
        assert_eq!((&answer["viewers"], &answer["buckets"]), (&json!(0), &json!([])));
    }
}
