//! Decides where the data and the socket are, and who holds them.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::hash::Hasher;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag};

use super::account::{Account, is_roots};
use super::{Lifetime, LocalPostgresError};

/// This file is locked while a directory is in use. It is made first of all, so it also marks a directory as ours.
const LOCK: &str = "lock";

/// Sockets are not in the system's temporary directory: on macOS that alone is half of the 107 bytes a socket's path
/// may have, and `TMPDIR` may be another one at the next start.
const SOCKETS: &str = "/tmp";

/// A data directory that was decided on; nothing has been made or changed yet.
#[derive(Debug)]
pub(super) struct Chosen {
    data_dir: PathBuf,
    moved_from: Option<PathBuf>,
    account: Account,
}

/// A data directory that is ours, with the socket's directory that belongs to it.
#[derive(Debug)]
pub(super) struct Place {
    /// The path has no links, because the server's own paths are compared with it.
    pub(super) data_dir: PathBuf,
    pub(super) moved_from: Option<PathBuf>,
    pub(super) socket_dir: PathBuf,
    pub(super) account: Account,
}

impl Place {
    /// Returns the directory of the cluster itself.
    pub(super) fn pgdata(&self) -> PathBuf {
        self.data_dir.join("pgdata")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.data_dir.join("postgres.log")
    }
}

/// Decides where the data goes: where it was asked for, or under `fallback_base` if the server's user cannot get there.
pub(super) async fn choose(asked: &Path, fallback_base: &Path) -> Result<Chosen, LocalPostgresError> {
    let asked = std::path::absolute(asked)
        .map_err(LocalPostgresError::io(format!("find the directory {}", asked.display())))?;
    let account = Account::choose(&asked)?;
    if account.reaches(&asked).await? {
        return Ok(Chosen { data_dir: asked, moved_from: None, account });
    }
    let name = asked.file_name().unwrap_or_default().to_string_lossy();
    let fallback = fallback_base.join(format!("{}-{}", name.trim_start_matches('.'), short_hash(&asked)));
    if account.reaches(&fallback).await? {
        return Ok(Chosen { data_dir: fallback, moved_from: Some(asked), account });
    }
    Err(LocalPostgresError::Unreachable { user: account.name().to_owned(), asked, fallback })
}

impl Chosen {
    /// Returns the major version of the server that wrote the cluster here, if there is one.
    pub(super) fn cluster_major(&self) -> Option<u32> {
        std::fs::read_to_string(self.data_dir.join("pgdata/PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// Makes the directories, hands them to the server's user and takes the lock.
    pub(super) fn prepare(self, lifetime: Lifetime) -> Result<(Place, Flock<File>), LocalPostgresError> {
        let Self { data_dir, moved_from, account } = self;
        create_dirs(&data_dir, &account)?;
        let data_dir = data_dir
            .canonicalize()
            .map_err(LocalPostgresError::io(format!("find the directory {}", data_dir.display())))?;
        refuse_foreign(&data_dir, lifetime)?;
        if is_roots(&data_dir) {
            account.give(&data_dir)?;
        }
        let lock = lock(&data_dir)?;
        let socket_dir = Path::new(SOCKETS).join(format!("heatstrip-{}", short_hash(&data_dir)));
        create_socket_dir(&socket_dir, &account)?;
        Ok((Place { data_dir, moved_from, socket_dir, account }, lock))
    }
}

/// Makes a directory and its parents. As root it opens them to the server's user, whatever the umask is.
fn create_dirs(dir: &Path, account: &Account) -> Result<(), LocalPostgresError> {
    let mut missing: Vec<&Path> = dir.ancestors().take_while(|ancestor| !ancestor.is_dir()).collect();
    while let Some(next) = missing.pop() {
        let failed = || LocalPostgresError::io(format!("create the directory {}", next.display()));
        match std::fs::create_dir(next) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && next.is_dir() => continue,
            made => made.map_err(failed())?,
        }
        if !account.is_ourselves() {
            std::fs::set_permissions(next, Permissions::from_mode(0o755)).map_err(failed())?;
        }
    }
    Ok(())
}

/// Refuses a directory that holds anything else: we would hand it to another user, fill it and (for `Process`) remove
/// it.
fn refuse_foreign(data_dir: &Path, lifetime: Lifetime) -> Result<(), LocalPostgresError> {
    let failed = || LocalPostgresError::io(format!("read the directory {}", data_dir.display()));
    let is_empty = data_dir.read_dir().map_err(failed())?.next().is_none();
    let expected = match lifetime {
        Lifetime::Process => "new",
        Lifetime::Kept => "a heatstrip data directory",
    };
    if is_empty || (lifetime == Lifetime::Kept && data_dir.join(LOCK).is_file()) {
        return Ok(());
    }
    Err(LocalPostgresError::Foreign { data_dir: data_dir.to_owned(), expected })
}

/// Takes the lock, which ends with the process that holds it, however that ends. Children do not inherit it.
fn lock(data_dir: &Path) -> Result<Flock<File>, LocalPostgresError> {
    let path = data_dir.join(LOCK);
    let file = open_for_append(&path)?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
        Errno::EWOULDBLOCK => LocalPostgresError::InUse(data_dir.to_owned()),
        other => LocalPostgresError::io(format!("lock {}", path.display()))(other.into()),
    })
}

/// Opens or makes a file in the data directory. It refuses links, because we may be root and the directory is not
/// root's.
pub(super) fn open_for_append(path: &Path) -> Result<File, LocalPostgresError> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits());
    options.open(path).map_err(LocalPostgresError::io(format!("open {}", path.display())))
}

/// Makes the socket's directory. Everybody may write to `/tmp`, so one that is there already is only used if it is the
/// server user's.
fn create_socket_dir(dir: &Path, account: &Account) -> Result<(), LocalPostgresError> {
    let failed = || LocalPostgresError::io(format!("create the directory {}", dir.display()));
    match DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => account.give(dir),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let found = dir.symlink_metadata().map_err(failed())?;
            if !found.is_dir() || ![account.uid(), nix::unistd::geteuid().as_raw()].contains(&found.uid()) {
                return Err(LocalPostgresError::SocketDirTaken(dir.to_owned()));
            }
            account.give(dir)?;
            std::fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(failed())
        }
        Err(error) => Err(failed()(error)),
    }
}

/// Returns a name for a path in 16 characters. The name is on disk, so it must be the same in every version, as FNV-1a
/// is.
fn short_hash(path: &Path) -> String {
    let mut hasher = fnv::FnvHasher::default();
    hasher.write(path.as_os_str().as_bytes());
    format!("{:016x}", hasher.finish())
}
