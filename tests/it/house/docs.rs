//! The documents keep their word: every command in them is run, in order, against a running instance; settings, flags,
//! routes, reasons and links that they name exist, and none that exists is left out where it should be listed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use clap::CommandFactory;
use heatstrip::{cli::Cli, events::refusal::Reason};
use tokio::process::Command;

use crate::support::{App, Process, Served, Settings, database, until};

/// Commands that begin like this are not run here, for these reasons.
const NOT_RUN: &[(&str, &str)] = &[
    ("script/demo", "tests/it/tools/dev.rs runs what it starts"),
    ("script/test", "this is it"),
    ("cargo ", "measurements take minutes; clippy builds them"),
    ("docker ", "needs Docker; tests/it/house/docker holds its files against the program"),
    ("apt-get ", "changes the machine; script/bootstrap runs it"),
    ("npm ", "belongs to the page that embeds the player"),
    ("export DATABASE_URL=", "the tests' own database stands for it"),
    ("createdb ", "a restore goes to another server"),
    ("pg_restore ", "a restore goes to another server"),
];

/// Commands that begin like this stay: they must get to work, and end when they are told to.
const STAYING: &[&str] = &["heatstrip serve", "heatstrip work", "heatstrip compact --every-day-at"];
/// They say so once they do what they stay for.
const AT_WORK: &[&str] = &["listening on", "folding on", "the next compaction begins"];

/// The documents write one of these for the instance that is running.
const INSTANCES: [&str; 3] = ["http://127.0.0.1:8080", "http://localhost:8080", "https://heatstrip.example"];

/// Only the tests have these settings.
const OF_TESTS: &[&str] = &[
    "HEATSTRIP_CRASH_CYCLES",
    "HEATSTRIP_CRASH_SEED",
    "HEATSTRIP_TEST_SEED",
    "HEATSTRIP_CITUS_BIN",
    "HEATSTRIP_PORT",
    "HEATSTRIP_PREVIOUS_BIN",
];

/// Returns the documents with their texts: the README and the chapters in `docs/`.
pub fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let chapters = fs::read_dir(root.join("docs")).expect("the folder");
    let mut paths: Vec<PathBuf> = chapters.map(|entry| entry.expect("an entry").path()).collect();
    paths.push(root.join("README.md"));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort_unstable();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("a document"))).collect()
}

/// Returns one of them, by its path in the repository.
fn document(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a document")
}

/// Returns the fenced blocks of shell in a document.
fn shell_blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            let block: Vec<&str> =
                lines.by_ref().take_while(|line| !line.trim_start().starts_with("```")).collect();
            if ["sh", "bash", "shell", "console"].contains(&language.trim()) {
                blocks.push(block.join("\n"));
            }
        }
    }
    blocks
}

/// Returns the commands of a block; each ends where bash takes the lines so far for whole.
async fn commands(block: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut open = String::new();
    for line in block.lines() {
        open.push_str(line);
        open.push('\n');
        let continued = line.ends_with('\\') || line.trim_end().ends_with('|');
        if !continued && is_whole(&open).await {
            let command = std::mem::take(&mut open).trim().to_owned();
            if !command.is_empty() && !command.starts_with('#') {
                commands.push(command);
            }
        }
    }
    assert!(open.trim().is_empty(), "bash does not take this: {open}");
    commands
}

async fn is_whole(text: &str) -> bool {
    let mut bash = Command::new("bash");
    bash.args(["-n", "-c", text]).stdout(Stdio::null()).stderr(Stdio::null());
    bash.status().await.expect("bash").success()
}

/// A running instance, and a folder with the files that the documents name.
struct Stage {
    served: Served,
    database_url: String,
    folder: tempfile::TempDir,
}

impl Stage {
    async fn set() -> Stage {
        let database = database().await;
        let folder = tempfile::tempdir().expect("a folder");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let copy = |from: &str, to: &str| fs::copy(root.join(from), folder.path().join(to)).expect("a file");
        copy("tests/schemathesis/heartbeats.ndjson", "heartbeats.ndjson");
        copy("tests/data/xapi.jsonl", "statements.jsonl");
        let totals = r#"{"video_id":"yt_abc123","views":120345}"#;
        fs::write(folder.path().join("totals.ndjson"), totals).expect("a file");
        // A refused request is a failed command.
        fs::write(folder.path().join(".curlrc"), "fail-with-body\nsilent\nshow-error\n").expect("a file");
        let served = Served::api(&database, &[]).await;
        Stage { served, database_url: database.url, folder }
    }

    fn bash(&self, command: &str) -> Command {
        let mut text = command.to_owned();
        for instance in INSTANCES {
            text = text.replace(instance, &self.served.url);
        }
        // The shell finds the program of this build, and no setting of the developer's own.
        let programs = Path::new(env!("CARGO_BIN_EXE_heatstrip")).parent().expect("a folder");
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &text]).stdin(Stdio::null()).kill_on_drop(true);
        bash.env_clear()
            .env("PATH", path)
            .env("HOME", self.folder.path())
            .env("CURL_HOME", self.folder.path());
        bash.env("DATABASE_URL", &self.database_url).current_dir(self.folder.path());
        bash
    }

    async fn run(&self, command: &str) {
        let output = tokio::time::timeout(Duration::from_secs(60), self.bash(command).output())
            .await
            .unwrap_or_else(|_| panic!("still runs after a minute: {command}"))
            .expect("bash");
        assert!(
            output.status.success(),
            "{command}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    async fn stays(&self, command: &str) {
        // The command gets a port of its own, and bash makes way for it, so that the signal reaches it.
        let command = format!("HEATSTRIP_LISTEN=127.0.0.1:0 exec {command}");
        let log = self.folder.path().join("staying.log");
        let _ = fs::remove_file(&log);
        let mut process = Process::start(self.bash(&command), &log);
        until("it is at work", Duration::from_secs(30), async || {
            process.assert_runs();
            AT_WORK.iter().any(|says| process.log().contains(says)).then_some(())
        })
        .await;
        process.terminate(Duration::from_secs(15)).await;
    }
}

#[tokio::test]
async fn every_documented_command_works() {
    let mut run = 0;
    for (path, text) in documents() {
        let blocks = shell_blocks(&text);
        if blocks.is_empty() {
            continue;
        }
        let stage = Stage::set().await;
        for block in &blocks {
            for command in commands(block).await {
                println!("{}: {command}", path.display());
                if NOT_RUN.iter().any(|(begins, _)| command.starts_with(begins)) {
                    continue;
                }
                run += 1;
                match STAYING.iter().any(|begins| command.starts_with(begins)) && !command.contains("--once")
                {
                    true => stage.stays(&command).await,
                    false => stage.run(&command).await,
                }
            }
        }
    }
    assert!(run >= 15, "the documents are read as they are written: {run} commands");
}

/// Returns the flags of each command, those of all commands included.
fn flags() -> BTreeMap<String, BTreeSet<String>> {
    let mut cli = Cli::command();
    cli.build();
    let long = |command: &clap::Command| -> BTreeSet<String> {
        command.get_arguments().filter_map(|a| a.get_long()).map(|flag| format!("--{flag}")).collect()
    };
    // Of commands with commands of their own, all flags together.
    let all = |command: &clap::Command| -> BTreeSet<String> {
        command.get_subcommands().flat_map(&long).chain(long(command)).collect()
    };
    cli.get_subcommands().map(|command| (command.get_name().to_owned(), all(command))).collect()
}

#[test]
fn every_documented_flag_exists() {
    let flags = flags();
    for (path, text) in documents() {
        let spans = text.replace("```", "").replace("\\\n", " ");
        let spans: Vec<&str> = spans.split(['`', '\n']).collect();
        for span in spans {
            let Some((_, call)) = span.split_once("heatstrip ") else { continue };
            let words: Vec<&str> =
                call.split_whitespace().take_while(|word| !word.starts_with('#')).collect();
            let Some(known) = words.first().and_then(|command| flags.get(*command)) else { continue };
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                let flag = flag
                    .trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
                    .split('=')
                    .next()
                    .expect("a flag");
                assert!(known.contains(flag), "{}: heatstrip {call}: there is no {flag}", path.display());
            }
        }
    }
}

/// Returns the settings of all commands, with their defaults.
fn settings() -> BTreeMap<String, String> {
    let mut cli = Cli::command();
    cli.build();
    let mut settings = BTreeMap::new();
    // The text says which defaults are different in `dev`.
    for command in cli.get_subcommands().filter(|command| command.get_name() != "help") {
        for argument in command.get_arguments() {
            let Some(name) = argument.get_env() else { continue };
            let default =
                argument.get_default_values().first().map_or("", |value| value.to_str().expect("text"));
            let name = name.to_str().expect("text").to_owned();
            if command.get_name() != "dev" || !settings.contains_key(&name) {
                settings.insert(name, default.to_owned());
            }
        }
    }
    for secret in ["DATABASE_URL", "HEATSTRIP_QUEUE", "HEATSTRIP_VIEWER_SALT"] {
        settings.insert(secret.to_owned(), String::new());
        settings.insert(format!("{secret}_FILE"), String::new());
    }
    settings
}

#[test]
fn every_documented_setting_exists() {
    let settings = settings();
    for (path, text) in documents() {
        for (at, _) in text.match_indices("HEATSTRIP_") {
            let name: String = text[at..]
                .chars()
                .take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_')
                .collect();
            let known = settings.contains_key(&name) || OF_TESTS.contains(&name.as_str());
            assert!(known, "{}: there is no {name}", path.display());
        }
    }
}

/// Returns the rows of a document's tables that begin with a name in backticks.
fn named_rows(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.starts_with("| `"))
}

/// Returns the cells of a row, without backticks.
fn cells(row: &str) -> Vec<String> {
    row.split('|').skip(1).map(|cell| cell.replace('`', "").trim().to_owned()).collect()
}

#[test]
fn every_setting_is_documented() {
    let page = document("docs/settings.md");
    let documented: BTreeSet<String> = named_rows(&page).map(|row| cells(row)[0].clone()).collect();
    let settings = settings();
    let known: BTreeSet<String> = settings.keys().cloned().collect();
    assert_eq!(documented, known);
}

/// Every table that lists settings, in whatever document, gives their defaults.
#[test]
fn documented_defaults_are_right() {
    let settings = settings();
    let mut rows = 0;
    for (path, text) in documents() {
        for row in named_rows(&text) {
            let cells = cells(row);
            // The logs have a second part that keeps a chatty crate quiet.
            let Some(default) = settings.get(&cells[0]).map(|default| default.split(',').next()) else {
                continue;
            };
            rows += 1;
            let default = default.unwrap_or_default();
            let is_right = default.is_empty() || cells[1] == default;
            assert!(is_right, "{} says {:?} of {}, it is {default:?}", path.display(), cells[1], cells[0]);
        }
    }
    assert!(rows > settings.len(), "the README lists settings too");
}

/// `docs/api.md` lists every route and the closed list of reasons.
#[tokio::test]
async fn the_interface_is_documented() {
    let page = document("docs/api.md");
    let app = App::start(Settings::default()).await;
    let document = app.json("/openapi.json").await;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            let call = format!("`{} {path}`", method.to_uppercase());
            assert!(page.contains(&call), "docs/api.md has no {call}");
        }
    }
    let reasons: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    let listed: Vec<String> = named_rows(&page).map(|row| cells(row)[0].clone()).collect();
    let unlisted: Vec<&&str> = reasons.iter().filter(|name| !listed.iter().any(|row| row == *name)).collect();
    assert!(unlisted.is_empty(), "docs/api.md has no {unlisted:?}");
}

/// Returns the anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || "-_ ".contains(c);
    heading.to_lowercase().chars().filter(|&c| kept(c)).collect::<String>().replace(' ', "-")
}

/// Every link to a file leads to one, and to a heading of it where it names one.
#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for (path, text) in documents() {
        for (_, rest) in text.match_indices("](").map(|(at, mark)| text.split_at(at + mark.len())) {
            let target = rest.split(')').next().expect("a link ends");
            if target.contains("://") {
                continue;
            }
            links += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = match file {
                "" => path.clone(),
                file => path.with_file_name(file),
            };
            assert!(file.exists(), "{}: {target}", path.display());
            let headings = |text: &str| -> Vec<String> {
                text.lines()
                    .filter_map(|line| line.trim_start_matches('#').strip_prefix(' '))
                    .map(anchor)
                    .collect()
            };
            let leads = heading.is_empty()
                || headings(&fs::read_to_string(&file).expect("a document"))
                    .iter()
                    .any(|known| known == heading);
            assert!(leads, "{}: {target}", path.display());
        }
    }
    assert!(links > 20, "links are written as this test reads them: {links}");
}
