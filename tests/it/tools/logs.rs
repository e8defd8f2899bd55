//! Requests have ids, and logs hold only what they may.

use serde_json::Value;

use crate::support::{App, Served, Settings, database};

/// No log may hold this: neither who watched nor what somebody sent.
const VIEWER: &str = "distinctive-viewer-4711";
const NOISE: &str = "distinctive-noise-4712";

#[tokio::test]
async fn an_answer_names_its_request() {
    let app = App::start(Settings::default()).await;
    let get = async |id: &str| {
        let request = app.client.get(format!("{}/healthz", app.url)).header("x-request-id", id);
        let answer = request.send().await.expect("an answer");
        answer.headers()["x-request-id"].to_str().expect("text").to_owned()
    };
    for taken in ["a", "01JD-proxy_1.2:3", &"x".repeat(128)] {
        assert_eq!(get(taken).await, taken);
    }
    let mut made = Vec::new();
    for refused in ["", "two words", "<script>", "quote\"", &"x".repeat(129)] {
        made.push(get(refused).await);
        uuid::Uuid::try_parse(&made[made.len() - 1]).expect("an id of our own");
    }
    made.sort_unstable();
    made.dedup();
    assert_eq!(made.len(), 5, "each request has its own");
    let nowhere = app.get("/nowhere").await;
    assert!(nowhere.headers().contains_key("x-request-id"));
    let problem: Value = nowhere.json().await.expect("a problem");
    assert_eq!(problem.get("request_id"), None, "the client's own faults need no look into our log");
}

#[tokio::test]
async fn logs_name_the_request_and_never_the_viewer() {
    let database = database().await;
    let served = Served::api(&database, &["--log", "trace", "--log-format", "json"]).await;
    let (url, client) = (&served.url, &served.client);
    let post = async |body: String, id: &str| {
        let request = client.post(format!("{url}/v1/heartbeats")).header("x-request-id", id).body(body);
        request.send().await.expect("an answer")
    };
    let good =
        format!(r#"{{"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"{VIEWER}","note":"{NOISE}"}}"#);
    assert_eq!(post(good.clone(), "id-of-the-good").await.status(), 202);
    for bad in [
        good.replace("end_sec", "end"),
        format!("[{good}, {NOISE}]"),
        format!("{good} {NOISE}"),
        NOISE.to_owned(),
        format!(r#"{{"batch_id":"{NOISE}","heartbeats":[{good}]}}"#),
    ] {
        assert!(post(bad, "id-of-the-bad").await.status().as_u16() >= 202);
    }

    // A fault of ours: the answer and the log name it alike.
    let client_of_postgres = database.connect().await;
    client_of_postgres.batch_execute("DROP TABLE heartbeat_queue CASCADE").await.expect("it is there");
    let answer = post(good, "id-of-the-fault").await;
    assert_eq!(answer.status(), 500);
    let problem: Value = answer.json().await.expect("a problem");
    assert_eq!(problem["request_id"], "id-of-the-fault");

    let log = served.process.log();
    assert!(!log.contains(VIEWER) && !log.contains(NOISE), "{log}");
    let line = log.lines().find(|line| line.contains("the database refused a request")).expect("the fault");
    let line: Value = serde_json::from_str(line).expect("a JSON object a line");
    assert_eq!((&line["span"]["id"], &line["level"]), (&"id-of-the-fault".into(), &"ERROR".into()));
    assert_eq!(line["span"]["route"], "/v1/heartbeats");
    assert!(log.contains("answered 202"), "every request is there at debug");
}
