//! Tests the private Postgres: its server and data survive what they should, and every user can run it.

mod killed;

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use heatstrip::postgres::local::{Lifetime, LocalPostgres, LocalPostgresError, LocalPostgresOptions};
use nix::sys::signal::kill;
use nix::unistd::{Pid, geteuid};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

use crate::support::{self, until};

#[tokio::test]
async fn kept_data_survives_a_stop_and_a_new_start() {
    let (_base, data_dir) = new_data_dir();
    let server = LocalPostgres::start(&data_dir, Lifetime::Kept).await.unwrap();
    assert_eq!(server.data_dir(), data_dir.canonicalize().unwrap());
    assert_eq!(server.moved_from(), None);
    server.create_database("kept data", None).await.unwrap();
    let client = connect(&server.url("kept data")).await;
    client.batch_execute("CREATE EXTENSION hll; CREATE TABLE t AS SELECT 7 AS n").await.unwrap();
    let url = server.url("kept data");
    server.stop().await.unwrap();
    assert!(tokio_postgres::connect(&url, NoTls).await.is_err());

    let server = LocalPostgres::start(&data_dir, Lifetime::Kept).await.unwrap();
    assert_eq!(server.url("kept data"), url);
    server.create_database("kept data", None).await.expect("one that exists is left as it is");
    assert_eq!(number(&url, "SELECT n FROM t").await, 7);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn it_is_durable_and_only_on_a_socket() {
    let database = support::database().await;
    let client = connect(&database.url).await;
    for (setting, expected) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("listen_addresses", ""),
        ("jit", "off"),
        ("max_connections", "200"),
        ("server_encoding", "UTF8"),
        ("lc_messages", "C"),
    ] {
        let row = client.query_one("SELECT current_setting($1)", &[&setting]).await.unwrap();
        assert_eq!(row.get::<_, String>(0), expected, "{setting}");
    }
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let one = support::database().await;
    let other = support::database().await;
    assert_ne!(one.url, other.url);
    connect(&one.url).await.batch_execute("CREATE TABLE mine ()").await.unwrap();
    let seen = number(&other.url, "SELECT count(*)::int FROM pg_class WHERE relname = 'mine'").await;
    assert_eq!(seen, 0);
    assert_eq!(number(&other.url, "SELECT (#hll_add(hll_empty(), hll_hash_bigint(1)))::int").await, 1);
}

/// `heatstrip dev` prints the address for people to paste into psql.
#[tokio::test]
async fn psql_accepts_the_same_address() {
    let database = support::database().await;
    // A port in the environment must not lead psql astray.
    let psql =
        Command::new("psql").env("PGPORT", "1").args(["-XAt", "-c", "SELECT 40 + 2", &database.url]).output();
    let printed = psql.expect("psql comes with the server's package");
    assert_eq!(String::from_utf8_lossy(&printed.stdout), "42\n", "{printed:?}");
}

#[tokio::test]
async fn an_immediate_stop_loses_nothing_committed() {
    let (_base, data_dir) = new_data_dir();
    let mut server = LocalPostgres::start(&data_dir, Lifetime::Process).await.unwrap();
    let url = server.url("postgres");
    connect(&url).await.batch_execute("CREATE TABLE t AS SELECT 7 AS n").await.unwrap();
    server.stop_immediately().await.unwrap();
    server.stop_immediately().await.expect("stopping twice is no error");
    assert!(tokio_postgres::connect(&url, NoTls).await.is_err());
    server.restart().await.unwrap();
    assert_eq!(number(&url, "SELECT n FROM t").await, 7);
    server.restart().await.expect("a running server is restarted");
    assert_eq!(number(&url, "SELECT n FROM t").await, 7);
    let socket_dir = socket_dir(&url);
    assert!(socket_dir.is_dir());
    server.stop().await.unwrap();
    assert!(!data_dir.exists() && !socket_dir.exists());
}

#[tokio::test]
async fn a_dropped_kept_server_stops_by_itself() {
    let (_base, data_dir) = new_data_dir();
    let server = LocalPostgres::start(&data_dir, Lifetime::Kept).await.unwrap();
    let pid = postmaster(&data_dir);
    drop(server);
    gone("the server", || is_running(pid)).await;
    LocalPostgres::start(&data_dir, Lifetime::Kept).await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn a_second_start_is_refused_while_the_first_holds_the_directory() {
    let (_base, data_dir) = new_data_dir();
    let first = LocalPostgres::start(&data_dir, Lifetime::Kept).await.unwrap();
    let error = LocalPostgres::start(&data_dir, Lifetime::Kept).await.unwrap_err();
    assert!(matches!(error, LocalPostgresError::InUse(_)), "{error}");
    assert_one_line(&error, "in use by another heatstrip");
    assert_eq!(number(&first.url("postgres"), "SELECT 1").await, 1);
    first.stop().await.unwrap();
}

#[tokio::test]
async fn a_half_made_cluster_is_made_again() {
    let (_base, data_dir) = new_data_dir();
    let unfinished = data_dir.join("pgdata.new-1");
    std::fs::create_dir_all(unfinished.join("base")).unwrap();
    std::fs::write(unfinished.join("PG_VERSION"), "15\n").unwrap();
    std::fs::write(data_dir.join("lock"), "").unwrap();
    let server = LocalPostgres::start(&data_dir, Lifetime::Kept).await.unwrap();
    assert!(!unfinished.exists());
    assert_eq!(number(&server.url("postgres"), "SELECT 1").await, 1);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_with_other_files_is_left_alone() {
    let (_base, data_dir) = new_data_dir();
    std::fs::create_dir(&data_dir).unwrap();
    std::fs::write(data_dir.join("thesis.txt"), "irreplaceable").unwrap();
    for lifetime in [Lifetime::Kept, Lifetime::Process] {
        let error = LocalPostgres::start(&data_dir, lifetime).await.unwrap_err();
        assert_one_line(&error, "choose another data directory");
    }
    assert_eq!(std::fs::read_dir(&data_dir).unwrap().count(), 1);
    assert_eq!(data_dir.metadata().unwrap().uid(), geteuid().as_raw());
}

#[tokio::test]
async fn a_server_that_does_not_start_says_why() {
    let (_base, data_dir) = new_data_dir();
    LocalPostgres::start(&data_dir, Lifetime::Kept).await.unwrap().stop().await.unwrap();
    std::fs::write(data_dir.join("pgdata/postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let error = LocalPostgres::start(&data_dir, Lifetime::Kept).await.unwrap_err();
    assert_one_line(&error, "no_such_setting");
}

#[tokio::test]
async fn missing_binaries_name_the_package() {
    let (base, data_dir) = new_data_dir();
    let options = LocalPostgresOptions { bin_dir: Some(base.path().to_owned()), ..Default::default() };
    let error = LocalPostgres::start_with(&data_dir, Lifetime::Kept, &options).await.unwrap_err();
    assert_one_line(&error, "install the packages postgresql-15 and postgresql-15-hll");
    assert!(!data_dir.exists(), "nothing is made before it is known to be of use");
}

#[tokio::test]
async fn a_missing_hll_names_the_package() {
    let (base, data_dir) = new_data_dir();
    // The server is the real one, but its pg_config points to a place without extensions.
    let bin_dir = base.path().join("bin");
    std::fs::create_dir(&bin_dir).unwrap();
    for program in ["initdb", "pg_ctl"] {
        std::fs::write(bin_dir.join(program), "").unwrap();
    }
    script(&bin_dir.join("postgres"), "echo 'postgres (PostgreSQL) 16.3 (Debian 16.3-1)'");
    script(&bin_dir.join("pg_config"), &format!("echo '{}'", base.path().display()));
    let options = LocalPostgresOptions { bin_dir: Some(bin_dir), ..Default::default() };
    let error = LocalPostgres::start_with(&data_dir, Lifetime::Kept, &options).await.unwrap_err();
    assert_one_line(&error, "install the package postgresql-16-hll");
}

/// This runs as root only: an ordinary user's server runs as that user, who reaches what that user may reach.
#[tokio::test]
async fn a_directory_the_server_cannot_reach_is_replaced() {
    let (base, closed) = new_data_dir();
    let fallback_base = base.path().join("fallback");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o700)).unwrap();
    let asked = closed.join("clone/.heatstrip");
    let options = LocalPostgresOptions { fallback_base: fallback_base.clone(), ..Default::default() };
    let server = LocalPostgres::start_with(&asked, Lifetime::Kept, &options).await.unwrap();
    if geteuid().is_root() {
        assert_eq!(server.moved_from(), Some(&*asked));
        assert_eq!(server.data_dir().parent(), Some(&*fallback_base.canonicalize().unwrap()));
        assert!(!closed.join("clone").exists());
    } else {
        assert_eq!(server.moved_from(), None);
    }
    let data_dir = server.data_dir().to_owned();
    server.create_database("kept", None).await.unwrap();
    server.stop().await.unwrap();
    let server = LocalPostgres::start_with(&asked, Lifetime::Kept, &options).await.unwrap();
    assert_eq!(server.data_dir(), data_dir, "the same place every time");
    connect(&server.url("kept")).await;
    server.stop().await.unwrap();
}

/// Returns a directory that does not exist yet, in one that everybody can enter.
fn new_data_dir() -> (TempDir, PathBuf) {
    let base = tempfile::Builder::new().prefix("heatstrip-it-").tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(base.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let data_dir = base.path().join("data");
    (base, data_dir)
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn number(url: &str, query: &str) -> i32 {
    connect(url).await.query_one(query, &[]).await.unwrap().get(0)
}

/// Returns the process id in the cluster's pid file.
fn postmaster(data_dir: &Path) -> i32 {
    pid_file(data_dir)[0].parse().unwrap()
}

fn socket_dir_on_file(data_dir: &Path) -> PathBuf {
    PathBuf::from(&pid_file(data_dir)[4])
}

fn pid_file(data_dir: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(data_dir.join("pgdata/postmaster.pid")).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn socket_dir(url: &str) -> PathBuf {
    let config: tokio_postgres::Config = url.parse().unwrap();
    match &config.get_hosts()[0] {
        tokio_postgres::config::Host::Unix(dir) => dir.clone(),
        other => panic!("{other:?} is no socket"),
    }
}

/// Returns true if a process lives. An orphan that nobody buries (a container's first process may not) is dead all the
/// same.
pub fn is_running(pid: i32) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.contains(") Z "),
        Err(_) if Path::new("/proc/self").exists() => false,
        Err(_) => kill(Pid::from_raw(pid), None).is_ok(),
    }
}

async fn gone(what: &str, is_there: impl Fn() -> bool) {
    let what = format!("{what} is gone");
    until(&what, Duration::from_secs(30), async || (!is_there()).then_some(())).await;
}

fn script(path: &Path, body: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

#[track_caller]
fn assert_one_line(error: &LocalPostgresError, expected: &str) {
    let text = error.to_string();
    assert!(text.contains(expected) && !text.contains('\n') && !text.ends_with('.'), "{text}");
}
