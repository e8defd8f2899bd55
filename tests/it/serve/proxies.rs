//! The example configurations for nginx and Caddy, tried with the programs themselves, at the root and below a path.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

use heatstrip::access::{
    budget::Budget,
    key::{Key, Role, Secret},
};
use tokio::process::Command;

use crate::support::{Authority, Certificate, Process, Served, database, until};

/// Everything that an example has to be told.
struct Place<'a> {
    folder: &'a Path,
    upstream: &'a str,
    port: u16,
    signed: &'a Certificate,
    base_path: &'a str,
}

impl Place<'_> {
    /// Returns an example with what is different here; each of these things must be in it.
    fn example(&self, name: &str, differences: &[(&str, String)]) -> String {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ops").join(name);
        let mut example = std::fs::read_to_string(path).expect("the example");
        for (there, here) in differences {
            assert!(example.contains(there), "ops/{name} has no {there}");
            example = example.replace(there, here);
        }
        example
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }
}

fn nginx(place: &Place) -> Command {
    let folder = place.folder.display();
    let Place { upstream, port, signed, base_path, .. } = place;
    let example = place.example(
        "nginx.conf",
        &[
            ("server 127.0.0.1:8080;", format!("server {upstream};")),
            ("listen 443 ssl;", format!("listen 127.0.0.1:{port} ssl;")),
            ("/etc/ssl/heat.example.pem", signed.cert.display().to_string()),
            ("/etc/ssl/heat.example.key", signed.key.display().to_string()),
            ("/var/log/nginx/heatstrip.log", format!("{folder}/access.log")),
            ("location / {", format!("location {base_path}/ {{")),
            ("location = /metrics {", format!("location = {base_path}/metrics {{")),
        ],
    );
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/{name};"))
        .join("\n");
    let around = format!(
        "daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;\nevents {{}}\nhttp {{\n{temporary}\n{example}\n}}\n"
    );
    let mut command = command("/usr/sbin/nginx", "nginx");
    command.arg("-c").arg(place.write("nginx.conf", &around)).arg("-p").arg(place.folder);
    command
}

fn caddy(place: &Place) -> Command {
    let folder = place.folder.display();
    let Place { upstream, port, signed, base_path, .. } = place;
    let (cert, key) = (signed.cert.display(), signed.key.display());
    let paths = if base_path.is_empty() { "/*".to_owned() } else { format!("{base_path}*") };
    let example = place.example(
        "Caddyfile",
        &[
            ("heat.example {", format!("https://127.0.0.1:{port} {{\n\tbind 127.0.0.1\n\ttls {cert} {key}")),
            ("reverse_proxy /* 127.0.0.1:8080", format!("reverse_proxy {paths} {upstream}")),
            ("respond /metrics 404", format!("respond {base_path}/metrics 404")),
            ("/var/log/caddy/heatstrip.log", format!("{folder}/access.log")),
        ],
    );
    let around = format!(
        "{{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system {folder}\n}}\n{example}"
    );
    let mut command = command("/usr/bin/caddy", "caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(place.write("Caddyfile", &around));
    command.env("HOME", place.folder);
    command
}

/// Returns a program where Debian has it, or wherever it is found.
fn command(path: &str, name: &str) -> Command {
    let mut command = Command::new(if Path::new(path).exists() { path } else { name });
    command.kill_on_drop(true);
    command
}

#[tokio::test]
async fn the_example_for_nginx_does_what_it_says() {
    does_what_it_says(nginx, "").await;
}

#[tokio::test]
async fn the_example_for_nginx_works_below_a_path() {
    does_what_it_says(nginx, "/heat").await;
}

#[tokio::test]
async fn the_example_for_caddy_does_what_it_says() {
    does_what_it_says(caddy, "").await;
}

#[tokio::test]
async fn the_example_for_caddy_works_below_a_path() {
    does_what_it_says(caddy, "/heat").await;
}

async fn does_what_it_says(proxy: impl Fn(&Place) -> Command, base_path: &str) {
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
    let served =
        Served::api(&database, &["--client-address-header", "X-Forwarded-For", "--base-path", base_path])
            .await;
    let upstream = served.url.strip_prefix("http://").and_then(|rest| rest.strip_suffix(base_path));
    let upstream = upstream.expect("an address with the path");

    let authority = Authority::new(folder.path(), "authority");
    let signed = authority.sign("127.0.0.1");
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        free.local_addr().expect("an address").port()
    };
    let place = Place { folder: folder.path(), upstream, port, signed: &signed, base_path };
    let mut process = Process::start(proxy(&place), &folder.path().join("proxy.log"));
    let pem = std::fs::read(&authority.cert).expect("the certificate");
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&pem).expect("a certificate")])
        .build()
        .expect("a client");
    let root = format!("https://127.0.0.1:{port}");
    let url = format!("{root}{base_path}");
    until("the proxy answers", Duration::from_secs(20), async || {
        process.assert_runs();
        client.get(format!("{url}/healthz")).send().await.ok().filter(|answer| answer.status() == 200)
    })
    .await;

    // The page, and a file that it names relative to itself; whoever forgets the slash gets there too.
    let page = client.get(if base_path.is_empty() { format!("{url}/") } else { url.clone() }).send().await;
    let page = page.expect("an answer");
    assert_eq!((page.status().as_u16(), page.url().path()), (200, format!("{base_path}/").as_str()));
    let at = page.url().clone();
    assert!(page.headers().contains_key("x-request-id"));
    let page = page.text().await.expect("a text");
    let script = page.split("src=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a script");
    let script =
        client.get(at.join(script).expect("an address")).header("accept-encoding", "gzip").send().await;
    let script = script.expect("an answer");
    assert_eq!(script.status(), 200);
    assert_eq!(script.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(script.headers()["content-encoding"], "gzip");

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
