//! Runs the real binary, which serves on a free port that it tells itself.

use std::time::Duration;

use super::{Process, TestDatabase, heatstrip, until};

/// A process that serves; killed when this is dropped.
pub struct Served {
    pub url: String,
    pub client: reqwest::Client,
    pub process: Process,
    _folder: tempfile::TempDir,
}

impl Served {
    /// Starts a command on a database and waits for the address that it prints after `says`.
    pub async fn start(database: &TestDatabase, arguments: &[&str], says: &str) -> Served {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = heatstrip(arguments);
        command.env("DATABASE_URL", &database.url);
        let mut process = Process::start(command, &folder.path().join("process.log"));
        let url = until("the address is said", Duration::from_secs(60), async || {
            process.assert_runs();
            let log = process.log();
            let line = log.lines().find(|line| line.starts_with(says))?;
            Some(line[line.find("http")?..].trim_end_matches("/metrics").to_owned())
        })
        .await;
        Served { url, client: heatstrip::import::replay::client(), process, _folder: folder }
    }

    /// Starts `heatstrip serve`, with more arguments.
    pub async fn api(database: &TestDatabase, arguments: &[&str]) -> Served {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        Served::start(database, &arguments, "listening on").await
    }
}
