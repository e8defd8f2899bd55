//! `docs/sql.md` keeps its word: its queries say what the API says, whatever form the rows have.

use std::{fs, path::Path};

use heatstrip::{
    heatmap::compaction,
    viewers::{epoch::Rotation, salt::SaltSource},
};
use rand::RngExt;
use serde_json::{Value, json};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::forms;
use crate::support::{App, Settings, chance};

/// The strips that the queries of the page are to agree with, in their order.
const STRIPS: [&str; 4] = [
    "resolution=1&from=2026-11-21&to=2026-11-21",
    "resolution=10&region=JP&from=2026-11-21&to=2026-11-21",
    "resolution=5&from=2026-11-21&to=2026-11-21",
    "resolution=5&from=2026-11-19&to=2026-11-21",
];

/// More strips that no change of form may change.
const OTHERS: [&str; 5] = [
    "resolution=60",
    "resolution=7&region=KR,US",
    "resolution=3600&region=JP",
    "resolution=1&region=US&from=2026-11-20",
    "resolution=300&to=2026-11-20",
];

fn queries() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sql.md");
    let page = fs::read_to_string(page).expect("the page");
    let blocks = page.split("```sql\n").skip(1);
    blocks.map(|block| block.split("```").next().expect("the end of a block").to_owned()).collect()
}

/// What a query of the page says: bucket, viewers and, if it says so, seconds played.
async fn asked(client: &Client, query: &str) -> Vec<Vec<u64>> {
    let answer = client.simple_query(&format!("{query}; DEALLOCATE ALL")).await.expect("a query of the page");
    let number = |text: Option<&str>| text.expect("a value").parse().expect("a number");
    let rows = answer.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|column| number(row.get(column))).collect()),
        _ => None,
    });
    rows.collect()
}

async fn strip(app: &App, asked: &str) -> Value {
    let mut strip = app.json(&format!("/v1/videos/yt_abc123/heatmap?{asked}")).await;
    strip["generated_at"] = Value::Null;
    strip
}

/// Three days of one video, the last with some seconds that more people watch than are counted.
async fn watch(app: &App) {
    let mut chance = chance();
    for (day, beats) in [("2026-11-19", 60), ("2026-11-20", 300), ("2026-11-21", 2_500)] {
        app.clock.set(format!("{day}T10:00:00Z").parse().expect("an instant"));
        for step in 0..3 {
            let mut said = Vec::new();
            for _ in 0..beats / 3 {
                // Some behind the edge of the first block.
                let first = if step == 2 { 3_500 } else { 0 };
                let start: u32 = first + chance.random_range(0..150);
                let region = ["JP", "KR", "US"][chance.random_range(0..3)];
                said.push(json!({
                    "video_id": "yt_abc123", "region": region,
                    "viewer_id": format!("viewer {}", chance.random_range(0..1_500)),
                    "start_sec": start, "end_sec": start + chance.random_range(0..90),
                }));
            }
            let response = app.post(Value::from(said).to_string()).await;
            assert_eq!(response.status(), 202);
            app.fold().await;
        }
    }
}

#[tokio::test]
async fn the_queries_of_the_page_agree_with_the_strips_in_every_form() {
    let app = App::start(Settings { salts: SaltSource::Made(Rotation::Daily), ..Settings::default() }).await;
    watch(&app).await;
    let client = app.database.connect().await;
    let queries = queries();
    assert_eq!(queries.len(), STRIPS.len(), "each block of SQL has its strip");
    let mut before = Vec::new();
    for asked in STRIPS.iter().chain(&OTHERS) {
        before.push(strip(&app, asked).await);
    }
    assert_eq!(before[0]["exact"], false, "the last day is estimated");
    assert_eq!(before[3]["scope"], "viewer-days");

    for form in 0..8 {
        match form {
            0 => {}
            1 => forms::to_earlier_form(&client, "2026-11-21", "JP").await,
            2 => forms::to_canonical_runs(&client, "2026-11-21", "KR").await,
            3 => forms::spread(&client, "2026-11-20", 0).await,
            4 => forms::to_canonical_runs(&client, "2026-11-20", "US").await,
            // The second block stays in runs.
            5 => forms::spread(&client, "2026-11-21", 0).await,
            _ => {
                let through = if form == 6 { "2026-11-20" } else { "2026-11-21" };
                let through = through.parse().expect("a day");
                compaction::run(&app.store, through, |_| ()).await.expect("a compaction");
            }
        }
        for (asked, before) in STRIPS.iter().chain(&OTHERS).zip(&before) {
            assert_eq!(&strip(&app, asked).await, before, "{asked} in form {form}");
        }
        for (query, strip) in queries.iter().zip(&before) {
            let rows = asked(&client, query).await;
            let columns = ["bucket", "viewers", "seconds_played"];
            let number = |bucket: &Value, column: &&str| bucket[column].as_u64().expect("a count");
            let expected: Vec<Vec<u64>> = strip["buckets"]
                .as_array()
                .expect("buckets")
                .iter()
                .filter(|bucket| bucket["viewers"] != 0)
                .map(|bucket| columns[..rows[0].len()].iter().map(|column| number(bucket, column)).collect())
                .collect();
            assert_eq!(rows, expected, "in form {form}: {query}");
        }
    }
}

/// Days that are not kept by the second are left out whole: some of them would be without their popular seconds.
#[tokio::test]
async fn thinned_days_are_left_out() {
    let app = App::start(Settings::default()).await;
    watch(&app).await;
    let client = app.database.connect().await;
    forms::to_canonical_runs(&client, "2026-11-19", "JP").await;
    forms::spread(&client, "2026-11-20", 0).await;
    let days = async || -> Vec<String> {
        let query = "SELECT DISTINCT captured_on::text FROM video_heatmap_seconds ORDER BY 1";
        client.query(query, &[]).await.expect("days").iter().map(|row| row.get(0)).collect()
    };
    assert_eq!(days().await, ["2026-11-19", "2026-11-20", "2026-11-21"]);
    for (change, left) in [
        ("UPDATE retention SET fine_from = '2026-11-20'", &["2026-11-20", "2026-11-21"][..]),
        ("UPDATE retention SET kept_from = '2026-11-21'", &["2026-11-21"]),
    ] {
        client.batch_execute(change).await.expect("a change");
        assert_eq!(days().await, left);
    }
}

/// Two hours of seconds as groups, each of them dense: hashed they would hold 900 MB.
#[tokio::test]
async fn a_query_of_the_page_takes_little_memory() {
    let app = App::start(Settings::default()).await;
    let client = app.database.connect().await;
    client
        .batch_execute(
            "SELECT ensure_shard_partition('2026-11-21');
             INSERT INTO video_heatmap_shards
                SELECT 'yt_abc123', '2026-11-21', r, s, s + 9, viewers, 5000
                FROM (SELECT hll_add_agg(hll_hash_bigint(v), 12, 5, -1, 1) AS viewers FROM generate_series(1, 5000) v) AS dense,
                    unnest(ARRAY['JP', 'KR']) r, generate_series(0, 7190, 10) s",
        )
        .await
        .expect("dense runs");
    let asking = app.database.connect().await;
    let pid: i32 = asking.query_one("SELECT pg_backend_pid()", &[]).await.expect("a backend").get(0);
    assert_eq!(asked(&asking, &queries()[0]).await.len(), 7_200);
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the backend's status");
    // Shared pages that it has touched are no memory of its own: anonymous ones are.
    let kib = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line");
        line.split_whitespace().nth(1).expect("a size").parse().expect("a number")
    };
    let most = kib("VmHWM") - kib("RssShmem");
    assert!(most < 128 * 1024, "{most} KiB\n{status}");
}
