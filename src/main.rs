//! The binary: parses the command line and runs the command.

use std::process::ExitCode;

use clap::Parser;
use heatstrip::cli;

/// Requests and heartbeats are many small allocations, which otherwise cost about a fifth of the time under load.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    // In test builds the process can be told to die at a crash point; elsewhere this does nothing.
    let _crash_points = fail::FailScenario::setup();
    match cli::run(cli::Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // An error is one line, causes included, whatever is in them.
            eprintln!("error: {}", format!("{error:#}").replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}
