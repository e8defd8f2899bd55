//! The commands: kinds, counts, reconcile.

use serde_json::{Value, json};

use super::{count, drift, element, total};
use crate::support::{App, Settings, heatstrip};

/// Runs a command on the database; returns its exit code and what it wrote.
async fn run(app: &App, arguments: &[&str]) -> (i32, String, String) {
    let mut command = heatstrip(arguments);
    command.env("DATABASE_URL", &app.database.url);
    let output = command.output().await.expect("the binary is there");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("a code"), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn kinds_are_added_and_listed() {
    let app = App::start(Settings::default()).await;
    let (code, listed, _) = run(&app, &["kinds", "list"]).await;
    assert_eq!((code, listed.lines().count()), (0, 13), "{listed}");
    assert!(listed.lines().any(|line| line.split_whitespace().eq(["like", "set"])), "{listed}");
    assert_eq!(run(&app, &["kinds", "add", "points", "--mode", "signed"]).await.0, 0);
    assert_eq!(run(&app, &["kinds", "add", "points", "--mode", "signed"]).await.0, 0, "is there already");
    assert_eq!(run(&app, &["kinds", "add", "points", "--mode", "set"]).await.0, 1, "keeps its mode");
    assert_eq!(run(&app, &["kinds", "add", "Points", "--mode", "set"]).await.0, 2);
    assert_eq!(run(&app, &["kinds", "add", "claps", "--mode", "often"]).await.0, 2);
    assert_eq!(run(&app, &["kinds", "list"]).await.1.lines().count(), 14);
}

#[tokio::test]
async fn what_is_exported_is_imported_and_only_once() {
    let app = App::start(Settings::default()).await;
    run(&app, &["kinds", "add", "points", "--mode", "signed"]).await;
    let mut elements = vec![
        element("ann", "a", "points", 7),
        element("ann", "a", "like", 1),
        element("ann", "b", "like", 1),
    ];
    elements.extend(
        (0..50).map(|n| element(&format!("m{}", n % 4), "a", "share", if n % 7 == 0 { -1 } else { 1 })),
    );
    // Kinds are looked up once a second at most: the one just added may have to wait for its turn.
    crate::support::until("the kind is known", std::time::Duration::from_secs(5), async || {
        (super::post(&app, &elements[0]).await.0 == 200).then_some(())
    })
    .await;
    count(&app, Value::from(elements)).await;
    count(&app, element("ann", "b", "like", -1)).await;
    app.clock.set("2026-11-22T03:00:00Z".parse().expect("an instant"));
    heatstrip::counters::nightly::run(&app.store, &app.clock).await.expect("a night");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("counts.ndjson");
    let start = json!({"object_type": "video", "object_id": "a", "kind": "like", "starting": 1000});
    std::fs::write(&file, format!("{start}\n{{\"broken\n{}\n", element("bob", "a", "like", 1)))
        .expect("a file");
    let path = file.to_str().expect("text");
    for again in ["1 created", "1 exists"] {
        let (code, said, error) = run(&app, &["counts", "import", path]).await;
        assert!(
            code == 0 && said.contains(again) && said.contains("refused 1: line malformed"),
            "{said}{error}"
        );
    }
    assert_eq!(total(&app, "a", "like").await, 1_002);
    assert_eq!(drift(&app).await, 0);

    let (code, exported, error) = run(&app, &["counts", "export"]).await;
    assert_eq!(code, 0, "{error}");
    std::fs::write(&file, &exported).expect("a file");
    let other = App::start(Settings::default()).await;
    for _ in 0..2 {
        let (code, said, error) = run(&other, &["counts", "import", path]).await;
        assert!(code == 0 && !said.contains("refused"), "{said}{error}");
    }
    assert_eq!(drift(&other).await, 0);
    for path in ["/v1/counts/video/a", "/v1/counts?object=video:a&object=video:b&kind=like&member_id=ann"] {
        assert_eq!(other.json(path).await, app.json(path).await);
    }
    // Counters come in the order in which they were made, which is not the same.
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(sorted(&run(&other, &["counts", "export"]).await.1), sorted(&exported), "the same again");
    let (code, _, error) = run(&other, &["counts", "import", "nowhere.ndjson"]).await;
    assert!(code == 1 && error.contains("nowhere.ndjson"), "{error}");
}

#[tokio::test]
async fn reconcile_says_by_its_exit_code_what_it_found() {
    let app = App::start(Settings::default()).await;
    count(&app, element("ann", "a", "like", 1)).await;
    let (code, said, _) = run(&app, &["reconcile"]).await;
    assert!(code == 0 && said.contains("counters: compared 1, drifted 0"), "{said}");
    app.database.connect().await.batch_execute("UPDATE counters SET total = 5").await.expect("drift");
    let (code, _, error) = run(&app, &["reconcile"]).await;
    assert!(code == 1 && error.contains("healed: 1 like"), "{error}");
    assert_eq!(run(&app, &["reconcile"]).await.0, 0);
    assert_eq!(total(&app, "a", "like").await, 1);
    heatstrip::work::reconcile::sample(&app.store).await.expect("sampled");
    assert!(
        app.get("/metrics")
            .await
            .text()
            .await
            .expect("text")
            .contains("heatstrip_drift{kind=\"counters\"} 0")
    );
}
