//! A block: a closed stretch of a counter's records in one row, without a gap. Pure.
//!
//! Who is a number of 64 bits a record, where an index finds it. When and in which direction is a varint a record, 7 bits a
//! byte, lowest first, the highest bit set on all bytes but the last:
//!
//! ```text
//! bit 0     direction: 0 for +1, 1 for -1
//! bits 1-   zigzag of the step in milliseconds from the record before; the first steps from 1970-01-01
//! ```
//!
//! An erased record keeps its place, with member 0 and a step of 0: neither who nor when is left of it.

/// The fewest records a block is made of: below, its own row would weigh more than it saves.
pub const MIN_RECORDS: usize = 16;
/// The most records a block holds: the row stays below the 2 kB from which on Postgres moves values elsewhere.
pub const MAX_RECORDS: usize = 128;
/// Who an erased record is of.
pub const NOBODY: i64 = 0;

/// A record of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Who; [`NOBODY`] once it is erased.
    pub member: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// 1 or -1; 0 once it is erased.
    pub delta: i32,
}

/// A record that is erased or was never there.
pub const TOMBSTONE: Record = Record { member: NOBODY, at_ms: 0, delta: 0 };

/// A block's columns that are not its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Who, a record each.
    pub members: Vec<i64>,
    /// When and in which direction, a record each.
    pub times: Vec<u8>,
    /// The earliest time, in milliseconds since 1970.
    pub first_ms: i64,
    pub last_ms: i64,
}

/// Packs records; none where nobody is left in them.
pub fn pack(records: &[Record]) -> Option<Block> {
    let live = || records.iter().filter(|record| record.member != NOBODY);
    let (first_ms, last_ms) =
        (live().map(|record| record.at_ms).min()?, live().map(|record| record.at_ms).max()?);
    let mut times = Vec::with_capacity(records.len() * 3);
    let mut before = 0;
    for record in records {
        let (step, back) = match record.member {
            NOBODY => (0, false),
            _ => (record.at_ms - before, record.delta < 0),
        };
        before += step;
        varint(&mut times, zigzag(step) << 1 | u64::from(back));
    }
    Some(Block { members: records.iter().map(|record| record.member).collect(), times, first_ms, last_ms })
}

/// The records of a block; none if its columns are not what [`pack`] makes.
pub fn unpack(members: &[i64], times: &[u8]) -> Option<Vec<Record>> {
    let mut records = Vec::with_capacity(members.len());
    let (mut rest, mut at_ms) = (times, 0_i64);
    for &member in members {
        let value = take_varint(&mut rest)?;
        at_ms = at_ms.checked_add(unzigzag(value >> 1))?;
        records.push(match member {
            NOBODY => TOMBSTONE,
            _ => Record { member, at_ms, delta: if value & 1 == 0 { 1 } else { -1 } },
        });
    }
    rest.is_empty().then_some(records)
}

/// Small numbers for small steps of either sign.
fn zigzag(step: i64) -> u64 {
    (step << 1 ^ step >> 63) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records() -> impl Strategy<Value = Vec<Record>> {
        let record = (0..5_i64, -62_135_596_800_000..253_402_300_799_999_i64, prop::bool::ANY).prop_map(
            |(member, at_ms, back)| match member {
                NOBODY => TOMBSTONE,
                _ => Record { member, at_ms, delta: if back { -1 } else { 1 } },
            },
        );
        prop::collection::vec(record, 1..MAX_RECORDS)
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(records in records()) {
            match pack(&records) {
                Some(block) => prop_assert_eq!(unpack(&block.members, &block.times), Some(records)),
                None => prop_assert!(records.iter().all(|record| *record == TOMBSTONE)),
            }
        }

        #[test]
        fn whatever_the_bytes_are_nothing_panics(
            members in prop::collection::vec(any::<i64>(), 0..9),
            times in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let _ = unpack(&members, &times);
        }
    }

    /// The layout as the documents draw it.
    #[test]
    fn the_bits_are_where_they_are_said_to_be() {
        let record = |member, at_ms, delta| Record { member, at_ms, delta };
        let block = pack(&[record(7, 1, 1), TOMBSTONE, record(8, 0, -1), record(9, 64, 1)]).expect("people");
        assert_eq!(block.members, [7, 0, 8, 9]);
        assert_eq!(block.times, [0b100, 0, 0b11, 0x80, 2]);
        assert_eq!((block.first_ms, block.last_ms), (0, 64));
    }
}
