//! The bytes of sampled stretches, as the table holds them.
//!
//! Viewers stand one behind the other, each with its stretches in one region. Nothing counts them in front, so that what a
//! step brings is appended to what is there, and a viewer may come several times.
//!
//! ```text
//! │ element, 8 bytes, big-endian │ region and stretches, 4 bits each │ region │ gap │ length │ gap │ length │ …
//! ```
//!
//! A number of 15 in the four bits says that the number follows. `gap` counts the seconds from the end of the stretch
//! before, `length` those beyond the first; numbers are LEB128.

use super::Watch;

/// In four bits this stands for a number that follows.
const FOLLOWS: u64 = 15;

/// Bytes that are no stretches as this version writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unreadable: no sampled stretches as this version writes them")]
pub struct Unreadable;

/// Writes stretches, which are sorted and joined.
pub fn encode(watches: &[Watch<'_>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(watches.len() * 14);
    for of_viewer in watches.chunk_by(|a, b| (a.element, a.region) == (b.element, b.region)) {
        let Watch { element, region, .. } = of_viewer[0];
        bytes.extend_from_slice(&element.to_be_bytes());
        let (name, stretches) = (region.len() as u64, of_viewer.len() as u64);
        bytes.push((name.min(FOLLOWS) << 4 | stretches.min(FOLLOWS)) as u8);
        for number in [name, stretches] {
            if number >= FOLLOWS {
                push(&mut bytes, number);
            }
        }
        bytes.extend_from_slice(region.as_bytes());
        let mut behind = 0;
        for watch in of_viewer {
            push(&mut bytes, (watch.start_sec - behind) as u64);
            push(&mut bytes, (watch.end_sec - watch.start_sec) as u64);
            behind = watch.end_sec;
        }
    }
    bytes
}

/// Adds the stretches that bytes hold and whose viewers are wanted to `watches`.
pub fn decode<'a>(
    mut bytes: &'a [u8],
    wants: impl Fn(u64) -> bool,
    watches: &mut Vec<Watch<'a>>,
) -> Result<(), Unreadable> {
    while !bytes.is_empty() {
        bytes = decode_viewer(bytes, &wants, watches).ok_or(Unreadable)?;
    }
    Ok(())
}

/// Reads one viewer; returns the bytes behind it.
fn decode_viewer<'a>(
    bytes: &'a [u8],
    wants: impl Fn(u64) -> bool,
    watches: &mut Vec<Watch<'a>>,
) -> Option<&'a [u8]> {
    let (element, bytes) = bytes.split_first_chunk()?;
    let (head, mut bytes) = bytes.split_first()?;
    let element = u64::from_be_bytes(*element);
    let mut number = |nibble: u8| match u64::from(nibble) {
        FOLLOWS => pop(&mut bytes),
        small => Some(small),
    };
    let (name, stretches) = (number(head >> 4)?, number(head & 15)?);
    let (region, mut bytes) = bytes.split_at_checked(usize::try_from(name).ok()?)?;
    let region = std::str::from_utf8(region).ok()?;
    let wanted = wants(element);
    let mut behind = 0;
    for _ in 0..stretches {
        let start_sec = i32::try_from(pop(&mut bytes)?).ok().and_then(|gap| gap.checked_add(behind))?;
        let end_sec = i32::try_from(pop(&mut bytes)?).ok().and_then(|more| more.checked_add(start_sec))?;
        behind = end_sec;
        if wanted {
            watches.push(Watch { element, region, start_sec, end_sec });
        }
    }
    Some(bytes)
}

fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes a number from the front.
fn pop(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let (&byte, behind) = bytes.split_first()?;
        *bytes = behind;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}
