//! The file of a replay: its lines, and the ids under which its chunks are enqueued.
//!
//! The file is read twice. First all of it is read as stored, for its fingerprint; then its lines. The fingerprint is
//! what makes a replay safe to run again: a chunk's id depends on the whole file, so a batch seen before is recognised,
//! and a file that has since grown or changed shares no id with what it was. A pipe cannot be read twice and has no
//! ids.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Cursor, Read},
    path::Path,
};

use blake2::{Blake2b, Digest, digest::consts::U32};
use chrono::{Datelike, NaiveDate};
use flate2::bufread::MultiGzDecoder;
use uuid::Uuid;

/// A chunk holds this many heartbeats. The number is fixed, since ids count chunks: another size would give old ids new
/// contents. It is large enough that a queue row per lane is worth its commit, and small enough to show progress.
pub const CHUNK_HEARTBEATS: usize = 5_000;

/// The longest line that is read as text is as long as a body over HTTP: 1 MiB.
pub const MAX_LINE_BYTES: usize = 1 << 20;

const READ_BUFFER_BYTES: usize = 1 << 16;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The lines of a file are one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A heartbeat a line, as players send them
    Heartbeats,
    /// An xAPI video statement a line, as learning record stores export them
    Xapi,
}

/// Opens a file, or standard input where it is named `-`.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    Ok(if path.as_os_str() == "-" { Box::new(io::stdin()) } else { Box::new(File::open(path)?) })
}

/// Returns the BLAKE2b-256 of all bytes, as stored: a file packed anew is another file.
pub fn fingerprint(mut reader: impl Read) -> io::Result<[u8; 32]> {
    let mut hasher = Blake2b::<U32>::new();
    let mut buffer = vec![0; READ_BUFFER_BYTES];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(n) => hasher.update(&buffer[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Returns the id of the `ordinal`-th chunk of a file. It is a UUID of version 8, made from everything that decides
/// what the chunk counts as.
///
/// `again` is a fresh random id for a replay that is meant to count the same file once more.
pub fn chunk_id(
    fingerprint: &[u8; 32],
    ordinal: u64,
    format: Format,
    captured_on: Option<NaiveDate>,
    again: Option<Uuid>,
) -> Uuid {
    let mut hasher = Blake2b::<U32>::new();
    hasher.update(b"heatstrip replay chunk 1\0");
    hasher.update(fingerprint);
    hasher.update(ordinal.to_be_bytes());
    hasher.update([match format {
        Format::Heartbeats => 0,
        Format::Xapi => 1,
    }]);
    // A byte before each optional part says whether it is there, so that no two choices give the same bytes.
    hasher.update([u8::from(captured_on.is_some())]);
    hasher.update(captured_on.map_or(0, |day| day.num_days_from_ce()).to_be_bytes());
    hasher.update([u8::from(again.is_some())]);
    hasher.update(again.unwrap_or_default().as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Returns the lines of a replay file, plain or gzip (told by its first bytes, never by its name); blank ones are
/// skipped.
///
/// A line that is not UTF-8 or longer than [`MAX_LINE_BYTES`] comes out as the empty text, which no other line does and
/// every parser refuses as malformed: it is counted where it stands and costs no other line. An error ends the lines;
/// what was read before it is good.
pub fn elements<'r>(mut reader: impl Read + 'r) -> io::Result<Elements<'r>> {
    let mut head = Vec::with_capacity(GZIP_MAGIC.len());
    reader.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut head)?;
    let gzip = head == GZIP_MAGIC;
    let stored = BufReader::with_capacity(READ_BUFFER_BYTES, Cursor::new(head).chain(reader));
    let source: Box<dyn BufRead + 'r> = if gzip {
        // Rotated logs are often several gzip members, one behind the other.
        Box::new(BufReader::with_capacity(READ_BUFFER_BYTES, MultiGzDecoder::new(stored)))
    } else {
        Box::new(stored)
    };
    Ok(Elements { source, gzip, line: Vec::new(), ended: false })
}

/// Iterates over lines; see [`elements`].
pub struct Elements<'r> {
    source: Box<dyn BufRead + 'r>,
    gzip: bool,
    /// The line being read is kept for its capacity.
    line: Vec<u8>,
    ended: bool,
}

impl Elements<'_> {
    /// Returns the next line that is not blank, or none at the end.
    fn read(&mut self) -> io::Result<Option<String>> {
        loop {
            self.line.clear();
            // The limit leaves room for a line of full length and its CR LF.
            let limit = MAX_LINE_BYTES as u64 + 2;
            if self.source.by_ref().take(limit).read_until(b'\n', &mut self.line)? == 0 {
                return Ok(None);
            }
            let whole = self.line.ends_with(b"\n");
            if !whole && self.line.len() as u64 == limit {
                self.source.skip_until(b'\n')?;
            }
            let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.len() > MAX_LINE_BYTES {
                return Ok(Some(String::new()));
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            return Ok(Some(std::str::from_utf8(line).unwrap_or_default().to_owned()));
        }
    }
}

impl Iterator for Elements<'_> {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let element = self.read();
        self.ended = !matches!(element, Ok(Some(_)));
        element.map_err(|error| if self.gzip { explain_gzip(error) } else { error }).transpose()
    }
}

/// Says what has become of the file, which the decoder's own texts ("corrupt deflate stream") do not.
fn explain_gzip(error: io::Error) -> io::Error {
    let text = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the gzip file is cut short: it ends before its data does".to_owned(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            format!("the gzip file is damaged: {error}")
        }
        _ => return error,
    };
    io::Error::new(error.kind(), text)
}

#[cfg(test)]
mod tests;
