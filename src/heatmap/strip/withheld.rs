//! A strip as it is shown to whoever may not see what few people did. Pure.
//!
//! Where fewer watched than the key takes, the strip says that it withholds the numbers. All other numbers come in steps of
//! as many viewers, so that the difference of two answers (all regions and all but one, a week and six days of it, two
//! resolutions) is a step too and never a single person. What would tell of few people by its mere form is left out as well:
//! a strip ends with its last shown bucket, names no days that were not asked for, and is the same whether few watched or
//! nobody did.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::{Strip, formats::Format};
use crate::{
    answers::envelope::{Scope, ratio, steps},
    sketch,
};

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

/// What a strip may tell beside its numbers: what the question named, and what the catalogue knows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known {
    /// The first day that was asked for.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: Option<NaiveDate>,
    /// The whole seconds of the video.
    pub length_sec: Option<u32>,
}

/// Writes a strip in a shape, as a key with a minimum audience of `least` is shown it.
pub fn render(strip: &Strip, known: Known, format: Format, least: u64) -> Vec<u8> {
    let strip = stepped(strip, known, least);
    match format {
        Format::Json => bytes(&envelope(&strip, buckets(&strip))),
        Format::Columns => bytes(&envelope(&strip, columns(&buckets(&strip)))),
        Format::Csv => csv(&buckets(&strip)).into_bytes(),
        // These shapes have no word for it: there it is as if nobody had watched.
        Format::YtDlp | Format::PeerTube | Format::Svg => format.render(&strip),
    }
}

/// Returns the strip with its numbers in steps of `least` viewers, and with zeros for what is withheld.
fn stepped(strip: &Strip, known: Known, least: u64) -> Strip {
    let last_shown = strip.buckets.iter().rposition(|bucket| bucket.viewers >= least);
    let shown = &strip.buckets[..last_shown.map_or(0, |last| last + 1)];
    // The last watched second may hang on a single viewer, the length of the video does not.
    let seconds = |bucket: &super::Bucket| match known.length_sec {
        Some(length) if bucket.bucket < length => strip.resolution.min(length - bucket.bucket),
        _ => strip.resolution,
    };
    let mut buckets: Vec<super::Bucket> = shown.iter().map(|b| in_steps(b, seconds(b), least)).collect();
    let peak = buckets.iter().map(|bucket| bucket.viewers).max().unwrap_or(0);
    for bucket in &mut buckets {
        bucket.retention = ratio(bucket.viewers, peak);
    }
    let seconds_played = buckets.iter().map(|bucket| bucket.seconds_played).sum();
    if buckets.is_empty() {
        buckets.push(super::Bucket::default());
    }
    Strip {
        from: known.from,
        to: known.to,
        viewers: steps(strip.viewers, least),
        seconds_played,
        peak,
        buckets,
        // In how many epochs people watched, and whether they could still be counted, may hang on a single one too.
        scope: Scope::ViewerEpochs,
        exact: false,
        relative_error: sketch::RELATIVE_STANDARD_ERROR,
        ..strip.clone()
    }
}

/// Returns a bucket of so many seconds in steps of `least` viewers. What was played is in steps of a half of what they would
/// play if each of them watched once.
fn in_steps(bucket: &super::Bucket, seconds: u32, least: u64) -> super::Bucket {
    let viewers = steps(bucket.viewers, least);
    if viewers == 0 {
        return super::Bucket { bucket: bucket.bucket, ..super::Bucket::default() };
    }
    let halves = (2.0 * ratio(bucket.seconds_played, u64::from(seconds) * bucket.viewers)).round();
    super::Bucket {
        viewers,
        replay: halves / 2.0,
        seconds_played: viewers * u64::from(seconds) * halves as u64 / 2,
        reached: steps(bucket.reached, least).max(viewers),
        ..bucket.clone()
    }
}

fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("strips are plain values with string keys")
}

fn buckets(strip: &Strip) -> Vec<Bucket> {
    let buckets = strip.buckets.iter().map(|bucket| {
        let is_shown = bucket.viewers > 0;
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

fn envelope<B>(strip: &Strip, buckets: B) -> Withheld<'_, B> {
    let told = |number: u64| (number > 0).then_some(number);
    Withheld {
        video_id: &strip.video_id,
        regions: &strip.regions,
        resolution: strip.resolution,
        from: strip.from,
        to: strip.to,
        scope: strip.scope,
        viewers: told(strip.viewers),
        seconds_played: told(strip.seconds_played),
        peak: told(strip.peak),
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

#[cfg(test)]
mod tests;
