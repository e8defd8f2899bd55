//! Sketches united and estimated as the extension does it, in a few microseconds each: reading a strip is mostly this.
//!
//! Source of the estimate: Flajolet, Fusy, Gandouet and Meunier, [HyperLogLog], 2007, figure 3, with the large-range
//! correction for 2⁴² values that postgresql-hll makes.
//!
//! [HyperLogLog]: https://algo.inria.fr/flajolet/Publications/FlFuGaMe07.pdf

use super::{
    EMPTY, EXPLICIT, FULL, FULL_BYTES, LOG2M, MAX_EXPLICIT, MAX_REGISTER, REGISTER_WIDTH, REGISTERS, SPARSE,
    encode, encode_registers, explicit, payload, register,
};

/// A value that this program did not write: it has other parameters, or is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sketch with the parameters of this program")]
pub struct Unreadable;

/// The number of registers of each value.
type Tally = [u16; MAX_REGISTER as usize + 1];
/// Registers are looked at so many at once: where none has risen, nothing is counted.
const STRETCH: usize = 64;

/// The union of the sketches that were added.
pub struct Union {
    /// The elements, ascending and distinct, while they are counted one by one.
    elements: Vec<i64>,
    /// True once the set outgrew `elements`; `registers` then holds it.
    dense: bool,
    registers: Box<[u8; REGISTERS]>,
    /// The number of registers of each value, from the first estimate on. A sweep asks again and again how many it has
    /// met so far, and few registers rise in between.
    tally: Option<Tally>,
    /// A buffer in which two lists are merged.
    merged: Vec<i64>,
}

impl Default for Union {
    fn default() -> Self {
        Union {
            elements: Vec::new(),
            dense: false,
            registers: Box::new([0; REGISTERS]),
            tally: None,
            merged: Vec::new(),
        }
    }
}

impl Union {
    /// Empties it, and keeps its memory.
    pub fn clear(&mut self) {
        self.elements.clear();
        if self.dense {
            self.dense = false;
            self.registers.fill(0);
            self.tally = None;
        }
    }

    /// Adds an `hll(12,5)` value.
    pub fn add(&mut self, sketch: &[u8]) -> Result<(), Unreadable> {
        let (kind, payload) = payload(sketch)?;
        match kind {
            EMPTY => {}
            EXPLICIT => self.add_elements(explicit(payload)?),
            SPARSE => {
                self.estimate_from_now();
                self.add_sparse(payload);
            }
            FULL => {
                self.add_full(payload.try_into().map_err(|_| Unreadable)?);
            }
            _ => return Err(Unreadable),
        }
        Ok(())
    }

    /// Adds all that another union holds.
    pub fn merge(&mut self, other: &Union) {
        if other.dense {
            self.raise(&other.registers);
        } else {
            self.add_elements(other.elements.iter().copied());
        }
    }

    /// Returns the `hll(12,5)` value of its set, bit for bit as the extension writes it.
    pub fn encode(&self) -> Vec<u8> {
        if self.dense { encode_registers(&self.registers) } else { encode(&self.elements) }
    }

    /// Returns true if nobody is in it.
    pub fn is_empty(&self) -> bool {
        !self.dense && self.elements.is_empty()
    }

    /// Returns the elements, ascending, unless the set is estimated.
    pub(super) fn elements(&self) -> Option<&[i64]> {
        (!self.dense).then_some(&self.elements)
    }

    /// Raises registers to those that hold what this holds.
    pub(super) fn raise_into(&self, registers: &mut [u8; REGISTERS]) {
        raise(registers, &self.registers);
        self.elements.iter().for_each(|&element| set(registers, element));
    }

    /// Returns true while the set is counted and not estimated.
    pub fn is_exact(&self) -> bool {
        !self.dense
    }

    /// Returns how many elements it holds, rounded as Postgres rounds.
    pub fn cardinality(&mut self) -> u64 {
        if !self.dense {
            return self.elements.len() as u64;
        }
        let tally = self.tally.get_or_insert_with(|| tally(&self.registers));
        estimate(tally).round_ties_even() as u64
    }

    /// Raises its registers to these, so that it holds all that they saw.
    pub(super) fn raise(&mut self, registers: &[u8; REGISTERS]) {
        self.estimate_from_now();
        let Some(tally) = &mut self.tally else {
            return raise(&mut self.registers, registers);
        };
        let stretches = self.registers.as_chunks_mut::<STRETCH>().0;
        for (ours, theirs) in stretches.iter_mut().zip(registers.as_chunks::<STRETCH>().0) {
            // Every pair is compared, as that is done many at a time; leaving early is not.
            if ours.iter().zip(theirs).fold(false, |risen, (ours, theirs)| risen | (theirs > ours)) {
                for (ours, theirs) in ours.iter_mut().zip(theirs).filter(|(ours, theirs)| *theirs > *ours) {
                    tally[usize::from(*ours)] -= 1;
                    tally[usize::from(*theirs)] += 1;
                    *ours = *theirs;
                }
            }
        }
    }

    /// Adds elements, which must come in ascending order.
    pub(super) fn add_elements(&mut self, elements: impl Iterator<Item = i64>) {
        if self.dense {
            self.tally = None;
            elements.for_each(|element| set(&mut self.registers, element));
            return;
        }
        self.merged.clear();
        let mut ours = self.elements.iter().copied().peekable();
        for element in elements {
            while let Some(smaller) = ours.next_if(|&ours| ours < element) {
                self.merged.push(smaller);
            }
            ours.next_if_eq(&element);
            self.merged.push(element);
        }
        self.merged.extend(ours);
        std::mem::swap(&mut self.elements, &mut self.merged);
        if self.elements.len() > MAX_EXPLICIT {
            self.estimate_from_now();
        }
    }

    fn estimate_from_now(&mut self) {
        if !self.dense {
            self.dense = true;
            self.elements.drain(..).for_each(|element| set(&mut self.registers, element));
        }
    }

    /// Adds a sparse payload: pairs of a register's number and value, 17 bits each, and padding behind the last.
    fn add_sparse(&mut self, payload: &[u8]) {
        const WIDTH: u32 = LOG2M + REGISTER_WIDTH;
        self.tally = None;
        let (mut pending, mut pending_bits) = (0u64, 0);
        for &byte in payload {
            pending = pending << 8 | u64::from(byte);
            pending_bits += 8;
            if pending_bits >= WIDTH {
                pending_bits -= WIDTH;
                let entry = pending >> pending_bits;
                let at = &mut self.registers[(entry >> REGISTER_WIDTH) as usize % REGISTERS];
                *at = (*at).max((entry as u32 & MAX_REGISTER) as u8);
            }
        }
    }

    /// Adds a full payload: the values of all registers, 5 bits each, so that 5 bytes hold 8 of them.
    fn add_full(&mut self, payload: &[u8; FULL_BYTES]) {
        let mut values = [0; REGISTERS];
        for (packed, values) in payload.as_chunks::<5>().0.iter().zip(values.as_chunks_mut::<8>().0) {
            let [a, b, c, d, e] = *packed;
            let bits = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
            // Halved three times, each half moved to where it ends up: 20 bits, 10 bits, 5 bits.
            let bits = (bits & 0xf_ffff) | (bits >> 20) << 32;
            let bits = (bits & 0x3ff_0000_03ff) | (bits & 0xf_fc00_000f_fc00) << 6;
            let bits = (bits & 0x1f_001f_001f_001f) | (bits & 0x3e0_03e0_03e0_03e0) << 3;
            *values = bits.to_be_bytes();
        }
        self.raise(&values);
    }
}

/// Marks an element in the registers.
fn set(registers: &mut [u8; REGISTERS], element: i64) {
    let (number, value) = register(element);
    registers[number] = registers[number].max(value);
}

/// Keeps the larger value of both, register by register.
fn raise(registers: &mut [u8; REGISTERS], others: &[u8; REGISTERS]) {
    for (ours, theirs) in registers.iter_mut().zip(others) {
        *ours = (*ours).max(*theirs);
    }
}

/// Counts the registers by value.
fn tally(registers: &[u8; REGISTERS]) -> Tally {
    // Four tallies are kept side by side: neighbours often have the same value, and one count would wait for the other.
    let mut tallies = [[0; MAX_REGISTER as usize + 1]; 4];
    for values in registers.as_chunks::<4>().0 {
        for (tally, value) in tallies.iter_mut().zip(values) {
            tally[usize::from(*value) & MAX_REGISTER as usize] += 1;
        }
    }
    let [a, b, c, d] = tallies;
    std::array::from_fn(|value| a[value] + b[value] + c[value] + d[value])
}

/// Estimates how many distinct elements the registers saw.
fn estimate(tally: &Tally) -> f64 {
    const M: f64 = REGISTERS as f64;
    const ALPHA: f64 = 0.7213 / (1.0 + 1.079 / M);
    const VALUES: f64 = (1u64 << (MAX_REGISTER - 1 + LOG2M)) as f64;
    // Each register of value v adds 2 to the power of -v. All lie within 44 bits, so the sum is exact in any order.
    let sum = tally.iter().rev().fold(0.0, |sum, &registers| sum * 0.5 + f64::from(registers));
    let raw = ALPHA * M * M / sum;
    let zeros = f64::from(tally[0]);
    if zeros != 0.0 && raw < 2.5 * M {
        // Linear counting.
        M * (M / zeros).ln()
    } else if raw <= VALUES / 30.0 {
        raw
    } else {
        -VALUES * (1.0 - raw / VALUES).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::*;

    fn sketch_of(range: std::ops::Range<i64>) -> Vec<u8> {
        let mut elements: Vec<i64> = range.map(element).collect();
        elements.sort_unstable();
        encode(&elements)
    }

    #[test]
    fn small_unions_are_counted() {
        let mut union = Union::default();
        assert_eq!((union.cardinality(), union.is_exact()), (0, true));
        union.add(&sketch_of(0..0)).expect("a sketch");
        union.add(&sketch_of(0..200)).expect("a sketch");
        union.add(&sketch_of(100..320)).expect("a sketch");
        assert_eq!((union.cardinality(), union.is_exact()), (320, true));
        union.add(&sketch_of(320..321)).expect("a sketch");
        assert!(!union.is_exact());
        union.clear();
        union.add(&sketch_of(5..6)).expect("a sketch");
        assert_eq!((union.cardinality(), union.is_exact()), (1, true));
    }

    /// A damaged row is told, and not counted as something that nobody wrote.
    #[test]
    fn elements_in_disorder_are_no_sketch() {
        let good = sketch_of(0..3);
        let (header, elements) = good.split_at(3);
        let (first, others) = elements.split_at(8);
        let damaged = [[header, others, first].concat(), [header, first, elements].concat()];
        let mut union = Union::default();
        union.add(&good).expect("a sketch");
        for sketch in &damaged {
            assert_eq!(union.add(sketch), Err(Unreadable));
            assert_eq!(Present::default().leave(0, sketch), Err(Unreadable));
        }
        assert_eq!(union.encode(), good);
    }

    #[test]
    fn a_union_holds_the_registers_of_all() {
        // Explicit, sparse and full, in any order, added or merged.
        let parts = [0..100, 50..900, 800..9_000, 8_999..9_001].map(sketch_of);
        let whole = {
            let mut elements: Vec<i64> = (0..9_001).map(element).collect();
            elements.sort_unstable();
            registers(&elements)
        };
        for first in 0..parts.len() {
            let (mut added, mut merged) = (Union::default(), Union::default());
            for part in parts[first..].iter().chain(&parts[..first]) {
                added.add(part).expect("a sketch");
                let mut alone = Union::default();
                alone.add(part).expect("a sketch");
                merged.merge(&alone);
            }
            assert!(*added.registers == whole && *merged.registers == whole, "from part {first}");
        }
    }

    #[test]
    fn an_estimate_in_between_changes_nothing() {
        let parts = [50..900, 0..100, 800..9_000, 9_000..9_001, 100..400, 20_000..24_000].map(sketch_of);
        let mut asked = Union::default();
        for many in 1..=parts.len() {
            asked.add(&parts[many - 1]).expect("a sketch");
            let mut fresh = Union::default();
            parts[..many].iter().for_each(|part| fresh.add(part).expect("a sketch"));
            assert_eq!(asked.cardinality(), fresh.cardinality(), "{many} parts");
        }
        asked.clear();
        asked.add(&parts[2]).expect("a sketch");
        let mut fresh = Union::default();
        fresh.add(&parts[2]).expect("a sketch");
        assert_eq!(asked.cardinality(), fresh.cardinality(), "after it was emptied");
    }

    #[test]
    fn other_values_are_refused() {
        let mut union = Union::default();
        let good = sketch_of(0..2);
        let full = sketch_of(0..10_000);
        let changed = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            bytes
        };
        for bad in [
            &[][..],
            &good[..2],
            &good[..good.len() - 1],
            &changed(0, 0x22),
            &changed(0, 0x10),
            &changed(0, 0x15),
            &changed(1, 0x8b),
            &changed(2, 0x00),
            &full[..full.len() - 1],
        ] {
            assert_eq!(union.add(bad), Err(Unreadable), "{bad:x?}");
        }
    }
}
