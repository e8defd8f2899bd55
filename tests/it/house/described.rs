//! The command line, as shells and `man` know it.

use clap::{CommandFactory, ValueEnum};
use heatstrip::cli::Cli;

use crate::support::heatstrip;

async fn written(arguments: &[&str]) -> String {
    let output = heatstrip(arguments).output().await.expect("the binary is there");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test]
async fn every_shell_learns_every_command() {
    for shell in clap_complete::Shell::value_variants() {
        let name = shell.to_possible_value().expect("a name");
        let script = written(&["completions", name.get_name()]).await;
        for command in Cli::command().get_subcommands() {
            assert!(script.contains(command.get_name()), "{}: {}", name.get_name(), command.get_name());
        }
    }
}

#[tokio::test]
async fn the_shell_itself_takes_the_completions() {
    let script = written(&["completions", "bash"]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("heatstrip.bash");
    std::fs::write(&file, script).expect("the script");
    let complete = format!(
        "source {}; COMP_WORDS=(heatstrip com); COMP_CWORD=1; _heatstrip heatstrip com heatstrip; echo ${{COMPREPLY[@]}}",
        file.display()
    );
    let output = tokio::process::Command::new("bash").args(["-c", &complete]).output().await.expect("bash");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "compact completions");
}

#[tokio::test]
async fn the_manual_has_every_command_and_setting() {
    let pages = written(&["man"]).await;
    for command in Cli::command().get_subcommands() {
        let name = command.get_name().replace('-', "\\-");
        assert!(pages.contains(&format!("heatstrip\\-{name}")), "{name}");
        for argument in command.get_arguments().filter_map(|argument| argument.get_long()) {
            let flag = format!("\\-\\-{}", argument.replace('-', "\\-"));
            assert!(pages.contains(&flag), "{name} {flag}");
        }
    }
}
