//! The catalogue as a file, an entry a line: `{"video_id": …}` and the fields of `PUT /v1/videos/{video_id}`.
//!
//! Each entry replaces the one before, so that an import can simply be run again.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::Path,
};

use super::file::elements;
use crate::{
    catalogue::entry::{Entry, parse_line},
    clock::Clock,
    events::refusal::Refusal,
    postgres::{Store, StoreError},
};

/// So many entries are written in one transaction: whoever puts one meanwhile waits for no more.
const CHUNK_ENTRIES: usize = 1_000;

/// An import stopped for one of these reasons. What was imported until then is kept.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file could not be read on.
    #[error("cannot read on: {0}")]
    Read(#[from] io::Error),
    /// The database did not take a chunk.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Says what became of the lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines that were taken. A video that stands in several counts each time; its last line holds.
    pub entries: u64,
    /// Lines that were refused.
    pub refused: u64,
}

/// Imports a file, plain or gzip, `-` for stdin. `tell` hears of each refused line by its number, blank ones not
/// counted.
pub async fn import(
    store: &Store,
    clock: &Clock,
    file: &Path,
    mut tell: impl FnMut(u64, Refusal),
) -> Result<Summary, ImportError> {
    let source: Box<dyn Read> =
        if file.as_os_str() == "-" { Box::new(io::stdin()) } else { Box::new(File::open(file)?) };
    let mut summary = Summary::default();
    let mut chunk: BTreeMap<String, Entry> = BTreeMap::new();
    for (line, text) in (1..).zip(elements(source)?) {
        match parse_line(&text?) {
            Ok((video_id, entry)) => {
                summary.entries += 1;
                chunk.insert(video_id, entry);
            }
            Err(refusal) => {
                summary.refused += 1;
                tell(line, refusal);
            }
        }
        if chunk.len() == CHUNK_ENTRIES {
            store.put_entries(&std::mem::take(&mut chunk), clock.now()).await?;
        }
    }
    store.put_entries(&chunk, clock.now()).await?;
    Ok(summary)
}
