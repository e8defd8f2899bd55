//! Each key opens what it is for, from its pages, until it is revoked.

use std::time::{Duration, Instant};

use heatstrip::{
    access::key::{Role, Secret, make_signing_secret},
    clock::Clock,
    config::AccessSetting,
    postgres::{
        Store,
        local::{Lifetime, LocalPostgres},
        migrate::migrate,
    },
};
use reqwest::{Method, header};
use serde_json::json;

use super::{FELT, get, heartbeat, key, made, post, random_id, request};
use crate::support::{App, Settings, TestDatabase, database, heatstrip, until};

/// What stands in the description, with parameters filled in, and what it is for.
const ROUTES: &[(Method, &str, &str)] = &[
    (Method::POST, "/v1/heartbeats", "write"),
    (Method::GET, "/v1/videos/v/heatmap", "audience"),
    (Method::GET, "/v1/videos/v/heatmap.svg", "audience"),
    (Method::POST, "/v1/views", "write"),
    (Method::GET, "/v1/videos/v/views", "audience"),
    (Method::GET, "/v1/views?video_id=v", "audience"),
    (Method::POST, "/v1/identify", "manage"),
    (Method::GET, "/v1/videos/v/audience?saw=0-9", "read"),
    (Method::GET, "/v1/audience/overlap?video_id=v&video_id=w", "read"),
    (Method::GET, "/v1/videos", "read"),
    (Method::GET, "/v1/videos/v/regions", "read"),
    (Method::GET, "/v1/counts/video/v", "read"),
    (Method::GET, "/v1/counts?object=video:v&kind=like", "read"),
    (Method::GET, "/v1/counts?object=video:v&kind=like&member_id=a", "manage"),
    (Method::GET, "/v1/counts/video/v/like/members", "manage"),
    (Method::GET, "/v1/members/a/counts", "manage"),
    (Method::DELETE, "/v1/members/a", "manage"),
    (Method::POST, "/v1/counts", "manage"),
    (Method::GET, "/healthz", "nothing"),
    (Method::GET, "/readyz", "nothing"),
    (Method::GET, "/openapi.json", "nothing"),
    (Method::GET, "/", "nothing"),
    (Method::GET, "/heatstrip.js", "nothing"),
    (Method::GET, "/v1/nothing", "nothing"),
];

#[tokio::test]
async fn each_role_opens_its_routes_and_no_others() {
    let app = App::start(Settings::default()).await;
    let player = made(&app, &key("player", Role::Player)).await;
    let reader = made(&app, &key("reader", Role::Reader)).await;
    let mut guarded = key("guarded", Role::Reader);
    guarded.min_audience = Some(5);
    let guarded = made(&app, &guarded).await;
    let server = made(&app, &key("server", Role::Server)).await;
    for (method, path, need) in ROUTES {
        for (name, key, good_for) in [
            ("nobody", None, &[][..]),
            ("player", Some(&player), &["write"]),
            ("reader", Some(&reader), &["audience", "read"]),
            ("guarded", Some(&guarded), &["audience"]),
            ("server", Some(&server), &["write", "audience", "read", "manage"]),
        ] {
            let mut asked = app.client.request(method.clone(), format!("{}{path}", app.url));
            if let Some(key) = key {
                asked = asked.bearer_auth(key.text());
            }
            let response = asked.send().await.expect("an answer");
            let status = response.status().as_u16();
            let is_let_in = ![401, 403].contains(&status);
            let expected = *need == "nothing" || good_for.contains(need);
            assert_eq!(is_let_in, expected, "{method} {path} as {name}: {status}");
            if !expected {
                assert_eq!(status, if key.is_none() { 401 } else { 403 }, "{method} {path} as {name}");
                assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
                assert_eq!(response.headers().contains_key(header::WWW_AUTHENTICATE), key.is_none());
            }
        }
    }
}

/// Whoever adds a route without a thought for keys finds it closed, and is told here.
#[tokio::test]
async fn every_route_of_the_description_is_in_the_table() {
    let app = App::start(Settings::default()).await;
    let document = app.json("/openapi.json").await;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            let need = heatstrip::access::grant::need(&method.to_uppercase(), Some(path), None);
            let manages = ["members", "{kind}", "identify"].iter().any(|word| path.contains(word))
                || ["put", "delete"].contains(&method.as_str())
                || (path == "/v1/counts" && method == "post");
            let is_closed = need == heatstrip::access::grant::Need::Manage;
            assert_eq!(is_closed, manages, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn keys_stand_in_addresses_only_where_they_may() {
    let app = App::start(Settings::default()).await;
    let player = made(&app, &key("player", Role::Player)).await;
    let server = made(&app, &key("server", Role::Server)).await;
    let body = heartbeat("v", &random_id(), "JP", (0, 9)).to_string();
    for (key, status) in [(&player, 202), (&server, 401)] {
        let url = format!("{}/v1/heartbeats?key={}", app.url, key.text());
        let answer = app.client.post(url).body(body.clone()).send().await.expect("an answer");
        assert_eq!(answer.status(), status);
        assert!(!answer.text().await.expect("a text").contains(key.text()), "an answer repeats no key");
    }
    // A header goes before an address, also when it is of another kind.
    let url = format!("{}/v1/heartbeats?key={}", app.url, player.text());
    let basic = app.client.post(url).header(header::AUTHORIZATION, "Basic YTpi").body(body);
    assert_eq!(basic.send().await.expect("an answer").status(), 401);
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused_and_preflights_are_not() {
    let app = App::start(Settings::default()).await;
    let mut limited = key("limited", Role::Player);
    limited.origins = vec!["https://www.example.org".into()];
    let limited = made(&app, &limited).await;
    let body = || heartbeat("v", &random_id(), "JP", (0, 9)).to_string();
    for (origin, status) in [
        (Some("https://www.example.org"), 202),
        (Some("https://evil.example"), 403),
        (Some("null"), 403),
        (None, 202),
    ] {
        let mut post = request(&app, Method::POST, "/v1/heartbeats", &limited).body(body());
        if let Some(origin) = origin {
            post = post.header(header::ORIGIN, origin);
        }
        let answer = post.send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{origin:?}");
        // A page has to be able to read why.
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    }
    let preflight = app
        .client
        .request(Method::OPTIONS, format!("{}/v1/videos/v/heatmap", app.url))
        .header(header::ORIGIN, "https://evil.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization");
    let answer = preflight.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let allowed = answer.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().expect("text");
    assert!(allowed.contains("authorization"), "{allowed}");
}

#[tokio::test]
async fn what_a_key_may_see_stays_out_of_shared_caches() {
    let app = App::start(Settings { cache_ttl_secs: 300, ..Settings::default() }).await;
    let open = app.get("/v1/videos/v/heatmap").await;
    assert!(open.headers()[header::CACHE_CONTROL].to_str().expect("text").starts_with("public,"));
    let reader = made(&app, &key("reader", Role::Reader)).await;
    let answer = get(&app, "/v1/videos/v/heatmap", &reader).await;
    assert!(answer.headers()[header::CACHE_CONTROL].to_str().expect("text").starts_with("private, max-age="));
    let vary: Vec<_> =
        answer.headers().get_all(header::VARY).iter().map(|v| v.to_str().expect("text")).collect();
    assert!(vary.iter().any(|vary| vary.contains("authorization") && vary.contains("origin")), "{vary:?}");
}

#[tokio::test]
async fn terms_of_a_key_are_checked_element_by_element() {
    let app = App::start(Settings::default()).await;
    let mut shop = key("shop", Role::Player);
    shop.video_prefix = Some("shop/".into());
    let signing = make_signing_secret().expect("random bytes");
    shop.signing_secret = Some(signing.clone());
    let secret = made(&app, &shop).await;
    let later = app.clock.now() + chrono::TimeDelta::hours(1);
    let mut signed = heartbeat("shop/1", "alice", "JP", (0, 9));
    signed["viewer_token"] = signing.sign("shop", "alice", later).into();
    let mut stolen = heartbeat("shop/1", "bob", "JP", (0, 9));
    stolen["viewer_token"] = signed["viewer_token"].clone();
    let batch = json!([
        heartbeat("shop/1", &random_id(), "JP", (0, 9)),
        heartbeat("other/1", &random_id(), "JP", (0, 9)),
        heartbeat("shop/1", "alice", "JP", (0, 9)),
        signed,
        stolen,
    ]);
    let (status, answer) = post(&app, &batch, &secret).await;
    assert_eq!((status, &answer["accepted"]), (202, &json!(2)), "{answer}");
    let expected = json!([
        {"index": 1, "field": "video_id", "reason": "not_allowed"},
        {"index": 2, "field": "viewer_id", "reason": "bad_token"},
        {"index": 4, "field": "viewer_token", "reason": "bad_token"},
    ]);
    assert_eq!(answer["rejected"], expected);
}

#[tokio::test]
async fn the_same_viewer_in_two_namespaces_is_two() {
    let app = App::start(Settings::default()).await;
    let server = made(&app, &key("server", Role::Server)).await;
    let mut shop = key("shop", Role::Server);
    shop.namespace = Some("shop".into());
    let shop = made(&app, &shop).await;
    for key in [&server, &server, &shop] {
        assert_eq!(post(&app, &heartbeat("v", "alice", "JP", (0, 9)), key).await.0, 202);
    }
    app.fold().await;
    let strip: serde_json::Value =
        get(&app, "/v1/videos/v/heatmap", &server).await.json().await.expect("JSON");
    assert_eq!(strip["viewers"], 2);
}

#[tokio::test]
async fn a_proxys_region_goes_before_what_a_player_says() {
    let region_header = Some("cf-ipcountry".parse().expect("a header"));
    let app = App::start(Settings { region_header, ..Settings::default() }).await;
    let player = made(&app, &key("player", Role::Player)).await;
    let server = made(&app, &key("server", Role::Server)).await;
    for key in [&player, &server] {
        let body = heartbeat("v", &random_id(), "KR", (0, 9)).to_string();
        let post = request(&app, Method::POST, "/v1/heartbeats", key).header("cf-ipcountry", "JP").body(body);
        assert_eq!(post.send().await.expect("an answer").status(), 202);
    }
    app.fold().await;
    let regions: serde_json::Value =
        get(&app, "/v1/videos/v/regions", &server).await.json().await.expect("JSON");
    let names: Vec<_> = regions["regions"].as_array().expect("a list").iter().map(|r| &r["region"]).collect();
    assert_eq!(names, ["JP", "KR"]);
}

#[tokio::test]
async fn a_revocation_is_felt_and_a_new_key_works_at_once() {
    let app = App::start(Settings::default()).await;
    let first = made(&app, &key("first", Role::Reader)).await;
    assert_eq!(get(&app, "/v1/videos", &first).await.status(), 200);
    // Nobody waits for the next refresh: an unknown key is looked for.
    let second = Secret::make(Role::Reader).expect("random bytes");
    let now = Clock::system().now();
    assert!(app.store.add_key(&key("second", Role::Reader), &second.hash(), now).await.expect("a key"));
    assert!(!app.store.add_key(&key("second", Role::Reader), &first.hash(), now).await.expect("no key"));
    assert_eq!(get(&app, "/v1/videos", &second).await.status(), 200);
    assert!(app.store.revoke_key("first", now).await.expect("revoked"));
    let asked = Instant::now();
    until("the revocation is felt", FELT, async || {
        (get(&app, "/v1/videos", &first).await.status() == 401).then_some(())
    })
    .await;
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
    assert!(app.store.revoke_key("second", now).await.expect("revoked"));
    until("the revocation is felt", FELT, async || {
        (get(&app, "/v1/videos", &second).await.status() == 401).then_some(())
    })
    .await;
    // Without any key that is good it is closed, not open.
    assert_eq!(app.get("/v1/videos").await.status(), 401);
}

/// Each unknown key was a look at the table before looks were bounded.
#[tokio::test]
async fn unknown_keys_cost_one_look_a_second() {
    let app = App::start(Settings::default()).await;
    made(&app, &key("known", Role::Reader)).await;
    let sql = app.database.connect().await;
    let scans = async || -> i64 {
        sql.batch_execute("SELECT pg_stat_clear_snapshot()").await.expect("a fresh look");
        let scans =
            "SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'access_keys'";
        sql.query_one(scans, &[]).await.expect("statistics").get(0)
    };
    let (before, started) = (scans().await, Instant::now());
    let unknown: Vec<Secret> = (0..200).map(|_| Secret::make(Role::Reader).expect("random bytes")).collect();
    let asked = unknown.iter().map(|key| get(&app, "/v1/videos", key));
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer.status(), 401);
    }
    app.database.end_sessions().await;
    let seconds = started.elapsed().as_secs() as i64 + 1;
    let looks = scans().await - before;
    assert!(looks <= 2 * seconds + 2, "{looks} looks in {seconds} s");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgres_is_away_no_key_is_called_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server =
        LocalPostgres::start(&folder.path().join("data"), Lifetime::Process).await.expect("a server");
    server.create_database("away", None).await.expect("a database");
    let url = server.url("away");
    migrate(&url, 16).await.expect("a schema");
    let store = Store::connect(&url, 8).await.expect("a migrated database");
    let app = App::start_on(TestDatabase { url }, store, Settings::default()).await;
    let known = made(&app, &key("known", Role::Reader)).await;
    let unknown = Secret::make(Role::Reader).expect("random bytes");
    server.stop_immediately().await.expect("it stops");
    let until_stale = Instant::now() + Duration::from_secs(11);
    while Instant::now() < until_stale {
        for key in [&known, &unknown] {
            let answer = get(&app, "/v1/videos", key).await;
            assert_eq!(answer.status(), 503);
            assert!(answer.headers().contains_key(header::RETRY_AFTER));
        }
        // What is no key at all is one whatever the database says.
        assert_eq!(app.get("/v1/videos").await.status(), 401);
    }
    server.restart().await.expect("it starts");
    until("it serves again", FELT, async || {
        (get(&app, "/v1/videos", &known).await.status() == 200).then_some(())
    })
    .await;
    assert_eq!(get(&app, "/v1/videos", &unknown).await.status(), 401);
    server.stop().await.expect("it stops");
}

#[tokio::test]
async fn a_setting_goes_before_what_the_table_says() {
    let app = App::start(Settings { access: Some(AccessSetting::Keys), ..Settings::default() }).await;
    assert_eq!(app.get("/v1/videos").await.status(), 401);
    let app = App::start(Settings { access: Some(AccessSetting::Open), ..Settings::default() }).await;
    let secret = Secret::make(Role::Reader).expect("random bytes");
    let key = key("reader", Role::Reader);
    assert!(app.store.add_key(&key, &secret.hash(), Clock::system().now()).await.expect("a key"));
    assert_eq!(app.get("/v1/videos").await.status(), 200);
}

async fn command(database: &TestDatabase, arguments: &[&str]) -> (bool, String, String) {
    let output = heatstrip(arguments).env("DATABASE_URL", &database.url).output().await.expect("the binary");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn it_does_not_listen_to_all_the_world_while_it_is_open() {
    let database = database().await;
    let (good, _, said) = command(&database, &["serve", "--listen", "0.0.0.0:0"]).await;
    assert!(!good && said.contains("heatstrip keys create") && said.contains("--access open"), "{said}");
    let served = crate::support::Served::start(
        &database,
        &["serve", "--listen", "0.0.0.0:0", "--access", "open"],
        "listening on",
    );
    drop(served.await);
    // With a key there is no need to say anything.
    let (good, ..) = command(&database, &["keys", "create", "--role", "server", "--name", "one"]).await;
    assert!(good);
    drop(crate::support::Served::start(&database, &["serve", "--listen", "0.0.0.0:0"], "listening on").await);
}

#[tokio::test]
async fn the_command_shows_a_key_once_and_lists_it_without() {
    let database = database().await;
    let create =
        ["keys", "create", "--role", "player", "--name", "site", "--origin", "https://a.example", "--signed"];
    let (good, shown, said) = command(&database, &create).await;
    assert!(good, "{said}");
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("hsp_") && lines[1].len() == 43, "{shown}");
    let (good, listed, _) = command(&database, &["keys", "list"]).await;
    assert!(good && listed.contains("site") && listed.contains("https://a.example"), "{listed}");
    for secret in &lines {
        assert!(!listed.contains(secret) && !said.contains(secret));
    }
    let sql = database.connect().await;
    let row = sql.query_one("SELECT k::text FROM access_keys k", &[]).await.expect("a row");
    assert!(!row.get::<_, String>(0).contains(&lines[0][4..]), "the table has no key");
    assert!(!command(&database, &create).await.0, "names are not given twice");
    assert!(command(&database, &["keys", "revoke", "site"]).await.0);
    assert!(!command(&database, &["keys", "revoke", "site"]).await.0);
    assert!(!command(&database, &create).await.0, "nor after a revocation");
    let wrong = ["keys", "create", "--role", "reader", "--name", "r", "--signed"];
    assert!(command(&database, &wrong).await.2.contains("--signed is for players"));
}

/// The answer of the first try was lost, and by the retry a key was needed.
#[tokio::test]
async fn a_batch_of_the_time_before_keys_counts_once() {
    let app = App::start(Settings::default()).await;
    let mut batches = Vec::new();
    for (path, noun) in [("/v1/heartbeats", "heartbeats"), ("/v1/views", "views")] {
        let batch =
            json!({"batch_id": uuid::Uuid::now_v7(), noun: [heartbeat("v", &random_id(), "JP", (0, 9))]});
        let first = app.client.post(format!("{}{path}", app.url)).body(batch.to_string());
        assert_eq!(first.send().await.expect("an answer").status(), 202);
        batches.push((path, batch));
    }
    let player = made(&app, &key("player", Role::Player)).await;
    for (path, batch) in &batches {
        let again = request(&app, Method::POST, path, &player).body(batch.to_string());
        let again: serde_json::Value = again.send().await.expect("an answer").json().await.expect("JSON");
        assert_eq!((&again["accepted"], &again["duplicate"]), (&json!(1), &json!(true)), "{path}: {again}");
    }
    let other =
        json!({"batch_id": uuid::Uuid::now_v7(), "heartbeats": [heartbeat("v", &random_id(), "JP", (0, 9))]});
    assert_eq!(post(&app, &other, &player).await.1["duplicate"], json!(null));
    // Two heartbeats and a view.
    assert_eq!(app.fold().await, 3);
}

/// Whoever found another's batch id was told how many heartbeats it had, and could take its place.
#[tokio::test]
async fn a_batch_id_is_a_keys_own() {
    let app = App::start(Settings::default()).await;
    let first = made(&app, &key("first", Role::Player)).await;
    let second = made(&app, &key("second", Role::Player)).await;
    let id = uuid::Uuid::now_v7();
    let batch = json!({"batch_id": id, "heartbeats": [heartbeat("v", &random_id(), "JP", (0, 9))]});
    for (key, duplicate) in [(&first, json!(null)), (&first, json!(true)), (&second, json!(null))] {
        let (status, answer) = post(&app, &batch, key).await;
        assert_eq!((status, &answer["duplicate"]), (202, &duplicate), "{answer}");
    }
}
