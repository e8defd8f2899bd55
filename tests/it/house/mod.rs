//! Rules that the tree itself must keep: who imports whom, statements, documents.

use std::{
    fs,
    path::{Path, PathBuf},
};

mod described;
mod distributed;
mod docker;
mod docs;
mod docs_on_items;
mod layering;
mod named;
mod openapi;
mod sql;
mod threats;

/// Every source file of the program.
fn sources() -> Vec<PathBuf> {
    fn below(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
    }
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}
