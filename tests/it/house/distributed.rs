//! What a cluster would refuse, or count twice, is seen in the text of the statements, without a cluster.

use std::{collections::BTreeMap, fs, path::Path};

use heatstrip::postgres::citus::DISTRIBUTED;

use super::sources;
use crate::support::one_server;

/// Tables that have a column `video_id` and stay on the coordinator, with the reason.
const STAY: &[(&str, &str)] = &[
    ("heartbeat_queue", "its rows are of many videos"),
    ("heartbeat_queue_failed", "filled in the transaction that empties the queue"),
    ("queue_stream_forgotten", "few rows, read by every fold of a lane"),
    ("catalogue", "joined with the number of its changes, a row a video"),
    ("ledger", "refused elements of all videos are written together"),
];
/// Functions whose results depend on settings of a session.
const STABLE: [&str; 7] =
    ["date_trunc(", "to_char(", "to_date(", "now()", "extract(", "AT TIME ZONE", "current_"];
/// The files of `src` whose statements run in the transaction that empties the queue.
const FOLD: [&str; 6] = [
    "heatmap/store/shards.rs",
    "audience/store/fold.rs",
    "audience/store/seal.rs",
    "views/store/fold.rs",
    "views/store/recents.rs",
    "views/store/trending.rs",
];
/// Statements of these files that run in another transaction, or where the tables are local.
const NOT_IN_FOLD: [&str; 9] = [
    "ADD_TRENDING",
    "APPEND_RUNS",
    "REARM_GROWTH",
    "SEAL_WATCHES",
    "INSERT_RECENTS",
    "UPDATE_RECENTS",
    "UPDATE_TOTALS",
    "DELETE_FADED",
    "EMPTY_TRENDING",
];

/// The statements by folder and name, without their comments.
fn statements() -> BTreeMap<(String, String), String> {
    let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/queries");
    let mut statements = BTreeMap::new();
    for folder in fs::read_dir(&queries).expect("the folder of queries") {
        let folder = folder.expect("an entry").path();
        for file in fs::read_dir(&folder).expect("a folder of queries") {
            let path = file.expect("an entry").path();
            let name = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a statement");
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
            statements.insert((name(&folder), name(&path)), code.join("\n"));
        }
    }
    assert!(statements.len() > 50, "the statements are elsewhere");
    statements
}

/// The words of a statement, names with what stands before their bracket.
fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| c.is_whitespace() || c == '(' || c == ',').filter(|word| !word.is_empty()).collect()
}

/// Returns true if the statement changes rows of a distributed table.
fn changes_distributed(text: &str) -> bool {
    words(text).windows(3).any(|words| match words {
        ["INSERT", "INTO", table] | ["DELETE", "FROM", table] => DISTRIBUTED.contains(table),
        ["UPDATE", table, "AS" | "SET"] => DISTRIBUTED.contains(table),
        _ => false,
    })
}

#[test]
fn no_select_list_is_empty() {
    for (name, text) in statements() {
        assert!(
            !words(&text).windows(2).any(|words| words == ["SELECT", "FROM"]),
            "a cluster does not take an empty select list: {name:?}"
        );
    }
}

#[test]
fn no_delete_depends_on_a_setting() {
    for (name, text) in statements() {
        if text.contains("DELETE FROM") && changes_distributed(&text) {
            for function in STABLE {
                assert!(!text.contains(function), "{function} in a DELETE: {name:?}");
            }
        }
    }
}

#[test]
fn the_distributed_fold_waits_for_its_commit() {
    let statements = statements();
    let text = &statements[&("heatmap".to_owned(), "prepare_fold_distributed".to_owned())];
    assert!(text.contains("SET LOCAL synchronous_commit = on;"), "it would count twice after a crash");
    for ((folder, name), text) in &statements {
        assert!(
            !name.ends_with("_distributed") || !text.contains("synchronous_commit = off"),
            "{folder}/{name}"
        );
    }
}

/// A write that names one video would go to one node, which is then told to commit before the coordinator has committed that the
/// queue is empty. Rows that come from arrays are committed in two phases.
#[test]
fn whoever_empties_the_queue_writes_from_arrays() {
    let statements = statements();
    let mut seen = 0;
    for file in FOLD {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
        assert!(sources().contains(&path), "{file} is elsewhere");
        let source = fs::read_to_string(&path).expect("a source file");
        let folder = file.split('/').next().expect("a folder").to_owned();
        for part in source.split("sql::").skip(1) {
            let constant: String = part
                .chars()
                .take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_')
                .collect();
            let Some(text) = statements.get(&(folder.clone(), constant.to_lowercase())) else { continue };
            if NOT_IN_FOLD.contains(&constant.as_str()) || !changes_distributed(text) {
                continue;
            }
            seen += 1;
            let from_arrays =
                text.contains("INSERT INTO") && text.contains("FROM unnest(") && text.contains("ON CONFLICT");
            let routed = text.contains("video_id = $");
            assert!(
                from_arrays && !routed,
                "{folder}/{} is not written from arrays",
                constant.to_lowercase()
            );
        }
    }
    assert!(seen >= 12, "the fold writes elsewhere");
}

#[tokio::test]
async fn every_table_with_videos_is_distributed_or_has_a_reason() {
    let database = one_server().await;
    let rows = database
        .connect()
        .await
        .query(
            "SELECT c.relname::text FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                 AND a.attname = 'video_id' AND NOT a.attisdropped ORDER BY 1",
            &[],
        )
        .await
        .expect("the catalog");
    let tables: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    for table in &tables {
        let distributed = DISTRIBUTED.contains(&table.as_str());
        let stays = STAY.iter().any(|(name, _)| name == table);
        assert!(
            distributed != stays,
            "{table}: name it in postgres::citus::DISTRIBUTED or here, not in both"
        );
    }
    for table in DISTRIBUTED {
        assert!(tables.iter().any(|name| name == table), "there is no table {table}");
    }
}
