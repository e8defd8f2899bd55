//! The example configuration for nginx, tried with nginx itself.

use std::{net::TcpListener, path::Path, time::Duration};

use heatstrip::access::{
    budget::Budget,
    key::{Key, Role, Secret},
};
use reqwest::Certificate;
use tokio::process::Command;

use crate::support::{Authority, Process, Served, database, until};

/// Writes the example for this machine, and a configuration around it.
fn configure(folder: &Path, upstream: &str, port: u16, cert: &Path, key: &Path) {
    let example = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ops/nginx.conf"));
    let mut example = example.expect("the example");
    for (there, here) in [
        ("server 127.0.0.1:8080;", format!("server {upstream};")),
        ("listen 443 ssl;", format!("listen 127.0.0.1:{port} ssl;")),
        ("/etc/ssl/heat.example.pem", cert.display().to_string()),
        ("/etc/ssl/heat.example.key", key.display().to_string()),
        ("/var/log/nginx/heatstrip.log", folder.join("access.log").display().to_string()),
    ] {
        assert!(example.contains(there), "the example has no {there}");
        example = example.replace(there, &here);
    }
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {};", folder.join(name).display()))
        .join("\n");
    let whole = format!(
        "daemon off; master_process off; pid {0}/nginx.pid; error_log stderr;\nevents {{}}\nhttp {{\n{temporary}\n{example}\n}}\n",
        folder.display()
    );
    std::fs::write(folder.join("nginx.conf"), whole).expect("a file");
}

#[tokio::test]
async fn the_example_for_nginx_does_what_it_says() {
    let database = database().await;
    let folder = tempfile::tempdir().expect("a folder");
    let store = heatstrip::postgres::Store::connect(&database.url, 2).await.expect("a store");
    let secret = Secret::make(Role::Player).expect("random bytes");
    let key = Key {
        name: "site".into(),
        role: Role::Player,
        origins: Vec::new(),
        video_prefix: None,
        namespace: None,
        signing_secret: None,
        min_audience: None,
        budget: Budget { requests_per_sec: Some(2), watched_secs_per_min: None },
    };
    let now = heatstrip::clock::Clock::system().now();
    assert!(store.add_key(&key, &secret.hash(), now).await.expect("a key"));
    let served = Served::api(&database, &["--client-address-header", "X-Forwarded-For"]).await;

    let authority = Authority::new(folder.path(), "authority");
    let signed = authority.sign("127.0.0.1");
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        free.local_addr().expect("an address").port()
    };
    let upstream = served.url.trim_start_matches("http://");
    configure(folder.path(), upstream, port, &signed.cert, &signed.key);
    let mut command =
        Command::new(if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" });
    command.arg("-c").arg(folder.path().join("nginx.conf")).arg("-p").arg(folder.path()).kill_on_drop(true);
    let mut nginx = Process::start(command, &folder.path().join("nginx.log"));
    let pem = std::fs::read(&authority.cert).expect("the certificate");
    let client = reqwest::Client::builder()
        .tls_certs_only([Certificate::from_pem(&pem).expect("a certificate")])
        .build()
        .expect("a client");
    let url = format!("https://127.0.0.1:{port}");
    until("nginx answers", Duration::from_secs(20), async || {
        nginx.assert_runs();
        client.get(format!("{url}/healthz")).send().await.ok().filter(|answer| answer.status() == 200)
    })
    .await;

    assert_eq!(client.get(format!("{url}/metrics")).send().await.expect("an answer").status(), 404);
    // What came through a proxy is not of this machine, also where a proxy is forgotten.
    let forwarded =
        served.client.get(format!("{}/metrics", served.url)).header("x-forwarded-for", "203.0.113.9");
    assert_eq!(forwarded.send().await.expect("an answer").status(), 403);

    let viewer = uuid::Uuid::new_v4();
    let beat = format!(r#"{{"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"{viewer}"}}"#);
    let keyed = format!("{url}/v1/heartbeats?key={}", secret.text());
    let mut seen = Vec::new();
    for forged in 0..6 {
        let post = client.post(&keyed).header("x-forwarded-for", format!("198.51.100.{forged}"));
        seen.push(post.body(beat.clone()).send().await.expect("an answer").status().as_u16());
    }
    assert!(seen.contains(&202) && seen.contains(&429), "a forged address is a sender of its own: {seen:?}");

    let large = client.post(&keyed).header("x-forwarded-for", "1.2.3.4").body(" ".repeat(3 << 20));
    let answer = large.send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert!([413, 429].contains(&answer.status().as_u16()), "{}", answer.status());
    let log = until("the log is written", Duration::from_secs(20), async || {
        std::fs::read_to_string(folder.path().join("access.log"))
            .ok()
            .filter(|log| log.contains("heartbeats"))
    })
    .await;
    assert!(!log.contains(&secret.text()[4..]), "{log}");
}
