//! The command line: one file a subcommand.

use clap::{Parser, Subcommand};

use crate::{config, telemetry};

mod ask;
mod compact;
mod counts;
mod describe;
mod dev;
mod doctor;
mod forget;
mod import;
mod keys;
mod kinds;
mod ledger;
mod metrics;
mod migrate;
mod reconcile;
mod replay;
pub mod serve;
mod show;
mod work;

/// Which seconds of a video people watch, and how many different people watched each
#[derive(Debug, Parser)]
#[command(name = "heatstrip", version, max_term_width = 100, after_help = config::SECRETS_HELP)]
pub struct Cli {
    #[command(flatten)]
    log: telemetry::logs::LogSettings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything in one process on a private Postgres, with a demo audience
    #[command(after_help = config::SALT_HELP)]
    Dev(dev::Arguments),
    /// Serve the HTTP interface
    #[command(after_help = config::SECRETS_HELP)]
    Serve(serve::Arguments),
    /// Fold queued heartbeats into sketches
    #[command(after_help = config::DATABASE_HELP)]
    Work(work::Arguments),
    /// Move closed days' shard rows into canonical rows
    #[command(after_help = config::DATABASE_HELP)]
    Compact(compact::Arguments),
    /// Import a file of heartbeats or xAPI video statements
    #[command(after_help = config::SECRETS_HELP)]
    Replay(replay::Arguments),
    /// Draw a strip in the terminal
    #[command(after_help = config::DATABASE_HELP)]
    Show(show::Arguments),
    /// Ask who saw these parts of a video and missed those
    #[command(after_help = config::DATABASE_HELP)]
    Ask(ask::Arguments),
    /// What became of what was sent of a video: accepted, refused, and why
    #[command(after_help = config::DATABASE_HELP)]
    Ledger(ledger::Arguments),
    /// Remove a video's rows everywhere
    #[command(after_help = config::DATABASE_HELP)]
    Forget(forget::Arguments),
    /// Who may write and read: make, list and revoke keys
    #[command(after_help = config::DATABASE_HELP)]
    Keys(keys::Arguments),
    /// What is counted, by name and mode
    #[command(after_help = config::DATABASE_HELP)]
    Kinds(kinds::Arguments),
    /// Counters as files: likes, favourites, shares, purchases
    #[command(after_help = config::DATABASE_HELP)]
    Counts(counts::Arguments),
    /// Files of what is known beside what was watched
    #[command(after_help = config::DATABASE_HELP)]
    Import(import::Arguments),
    /// Compare every total with its records, and heal what differs
    #[command(after_help = config::DATABASE_HELP)]
    Reconcile,
    /// Bring the database to this program's schema
    #[command(after_help = config::DATABASE_HELP)]
    Migrate(migrate::Arguments),
    /// Look at everything that should be so, and say what to do where it is not
    #[command(after_help = config::DATABASE_HELP)]
    Doctor(doctor::Arguments),
    /// Write the completions of a shell
    #[command(after_help = "")]
    Completions(describe::Completions),
    /// Write the manual pages
    #[command(after_help = "")]
    Man,
}

/// Runs the command that was asked for, to its end.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    telemetry::logs::start(&cli.log)?;
    match cli.command {
        Command::Dev(arguments) => dev::run(arguments).await,
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Work(arguments) => work::run(arguments).await,
        Command::Compact(arguments) => compact::run(arguments).await,
        Command::Replay(arguments) => replay::run(arguments).await,
        Command::Show(arguments) => show::run(arguments).await,
        Command::Ask(arguments) => ask::run(arguments).await,
        Command::Ledger(arguments) => ledger::run(arguments).await,
        Command::Forget(arguments) => forget::run(arguments).await,
        Command::Keys(arguments) => keys::run(arguments).await,
        Command::Kinds(arguments) => kinds::run(arguments).await,
        Command::Counts(arguments) => counts::run(arguments).await,
        Command::Import(arguments) => import::run(arguments).await,
        Command::Reconcile => reconcile::run().await,
        Command::Migrate(arguments) => migrate::run(arguments).await,
        Command::Doctor(arguments) => doctor::run(arguments).await,
        Command::Completions(arguments) => {
            describe::completions(arguments);
            Ok(())
        }
        Command::Man => Ok(describe::man()?),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
