//! The night packs closed stretches, and nobody can tell by the answers.

use heatstrip::counters::nightly;
use serde_json::{Value, json};

use super::{count, drift, element, total};
use crate::support::{App, Settings};

const PATHS: &[&str] = &[
    "/v1/counts/video/a",
    "/v1/counts/video/b",
    "/v1/counts?object=video:a&object=video:b&member_id=m3",
    "/v1/counts?object=video:a&object=video:b&member_id=seldom",
    "/v1/counts/video/a/share/members?limit=100",
    "/v1/counts/video/a/share/members?limit=7&before=151",
    "/v1/counts/video/b/view/members?limit=20",
    "/v1/members/m3/counts?limit=100",
    "/v1/members/m3/counts?limit=5",
    "/v1/members/m3/counts?kind=view",
    "/v1/members/seldom/counts",
];

async fn answers(app: &App) -> Vec<Value> {
    let mut answers = Vec::new();
    for path in PATHS {
        answers.push(app.json(path).await);
    }
    // All of what a member did, page by page.
    let (mut before, mut pages) = (String::new(), 0);
    loop {
        let page = app.json(&format!("/v1/members/m3/counts?limit=9{before}")).await;
        pages += 1;
        answers.push(page.clone());
        let Some(next) = page["before"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert!(pages > 3);
    answers
}

#[tokio::test]
async fn packed_records_answer_as_they_did() {
    let app = App::start(Settings::default()).await;
    let mut elements = vec![element("seldom", "a", "share", 1)];
    for n in 0..330 {
        let at = format!("2026-11-{:02}T{:02}:{:02}:00.{:03}Z", 20 + n % 2, 9, n % 60, n);
        for (object, kind, delta) in
            [("a", "share", if n % 5 == 0 { -1 } else { 1 }), ("b", "view", 1), ("c", "like", 1)]
        {
            let mut element = element(&format!("m{}", n % 10), object, kind, delta);
            element["at"] = json!(at);
            elements.push(element);
        }
    }
    count(&app, Value::from(elements)).await;
    // A hole, as an erasure leaves it.
    count(&app, element("gone", "a", "share", 1)).await;
    for n in 0..40 {
        count(&app, element(&format!("m{}", n % 3), "a", "share", 1)).await;
    }
    let erased = app.client.delete(format!("{}/v1/members/gone", app.url)).send().await.expect("an answer");
    assert_eq!(erased.status(), 200);
    let before = answers(&app).await;

    app.clock.set("2026-11-22T03:00:00Z".parse().expect("an instant"));
    let packed = nightly::run(&app.store, &app.clock).await.expect("a night").packed;
    let client = app.database.connect().await;
    let row = client
        .query_one(
            "SELECT (SELECT count(*) FROM counter_events) AS rows, (SELECT count(*) FROM counter_blocks) AS blocks,
                (SELECT count(*) FROM counter_pack_queue) AS queued,
                (SELECT max(pg_column_size(b.*)) FROM counter_blocks b)::bigint AS largest",
            &[],
        )
        .await
        .expect("the tables");
    let (rows, blocks): (i64, i64) = (row.get("rows"), row.get("blocks"));
    assert_eq!(packed as i64 + rows, 331 + 330 + 40);
    assert!(rows < 32 && blocks >= 6, "{rows} rows and {blocks} blocks");
    assert_eq!(row.get::<_, i64>("queued"), 0);
    assert!(row.get::<_, i64>("largest") < 2_000, "no value moves elsewhere");
    assert_eq!(answers(&app).await, before);
    assert_eq!(drift(&app).await, 0);
    assert_eq!(nightly::run(&app.store, &app.clock).await.expect("a night").packed, 0, "nothing is new");

    // Counting goes on behind the blocks, and the next night takes it.
    let total_before = total(&app, "a", "share").await;
    for _ in 0..2 {
        count(&app, Value::from(vec![element("m3", "a", "share", 1); 20])).await;
    }
    assert_eq!(total(&app, "a", "share").await, total_before + 40);
    assert_eq!(nightly::run(&app.store, &app.clock).await.expect("a night").packed, 0, "today is not over");
    let before = answers(&app).await;
    app.clock.set("2026-11-23T03:00:00Z".parse().expect("an instant"));
    assert!(nightly::run(&app.store, &app.clock).await.expect("a night").packed >= 40);
    assert_eq!(answers(&app).await, before);
    assert_eq!(drift(&app).await, 0);
}

/// Drift is found and healed in rows and in blocks, and whatever the lists say stays so.
#[tokio::test]
async fn drift_is_found_and_healed() {
    let app = App::start(Settings::default()).await;
    count(&app, Value::from(vec![element("ann", "a", "share", 1); 40])).await;
    count(&app, json!([element("ann", "a", "like", 1), element("bob", "a", "like", 1)])).await;
    app.clock.set("2026-11-22T03:00:00Z".parse().expect("an instant"));
    nightly::run(&app.store, &app.clock).await.expect("a night");
    assert_eq!(drift(&app).await, 0);
    let client = app.database.connect().await;
    for damage in [
        "UPDATE counters SET total = total + 5",
        "UPDATE counters SET last_seq = 1",
        "DELETE FROM counter_marks WHERE seq = 1",
        "DELETE FROM counter_blocks",
    ] {
        client.batch_execute(damage).await.expect("damage");
        assert!(drift(&app).await > 0, "{damage}");
        assert_eq!(drift(&app).await, 0, "healed: {damage}");
    }
    assert_eq!((total(&app, "a", "like").await, total(&app, "a", "share").await), (1, 0));
    assert_eq!(super::told(&count(&app, element("cem", "a", "like", 1)).await[0]), ("created", 2, Some(3)));
    let found: i64 =
        client.query_one("SELECT found FROM drift WHERE name = 'counters'", &[]).await.expect("noted").get(0);
    assert_eq!(found, 0);
}
