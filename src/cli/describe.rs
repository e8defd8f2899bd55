//! `heatstrip completions` and `heatstrip man` describe the command line to shells and to people.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;

/// The arguments of `heatstrip completions`.
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// The shell to complete in
    #[arg(value_enum)]
    shell: Shell,
}

/// Writes the completions of a shell.
pub fn completions(arguments: Completions) {
    clap_complete::generate(arguments.shell, &mut Cli::command(), "heatstrip", &mut std::io::stdout());
}

/// Returns the pages of the program and of all its commands, one after the other, as `man` shows them.
pub fn man() -> std::io::Result<()> {
    let mut cli = Cli::command();
    cli.build();
    let mut stdout = std::io::stdout();
    clap_mangen::Man::new(cli.clone()).render(&mut stdout)?;
    let mut waiting: Vec<&clap::Command> = cli.get_subcommands().collect();
    waiting.reverse();
    while let Some(command) = waiting.pop() {
        if command.get_name() != "help" {
            clap_mangen::Man::new(command.clone()).render(&mut stdout)?;
            waiting.extend(command.get_subcommands().collect::<Vec<_>>().into_iter().rev());
        }
    }
    Ok(())
}
