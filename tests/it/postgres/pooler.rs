//! The real `PgBouncer` in front of Postgres: it may pool sessions, and is refused in one line where it pools transactions.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use heatstrip::postgres::Store;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio_postgres::{Config, NoTls, config::Host};

use crate::{
    support::{Process, TestDatabase, database, heatstrip, until},
    viewers::salt_destruction::files_with,
};

/// A `PgBouncer` of this test's own; killed when it is dropped.
struct Pooler {
    url: String,
    folder: TempDir,
    _process: Child,
}

impl Pooler {
    /// Starts one in a mode, in front of a database.
    async fn start(database: &TestDatabase, mode: &str) -> Pooler {
        let config: Config = database.url.parse().expect("a URL");
        let Host::Unix(socket_dir) = &config.get_hosts()[0] else {
            panic!("the tests' Postgres has a socket")
        };
        let name = config.get_dbname().expect("a name");
        let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let folder = TempDir::new().expect("a folder");
        let (ini, log) = (folder.path().join("pgbouncer.ini"), folder.path().join("pgbouncer.log"));
        let text = format!(
            "[databases]\n{name} = host={} port={} user={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = {mode}\nlogfile = {}\n",
            socket_dir.display(),
            config.get_ports()[0],
            config.get_user().expect("a user"),
            log.display(),
        );
        fs::write(&ini, text).expect("its settings");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("it may write its log");
        let program =
            if Path::new("/usr/sbin/pgbouncer").exists() { "/usr/sbin/pgbouncer" } else { "pgbouncer" };
        let mut command = Command::new(program);
        if nix::unistd::geteuid().is_root() {
            // It refuses to be root, and has to reach the server's socket.
            let owner = fs::metadata(socket_dir).expect("the socket's folder").uid();
            let owner =
                nix::unistd::User::from_uid(owner.into()).expect("a look").expect("the server's user");
            command.args(["-u", &owner.name]);
        }
        let process =
            command.arg(&ini).kill_on_drop(true).spawn().expect("script/bootstrap --tests installs it");
        let url = format!("postgresql://somebody@127.0.0.1:{port}/{name}");
        let pooler = Pooler { url, folder, _process: process };
        until("the pooler answers", Duration::from_secs(10), async || {
            tokio_postgres::connect(&pooler.url, NoTls).await.ok().map(|_| ())
        })
        .await;
        pooler
    }

    fn start_process(&self, arguments: &[&str], log: &str) -> Process {
        let mut command = heatstrip(arguments);
        command.env("DATABASE_URL", &self.url);
        Process::start(command, &self.folder.path().join(log))
    }
}

#[tokio::test]
async fn a_pooler_of_sessions_may_stand_in_front_of_everything() {
    let database = database().await;
    let pooler = Pooler::start(&database, "session").await;
    let mut migrate = pooler.start_process(&["migrate"], "migrate.log");
    assert!(migrate.wait(Duration::from_secs(30)).await.success(), "{}", migrate.log());
    let mut api = pooler.start_process(&["serve", "--listen", "127.0.0.1:0"], "api.log");
    let url = until("the API listens", Duration::from_secs(30), async || {
        api.assert_runs();
        let log = api.log();
        log.lines().find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
    })
    .await;
    let client = heatstrip::import::replay::client();
    let batch = r#"{"batch_id":"0193519e-6ac4-7f2b-9df5-6f2a6e2b8a11","heartbeats":[
        {"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"a"}]}"#;
    for _ in 0..2 {
        let sent = client.post(format!("{url}/v1/heartbeats")).body(batch).send().await.expect("an answer");
        assert_eq!(sent.status(), 202);
    }
    let mut worker = pooler.start_process(&["work", "--once"], "worker.log");
    assert!(worker.wait(Duration::from_secs(30)).await.success(), "{}", worker.log());
    let strip = client.get(format!("{url}/v1/videos/v/heatmap")).send().await.expect("an answer");
    let strip: serde_json::Value = strip.json().await.expect("JSON");
    assert_eq!(strip["seconds_played"], 10, "once");
    let sql = database.connect().await;
    sql.batch_execute(
        "INSERT INTO salt_epochs (first_day, last_day, rotation, salt, made_at, used_through)
         VALUES ('2026-01-01', '2026-01-01', 'daily', 'a salt whose time has come', now() - interval '3 days', '2026-01-01')",
    )
    .await
    .expect("a salt");
    assert_eq!(files_with(&sql, b"a salt whose time has come").await, ["salt_epochs"]);
    let mut night = pooler.start_process(&["compact"], "compact.log");
    assert!(night.wait(Duration::from_secs(60)).await.success(), "{}", night.log());
    assert_eq!(files_with(&sql, b"a salt whose time has come").await, Vec::<String>::new());
    let mut doctor = pooler.start_process(&["doctor"], "doctor.log");
    doctor.wait(Duration::from_secs(30)).await;
    assert!(doctor.log().contains("ok    schema"), "{}", doctor.log());

    // What a session is set to survives the pooler.
    let store = Store::connect(&pooler.url, 2).await.expect("a store");
    store.queue_depth().await.expect("a look");
    let query = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'heatstrip'";
    assert!(sql.query_one(query, &[]).await.expect("the sessions").get::<_, i64>(0) > 0);
}

#[tokio::test]
async fn a_pooler_of_transactions_is_refused_in_one_line() {
    let database = database().await;
    let pooler = Pooler::start(&database, "transaction").await;
    for arguments in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["work", "--once"],
        &["compact"],
        &["migrate"],
        &["forget", "--video", "v"],
    ] {
        let log = format!("{}.log", arguments[0]);
        let mut process = pooler.start_process(arguments, &log);
        let status = process.wait(Duration::from_secs(30)).await;
        let said = process.log();
        assert_eq!(status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("pool_mode = session"), "{arguments:?}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "{arguments:?}: {said}");
    }
}
