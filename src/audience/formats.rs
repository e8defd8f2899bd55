//! The shapes an answer is written in: JSON, a table, and text for the terminal. Pure.

use std::fmt::Write;

use utoipa::ToSchema;

use super::{
    answer::{Audience, Estimate, Overlap},
    question::{Condition, Range},
};

/// A shape of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Format {
    /// The whole answer
    Json,
    /// A table with a header row
    Csv,
}

impl Format {
    /// The media type of what it writes.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// The names of the formats.
#[derive(ToSchema)]
#[schema(as = AudienceFormatName, rename_all = "lowercase")]
pub enum FormatName {
    Json,
    Csv,
}

const NUMBERS: &str = "viewers,low,high,of,share,share_low,share_high";
/// Columns of the terminal's bar.
const BAR: usize = 40;

impl Audience {
    /// The answer as a table of one line. Numbers and words of closed lists alone: no cell of a spreadsheet takes one for a
    /// formula.
    pub fn csv(&self) -> String {
        let (numbers, scope) = (numbers(&self.estimate), self.scope.name());
        format!(
            "{NUMBERS},confidence,exact,sampled,scope\n{numbers},{},{},{},{scope}\n",
            self.confidence, self.exact, self.sampled
        )
    }

    /// The answer in words, with a bar of the share.
    pub fn text(&self, conditions: &[Condition]) -> String {
        let mut text = format!("{}  {}", self.video_id, days(self));
        if self.regions != ["GLOBAL"] {
            text += &format!("  {}", self.regions.join(" + "));
        }
        text.push('\n');
        let asked: Vec<String> = conditions.iter().map(|condition| words(*condition)).collect();
        let asked = if asked.is_empty() { "watched anything".to_owned() } else { asked.join(", ") };
        text += &format!("{asked}\n");
        let Estimate { viewers: Some(viewers), of: Some(of), share: Some(share), .. } = self.estimate else {
            let reason = self.estimate.refused.unwrap_or_default();
            return text + &format!("no answer: {reason} ({})\n", self.sampled);
        };
        let filled = (share * BAR as f64).round() as usize;
        let (low, high) = (self.estimate.low.unwrap_or(viewers), self.estimate.high.unwrap_or(viewers));
        let ends =
            [self.estimate.share_low, self.estimate.share_high].map(|end| end.unwrap_or(share) * 100.0);
        text += &format!("{}{}  ", "█".repeat(filled), "░".repeat(BAR.saturating_sub(filled)));
        text += &format!("{viewers} of {of} {} ({:.1} %)\n", self.scope.name(), share * 100.0);
        // Nothing can go wrong with writing to a string.
        let _ = match self.exact {
            true => writeln!(text, "exact: everybody was counted"),
            false => writeln!(
                text,
                "{low} to {high}, {:.1} to {:.1} %, with {:.0} % confidence, from {} sampled",
                ends[0],
                ends[1],
                self.confidence * 100.0,
                self.sampled
            ),
        };
        text
    }
}

impl Overlap {
    /// The answer as a table, a line for each number of videos.
    pub fn csv(&self) -> String {
        let mut text = format!("videos,{NUMBERS}\n");
        for watched in &self.watched {
            text += &format!("{},{}\n", watched.videos, numbers(&watched.estimate));
        }
        text
    }
}

/// The cells of an estimate, empty where it is refused.
fn numbers(estimate: &Estimate) -> String {
    let whole = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let part = |number: Option<f64>| number.map_or_else(String::new, |number| number.to_string());
    let wholes = [estimate.viewers, estimate.low, estimate.high, estimate.of].map(whole);
    let parts = [estimate.share, estimate.share_low, estimate.share_high].map(part);
    [wholes.as_slice(), &parts].concat().join(",")
}

fn days(audience: &Audience) -> String {
    match (audience.from, audience.to) {
        (Some(from), Some(to)) if from == to => from.to_string(),
        (Some(from), Some(to)) => format!("{from} to {to}"),
        _ => "no days yet".to_owned(),
    }
}

fn words(condition: Condition) -> String {
    let (verb, range) = match condition {
        Condition::Saw(range) => ("saw", range),
        Condition::Missed(range) => ("missed", range),
        Condition::SawMost(range) => ("saw most of", range),
    };
    let Range { start_sec, end_sec } = range;
    format!("{verb} {}-{}", clock(start_sec), clock(end_sec))
}

fn clock(second: i32) -> String {
    match second / 3_600 {
        0 => format!("{}:{:02}", second / 60, second % 60),
        hours => format!("{hours}:{:02}:{:02}", second / 60 % 60, second % 60),
    }
}

#[cfg(test)]
mod tests;
