//! Processes that die at every line of the fold and of the night that changes the sample, and at any moment.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    time::Duration,
};

use heatstrip::audience::CRASH_POINTS;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{
    Said,
    expected::{Oracle, Row, rows},
    send, watch,
};
use crate::{
    crash::world,
    support::{App, Settings, until},
};

const SIZE: usize = 20;

fn process(app: &App, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heatstrip"));
    command
        .args(arguments)
        .env("DATABASE_URL", &app.database.url)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    command
}

fn work(app: &App) -> Command {
    process(app, &["work", "--once", "--sample-size", &SIZE.to_string()])
}

/// What a run that dies at each point has done: nothing of the transaction that it dies in, all of those before.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_may_die_at_any_line() {
    // The processes go by the system's clock.
    let now = chrono::Utc::now();
    let app = App::start(Settings { now, ..Settings::default() }).await;
    let sql = app.database.connect().await;
    app.store.set_sample_size(SIZE).await.expect("a size");
    let mut rng = ChaCha8Rng::seed_from_u64(16);
    // Their noon is neither ahead nor too long ago.
    let yesterday = now.date_naive().pred_opt().expect("a day");
    let mut said: Vec<Said> = Vec::new();
    let open = |rows: &BTreeMap<_, Row>| rows.values().filter(|row| row.open_bytes > 0).count();
    // A sample that is there, and was thinned.
    let first: Vec<Said> = (0..1_000).map(|_| Said::any(&mut rng, &[yesterday], 300)).collect();
    watch(&app, &first).await;
    said.extend(first);
    for (nth, point) in CRASH_POINTS.iter().enumerate() {
        let dies_in_the_fold = nth < 3;
        // Many join the rows at once; few are appended, and make the rows grow until they are sealed.
        let beats = if *point == "audience::joined" { 1_000 } else { 14 };
        let (batch, before) = loop {
            let batch: Vec<Said> = (0..beats).map(|_| Said::any(&mut rng, &[yesterday], 300)).collect();
            send(&app, &batch).await;
            if !dies_in_the_fold {
                app.fold().await;
                said.extend(batch.iter().cloned());
            }
            let before = rows(&sql).await;
            if !dies_in_the_fold && open(&before) == 0 {
                continue;
            }
            let mut dying = if dies_in_the_fold { work(&app) } else { process(&app, &["compact"]) };
            let status = dying.env("FAILPOINTS", format!("{point}=return")).status().expect("the program");
            if !status.success() {
                break (batch, before);
            }
            assert_eq!(*point, "audience::grown", "{point} was not passed");
            said.extend(batch);
            assert!(said.len() < 3_000, "no row grows");
        };
        let open_before = open(&before);
        let queued = app.store.queue_depth().await.expect("a depth").heartbeats;
        let after = rows(&sql).await;
        Oracle::of(&sql, &said).await.assert_rows(&after, chrono::NaiveDate::MIN, SIZE);
        match *point {
            "audience::joined" | "audience::appended" | "audience::grown" => {
                assert_eq!(queued as usize, batch.len(), "{point}: the queue has it all");
                assert_eq!(open(&after), open_before, "{point}: the step is undone");
                // Another worker goes on.
                assert!(work(&app).status().expect("the program").success());
                said.extend(batch);
            }
            "audience::advanced" | "audience::dropped" | "audience::sealed" => {
                assert!(open_before > 0 && open(&after) == open_before, "{point}: nothing is sealed yet");
            }
            "audience::committed" => assert!(open(&after) < open_before, "{point}: a piece is sealed"),
            "audience::sealed_all" => {
                let sealing = app.store.sealing().await.expect("a cursor");
                assert!(open_before > 0 && open(&after) == 0 && sealing.sealed_to < yesterday, "{point}");
            }
            other => panic!("{other} is not looked at"),
        }
    }
    assert!(process(&app, &["compact"]).status().expect("the program").success());
    let after = rows(&sql).await;
    Oracle::of(&sql, &said).await.assert_rows(&after, chrono::NaiveDate::MIN, SIZE);
    assert!(after.values().any(|row| !row.threshold.keeps_all()), "the sample was thinned");
}

/// `kill -9` amid steps and nights, again and again; what they had begun is undone, and the next ones do it.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_may_be_killed_at_any_moment() {
    let now = chrono::Utc::now();
    let app = App::start(Settings { now, ..Settings::default() }).await;
    let sql = app.database.connect().await;
    let mut rng = ChaCha8Rng::seed_from_u64(rand::random());
    let yesterday = now.date_naive().pred_opt().expect("a day");
    let mut said: Vec<Said> = Vec::new();
    let (mut amid, mut deaths) = (0, 0);
    for _ in 0..12 {
        let batch: Vec<Said> = (0..3_000).map(|_| Said::any(&mut rng, &[yesterday], 3_000)).collect();
        send(&app, &batch).await;
        said.extend(batch);
        let mut worker = work(&app).spawn().expect("the program");
        let mut night = process(&app, &["compact"]).spawn().expect("the program");
        until("a step is under way, or over", Duration::from_secs(20), async || {
            let ended = worker.try_wait().expect("a child").is_some();
            (ended || world::work(&sql).await.steps > 0).then_some(())
        })
        .await;
        for process in [&mut worker, &mut night] {
            process.kill().expect("a signal");
            deaths += u32::from(process.wait().expect("a status").code().is_none());
        }
        let queued = app.store.queue_depth().await.expect("a depth").heartbeats;
        amid += u32::from(queued > 0);
    }
    println!("{deaths} processes died, {amid} times with heartbeats queued");
    assert!(deaths > 0 && amid > 0, "the blows fell on an idle system");
    assert!(work(&app).status().expect("the program").success());
    assert!(process(&app, &["compact"]).status().expect("the program").success());
    Oracle::of(&sql, &said).await.assert_rows(&rows(&sql).await, chrono::NaiveDate::MIN, SIZE);
}
