use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a Vec takes everything");
    encoder.finish().expect("a Vec takes everything")
}

fn read(bytes: &[u8]) -> Vec<String> {
    elements(bytes).expect("a slice can be read").collect::<io::Result<_>>().expect("nothing is broken")
}

/// Gives one byte a call, as a slow pipe may.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = buffer.len().min(1);
        self.0.read(&mut buffer[..n])
    }
}

#[test]
fn gzip_reads_as_plain_does() {
    let plain = "{\"a\":1}\n\n  \t\r\n{\"b\":\"é\"}\r\nlast without an end".as_bytes();
    let expected = ["{\"a\":1}", "{\"b\":\"é\"}", "last without an end"];
    assert_eq!(read(plain), expected);
    assert_eq!(read(&gzip(plain)), expected);

    let two_members = [gzip(&plain[..9]), gzip(&plain[9..])].concat();
    assert_eq!(read(&two_members), expected);

    let slowly: io::Result<Vec<_>> = elements(Trickle(&two_members)).expect("a pipe can be read").collect();
    assert_eq!(slowly.expect("nothing is broken"), expected);
}

#[test]
fn short_files_are_no_gzip() {
    assert!(read(b"").is_empty());
    assert!(read(b"\n").is_empty());
    assert_eq!(read(b"{"), ["{"]);
    assert!(read(&gzip(b"")).is_empty());
}

#[test]
fn unreadable_lines_cost_no_other() {
    let longest = "x".repeat(MAX_LINE_BYTES);
    let mut bytes = Vec::new();
    bytes.extend_from_slice(b"first\n\xff\xfe\n");
    for too_long in ["y", "\ry", "yyyy"] {
        bytes.extend_from_slice(format!("{longest}{too_long}\n").as_bytes());
    }
    bytes.extend_from_slice(format!("{longest}\r\nlast\n{longest}y").as_bytes());
    for bytes in [gzip(&bytes), bytes] {
        assert_eq!(read(&bytes), ["first", "", "", "", "", &longest, "last", ""]);
    }
}

#[test]
fn broken_gzip_says_what_happened() {
    let text = "a line like any other\n".repeat(10_000);
    let packed = gzip(text.as_bytes());

    let cut = &packed[..packed.len() / 2];
    let mut lines = elements(cut).expect("the beginning is good");
    let error = lines.by_ref().find_map(Result::err).expect("it is cut");
    assert_eq!(error.to_string(), "the gzip file is cut short: it ends before its data does");
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    assert!(lines.next().is_none(), "an error is the last thing said");

    let trailing = [packed.as_slice(), b"not gzip at all"].concat();
    let error = elements(&*trailing)
        .expect("the beginning is good")
        .find_map(Result::err)
        .expect("what follows is no member");
    assert!(error.to_string().starts_with("the gzip file is damaged: "), "{error}");
}

/// The value was made with Python: `hashlib.blake2b(b"heatstrip", digest_size=32)`.
#[test]
fn fingerprints_are_blake2b_256() {
    let hex: String = fingerprint(Trickle(b"heatstrip"))
        .expect("a slice can be read")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(hex, "47dface8b6f81c3293211f22e35025ab5a2c8afd79bb3308a2afe210fce6b0f5");
}

#[test]
fn chunk_ids_depend_on_everything_and_stay() {
    let file = [7; 32];
    let day = NaiveDate::from_ymd_opt(2026, 11, 21);
    let again = Some(Uuid::from_u128(5));
    let heartbeats = Format::Heartbeats;
    let ids = [
        chunk_id(&file, 0, heartbeats, None, None),
        chunk_id(&[8; 32], 0, heartbeats, None, None),
        chunk_id(&file, 1, heartbeats, None, None),
        chunk_id(&file, 0, Format::Xapi, None, None),
        chunk_id(&file, 0, heartbeats, day, None),
        chunk_id(&file, 0, heartbeats, day.and_then(|day| day.succ_opt()), None),
        chunk_id(&file, 0, heartbeats, None, again),
        chunk_id(&file, 0, heartbeats, None, Some(Uuid::nil())),
    ];
    for (i, id) in ids.iter().enumerate() {
        assert_eq!(id.get_version_num(), 8);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        assert!(!ids[..i].contains(id), "{i} is an id twice");
    }

    // Ids are remembered for two days, across an upgrade too, so these must not change. They were made with Python's
    // hashlib.
    assert_eq!(ids[0].to_string(), "57fccfbb-f077-8bd9-a92f-988be8d6e25c");
    assert_eq!(
        chunk_id(&file, 3, Format::Xapi, day, again).to_string(),
        "f57982c6-8124-8782-bc62-0e1944c71e53"
    );
}
