//! Salts and their epochs.

mod at_hand;
pub mod salt_destruction;
pub mod salt_epochs;
mod salts;
