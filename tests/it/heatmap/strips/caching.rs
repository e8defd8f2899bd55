//! How long an answer lives, and its tag.

use std::time::Instant;

use chrono::TimeDelta;
use reqwest::{Response, StatusCode, header};
use serde_json::Value;

use super::{READS, beat, header_of, watch};
use crate::support::{App, Settings};

fn max_age(response: &Response) -> u64 {
    let text = header_of(response, header::CACHE_CONTROL);
    let age = text
        .strip_prefix("public, max-age=")
        .and_then(|rest| rest.strip_suffix(", stale-while-revalidate=60"));
    age.and_then(|age| age.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

#[tokio::test]
async fn an_answer_says_how_long_it_lives() {
    for (ttl, full, empty) in [(300, 290..=300, 3..=5), (2, 0..=2, 0..=2), (0, 0..=0, 0..=0)] {
        let app = App::start(Settings { cache_ttl_secs: ttl, ..Settings::default() }).await;
        for path in ["/v1/videos/nobody/heatmap", "/v1/videos?region=XX"] {
            assert!(empty.contains(&max_age(&app.get(path).await)), "{path} of {ttl} s");
        }
        watch(&app, &[beat("v", "a", (0, 9))]).await;
        for path in READS {
            let first = app.get(path).await;
            assert_eq!(first.status(), 200);
            assert!(full.contains(&max_age(&first)), "{path} of {ttl} s");
        }
    }
}

/// What is left of a cached answer's life, not the whole of it, is what a proxy may keep it.
#[tokio::test]
async fn the_life_of_a_cached_answer_runs_out() {
    let app = App::start(Settings { cache_ttl_secs: 3, ..Settings::default() }).await;
    watch(&app, &[beat("v", "a", (0, 9))]).await;
    let path = "/v1/videos/v/heatmap";
    let started = Instant::now();
    assert_eq!(app.json(path).await["viewers"], 1);
    watch(&app, &[beat("v", "b", (0, 9))]).await;
    let mut ages = Vec::new();
    loop {
        let response = app.get(path).await;
        ages.push(max_age(&response));
        let strip: Value = response.json().await.expect("JSON");
        if strip["viewers"] == 2 {
            break;
        }
        assert!(started.elapsed().as_secs() < 10, "the answer does not expire");
    }
    assert!(started.elapsed().as_secs_f64() >= 2.9, "it was kept for its life");
    let fresh = ages.pop().expect("an answer");
    assert_eq!(fresh, 2, "a new life");
    assert!(ages.is_sorted_by(|a, b| a >= b) && ages.contains(&0), "{ages:?}");
}

#[tokio::test]
async fn a_tag_stands_for_the_answer_without_its_time() {
    let app = App::start(Settings::default()).await;
    watch(&app, &[beat("v", "a", (0, 9))]).await;
    for path in READS {
        let first = app.get(path).await;
        let tag = header_of(&first, header::ETAG);
        assert!(tag.starts_with("W/\"") && tag.ends_with('"') && tag.len() > 10, "{tag}");
        app.clock.set(app.clock.now() + TimeDelta::seconds(90));
        let second = app.get(path).await;
        assert_eq!(header_of(&second, header::ETAG), tag, "{path}");
        assert_ne!(first.text().await.expect("a body"), second.text().await.expect("a body"), "{path}");

        let strong = tag.trim_start_matches("W/").to_owned();
        let ask = |value: &str| {
            app.client.get(format!("{}{path}", app.url)).header(header::IF_NONE_MATCH, value).send()
        };
        for held in [&tag, &strong, &format!("\"x\", {tag}"), &format!("W/\"y\",{strong} ,\"z\""), "*"] {
            let response = ask(held).await.expect("an answer");
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{path} {held}");
            assert_eq!(header_of(&response, header::ETAG), tag, "{path} {held}");
            max_age(&response);
            assert_eq!(response.text().await.expect("a body"), "", "{path} {held}");
        }
        let inner = strong.trim_matches('"');
        for other in ["\"x\"", "", "W/\"\"", inner, &format!("\"{inner}x\""), &tag.to_uppercase()] {
            assert_eq!(ask(other).await.expect("an answer").status(), 200, "{path} {other}");
        }
    }
    let before = header_of(&app.get(READS[0]).await, header::ETAG);
    for differently in ["?resolution=1", "?region=JP", "?to=2026-12-31"] {
        let tag = header_of(&app.get(&format!("{}{differently}", READS[0])).await, header::ETAG);
        assert_ne!(tag, before, "{differently}");
    }
    watch(&app, &[beat("v", "a", (0, 0))]).await;
    assert_ne!(header_of(&app.get(READS[0]).await, header::ETAG), before, "one play more");
}

#[tokio::test]
async fn without_a_life_nothing_is_kept() {
    let app = App::start(Settings::default()).await;
    for viewers in 1..4 {
        watch(&app, &[beat("v", &format!("viewer {viewers}"), (0, 0))]).await;
        assert_eq!(app.json(READS[0]).await["viewers"], viewers);
        assert_eq!(app.json(READS[1]).await["videos"][0]["viewers"], viewers);
    }
}
