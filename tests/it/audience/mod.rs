//! The audience's sample against what was watched.

mod answers;
mod crashes;
mod expected;
mod forgotten;
mod nights;
mod oracle;

use chrono::NaiveDate;
use rand::{Rng, RngExt};
use serde_json::{Value, json};

use crate::support::App;

/// What a player says.
#[derive(Debug, Clone)]
struct Said {
    video: &'static str,
    region: &'static str,
    day: NaiveDate,
    start_sec: u32,
    end_sec: u32,
    viewer: u32,
}

impl Said {
    fn json(&self) -> Value {
        json!({
            "video_id": self.video, "region": self.region, "viewer_id": viewer_id(self.viewer),
            "start_sec": self.start_sec, "end_sec": self.end_sec, "at": format!("{}T10:00:00Z", self.day),
        })
    }

    /// Something that chance decides, on one of these days.
    fn any(rng: &mut impl Rng, days: &[NaiveDate], viewers: u32) -> Said {
        let start_sec = rng.random_range(0..120);
        Said {
            video: ["a", "b"][rng.random_range(0..2)],
            region: ["JP", "KR", "ZZ-9"][rng.random_range(0..3)],
            day: days[rng.random_range(0..days.len())],
            start_sec,
            end_sec: start_sec + rng.random_range(0..30),
            viewer: rng.random_range(0..viewers),
        }
    }
}

fn viewer_id(viewer: u32) -> String {
    format!("viewer {viewer}")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Sends heartbeats, all of which are accepted.
async fn send(app: &App, said: &[Said]) {
    for batch in said.chunks(500) {
        let body = Value::from(batch.iter().map(Said::json).collect::<Vec<_>>()).to_string();
        let response = app.post(body).await;
        assert_eq!(response.status(), 202);
        let answer: Value = response.json().await.expect("JSON");
        assert_eq!(answer["accepted"], batch.len(), "{answer}");
    }
}

/// Sends heartbeats and folds them.
async fn watch(app: &App, said: &[Said]) {
    send(app, said).await;
    app.fold().await;
}
