//! The catalogue as a file, an entry a line: `{"video_id": …}` and the fields of `PUT /v1/videos/{video_id}`.

use std::path::Path;

use super::lines::{self, ImportError, Lines};
use crate::{catalogue::entry::parse_line, clock::Clock, events::refusal::Refusal, postgres::Store};

/// Imports a file, plain or gzip, `-` for stdin. `tell` hears of each refused line by its number, blank ones not
/// counted.
pub async fn import(
    store: &Store,
    clock: &Clock,
    file: &Path,
    tell: impl FnMut(u64, Refusal),
) -> Result<Lines, ImportError> {
    let write = async |entries| store.put_entries(&entries, clock.now()).await;
    lines::import(file, parse_line, write, tell).await
}
