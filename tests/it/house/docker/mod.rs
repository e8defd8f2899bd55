//! Docker's files keep their word where there is no Docker: the image could be built, and what Compose runs exists.

use std::path::Path;

mod compose;
mod dockerfile;
mod image;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
