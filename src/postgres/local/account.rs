//! Chooses the user that the server runs as. Postgres refuses root, so as root it gets a user of its own.

use std::os::unix::fs::{MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::unistd::{User, geteuid};

use super::LocalPostgresError;

/// The candidates stand in order of preference: the packages' user, its name on macOS, then accounts that exist
/// everywhere.
const CANDIDATES: [&str; 4] = ["postgres", "_postgres", "daemon", "nobody"];

/// The server's user: somebody else if we are root, else ourselves.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// None if the server runs as we do.
    switch_to: Option<User>,
}

impl Account {
    /// Chooses the user for a server on `data_dir`.
    pub(super) fn choose(data_dir: &Path) -> Result<Self, LocalPostgresError> {
        if !geteuid().is_root() {
            return Ok(Self { switch_to: None });
        }
        let failed = |errno: nix::Error| LocalPostgresError::io("read the list of users")(errno.into());
        // A cluster only starts for its owner, so one that an ordinary user made stays that user's.
        if let Ok(cluster) = data_dir.join("pgdata").metadata()
            && cluster.uid() != 0
            && let Some(owner) = User::from_uid(cluster.uid().into()).map_err(failed)?
        {
            return Ok(Self { switch_to: Some(owner) });
        }
        for name in CANDIDATES {
            if let Some(user) = User::from_name(name).map_err(failed)? {
                return Ok(Self { switch_to: Some(user) });
            }
        }
        Err(LocalPostgresError::NoServerUser)
    }

    /// Returns a command that runs as this user, out of reach of a Ctrl-C in our terminal (we decide when the server
    /// stops), and in `/`, since our own directory may be closed to this user.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(user) = &self.switch_to {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    /// Hands a file or directory over to this user.
    pub(super) fn give(&self, path: &Path) -> Result<(), LocalPostgresError> {
        let Some(user) = &self.switch_to else {
            return Ok(());
        };
        lchown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))
            .map_err(LocalPostgresError::io(format!("give {} to user {}", path.display(), user.name)))
    }

    pub(super) fn uid(&self) -> u32 {
        self.switch_to.as_ref().map_or_else(geteuid, |user| user.uid).as_raw()
    }

    pub(super) fn name(&self) -> &str {
        self.switch_to.as_ref().map_or("yourself", |user| &user.name)
    }

    pub(super) fn is_ourselves(&self) -> bool {
        self.switch_to.is_none()
    }

    /// Returns true if this user can get to `data_dir`. It goes there to find out, because modes alone do not tell
    /// (access lists, mounts). A directory that is root's or missing will be handed over, so only what leads to it
    /// counts.
    pub(super) async fn reaches(&self, data_dir: &Path) -> Result<bool, LocalPostgresError> {
        if self.is_ourselves() {
            return Ok(true);
        }
        let existing = match data_dir.canonicalize() {
            Ok(real) if is_roots(&real) => real.parent().unwrap_or(&real).to_owned(),
            Ok(real) => real,
            Err(_) => {
                let nearest = data_dir.ancestors().find(|ancestor| ancestor.is_dir());
                nearest.unwrap_or(Path::new("/")).to_owned()
            }
        };
        let mut visit = self.command("/bin/sh");
        visit.args(["-c", "cd -- \"$1\"", "sh"]).arg(&existing);
        Ok(output(visit).await?.status.success())
    }
}

/// Returns true if root owns this, so that handing it over takes it from nobody.
pub(super) fn is_roots(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.uid() == 0)
}

/// Runs a command to its end. It is killed if the caller stops waiting.
pub(super) async fn output(mut command: Command) -> Result<Output, LocalPostgresError> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = command.get_program().to_string_lossy().into_owned();
    let mut command = tokio::process::Command::from(command);
    command.kill_on_drop(true).output().await.map_err(LocalPostgresError::io(format!("run {program}")))
}

/// Runs a command that has to succeed; the error carries the end of what it printed.
pub(super) async fn run(command: Command) -> Result<Output, LocalPostgresError> {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let program = program.to_string_lossy().into_owned();
    let output = output(command).await?;
    if output.status.success() {
        return Ok(output);
    }
    let printed = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    Err(LocalPostgresError::Program { program, detail: last_lines(&String::from_utf8_lossy(printed)) })
}

/// Returns the last lines of a text, in one line.
pub(super) fn last_lines(text: &str) -> String {
    const LINES: usize = 5;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        return "(nothing)".to_owned();
    }
    lines[lines.len().saturating_sub(LINES)..].join(" | ")
}
