//! `heatstrip kinds`

use anyhow::bail;

use crate::{
    config,
    counters::kinds::{Mode, check_name},
    postgres::Store,
};

/// The arguments of `heatstrip kinds`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add a kind; kinds are never removed and keep their mode
    Add {
        /// 1 to 64 of a-z, 0-9 and _, beginning with a letter
        #[arg(value_parser = name)]
        name: String,
        /// set: on or off a member; count: repeatable, 1 or -1; signed: repeatable, -1000000 to 1000000
        #[arg(long)]
        mode: Mode,
    },
    /// List the kinds with their modes
    List,
}

/// Runs `heatstrip kinds`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let store = Store::connect(&config::database_url()?, 1).await?;
    match arguments.command {
        Command::Add { name, mode } => add(&store, &name, mode).await,
        Command::List => {
            for kind in store.counter_kinds().await?.iter() {
                println!("{:<16} {}", kind.name, kind.mode);
            }
            Ok(())
        }
    }
}

/// Adding what is there already is no failure, unless it counts otherwise.
async fn add(store: &Store, name: &str, mode: Mode) -> anyhow::Result<()> {
    if store.add_counter_kind(name, mode).await? {
        println!("added {name} ({mode})");
        return Ok(());
    }
    match store.counter_kinds().await?.named(name) {
        Some(kind) if kind.mode != mode => {
            bail!("there is a kind {name} of mode {} already: a kind keeps its mode", kind.mode)
        }
        _ => println!("{name} ({mode}) is there already"),
    }
    Ok(())
}

fn name(text: &str) -> Result<String, String> {
    check_name(text).map(|()| text.to_owned())
}
