//! A database that an earlier version filled: what it compacted is seconds and stays so, what it did not is emptied.

use std::{fs, path::Path};

use super::*;
use crate::support::database;

async fn apply(sql: &Client, from: u32, to: u32) {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/migrations");
    let mut files: Vec<_> =
        fs::read_dir(migrations).expect("migrations").map(|file| file.expect("a file").path()).collect();
    files.retain(|file| {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        name.ends_with(".sql") && (from..=to).contains(&name[..4].parse().expect("a number"))
    });
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file).expect("a migration");
        sql.batch_execute(&text).await.unwrap_or_else(|error| panic!("{}: {error:?}", file.display()));
    }
}

#[tokio::test]
async fn what_an_earlier_version_compacted_is_spread() {
    let database = database().await;
    let sql = database.connect().await;
    sql.batch_execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE EXTENSION hll")
        .await
        .expect("nothing");
    apply(&sql, 1, 8).await;
    sql.batch_execute(
        "CREATE TEMP TABLE sketch AS SELECT hll_add_agg(hll_hash_bigint(v), 12, 5, -1, 1) AS viewers FROM generate_series(1, 9) v;
         SELECT ensure_canonical_partition('2026-10-30'), ensure_canonical_partition('2026-11-20'), ensure_shard_partition('2026-11-20');
         INSERT INTO video_heatmap_60s
            SELECT 'v', d, r, s * 60, s * 60 + 59, viewers, 60 FROM sketch, unnest(ARRAY['GLOBAL', 'JP']) r,
                unnest(ARRAY['2026-10-30'::date, '2026-11-20']) d, unnest(ARRAY[0, 1, 61]) s;
         INSERT INTO video_heatmap_shards SELECT 'v', '2026-11-20', 'JP', s, 3, viewers, 2 FROM sketch, generate_series(0, 9) s;
         INSERT INTO video_heatmap_whole_shards SELECT 'v', '2026-11-20', 'JP', 3, 9, viewers, 20 FROM sketch",
    )
    .await
    .expect("rows of an earlier version");
    apply(&sql, 9, 99).await;
    let blocks =
        sql.query("SELECT captured_on::text, block FROM video_heatmap_spread ORDER BY 1, 2", &[]).await;
    let blocks: Vec<(String, i16)> =
        blocks.expect("blocks").iter().map(|row| (row.get(0), row.get(1))).collect();
    let expected = [("2026-10-30", 0), ("2026-10-30", 1), ("2026-11-20", 0), ("2026-11-20", 1)];
    assert_eq!(blocks, expected.map(|(day, block)| (day.to_owned(), block)));
    let seconds = "video_heatmap_second_shards_20261120";
    assert_eq!((count(&sql, seconds).await, count(&sql, "video_heatmap_shards").await), (10, 0));
    assert_eq!(count(&sql, "video_heatmap_whole_shards").await, 1);

    // A day goes when it is empty in every form it has, and not before.
    let drops = async || {
        let row = sql.query_one("SELECT drop_shard_partition('2026-11-20')", &[]).await.expect("a try");
        row.get::<_, bool>(0)
    };
    sql.batch_execute("DELETE FROM video_heatmap_whole_shards").await.expect("a deletion");
    assert!(!drops().await, "seconds of the earlier form are left");
    sql.batch_execute("DELETE FROM video_heatmap_second_shards; SELECT ensure_shard_partition('2026-11-20')")
        .await
        .expect("a deletion");
    assert_eq!(count(&sql, "pg_class WHERE relname LIKE '%\\_20261120'").await, 3);
    assert!(drops().await);
    assert_eq!(count(&sql, "pg_class WHERE relname LIKE '%\\_20261120'").await, 0);
    assert!(!drops().await, "there is nothing more to drop");
    let row = sql.query_one("SELECT drop_unkept_partitions('2026-11-01')", &[]).await.expect("a drop");
    assert_eq!(row.get::<_, i32>(0), 6, "October, every canonical table");
}
