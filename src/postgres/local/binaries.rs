//! Finds the installed server, and makes sure that it has hll.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::LocalPostgresError;
use super::account::{output, run};

/// An error names this version when nothing is installed: it is that of the Linux distributions we test on.
const USUAL_MAJOR: u32 = 15;

const NEEDED: [&str; 3] = ["initdb", "postgres", "pg_ctl"];

/// Packages put versions side by side in these places, as (directory, before the version, after it).
const VERSIONED: [(&str, &str, &str); 3] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
];

/// The programs of the installed server.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    dir: PathBuf,
}

impl Binaries {
    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.dir.join(program)
    }
}

/// Finds the programs in `bin_dir` or, without one, in the usual places. It takes the newest version, but for a cluster
/// that exists the version that wrote it.
pub(super) async fn find(
    bin_dir: Option<&Path>,
    cluster_major: Option<u32>,
) -> Result<Binaries, LocalPostgresError> {
    let missing = |searched: String| LocalPostgresError::PostgresMissing {
        searched,
        major: cluster_major.unwrap_or(USUAL_MAJOR),
        needed: cluster_major.is_some(),
    };
    let candidates = match bin_dir {
        Some(dir) => vec![dir.to_owned()],
        None => installed(),
    };
    for dir in candidates {
        if !NEEDED.iter().all(|program| dir.join(program).is_file()) {
            continue;
        }
        let major = major_version(&dir).await?;
        // Whoever names a directory gets that one; if it does not fit the data, the server says so.
        if bin_dir.is_none() && cluster_major.is_some_and(|needed| needed != major) {
            continue;
        }
        check_hll(&dir, major).await?;
        return Ok(Binaries { dir });
    }
    Err(missing(match bin_dir {
        Some(dir) => dir.display().to_string(),
        None => "the usual directories or PATH".to_owned(),
    }))
}

/// Returns the directories that may hold a server, best first: the versioned ones, newest first, then those on the
/// path.
fn installed() -> Vec<PathBuf> {
    let mut versioned: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, before, after) in VERSIONED {
        let Ok(entries) = Path::new(parent).read_dir() else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let version = name.to_str().and_then(|name| name.strip_prefix(before)?.parse().ok());
            versioned.extend(version.map(|version| (version, entry.path().join(after))));
        }
    }
    versioned.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    let mut dirs: Vec<PathBuf> = versioned.into_iter().map(|(_, dir)| dir).collect();
    for dir in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
        // A program on the path is often a link, and the link's neighbours are not the server's other programs.
        let real = dir.join("postgres").canonicalize().ok();
        dirs.extend(real.and_then(|real| Some(real.parent()?.to_owned())));
    }
    dirs
}

/// Returns 15 for `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)` and 18 for `18beta1`.
async fn major_version(dir: &Path) -> Result<u32, LocalPostgresError> {
    let mut command = quiet(&dir.join("postgres"));
    command.arg("--version");
    let printed = String::from_utf8_lossy(&run(command).await?.stdout).into_owned();
    let version = printed.split(") ").nth(1).unwrap_or_default();
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().map_err(|_| LocalPostgresError::Program {
        program: "postgres --version".to_owned(),
        detail: format!("no version in {:?}", printed.trim()),
    })
}

async fn check_hll(dir: &Path, major: u32) -> Result<(), LocalPostgresError> {
    let mut share_dirs = Vec::new();
    let pg_config = dir.join("pg_config");
    if pg_config.is_file() {
        let mut command = quiet(&pg_config);
        command.arg("--sharedir");
        if let Ok(output) = output(command).await {
            share_dirs.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim_end().to_owned()));
        }
    }
    if share_dirs.is_empty() {
        // pg_config is often in a package of its own, so these are the layouts of Debian and of everybody else.
        let prefix = dir.parent().unwrap_or(dir);
        share_dirs.push(PathBuf::from(format!("/usr/share/postgresql/{major}")));
        share_dirs.extend(["share", "share/postgresql"].map(|share| prefix.join(share)));
    }
    let extension_dirs: Vec<PathBuf> = share_dirs.iter().map(|share| share.join("extension")).collect();
    if extension_dirs.iter().any(|extension| extension.join("hll.control").is_file()) {
        return Ok(());
    }
    Err(LocalPostgresError::HllMissing { major, extension_dir: extension_dirs[0].clone() })
}

fn quiet(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}
