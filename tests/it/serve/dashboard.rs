//! All files that the pages load are served by this server, with the type that they have, and are kept as long as they may.

use std::{fs, path::Path};

use reqwest::Response;

use crate::support::{App, Settings};

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// Returns the files that a page names, relative to itself.
fn named_by(page: &str) -> Vec<String> {
    let quoted = ["href=\"", "src=\""].iter().flat_map(|mark| page.split(mark).skip(1));
    let named = quoted.filter_map(|rest| rest.split('"').next());
    named.filter(|name| name.starts_with("assets/")).map(str::to_owned).collect()
}

#[tokio::test]
async fn pages_name_their_files_by_their_hashes() {
    let app = App::start(Settings::default()).await;
    for (page, files) in [
        ("/", &["favicon.svg", "dashboard.css", "dashboard.js"][..]),
        ("/docs", &["favicon.svg", "rapidoc-min.js"]),
    ] {
        let response = app.get(page).await;
        assert_eq!(header(&response, "content-type"), "text/html; charset=utf-8", "{page}");
        assert_eq!(header(&response, "cache-control"), "no-cache", "an upgrade is seen at once");
        let policy = header(&response, "content-security-policy");
        assert!(
            policy.starts_with("default-src 'self'; ") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        let etag = header(&response, "etag").to_owned();
        let again = app.client.get(format!("{}{page}", app.url)).header("if-none-match", &etag);
        assert_eq!(again.send().await.expect("an answer").status(), 304, "{page}");
        let named = named_by(&response.text().await.expect("text"));
        for file in files {
            let (stem, ending) = file.rsplit_once('.').expect("an ending");
            let is_it =
                |name: &&String| name.starts_with(&format!("assets/{stem}-")) && name.ends_with(ending);
            let name = named.iter().find(is_it).unwrap_or_else(|| panic!("{page} has no {file}: {named:?}"));
            let response = app.get(&format!("/{name}")).await;
            assert_eq!(response.status(), 200, "{name}");
            let content_type = match ending {
                "css" => "text/css; charset=utf-8",
                "js" => "text/javascript; charset=utf-8",
                _ => "image/svg+xml",
            };
            assert_eq!(header(&response, "content-type"), content_type, "{name}");
            assert_eq!(header(&response, "cache-control"), IMMUTABLE, "{name}");
            assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{name}");
            assert!(
                header(&response, "content-security-policy").starts_with("default-src 'self'; "),
                "{name}"
            );
            let held = app
                .client
                .get(format!("{}/{name}", app.url))
                .header("if-none-match", header(&response, "etag"));
            assert_eq!(held.send().await.expect("an answer").status(), 304, "{name}");
            // The dashboard itself is nobody's to embed.
            assert_eq!(header(&response, "access-control-allow-origin"), "", "{name}");
        }
        let unhashed: Vec<_> = named.iter().filter(|name| !name.contains('-')).collect();
        assert!(unhashed.is_empty(), "{unhashed:?}");
    }
}

/// While two versions run side by side, the page of one may ask the other for its files.
#[tokio::test]
async fn another_versions_file_is_this_versions_and_is_not_kept() {
    let app = App::start(Settings::default()).await;
    let page = app.get("/").await.text().await.expect("text");
    let mine = named_by(&page).into_iter().find(|name| name.ends_with(".js")).expect("a script");
    let theirs = app.get("/assets/dashboard-0123456789abcdef.js").await;
    assert_eq!(theirs.status(), 200);
    assert_eq!(header(&theirs, "cache-control"), "no-cache");
    assert_eq!(
        theirs.text().await.expect("text"),
        app.get(&format!("/{mine}")).await.text().await.expect("text")
    );
    for name in [
        "dashboard.js",
        "dashboard-.js",
        "dashboard-0123456789abcdeg.js",
        "dashboard-0123456789abcdef.css.js",
        "settings-0123456789abcdef.js",
        "..%2Findex-0123456789abcdef.html",
        "%ff",
        "",
    ] {
        let response = app.get(&format!("/assets/{name}")).await;
        assert_eq!(response.status(), 404, "{name}");
        assert_eq!(header(&response, "content-type"), "application/problem+json", "{name}");
    }
}

#[tokio::test]
async fn any_site_loads_the_component_and_keeps_it() {
    let app = App::start(Settings::default()).await;
    for (path, cache_control) in [
        ("/heat-strip.js", "public, max-age=3600, stale-while-revalidate=86400"),
        ("/moments.js", "no-cache"),
        ("/format.js", "no-cache"),
    ] {
        let request = app.client.get(format!("{}{path}", app.url)).header("origin", "https://player.example");
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(header(&response, "access-control-allow-origin"), "*", "{path}");
        assert_eq!(header(&response, "cross-origin-resource-policy"), "cross-origin", "{path}");
        assert_eq!(header(&response, "cache-control"), cache_control, "{path}");
        let etag = header(&response, "etag").to_owned();
        let text = response.text().await.expect("text");
        let imports: Vec<_> =
            text.split("from \"./").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let expected: &[&str] = if path == "/moments.js" { &["format.js"] } else { &[] };
        assert_eq!(imports, expected, "{path}");
        let held = app.client.get(format!("{}{path}", app.url)).header("if-none-match", etag);
        assert_eq!(held.send().await.expect("an answer").status(), 304, "{path}");
    }
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
    let named = async |app: &App| {
        let page = app.get("/").await.text().await.expect("a text");
        let (_, rest) = page.split_once(r#"name="thumbnail-origins" content=""#).expect("the page says so");
        rest.split('"').next().expect("a quote").to_owned()
    };
    let app = App::start(Settings::default()).await;
    assert!(!policy(&app).await.contains("img-src"), "nobody else is asked");
    assert_eq!(named(&app).await, "");

    let origins = ["https://cdn.example", "http://127.0.0.1:8081"];
    let app = App::start(Settings {
        thumbnail_origins: origins.map(|origin| origin.parse().expect("an origin")).to_vec(),
        ..Settings::default()
    })
    .await;
    let img_src = "; img-src 'self' https://cdn.example http://127.0.0.1:8081";
    assert!(policy(&app).await.starts_with("default-src 'self'") && policy(&app).await.ends_with(img_src));
    assert_eq!(named(&app).await, "https://cdn.example http://127.0.0.1:8081");
    let docs = app.get("/docs").await;
    let docs = docs.headers()["content-security-policy"].to_str().expect("text");
    assert!(!docs.contains("cdn.example"), "{docs}");
}
