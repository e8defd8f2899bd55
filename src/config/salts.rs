//! Settings of salts, for every process that hashes viewers.

use anyhow::bail;
use clap::Args;

use super::secrets::secret;
use crate::viewers::{epoch::Rotation, hash::Salt, salt::SaltSource};

/// A given salt with fewer bytes can be guessed.
const MIN_SALT_BYTES: usize = 16;

/// Says with which salts viewers are hashed.
#[derive(Debug, Clone, Args)]
pub struct SaltSettings {
    /// How often the salt changes; a person counts once per salt
    #[arg(long, env = "HEATSTRIP_SALT_ROTATION", value_enum, default_value = "daily")]
    pub salt_rotation: Rotation,
}

impl SaltSettings {
    /// Returns where salts come from: a secret that is set wins over the rotation.
    pub fn source(&self) -> anyhow::Result<SaltSource> {
        match secret("HEATSTRIP_VIEWER_SALT")? {
            None => Ok(SaltSource::Made(self.salt_rotation)),
            Some(salt) if salt.len() < MIN_SALT_BYTES => bail!(
                "HEATSTRIP_VIEWER_SALT has {} bytes and needs {MIN_SALT_BYTES}: whoever sees the database could guess it, and then \
                 test for whoever they know; `openssl rand -hex 32` makes a good one",
                salt.len()
            ),
            Some(salt) => Ok(SaltSource::Given(Salt::new(salt.into_bytes()))),
        }
    }
}
