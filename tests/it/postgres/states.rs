//! A server that fails over, and one that takes no writes: nothing acknowledged is lost, and `/readyz` tells the truth.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use heatstrip::{
    postgres::{
        Store,
        local::{Lifetime, LocalPostgres},
        migrate::migrate,
    },
    work::nightly::Night,
};
use serde_json::json;
use tokio_postgres::{Client, Config, config::Host};
use uuid::Uuid;

use crate::{
    support::{App, Settings, TestDatabase, until},
    viewers::{
        salt_destruction::{files_with, salt_bytes},
        salt_epochs::at,
    },
};

/// How long a server may take to do what it was told.
const SOON: Duration = Duration::from_secs(30);

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("heatstrip-it-{name}-{}", Uuid::new_v4().simple()))
}

async fn setting(sql: &Client, name: &str) -> String {
    sql.query_one("SELECT setting FROM pg_config WHERE name = $1", &[&name]).await.expect("a row").get(0)
}

/// Runs a program of the server's, as the server's user where this process is root.
async fn program(sql: &Client, name: &str, arguments: &[&str], owner: &Path) {
    use std::os::unix::{fs::MetadataExt, process::CommandExt};
    let program = Path::new(&setting(sql, "BINDIR").await).join(name);
    let owner = std::fs::metadata(owner).expect("the server's data");
    let mut command = Command::new(program);
    if nix::unistd::geteuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let output = command.args(arguments).current_dir("/").output().expect("it runs");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

fn socket_dir(url: &str) -> String {
    let config: Config = url.parse().expect("a URL");
    match &config.get_hosts()[0] {
        Host::Unix(path) => path.to_string_lossy().into_owned(),
        Host::Tcp(host) => panic!("{host} is no socket"),
    }
}

async fn send(app: &App, id: Uuid, video: &str) -> (u16, bool) {
    let beat = json!({"video_id": video, "region": "JP", "start_sec": 0, "end_sec": 4, "viewer_id": "a"});
    let answer = app.post(json!({"batch_id": id, "heartbeats": [beat]}).to_string()).await;
    let status = answer.status().as_u16();
    let answer: serde_json::Value = answer.json().await.expect("JSON");
    (status, answer["duplicate"] == true)
}

async fn readiness(app: &App) -> u16 {
    app.get("/readyz").await.status().as_u16()
}

async fn plays(app: &App, video: &str) -> i64 {
    let strip = app.json(&format!("/v1/videos/{video}/heatmap")).await;
    strip["seconds_played"].as_i64().expect("a number")
}

/// A primary with a standby that has all that is committed, as a real pair would be.
struct Pair {
    primary: LocalPostgres,
    standby: LocalPostgres,
    /// Names both servers, and asks for the one that takes writes.
    url: String,
}

impl Pair {
    async fn start() -> Pair {
        let primary = LocalPostgres::start(&folder("primary"), Lifetime::Process).await.expect("a primary");
        primary.create_database("pair", None).await.expect("a database");
        migrate(&primary.url("pair"), 4).await.expect("a schema");
        let (sql, connection) =
            tokio_postgres::connect(&primary.url("pair"), tokio_postgres::NoTls).await.expect("a session");
        tokio::spawn(connection);

        // A server of its own, whose data is then taken from the primary.
        let mut standby =
            LocalPostgres::start(&folder("standby"), Lifetime::Process).await.expect("a server");
        standby.stop_immediately().await.expect("it stops");
        let pgdata = standby.data_dir().join("pgdata");
        std::fs::remove_dir_all(&pgdata).expect("its own data goes");
        let from = primary.url("pair");
        let arguments =
            ["-D", pgdata.to_str().expect("text"), "-R", "-X", "stream", "-c", "fast", "-d", &from];
        program(&sql, "pg_basebackup", &arguments, &primary.data_dir().join("pgdata")).await;
        standby.restart().await.expect("a standby");
        // From here on nothing is acknowledged that the standby does not have.
        sql.batch_execute("ALTER SYSTEM SET synchronous_standby_names = '*'").await.expect("a setting");
        sql.batch_execute("SELECT pg_reload_conf()").await.expect("reloaded");
        until("the standby is in sync", SOON, async || {
            let query = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
            (sql.query_one(query, &[]).await.expect("a count").get::<_, i64>(0) == 1).then_some(())
        })
        .await;
        let config: Config = primary.url("pair").parse().expect("a URL");
        let (port, user) = (config.get_ports()[0], config.get_user().expect("a user").to_owned());
        let (first, second) = (socket_dir(&primary.url("pair")), socket_dir(&standby.url("pair")));
        // In a URL two hosts stand before the path; sockets have no place there.
        let url = format!(
            "dbname=pair host={first},{second} port={port},{port} user={user} target_session_attrs=read-write"
        );
        Pair { primary, standby, url }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_takes_over_and_nothing_acknowledged_is_lost() {
    let mut pair = Pair::start().await;
    let store = Store::connect(&pair.url, 8).await.expect("the one that takes writes");
    let app = App::start_on(TestDatabase { url: pair.url.clone() }, store, Settings::default()).await;
    let (before, during) = (Uuid::now_v7(), Uuid::now_v7());
    assert_eq!(send(&app, before, "before").await, (202, false));
    assert_eq!(app.fold().await, 1);
    let unfolded = Uuid::now_v7();
    assert_eq!(send(&app, unfolded, "unfolded").await, (202, false));
    assert_eq!(readiness(&app).await, 200);

    // Whoever names the standby alone cannot serve, and says so.
    let reader = Store::connect(&pair.standby.url("pair"), 4).await.expect("a standby answers");
    let error = reader.check().await.expect_err("it takes no writes");
    assert!(error.to_string().contains("takes no writes"), "{error}");

    pair.primary.stop_immediately().await.expect("it is gone");
    assert_eq!(send(&app, during, "during").await.0, 503);
    // Probes may be told what was seen a second ago.
    until("it is not ready", SOON, async || (readiness(&app).await == 503).then_some(())).await;

    let promoting = pair.standby.url("pair");
    let (sql, connection) =
        tokio_postgres::connect(&promoting, tokio_postgres::NoTls).await.expect("a session");
    tokio::spawn(connection);
    sql.query_one("SELECT pg_promote()", &[]).await.expect("promoted");
    until("the API is ready again", SOON, async || (readiness(&app).await == 200).then_some(())).await;
    assert_eq!(send(&app, before, "before").await, (202, true), "what was acknowledged is known");
    assert_eq!(send(&app, unfolded, "unfolded").await, (202, true));
    assert_eq!(send(&app, during, "during").await, (202, false));
    assert_eq!(app.fold().await, 2);
    for video in ["before", "unfolded", "during"] {
        assert_eq!(plays(&app, video).await, 5, "{video}");
    }
    pair.standby.stop().await.expect("the server stops");
}

/// Whoever looks for salts every ten minutes destroys them beside a standby, whose files forget them too, and after a failover
/// as soon as a server takes writes again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn salts_go_beside_a_standby_and_after_its_promotion() {
    let mut pair = Pair::start().await;
    let store = Store::connect(&pair.url, 8).await.expect("the one that takes writes");
    let app = App::start_on(TestDatabase { url: pair.url.clone() }, store, Settings::default()).await;
    let primary = TestDatabase { url: pair.primary.url("pair") }.connect().await;
    let standby = TestDatabase { url: pair.standby.url("pair") }.connect().await;
    let look = async || Night::new(&app.store, &app.clock).patience(Duration::ZERO).keep_promise().await;
    let replayed = async |bytes: &[u8], files: &[&str]| {
        until("the standby has it as well", SOON, async || {
            // A standby writes its files out as far as its primary has.
            primary.batch_execute("CHECKPOINT").await.expect("a checkpoint");
            (files_with(&standby, bytes).await == files).then_some(())
        })
        .await;
    };
    assert_eq!(send(&app, Uuid::now_v7(), "v").await, (202, false));
    let first = salt_bytes(&primary, app.clock.today()).await;
    replayed(&first, &["salt_epochs"]).await;
    app.clock.set(at("2026-11-24T00:00:00Z"));
    assert_eq!(look().await.expect("destroyed"), 1);
    assert_eq!(files_with(&primary, &first).await, Vec::<String>::new());
    replayed(&first, &[]).await;

    assert_eq!(send(&app, Uuid::now_v7(), "v").await, (202, false));
    let second = salt_bytes(&primary, app.clock.today()).await;
    replayed(&second, &["salt_epochs"]).await;
    pair.primary.stop_immediately().await.expect("it is gone");
    app.clock.set(at("2026-11-27T00:00:00Z"));
    look().await.expect_err("nobody takes writes");
    assert_eq!(files_with(&standby, &second).await, ["salt_epochs"]);
    standby.query_one("SELECT pg_promote()", &[]).await.expect("promoted");
    until("the API is ready again", SOON, async || (readiness(&app).await == 200).then_some(())).await;
    assert_eq!(look().await.expect("destroyed"), 1);
    assert_eq!(files_with(&standby, &second).await, Vec::<String>::new());
    pair.standby.stop().await.expect("the server stops");
}

/// A server that is told to take no writes, as a fenced primary is: sessions that were open before notice it too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_writes_is_not_ready() {
    let app = App::start(Settings::default()).await;
    let sql = app.database.connect().await;
    assert_eq!(readiness(&app).await, 200);
    let name: String = sql.query_one("SELECT current_database()", &[]).await.expect("a row").get(0);
    sql.batch_execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"))
        .await
        .expect("no more writes");
    sql.batch_execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await
    .expect("sessions end");
    let id = Uuid::now_v7();
    until("heartbeats are refused", SOON, async || (send(&app, id, "v").await.0 == 503).then_some(())).await;
    // Probes may be told what was seen a second ago.
    until("it is not ready", SOON, async || (readiness(&app).await == 503).then_some(())).await;

    sql.batch_execute(&format!(
        "SET default_transaction_read_only = off; ALTER DATABASE {name} RESET default_transaction_read_only"
    ))
    .await
    .expect("writes again");
    // Nobody sends anything: the API finds out by itself, as it would behind a balancer.
    until("the API is ready again", SOON, async || (readiness(&app).await == 200).then_some(())).await;
    assert_eq!(send(&app, id, "v").await.0, 202);
    assert_eq!(app.fold().await, 1);
    assert_eq!(plays(&app, "v").await, 5, "once");
}

/// A dump is restored into a fresh server: what it holds is served, folded and compacted there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_is_restored_into_a_fresh_server() {
    let app = App::start(Settings::default()).await;
    let (folded, queued) = (Uuid::now_v7(), Uuid::now_v7());
    assert_eq!(send(&app, folded, "v").await, (202, false));
    assert_eq!(app.fold().await, 1);
    app.store.advance_queue_heads(false).await.expect("advanced");
    app.store.advance_queue_heads(false).await.expect("advanced");
    assert_eq!(send(&app, queued, "v").await, (202, false));

    let fresh = LocalPostgres::start(&folder("fresh"), Lifetime::Process).await.expect("a fresh server");
    fresh.create_database("restored", None).await.expect("a database");
    let sql = app.database.connect().await;
    let owner = PathBuf::from(setting_of(&sql, "data_directory").await);
    let dump = folder("dump");
    std::fs::create_dir(&dump).expect("a folder");
    std::fs::set_permissions(&dump, std::os::unix::fs::PermissionsExt::from_mode(0o777))
        .expect("open to all");
    let file = dump.join("heatstrip.dump");
    let file = file.to_str().expect("text");
    program(&sql, "pg_dump", &["--format", "custom", "--file", file, &app.database.url], &owner).await;
    program(&sql, "pg_restore", &["--dbname", &fresh.url("restored"), file], &owner).await;

    let url = fresh.url("restored");
    let store = Store::connect(&url, 8).await.expect("its schema is known");
    let restored = App::start_on(TestDatabase { url }, store, Settings::default()).await;
    assert_eq!(readiness(&restored).await, 200);
    assert_eq!(plays(&restored, "v").await, 5);
    assert_eq!(send(&restored, folded, "v").await, (202, true), "what was accepted is known there too");
    assert_eq!(restored.fold().await, 1, "what was queued is folded there");
    assert_eq!(plays(&restored, "v").await, 10);
    // Heads of another server's transactions do not keep what comes now.
    for round in 0..5 {
        restored.store.advance_queue_heads(false).await.expect("advanced");
        assert_eq!(send(&restored, Uuid::now_v7(), "v").await, (202, false));
        assert_eq!(restored.fold().await, 1, "round {round}");
    }
    assert_eq!(plays(&restored, "v").await, 35);
    let yesterday = restored.clock.today().pred_opt().expect("a day");
    let night = heatstrip::work::nightly::Night::new(&restored.store, &restored.clock);
    night.run(yesterday, heatstrip::work::nightly::Keep::default(), |_| ()).await.expect("a night");
    fresh.stop().await.expect("the server stops");
}

async fn setting_of(sql: &Client, name: &str) -> String {
    sql.query_one("SELECT current_setting($1)", &[&name]).await.expect("a setting").get(0)
}
