//! The certificate of the listener, read anew when it is renewed.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use anyhow::Context;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Between two looks whether the files have changed.
const LOOK_PERIOD: Duration = Duration::from_secs(60);

/// The certificate that clients are shown.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Returns what makes connections encrypted with the certificate and key of these files (PEM), which are read anew when they
/// change, until told to stop.
pub fn acceptor(cert: &Path, key: &Path, stop: CancellationToken) -> anyhow::Result<TlsAcceptor> {
    let current = Arc::new(Current(RwLock::new(read(cert, key)?)));
    let resolver: Arc<dyn ResolvesServerCert> = Arc::<Current>::clone(&current);
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("TLS is not possible")?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    tokio::spawn(renew(current, cert.to_owned(), key.to_owned(), stop));
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn renew(current: Arc<Current>, cert: PathBuf, key: PathBuf, stop: CancellationToken) {
    let mut seen = changed_at(&cert, &key);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_PERIOD) => {}
        }
        let now = changed_at(&cert, &key);
        if now == seen {
            continue;
        }
        match read(&cert, &key) {
            Ok(renewed) => {
                *current.0.write().unwrap_or_else(PoisonError::into_inner) = renewed;
                seen = now;
                tracing::info!("the listener has a new certificate");
            }
            // Half of a renewal may be on disk: the old one is good until the next look.
            Err(error) => tracing::warn!(%error, "the new certificate cannot be used yet: {error:#}"),
        }
    }
}

fn changed_at(cert: &Path, key: &Path) -> [Option<SystemTime>; 2] {
    [cert, key].map(|file| std::fs::metadata(file).and_then(|file| file.modified()).ok())
}

fn read(cert: &Path, key: &Path) -> anyhow::Result<Arc<CertifiedKey>> {
    let named = |name: &str, file: &Path| format!("{name} names {}, which cannot be read", file.display());
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| named("HEATSTRIP_TLS_CERT", cert))?;
    let key = PrivateKeyDer::from_pem_file(key).with_context(|| named("HEATSTRIP_TLS_KEY", key))?;
    let certified = CertifiedKey::from_der(chain, key, &ring::default_provider());
    Ok(Arc::new(certified.context("HEATSTRIP_TLS_CERT and HEATSTRIP_TLS_KEY do not go together")?))
}
