//! The stream: what is asked of the server, and what comes back.

use std::time::{Duration, Instant};

use async_nats::{
    Client, HeaderMap,
    connection::State,
    header,
    jetstream::{
        self, Context, ErrorCode,
        context::{PublishError, PublishErrorKind},
        stream::{Info, RawMessageErrorKind},
    },
};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use serde_json::json;
use uuid::Uuid;

use crate::queue::QueueError;

/// A server may take this long to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// A publication that is not acknowledged by then is sent again, under the same id.
const ACK_WAIT: Duration = Duration::from_secs(2);
/// No more is tried after this long; whoever asked is told before their own patience ends.
const PUBLISH_WAIT: Duration = Duration::from_secs(8);
/// Between two tries of a stream without a leader.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// After a lost connection the next is tried for ever, soon.
const RECONNECT_PAUSE: Duration = Duration::from_millis(250);
/// One answer of the server holds at most so many messages.
const FETCH_MESSAGES: usize = 1_000;
/// An answer ends with the message that passes this many bytes.
const FETCH_BYTES: usize = 4 << 20;
/// Statuses with which the server ends an answer.
const END_OF_BATCH: u16 = 204;
const NOT_FOUND: u16 = 404;

/// A message of the stream.
#[derive(Debug, Clone)]
pub struct Message {
    pub sequence: u64,
    /// The id that it was published under; empty if it came from elsewhere.
    pub id: String,
    /// When the stream took it.
    pub at: DateTime<Utc>,
    pub payload: Bytes,
}

/// A stream on a server or a cluster.
#[derive(Clone)]
pub struct Stream {
    client: Client,
    context: Context,
    name: String,
}

/// Connects to the servers of an address, with commas between several.
pub async fn connect(url: &str) -> Result<Client, QueueError> {
    // The client's own message may quote the address, password included.
    let no_url = || {
        QueueError::Unsuitable(
            "HEATSTRIP_QUEUE is no NATS address: write nats://user:password@host:4222, several with commas"
                .into(),
        )
    };
    let mut servers = Vec::new();
    for server in url.split(',') {
        if !["nats://", "tls://"].iter().any(|scheme| server.starts_with(scheme)) {
            return Err(no_url());
        }
        servers.push(server.parse::<async_nats::ServerAddr>().map_err(|_| no_url())?);
    }
    // The process may have chosen a provider already, and any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    async_nats::ConnectOptions::new()
        .name("heatstrip")
        .connection_timeout(ANSWER_WAIT)
        .request_timeout(Some(ANSWER_WAIT))
        .ping_interval(Duration::from_secs(5))
        .reconnect_delay_callback(|attempts| if attempts == 0 { Duration::ZERO } else { RECONNECT_PAUSE })
        .connect(servers)
        .await
        .map_err(|error| QueueError::Away(error.kind().to_string()))
}

impl Stream {
    /// Returns the stream of a name, which may not be there.
    pub fn new(client: Client, name: &str) -> Stream {
        let mut context = jetstream::new(client.clone());
        context.set_timeout(ACK_WAIT);
        Stream { client, context, name: name.to_owned() }
    }

    /// Returns the name of a stream's only subject.
    pub fn subject(name: &str) -> String {
        format!("{name}.groups")
    }

    /// Returns the stream's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the connection.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the interface by which streams are made and changed.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Returns how often this process has connected: a server that was away may have come back with less than it had.
    pub fn connects(&self) -> u64 {
        self.client.statistics().connects.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Returns what the stream's leader knows of it.
    pub async fn info(&self) -> Result<Info, QueueError> {
        self.is_connected()?;
        match self.context.get_stream(&self.name).await {
            Ok(stream) => Ok(stream.cached_info().clone()),
            Err(error) => Err(match error.kind() {
                jetstream::context::GetStreamErrorKind::JetStream(error)
                    if error.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    QueueError::Unsuitable(format!(
                        "the stream {} is gone: what was in it and not folded is lost; `heatstrip migrate --take-stream` \
                         makes it anew and goes on",
                        self.name
                    ))
                }
                _ => QueueError::Away(error.to_string()),
            }),
        }
    }

    /// Publishes a message and returns its sequence once the stream has acknowledged it. It is sent again while that may help;
    /// the server keeps one of those with the same id.
    pub async fn publish(&self, id: Uuid, payload: Bytes) -> Result<u64, QueueError> {
        // The client would keep what it cannot send, and send it when nobody waits for it any more.
        self.is_connected()?;
        let began = Instant::now();
        let mut sent = false;
        loop {
            let error = match self.try_publish(id, payload.clone()).await {
                Ok(sequence) => return Ok(sequence),
                Err(error) => error,
            };
            match error.kind() {
                PublishErrorKind::StreamNotFound => {}
                PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => sent = true,
                PublishErrorKind::MaxPayloadExceeded => {
                    return Err(QueueError::Unsuitable(format!("{error}: raise max_payload of the server")));
                }
                _ => return Err(refused(&error)),
            }
            loop {
                if began.elapsed() >= PUBLISH_WAIT {
                    return Err(match sent {
                        true => QueueError::OutcomeUnknown(error.to_string()),
                        false => QueueError::Away(error.to_string()),
                    });
                }
                tokio::time::sleep(RETRY_PAUSE).await;
                if self.is_connected().is_ok() {
                    break;
                }
            }
        }
    }

    async fn try_publish(&self, id: Uuid, payload: Bytes) -> Result<u64, PublishError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_MESSAGE_ID, id.to_string());
        headers.insert(header::NATS_EXPECTED_STREAM, self.name.as_str());
        let sent = self.context.publish_with_headers(Stream::subject(&self.name), headers, payload).await?;
        Ok(sent.await?.sequence)
    }

    /// Reads messages from a sequence on, in their order; none if there are none yet. Any replica may answer, so the last ones
    /// may be missing.
    pub async fn fetch(&self, from: u64) -> Result<Vec<Message>, QueueError> {
        self.is_connected()?;
        let away = |what: &dyn ToString| QueueError::Away(what.to_string());
        let inbox = self.client.new_inbox();
        let mut answers = self.client.subscribe(inbox.clone()).await.map_err(|error| away(&error))?;
        let asked = json!({"seq": from, "batch": FETCH_MESSAGES, "max_bytes": FETCH_BYTES}).to_string();
        let subject = format!("$JS.API.DIRECT.GET.{}", self.name);
        self.client.publish_with_reply(subject, inbox, asked.into()).await.map_err(|error| away(&error))?;
        let mut messages = Vec::new();
        loop {
            let answer = tokio::time::timeout(ANSWER_WAIT, answers.next())
                .await
                .map_err(|_| away(&"no answer to a read"))?
                .ok_or_else(|| away(&"the connection was closed"))?;
            match answer.status.map(|status| status.as_u16()) {
                // The end of what was asked for, or nothing from there on.
                Some(END_OF_BATCH | NOT_FOUND) => return Ok(messages),
                Some(status) => return Err(away(&format!("a read was answered {status}"))),
                None => messages
                    .push(read(&answer).ok_or_else(|| away(&"a message of the stream without its headers"))?),
            }
        }
    }

    /// Returns one message as the stream's leader has it; none if it has not.
    pub async fn fetch_one(&self, sequence: u64) -> Result<Option<Message>, QueueError> {
        self.is_connected()?;
        let away = |error: String| QueueError::Away(error);
        let stream =
            self.context.get_stream_no_info(&self.name).await.map_err(|error| away(error.to_string()))?;
        match stream.get_raw_message(sequence).await {
            Ok(found) => Ok(Some(Message {
                sequence: found.sequence,
                id: found.headers.get(header::NATS_MESSAGE_ID).map_or("", |id| id.as_str()).to_owned(),
                at: found.time,
                payload: found.payload,
            })),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(away(error.to_string())),
        }
    }

    /// Removes the messages before a sequence.
    pub async fn purge_before(&self, sequence: u64) -> Result<(), QueueError> {
        self.is_connected()?;
        let away = |error: String| QueueError::Away(error);
        let stream =
            self.context.get_stream_no_info(&self.name).await.map_err(|error| away(error.to_string()))?;
        stream.purge().sequence(sequence).await.map_err(|error| away(error.to_string()))?;
        Ok(())
    }

    fn is_connected(&self) -> Result<(), QueueError> {
        match self.client.connection_state() {
            State::Connected => Ok(()),
            _ => Err(QueueError::Away("the connection is lost, and tried again".into())),
        }
    }
}

fn read(answer: &async_nats::Message) -> Option<Message> {
    let headers = answer.headers.as_ref()?;
    let text = |name: &str| headers.get(name).map(|value| value.as_str());
    Some(Message {
        sequence: text(header::NATS_SEQUENCE.as_ref())?.parse().ok()?,
        id: text(header::NATS_MESSAGE_ID.as_ref()).unwrap_or_default().to_owned(),
        at: text(header::NATS_TIME_STAMP.as_ref())?.parse().ok()?,
        payload: answer.payload.clone(),
    })
}

/// Why the server said no: nothing is stored then.
fn refused(error: &PublishError) -> QueueError {
    let source = std::error::Error::source(error);
    let Some(said) = source.and_then(|source| source.downcast_ref::<jetstream::Error>()) else {
        return QueueError::Away(error.to_string());
    };
    match said.error_code() {
        ErrorCode::STREAM_STORE_FAILED
        | ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED => QueueError::Full(said.to_string()),
        _ => QueueError::Away(said.to_string()),
    }
}
