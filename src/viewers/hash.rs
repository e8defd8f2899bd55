//! Turns a viewer id and a salt into a viewer hash. This is the only place that sees a viewer id after parsing.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use blake2::{Blake2b, Digest, digest::consts::U8};

use crate::events::heartbeat::ViewerId;

/// Random bytes of a fingerprint, so that a guess can be tried on one table only.
pub const RANDOM_BYTES: usize = 16;
/// What a guess costs: 19 MiB twice over, as OWASP asks for passwords.
const KDF_KIB: u32 = 19_456;
const KDF_PASSES: u32 = 2;
const KDF_BYTES: usize = 32;
/// Fingerprints of this form begin with it.
const FINGERPRINT_VERSION: u8 = 1;

/// The secret that makes viewer hashes useless to whoever does not hold it. It cannot be printed or serialized.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt(Vec<u8>);

impl Salt {
    /// Wraps the bytes of a salt.
    pub fn new(bytes: Vec<u8>) -> Self {
        Salt(bytes)
    }

    /// Returns the secret bytes, for the table of salt epochs.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns a text of bytes that tells whether two processes use the same salt, without telling the salt: a version, `random`,
    /// and Argon2id of both. A salt that people choose can be guessed, so each guess has to cost memory and time.
    pub fn fingerprint(&self, random: &[u8; RANDOM_BYTES]) -> Vec<u8> {
        let params = Params::new(KDF_KIB, KDF_PASSES, 1, Some(KDF_BYTES)).expect("parameters within bounds");
        let mut digest = [0; KDF_BYTES];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(&self.0, random, &mut digest)
            .expect("lengths within bounds");
        [&[FINGERPRINT_VERSION], random.as_slice(), &digest].concat()
    }

    /// True if a fingerprint is this salt's, in the form of this version or of an earlier one.
    pub fn has_fingerprint(&self, fingerprint: &[u8]) -> bool {
        match fingerprint {
            [FINGERPRINT_VERSION, rest @ ..] if rest.len() == RANDOM_BYTES + KDF_BYTES => {
                let random = rest.first_chunk().expect("as long as that");
                self.fingerprint(random) == fingerprint
            }
            _ => self.quick_fingerprint() == fingerprint,
        }
    }

    /// The fingerprint that earlier versions kept: quick to make, so quick to try for a guessed salt. The domain prefix keeps
    /// it apart from every viewer hash.
    pub fn quick_fingerprint(&self) -> Vec<u8> {
        let mut hasher = Blake2b::<blake2::digest::consts::U32>::new();
        hasher.update(b"heatstrip salt fingerprint\0");
        hasher.update(&self.0);
        hasher.finalize().to_vec()
    }
}

/// True if a fingerprint is of the form that earlier versions kept.
pub fn is_quick(fingerprint: &[u8]) -> bool {
    fingerprint.len() != 1 + RANDOM_BYTES + KDF_BYTES
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(redacted)")
    }
}

/// Returns `blake2b(viewer_id ‖ salt, digest_size = 8)` as a big-endian signed integer, as Python's `hashlib.blake2b`
/// gives it.
///
/// The digest length is part of BLAKE2b's parameter block ([RFC 7693], section 2.5), so a truncated longer digest would
/// be another value.
///
/// [RFC 7693]: https://www.rfc-editor.org/rfc/rfc7693
pub fn viewer_hash(viewer_id: &ViewerId<'_>, salt: &Salt) -> i64 {
    let mut hasher = Blake2b::<U8>::new();
    hasher.update(viewer_id.as_bytes());
    hasher.update(&salt.0);
    i64::from_be_bytes(hasher.finalize().into())
}

/// Returns the hash of an id inside a namespace: `blake2b(namespace ‖ 0x00 ‖ viewer_id ‖ salt, digest_size = 8)`. Names hold no
/// control characters, so that no two pairs give the same bytes; without a namespace it is [`viewer_hash`].
pub fn viewer_hash_in(namespace: Option<&str>, viewer_id: &ViewerId<'_>, salt: &Salt) -> i64 {
    let Some(namespace) = namespace else { return viewer_hash(viewer_id, salt) };
    let mut hasher = Blake2b::<U8>::new();
    hasher.update(namespace.as_bytes());
    hasher.update([0]);
    hasher.update(viewer_id.as_bytes());
    hasher.update(&salt.0);
    i64::from_be_bytes(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers were made with Python 3.11: `int.from_bytes(hashlib.blake2b(viewer + salt, digest_size=8).digest(),
    /// "big", signed=True)`.
    #[test]
    fn equals_python() {
        let hash = |viewer, salt: &str| viewer_hash(&ViewerId::new(viewer), &Salt::new(salt.into()));
        assert_eq!(hash("sess_91f2", "pepper-2026-01-01"), 0x1cd2_5f26_0728_a353);
        assert_eq!(hash("", ""), -1_970_711_489_451_281_740);
        assert_eq!(hash("観客-7", "salt"), -4_635_399_959_070_168_465);
        assert_eq!(hash(&"v".repeat(256), &"s".repeat(64)), -5_572_232_035_271_157_821);
    }

    /// Made as above, of `namespace + b"\\0" + viewer + salt`.
    #[test]
    fn a_namespace_equals_python() {
        let hash = |namespace, viewer| {
            viewer_hash_in(namespace, &ViewerId::new(viewer), &Salt::new(b"pepper-2026-01-01".to_vec()))
        };
        assert_eq!(hash(None, "sess_91f2"), 0x1cd2_5f26_0728_a353);
        assert_eq!(hash(Some("shop"), "sess_91f2"), -1_451_292_036_140_302_190);
        assert_eq!(hash(Some("店"), "観客-7"), 9_100_494_583_970_708_867);
    }

    #[test]
    fn a_fingerprint_is_one_salts() {
        let salt = |text: &str| Salt::new(text.into());
        let slow = salt("pepper-2026-01-01").fingerprint(&[7; RANDOM_BYTES]);
        assert_ne!(slow, salt("pepper-2026-01-01").fingerprint(&[8; RANDOM_BYTES]));
        for fingerprint in [slow, salt("pepper-2026-01-01").quick_fingerprint()] {
            assert!(salt("pepper-2026-01-01").has_fingerprint(&fingerprint));
            assert!(!salt("pepper-2026-01-02").has_fingerprint(&fingerprint));
        }
        assert!(!salt("").has_fingerprint(&[]));
    }

    #[test]
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", Salt::new(b"pepper".to_vec())), "Salt(redacted)");
        assert_eq!(format!("{:?}", ViewerId::new("sess_91f2")), "ViewerId(redacted)");
    }
}
