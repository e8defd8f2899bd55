//! The tests that `docs/security.md` names are there.

use std::{fs, path::Path};

/// Returns the text of every file of Rust below a folder.
fn rust(folder: &Path, texts: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            texts.push_str(&fs::read_to_string(path).expect("a file"));
        }
    }
}

#[test]
fn every_threat_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/security.md")).expect("the page");
    let (_, table) = page.split_once("## Threats").expect("the table");
    let rows = table.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let mut source = String::new();
    rust(&root.join("tests/it"), &mut source);
    rust(&root.join("src"), &mut source);
    let mut named = 0;
    for row in rows.take_while(|line| line.starts_with('|')) {
        let tests = row.trim_end_matches('|').rsplit('|').next().expect("a cell");
        let mut of_this = 0;
        for test in tests.split('`').skip(1).step_by(2) {
            assert!(source.contains(&format!("fn {test}()")), "there is no test {test}");
            of_this += 1;
        }
        assert!(of_this > 0, "no test shows it: {row}");
        named += of_this;
    }
    assert!(named > 15, "{named}");
}
