//! Secrets come from the environment or from a file, and have no flag, so that no list of processes shows them.

use std::path::Path;

use anyhow::{Context, bail};

macro_rules! database_help {
    () => {
        "  DATABASE_URL           Postgres, as postgresql://user:password@host:5432/database
  DATABASE_URL_FILE      a file that holds it
  HEATSTRIP_QUEUE        NATS, as nats://user:password@host:4222, several with commas, where the queue is its stream
  HEATSTRIP_QUEUE_FILE   a file that holds it"
    };
}
macro_rules! salt_help {
    () => {
        "  HEATSTRIP_VIEWER_SALT  one salt for every day (rotation `never`), for hashes equal to those of another ingester;
                         left out, salts are random, kept in the database and rotated
  HEATSTRIP_VIEWER_SALT_FILE  a file that holds it"
    };
}

/// This stands under the help of commands that need the database and hash viewers.
pub const SECRETS_HELP: &str =
    concat!("Secrets, from the environment only:\n", database_help!(), "\n", salt_help!());
/// This stands under the help of commands that need the database alone.
pub const DATABASE_HELP: &str = concat!("Secrets, from the environment only:\n", database_help!());
/// This stands under the help of commands that hash viewers and have a database of their own.
pub const SALT_HELP: &str = concat!("Secrets, from the environment only:\n", salt_help!());

/// Returns the URL of the database that all processes share.
pub fn database_url() -> anyhow::Result<String> {
    secret("DATABASE_URL")?.context(
        "DATABASE_URL is not set: set it to postgresql://user:password@host:5432/database (`heatstrip dev` prints its own)",
    )
}

/// Returns the address of NATS, none where the queue is a table of the database.
pub fn queue_url() -> anyhow::Result<Option<String>> {
    secret("HEATSTRIP_QUEUE")
}

/// Returns a secret from the environment variable `name` or from the file that `name_FILE` names.
pub(super) fn secret(name: &str) -> anyhow::Result<Option<String>> {
    let file_name = format!("{name}_FILE");
    let value = match (std::env::var_os(name), std::env::var_os(&file_name)) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => bail!("{name} and {file_name} are both set: set one"),
        (Some(value), None) => value.into_string().ok().with_context(|| format!("{name} is not UTF-8"))?,
        (None, Some(path)) => {
            let path = Path::new(&path);
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{file_name} names {}, which cannot be read", path.display()))?;
            // Editors end files with a line break that nobody means.
            text.trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    if value.is_empty() {
        bail!("{name} is empty: set it or leave it out");
    }
    Ok(Some(value))
}
