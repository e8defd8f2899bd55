//! Keys and viewer ids stand in no log, metric, answer or address that the server writes.

use heatstrip::access::key::{Role, Secret};
use reqwest::Method;

use super::key;
use crate::support::{Served, database};

const VIEWER: &str = "canary-viewer-5f0c";

#[tokio::test]
async fn canaries_are_seen_nowhere() {
    let database = database().await;
    let store = heatstrip::postgres::Store::connect(&database.url, 2).await.expect("a store");
    let mut keys = Vec::new();
    for role in Role::ALL {
        let secret = Secret::make(role).expect("random bytes");
        let key = key(role.name(), role);
        let now = heatstrip::clock::Clock::system().now();
        assert!(store.add_key(&key, &secret.hash(), now).await.expect("a key"));
        keys.push(secret);
    }
    keys.push(Secret::make(Role::Player).expect("random bytes"));
    let served =
        Served::start(&database, &["--log", "trace", "serve", "--listen", "127.0.0.1:0"], "listening on")
            .await;
    let mut answers = String::new();
    let body = format!(r#"{{"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"{VIEWER}"}}"#);
    for key in &keys {
        for (method, path) in [
            (Method::POST, "/v1/heartbeats"),
            (Method::GET, "/v1/videos/v/heatmap"),
            (Method::GET, "/v1/videos"),
            (Method::DELETE, "/v1/members/a"),
            (Method::GET, "/nowhere"),
            (Method::POST, "/v1/videos"),
        ] {
            for in_address in [false, true] {
                let url = format!("{}{path}", served.url);
                let request = match in_address {
                    false => served.client.request(method.clone(), url).bearer_auth(key.text()),
                    true => served.client.request(method.clone(), format!("{url}?key={}", key.text())),
                };
                let answer = request.body(body.clone()).send().await.expect("an answer");
                answers += &format!("{:?}", answer.headers());
                answers += &answer.text().await.expect("a text");
            }
        }
    }
    let metrics = served.client.get(format!("{}/metrics", served.url)).send().await.expect("an answer");
    let seen = [answers, metrics.text().await.expect("a text"), served.process.log()];
    assert!(seen[2].contains("/v1/heartbeats"), "the log tells of requests:\n{}", seen[2]);
    for text in &seen {
        assert!(!text.contains(VIEWER), "{text}");
        for key in &keys {
            assert!(!text.contains(&key.text()[4..]), "{text}");
        }
    }
}
