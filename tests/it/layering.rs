//! Who may depend on whom: the pure core on nothing that does I/O, the driver in the store alone, status codes in HTTP
//! alone.

use std::{fs, path::Path};

/// Modules and the words that may not stand in them: crates, and modules of ours.
const RULES: &[(&[&str], &[&str])] = &[
    (
        &[
            "heartbeat",
            "heartbeat_body",
            "salt_epoch",
            "region",
            "viewer_hash",
            "fold",
            "sketch",
            "strip",
            "videos",
            "video_regions",
        ],
        &[
            "tokio",
            "axum",
            "tokio_postgres",
            "deadpool_postgres",
            "crate::clock",
            "crate::config",
            "crate::store",
        ],
    ),
    (&["clock", "shutdown"], &["crate::store", "crate::http", "axum"]),
    (&["store"], &["axum", "crate::http", "crate::config", "crate::cli"]),
    (
        &["salt", "intake", "worker", "compaction", "nightly", "strip_cache", "upkeep", "doctor"],
        &["axum", "tokio_postgres", "deadpool_postgres", "crate::http", "crate::cli", "crate::config"],
    ),
    (
        &["http"],
        &[
            "tokio_postgres",
            "deadpool_postgres",
            "crate::worker",
            "crate::cli",
            "crate::config",
            "crate::local_postgres",
        ],
    ),
    (&["config", "local_postgres", "telemetry"], &["crate::cli", "crate::http", "crate::worker"]),
];

#[test]
fn nobody_reaches_past_the_next_layer() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut faults = Vec::new();
    for (modules, forbidden) in RULES {
        for module in *modules {
            let files = files_of(&source, module);
            assert!(!files.is_empty(), "the module {module} is gone: take it out of the rules");
            for file in files {
                let text = fs::read_to_string(&file).expect("a source file");
                for (number, line) in text.lines().enumerate() {
                    let code = line.split("//").next().unwrap_or("");
                    if let Some(word) = forbidden.iter().find(|word| names(code, word)) {
                        faults.push(format!("{}:{}: {word}", file.display(), number + 1));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_file_is_short() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in all_files(&source) {
        let lines = fs::read_to_string(&file).expect("a source file").lines().count();
        assert!(lines <= 400, "{} has {lines} lines", file.display());
    }
}

/// Whether a line names a crate or module as a path: `tokio_postgres::` names `tokio_postgres`, not `tokio`. Imports of
/// several modules at once, `use crate::{a, b}`, are written a line each by rustfmt and named without `crate::`.
fn names(code: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let bounded = |word: &str, code: &str| {
        code.match_indices(word)
            .any(|(at, _)| !code[..at].ends_with(is_word) && code[at + word.len()..].starts_with("::"))
    };
    match word.strip_prefix("crate::") {
        None => bounded(word, code),
        Some(module) => {
            bounded(word, code)
                || (code.starts_with("    ")
                    && !code.starts_with("     ")
                    && code.trim_start().starts_with(&format!("{module}::")))
                || code.contains(&format!("use crate::{module};"))
        }
    }
}

fn files_of(source: &Path, module: &str) -> Vec<std::path::PathBuf> {
    let mut files = all_files(&source.join(module));
    let file = source.join(format!("{module}.rs"));
    if file.exists() {
        files.push(file);
    }
    files
}

fn all_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => files.extend(all_files(&path)),
            false if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
            false => {}
        }
    }
    files
}
