//! Everything that can go wrong, each in one line that says what to do.

use std::path::PathBuf;

/// The private Postgres could not be started, stopped or used, for one of these reasons.
#[derive(Debug, thiserror::Error)]
pub enum LocalPostgresError {
    /// No directory with `initdb`, `postgres` and `pg_ctl` was found.
    #[error(
        "no PostgreSQL {} in {searched}: install the packages postgresql-{major} and postgresql-{major}-hll, \
         or set HEATSTRIP_PG_BIN to the directory of initdb",
        if *.needed { format!("{major} server") } else { "server".to_owned() }
    )]
    PostgresMissing {
        searched: String,
        major: u32,
        /// True if no other major version will do, because this one wrote the data.
        needed: bool,
    },
    /// The server is there, but its hll extension is not.
    #[error("no hll extension for PostgreSQL {major} in {}: install the package postgresql-{major}-hll", .extension_dir.display())]
    HllMissing { major: u32, extension_dir: PathBuf },
    /// Another process holds the directory's lock.
    #[error("{} is in use by another heatstrip process: stop that one or choose another data directory", .0.display())]
    InUse(PathBuf),
    /// The directory holds something that is not ours, and we would chown or remove it.
    #[error("{} is not empty and not {expected}: choose another data directory", .data_dir.display())]
    Foreign {
        data_dir: PathBuf,
        /// The directory may be this besides empty.
        expected: &'static str,
    },
    /// We are root, and there is nobody to run the server as.
    #[error(
        "PostgreSQL does not run as root, and there is no user postgres: create it with `useradd --system postgres`"
    )]
    NoServerUser,
    /// We are root, and the server's user reaches neither the directory asked for nor the fallback.
    #[error(
        "user {user} can reach neither {} nor {}: choose a data directory whose parents are open to that user",
        .asked.display(), .fallback.display()
    )]
    Unreachable { user: String, asked: PathBuf, fallback: PathBuf },
    /// The socket's directory exists and belongs to somebody else.
    #[error("{} belongs to somebody else: remove it, it is where the server's socket has to be", .0.display())]
    SocketDirTaken(PathBuf),
    /// The postmaster ended while we waited for it.
    #[error("PostgreSQL ended while starting, its log {} says: {tail}", .log.display())]
    ExitedEarly {
        /// The whole log; a `Process` server's is gone by now.
        log: PathBuf,
        tail: String,
    },
    /// The postmaster runs, but nobody can connect.
    #[error("PostgreSQL did not answer within {seconds} s, its log {} says: {tail}", .log.display())]
    NoAnswer {
        /// The whole log; a `Process` server's is gone by now.
        log: PathBuf,
        tail: String,
        seconds: u64,
    },
    /// `initdb`, `pg_ctl` or the like failed.
    #[error("{program} failed: {detail}")]
    Program {
        program: String,
        /// The end of what the program printed.
        detail: String,
    },
    /// The server refused a statement.
    #[error("could not {action}: {detail}")]
    Sql {
        /// The action that we wanted the server to take.
        action: String,
        detail: String,
    },
    /// The operating system refused something.
    #[error("could not {action}: {cause}")]
    Io {
        /// The action that we wanted the system to take.
        action: String,
        cause: std::io::Error,
    },
}

impl LocalPostgresError {
    /// Returns a function for `map_err` that says what we were doing when the system refused.
    pub(super) fn io(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let action = action.into();
        move |cause| Self::Io { action, cause }
    }

    /// Makes an error of the reason inside the driver's, whose own text for a server error is only "db error".
    pub(super) fn sql(action: &str, error: &tokio_postgres::Error) -> Self {
        let detail = match error.as_db_error() {
            Some(refusal) => refusal.message().to_owned(),
            None => error.to_string(),
        };
        Self::Sql { action: action.to_owned(), detail }
    }
}
