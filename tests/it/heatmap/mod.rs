//! Strips against what was watched, however the rows are stored.

mod accuracy;
mod compaction;
mod drops;
mod earlier;
mod embeds;
mod forms;
mod levels;
mod oracle;
mod plans;
mod retention;
mod sketches;
mod sql_for_people;
mod strips;
