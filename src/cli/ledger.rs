//! `heatstrip ledger`

use chrono::{Days, NaiveDate};
use indicatif::HumanCount;

use super::show::video_id;
use crate::{
    clock::Clock,
    config,
    postgres::Store,
    serve::ledger::{LedgerDay, RefusedElements, read},
};

/// Days that are shown unless asked otherwise, the last included.
const RECENT_DAYS: u64 = 28;

/// The flags of `heatstrip ledger`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The video
    #[arg(value_parser = video_id)]
    video: String,
    /// First UTC day; left out: 27 days before the last
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// Last UTC day; left out: today
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
}

/// Runs `heatstrip ledger`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let store = Store::connect(&config::database_url()?, 1).await?;
    let clock = Clock::system();
    let to = arguments.to.unwrap_or_else(|| clock.today());
    let from = arguments.from.unwrap_or(to - Days::new(RECENT_DAYS - 1));
    let ledger = read(&store, &clock, &arguments.video, from, to).await?;
    for day in &ledger.days {
        println!("{}  {}", day.day, said(day));
    }
    if ledger.days.is_empty() {
        println!("nothing came of this video from {from} to {to}");
    }
    let unknown = &ledger.unknown_videos;
    for (noun, refused) in [("heartbeats", &unknown.heartbeats), ("views", &unknown.views)] {
        if !refused.is_empty() {
            println!("refused {noun} of videos that were never counted, all together: {}", reasons(refused));
        }
    }
    Ok(())
}

/// Says in one line what became of a day's heartbeats and views.
fn said(day: &LedgerDay) -> String {
    let LedgerDay { heartbeats, views, .. } = day;
    let mut parts = vec![format!("{} heartbeats accepted", HumanCount(heartbeats.accepted))];
    let mut add = |number: u64, of: &str| {
        if number > 0 {
            parts.push(format!("{} {of}", HumanCount(number)));
        }
    };
    add(heartbeats.other_region, "of them under the default region");
    add(heartbeats.set_aside, "set aside");
    heartbeats.refused.iter().for_each(|refused| add(refused.elements, &refused.reason));
    add(views.accepted, "views accepted");
    add(views.repeated, "of them repeated");
    add(views.other_region, "of them under the default region");
    add(views.set_aside, "views set aside");
    views.refused.iter().for_each(|refused| add(refused.elements, &format!("views {}", refused.reason)));
    parts.join(" · ")
}

fn reasons(refused: &[RefusedElements]) -> String {
    let each = refused.iter().map(|refused| format!("{} {}", HumanCount(refused.elements), refused.reason));
    each.collect::<Vec<_>>().join(" · ")
}
