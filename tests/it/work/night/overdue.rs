//! What is overdue is told by whoever serves, from the tables: after a restart too, and where cron ran the night.

use std::time::Duration;

use crate::{
    serve::metrics::scrape,
    support::{Served, database, until},
};

/// Nobody destroys salts here. The API has just been started, and knows it at once.
#[tokio::test]
async fn a_fresh_api_knows_what_is_overdue() {
    let database = database().await;
    let sql = database.connect().await;
    sql.batch_execute(
        "INSERT INTO salt_epochs (first_day, last_day, rotation, salt, made_at, used_through)
         SELECT d, d, 'daily', '\\x00', d::timestamp AT TIME ZONE 'UTC', d
         FROM unnest(ARRAY[(now() AT TIME ZONE 'UTC')::date - 10, (now() AT TIME ZONE 'UTC')::date - 1]) AS d;
         INSERT INTO nights VALUES ('retention', now(), now() - interval '3 days', 'a reason')",
    )
    .await
    .expect("salts, and a night long ago");
    let api = Served::api(&database, &[]).await;
    let found = until("the tables are looked at", Duration::from_secs(30), async || {
        let found = scrape(&api).await;
        // The last one that is set.
        (found.get(r#"heatstrip_night_overdue_seconds{step="epochs"}"#)? > &0.0).then_some(found)
    })
    .await;
    assert_eq!(found["heatstrip_salts_overdue"], 1.0);
    let value = |series: &str| *found.get(series).unwrap_or_else(|| panic!("{series} is there"));
    let days = |days: f64| days * 86_400.0;
    // The epoch of ten days ago ended nine days ago, and its salt could have gone two days later.
    assert!((days(7.0)..days(8.0)).contains(&value("heatstrip_salts_overdue_seconds")));
    assert_eq!(value(r#"heatstrip_night_step_failing{step="retention"}"#), 1.0);
    assert_eq!(value(r#"heatstrip_night_step_failing{step="salts"}"#), 0.0);
    let overdue = value(r#"heatstrip_night_overdue_seconds{step="retention"}"#);
    assert!((days(2.0)..days(2.01)).contains(&overdue), "{overdue}");
    // A step that was never tried has been due since a day after the first salt was made.
    assert!((days(9.0)..days(10.0)).contains(&value(r#"heatstrip_night_overdue_seconds{step="salts"}"#)));
    assert!(value("heatstrip_clock_skew_seconds").abs() < 5.0);

    // The job that stays destroys what is due as soon as it starts, whenever its night is; and the API tells it, being
    // started anew.
    let arguments = ["compact", "--every-day-at", "00:00", "--metrics-listen", "127.0.0.1:0"];
    let nightly = Served::start(&database, &arguments, "metrics on").await;
    until("the salt is destroyed", Duration::from_secs(30), async || {
        let row = sql
            .query_one("SELECT min(last_day) > current_date - 2 FROM salt_epochs WHERE salt IS NOT NULL", &[])
            .await;
        assert!(!nightly.process.log().contains("ERROR"), "{}", nightly.process.log());
        row.expect("a row").get::<_, bool>(0).then_some(())
    })
    .await;
    let api = Served::api(&database, &[]).await;
    until("the API tells it", Duration::from_secs(30), async || {
        let found = scrape(&api).await;
        let succeeded = found.get(r#"heatstrip_night_overdue_seconds{step="salts"}"#)? == &0.0;
        (found.get("heatstrip_salts_overdue")? == &0.0 && succeeded).then_some(())
    })
    .await;
}
