//! `heatstrip show`

use std::io::{IsTerminal, Write};

use chrono::NaiveDate;
use indicatif::HumanCount;

use crate::{
    catalogue::durations::whole_seconds,
    config,
    events::{
        heartbeat::{MAX_VIDEO_ID_BYTES, check_id},
        region,
    },
    heatmap::{
        store::strips::StripQuery,
        strip::{
            Strip,
            formats::Format,
            strip,
            terminal::{Color, render},
        },
    },
    postgres::Store,
    views::answer::{VideoViews, video_views},
};

/// A strip that is written to a file has this many columns.
const DEFAULT_WIDTH: usize = 80;

/// The flags of `heatstrip show`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The video
    #[arg(value_parser = video_id)]
    video: String,
    /// GLOBAL, a region, or several with commas: their union
    #[arg(long, default_value = "GLOBAL", value_parser = regions)]
    region: std::vec::Vec<String>,
    /// Seconds a bucket
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=3600))]
    resolution: u32,
    /// First UTC day
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// Last UTC day
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
    /// Say below it how often the video was viewed and by how many
    #[arg(long, conflicts_with = "format")]
    views: bool,
    /// Write it in this shape instead of drawing it
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// Runs `heatstrip show`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let store = Store::connect(&config::database_url()?, 1).await?;
    let kept = store.read_entries(&[&arguments.video]).await?.remove(&arguments.video);
    let entry = kept.map(|kept| kept.entry).unwrap_or_default();
    let asked = StripQuery {
        length_sec: entry.duration_sec.map(whole_seconds),
        video_id: arguments.video,
        regions: arguments.region,
        resolution: arguments.format.and_then(Format::resolution).unwrap_or(arguments.resolution),
        from: arguments.from,
        to: arguments.to,
    };
    let (range, rows) = store.read_strip(&asked).await?;
    let strip = strip(range, &rows);
    match arguments.format {
        None => {
            draw(&strip, entry.title.as_deref());
            if arguments.views {
                let videos = [strip.video_id];
                let found = store.view_totals(&videos).await?;
                let [video_id] = videos;
                println!("{}", said(&video_views(video_id, &found)));
            }
        }
        Some(format) => std::io::stdout().write_all(&format.render(&strip))?,
    }
    Ok(())
}

/// The numbers under a video, in one line.
fn said(of: &VideoViews) -> String {
    let viewers = &of.viewers;
    let since = viewers.recent_from.map_or(String::new(), |day| format!(" since {day}"));
    let about = if viewers.exact { "" } else { "about " };
    format!(
        "{} views · {} recent {}{since} · {about}{} {} ever",
        HumanCount(of.views),
        HumanCount(viewers.recent),
        viewers.recent_scope.name(),
        HumanCount(viewers.lifetime),
        viewers.scope.name(),
    )
}

/// Draws a strip as wide as the terminal and as colourful as it can show, under its title where there is one.
pub fn draw(strip: &Strip, title: Option<&str>) {
    let stdout = std::io::stdout();
    let width = terminal_width().filter(|_| stdout.is_terminal()).unwrap_or(DEFAULT_WIDTH);
    let color = match (stdout.is_terminal(), std::env::var_os("NO_COLOR"), std::env::var("COLORTERM")) {
        (false, ..) | (_, Some(_), _) => Color::None,
        (_, None, Ok(depth)) if ["truecolor", "24bit"].contains(&depth.as_str()) => Color::True,
        _ => Color::Palette,
    };
    print!("{}", render(strip, title, width, color));
}

fn terminal_width() -> Option<usize> {
    console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns))
}

/// Checks the bounds of a video id on the command line.
pub fn video_id(text: &str) -> Result<String, String> {
    check_id(text, MAX_VIDEO_ID_BYTES).map_err(|reason| reason.to_string())?;
    Ok(text.to_owned())
}

/// Reads regions on the command line.
pub fn regions(text: &str) -> Result<Vec<String>, String> {
    region::parse_union(text).map_err(|reason| reason.to_string())
}
