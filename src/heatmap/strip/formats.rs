//! The shapes a strip is written in: ours, and those that other tools read already. Pure.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::{Bucket, Strip, picture};
use crate::answers::envelope::{Scope, ratio};

/// A shape of a strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, clap::ValueEnum)]
pub enum Format {
    /// The whole answer, an object a bucket
    #[default]
    Json,
    /// A table with a header row, for spreadsheets and notebooks
    Csv,
    /// The whole answer with an array a field instead of an object a bucket: the small one, for charts
    Columns,
    /// The `heatmap` list of yt-dlp
    #[value(name = "ytdlp")]
    YtDlp,
    /// The answer of PeerTube's retention statistics, always by the second
    #[value(name = "peertube")]
    PeerTube,
    /// A picture
    Svg,
}

/// The formats that the query parameter knows, by name; the picture has an address of its own.
pub const NAMED: [(&str, Format); 5] = [
    ("json", Format::Json),
    ("csv", Format::Csv),
    ("columns", Format::Columns),
    ("ytdlp", Format::YtDlp),
    ("peertube", Format::PeerTube),
];

impl Format {
    /// The format of this name, if there is one.
    pub fn parse(name: &str) -> Option<Format> {
        NAMED.into_iter().find(|(known, _)| *known == name).map(|(_, format)| format)
    }

    /// The media type of what it writes.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Json | Format::Columns | Format::YtDlp | Format::PeerTube => "application/json",
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Svg => "image/svg+xml",
        }
    }

    /// The resolution a strip must have to be written so; none where any will do.
    pub fn resolution(self) -> Option<u32> {
        (self == Format::PeerTube).then_some(1)
    }

    /// The strip, written in this shape.
    pub fn render(self, strip: &Strip) -> Vec<u8> {
        match self {
            Format::Json => bytes(strip),
            Format::Columns => bytes(&columns(strip)),
            Format::YtDlp => bytes(&ytdlp(strip)),
            Format::PeerTube => bytes(&peertube(strip)),
            Format::Csv => csv(strip).into_bytes(),
            Format::Svg => picture::svg(strip).into_bytes(),
        }
    }
}

fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("strips are plain values with string keys")
}

/// Numbers alone: no cell of a spreadsheet takes one for a formula.
fn csv(strip: &Strip) -> String {
    let mut text = "bucket,viewers,seconds_played,replay,retention,reached\n".to_owned();
    for b in &strip.buckets {
        let line = format!(
            "{},{},{},{},{},{}\n",
            b.bucket, b.viewers, b.seconds_played, b.replay, b.retention, b.reached
        );
        text.push_str(&line);
    }
    text
}

/// A strip with an array a field.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Columns {
    video_id: String,
    regions: Vec<String>,
    resolution: u32,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    scope: Scope,
    #[schema(value_type = Option<u64>)]
    viewers: u64,
    #[schema(value_type = Option<u64>)]
    seconds_played: u64,
    #[schema(value_type = Option<u64>)]
    peak: u64,
    relative_error: f64,
    exact: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_at: Option<DateTime<Utc>>,
    buckets: BucketColumns,
}

/// The fields of its buckets, all of one length.
#[derive(Serialize, utoipa::ToSchema)]
pub struct BucketColumns {
    bucket: Vec<u32>,
    #[schema(value_type = Vec<Option<u64>>)]
    viewers: Vec<u64>,
    #[schema(value_type = Vec<Option<u64>>)]
    seconds_played: Vec<u64>,
    #[schema(value_type = Vec<Option<f64>>)]
    replay: Vec<f64>,
    #[schema(value_type = Vec<Option<f64>>)]
    retention: Vec<f64>,
    #[schema(value_type = Vec<Option<u64>>)]
    reached: Vec<u64>,
}

fn columns(strip: &Strip) -> Columns {
    let buckets = &strip.buckets;
    Columns {
        video_id: strip.video_id.clone(),
        regions: strip.regions.clone(),
        resolution: strip.resolution,
        from: strip.from,
        to: strip.to,
        scope: strip.scope,
        viewers: strip.viewers,
        seconds_played: strip.seconds_played,
        peak: strip.peak,
        relative_error: strip.relative_error,
        exact: strip.exact,
        generated_at: strip.generated_at,
        buckets: BucketColumns {
            bucket: buckets.iter().map(|b| b.bucket).collect(),
            viewers: buckets.iter().map(|b| b.viewers).collect(),
            seconds_played: buckets.iter().map(|b| b.seconds_played).collect(),
            replay: buckets.iter().map(|b| b.replay).collect(),
            retention: buckets.iter().map(|b| b.retention).collect(),
            reached: buckets.iter().map(|b| b.reached).collect(),
        },
    }
}

/// A marker of yt-dlp's `heatmap`.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Marker {
    start_time: u32,
    end_time: u32,
    /// 0 to 1, 1 at the peak.
    #[schema(minimum = 0, maximum = 1)]
    value: f64,
}

fn ytdlp(strip: &Strip) -> Vec<Marker> {
    let marker = |b: &Bucket| Marker {
        start_time: b.bucket,
        end_time: b.bucket + strip.resolution,
        value: b.retention,
    };
    strip.buckets.iter().map(marker).collect()
}

/// PeerTube's retention.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Retention {
    data: Vec<Second>,
}

/// A second of it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Second {
    second: u32,
    /// The share of everybody who watched any of the video.
    #[schema(minimum = 0, maximum = 100)]
    #[serde(rename = "retentionPercent")]
    retention_percent: f64,
}

fn peertube(strip: &Strip) -> Retention {
    let second = |b: &Bucket| Second {
        second: b.bucket,
        // Four decimals of a ratio are two of a percentage.
        retention_percent: (ratio(b.viewers, strip.viewers) * 10_000.0).round() / 100.0,
    };
    Retention { data: strip.buckets.iter().map(second).collect() }
}

#[cfg(test)]
mod tests;
