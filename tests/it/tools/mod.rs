//! Tests of the commands.

mod dev;
mod doctor;
mod logs;
