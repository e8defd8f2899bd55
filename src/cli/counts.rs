//! `heatstrip counts`

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::Mutex,
};

use anyhow::Context;
use indicatif::HumanCount;

use crate::{
    clock::Clock,
    config,
    import::counts::{self, Summary},
    postgres::Store,
};

/// The arguments of `heatstrip counts`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Import counts and starting totals, an object a line
    Import {
        /// The file, plain or gzip; - for stdin
        file: PathBuf,
    },
    /// Write all kinds, starting totals and records to stdout, an object a line
    Export,
}

/// Runs `heatstrip counts`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let store = Store::connect(&config::database_url()?, 2).await?;
    match arguments.command {
        Command::Import { file } => {
            if file.as_os_str() == "-" {
                eprintln!("stdin is read once: its counts have no ids but their own, so import it once");
            }
            let summary = counts::import(&store, &Clock::system(), &file)
                .await
                .with_context(|| format!("cannot import {}", file.display()))?;
            println!("{}", said(&summary));
            Ok(())
        }
        Command::Export => {
            let stdout = Mutex::new(io::BufWriter::new(io::stdout()));
            let written = counts::export(&store, &stdout).await?;
            let flushed =
                written.and_then(|()| stdout.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).flush());
            match flushed {
                // Whoever reads has seen enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                outcome => Ok(outcome?),
            }
        }
    }
}

fn said(summary: &Summary) -> String {
    let mut text = format!(
        "imported {} counts, {} starting totals and {} kinds",
        HumanCount(summary.statuses.values().sum()),
        HumanCount(summary.starting),
        HumanCount(summary.kinds),
    );
    for (status, count) in &summary.statuses {
        text += &format!("; {} {status}", HumanCount(*count));
    }
    for ((field, reason), count) in &summary.rejected {
        text += &format!("; refused {}: {} {reason}", HumanCount(*count), field.unwrap_or("line"));
    }
    text
}
