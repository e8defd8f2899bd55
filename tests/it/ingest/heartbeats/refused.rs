//! Some bodies cannot be cut into heartbeats at all, some ids are none, and some paths and methods do not exist.

use uuid::Uuid;

use super::{good, post, send, start};

#[tokio::test]
async fn bodies_that_hold_no_heartbeats_are_400() {
    let app = start().await;
    let good = good("whole");
    let id = Uuid::now_v7();
    let envelope = |batch_id: &str, heartbeats: &str| {
        format!(r#"{{"batch_id":{batch_id},"heartbeats":{heartbeats}}}"#).into_bytes()
    };
    let not_utf8 = |prefix: &str| [prefix.as_bytes(), b"\xff", good.as_bytes()].concat();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("application/json", not_utf8(""), "UTF-8"),
        ("application/json", [good.as_bytes(), b"\xc3"].concat(), "UTF-8"),
        ("application/json", b"{\"odd\":\"\xed\xa0\x80\"}".to_vec(), "UTF-8"),
        ("application/json", b"\xff\xfe{\x00}\x00".to_vec(), "UTF-8"),
        // One line that is no text spoils them all, because nobody knows where a character ends.
        ("application/x-ndjson", not_utf8(&format!("{good}\n")), "UTF-8"),
        ("application/x-ndjson", [good.as_bytes(), b"\n\x80\n", good.as_bytes()].concat(), "UTF-8"),
        ("application/json", b"".to_vec(), "not JSON"),
        ("application/json", b" \n".to_vec(), "not JSON"),
        ("application/json", b"{".to_vec(), "not JSON"),
        ("application/json", b"[".to_vec(), "not JSON"),
        ("application/json", "[".repeat(500_000).into_bytes(), "not JSON"),
        ("application/json", r#"{"a":"#.repeat(100_000).into_bytes(), "not JSON"),
        ("application/json", b"nonsense".to_vec(), "not JSON"),
        ("application/json", b"{}{}".to_vec(), "not JSON"),
        ("application/json", b"[]x".to_vec(), "not JSON"),
        ("application/json", b"{'a':1}".to_vec(), "not JSON"),
        ("application/json", b"[1,]".to_vec(), "not JSON"),
        ("application/json", b"\x0c[]".to_vec(), "not JSON"),
        ("application/json", format!("\u{feff}{good}").into_bytes(), "not JSON"),
        ("application/json", format!("{good}\n{good}").into_bytes(), "not JSON"),
        ("application/json", format!("[{good},{{\"a\":\"\u{1}\"}}]").into_bytes(), "not JSON"),
        ("application/json", format!("[{good},]").into_bytes(), "not JSON"),
        ("application/json", format!("[{good}").into_bytes(), "not JSON"),
        ("text/plain", b"video_id=a&start_sec=1".to_vec(), "not JSON"),
        ("application/json", b"5".to_vec(), "neither an object nor an array"),
        ("application/json", b"null".to_vec(), "neither an object nor an array"),
        ("application/json", b" \"text\" ".to_vec(), "neither an object nor an array"),
        ("application/json", b"1e999".to_vec(), "neither an object nor an array"),
        ("application/json", envelope("null", "{}"), "bad envelope"),
        ("application/json", envelope("null", "\"[]\""), "bad envelope"),
        ("application/json", envelope("null", "5"), "bad envelope"),
        ("application/json", envelope("null", &good), "bad envelope"),
        ("application/json", envelope("5", &format!("[{good}]")), "batch_id must be a UUID"),
        ("application/json", envelope("\"\"", &format!("[{good}]")), "batch_id must be a UUID"),
        ("application/json", envelope("\"7\"", &format!("[{good}]")), "batch_id must be a UUID"),
        ("application/json", envelope("[]", &format!("[{good}]")), "batch_id must be a UUID"),
        ("application/json", envelope("\"\\ud800\"", &format!("[{good}]")), "batch_id must be a UUID"),
        (
            "application/json",
            envelope(&format!("\"{id}x\""), &format!("[{good}]")),
            "batch_id must be a UUID",
        ),
        (
            "application/json",
            format!(r#"{{"heartbeats":[],"heartbeats":[{good}]}}"#).into_bytes(),
            "bad envelope",
        ),
        (
            "application/json",
            format!(r#"{{"batch_id":"{id}","batch_id":"{id}","heartbeats":[{good}]}}"#).into_bytes(),
            "bad envelope",
        ),
    ];
    for (content_type, body, says) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        let answer = post(&app, Some(content_type), body).await;
        let (status, text) = answer.refusal();
        assert_eq!(status, 400, "{shown}: {}", answer.json);
        assert!(text.contains(says), "{shown}: {text}");
    }
    assert_eq!(app.fold().await, 0);
}

#[tokio::test]
async fn idempotency_keys_that_are_none_are_400() {
    let app = start().await;
    let (id, other) = (Uuid::now_v7(), Uuid::now_v7());
    let url = format!("{}/v1/heartbeats", app.url);
    let send_with = |key: Vec<u8>, batch_id: Option<Uuid>| {
        let body = match batch_id {
            Some(batch_id) => format!(r#"{{"batch_id":"{batch_id}","heartbeats":[{}]}}"#, good("keyed")),
            None => good("keyed"),
        };
        send(app.client.post(&url).header("idempotency-key", key).body(body))
    };
    for key in ["", "7", "\"\"", "not-a-uuid", "00000000-0000-0000-0000-00000000000g"] {
        let answer = send_with(key.into(), None).await;
        assert_eq!(answer.refusal(), (400, "Idempotency-Key must be a UUID"), "{key:?}");
    }
    let answer = send_with(vec![b'\xff'], None).await;
    assert_eq!(answer.refusal(), (400, "Idempotency-Key must be a UUID"));
    let answer = send_with(id.to_string().into(), Some(other)).await;
    let (status, text) = answer.refusal();
    assert_eq!(status, 400);
    assert!(text.contains("differ"), "{text}");
    assert_eq!(app.fold().await, 0);

    // The id is written in each way in which it may be.
    let forms = [id.to_string(), format!("\"{id}\""), id.simple().to_string().to_uppercase()];
    for (number, key) in forms.into_iter().enumerate() {
        let answer = send_with(key.clone().into(), Some(id)).await;
        assert_eq!(answer.status, 202, "{key}");
        assert_eq!(answer.json.get("duplicate").is_some(), number > 0, "{key}");
    }
    assert_eq!(app.fold().await, 1);

    // A key that was seen does not vouch for a body with another id.
    let answer = send_with(id.to_string().into(), Some(other)).await;
    assert_eq!(answer.status, 400, "{}", answer.json);
    let answer = send_with(other.to_string().into(), Some(id)).await;
    assert_eq!(answer.status, 400, "{}", answer.json);
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let app = start().await;
    for path in [
        "/nothing",
        "/v1/nothing",
        "/v1/heartbeats/",
        "/v1/heartbeats/7",
        "/v1/videos/a/b/c",
        "/v1/",
        "/V1/heartbeats",
    ] {
        for request in [
            app.client.get(format!("{}{path}", app.url)),
            app.client.post(format!("{}{path}", app.url)).body(good("nowhere")),
        ] {
            assert_eq!(send(request).await.status, 404, "{path}");
        }
    }
    for (method, path, allow) in [
        ("GET", "/v1/heartbeats", "POST"),
        ("PUT", "/v1/heartbeats", "POST"),
        ("DELETE", "/v1/heartbeats", "POST"),
        ("PATCH", "/v1/heartbeats?x=1", "POST"),
        ("NONSENSE", "/v1/heartbeats", "POST"),
        ("POST", "/v1/videos", "GET,HEAD"),
        ("DELETE", "/v1/videos/a/heatmap", "GET,HEAD"),
        ("POST", "/healthz", "GET,HEAD"),
        ("POST", "/readyz", "GET,HEAD"),
        ("POST", "/", "GET,HEAD"),
    ] {
        let method_name: reqwest::Method = method.parse().expect("a method");
        let answer = send(app.client.request(method_name, format!("{}{path}", app.url))).await;
        let (status, text) = answer.refusal();
        assert_eq!(status, 405, "{method} {path}");
        assert!(text.contains(method), "{text}");
        assert_eq!(answer.headers["allow"], allow, "{method} {path}");
    }
    for path in [
        "/v1/videos/%FF/heatmap",
        "/v1/videos/a%00b/heatmap",
        "/v1/videos/a/heatmap?resolution=x",
        "/v1/videos?limit=0",
    ] {
        assert_eq!(send(app.client.get(format!("{}{path}", app.url))).await.status, 400, "{path}");
    }
}
