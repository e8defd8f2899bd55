//! Salts and their epochs.

mod salt_destruction;
mod salt_epochs;
mod salts;
