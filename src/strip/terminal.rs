//! The strip as coloured block characters, for `heatstrip show`.
