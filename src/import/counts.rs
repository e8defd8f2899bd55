//! Counters as files, an object a line: kinds, starting totals and records go out and come in.
//!
//! An import can simply be run again. A kind that is there stays, a starting total replaces the one before, and each record has
//! an id of its own, made of the whole file and its line, so that it counts once within the 7 days for which ids are
//! remembered; the members of a `set` count once for ever.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Write},
    path::Path,
    sync::Mutex,
};

use serde::{Deserialize, Serialize};

use super::{
    file::{elements, fingerprint, open},
    lines::ImportError,
};
use crate::{
    clock::Clock,
    counters::{
        element::{self, Arrival, CounterName, Element, check_object_type, remembered},
        kinds::{Kinds, check_name},
        store::export::Exported,
    },
    events::{
        fields::check_id,
        refusal::{Reason, Refusal},
    },
    postgres::{Store, StoreError},
};

/// Lines taken together.
const CHUNK_LINES: usize = 2_000;

/// The result of an import.
#[derive(Debug, Default)]
pub struct Summary {
    /// The number of counts by their status.
    pub statuses: BTreeMap<&'static str, u64>,
    /// Counters whose starting total changed.
    pub starting: u64,
    /// Kinds that were added.
    pub kinds: u64,
    /// The number of refused lines, by field and reason.
    pub rejected: BTreeMap<(Option<&'static str>, Reason), u64>,
}

/// A line that is no count.
#[derive(Deserialize, Serialize)]
struct Line<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    object_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    object_id: Option<String>,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starting: Option<i64>,
}

/// The lines that wait to be written together.
#[derive(Default)]
struct Chunk {
    elements: Vec<Element>,
    starting: HashMap<CounterName, i64>,
}

/// Imports a file, `-` for stdin.
pub async fn import(store: &Store, clock: &Clock, file: &Path) -> Result<Summary, ImportError> {
    let is_stdin = file.as_os_str() == "-";
    let of_file = if is_stdin { None } else { Some(fingerprint(open(file)?)?) };
    let mut kinds = store.counter_kinds().await?;
    let (mut summary, mut chunk) = (Summary::default(), Chunk::default());
    let arrival = Arrival { now: clock.now(), max_age: None };
    for (line, text) in elements(open(file)?)?.enumerate() {
        let text = text?;
        // A line of another sort has one of two names that counts have not; most lines are told by a glance.
        let other = ["\"mode\"", "\"starting\""].iter().any(|name| text.contains(name));
        match serde_json::from_str::<Line<'_>>(&text) {
            Ok(Line { kind, mode: Some(mode), .. }) if other => {
                let added = match (mode.parse(), check_name(&kind)) {
                    (Ok(mode), Ok(())) => store.add_counter_kind(&kind, mode).await?,
                    _ => {
                        summary.refuse(Refusal { field: Some("kind"), reason: Reason::BadFormat });
                        continue;
                    }
                };
                if added {
                    summary.kinds += 1;
                    kinds = store.counter_kinds().await?;
                }
            }
            Ok(Line { object_type, object_id, kind, starting: Some(starting), .. }) if other => {
                match name(object_type, object_id, &kind, &kinds) {
                    Ok(name) => {
                        chunk.starting.insert(name, starting);
                    }
                    Err(refusal) => summary.refuse(refusal),
                }
            }
            _ => match element::parse(&text, &kinds, arrival) {
                Ok(mut element) => {
                    if let (None, Some(of_file)) = (element.id, &of_file) {
                        let id = format!("import {}", uuid_of(of_file, line));
                        element.id =
                            Some(remembered(&id, &element.member_id, &element.counter, element.delta));
                    }
                    chunk.elements.push(element);
                }
                Err(refusal) => summary.refuse(refusal),
            },
        }
        if chunk.elements.len() + chunk.starting.len() >= CHUNK_LINES {
            chunk.write(store, &mut summary).await?;
        }
    }
    chunk.write(store, &mut summary).await?;
    Ok(summary)
}

fn uuid_of(fingerprint: &[u8; 32], line: usize) -> String {
    let hex: String = fingerprint.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex} {line}")
}

fn name(
    object_type: Option<String>,
    object_id: Option<String>,
    kind: &str,
    kinds: &Kinds,
) -> Result<CounterName, Refusal> {
    let refused = |field, reason| Refusal { field: Some(field), reason };
    let object_type = object_type.ok_or(refused("object_type", Reason::Missing))?;
    let object_id = object_id.ok_or(refused("object_id", Reason::Missing))?;
    check_object_type(&object_type).map_err(|reason| refused("object_type", reason))?;
    check_id(&object_id, element::MAX_OBJECT_BYTES).map_err(|reason| refused("object_id", reason))?;
    let kind = kinds.named(kind).ok_or(refused("kind", Reason::OutOfRange))?.id;
    Ok(CounterName { object_type, object_id, kind })
}

impl Summary {
    fn refuse(&mut self, refusal: Refusal) {
        *self.rejected.entry((refusal.field, refusal.reason)).or_default() += 1;
    }
}

impl Chunk {
    async fn write(&mut self, store: &Store, summary: &mut Summary) -> Result<(), StoreError> {
        let Chunk { elements, starting } = std::mem::take(self);
        if !starting.is_empty() {
            summary.starting += store.set_starting(&starting).await?;
        }
        if elements.is_empty() {
            return Ok(());
        }
        for outcome in store.apply_counts(&elements).await? {
            match outcome {
                Ok(outcome) => *summary.statuses.entry(outcome.status.name()).or_default() += 1,
                Err(_) => summary.refuse(Refusal { field: Some("delta"), reason: Reason::OutOfRange }),
            }
        }
        Ok(())
    }
}

/// Writes everything: first the kinds, then each counter with its records in their order. Seqs are not written: whoever imports
/// gives new ones, without holes.
pub async fn export<W: Write + Send>(store: &Store, out: &Mutex<W>) -> Result<io::Result<()>, StoreError> {
    let line = |kind: String| Line { object_type: None, object_id: None, kind, mode: None, starting: None };
    for kind in store.counter_kinds().await?.iter() {
        if let Err(error) = put(out, &Line { mode: Some(kind.mode.name()), ..line(kind.name.clone()) }) {
            return Ok(Err(error));
        }
    }
    store
        .export_counters(&|counter: Exported| {
            let Exported { object_type, object_id, kind, starting, records } = counter;
            if starting != 0 {
                let (object_type, object_id) = (Some(object_type.clone()), Some(object_id.clone()));
                let starting = Some(starting);
                put(out, &Line { object_type, object_id, starting, ..line(kind.clone()) })?;
            }
            for (member_id, delta, at) in records {
                let record = Record {
                    member_id: &member_id,
                    object_type: &object_type,
                    object_id: &object_id,
                    kind: &kind,
                    delta,
                    at,
                };
                put(out, &record)?;
            }
            Ok(())
        })
        .await
}

fn put<W: Write>(out: &Mutex<W>, line: &impl Serialize) -> io::Result<()> {
    let mut out = out.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// A record as `POST /v1/counts` takes it.
#[derive(Serialize)]
struct Record<'a> {
    member_id: &'a str,
    object_type: &'a str,
    object_id: &'a str,
    kind: &'a str,
    delta: i32,
    at: chrono::DateTime<chrono::Utc>,
}
