//! The listener itself encrypts, for who has no proxy in front.

use reqwest::Certificate;

use crate::support::{Authority, Served, database, heatstrip};

#[tokio::test]
async fn the_listener_shows_its_certificate() {
    let database = database().await;
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::new(folder.path(), "authority");
    let signed = authority.sign("127.0.0.1");
    let (cert, key) = (signed.cert.to_string_lossy(), signed.key.to_string_lossy());
    let served = Served::api(&database, &["--tls-cert", &cert, "--tls-key", &key]).await;
    assert!(served.url.starts_with("https://"), "{}", served.url);
    // Who does not know the authority does not go on.
    assert!(served.client.get(format!("{}/healthz", served.url)).send().await.is_err());
    let pem = std::fs::read(&authority.cert).expect("the certificate");
    let client = reqwest::Client::builder()
        .tls_certs_only([Certificate::from_pem(&pem).expect("a certificate")])
        .build()
        .expect("a client");
    assert_eq!(client.get(format!("{}/healthz", served.url)).send().await.expect("an answer").status(), 200);
    let body = r#"{"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"a"}"#;
    let post = client.post(format!("{}/v1/heartbeats", served.url)).body(body);
    assert_eq!(post.send().await.expect("an answer").status(), 202);
    // Who speaks without a handshake is let go of.
    let plain = served.url.replace("https://", "http://");
    assert!(client.get(format!("{plain}/healthz")).send().await.is_err());

    let half = heatstrip(&["serve", "--tls-cert", &cert]).env("DATABASE_URL", &database.url).output().await;
    assert_eq!(half.expect("the binary").status.code(), Some(2));
}
