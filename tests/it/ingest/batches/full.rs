//! A full queue tells clients to come back, and still knows what it has.

use reqwest::StatusCode;
use uuid::Uuid;

use super::{accepted, beside, plays, read, send_one, until};
use crate::support::{App, Settings};

fn full() -> Settings {
    Settings { queue_max_heartbeats: 0, ..Settings::default() }
}

#[tokio::test]
async fn a_full_queue_takes_nothing_but_knows_what_it_took() {
    let app = App::start(Settings::default()).await;
    let full = beside(&app, full()).await;
    let (known, new) = (Uuid::now_v7(), Uuid::now_v7());
    assert_eq!(send_one(&app, known, "known").await.1, accepted(false));
    for _ in 0..3 {
        let (status, answer) = send_one(&full, new, "new").await;
        assert_eq!(status, 503);
        assert!(answer["detail"].as_str().expect("text").contains("full"), "{answer}");
        let (status, _) = read(full.post(super::heartbeat("new").to_string()).await).await;
        assert_eq!(status, 503);
        let answer = send_one(&full, known, "known").await;
        assert_eq!(answer, (StatusCode::ACCEPTED, accepted(true)));
    }
    assert_eq!(plays(&app, "new").await, 0);
    // The id of the batch that was turned away is still free.
    assert_eq!(send_one(&app, new, "new").await.1, accepted(false));
    assert_eq!((plays(&app, "new").await, plays(&app, "known").await), (1, 1));
}

#[tokio::test]
async fn a_queue_that_fills_up_and_empties() {
    let app = App::start(Settings { queue_max_heartbeats: 3, ..Settings::default() }).await;
    let mut sent = 0;
    // The queue's depth is sampled once a second.
    let app = &app;
    until("a full queue", || async {
        match read(app.post(super::heartbeat("filling").to_string()).await).await {
            (StatusCode::ACCEPTED, _) => false,
            (status, answer) => {
                assert_eq!(status, 503, "{answer}");
                true
            }
        }
    })
    .await;
    sent += plays(app, "filling").await;
    assert!(sent >= 3, "{sent}");
    until("room", || async {
        read(app.post(super::heartbeat("filling").to_string()).await).await.0 == StatusCode::ACCEPTED
    })
    .await;
    assert_eq!(plays(app, "filling").await, sent + 1);
}
