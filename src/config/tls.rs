//! Settings of the listener's encryption.

use std::path::PathBuf;

use clap::Args;

/// Names the certificate of the listener, for who has no proxy in front.
#[derive(Debug, Clone, Args)]
pub struct TlsSettings {
    /// File with the certificate that the listener shows, its chain behind it, as PEM; left out, nothing is encrypted
    #[arg(long, env = "HEATSTRIP_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// File with that certificate's private key, as PEM
    #[arg(long, env = "HEATSTRIP_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}
