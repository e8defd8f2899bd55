//! A member is erased: everything of it, everywhere, and nothing else.

use serde_json::{Value, json};

use super::{count, drift, element, told, total};
use crate::support::{App, Settings};

async fn erase(app: &App, member: &str) -> u64 {
    let response =
        app.client.delete(format!("{}/v1/members/{member}", app.url)).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    response.json::<Value>().await.expect("JSON")["records"].as_u64().expect("a number")
}

/// More than a piece of one counter, packed and not, and one of many counters.
async fn fill(app: &App) {
    let mut elements: Vec<Value> = Vec::new();
    for n in 0..1_300 {
        elements.push(element("ann", "a", "share", if n % 3 == 0 { -1 } else { 1 }));
        elements.push(element(if n % 2 == 0 { "ann" } else { "bob" }, "b", "view", 1));
        elements.push(element("ann", &format!("o{n}"), "like", 1));
        elements.push(element("bob", &format!("o{n}"), "like", 1));
    }
    for some in elements.chunks(2_000) {
        count(app, Value::from(some)).await;
    }
}

#[tokio::test]
async fn everything_of_a_member_goes_and_nothing_else() {
    let app = App::start(Settings::default()).await;
    fill(&app).await;
    // A part of it is packed: what came before today.
    app.clock.set("2026-11-22T03:00:00Z".parse().expect("an instant"));
    let packed = heatstrip::counters::nightly::run(&app.store, &app.clock).await.expect("a night").packed;
    assert!(packed > 2_000, "{packed}");
    count(&app, json!([element("ann", "b", "view", 1), element("ann", "b", "view", -1)])).await;
    assert_eq!(drift(&app).await, 0);

    assert_eq!(erase(&app, "ann").await, 1_300 + 650 + 1_300 + 2);
    assert_eq!((total(&app, "a", "share").await, total(&app, "b", "view").await), (0, 650));
    assert_eq!(total(&app, "o7", "like").await, 1);
    assert_eq!(app.json("/v1/members/ann/counts").await["counts"], json!([]));
    assert_eq!(
        app.json("/v1/counts?object=video:b&member_id=ann").await["objects"][0]["counts"][0]["did"],
        false
    );
    let mut seqs = Vec::new();
    let mut before = String::new();
    loop {
        let page = app.json(&format!("/v1/counts/video/b/view/members?limit=100{before}")).await;
        let members = page["members"].as_array().expect("a list");
        assert!(members.iter().all(|member| member["member_id"] == "bob"));
        seqs.extend(members.iter().map(|member| member["seq"].as_i64().expect("a seq")));
        let Some(next) = page["before"].as_i64() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(seqs, (1..=650).rev().map(|n| 2 * n).collect::<Vec<i64>>(), "holes where ann was, no others");
    assert_eq!(drift(&app).await, 0);
    assert_eq!(erase(&app, "ann").await, 0, "once is enough");
    let client = app.database.connect().await;
    let left: i64 = client
        .query_one(
            "SELECT (SELECT count(*) FROM counter_members) + (SELECT count(*) FROM counter_erasures WHERE ended_at IS NULL)",
            &[],
        )
        .await
        .expect("the members")
        .get(0);
    assert_eq!(left, 1, "bob");
    // Whoever comes back is somebody new.
    assert_eq!(told(&count(&app, element("ann", "o7", "like", 1)).await[0]), ("created", 2, Some(3)));
    assert_eq!(erase(&app, "ann").await, 1);
}

/// The name goes with the first transaction: from then on nobody finds it, and whoever asks again goes on with the rest.
#[tokio::test]
async fn an_erasure_that_was_cut_short_goes_on() {
    let app = App::start(Settings::default()).await;
    fill(&app).await;
    let key = heatstrip::counters::element::name_key("ann");
    let members = app.store.begin_erasure("ann", key).await.expect("begun");
    app.store.erase_piece(members[0]).await.expect("a piece");
    // It is shown nowhere, though its records still count.
    let list = app.json("/v1/counts/video/b/view/members?limit=100").await;
    assert!(list["members"].as_array().expect("a list").iter().all(|member| member["member_id"] == "bob"));
    assert_eq!(drift(&app).await, 0, "each piece corrects its totals");
    // Meanwhile somebody of this name counts: that is another member, and goes as well when the name is asked for again.
    assert_eq!(told(&count(&app, element("ann", "new", "like", 1)).await[0]).0, "created");
    assert_eq!(erase(&app, "ann").await, 1_300 + 650 + 1_300 + 1);
    assert_eq!((total(&app, "a", "share").await, total(&app, "new", "like").await), (0, 0));
    assert_eq!(drift(&app).await, 0);

    count(&app, element("cem", "a", "share", 1)).await;
    app.store.begin_erasure("cem", heatstrip::counters::element::name_key("cem")).await.expect("begun");
    let night = heatstrip::counters::nightly::run(&app.store, &app.clock).await.expect("a night");
    assert_eq!(
        (night.erased, total(&app, "a", "share").await),
        (1, 0),
        "the night ends what nobody asks for again"
    );
}

/// An erased member's own retry, with the id it had: it is remembered, and brings nothing back.
#[tokio::test]
async fn a_retry_brings_nobody_back() {
    let app = App::start(Settings::default()).await;
    let mut like = element("ann", "a", "like", 1);
    like["id"] = json!("7f");
    count(&app, like.clone()).await;
    assert_eq!(erase(&app, "ann").await, 1);
    assert_eq!(told(&count(&app, like).await[0]), ("exists", 0, Some(1)));
    assert_eq!(total(&app, "a", "like").await, 0);
}

/// Erasures of everybody while everybody counts: what is left is what was counted after each erasure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_erased_stays_so_while_others_count() {
    let app = std::sync::Arc::new(App::start(Settings::default()).await);
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let app = std::sync::Arc::clone(&app);
            tokio::spawn(async move {
                for n in 0..40 {
                    let member = format!("m{}", (writer + n) % 8);
                    count(
                        &app,
                        json!([
                            element(&member, "a", "share", 1),
                            element(&member, &format!("o{}", n % 5), "like", 1)
                        ]),
                    )
                    .await;
                }
            })
        })
        .collect();
    let eraser = {
        let app = std::sync::Arc::clone(&app);
        tokio::spawn(async move {
            let (mut erased, mut n) = (0, 0);
            // However late the writers begin: some of what they count is erased while they do.
            while n < 40 || erased == 0 {
                erased += erase(&app, &format!("m{}", n % 8)).await;
                n += 1;
            }
            erased
        })
    };
    for writer in writers {
        writer.await.expect("no writer failed");
    }
    assert!(eraser.await.expect("the eraser") > 0);
    for n in 0..8 {
        erase(&app, &format!("m{n}")).await;
    }
    let client = app.database.connect().await;
    let row = client
        .query_one(
            "SELECT (SELECT count(*) FROM counter_marks) + (SELECT count(*) FROM counter_events)
                + (SELECT count(*) FROM counter_members) + (SELECT sum(abs(total))::bigint FROM counters)",
            &[],
        )
        .await
        .expect("the tables");
    assert_eq!(row.get::<_, i64>(0), 0, "nobody is left");
    assert_eq!(drift(&app).await, 0);
}
