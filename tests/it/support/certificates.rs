//! A certificate authority of the test's own.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// An authority, and the folder in which everything that it signs lies.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    folder: PathBuf,
    /// The file with its certificate.
    pub cert: PathBuf,
}

/// A certificate and its key, as files.
pub struct Certificate {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    /// Makes an authority of this name.
    pub fn new(folder: &Path, name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let cert = folder.join(format!("{name}.pem"));
        std::fs::write(&cert, params.self_signed(&key).expect("a certificate").pem()).expect("a file");
        Authority { issuer: Issuer::new(params, key), folder: folder.to_owned(), cert }
    }

    /// Signs a certificate for a host or an address, or for a client of this name.
    pub fn sign(&self, host: &str) -> Certificate {
        let mut params = CertificateParams::new(vec![host.to_owned()]).expect("a name");
        params.distinguished_name.push(DnType::CommonName, host);
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &self.issuer).expect("a certificate");
        let (cert, key_file) =
            (self.folder.join(format!("{host}.crt")), self.folder.join(format!("{host}.key")));
        std::fs::write(&cert, signed.pem()).expect("a file");
        std::fs::write(&key_file, key.serialize_pem()).expect("a file");
        Certificate { cert, key: key_file }
    }
}
