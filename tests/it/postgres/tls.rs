//! Sessions with a server that takes none that is not encrypted.

use std::{
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use heatstrip::postgres::{
    Store,
    local::{Lifetime, LocalPostgres, LocalPostgresOptions},
    migrate::migrate,
};
use tokio_postgres::NoTls;

use crate::support::{Authority, heatstrip};

/// A server that listens on an address of its own, with a certificate for it.
struct World {
    server: LocalPostgres,
    address: &'static str,
    authority: Authority,
    folder: tempfile::TempDir,
}

/// Puts a file where the server reads it, as its own.
fn give(from: &Path, pgdata: &Path, name: &str) {
    let to = pgdata.join(name);
    std::fs::copy(from, &to).expect("a copy");
    std::fs::set_permissions(&to, PermissionsExt::from_mode(0o600)).expect("a mode");
    let owner = pgdata.metadata().expect("the cluster");
    chown(&to, Some(owner.uid()), Some(owner.gid())).expect("an owner");
}

async fn world() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    // All of 127.0.0.0/8 is this machine, so that the fixed port is in nobody's way.
    let [a, b, c]: [u8; 3] = rand::random();
    let address: &'static str = Box::leak(format!("127.{a}.{b}.{}", c.max(2)).into_boxed_str());
    let options = LocalPostgresOptions {
        settings: vec![("listen_addresses", address)],
        ..LocalPostgresOptions::default()
    };
    let data = std::env::temp_dir().join(format!("heatstrip-it-{}", uuid::Uuid::new_v4().simple()));
    let server = LocalPostgres::start_with(&data, Lifetime::Process, &options).await.expect("a server");
    let pgdata = server.data_dir().join("pgdata");
    let authority = Authority::new(folder.path(), "authority");
    let signed = authority.sign(address);
    give(&signed.cert, &pgdata, "server.crt");
    give(&signed.key, &pgdata, "server.key");
    give(&authority.cert, &pgdata, "root.crt");
    let rules = "local all all trust\nhostssl mutual all 127.0.0.0/8 trust clientcert=verify-ca\n\
                 hostssl all all 127.0.0.0/8 trust\n";
    std::fs::write(pgdata.join("pg_hba.conf"), rules).expect("the rules");
    let (client, connection) =
        tokio_postgres::connect(&server.url("postgres"), NoTls).await.expect("a session");
    tokio::spawn(connection);
    for set in ["ssl = on", "ssl_ca_file = 'root.crt'"] {
        client.batch_execute(&format!("ALTER SYSTEM SET {set}")).await.expect(set);
    }
    client.batch_execute("SELECT pg_reload_conf()").await.expect("a reload");
    for database in ["encrypted", "mutual"] {
        server.create_database(database, None).await.expect("a database");
        migrate(&server.url(database), 16).await.expect("a schema");
    }
    World { server, address, authority, folder }
}

impl World {
    fn url(&self, database: &str, parameters: &str) -> String {
        format!("postgresql://heatstrip@{}:5432/{database}?{parameters}", self.address)
    }

    /// Returns what comes of connecting, in words.
    async fn tried(&self, database: &str, parameters: &str) -> Result<(), String> {
        match Store::connect(&self.url(database, parameters), 1).await {
            Ok(store) => {
                store.close();
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mode_is_as_sure_as_it_says() {
    let world = world().await;
    let other = Authority::new(world.folder.path(), "stranger");
    let right = format!("sslrootcert={}", world.authority.cert.display());
    let wrong = format!("sslrootcert={}", other.cert.display());
    // The server may take a moment to read its settings anew.
    crate::support::until("the server encrypts", std::time::Duration::from_secs(20), async || {
        world.tried("encrypted", "sslmode=require").await.ok()
    })
    .await;
    // The name of another host, at the same address.
    let elsewhere = format!("hostaddr={}", world.address);
    let url = |parameters: &str| {
        format!("postgresql://heatstrip@elsewhere.example:5432/encrypted?{elsewhere}&{parameters}")
    };
    for (url, is_good) in [
        (world.url("encrypted", "sslmode=disable"), false),
        (world.url("encrypted", ""), true),
        (world.url("encrypted", "sslmode=prefer"), true),
        (world.url("encrypted", "sslmode=require"), true),
        (world.url("encrypted", &format!("sslmode=verify-ca&{right}")), true),
        (world.url("encrypted", &format!("sslmode=verify-ca&{wrong}")), false),
        (world.url("encrypted", &format!("sslmode=require&{wrong}")), false),
        (world.url("encrypted", "sslmode=verify-ca"), false),
        (world.url("encrypted", &format!("sslmode=verify-full&{right}")), true),
        (world.url("encrypted", &format!("sslmode=verify-full&{wrong}")), false),
        (url(&format!("sslmode=verify-ca&{right}")), true),
        (url(&format!("sslmode=verify-full&{right}")), false),
    ] {
        let outcome = Store::connect(&url, 1).await.map(|store| store.close());
        assert_eq!(outcome.is_ok(), is_good, "{url}: {:?}", outcome.err().map(|error| error.to_string()));
    }
    let client = world.authority.sign("client.example");
    let own = format!(
        "sslmode=verify-full&{right}&sslcert={}&sslkey={}",
        client.cert.display(),
        client.key.display()
    );
    assert_eq!(world.tried("mutual", &own).await, Ok(()));
    assert!(world.tried("mutual", &format!("sslmode=verify-full&{right}")).await.is_err());
    assert!(
        world.tried("encrypted", "sslcert=/nowhere").await.expect_err("half").contains("belong together")
    );
    world.server.stop().await.expect("it stops");
}

/// The server takes nothing that is not encrypted, so a command that works is one that encrypts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_encrypts() {
    let world = world().await;
    let url = world
        .url("encrypted", &format!("sslmode=verify-full&sslrootcert={}", world.authority.cert.display()));
    crate::support::until("the server encrypts", std::time::Duration::from_secs(20), async || {
        world.tried("encrypted", "sslmode=require").await.ok()
    })
    .await;
    let file = world.folder.path().join("heartbeats.ndjson");
    std::fs::write(&file, r#"{"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"a"}"#).expect("a file");
    let file = file.to_string_lossy().into_owned();
    for arguments in [
        &["migrate"][..],
        &["replay", &file],
        &["work", "--once"],
        &["compact"],
        &["show", "v"],
        &["keys", "create", "--role", "server", "--name", "one"],
        &["keys", "list"],
        &["kinds", "list"],
        &["reconcile"],
        &["forget", "--video", "v"],
        &["doctor"],
    ] {
        let output = heatstrip(arguments).env("DATABASE_URL", &url).output().await.expect("the binary");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let said = said + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || arguments == ["doctor"], "{arguments:?}: {said}");
        if arguments == ["doctor"] {
            assert!(said.contains("encrypted (TLSv1.3"), "{said}");
        }
        let plain = world.url("encrypted", "sslmode=disable");
        let output = heatstrip(arguments).env("DATABASE_URL", &plain).output().await.expect("the binary");
        assert!(!output.status.success(), "{arguments:?} got in without");
    }
    world.server.stop().await.expect("it stops");
}
