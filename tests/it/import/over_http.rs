//! A replay to an API whose answer is lost: it sends again only while the API is sure to know the batch.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use heatstrip::import::replay::{Chunk, Destination, ReplayError, Summary, client};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

use crate::support::{App, Settings};

const HEARTBEATS: usize = 5;

/// What becomes of the first answer to a batch, which the API has committed.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// The connection breaks.
    Lost,
    /// A proxy in between says 503, as an API does that does not know the outcome of its commit.
    Unavailable,
}

/// Stands in front of an API and swallows the first answer to a batch; counts the batches that come by.
async fn swallow(api: &str, answer: Answer) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (api, batches) = (api.trim_start_matches("http://").to_owned(), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&batches);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&api).await.expect("the API is there");
            tokio::spawn(carry(client, server, answer, Arc::clone(&seen)));
        }
    });
    (url, batches)
}

async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    answer: Answer,
    batches: Arc<AtomicUsize>,
) -> std::io::Result<()> {
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut is_first = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let sent = &up[..read?];
                if sent.is_empty() {
                    return Ok(());
                }
                if sent.starts_with(b"POST /v1/heartbeats") {
                    is_first = batches.fetch_add(1, Ordering::Relaxed) == 0;
                }
                server.write_all(sent).await?;
            }
            read = server.read(&mut down) => match (&down[..read?], answer) {
                ([], _) => return Ok(()),
                (_, Answer::Lost) if is_first => return Ok(()),
                (_, Answer::Unavailable) if is_first => {
                    let text = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    return client.write_all(text.as_bytes()).await;
                }
                (sent, _) => client.write_all(sent).await?,
            },
        }
    }
}

#[tokio::test]
async fn a_batch_is_sent_again_only_while_the_api_is_sure_to_know_it() {
    // An answer may take a minute: an API that remembers for no longer may have forgotten the batch when its retry comes.
    for (window, sends_again) in [(0, false), (60, false), (600, true)] {
        for answer in [Answer::Lost, Answer::Unavailable] {
            let app = App::start(Settings { dedup_window_secs: window, ..Settings::default() }).await;
            let (url, batches) = swallow(&app.url, answer).await;
            let destination = Destination::Api { client: client(), url, clock: app.clock.clone() };
            let beat = |viewer: usize| {
                json!({"video_id": "v", "start_sec": 0, "end_sec": 9, "viewer_id": viewer.to_string()})
                    .to_string()
            };
            let chunk = Chunk {
                id: Some(Uuid::new_v4()),
                first_index: 0,
                elements: (0..HEARTBEATS).map(beat).collect(),
            };
            let mut summary = Summary::default();
            let region = "JP".parse().expect("a region");
            let outcome = destination.deliver(&chunk, &region, None, &mut summary).await;
            let case = format!("{answer:?}, remembered for {window} s");
            if sends_again {
                outcome.expect(&case);
                assert_eq!(batches.load(Ordering::Relaxed), 2, "{case}");
                assert_eq!((summary.accepted, summary.known), (0, HEARTBEATS as u64), "{case}");
            } else {
                let Err(ReplayError::Api(said)) = outcome else { panic!("{case}: {outcome:?}") };
                assert!(said.contains("compare what it counted"), "{case}: {said}");
                assert_eq!(batches.load(Ordering::Relaxed), 1, "{case}");
            }
            app.fold().await;
            let strip = app.json("/v1/videos/v/heatmap").await;
            assert_eq!(strip["seconds_played"], HEARTBEATS * 10, "{case}: once");
        }
    }
}
