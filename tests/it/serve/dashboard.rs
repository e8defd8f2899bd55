//! All files that the dashboard loads are served by this server, with the type that they have.

use std::{collections::BTreeSet, fs, path::Path};

use crate::support::{App, Settings};

#[tokio::test]
async fn every_file_that_the_dashboard_loads_is_served() {
    let app = App::start(Settings::default()).await;
    let mut seen = BTreeSet::new();
    let mut next = vec!["/".to_owned()];
    while let Some(path) = next.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let response = app.get(&path).await;
        assert_eq!(response.status(), 200, "{path}");
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
        let content_type = match path.rsplit_once('.') {
            None => "text/html; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "svg")) => "image/svg+xml",
            Some(other) => panic!("a file of an unknown kind: {other:?}"),
        };
        assert_eq!(header("content-type"), content_type, "{path}");
        assert_eq!(header("cache-control"), "no-cache", "{path}");
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self'; ") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        let etag = header("etag").to_owned();
        let text = response.text().await.expect("text");
        next.extend(loaded_by(&path, &text));
        let request = app.client.get(format!("{}{path}", app.url)).header("if-none-match", &etag);
        assert_eq!(request.send().await.expect("an answer").status(), 304, "{path}");
    }
    assert!(seen.contains("/vendor/uplot/uPlot.esm.js") && seen.contains("/format.js"), "{seen:?}");

    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let files = |directory: &str, prefix: &str| -> BTreeSet<String> {
        let listed = fs::read_dir(web.join(directory)).expect("a directory");
        let names = listed.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
        names
            .filter(|name| name.ends_with(".js") || name.ends_with(".css"))
            .map(|name| format!("{prefix}{name}"))
            .collect()
    };
    let mut there = files(".", "/");
    there.append(&mut files("vendor/uplot", "/vendor/uplot/"));
    let client = BTreeSet::from(["/heatstrip.js".to_owned(), "/heatstrip.classic.js".to_owned()]);
    let unused: Vec<&String> = there.difference(&seen).filter(|path| !client.contains(*path)).collect();
    assert!(unused.is_empty(), "nothing loads {unused:?}");
}

/// Returns what a file asks for: `href` and `src` of the page, imports of a script.
fn loaded_by(path: &str, text: &str) -> Vec<String> {
    let marks: &[&str] = match path.rsplit_once('.') {
        None => &["href=\"", "src=\""],
        // Vendored files import nothing, and their text is not ours.
        Some((_, "js")) if !path.starts_with("/vendor/") => &["from \"", "import \""],
        _ => &[],
    };
    let quoted =
        marks.iter().flat_map(|mark| text.split(mark).skip(1)).filter_map(|rest| rest.split('"').next());
    // The description of the API is a page of its own.
    let files =
        quoted.filter(|found| (found.starts_with('/') || found.starts_with("./")) && *found != "/docs");
    files.map(|found| format!("/{}", found.trim_start_matches("./").trim_start_matches('/'))).collect()
}

#[tokio::test]
async fn any_site_loads_the_component() {
    let app = App::start(Settings::default()).await;
    let mut next = vec!["/heat-strip.js".to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(path) = next.pop() {
        let request = app.client.get(format!("{}{path}", app.url)).header("origin", "https://player.example");
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["access-control-allow-origin"], "*", "{path}");
        let text = response.text().await.expect("text");
        seen.insert(path.clone());
        next.extend(loaded_by(&path, &text).into_iter().filter(|found| !seen.contains(found)));
    }
    assert!(seen.len() > 1, "{seen:?}");
    // The dashboard itself is nobody's to embed.
    assert!(!app.get("/dashboard.js").await.headers().contains_key("access-control-allow-origin"));
}

#[test]
fn every_script_and_style_sheet_is_short() {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    for entry in fs::read_dir(&web).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|kind| kind == "js" || kind == "css") {
            let lines = fs::read_to_string(&path).expect("text").lines().count();
            assert!(lines <= 400, "{} has {lines} lines", path.display());
        }
    }
}

/// An address in the catalogue makes nobody's browser ask a host that whoever runs this has not named.
#[tokio::test]
async fn pictures_come_from_where_the_setting_says() {
    let policy = async |app: &App| {
        let page = app.get("/").await;
        page.headers()["content-security-policy"].to_str().expect("text").to_owned()
    };
    let settings = async |app: &App| app.get("/settings.js").await.text().await.expect("a text");
    let app = App::start(Settings::default()).await;
    assert!(!policy(&app).await.contains("img-src"), "nobody else is asked");
    assert!(settings(&app).await.contains("export const thumbnailOrigins = [];"));

    let origins = ["https://cdn.example", "http://127.0.0.1:8081"];
    let app = App::start(Settings {
        thumbnail_origins: origins.map(|origin| origin.parse().expect("an origin")).to_vec(),
        ..Settings::default()
    })
    .await;
    let img_src = "; img-src 'self' https://cdn.example http://127.0.0.1:8081";
    assert!(policy(&app).await.starts_with("default-src 'self'") && policy(&app).await.ends_with(img_src));
    assert!(
        settings(&app)
            .await
            .contains(r#"thumbnailOrigins = ["https://cdn.example","http://127.0.0.1:8081"];"#)
    );
    let docs = app.get("/docs").await;
    let docs = docs.headers()["content-security-policy"].to_str().expect("text");
    assert!(!docs.contains("cdn.example"), "{docs}");
}
