//! How a connection to Postgres is encrypted: `sslmode`, `sslrootcert`, `sslcert` and `sslkey` of the URL, with the meanings
//! that libpq gives them. Every connection of every command goes through here.

use std::{path::Path, sync::Arc};

use percent_encoding::percent_decode_str;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::StoreError;

/// Makes the encrypted part of a connection.
pub(crate) type Tls = MakeRustlsConnect;

/// Says how sure the client has to be of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Mode {
    /// Nothing is encrypted.
    Disable,
    /// It is encrypted if the server can.
    #[default]
    Prefer,
    /// It is encrypted, whoever the server is.
    Require,
    /// The server's certificate was signed by an authority that is known.
    VerifyCa,
    /// The certificate is also for the host of the URL.
    VerifyFull,
}

impl Mode {
    fn parse(text: &str) -> Result<Mode, StoreError> {
        Ok(match text {
            "disable" => Mode::Disable,
            "prefer" => Mode::Prefer,
            "require" => Mode::Require,
            "verify-ca" => Mode::VerifyCa,
            "verify-full" => Mode::VerifyFull,
            _ => {
                return Err(unsuitable(
                    "sslmode must be disable, prefer, require, verify-ca or verify-full".to_owned(),
                ));
            }
        })
    }

    /// Returns what the driver has to know of it.
    pub(super) fn of_the_driver(self) -> SslMode {
        match self {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        }
    }
}

/// The parts of a URL that concern encryption.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    pub(super) mode: Mode,
    /// A file of authorities; none for those of the system.
    root_cert: Option<String>,
    /// The client's certificate, and its key.
    cert: Option<String>,
    key: Option<String>,
}

/// Takes the parts that concern encryption out of a URL, or out of `key=value` pairs, and returns the rest for the driver.
pub(super) fn split(database_url: &str) -> Result<(String, Wanted), StoreError> {
    let mut wanted = Wanted::default();
    let mut mode = None;
    let mut take = |name: &str, value: String| {
        match name {
            "sslmode" => mode = Some(Mode::parse(&value)?),
            "sslrootcert" => wanted.root_cert = Some(value),
            "sslcert" => wanted.cert = Some(value),
            "sslkey" => wanted.key = Some(value),
            _ => return Ok(false),
        }
        Ok::<_, StoreError>(true)
    };
    let rest = if database_url.starts_with("postgres://") || database_url.starts_with("postgresql://") {
        let (before, query) = database_url.split_once('?').unwrap_or((database_url, ""));
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !take(name, percent_decode_str(value).decode_utf8_lossy().into_owned())? {
                kept.push(pair);
            }
        }
        if kept.is_empty() { before.to_owned() } else { format!("{before}?{}", kept.join("&")) }
    } else {
        let mut kept = Vec::new();
        for pair in database_url.split(' ') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if !take(name, value.trim_matches('\'').to_owned())? {
                kept.push(pair);
            }
        }
        kept.join(" ")
    };
    wanted.mode = mode.unwrap_or_default();
    match wanted.root_cert.as_deref() {
        // The system's authorities sign for anybody, so only the name says who it is.
        Some("system") if mode.is_none_or(|mode| mode == Mode::VerifyFull) => {
            wanted.mode = Mode::VerifyFull;
            wanted.root_cert = None;
        }
        Some("system") => {
            return Err(unsuitable("sslrootcert=system needs sslmode=verify-full".to_owned()));
        }
        // As libpq does: whoever names authorities wants to be sure.
        Some(_) if wanted.mode == Mode::Require => wanted.mode = Mode::VerifyCa,
        _ => {}
    }
    Ok((rest, wanted))
}

/// Returns what makes the encrypted part of connections to the database of this URL.
pub(crate) fn tls(database_url: &str) -> Result<Tls, StoreError> {
    let (_, wanted) = split(database_url)?;
    let provider = Arc::new(ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match wanted.mode {
        Mode::Disable | Mode::Prefer | Mode::Require => Arc::new(Anybody(Arc::clone(&provider))),
        Mode::VerifyCa => Arc::new(AnyName(authorities(&wanted, &provider)?)),
        Mode::VerifyFull => authorities(&wanted, &provider)?,
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unsuitable(format!("TLS is not possible: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match (&wanted.cert, &wanted.key) {
        (None, None) => config.with_no_client_auth(),
        (Some(cert), Some(key)) => {
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|error| unsuitable(format!("sslkey names {key}, which cannot be read: {error}")))?;
            config
                .with_client_auth_cert(certificates("sslcert", cert)?, key)
                .map_err(|error| unsuitable(format!("sslcert and sslkey do not go together: {error}")))?
        }
        _ => return Err(unsuitable("sslcert and sslkey belong together: give both or none".to_owned())),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn authorities(
    wanted: &Wanted,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, StoreError> {
    let mut roots = RootCertStore::empty();
    let (found, place) = match &wanted.root_cert {
        Some(file) => (certificates("sslrootcert", file)?, file.as_str()),
        None => (rustls_native_certs::load_native_certs().certs, "the system"),
    };
    roots.add_parsable_certificates(found);
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| unsuitable(format!("no authorities from {place}: {error}; set sslrootcert")))
}

fn certificates(name: &str, file: &str) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let read =
        CertificateDer::pem_file_iter(Path::new(file)).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.map_err(|error| unsuitable(format!("{name} names {file}, which cannot be read: {error}")))
}

fn unsuitable(text: String) -> StoreError {
    StoreError::Unsuitable(text)
}

/// Takes any certificate, as `require` does: who listens on the way reads nothing, who stands in the way may.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Takes a certificate of a known authority, whatever name it is for.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        cert: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.0.verify_server_cert(cert, intermediates, name, ocsp, now) {
            // The name is looked at last.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode_of(url: &str) -> Result<(String, Mode), String> {
        split(url).map(|(rest, wanted)| (rest, wanted.mode)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_concerns_encryption_is_taken_out() {
        let url = "postgresql://u:p@h/d?sslmode=verify-full&application_name=a&sslrootcert=%2Fetc%2Fca.pem";
        let (rest, wanted) = split(url).expect("a URL");
        assert_eq!(rest, "postgresql://u:p@h/d?application_name=a");
        assert_eq!((wanted.mode, wanted.root_cert.as_deref()), (Mode::VerifyFull, Some("/etc/ca.pem")));
        assert_eq!(mode_of("host=h sslmode=require dbname=d"), Ok(("host=h dbname=d".into(), Mode::Require)));
        assert_eq!(mode_of("postgres://h/d"), Ok(("postgres://h/d".into(), Mode::Prefer)));
    }

    #[test]
    fn who_names_authorities_wants_to_be_sure() {
        let mode = |url| mode_of(url).map(|(_, mode)| mode);
        assert_eq!(mode("postgres://h/d?sslmode=require&sslrootcert=/ca"), Ok(Mode::VerifyCa));
        assert_eq!(mode("postgres://h/d?sslrootcert=system"), Ok(Mode::VerifyFull));
        assert!(mode("postgres://h/d?sslmode=require&sslrootcert=system").is_err());
        assert!(mode("postgres://h/d?sslmode=allow").is_err());
    }
}
