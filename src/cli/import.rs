//! `heatstrip import`

use std::path::PathBuf;

use anyhow::{Context, bail};
use indicatif::HumanCount;

use crate::{
    catalogue::entry::bounds,
    clock::Clock,
    config,
    events::refusal::Refusal,
    import::{catalogue, views},
    postgres::Store,
};

/// At most so many refused lines are told one by one.
const MAX_TOLD: u64 = 20;

/// The arguments of `heatstrip import`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Import titles, durations, channels and pictures of videos, an object a line
    Catalogue {
        /// The file, plain or gzip; - for stdin
        file: PathBuf,
    },
    /// Import the views that videos start from, an object a line
    Views {
        /// The file, plain or gzip; - for stdin
        file: PathBuf,
    },
}

/// Runs `heatstrip import`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let store = Store::connect(&config::database_url()?, 2).await?;
    let cannot = |file: &PathBuf| format!("cannot import {}", file.display());
    let lines = match arguments.command {
        Command::Catalogue { file } => {
            let tell = |line, refusal: Refusal| {
                let (field, reason) = (refusal.field.unwrap_or("the line"), refusal.reason);
                format!("line {line}: {field} must be {} ({reason})", bounds(refusal.field))
            };
            let lines = catalogue::import(&store, &Clock::system(), &file, first(tell)).await;
            let lines = lines.with_context(|| cannot(&file))?;
            print!("imported {} entries", HumanCount(lines.taken));
            lines
        }
        Command::Views { file } => {
            let tell = |line, refusal: Refusal| {
                let field = refusal.field.unwrap_or("it");
                format!("line {line}: {field} is refused ({})", refusal.reason)
            };
            let summary = views::import(&store, &file, first(tell)).await;
            let views::Summary { changed, lines } = summary.with_context(|| cannot(&file))?;
            let (taken, changed) = (HumanCount(lines.taken), HumanCount(changed));
            print!("imported {taken} starting totals, {changed} of them new");
            lines
        }
    };
    println!("; refused {} lines", HumanCount(lines.refused));
    if lines.refused > MAX_TOLD {
        eprintln!("and {} lines more", HumanCount(lines.refused - MAX_TOLD));
    }
    if lines.taken == 0 && lines.refused > 0 {
        bail!("nothing was imported");
    }
    Ok(())
}

/// Tells of the first refused lines.
fn first(tell: impl Fn(u64, Refusal) -> String) -> impl FnMut(u64, Refusal) {
    let mut told = 0;
    move |line, refusal| {
        told += 1;
        if told <= MAX_TOLD {
            eprintln!("{}", tell(line, refusal));
        }
    }
}
