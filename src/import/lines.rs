//! A file with a video a line, each of which replaces what was known of its video: an import can simply be run again.

use std::{collections::BTreeMap, io, path::Path};

use super::file;
use crate::{events::refusal::Refusal, postgres::StoreError};

/// So many videos are written in one transaction: whoever writes one meanwhile waits for no more.
const CHUNK_VIDEOS: usize = 1_000;

/// An import stopped for one of these reasons. What was imported until then is kept: run it again.
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
pub struct Lines {
    /// Lines that were taken. A video that stands in several counts each time; its last line holds.
    pub taken: u64,
    /// Lines that were refused.
    pub refused: u64,
}

/// Imports a file, plain or gzip, `-` for stdin: parses each line and writes what they say of videos, a chunk at a time. `tell`
/// hears of each refused line by its number, blank ones not counted.
pub(super) async fn import<T>(
    path: &Path,
    parse: impl Fn(&str) -> Result<(String, T), Refusal>,
    mut write: impl AsyncFnMut(BTreeMap<String, T>) -> Result<(), StoreError>,
    mut tell: impl FnMut(u64, Refusal),
) -> Result<Lines, ImportError> {
    let (mut lines, mut chunk) = (Lines::default(), BTreeMap::new());
    for (line, text) in (1..).zip(file::elements(file::open(path)?)?) {
        match parse(&text?) {
            Ok((video_id, value)) => {
                lines.taken += 1;
                chunk.insert(video_id, value);
            }
            Err(refusal) => {
                lines.refused += 1;
                tell(line, refusal);
            }
        }
        if chunk.len() == CHUNK_VIDEOS {
            write(std::mem::take(&mut chunk)).await?;
        }
    }
    write(chunk).await?;
    Ok(lines)
}
