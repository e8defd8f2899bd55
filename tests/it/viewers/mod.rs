//! Salts and their epochs.

mod at_hand;
mod salt_destruction;
mod salt_epochs;
mod salts;
