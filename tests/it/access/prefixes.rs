//! A key for the videos of one shop touches no others, by whatever route.

use std::collections::BTreeSet;

use heatstrip::access::key::{Role, Secret};
use reqwest::Method;
use serde_json::{Value, json};

use super::{get, key, made, request};
use crate::support::{App, Settings};

/// How a route names videos.
#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    /// In its path, as `{video_id}`.
    Path,
    /// In its path, as the object of a counter.
    Object,
    /// By parameters of this name, an object's with its type in front.
    Query(&'static str, &'static str),
    /// By the elements of its body, in this field.
    Body(&'static str),
    /// Not at all: it reaches across videos.
    Nothing,
}

/// All routes that need a key, and how each names videos.
const ROUTES: &[(&str, &str, By)] = &[
    ("post", "/v1/heartbeats", By::Body("video_id")),
    ("post", "/v1/views", By::Body("video_id")),
    ("post", "/v1/counts", By::Body("object_id")),
    ("get", "/v1/videos/{video_id}", By::Path),
    ("put", "/v1/videos/{video_id}", By::Path),
    ("delete", "/v1/videos/{video_id}", By::Path),
    ("get", "/v1/videos/{video_id}/heatmap", By::Path),
    ("get", "/v1/videos/{video_id}/heatmap.svg", By::Path),
    ("get", "/v1/videos/{video_id}/regions", By::Path),
    ("get", "/v1/videos/{video_id}/days", By::Path),
    ("get", "/v1/videos/{video_id}/ledger", By::Path),
    ("get", "/v1/videos/{video_id}/views", By::Path),
    ("get", "/v1/videos/{video_id}/audience", By::Path),
    ("get", "/v1/counts/{object_type}/{object_id}", By::Object),
    ("get", "/v1/counts/{object_type}/{object_id}/{kind}/members", By::Object),
    ("get", "/v1/counts", By::Query("object", "video:")),
    ("get", "/v1/views", By::Query("video_id", "")),
    ("get", "/v1/catalogue", By::Query("video_id", "")),
    ("get", "/v1/reach", By::Query("video_id", "")),
    ("get", "/v1/audience/overlap", By::Query("video_id", "")),
    ("get", "/v1/videos", By::Nothing),
    ("get", "/v1/trending", By::Nothing),
    ("post", "/v1/identify", By::Nothing),
    ("get", "/v1/members/{member_id}/counts", By::Nothing),
    ("delete", "/v1/members/{member_id}", By::Nothing),
];

struct Shop {
    app: App,
    secret: Secret,
}

impl Shop {
    /// Asks a route about a video, and returns true if it was let in.
    async fn touches(&self, method: &str, route: &str, by: By, video: &str) -> bool {
        let escaped = video.replace('/', "%2F");
        let mut path = route
            .replace("{video_id}", &escaped)
            .replace("{object_type}", "video")
            .replace("{object_id}", &escaped)
            .replace("{kind}", "like")
            .replace("{member_id}", "ann");
        if let By::Query(name, before) = by {
            // One that is its own does not cover for another.
            path += &format!("?{name}={before}shop%2F1&{name}={before}{escaped}&kind=like");
        }
        let body = match by {
            By::Body("object_id") => {
                json!([{"object_type": "video", "object_id": video, "kind": "like", "member_id": "ann"}])
            }
            By::Body(_) => {
                json!([{"video_id": video, "viewer_id": "ann", "start_sec": 0, "end_sec": 9}])
            }
            _ if method == "put" => json!({"title": "taken over"}),
            _ => json!({"device_id": "phone", "user_id": "ann"}),
        };
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
        let asked = request(&self.app, method, &path, &self.secret).body(body.to_string());
        let answer = asked.send().await.expect("an answer");
        let status = answer.status().as_u16();
        assert_ne!(status, 401, "{path}");
        match by {
            By::Body(field) => {
                let answer: Value = answer.json().await.expect("JSON");
                let refused = json!([{"index": 0, "field": field, "reason": "not_allowed"}]);
                assert_eq!(status == 422, answer["rejected"] == refused, "{path}: {answer}");
                status != 422
            }
            _ => status != 403,
        }
    }
}

#[tokio::test]
async fn a_key_for_some_videos_touches_no_others() {
    let app = App::start(Settings::default()).await;
    let server = made(&app, &key("server", Role::Server)).await;
    let mut shop = key("shop", Role::Server);
    shop.video_prefix = Some("shop/".into());
    let secret = made(&app, &shop).await;
    for video in ["shop%2F1", "other%2F1"] {
        let put = request(&app, Method::PUT, &format!("/v1/videos/{video}"), &server)
            .body(r#"{"title":"its own"}"#);
        assert_eq!(put.send().await.expect("an answer").status(), 200);
    }

    let document = app.json("/openapi.json").await;
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            if path.starts_with("/v1/") {
                described.insert((method.clone(), path.clone()));
            }
        }
    }
    let known = ROUTES.iter().map(|(method, path, _)| (method.to_string(), path.to_string()));
    assert_eq!(described, known.collect(), "every route is asked");

    let shop = Shop { app, secret };
    for &(method, route, by) in ROUTES {
        for other in ["other/1", "shop", "SHOP/1", " shop/1", "shoq/../shop/1"] {
            assert!(!shop.touches(method, route, by, other).await, "{method} {route} touches {other:?}");
        }
        if by == By::Query("video_id", "") || by == By::Query("object", "video:") {
            // However the name is written.
            let name = if route == "/v1/counts" { "o%62ject=video:" } else { "vide%6F_id=" };
            let path = format!("{route}?{name}other%2F1&kind=like");
            assert_eq!(get(&shop.app, &path, &shop.secret).await.status(), 403, "{path}");
        }
        let own = shop.touches(method, route, by, "shop/1").await;
        assert_eq!(own, by != By::Nothing, "{method} {route}");
    }
    let channel = get(&shop.app, "/v1/reach?channel=c&video_id=shop%2F1", &shop.secret).await;
    assert_eq!(channel.status(), 403);
    let post = get(&shop.app, "/v1/counts/post/7", &shop.secret).await;
    assert_eq!(post.status(), 200, "what is no video is nobody's");
    let other = get(&shop.app, "/v1/videos/other%2F1", &server).await;
    let other: Value = other.json().await.expect("JSON");
    assert_eq!(other["title"], "its own");
}
