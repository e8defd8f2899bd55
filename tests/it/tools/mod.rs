//! The commands.

mod dev;
mod doctor;
mod logs;
