//! Keeps who may depend on whom: an allow-list of folders, drivers in their places alone, and no cycle.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use syn::visit::Visit;

use super::sources;

/// The folders of a storey may import those named beside it, and themselves.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    // base
    ("clock", &[]),
    ("events", &[]),
    ("shutdown", &[]),
    ("sketch", &[]),
    // drivers
    ("telemetry", &[]),
    ("postgres", &["sketch", "telemetry"]),
    ("queue", &["events", "postgres", "telemetry"]),
    ("http", &["events", "postgres", "telemetry"]),
    // services
    ("viewers", &["clock", "events", "postgres", "telemetry"]),
    ("access", &["clock", "events", "http", "postgres", "telemetry"]),
    ("answers", &["clock", "http", "postgres", "telemetry", "viewers"]),
    ("catalogue", &["clock", "events", "http", "postgres", "telemetry"]),
    (
        "ingest",
        &[
            "access",
            "catalogue",
            "clock",
            "events",
            "http",
            "ledger",
            "postgres",
            "queue",
            "telemetry",
            "viewers",
        ],
    ),
    ("ledger", &["events", "postgres"]),
    // capabilities: never each other
    ("audience", &["answers", "clock", "events", "http", "postgres", "sketch", "viewers"]),
    ("counters", &["access", "clock", "events", "http", "ingest", "postgres", "telemetry"]),
    (
        "heatmap",
        &[
            "access",
            "answers",
            "catalogue",
            "clock",
            "events",
            "http",
            "postgres",
            "sketch",
            "telemetry",
            "viewers",
        ],
    ),
    // composition
    (
        "views",
        &[
            "access",
            "answers",
            "catalogue",
            "clock",
            "events",
            "http",
            "ingest",
            "ledger",
            "postgres",
            "queue",
            "sketch",
            "telemetry",
            "viewers",
        ],
    ),
    (
        "work",
        &[
            "audience",
            "catalogue",
            "clock",
            "counters",
            "events",
            "heatmap",
            "ingest",
            "ledger",
            "postgres",
            "queue",
            "telemetry",
            "viewers",
            "views",
        ],
    ),
    (
        "serve",
        &[
            "access",
            "answers",
            "audience",
            "catalogue",
            "clock",
            "counters",
            "events",
            "heatmap",
            "http",
            "ingest",
            "ledger",
            "postgres",
            "queue",
            "sketch",
            "telemetry",
            "viewers",
            "views",
            "work",
        ],
    ),
    // tools
    ("config", &["access", "audience", "events", "viewers", "views", "work"]),
    ("demo", &[]),
    ("doctor", &["clock", "heatmap", "postgres", "queue", "viewers"]),
    (
        "import",
        &["catalogue", "clock", "counters", "events", "ingest", "postgres", "queue", "viewers", "views"],
    ),
    (
        "cli",
        &[
            "access",
            "answers",
            "audience",
            "catalogue",
            "clock",
            "config",
            "counters",
            "demo",
            "doctor",
            "events",
            "heatmap",
            "http",
            "import",
            "ingest",
            "ledger",
            "postgres",
            "queue",
            "serve",
            "shutdown",
            "telemetry",
            "viewers",
            "views",
            "work",
        ],
    ),
];

/// Crates that stand for something outside, and where they may be named: folders, or files of this name.
const DRIVERS: &[(&[&str], &[&str])] = &[
    (&["tokio_postgres", "deadpool_postgres"], &["postgres", "queue", "store"]),
    (&["async_nats"], &["nats"]),
    (&["axum"], &["http", "serve", "config", "cli"]),
    (&["clap"], &["config", "cli", "telemetry"]),
];

/// The imports of a file and the whole paths in it, as `(crate or "crate", first segment after it)`.
#[derive(Default)]
struct Imports(BTreeSet<(String, String)>);

impl Imports {
    fn tree(&mut self, tree: &syn::UseTree, first: Option<&str>) {
        match tree {
            syn::UseTree::Path(path) => {
                let name = path.ident.to_string();
                match first {
                    None => self.tree(&path.tree, Some(&name)),
                    Some(root) => self.note(root, &name),
                }
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, first)),
            syn::UseTree::Name(name) => self.note(first.unwrap_or(""), &name.ident.to_string()),
            syn::UseTree::Rename(name) => self.note(first.unwrap_or(""), &name.ident.to_string()),
            syn::UseTree::Glob(_) => self.note(first.unwrap_or(""), "*"),
        }
    }

    fn note(&mut self, root: &str, next: &str) {
        self.0.insert((root.to_owned(), next.to_owned()));
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, None);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut names = path.segments.iter().map(|segment| segment.ident.to_string());
        if let (Some(root), Some(next)) = (names.next(), names.next()) {
            self.note(&root, &next);
        }
        syn::visit::visit_path(self, path);
    }

    // Tests may join what the program keeps apart.
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

/// Path segments below `src`, without the ending.
fn segments(file: &Path) -> Vec<String> {
    let below = file.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("a source file");
    below.with_extension("").iter().map(|segment| segment.to_string_lossy().into_owned()).collect()
}

fn imports(file: &Path) -> BTreeSet<(String, String)> {
    let text = fs::read_to_string(file).expect("a source file");
    let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut imports = Imports::default();
    imports.visit_file(&parsed);
    imports.0
}

fn is_test(segments: &[String]) -> bool {
    segments.last().is_some_and(|name| name == "tests")
}

#[test]
fn folders_import_what_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut faults = Vec::new();
    for file in sources() {
        let segments = segments(&file);
        let folder = segments[0].as_str();
        if ["lib", "main"].contains(&folder) || is_test(&segments) {
            continue;
        }
        let Some(allowed) = allowed.get(folder) else {
            faults.push(format!("{}: the folder {folder} is in no list", file.display()));
            continue;
        };
        for (root, name) in imports(&file) {
            if root == "crate" && name != folder && !allowed.contains(&name.as_str()) {
                faults.push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn no_folders_import_each_other_in_a_circle() {
    // A folder is done once all that it may import are: what is never done stands in a circle.
    let mut waiting: BTreeMap<&str, BTreeSet<&str>> =
        MAY_IMPORT.iter().map(|(folder, allowed)| (*folder, allowed.iter().copied().collect())).collect();
    loop {
        let done: Vec<&str> =
            waiting.iter().filter(|(_, allowed)| allowed.is_empty()).map(|(folder, _)| *folder).collect();
        if done.is_empty() {
            break;
        }
        for folder in done {
            waiting.remove(folder);
            waiting.values_mut().for_each(|allowed| {
                allowed.remove(folder);
            });
        }
    }
    assert!(waiting.is_empty(), "{waiting:#?}");
}

#[test]
fn drivers_are_named_in_their_places_alone() {
    let mut faults = Vec::new();
    for file in sources() {
        let segments = segments(&file);
        if is_test(&segments) || segments[0] == "main" {
            continue;
        }
        for (root, name) in imports(&file) {
            for (crates, places) in DRIVERS {
                let named =
                    crates.contains(&root.as_str()) || (root.is_empty() && crates.contains(&name.as_str()));
                if named && !segments.iter().any(|segment| places.contains(&segment.as_str())) {
                    faults.push(format!("{}: {root}", file.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn statuses_are_chosen_in_one_place() {
    for file in sources() {
        let segments = segments(&file);
        let text = fs::read_to_string(&file).expect("a source file");
        let names = [
            "BAD_REQUEST",
            "NOT_FOUND",
            "UNPROCESSABLE",
            "SERVICE_UNAVAILABLE",
            "INTERNAL_SERVER",
            "FORBIDDEN",
        ];
        let chooses = names.iter().any(|name| text.contains(&format!("StatusCode::{name}")));
        let may =
            segments == ["http", "error"] || segments == ["http", "request_id"] || segments[0] == "import";
        assert!(!chooses || may, "{} chooses a status", file.display());
    }
}

#[test]
fn every_file_is_short() {
    for file in sources() {
        let lines = fs::read_to_string(&file).expect("a source file").lines().count();
        assert!(lines <= 400, "{} has {lines} lines", file.display());
    }
}
