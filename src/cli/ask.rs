//! `heatstrip ask`

use chrono::NaiveDate;

use super::show::{regions, video_id};
use crate::{
    audience::{
        answer::answer,
        formats::Format,
        question::{Condition, Kind, MAX_CONDITIONS, Range},
        store::read::{AudienceQuery, Scene},
    },
    config,
    postgres::Store,
};

/// The flags of `heatstrip ask`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The video
    #[arg(value_parser = video_id)]
    video: String,
    /// Seconds of which a viewer watched at least one, as 0-30; may be given several times
    #[arg(long, value_name = "RANGE", value_parser = range)]
    saw: Vec<Range>,
    /// Seconds of which a viewer watched none; may be given several times
    #[arg(long, value_name = "RANGE", value_parser = range)]
    missed: Vec<Range>,
    /// Seconds of which a viewer watched at least 90 %; may be given several times
    #[arg(long, value_name = "RANGE", value_parser = range)]
    saw_most: Vec<Range>,
    /// GLOBAL, a region, or several with commas: what was watched in any of them
    #[arg(long, default_value = "GLOBAL", value_parser = regions)]
    region: std::vec::Vec<String>,
    /// First UTC day
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// Last UTC day
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
    /// Write the answer in this shape instead of saying it
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// Runs `heatstrip ask`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let kinds: [(&[Range], Kind); 3] = [
        (&arguments.saw, Condition::Saw),
        (&arguments.missed, Condition::Missed),
        (&arguments.saw_most, Condition::SawMost),
    ];
    let conditions: Vec<Condition> =
        kinds.into_iter().flat_map(|(ranges, condition)| ranges.iter().copied().map(condition)).collect();
    anyhow::ensure!(
        conditions.len() <= MAX_CONDITIONS,
        "a question has at most {MAX_CONDITIONS} conditions, this one has {}",
        conditions.len()
    );
    let asked = AudienceQuery {
        video_id: arguments.video,
        scene: Scene { regions: arguments.region, from: arguments.from, to: arguments.to },
        conditions,
    };
    let store = Store::connect(&config::database_url()?, 1).await?;
    let (span, strata) = store.read_audience(&asked).await?;
    let told = answer(asked.video_id, span, &strata);
    match arguments.format {
        None => print!("{}", told.text(&asked.conditions)),
        Some(Format::Json) => println!("{}", serde_json::to_string(&told)?),
        Some(Format::Csv) => print!("{}", told.csv()),
    }
    Ok(())
}

fn range(text: &str) -> Result<Range, String> {
    Range::parse(text).ok_or_else(|| "a range of seconds is written 0-30, both ends included".to_owned())
}
