//! Tests `heatstrip dev` and the command line as a newcomer meets them.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

use crate::{
    postgres::local::is_running,
    support::{Process, heatstrip, until},
};

/// `dev --once` with its demo audience may take this long.
const DEMO: Duration = Duration::from_secs(60);
/// Only a run without data says this.
const GENERATES: &str = "an audience is watching";

#[tokio::test]
async fn dev_shows_a_strip_and_keeps_its_data() {
    let place = Place::new();
    let first = place.dev_once().await;
    assert!(first.contains(GENERATES), "{first}");
    let url = first.lines().find_map(|line| line.strip_prefix("dashboard")).expect("the URL");
    assert!(url.trim().starts_with("http://127.0.0.1:"), "{url}");
    assert!(first.contains("/v1/heartbeats") && first.contains("DATABASE_URL="), "{first}");
    let strip = strip(&first);
    assert!(strip.contains("a bucket") && strip.contains('█') && strip.contains("0:00"), "{strip}");
    place.assert_nobody_is_left();

    let second = place.dev_once().await;
    assert!(!second.contains(GENERATES), "{second}");
    assert_eq!(self::strip(&second), strip, "the same data");
    place.assert_nobody_is_left();
}

/// Starts a `dev`, waits until it has shown its demo, and lets it stay.
async fn shown_demo(place: &Place) -> Process {
    let mut running = Process::start(place.dev(&[]), &place.log);
    until("the demo is there", DEMO, async || {
        running.assert_runs();
        running.log().contains("Ctrl-C ends it").then_some(())
    })
    .await;
    running
}

#[tokio::test]
async fn dev_starts_again_after_it_was_killed() {
    let place = Place::new();
    let mut running = shown_demo(&place).await;
    let shown = strip(&running.log());
    let postmaster = place.postmaster().expect("its server runs");
    running.kill().await;
    assert!(is_running(postmaster), "nobody has told the server");

    let again = place.dev_once().await;
    assert!(!again.contains(GENERATES), "{again}");
    assert_eq!(strip(&again), shown, "nothing is lost, nothing counts twice");
    // The server takes its pid file away a moment before it ends.
    until("the server is gone", DEMO, async || (!is_running(postmaster)).then_some(())).await;
    place.assert_nobody_is_left();
}

/// A `dev` is killed in the middle of it all: while the cluster is made, the server starts, the schema comes or the
/// audience watches.
#[tokio::test]
async fn dev_starts_again_wherever_it_was_killed() {
    let place = Place::new();
    for line in ["pgdata.new", "postmaster.pid", GENERATES] {
        let mut running = Process::start(place.dev(&[]), &place.log);
        until(line, DEMO, async || {
            running.assert_runs();
            place.has_got_to(line, &running).then_some(())
        })
        .await;
        running.kill().await;
    }
    let shown = place.dev_once().await;
    assert!(strip(&shown).contains('█'), "{shown}");
    place.assert_nobody_is_left();
}

#[tokio::test]
async fn dev_ends_in_order_when_told_to() {
    let place = Place::new();
    let mut running = shown_demo(&place).await;
    running.terminate(Duration::from_secs(10)).await;
    place.assert_nobody_is_left();
}

#[tokio::test]
async fn bad_settings_give_one_line_that_says_what_to_do() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken.local_addr().expect("its address").to_string();
    let nothing = place.base.path().to_string_lossy().into_owned();
    let nowhere = "postgresql:///none?host=%2Fnonexistent";
    let data_dir = place.data_dir.to_string_lossy().into_owned();
    // A case is arguments, settings, and a part of the line.
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
    let cases: &[Case<'_>] = &[
        (&["serve"], &[], "DATABASE_URL is not set: set it to"),
        (&["work"], &[("DATABASE_URL", "")], "DATABASE_URL is empty"),
        (&["work"], &[("DATABASE_URL", "nonsense")], "is no Postgres URL: write"),
        (&["work", "--once"], &[("DATABASE_URL", nowhere)], "postgres is not reachable"),
        (&["migrate"], &[("DATABASE_URL", nowhere)], "postgres is not reachable"),
        (&["show", "v"], &[("DATABASE_URL", nowhere)], "postgres is not reachable"),
        (&["migrate"], &[("DATABASE_URL_FILE", "/nonexistent")], "which cannot be read"),
        (
            &["serve"],
            &[("DATABASE_URL", nowhere), ("DATABASE_URL_FILE", "/dev/null")],
            "are both set: set one",
        ),
        (
            &["serve", "--log", "heatstrip=loud"],
            &[],
            "HEATSTRIP_LOG=heatstrip=loud cannot be read: set it to",
        ),
        (&["replay", "/nonexistent", "--to", "http://127.0.0.1:1"], &[], "cannot read /nonexistent"),
        (
            &["dev", "--once", "--data-dir", &data_dir, "--listen", &taken],
            &[],
            "is another process using the port?",
        ),
        (
            &["dev", "--once", "--data-dir", &data_dir, "--listen", "127.0.0.1:0"],
            &[("HEATSTRIP_PG_BIN", &nothing)],
            "install the packages",
        ),
        (
            &["dev", "--once", "--data-dir", &data_dir, "--listen", "127.0.0.1:0"],
            &[("HEATSTRIP_VIEWER_SALT", "")],
            "HEATSTRIP_VIEWER_SALT is empty",
        ),
        (
            &["dev", "--once", "--data-dir", &data_dir, "--listen", "127.0.0.1:0"],
            &[("HEATSTRIP_VIEWER_SALT", "fifteen bytes !")],
            "has 15 bytes and needs 16",
        ),
    ];
    for (arguments, settings, says) in cases {
        let output = run(arguments, settings).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(
            said.starts_with("error: ") && said.ends_with('\n') && said.lines().count() == 1,
            "{arguments:?}: {said}"
        );
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    assert!(!place.data_dir.exists(), "nothing is made before the settings are known to be good");
}

#[tokio::test]
async fn usage_errors_exit_with_2() {
    let cases: &[&[&str]] = &[
        &[],
        &["play"],
        &["serve", "--loud"],
        &["serve", "--listen", "everywhere"],
        &["serve", "--salt-rotation", "hourly"],
        &["serve", "--default-region", "GLOBAL"],
        &["work", "--worker-connections", "0"],
        &["show"],
        &["show", "v", "--resolution", "0"],
        &["replay"],
        &["migrate", "--lanes", "0"],
    ];
    for arguments in cases {
        let output = run(arguments, &[]).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("--help"), "{arguments:?}: {said}");
    }
    let output = run(&["serve"], &[("HEATSTRIP_LISTEN", "everywhere")]).await;
    assert_eq!(output.status.code(), Some(2), "an environment variable is usage too");
}

/// The sources read the settings that the help tells, and no others.
#[tokio::test]
async fn help_lists_every_setting_with_its_variable() {
    let mut told = BTreeSet::new();
    let mut helps = vec![help(&[]).await];
    for command in commands(&helps[0]) {
        let text = help(&[&command]).await;
        // Each variable stands in the help of the one command too.
        if !["show", "ledger", "forget", "doctor", "completions", "man"].contains(&command.as_str()) {
            assert!(text.contains("[env: HEATSTRIP_"), "{command}:\n{text}");
        }
        for secret in ["DATABASE_URL", "HEATSTRIP_VIEWER_SALT"] {
            let salts = ["dev", "serve", "replay"].contains(&command.as_str());
            let database = !["dev", "completions", "man"].contains(&command.as_str());
            let wants = if secret == "DATABASE_URL" { database } else { salts };
            assert!(!wants || text.contains(secret), "{command} --help lacks {secret}:\n{text}");
        }
        helps.push(text);
    }
    for text in &helps {
        told.extend(variables(text));
    }
    let mut read = BTreeSet::new();
    for source in ["config", "telemetry", "cli"] {
        read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(source), &mut read);
    }
    assert!(read.len() > 10, "{read:?}");
    let missing: Vec<_> = read.difference(&told).collect();
    assert!(missing.is_empty(), "not in any help: {missing:?}");
}

/// Returns the subcommands that a help lists.
fn commands(help: &str) -> Vec<String> {
    let list =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<String> = list
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect();
    assert!(names.contains(&"dev".to_owned()), "{help}");
    names
}

async fn help(command: &[&str]) -> String {
    let output = run(&[command, &["--help"]].concat(), &[]).await;
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Returns the names of our environment variables in a text.
fn variables(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
        .filter(|word| word.starts_with("HEATSTRIP_") || word.starts_with("DATABASE_URL"))
        .map(str::to_owned)
        .collect()
}

fn read_sources(path: &Path, read: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            read_sources(&entry.expect("an entry").path(), read);
        }
        return;
    }
    read.extend(variables(&fs::read_to_string(path).expect("a source file")));
}

async fn run(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = heatstrip(arguments);
    command.envs(settings.iter().copied());
    let output = tokio::time::timeout(DEMO, command.output()).await;
    output.expect("it ends").expect("the binary is there")
}

/// Returns the strip in what `dev` printed: its lines up to the list of addresses.
fn strip(printed: &str) -> String {
    let lines = printed
        .lines()
        .filter(|line| !line.contains(GENERATES))
        .take_while(|line| !line.starts_with("dashboard"))
        // Log lines stand in the same file when the run was not waited for.
        .filter(|line| !line.starts_with("20"));
    lines.collect::<Vec<_>>().join("\n")
}

/// A data directory; whatever server runs on it is stopped in the end.
struct Place {
    base: TempDir,
    data_dir: PathBuf,
    log: PathBuf,
}

impl Place {
    fn new() -> Place {
        // The folder is not in the system's temporary directory, because the server's user must be able to reach it.
        let base =
            tempfile::Builder::new().prefix("heatstrip-it-dev-").tempdir_in("/tmp").expect("a directory");
        fs::set_permissions(base.path(), PermissionsExt::from_mode(0o755)).expect("it is ours");
        Place { data_dir: base.path().join("data"), log: base.path().join("dev.log"), base }
    }

    fn dev(&self, more: &[&str]) -> tokio::process::Command {
        let data_dir = self.data_dir.to_string_lossy();
        let arguments = ["dev", "--listen", "127.0.0.1:0", "--data-dir", &data_dir];
        heatstrip(&[&arguments, more].concat())
    }

    /// Runs `dev --once` to its end and returns what it printed.
    async fn dev_once(&self) -> String {
        let output = tokio::time::timeout(DEMO, self.dev(&["--once"]).output()).await;
        let output = output.expect("it ends").expect("the binary is there");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Returns true if a run has got this far: a file is in its directory, or it has said something.
    fn has_got_to(&self, what: &str, running: &Process) -> bool {
        let inside = |directory: &Path| {
            let mut entries = fs::read_dir(directory).into_iter().flatten().flatten();
            entries.any(|entry| entry.file_name().to_string_lossy().starts_with(what))
        };
        inside(&self.data_dir) || inside(&self.data_dir.join("pgdata")) || running.log().contains(what)
    }

    /// Returns the process id on file, whose process may have ended.
    fn postmaster(&self) -> Option<i32> {
        let text = fs::read_to_string(self.data_dir.join("pgdata/postmaster.pid")).ok()?;
        text.lines().next()?.parse().ok()
    }

    fn assert_nobody_is_left(&self) {
        assert_eq!(self.postmaster(), None, "the server is stopped");
    }
}

impl Drop for Place {
    /// A test that failed halfway leaves no server behind.
    fn drop(&mut self) {
        if let Some(pid) = self.postmaster().filter(|&pid| is_running(pid)) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGQUIT);
        }
    }
}
