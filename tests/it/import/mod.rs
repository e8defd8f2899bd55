//! Tests with files of real input.

mod real_input;
