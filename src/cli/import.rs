//! `heatstrip import`

use std::path::PathBuf;

use anyhow::{Context, bail};
use indicatif::HumanCount;

use crate::{
    catalogue::entry::bounds,
    clock::Clock,
    config,
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
    match arguments.command {
        Command::Catalogue { file } => {
            let clock = Clock::system();
            let mut told = 0;
            let imported = catalogue::import(&store, &clock, &file, |line, refusal| {
                told += 1;
                if told <= MAX_TOLD {
                    let (field, reason) = (refusal.field.unwrap_or("the line"), refusal.reason);
                    eprintln!("line {line}: {field} must be {} ({reason})", bounds(refusal.field));
                }
            });
            let catalogue::Summary { entries, refused } =
                imported.await.with_context(|| format!("cannot import {}", file.display()))?;
            if refused > MAX_TOLD {
                eprintln!("and {} lines more", HumanCount(refused - MAX_TOLD));
            }
            println!("imported {} entries; refused {} lines", HumanCount(entries), HumanCount(refused));
            if entries == 0 && refused > 0 {
                bail!("nothing was imported");
            }
            Ok(())
        }
        Command::Views { file } => {
            let mut told = 0;
            let imported = views::import(&store, &file, |line, refusal| {
                told += 1;
                if told <= MAX_TOLD {
                    eprintln!(
                        "line {line}: {} is refused ({})",
                        refusal.field.unwrap_or("it"),
                        refusal.reason
                    );
                }
            });
            let views::Summary { changed, taken, refused } =
                imported.await.with_context(|| format!("cannot import {}", file.display()))?;
            println!(
                "imported {} starting totals, {} of them new; refused {} lines",
                HumanCount(taken),
                HumanCount(changed),
                HumanCount(refused)
            );
            if taken == 0 && refused > 0 {
                bail!("nothing was imported");
            }
            Ok(())
        }
    }
}
