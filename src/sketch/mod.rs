//! The sketches of postgresql-hll in Rust: viewer hashes in, the bytes of an `hll(12,5)` value out ([`encode`]); such
//! values in, their union or its cardinality out ([`Union`]); and the union of sketches that come and go ([`Present`]).
//!
//! Postgres casts `bytea` to `hll` without looking, so this module is trusted; the extension is its oracle in the
//! tests, which compare bytes and estimates. They can: an `hll` value is a function of the set and the parameters alone.
//!
//! Source: the [storage specification] of postgresql-hll, schema version 1. Layout, most significant bit first:
//!
//! ```text
//! byte 0    schema version (4 bits) = 1, type (4 bits): 1 empty, 2 explicit, 3 sparse, 4 full
//! byte 1    register width - 1 (3 bits), log2 of the number of registers (5 bits)
//! byte 2    unused (1 bit), sparse enabled (1 bit), explicit cutoff (6 bits, 63 = automatic)
//! explicit  the elements as ascending signed 64-bit integers
//! sparse    per non-zero register its number (12 bits) and value (5 bits), padded to a byte
//! full      the value (5 bits) of each register
//! ```
//!
//! [storage specification]: https://github.com/aggregateknowledge/hll-storage-spec/blob/v1.0.0/STORAGE.md

mod present;
mod union;

pub use present::Present;
pub use union::{Union, Unreadable};

/// log2 of the number of registers.
pub const LOG2M: u32 = 12;
/// Bits a register.
pub const REGISTER_WIDTH: u32 = 5;
/// The column type of every sketch, as `format_type` prints it; checked against the database at start.
pub const COLUMN_TYPE: &str = "hll(12,5,-1,1)";
/// 1.04/√4096: the relative standard error of the estimate once a sketch is not exact.
pub const RELATIVE_STANDARD_ERROR: f64 = 0.01625;

const REGISTERS: usize = 1 << LOG2M;
const MAX_REGISTER: u32 = (1 << REGISTER_WIDTH) - 1;
const FULL_BYTES: usize = REGISTERS * REGISTER_WIDTH as usize / 8;
/// The automatic cutoff: as many elements as would take the bytes of a full sketch.
pub const MAX_EXPLICIT: usize = FULL_BYTES / 8;

const VERSION: u8 = 1 << 4;
const EMPTY: u8 = 1;
const EXPLICIT: u8 = 2;
const SPARSE: u8 = 3;
const FULL: u8 = 4;
const SPARSE_ENABLED: u8 = 1 << 6;
const AUTOMATIC_CUTOFF: u8 = 63;

/// Hashes a viewer hash as `hll_hash_bigint` does: the first half of MurmurHash3 (x64, 128 bits, seed 0) over its 8 bytes.
///
/// Source: Austin Appleby's [MurmurHash3], for a key that is a tail of 8 bytes and no block.
///
/// [MurmurHash3]: https://github.com/aappleby/smhasher/wiki/MurmurHash3
pub fn element(viewer_hash: i64) -> i64 {
    const LENGTH: u64 = 8;
    // The key is read as little-endian, which is how the server holds a bigint: the bits of the integer itself.
    let mut h1 = (viewer_hash as u64).wrapping_mul(0x87c3_7b91_1142_53d5).rotate_left(31);
    h1 = h1.wrapping_mul(0x4cf5_ad43_2745_937f) ^ LENGTH;
    let mut h2 = LENGTH;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    finalize(h1).wrapping_add(finalize(h2)) as i64
}

fn finalize(mut k: u64) -> u64 {
    k = (k ^ (k >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    k = (k ^ (k >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    k ^ (k >> 33)
}

/// Returns the sketch of a set of elements, which must be ascending and distinct.
pub fn encode(elements: &[i64]) -> Vec<u8> {
    debug_assert!(elements.is_sorted_by(|a, b| a < b), "elements must be ascending and distinct");
    if elements.is_empty() {
        return header(EMPTY, 0);
    }
    if elements.len() <= MAX_EXPLICIT {
        let mut bytes = header(EXPLICIT, elements.len() * 8);
        bytes.extend(elements.iter().flat_map(|element| element.to_be_bytes()));
        return bytes;
    }
    encode_registers(&registers(elements))
}

/// Returns, for each register, the largest value of the elements that fall on it.
fn registers(elements: &[i64]) -> [u8; REGISTERS] {
    let mut registers = [0; REGISTERS];
    for &element in elements {
        let (number, value) = register(element);
        registers[number] = value.max(registers[number]);
    }
    registers
}

/// Returns the register that an element falls on, and its value there: the number of trailing zeros, plus one.
fn register(element: i64) -> (usize, u8) {
    let number = element as u64 as usize % REGISTERS;
    let rest = element as u64 >> LOG2M;
    if rest == 0 {
        // No one bit to find: the extension leaves the register alone, and so do we.
        return (number, 0);
    }
    (number, (rest.trailing_zeros() + 1).min(MAX_REGISTER) as u8)
}

fn encode_registers(registers: &[u8; REGISTERS]) -> Vec<u8> {
    let filled = registers.iter().filter(|&&value| value != 0).count();
    let sparse_bits = filled * (LOG2M + REGISTER_WIDTH) as usize;
    if sparse_bits < FULL_BYTES * 8 {
        let mut bits = BitWriter::new(header(SPARSE, sparse_bits.div_ceil(8)));
        for (number, &value) in registers.iter().enumerate().filter(|&(_, &value)| value != 0) {
            bits.push((number as u32) << REGISTER_WIDTH | u32::from(value), LOG2M + REGISTER_WIDTH);
        }
        return bits.finish();
    }
    let mut bytes = header(FULL, FULL_BYTES);
    // Eight registers are five bytes.
    for values in registers.as_chunks::<8>().0 {
        let packed = values.iter().fold(0u64, |packed, &value| packed << REGISTER_WIDTH | u64::from(value));
        bytes.extend_from_slice(&packed.to_be_bytes()[3..]);
    }
    bytes
}

/// Splits a value of ours into its type and the bytes behind the header.
fn payload(sketch: &[u8]) -> Result<(u8, &[u8]), Unreadable> {
    const PARAMETERS: [u8; 2] =
        [((REGISTER_WIDTH - 1) << 5 | LOG2M) as u8, SPARSE_ENABLED | AUTOMATIC_CUTOFF];
    let [first, parameters @ ..] = sketch.first_chunk::<3>().ok_or(Unreadable)?;
    if *parameters != PARAMETERS || first & 0xf0 != VERSION {
        return Err(Unreadable);
    }
    Ok((first & 0x0f, &sketch[3..]))
}

/// Returns the elements of an explicit payload, ascending. In another order it is damaged, and would be united to something
/// that is no set.
fn explicit(payload: &[u8]) -> Result<impl Iterator<Item = i64> + '_, Unreadable> {
    let (elements, []) = payload.as_chunks::<8>() else { return Err(Unreadable) };
    if !elements.is_sorted_by(|one, next| i64::from_be_bytes(*one) < i64::from_be_bytes(*next)) {
        return Err(Unreadable);
    }
    Ok(elements.iter().map(|bytes| i64::from_be_bytes(*bytes)))
}

fn header(kind: u8, payload_bytes: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(3 + payload_bytes);
    bytes.extend([
        VERSION | kind,
        ((REGISTER_WIDTH - 1) << 5 | LOG2M) as u8,
        SPARSE_ENABLED | AUTOMATIC_CUTOFF,
    ]);
    bytes
}

/// Packs values most significant bit first.
struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    pending_bits: u32,
}

impl BitWriter {
    fn new(bytes: Vec<u8>) -> Self {
        BitWriter { bytes, pending: 0, pending_bits: 0 }
    }

    fn push(&mut self, value: u32, width: u32) {
        self.pending = self.pending << width | u64::from(value);
        self.pending_bits += width;
        while self.pending_bits >= 8 {
            self.pending_bits -= 8;
            self.bytes.push((self.pending >> self.pending_bits) as u8);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.pending_bits > 0 {
            self.bytes.push((self.pending << (8 - self.pending_bits)) as u8);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn element_equals_hll_hash_bigint() {
        assert_eq!(element(0), 2_945_182_322_382_062_539);
        assert_eq!(element(2_076_826_995_104_719_699), -8_591_238_046_629_245_944);
    }

    #[test]
    fn one_viewer_is_an_explicit_sketch() {
        let bytes = encode(&[element(2_076_826_995_104_719_699)]);
        assert_eq!(bytes, [0x12, 0x8c, 0x7f, 0x88, 0xc5, 0xca, 0x83, 0xd1, 0xd7, 0xcc, 0x08]);
    }

    #[test]
    fn sizes_by_kind() {
        let elements = |n: i64| {
            let mut elements: Vec<i64> = (0..n).map(element).collect();
            elements.sort_unstable();
            elements
        };
        assert_eq!(encode(&[]), [0x11, 0x8c, 0x7f]);
        assert_eq!(encode(&elements(320)).len(), 3 + 320 * 8);
        assert_eq!(encode(&elements(321))[0], 0x13);
        assert_eq!(encode(&elements(100_000)).len(), 3 + FULL_BYTES);
    }
}
