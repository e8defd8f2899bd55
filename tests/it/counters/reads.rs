//! Totals, who, and what somebody did.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{count, element};
use crate::support::{App, Settings};

#[tokio::test]
async fn totals_and_what_a_member_did_of_them() {
    let app = App::start(Settings::default()).await;
    count(
        &app,
        json!([
            element("ann", "a", "like", 1),
            element("bob", "a", "like", 1),
            element("ann", "a", "share", 1),
            element("ann", "a", "share", 1),
            element("ann", "b", "like", 1),
            element("ann", "b", "like", -1),
        ]),
    )
    .await;
    assert_eq!(
        app.json("/v1/counts/video/a").await,
        json!({"object_type": "video", "object_id": "a", "counts": [{"kind": "like", "total": 2}, {"kind": "share", "total": 2}]})
    );
    assert_eq!(app.json("/v1/counts/video/nothing").await["counts"], json!([]));
    let answer = app.json("/v1/counts?object=video:b&object=video:nothing&object=video:a&kind=like&kind=share&member_id=ann").await;
    let at = "2026-11-21T10:00:00Z";
    let none = json!({"kind": "like", "total": 0, "did": false});
    let no_share = json!({"kind": "share", "total": 0, "did": false});
    assert_eq!(
        answer["objects"],
        json!([
            {"object_type": "video", "object_id": "b", "counts": [none, no_share]},
            {"object_type": "video", "object_id": "nothing", "counts": [none, no_share]},
            {"object_type": "video", "object_id": "a", "counts": [
                {"kind": "like", "total": 2, "did": true, "at": at}, {"kind": "share", "total": 2, "did": true, "at": at}]},
        ])
    );
    let bob = app.json("/v1/counts?object=video:a&member_id=bob").await;
    assert_eq!(bob["objects"][0]["counts"][1], json!({"kind": "share", "total": 2, "did": false}));
    let nobody = app.json("/v1/counts?object=video:a&member_id=nobody").await;
    assert_eq!(nobody["objects"][0]["counts"][0]["did"], json!(false));
}

/// Whoever has just counted never reads an old total, and who has the newest is told so.
#[tokio::test]
async fn an_answer_is_asked_for_again_each_time() {
    let app = App::start(Settings { cache_ttl_secs: 300, ..Settings::default() }).await;
    count(&app, element("ann", "a", "like", 1)).await;
    let first = app.get("/v1/counts/video/a").await;
    assert_eq!(first.headers()["cache-control"], "private, no-cache");
    let tag = first.headers()["etag"].clone();
    let again = app.client.get(format!("{}/v1/counts/video/a", app.url)).header("if-none-match", tag.clone());
    assert_eq!(again.try_clone().expect("no body").send().await.expect("an answer").status(), 304);
    count(&app, element("bob", "a", "like", 1)).await;
    let changed = again.send().await.expect("an answer");
    assert_eq!(changed.status(), 200);
    assert_eq!(changed.json::<Value>().await.expect("JSON")["counts"][0]["total"], 2);
}

/// Page after page, each record once, newest first; of both modes.
#[tokio::test]
async fn lists_are_read_page_by_page() {
    let app = App::start(Settings::default()).await;
    for n in 0..45 {
        let member = format!("m{n}");
        count(
            &app,
            json!([
                element(&member, "a", "like", 1),
                element("ann", "a", "share", 1),
                element("ann", &format!("o{n}"), "like", 1)
            ]),
        )
        .await;
    }
    count(&app, element("m7", "a", "like", -1)).await;
    for kind in ["like", "share"] {
        let (mut seqs, mut before) = (Vec::new(), String::new());
        loop {
            let page = app.json(&format!("/v1/counts/video/a/{kind}/members?limit=10{before}")).await;
            assert_eq!(page["total"], if kind == "like" { 44 } else { 45 });
            seqs.extend(
                page["members"].as_array().expect("a list").iter().map(|m| m["seq"].as_i64().expect("a seq")),
            );
            let Some(next) = page["before"].as_i64() else { break };
            before = format!("&before={next}");
        }
        let all: Vec<i64> = (1..=45).rev().filter(|seq| kind == "share" || *seq != 8).collect();
        assert_eq!(seqs, all, "{kind}");
    }
    let (mut found, mut before, mut pages) = (BTreeSet::new(), String::new(), 0);
    loop {
        let page = app.json(&format!("/v1/members/ann/counts?limit=13{before}")).await;
        pages += 1;
        for one in page["counts"].as_array().expect("a list") {
            assert!(found.insert(one.to_string()), "twice: {one}");
        }
        let Some(next) = page["before"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!((found.len(), pages), (90, 7));
    let likes = app.json("/v1/members/ann/counts?kind=like&limit=100").await;
    assert_eq!(likes["counts"].as_array().expect("a list").len(), 45);
    assert_eq!(
        app.json("/v1/members/nobody/counts").await,
        json!({"member_id": "nobody", "counts": [], "before": null})
    );
}

#[tokio::test]
async fn questions_that_cannot_be_read_say_why() {
    let app = App::start(Settings::default()).await;
    let many = format!("/v1/counts?{}", "object=video:a&".repeat(101));
    let kinds = format!("/v1/counts?object=video:a&{}", "kind=like&".repeat(21));
    let long = format!("/v1/counts/video/{}", "x".repeat(129));
    for (path, says) in [
        ("/v1/counts", "1 to 100 objects"),
        (&many, "1 to 100 objects"),
        (&kinds, "at most 20 kinds"),
        ("/v1/counts?object=video", "TYPE:ID"),
        ("/v1/counts?object=video:", "1 to 128 bytes"),
        ("/v1/counts?object=video:a&kind=loathe", "there is no kind"),
        ("/v1/counts?object=video:a&member_id=", "1 to 256 bytes"),
        (&long, "1 to 128 bytes"),
        ("/v1/counts/a:b/c", "colon"),
        ("/v1/counts/video/a/loathe/members", "there is no kind"),
        ("/v1/counts/video/a/like/members?limit=0", "from 1 to 100"),
        ("/v1/counts/video/a/like/members?limit=101", "from 1 to 100"),
        ("/v1/counts/video/a/like/members?before=x", "a seq"),
        ("/v1/members/ann/counts?before=1_2", "another page"),
        ("/v1/members/ann/counts?before=99999999999999999_1_1", "another page"),
        ("/v1/members/%00/counts", "1 to 256 bytes"),
    ] {
        let response = app.get(path).await;
        assert_eq!(response.status(), 400, "{path}");
        let problem: Value = response.json().await.expect("a problem");
        assert!(problem["detail"].as_str().expect("a text").contains(says), "{path}: {problem}");
    }
}
