//! How the stream has to be set up: it is made so, and refused otherwise.

use std::time::Duration;

use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, PersistenceMode, RetentionPolicy, StorageType,
};

use super::{
    reader,
    stream::{self, Stream},
};
use crate::{postgres::Store, queue::QueueError};

/// A message holds a whole batch, which a body of 1 MiB may make this large.
const MIN_PAYLOAD: usize = 4 << 20;
/// A message that is sent again within this time is stored once; sending again ends after seconds.
const MIN_DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
/// Replicas in a cluster: any one of them may die.
const CLUSTER_REPLICAS: usize = 3;
/// Reading from a sequence on came with this server.
const MIN_SERVER: (i64, i64, i64) = (2, 11, 0);

/// What may be chosen of a stream.
#[derive(Debug, Clone)]
pub struct StreamSettings {
    pub name: String,
    /// None for as many as the servers allow for.
    pub replicas: Option<usize>,
    pub max_bytes: u64,
    /// For how long batch ids are remembered.
    pub dedup_window: Duration,
    /// Takes the stream as it is, whatever was read before.
    pub take: bool,
}

/// Makes the stream if it is not there, checks it, and makes it the queue of the database.
pub async fn prepare(store: &Store, url: &str, settings: &StreamSettings) -> Result<(), QueueError> {
    let stream = Stream::new(stream::connect(url).await?, &settings.name);
    let known = store.stream_position().await?;
    let info = match stream.info().await {
        Ok(info) => info,
        Err(QueueError::Unsuitable(reason)) => {
            if known.is_some() && !settings.take {
                return Err(QueueError::Unsuitable(reason));
            }
            make(&stream, settings).await?;
            stream.info().await?
        }
        Err(error) => return Err(error),
    };
    let info = adjust(&stream, settings, info).await?;
    check(&stream, &info)?;
    let created = info.created.to_rfc3339();
    let state = &info.state;
    match &known {
        Some(position) if position.name == settings.name && !settings.take => {
            return reader::same_stream(position, &created, state.last_sequence);
        }
        Some(position) if !settings.take => {
            return Err(QueueError::Unsuitable(format!(
                "the database's queue is the stream {}: name it with --stream, or say --take-stream to go on with {}",
                position.name, settings.name
            )));
        }
        None if state.messages > 0 && !settings.take => {
            return Err(QueueError::Unsuitable(format!(
                "the stream {} holds {} messages that another database may have folded: name another with --stream, or say \
                 --take-stream to count them here",
                settings.name, state.messages
            )));
        }
        _ => {}
    }
    let behind = state.first_sequence.saturating_sub(1);
    let is_same = known.is_some_and(|known| known.name == settings.name && known.created == created);
    let through = if is_same { state.last_sequence } else { behind };
    Ok(store.take_stream(&settings.name, &created, behind, through).await?)
}

async fn make(stream: &Stream, settings: &StreamSettings) -> Result<(), QueueError> {
    let info = stream.client().server_info();
    let replicas = settings.replicas.unwrap_or(match info.cluster {
        Some(_) => CLUSTER_REPLICAS,
        None => 1,
    });
    let config = Config {
        name: settings.name.clone(),
        subjects: vec![Stream::subject(&settings.name)],
        description: Some("heartbeats and views that heatstrip has accepted and not folded yet".into()),
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        num_replicas: replicas,
        max_bytes: settings.max_bytes as i64,
        max_messages: -1,
        max_messages_per_subject: -1,
        duplicate_window: settings.dedup_window.max(MIN_DUPLICATE_WINDOW),
        allow_direct: true,
        ..Config::default()
    };
    stream.context().create_stream(config).await.map_err(|error| {
        QueueError::Unsuitable(format!(
            "the stream {} cannot be made with {replicas} replicas: {error}; is jetstream on, with room for \
             HEATSTRIP_STREAM_MAX_BYTES on {replicas} servers?",
            settings.name
        ))
    })?;
    Ok(())
}

/// Follows the settings that may change.
async fn adjust(stream: &Stream, settings: &StreamSettings, info: Info) -> Result<Info, QueueError> {
    let mut config = info.config.clone();
    config.max_bytes = settings.max_bytes as i64;
    config.duplicate_window = settings.dedup_window.max(MIN_DUPLICATE_WINDOW);
    config.num_replicas = settings.replicas.unwrap_or(config.num_replicas);
    if (config.max_bytes, config.duplicate_window, config.num_replicas)
        == (info.config.max_bytes, info.config.duplicate_window, info.config.num_replicas)
    {
        return Ok(info);
    }
    stream.context().update_stream(&config).await.map_err(|error| {
        QueueError::Unsuitable(format!("the stream {} cannot be changed: {error}", settings.name))
    })?;
    stream.info().await
}

/// Refuses a stream that could lose, reorder or hide what was acknowledged, in one line that says what to do.
pub fn check(stream: &Stream, info: &Info) -> Result<(), QueueError> {
    let (config, name) = (&info.config, stream.name());
    let subject = Stream::subject(name);
    let edit = |what: &str| format!("the stream {name} {what}");
    let (major, minor, patch) = MIN_SERVER;
    let server = stream.client().server_info();
    let fault = if !stream.client().is_server_compatible(major, minor, patch) {
        format!("the NATS server has version {}, {major}.{minor} is needed: upgrade it", server.version)
    } else if server.max_payload < MIN_PAYLOAD {
        format!(
            "the NATS server takes messages of {} bytes, a batch may need {MIN_PAYLOAD}: set max_payload: 8MB in its \
             configuration and reload it",
            server.max_payload
        )
    } else if config.storage != StorageType::File {
        edit("is kept in memory: delete it and run `heatstrip migrate`, which makes one in files")
    } else if config.persist_mode == Some(PersistenceMode::Async) {
        edit("is written behind its acknowledgements: delete it and run `heatstrip migrate`")
    } else if config.no_ack {
        edit("acknowledges nothing: `nats stream edit --ack`")
    } else if config.discard != DiscardPolicy::New {
        edit("drops its oldest messages when it is full: `nats stream edit --discard new`")
    } else if config.retention != RetentionPolicy::Limits {
        edit("removes messages when somebody else reads them: delete it and run `heatstrip migrate`")
    } else if !config.max_age.is_zero() {
        edit("removes messages by their age, folded or not: `nats stream edit --max-age 0`")
    } else if config.max_messages_per_subject > 0 || config.max_messages > 0 {
        edit("is bounded by messages: `nats stream edit --max-msgs=-1 --max-msgs-per-subject=-1`")
    } else if config.subjects != [subject.as_str()] {
        edit(&format!("has the subjects {:?}: `nats stream edit --subjects {subject}`", config.subjects))
    } else if !config.allow_direct {
        edit("cannot be read directly: `nats stream edit --allow-direct`")
    } else if config.deny_purge || config.sealed {
        edit("cannot be purged, so it would fill up: delete it and run `heatstrip migrate`")
    } else if config.duplicate_window < MIN_DUPLICATE_WINDOW {
        edit("forgets ids of messages too soon: `nats stream edit --dupe-window 10m`")
    } else {
        return Ok(());
    };
    Err(QueueError::Unsuitable(fault))
}
