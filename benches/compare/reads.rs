//! Cold strips of videos whose sketches are all dense, beside the article's query and `ClickHouse` on the same viewers.

mod fill;

use std::time::Instant;

use crate::{
    Plan,
    peers::Reader,
    postgres::{self, Postgres},
    process::{self, Server},
    report::{Goal, Section, Table, median},
};

pub const TITLE: &str = "Cold strips";

/// The article's read of a whole video at 5 s.
const ARTICLE: &str = "SELECT (bucket_sec / $1) * $1 AS bucket, hll_cardinality(hll_union_agg(viewers))::int AS viewers
    FROM article WHERE video_id = $2 AND ($3 = 'GLOBAL' OR region = $3) GROUP BY bucket_sec / $1 ORDER BY bucket";
/// Closed days of each video.
const DAYS: i64 = 28;
/// Buckets of a strip: 20 minutes at 5 s.
const BUCKETS: usize = 240;

/// The reads, by what is said of them.
const READS: [&str; 6] = [
    "the article's query, one day",
    "one spread day",
    "28 spread days",
    "28 days that are not spread, 500 canonical runs each",
    "today, nothing compacted: 13,000 shard runs of a second, the most that hot compaction leaves",
    "today, half compacted: every second once spread, once as a shard run",
];
const CLICKHOUSE: &str = "ClickHouse embedded, `uniqCombined64(12)`, one day, by its own clock";

/// How a rotation must do: the article's time over that of a day and of 28 days, as it was with rows of seconds alone (the
/// worse of two published runs), and the most that 28 days may be of one.
const EARLIER: [(f64, f64, f64); 2] = [(44.0, 8.0, 5.0), (14.0, 2.1, 8.0)];

/// Medians in milliseconds.
struct Measured {
    rotation: &'static str,
    reads: [f64; 6],
    clickhouse: Option<f64>,
}

pub async fn section(plan: &Plan) -> anyhow::Result<Section> {
    let postgres = Postgres::start().await?;
    let mut columns = vec![measure(&postgres, "daily", plan.turns).await?];
    // Filling a database with four weeks takes most of the time; the essential comparison does it once.
    if !plan.quick {
        columns.push(measure(&postgres, "monthly", plan.turns).await?);
    }
    postgres.stop().await?;
    let row = |what: &str, value: &dyn Fn(&Measured) -> Option<f64>| {
        let cell = |column| value(column).map_or("not there".to_owned(), |ms| format!("{ms:.1} ms"));
        std::iter::once(what.to_owned()).chain(columns.iter().map(cell)).collect::<Vec<_>>()
    };
    let mut rows: Vec<_> = READS
        .iter()
        .enumerate()
        .map(|(index, what)| row(what, &|column| Some(column.reads[index])))
        .collect();
    rows.insert(1, row(CLICKHOUSE, &|column| column.clickhouse));
    let mut goals = Vec::new();
    for (Measured { rotation, reads, .. }, (day, days, most)) in columns.iter().zip(EARLIER) {
        let [article, one, all, runs, today, half] = *reads;
        goals.extend([
            Goal::at_least(format!("article / one spread day, {rotation} rotation"), day, article / one),
            Goal::at_least(format!("article / 28 spread days, {rotation} rotation"), days, article / all),
            Goal::at_most(format!("28 spread days / one, {rotation} rotation"), most, all / one),
            Goal::at_most(format!("28 days that are not spread, in ms, {rotation} rotation"), 80.0, runs),
            Goal::at_most(
                format!("today, nothing compacted / article, {rotation} rotation"),
                0.5,
                today / article,
            ),
            Goal::at_most(
                format!("today, half compacted / article, {rotation} rotation, as before"),
                0.8,
                half / article,
            ),
        ]);
    }
    let heads = columns.iter().map(|column| format!("{} rotation", column.rotation));
    Ok(Section {
        title: TITLE,
        text: format!(
            "Videos of 20 minutes in 8 regions (500 runs: in 5), all sketches dense, `GLOBAL`, 5 s, over HTTP without a strip cache; the\n\
             article's query on the same sketches (its table, its covering index), through a prepared statement; ClickHouse on states of the same\n\
             viewers, through its own library. In turns, the median of {}.",
            plan.turns
        ),
        tables: vec![Table::new(std::iter::once("read".to_owned()).chain(heads), rows)],
        goals,
        ..Section::default()
    })
}

async fn measure(postgres: &Postgres, rotation: &'static str, turns: usize) -> anyhow::Result<Measured> {
    let (url, store) = postgres.heatstrip(rotation, 2).await?;
    store.close();
    let client = postgres::connect(&url).await?;
    fill::closed_days(&client, rotation).await?;
    process::run(&url, &["compact"], postgres.postmaster()?)?;
    fill::check_forms(&client).await?;
    fill::today(&client).await?;
    client.batch_execute("VACUUM ANALYZE").await?;
    postgres::settle(&url).await?;

    let mut clickhouse = Reader::start("clickhouse_strip.py");
    let server = Server::start(&url, &[("HEATSTRIP_CACHE_TTL_SECS", "0")])?;
    let http = heatstrip::import::replay::client();
    let article = client.prepare_typed(ARTICLE, &[]).await?;
    let today = chrono::Utc::now().date_naive();
    let strip = |video: &str, from: i64, to: i64| {
        let day = |before: i64| today - chrono::TimeDelta::days(before);
        format!("{}/v1/videos/{video}/heatmap?from={}&to={}", server.url, day(from), day(to))
    };
    let questions = [
        strip("film", 10, 10),
        strip("film", DAYS, 1),
        strip("tail", DAYS, 1),
        strip("premiere", 0, 0),
        strip("film", 0, 0),
    ];
    let mut times: [Vec<f64>; 6] = Default::default();
    let mut clickhouse_times = Vec::new();
    for _ in 0..turns {
        let started = Instant::now();
        let rows = client.query(&article, &[&5_i32, &"film", &"GLOBAL"]).await?;
        times[0].push(started.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(rows.len() == BUCKETS, "{} buckets", rows.len());
        if let Some(clickhouse) = &mut clickhouse {
            clickhouse_times.push(clickhouse.read()?);
        }
        for (question, times) in questions.iter().zip(&mut times[1..]) {
            let started = Instant::now();
            let body = http.get(question).send().await?.text().await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            anyhow::ensure!(body.matches("\"bucket\"").count() == BUCKETS, "{question}: {body:.200}");
        }
    }
    drop(server);
    postgres.drop(rotation).await?;
    Ok(Measured {
        rotation,
        reads: times.map(median),
        clickhouse: clickhouse.map(|_| median(clickhouse_times)),
    })
}
