//! The union of sketches that come and go, as a sweep over seconds meets them.
//!
//! Nothing can be taken out of a union. So this keeps counts instead: how many of the present sketches hold each element,
//! and, once there are too many elements for an explicit set, how many elements give each register each of its values. A
//! sketch that comes or goes then costs as much as it has elements, whoever else is present. Sketches that are registers
//! already cannot be counted so; they are united again whenever one of them goes, and few are present at once.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use super::{
    EMPTY, EXPLICIT, MAX_EXPLICIT, MAX_REGISTER, REGISTERS, Union, Unreadable, encode, encode_registers,
    explicit, payload, register,
};

/// The union of the sketches that are present.
#[derive(Default)]
pub struct Present {
    /// How many of the explicit ones hold each element.
    elements: HashMap<i64, u32, BuildHasherDefault<ElementHasher>>,
    /// The registers of those elements; made when they are first needed, and kept up to date from then on.
    tally: Option<Box<Tally>>,
    /// The present sketches that are registers already, each with the number it came with.
    dense: Vec<(usize, Union)>,
    /// The memory of those that left, for those that come.
    spare: Vec<Union>,
    /// A buffer in which an explicit set is sorted.
    sorted: Vec<i64>,
}

impl Present {
    /// Takes in a sketch, taken apart already; `number` tells it from the others that are present.
    pub fn enter(&mut self, number: usize, sketch: &Union) {
        let Some(elements) = sketch.elements() else {
            let mut registers = self.spare.pop().unwrap_or_default();
            registers.clear();
            registers.merge(sketch);
            self.dense.push((number, registers));
            return;
        };
        for &element in elements {
            let holders = self.elements.entry(element).or_insert(0);
            *holders += 1;
            if *holders == 1
                && let Some(tally) = &mut self.tally
            {
                tally.add(element);
            }
        }
    }

    /// Lets go of the sketch that came with this number.
    pub fn leave(&mut self, number: usize, sketch: &[u8]) -> Result<(), Unreadable> {
        let (kind, payload) = payload(sketch)?;
        match kind {
            EMPTY => {}
            EXPLICIT => {
                for element in explicit(payload)? {
                    let Some(holders) = self.elements.get_mut(&element) else { continue };
                    *holders -= 1;
                    if *holders == 0 {
                        self.elements.remove(&element);
                        if let Some(tally) = &mut self.tally {
                            tally.remove(element);
                        }
                    }
                }
            }
            _ => {
                let left = self.dense.iter().position(|(of, _)| *of == number);
                self.spare.extend(left.map(|left| self.dense.swap_remove(left).1));
            }
        }
        Ok(())
    }

    /// Returns the sketch of everybody who is present.
    pub fn encode(&mut self) -> Vec<u8> {
        if self.is_explicit() {
            return encode(self.sort());
        }
        encode_registers(&self.registers())
    }

    /// Adds everybody who is present to a union.
    pub fn unite_into(&mut self, union: &mut Union) {
        if self.is_explicit() {
            union.add_elements(self.sort().iter().copied());
        } else {
            union.raise(&self.registers());
        }
    }

    fn is_explicit(&self) -> bool {
        self.dense.is_empty() && self.elements.len() <= MAX_EXPLICIT
    }

    /// Returns the elements of the explicit sketches, ascending.
    fn sort(&mut self) -> &[i64] {
        self.sorted.clear();
        self.sorted.extend(self.elements.keys());
        self.sorted.sort_unstable();
        &self.sorted
    }

    /// Returns the registers of everybody who is present.
    fn registers(&mut self) -> [u8; REGISTERS] {
        let tally = self.tally.get_or_insert_with(|| {
            let mut tally = Box::<Tally>::default();
            self.elements.keys().for_each(|&element| tally.add(element));
            tally
        });
        let mut registers = tally.largest;
        self.dense.iter().for_each(|(_, dense)| dense.raise_into(&mut registers));
        registers
    }
}

/// How many elements give each register each of its values.
struct Tally {
    elements: Vec<[u32; MAX_REGISTER as usize + 1]>,
    largest: [u8; REGISTERS],
}

impl Default for Tally {
    fn default() -> Self {
        Tally { elements: vec![[0; MAX_REGISTER as usize + 1]; REGISTERS], largest: [0; REGISTERS] }
    }
}

impl Tally {
    fn add(&mut self, element: i64) {
        let (number, value) = register(element);
        self.elements[number][usize::from(value)] += 1;
        self.largest[number] = self.largest[number].max(value);
    }

    fn remove(&mut self, element: i64) {
        let (number, value) = register(element);
        let (elements, largest) = (&mut self.elements[number], &mut self.largest[number]);
        elements[usize::from(value)] -= 1;
        while *largest > 0 && elements[usize::from(*largest)] == 0 {
            *largest -= 1;
        }
    }
}

/// An element is a hash already; its upper bits are as random as its lower ones, which choose the slot.
#[derive(Default)]
struct ElementHasher(u64);

impl Hasher for ElementHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_i64(&mut self, element: i64) {
        self.0 = element as u64;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sketch::element;

    fn sketch(range: std::ops::Range<i64>) -> Vec<u8> {
        let mut elements: Vec<i64> = range.map(element).collect();
        elements.sort_unstable();
        encode(&elements)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn those_present_are_united(
            ranges in prop::collection::vec((0i64..900, prop_oneof![Just(0i64), 1i64..40, 200i64..500, 1_000i64..3_000]), 1..20),
            moves in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..60),
        ) {
            let sketches: Vec<Vec<u8>> = ranges.iter().map(|(from, many)| sketch(*from..from + many)).collect();
            let mut here = vec![false; sketches.len()];
            let mut present = Present::default();
            for (which, look) in moves {
                let which = which.index(sketches.len());
                match here[which] {
                    false => {
                        let mut sketch = Union::default();
                        sketch.add(&sketches[which]).expect("a sketch");
                        present.enter(which, &sketch);
                    }
                    true => present.leave(which, &sketches[which]).expect("a sketch"),
                }
                here[which] = !here[which];
                if look {
                    let mut union = Union::default();
                    for (sketch, _) in sketches.iter().zip(&here).filter(|(_, here)| **here) {
                        union.add(sketch).expect("a sketch");
                    }
                    prop_assert!(present.encode() == union.encode());
                    let mut united = Union::default();
                    united.add(&sketches[0]).expect("a sketch");
                    present.unite_into(&mut united);
                    union.add(&sketches[0]).expect("a sketch");
                    prop_assert!(united.encode() == union.encode());
                }
            }
        }
    }
}
