//! The processes say what `ops/` asks for: every metric and label of the dashboard and the alerts is there once they
//! have worked.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::{post, scrape};
use crate::support::{Served, database};

/// Prometheus itself knows these labels of each process it asks.
const OF_PROMETHEUS: [&str; 2] = ["instance", "job"];

/// Returns the names of metrics in an expression, each with the labels that stand in the braces behind it.
fn metrics(expression: &str) -> Vec<(String, Vec<String>)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in expression.match_indices("heatstrip_") {
        let rest = &expression[at..];
        let (name, rest) = rest.split_at(rest.find(|c| !is_name(c)).unwrap_or(rest.len()));
        let mut labels = Vec::new();
        if let Some(selector) = rest.strip_prefix('{') {
            // The values are quoted and may hold braces of their own.
            let parts: Vec<&str> = selector.split('"').collect();
            for part in parts.iter().step_by(2) {
                let label = part.trim_start_matches([',', ' ']);
                if label.starts_with('}') {
                    break;
                }
                labels.push(label.trim_end_matches(['=', '~', '!']).to_owned());
            }
        }
        found.push((name.to_owned(), labels));
    }
    found
}

/// Returns the labels of `by (…)`.
fn grouped(expression: &str) -> Vec<String> {
    let behind = expression.split("by (").skip(1).filter_map(|rest| rest.split(')').next());
    behind.flat_map(|labels| labels.split(',').map(|label| label.trim().to_owned())).collect()
}

fn expressions() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ops");
    let text = fs::read_to_string(folder.join("grafana-dashboard.json")).expect("the dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let mut expressions: Vec<String> =
        targets.map(|target| target["expr"].as_str().expect("an expression").to_owned()).collect();
    assert!(expressions.len() > 20, "the dashboard is read as it is written");
    let alerts = fs::read_to_string(folder.join("alerts.yml")).expect("the alerts");
    let blocks: Vec<&str> = alerts.split("expr:").skip(1).collect();
    assert!(blocks.len() > 10, "the alerts are read as they are written");
    // An expression ends where the next key begins; promtool reads the file as YAML.
    expressions.extend(blocks.iter().map(|block| {
        let lines = block
            .lines()
            .take_while(|line| !line.trim_start().starts_with("for:") && !line.contains("labels:"));
        lines.collect::<Vec<_>>().join(" ")
    }));
    expressions
}

#[tokio::test]
async fn dashboard_and_alerts_ask_for_what_there_is() {
    let database = database().await;
    let api = Served::api(&database, &[]).await;
    assert_eq!(post(&api, r#"{"video_id":"v","start_sec":0,"end_sec":9,"viewer_id":"a"}"#).await, 202);
    api.client.get(format!("{}/v1/videos/v/heatmap", api.url)).send().await.expect("an answer");
    let worker = Served::start(&database, &["work", "--metrics-listen", "127.0.0.1:0"], "metrics on").await;
    let arguments = ["compact", "--every-day-at", "03:30", "--metrics-listen", "127.0.0.1:0"];
    let nightly = Served::start(&database, &arguments, "metrics on").await;

    let mut there: BTreeSet<(String, String)> = BTreeSet::new();
    for process in [&api, &worker, &nightly] {
        for series in scrape(process).await.keys() {
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            there.insert((name.to_owned(), String::new()));
            // Values are quoted and hold no quote: every second part ends with a label.
            for label in labels.split('"').step_by(2) {
                let label = label.trim_start_matches(',').trim_end_matches('=');
                there.insert((name.to_owned(), label.to_owned()));
            }
        }
    }
    for expression in expressions() {
        let metrics = metrics(&expression);
        assert!(!metrics.is_empty() || expression.contains("up{"), "{expression}");
        for (name, labels) in metrics {
            let grouped =
                grouped(&expression).into_iter().filter(|label| !OF_PROMETHEUS.contains(&label.as_str()));
            for label in labels.into_iter().chain(grouped).chain([String::new()]) {
                assert!(
                    there.contains(&(name.clone(), label.clone())),
                    "{name} has no {label:?}: {expression}"
                );
            }
        }
    }
}

/// The chapter on operation says what to do when an alert fires, and knows no other.
#[test]
fn every_alert_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let alerts = fs::read_to_string(root.join("ops/alerts.yml")).expect("the alerts");
    let chapter = fs::read_to_string(root.join("docs/operations.md")).expect("the chapter");
    let names = |text: &str, before: &str| -> BTreeSet<String> {
        text.split(before)
            .skip(1)
            .map(|rest| rest.chars().take_while(char::is_ascii_alphanumeric).collect())
            .collect()
    };
    assert_eq!(
        names(&alerts, "- alert: "),
        names(&chapter, "**Heatstrip").into_iter().map(|name| format!("Heatstrip{name}")).collect()
    );
}

/// Each alert is played: it fires in one of promtool's tests, and where all is well it is silent though its series are there.
#[test]
fn every_alert_is_played() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| -> Value {
        serde_norway::from_str(&fs::read_to_string(root.join(path)).expect("a file")).expect("YAML")
    };
    let texts = |list: &Value, name: &str| -> Vec<String> {
        let list = list.as_array().expect("a list").iter();
        list.filter_map(|entry| Some(entry.get(name)?.as_str()?.to_owned())).collect()
    };
    let (rules, played) = (read("ops/alerts.yml"), read("tests/alerts.yml"));
    let tests = played["tests"].as_array().expect("tests");
    let well =
        tests.iter().find(|test| test["name"].as_str().is_some_and(|name| name.starts_with("all is well")));
    let series = texts(&well.expect("a test where all is well")["input_series"], "series");
    let fired: String = tests
        .iter()
        .flat_map(|test| test["promql_expr_test"].as_array().expect("expressions"))
        .flat_map(|expression| texts(&expression["exp_samples"], "labels"))
        .collect();
    for rule in rules["groups"][0]["rules"].as_array().expect("rules") {
        let (alert, expression) =
            (rule["alert"].as_str().expect("a name"), rule["expr"].as_str().expect("a rule"));
        assert!(fired.contains(&format!("alertname=\"{alert}\"")), "{alert} fires in no test");
        for (metric, _) in metrics(expression) {
            let is_there = |series: &String| series.split('{').next() == Some(&metric);
            assert!(series.iter().any(is_there), "{alert} is silent because there is no {metric}");
        }
    }
}
