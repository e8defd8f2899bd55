//! The image, up to the compiler's first call.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;
use tokio::process::Command;

use super::{
    dockerfile::{Stage, stage, stages},
    root,
};

/// The paths that the `.dockerignore` keeps from the build.
fn ignored() -> Vec<PathBuf> {
    let text = fs::read_to_string(root().join(".dockerignore")).expect("the file");
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    for line in &lines {
        assert!(!line.contains(['*', '?', '[', '!']), "{line}: only plain paths are understood here");
    }
    lines.into_iter().map(PathBuf::from).collect()
}

/// Copies a file or a folder of the tree as Docker would.
fn copy(relative: &Path, to: &Path, ignored: &[PathBuf]) {
    if ignored.iter().any(|path| relative.starts_with(path)) {
        return;
    }
    let from = root().join(relative);
    if !from.is_dir() {
        fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        fs::copy(&from, to).unwrap_or_else(|error| panic!("COPY {}: {error}", from.display()));
        return;
    }
    for entry in fs::read_dir(&from).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        copy(&relative.join(&name), &to.join(&name), ignored);
    }
}

/// The folder in which the build stage calls cargo.
fn build_folder(build: &Stage) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let ignored = ignored();
    for copied in build.copies() {
        let destination = folder.path().join(&copied.destination);
        assert!(destination.starts_with(folder.path()), "{} is outside", copied.destination);
        for source in &copied.sources {
            let is_file = root().join(source).is_file();
            let into_folder = is_file && copied.destination.ends_with('/');
            let to = if into_folder { destination.join(source) } else { destination.clone() };
            copy(Path::new(source), &to, &ignored);
            assert!(to.exists(), "COPY {source}: it is not in the build context");
        }
    }
    folder
}

fn build_command(build: &Stage) -> String {
    let runs = build.all("RUN");
    let run = runs.iter().find(|run| run.starts_with("cargo build ")).expect("a build");
    (*run).to_owned()
}

/// Cargo takes the manifest, the lock file and all sources of targets, and plans the very build that the image does.
///
/// Seen to fail without `COPY benches`, with `benches` in the `.dockerignore`, and with a `--locked` that does not hold.
#[tokio::test]
async fn cargo_takes_what_the_build_stage_copies() {
    let build = stage("build");
    let folder = build_folder(&build);
    // The graph is the build without the compiler. The variable makes stable cargo take the option.
    let command = format!("{} --offline -Z unstable-options --unit-graph", build_command(&build));
    let mut bash = Command::new("bash");
    bash.args(["-c", &command]).current_dir(&folder).env("RUSTC_BOOTSTRAP", "1");
    bash.env("CARGO_TARGET_DIR", folder.path().join("target"));
    let output = bash.output().await.expect("bash");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The list of what the compiler read for the library of the tests, which it writes beside the library. Earlier builds
/// have left lists too.
fn newest_list() -> PathBuf {
    let program = std::env::current_exe().expect("the tests");
    let entries = fs::read_dir(program.parent().expect("a folder")).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy();
        // The unit tests, which read files of their own, make no library.
        name.starts_with("heatstrip-")
            && path.with_file_name(format!("lib{name}")).with_extension("rlib").exists()
    };
    let lists =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "d")).filter(is_ours);
    let written = |path: &PathBuf| path.metadata().and_then(|data| data.modified()).expect("a time");
    lists.max_by_key(written).expect("the compiler's lists lie beside the tests")
}

/// The files of the tree that the library is made of, statements and pages included.
fn files_of_the_library() -> Vec<PathBuf> {
    let text = fs::read_to_string(newest_list()).expect("a list");
    let (_, files) = text.lines().find_map(|line| line.split_once(": ")).expect("a list");
    files.split(' ').map(|file| root().join(file)).filter(|file| file.exists()).collect()
}

/// Every file that the program is made of is copied.
///
/// Seen to fail without `COPY web`, and with `sql/queries` in the `.dockerignore`.
#[test]
fn the_build_stage_copies_every_file_that_is_compiled_in() {
    let folder = build_folder(&stage("build"));
    let files = files_of_the_library();
    assert!(files.len() > 100, "the compiler writes its lists in another way: {files:?}");
    for file in files {
        let relative = file.strip_prefix(root()).expect("a file of the tree");
        assert!(folder.path().join(relative).exists(), "the build stage has no {}", relative.display());
    }
}

/// The toolchain is the one that the manifest asks for, and the program finds the C library that it was linked against.
///
/// Seen to fail with an older `rust` image, and with another Debian under the program.
#[test]
fn the_base_images_fit() {
    let build = stage("build");
    let (rust, debian) = build.image.split_once('-').expect("a toolchain on a Debian");
    assert_eq!(rust, format!("rust:{}", env!("CARGO_PKG_RUST_VERSION")));
    let last = stages().pop().expect("a stage");
    assert!(last.image.starts_with(&format!("debian:{debian}")), "{} is built on {debian}", last.image);
}

/// The extension is that of the image's server.
///
/// Seen to fail with a newer `postgres` image.
#[test]
fn the_database_image_gets_its_own_extension() {
    let postgres = stage("postgres");
    let version =
        postgres.image.strip_prefix("postgres:").and_then(|tag| tag.split('-').next()).expect("a version");
    assert!(postgres.installs(&format!("postgresql-{version}-hll")));
}

/// The program is copied from where the build puts it to where the entry point finds it.
///
/// Seen to fail with a debug build, another working folder and another name.
#[test]
fn the_image_runs_what_was_built() {
    let build = stage("build");
    let name = Path::new(env!("CARGO_BIN_EXE_heatstrip")).file_name().expect("a name").to_string_lossy();
    let profile = if build_command(&build).contains(" --release") { "release" } else { "debug" };
    let workdir = build.all("WORKDIR").pop().expect("a folder");

    let image = stage("heatstrip");
    let copied = image.copies().pop().expect("the program");
    assert_eq!(copied.from_stage.as_deref(), Some("build"));
    assert_eq!(copied.sources, [format!("{workdir}/target/{profile}/{name}")]);
    assert_eq!(copied.destination, format!("/usr/local/bin/{name}"));
    assert_eq!(image.words("ENTRYPOINT"), [name]);
}
