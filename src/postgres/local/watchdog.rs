//! Cleans up after a process that can no longer do it: SIGKILL leaves no time for a destructor.
//!
//! Two shells stand in a chain, and each waits for the end of its input. The first, as the server's user, waits on a
//! pipe that only we hold, and stops the server (`pg_ctl` refuses root). The second, as ourselves, waits for the first
//! to end and removes the directories, which only we may be allowed to do. If the first is killed too, a server without
//! its directory still ends by itself within a minute.

use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

use super::LocalPostgresError;
use super::binaries::Binaries;
use super::place::Place;

/// The shell ignores signals: a terminal that closes, or a Ctrl-C in it, must not end the watchdog before us.
const STOP: &str =
    r#"trap '' HUP INT TERM; cat >/dev/null; "$1" stop -s -w -m immediate -D "$2" >/dev/null 2>&1"#;

/// The shell removes twice, since an `initdb` that is just failing may still have written a file after the first time.
const REMOVE: &str =
    r#"trap '' HUP INT TERM; cat >/dev/null; rm -rf -- "$@" || { sleep 1; rm -rf -- "$@"; }"#;

/// The two shells outlive us by a moment.
#[derive(Debug)]
pub(super) struct Watchdog {
    /// Nothing is ever written to this pipe. Only its end counts.
    alive: Option<ChildStdin>,
    stopper: Child,
    remover: Child,
}

impl Watchdog {
    pub(super) fn start(binaries: &Binaries, place: &Place) -> Result<Self, LocalPostgresError> {
        let failed = || LocalPostgresError::io("start the watchdog of the private Postgres");
        let mut stopper = place.account.command("/bin/sh");
        stopper.args(["-c", STOP, "heatstrip-stop"]).arg(binaries.path("pg_ctl")).arg(place.pgdata());
        let mut stopper = stopper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed())?;
        let stopper_ends = stopper.stdout.take().map_or_else(Stdio::null, Stdio::from);

        let mut remover = Command::new("/bin/sh");
        remover.args(["-c", REMOVE, "heatstrip-remove"]).args([&place.data_dir, &place.socket_dir]);
        remover
            .current_dir("/")
            .process_group(0)
            .stdin(stopper_ends)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let remover = remover.spawn().map_err(failed())?;
        Ok(Self { alive: stopper.stdin.take(), stopper, remover })
    }

    /// Lets the watchdog do its work now, and waits until the directories are gone.
    pub(super) async fn finish(mut self) {
        drop(self.alive.take());
        let waited = tokio::task::spawn_blocking(move || {
            self.stopper.wait().and_then(|_| self.remover.wait()).map(|status| status.success())
        });
        if !matches!(waited.await, Ok(Ok(true))) {
            tracing::warn!("the directory of a private Postgres could not be removed");
        }
    }
}
