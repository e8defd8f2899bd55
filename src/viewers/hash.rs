//! Turns a viewer id and a salt into a viewer hash. This is the only place that sees a viewer id after parsing.

use std::fmt;

use blake2::{Blake2b, Digest, digest::consts::U8};

use crate::events::heartbeat::ViewerId;

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

    /// Returns a digest that tells whether two processes use the same salt, without telling the salt.
    ///
    /// The domain prefix keeps it apart from every viewer hash.
    pub fn fingerprint(&self) -> Vec<u8> {
        let mut hasher = Blake2b::<blake2::digest::consts::U32>::new();
        hasher.update(b"heatstrip salt fingerprint\0");
        hasher.update(&self.0);
        hasher.finalize().to_vec()
    }
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
    fn secrets_do_not_print() {
        assert_eq!(format!("{:?}", Salt::new(b"pepper".to_vec())), "Salt(redacted)");
        assert_eq!(format!("{:?}", ViewerId::new("sess_91f2")), "ViewerId(redacted)");
    }
}
