//! The description of the interface is whole, and what it describes is there.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use super::sources;
use crate::support::{App, Settings};

const METHODS: [&str; 4] = ["get", "put", "post", "delete"];

#[tokio::test]
async fn every_route_is_described() {
    let app = App::start(Settings::default()).await;
    let document = app.json("/openapi.json").await;
    let described: BTreeSet<&str> =
        document["paths"].as_object().expect("paths").keys().map(String::as_str).collect();
    // Routes made by hand are in no description, so only pages and their files may be.
    let mut pages = 0;
    for file in sources() {
        let text = fs::read_to_string(file).expect("a source file");
        let text = text.split("#[cfg(test)]").next().expect("a part");
        // Those of pages stand in a table, a path at the beginning of a line.
        let tabled = text.lines().filter_map(|line| line.trim_start().strip_prefix("\"/"));
        let routed = text.split(".route(\"/").skip(1);
        for path in tabled.chain(routed).map(|rest| format!("/{}", rest.split('"').next().expect("a path"))) {
            let path = path.as_str();
            if described.contains(path) {
                continue;
            }
            // One of the files of pages, of another version.
            let answer = app.get(&path.replace("{name}", "dashboard-0123456789abcdef.js")).await;
            assert_eq!(answer.status(), 200, "{path}");
            let content_type = answer.headers()["content-type"].to_str().expect("text");
            let page = ["text/html", "text/javascript", "text/css", "image/"];
            assert!(page.iter().any(|page| content_type.starts_with(page)), "{path} is in no description");
            pages += 1;
        }
    }
    assert!(pages >= 5, "the routes are written as this test reads them");
}

#[tokio::test]
async fn every_operation_says_what_may_happen() {
    let app = App::start(Settings::default()).await;
    let document = app.json("/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in METHODS.iter().filter_map(|method| Some((method, item.get(method)?))) {
            let at = format!("{method} {path}");
            assert!(names.insert(operation["operationId"].as_str().expect("a name")), "{at}: a name twice");
            assert!(operation["summary"].as_str().is_some_and(|summary| summary.len() < 100), "{at}");
            for (status, response) in operation["responses"].as_object().expect("responses") {
                assert!(response["headers"].get("x-request-id").is_some(), "{at} {status}");
                let is_problem = response["content"].get("application/problem+json").is_some();
                assert_eq!(is_problem, status.as_str() >= "400", "{at} {status}");
                if status == "503" {
                    assert!(response["headers"].get("retry-after").is_some(), "{at} {status}");
                }
            }
        }
    }
    for (path, statuses) in [
        (
            "/v1/heartbeats",
            ["200", "202", "400", "401", "403", "408", "413", "415", "422", "429", "500", "503"].as_slice(),
        ),
        ("/v1/videos/{video_id}/heatmap", &["200", "304", "400", "401", "403", "422", "429", "500", "503"]),
        (
            "/v1/videos/{video_id}/heatmap.svg",
            &["200", "304", "400", "401", "403", "422", "429", "500", "503"],
        ),
        ("/v1/videos", &["200", "304", "400", "401", "403", "429", "500", "503"]),
        ("/v1/counts/{object_type}/{object_id}", &["200", "304", "400", "401", "403", "429", "500", "503"]),
        (
            "/v1/counts/{object_type}/{object_id}/{kind}/members",
            &["200", "304", "400", "401", "403", "429", "500", "503"],
        ),
        ("/v1/members/{member_id}/counts", &["200", "304", "400", "401", "403", "429", "500", "503"]),
        ("/v1/members/{member_id}", &["200", "400", "401", "403", "429", "500", "503"]),
        ("/v1/videos/{video_id}/audience", &["200", "304", "400", "401", "403", "422", "429", "500", "503"]),
        ("/v1/audience/overlap", &["200", "304", "400", "401", "403", "422", "429", "500", "503"]),
        ("/v1/videos/{video_id}", &["200", "304", "400", "401", "403", "404", "429", "500", "503"]),
        ("/v1/videos/{video_id}/days", &["200", "304", "400", "401", "403", "429", "500", "503"]),
        ("/v1/reach", &["200", "304", "400", "401", "403", "422", "429", "500", "503"]),
        ("/v1/catalogue", &["200", "304", "400", "401", "403", "429", "500", "503"]),
        ("/v1/trending", &["200", "304", "400", "401", "403", "429", "500", "503"]),
        ("/readyz", &["200", "400", "500", "503"]),
    ] {
        let item = &document["paths"][path];
        let operation = METHODS.iter().find_map(|method| item.get(method)).unwrap_or(&Value::Null);
        let listed: Vec<&str> =
            operation["responses"].as_object().expect("responses").keys().map(String::as_str).collect();
        assert_eq!(listed, statuses, "{path}");
    }
}

/// The closed lists that clients match on are in the description.
#[tokio::test]
async fn closed_lists_are_whole() {
    let app = App::start(Settings::default()).await;
    let document = app.json("/openapi.json").await;
    let names = |schema: &str| document["components"]["schemas"][schema]["enum"].clone();
    let reasons = heatstrip::events::refusal::Reason::ALL.map(|reason| reason.name());
    assert_eq!(names("Reason"), serde_json::json!(reasons));
    let formats = heatstrip::heatmap::strip::formats::NAMED.map(|(name, _)| name);
    let parameters = &document["paths"]["/v1/videos/{video_id}/heatmap"]["get"]["parameters"];
    let format = parameters.as_array().expect("parameters").iter().find(|p| p["name"] == "format");
    let format = format.expect("the parameter");
    assert_eq!(format["schema"]["enum"], serde_json::json!(formats), "{format}");
    assert_eq!(
        names("Scope"),
        serde_json::json!(["viewers", "viewer-days", "viewer-weeks", "viewer-months", "viewer-epochs"])
    );
}

#[tokio::test]
async fn the_page_asks_nobody_else() {
    let app = App::start(Settings::default()).await;
    let page = app.get("/docs").await;
    assert!(
        page.headers()["content-security-policy"].to_str().expect("text").starts_with("default-src 'self'")
    );
    let text = page.text().await.expect("a text");
    assert!(!text.contains("http://") && !text.contains("https://") && text.contains("load-fonts=\"false\""));
}

/// Two types of one name would be one schema, and whichever is written last would describe both.
#[test]
fn every_schema_has_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for file in sources() {
        let file = syn::parse_file(&fs::read_to_string(file).expect("a source file")).expect("Rust");
        for item in &file.items {
            let (attributes, name) = match item {
                syn::Item::Struct(item) => (&item.attrs, item.ident.to_string()),
                syn::Item::Enum(item) => (&item.attrs, item.ident.to_string()),
                _ => continue,
            };
            let texts = |of: &str| -> Vec<String> {
                let meant = attributes.iter().filter(|attribute| attribute.path().is_ident(of));
                meant
                    .filter_map(|attribute| Some(attribute.meta.require_list().ok()?.tokens.to_string()))
                    .collect()
            };
            if texts("derive").iter().any(|derived| derived.contains("ToSchema")) {
                let renamed = texts("schema").iter().find_map(|schema| {
                    let (_, renamed) = schema.split_once("as = ")?;
                    Some(renamed.split([' ', ',']).next()?.to_owned())
                });
                let name = renamed.unwrap_or(name);
                assert!(
                    names.insert(name.clone()),
                    "{name} describes two types: give one `#[schema(as = …)]`"
                );
            }
        }
    }
    assert!(names.len() > 30, "{names:?}");
}
