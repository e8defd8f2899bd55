//! Settings of salts, for every process that hashes viewers.

use clap::Args;

use super::secrets::secret;
use crate::viewers::{epoch::Rotation, hash::Salt, salt::SaltSource};

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
            Some(salt) => Ok(SaltSource::Given(Salt::new(salt.into_bytes()))),
        }
    }
}
