//! Somebody is killed: the server, or the process that owns it.
//!
//! An owner is this executable run again, with one of the owners below, since the test itself has to live on. An owner
//! that nobody asked for ends in good order.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use heatstrip::postgres::local::{Lifetime, LocalPostgres};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};

use crate::support::until;

use super::{connect, gone, is_running, new_data_dir, number, postmaster, socket_dir_on_file};

const DATA_DIR: &str = "HEATSTRIP_IT_DATA_DIR";

#[tokio::test]
async fn a_killed_postmaster_is_started_again() {
    let (_base, data_dir) = new_data_dir();
    let mut server = LocalPostgres::start(&data_dir, Lifetime::Process).await.unwrap();
    let url = server.url("postgres");
    let client = connect(&url).await;
    client.batch_execute("CREATE TABLE t AS SELECT 7 AS n").await.unwrap();
    // The server's sessions outlive it by a moment, and until then its memory cannot be used again.
    let busy = tokio::spawn(async move {
        client.batch_execute("SELECT count(*) FROM generate_series(1, 2000000)").await
    });
    let looker = connect(&url).await;
    until("a session is busy", Duration::from_secs(30), async || {
        let busy =
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%generate_series%'
            AND pid <> pg_backend_pid()";
        (looker.query_one(busy, &[]).await.expect("the activity").get::<_, i64>(0) > 0).then_some(())
    })
    .await;
    kill(Pid::from_raw(postmaster(&data_dir)), Signal::SIGKILL).unwrap();
    server.restart().await.unwrap();
    assert_eq!(number(&url, "SELECT n FROM t").await, 7);
    let _ = busy.await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_whose_owner_was_killed_is_taken_over() {
    let (_base, data_dir) = new_data_dir();
    Owner::start("owner_of_a_kept_server", &data_dir).kill();
    let pid = postmaster(&data_dir);
    assert!(is_running(pid));
    let server = LocalPostgres::start(&data_dir, Lifetime::Kept).await.unwrap();
    assert_eq!(postmaster(&data_dir), pid, "the same server");
    assert_eq!(number(&server.url("postgres"), "SELECT n FROM t").await, 7);
    server.stop().await.unwrap();
    gone("the server", || is_running(pid)).await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_replaced() {
    let (_base, data_dir) = new_data_dir();
    Owner::start("owner_of_a_kept_server", &data_dir).kill();
    let pid = postmaster(&data_dir);
    // Somebody cleaned up /tmp.
    std::fs::remove_dir_all(socket_dir_on_file(&data_dir)).unwrap();
    let server = LocalPostgres::start(&data_dir, Lifetime::Kept).await.unwrap();
    assert_ne!(postmaster(&data_dir), pid);
    assert_eq!(number(&server.url("postgres"), "SELECT n FROM t").await, 7);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_watchdog_cleans_up_after_a_killed_process() {
    let (_base, data_dir) = new_data_dir();
    let owner = Owner::start("owner_of_a_process_server", &data_dir);
    let (pid, socket_dir) = (postmaster(&data_dir), socket_dir_on_file(&data_dir));
    assert!(is_running(pid) && socket_dir.is_dir());
    owner.kill();
    gone("the server", || is_running(pid)).await;
    gone("its directories", || data_dir.exists() || socket_dir.exists()).await;
}

/// Most people are not root, but a container's tests are; so root runs the same as `nobody`. For everybody else every
/// other test has shown it already.
#[tokio::test]
async fn an_ordinary_user_needs_no_rights() {
    if !geteuid().is_root() {
        return;
    }
    let (base, data_dir) = new_data_dir();
    let nobody = User::from_name("nobody").unwrap().expect("an account named nobody");
    std::fs::set_permissions(base.path(), PermissionsExt::from_mode(0o777)).unwrap();
    // The build directory may be closed to `nobody`.
    let executable = base.path().join("it");
    std::fs::copy(std::env::current_exe().unwrap(), &executable).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=nobody", "--clear-groups", &format!("--regid={}", nobody.gid)]).arg(executable);
    let owner = Owner::spawn(command, "owner_of_a_process_server", &data_dir);
    assert_eq!(data_dir.join("pgdata").metadata().unwrap().uid(), nobody.uid.as_raw());
    owner.kill();
    gone("the directory", || data_dir.exists()).await;
}

#[tokio::test]
async fn owner_of_a_kept_server() {
    own_until_killed(Lifetime::Kept).await;
}

#[tokio::test]
async fn owner_of_a_process_server() {
    own_until_killed(Lifetime::Process).await;
}

async fn own_until_killed(lifetime: Lifetime) {
    let asked = std::env::var_os(DATA_DIR);
    let own = std::env::temp_dir().join(format!("heatstrip-owner-{}", uuid::Uuid::new_v4().simple()));
    let data_dir = asked.as_ref().map_or(own.clone(), PathBuf::from);
    let server = LocalPostgres::start(&data_dir, lifetime).await.unwrap();
    connect(&server.url("postgres")).await.batch_execute("CREATE TABLE t AS SELECT 7 AS n").await.unwrap();
    if asked.is_none() {
        server.stop().await.unwrap();
        // A kept server keeps its data.
        let _ = std::fs::remove_dir_all(own);
        return;
    }
    println!("\nready");
    std::future::pending::<()>().await;
}

/// A process that owns a server.
struct Owner(Child);

impl Owner {
    fn start(test: &str, data_dir: &Path) -> Self {
        Self::spawn(Command::new(std::env::current_exe().unwrap()), test, data_dir)
    }

    /// Starts an owner and returns when its server answers.
    fn spawn(mut command: Command, test: &str, data_dir: &Path) -> Self {
        command.args(["--nocapture", "--exact", &format!("postgres::local::killed::{test}")]);
        command.env(DATA_DIR, data_dir).current_dir("/").process_group(0).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let owner = Self(child);
        assert!(lines.any(|line| line == "ready"), "the owner ended early, what it says is above");
        owner
    }

    /// Sends SIGKILL, which leaves the owner no time to clean up.
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
