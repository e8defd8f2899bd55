//! Files of real input.

mod real_input;
