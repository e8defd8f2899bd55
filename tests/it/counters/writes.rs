//! What a count does, and that it does it once.

use serde_json::{Value, json};

use super::{count, drift, element, post, told, total};
use crate::support::{App, Settings};

#[tokio::test]
async fn a_set_goes_on_and_off_and_says_so() {
    let app = App::start(Settings::default()).await;
    let like = |member: &str, delta| element(member, "a", "like", delta);
    let one = async |value: Value| {
        let results = count(&app, value).await;
        let (status, total, seq) = told(&results[0]);
        (status.to_owned(), total, seq)
    };
    assert_eq!(one(like("ann", -1)).await, ("absent".into(), 0, None));
    assert_eq!(one(like("ann", 1)).await, ("created".into(), 1, Some(1)));
    assert_eq!(one(like("ann", 1)).await, ("exists".into(), 1, Some(1)));
    assert_eq!(one(like("bob", 1)).await, ("created".into(), 2, Some(2)));
    assert_eq!(one(like("ann", -1)).await, ("removed".into(), 1, Some(1)));
    assert_eq!(one(like("ann", 1)).await, ("created".into(), 2, Some(3)));
    // The elements of one request apply in their order.
    let results =
        count(&app, json!([like("cem", 1), like("cem", 1), like("cem", -1), like("cem", -1)])).await;
    let told: Vec<_> = results.iter().map(told).collect();
    assert_eq!(
        told,
        [("created", 3, Some(4)), ("exists", 3, Some(4)), ("removed", 2, Some(4)), ("absent", 2, None)]
    );
    assert_eq!(total(&app, "a", "like").await, 2);
    assert_eq!(drift(&app).await, 0);
}

#[tokio::test]
async fn what_is_repeatable_counts_each_time_and_an_id_once() {
    let app = App::start(Settings::default()).await;
    app.store.add_counter_kind("points", "signed".parse().expect("a mode")).await.expect("added");
    let mut share = element("ann", "a", "share", 1);
    for n in 1..=3 {
        assert_eq!(told(&count(&app, share.clone()).await[0]), ("created", n, Some(n)));
    }
    share["id"] = json!("b4c6");
    assert_eq!(told(&count(&app, share.clone()).await[0]), ("created", 4, Some(4)));
    share["at"] = json!("2026-11-21T09:00:00Z");
    assert_eq!(told(&count(&app, share.clone()).await[0]), ("exists", 4, Some(4)), "stamped anew");
    share["object_id"] = json!("b");
    assert_eq!(told(&count(&app, share.clone()).await[0]), ("conflict", 0, None));
    assert_eq!(told(&count(&app, element("ann", "a", "share", -1)).await[0]), ("created", 3, Some(5)));
    let points = |delta| element("ann", "a", "points", delta);
    let results = count(&app, json!([points(1_000_000), points(-3), points(0)])).await;
    assert_eq!(told(&results[2]), ("created", 999_997, Some(3)));
    assert_eq!(drift(&app).await, 0);
}

/// A like, its retry that comes late, and the unlike in between: what was taken back stays so.
#[tokio::test]
async fn a_late_retry_does_not_undo_what_came_between() {
    let app = App::start(Settings::default()).await;
    let mut like = element("ann", "a", "like", 1);
    like["id"] = json!("first");
    count(&app, like.clone()).await;
    count(&app, element("ann", "a", "like", -1)).await;
    assert_eq!(told(&count(&app, like.clone()).await[0]), ("exists", 0, Some(1)));
    // An id is remembered for 7 days at least: the week before this one is looked into, the one before that is not.
    let client = app.database.connect().await;
    let age = "DO $$ DECLARE now integer := counter_ids_slot(now()); BEGIN
        FOR age IN 1..2 LOOP
            EXECUTE format('WITH old AS (DELETE FROM counter_ids_%s RETURNING *) INSERT INTO counter_ids_%s SELECT * FROM old',
                (now + 1 - age + 3) % 3, (now - age + 3) % 3);
            EXIT;
        END LOOP; END $$";
    client.batch_execute(age).await.expect("a week later");
    assert_eq!(told(&count(&app, like.clone()).await[0]), ("exists", 0, Some(1)), "a week later");
    let emptied = app.store.empty_counter_ids().await.expect("nothing is in the way");
    assert!(!emptied, "the table of the week before is kept");
    let older = "DO $$ DECLARE now integer := counter_ids_slot(now()); BEGIN
        EXECUTE format('WITH old AS (DELETE FROM counter_ids_%s RETURNING *) INSERT INTO counter_ids_%s SELECT * FROM old',
            (now + 2) % 3, (now + 1) % 3); END $$";
    client.batch_execute(older).await.expect("two weeks later");
    let kept: bool = client
        .query_one("SELECT counter_ids_slot(now() - interval '1 day') = counter_ids_slot(now())", &[])
        .await
        .expect("a week")
        .get(0);
    assert_eq!(app.store.empty_counter_ids().await.expect("nothing is in the way"), kept);
}

#[tokio::test]
async fn every_shape_is_read_and_a_bad_element_costs_no_good_one() {
    let app = App::start(Settings::default()).await;
    let good = element("ann", "a", "like", 1);
    count(&app, json!({"counts": [good]})).await;
    let lines = format!("{}\n\n{{\n{}\n", element("bob", "a", "like", 1), element("cem", "a", "like", 1));
    let response = app
        .client
        .post(format!("{}/v1/counts", app.url))
        .header("content-type", "application/x-ndjson")
        .body(lines)
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status(), 200);
    let answer: Value = response.json().await.expect("JSON");
    assert_eq!(answer["rejected"], json!([{"index": 1, "field": null, "reason": "malformed"}]));
    assert_eq!(answer["results"][1]["index"], 2);
    let mixed = json!([
        element("", "a", "like", 1),
        element("dan", "a", "like", 1),
        element("dan", "a", "loathe", 1),
        element("dan", "a", "like", 3)
    ]);
    let (status, answer) = post(&app, &mixed).await;
    assert_eq!(status, 200);
    assert_eq!(
        answer["rejected"],
        json!([
            {"index": 0, "field": "member_id", "reason": "empty"},
            {"index": 2, "field": "kind", "reason": "out_of_range"},
            {"index": 3, "field": "delta", "reason": "out_of_range"},
        ])
    );
    let (status, answer) = post(&app, &json!([element("", "a", "like", 1)])).await;
    assert_eq!((status, answer["rejected"][0]["reason"].as_str()), (422, Some("empty")));
    for (status, body) in
        [(400, json!(5)), (400, json!({"counts": 5})), (422, json!([])), (422, json!({"counts": []}))]
    {
        assert_eq!(post(&app, &body).await.0, status, "{body}");
    }
    let many = Value::from(vec![element("ann", "a", "like", 1); 10_001]);
    assert_eq!(post(&app, &many).await.0, 413);
    assert_eq!(total(&app, "a", "like").await, 4);
}

/// Ids at their limits come back as they went in.
#[tokio::test]
async fn ids_may_be_as_long_and_as_odd_as_they_may_be() {
    let app = App::start(Settings::default()).await;
    for (member, object) in [
        ("x".repeat(256), "y".repeat(128)),
        ("a/b?c#d%2F".into(), "e/../f&g=h".into()),
        ("日本語 🎬".into(), "עברית:وعربي".into()),
        ("'; DROP TABLE counters; --".into(), "{\"a\":[1]}".into()),
    ] {
        count(&app, element(&member, &object, "like", 1)).await;
        let url = reqwest::Url::parse_with_params(
            &format!("{}/v1/counts", app.url),
            [("object", format!("video:{object}")), ("member_id", member.clone())],
        )
        .expect("an address");
        let answer: Value = app.client.get(url).send().await.expect("an answer").json().await.expect("JSON");
        assert_eq!(answer["objects"][0]["object_id"], json!(object));
        assert_eq!(answer["objects"][0]["counts"][0]["did"], json!(true), "{answer}");
        let mut url = reqwest::Url::parse(&app.url).expect("an address");
        url.path_segments_mut()
            .expect("a path")
            .extend(["v1", "counts", "video", &object, "like", "members"]);
        let answer: Value = app.client.get(url).send().await.expect("an answer").json().await.expect("JSON");
        assert_eq!(answer["members"][0]["member_id"], json!(member));
    }
}

#[tokio::test]
async fn totals_beyond_64_bits_are_refused() {
    let app = App::start(Settings::default()).await;
    count(&app, element("ann", "a", "share", 1)).await;
    let client = app.database.connect().await;
    client
        .batch_execute("UPDATE counters SET starting = 9223372036854775806, total = 9223372036854775807")
        .await
        .expect("a full counter");
    let up = element("ann", "a", "share", 1);
    let (status, answer) = post(&app, &up).await;
    assert_eq!((status, answer["rejected"][0]["reason"].as_str()), (422, Some("out_of_range")), "{answer}");
    // What is refused costs no other element of its request.
    let results = json!([up, element("ann", "a", "share", -1), up, up]);
    let (status, answer) = post(&app, &results).await;
    assert_eq!(status, 200);
    let places: Vec<_> =
        answer["rejected"].as_array().expect("a list").iter().map(|r| r["index"].as_u64()).collect();
    assert_eq!(places, [Some(0), Some(3)]);
    assert_eq!(total(&app, "a", "share").await, i64::MAX);
    assert_eq!(drift(&app).await, 0);
}

#[tokio::test]
async fn a_kind_that_is_added_is_known_at_once() {
    let app = App::start(Settings::default()).await;
    assert_eq!(post(&app, &element("ann", "a", "clap", 1)).await.0, 422);
    assert!(app.store.add_counter_kind("clap", "count".parse().expect("a mode")).await.expect("added"));
    assert!(!app.store.add_counter_kind("clap", "set".parse().expect("a mode")).await.expect("there"));
    crate::support::until("the kind is known", std::time::Duration::from_secs(5), async || {
        (post(&app, &element("ann", "a", "clap", 1)).await.0 == 200).then_some(())
    })
    .await;
}

/// Many clients, one object: every like counts, in a dense order, and nobody waits in a circle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_on_one_object_loses_nothing() {
    let app = std::sync::Arc::new(App::start(Settings::default()).await);
    let clients: Vec<_> = (0..32)
        .map(|client| {
            let app = std::sync::Arc::clone(&app);
            tokio::spawn(async move {
                for n in 0..20 {
                    let member = format!("{client} {n}");
                    let both = json!([
                        element(&member, "hot", "like", 1),
                        element(&member, &format!("o{n}"), "share", 1)
                    ]);
                    count(&app, both).await;
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("no client failed");
    }
    assert_eq!(total(&app, "hot", "like").await, 640);
    let client = app.database.connect().await;
    let row = client
        .query_one("SELECT count(DISTINCT seq) AS seqs, max(seq) AS last FROM counter_marks", &[])
        .await
        .expect("the marks");
    assert_eq!((row.get::<_, i64>("seqs"), row.get::<_, i64>("last")), (640, 640));
    assert_eq!(drift(&app).await, 0);
}
