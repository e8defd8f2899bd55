//! The terms of a sender: what its key lets it say. Pure.
//!
//! Whoever may write in somebody else's name and read strips can find that person's path: the strip changes where the person
//! had not been yet. So a key that stands in a page, where anybody reads it, is good only for ids that nobody can guess, or
//! for those that the page's server has signed.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::refusal::{Reason, Refusal};

/// The signed part of a token is a tag of this many bytes behind an expiry of eight.
const TAG_BYTES: usize = 32;
const EXPIRY_BYTES: usize = 8;

/// Objects of this type are videos, wherever something else than watching is told of them.
pub const VIDEO_TYPE: &str = "video";

/// The terms of one key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// The name of the key, which is part of what is signed.
    pub key: String,
    /// Videos must begin with this.
    pub video_prefix: Option<String>,
    /// Viewers are hashed within this namespace: the same id elsewhere is somebody else.
    pub namespace: Option<String>,
    /// Viewer ids must be unguessable, or signed.
    pub is_public: bool,
    /// Signed viewer ids are signed with this.
    pub signing_secret: Option<SigningSecret>,
    /// The region of whoever sends is known better than they say.
    pub region_is_given: bool,
}

impl Terms {
    /// Returns true if the sender may say something of this object: of a video not of its own it may not.
    pub fn admits(&self, object_type: &str, object_id: &str) -> bool {
        object_type != VIDEO_TYPE
            || self.video_prefix.as_ref().is_none_or(|prefix| object_id.starts_with(prefix.as_str()))
    }

    /// Returns an error unless the sender may say this of this video and viewer.
    pub fn check(
        &self,
        video_id: &str,
        viewer_id: &str,
        token: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<(), Refusal> {
        if !self.admits(VIDEO_TYPE, video_id) {
            return Err(Refusal { field: Some("video_id"), reason: Reason::NotAllowed });
        }
        if !self.is_public {
            return Ok(());
        }
        match (&self.signing_secret, token) {
            (Some(secret), Some(token)) => match secret.verifies(&self.key, viewer_id, token, now) {
                true => Ok(()),
                false => Err(Refusal { field: Some("viewer_token"), reason: Reason::BadToken }),
            },
            _ if is_unguessable(viewer_id) => Ok(()),
            _ => Err(Refusal { field: Some("viewer_id"), reason: Reason::BadToken }),
        }
    }
}

/// True for ids as the player client makes them: 32 hexadecimal digits, or a random UUID. Other versions of UUIDs are made of
/// names, times or places that others may know.
pub fn is_unguessable(viewer_id: &str) -> bool {
    match viewer_id.len() {
        32 => viewer_id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        36 => Uuid::try_parse(viewer_id).is_ok_and(|uuid| [4, 7].contains(&uuid.get_version_num())),
        _ => false,
    }
}

/// The secret that a page's server signs viewer ids with. It cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(String);

impl SigningSecret {
    /// Wraps the text of a secret, as it was shown.
    pub fn new(text: String) -> SigningSecret {
        SigningSecret(text)
    }

    /// Returns the text, for the table of keys and for whoever made it.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Signs a viewer id until an instant: base64url of the expiry, in seconds as eight bytes, and the tag.
    pub fn sign(&self, key: &str, viewer_id: &str, expires_at: DateTime<Utc>) -> String {
        let expiry = u64::try_from(expires_at.timestamp()).unwrap_or(0).to_be_bytes();
        let tag = self.mac(key, viewer_id, expiry).finalize().into_bytes();
        URL_SAFE_NO_PAD.encode([&expiry[..], &tag].concat())
    }

    fn verifies(&self, key: &str, viewer_id: &str, token: &str, now: DateTime<Utc>) -> bool {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else {
            return false;
        };
        let Some((expiry, tag)) = bytes.split_first_chunk::<EXPIRY_BYTES>() else {
            return false;
        };
        let is_current = i128::from(u64::from_be_bytes(*expiry)) > i128::from(now.timestamp());
        // The comparison takes as long whatever differs.
        tag.len() == TAG_BYTES && is_current && self.mac(key, viewer_id, *expiry).verify_slice(tag).is_ok()
    }

    fn mac(&self, key: &str, viewer_id: &str, expiry: [u8; EXPIRY_BYTES]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("any length will do");
        mac.update(key.as_bytes());
        mac.update(&[0]);
        mac.update(viewer_id.as_bytes());
        mac.update(&expiry);
        mac
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: &str = "0123456789abcdef0123456789abcdef";

    fn now() -> DateTime<Utc> {
        "2026-11-21T10:00:00Z".parse().expect("an instant")
    }

    fn public(secret: Option<&str>) -> Terms {
        Terms {
            key: "site".to_owned(),
            is_public: true,
            signing_secret: secret.map(|text| SigningSecret::new(text.to_owned())),
            ..Terms::default()
        }
    }

    fn reason(outcome: Result<(), Refusal>) -> Option<(Option<&'static str>, Reason)> {
        outcome.err().map(|refusal| (refusal.field, refusal.reason))
    }

    #[test]
    fn a_public_key_takes_ids_that_nobody_guesses() {
        for good in [RANDOM, "4F6C1E0E-8B3D-4C56-9B1A-0D2A5C7E9F10", "0193519e-6ac4-7f2b-9df5-6f2a6e2b8a11"] {
            assert_eq!(public(None).check("v", good, None, now()), Ok(()), "{good}");
        }
        let name_based = "6ba7b811-9dad-51d1-80b4-00c04fd430c8";
        for bad in ["alice", "alice@example.org", "1234567890", name_based, &RANDOM[1..], ""] {
            let refused = reason(public(None).check("v", bad, None, now()));
            assert_eq!(refused, Some((Some("viewer_id"), Reason::BadToken)), "{bad}");
            // A token that nobody can verify proves nothing.
            let refused = reason(public(None).check("v", bad, Some("AAAA"), now()));
            assert_eq!(refused, Some((Some("viewer_id"), Reason::BadToken)), "{bad}");
        }
    }

    #[test]
    fn a_signature_is_good_for_its_key_its_viewer_and_its_time() {
        let terms = public(Some("secret"));
        let secret = terms.signing_secret.clone().expect("a secret");
        let later = now() + chrono::TimeDelta::hours(1);
        let token = secret.sign("site", "alice", later);
        assert_eq!(terms.check("v", "alice", Some(&token), now()), Ok(()));
        assert_eq!(terms.check("v", RANDOM, None, now()), Ok(()), "anonymous viewers need none");
        let bad = Some((Some("viewer_token"), Reason::BadToken));
        for (viewer, token, at) in [
            ("bob", token.as_str(), now()),
            ("alice", &token, later),
            ("alice", &secret.sign("other", "alice", later), now()),
            ("alice", &SigningSecret::new("guess".into()).sign("site", "alice", later), now()),
            ("alice", &token[1..], now()),
            ("alice", "", now()),
            (RANDOM, &token, now()),
        ] {
            assert_eq!(reason(terms.check("v", viewer, Some(token), at)), bad, "{viewer} {token} {at}");
        }
    }

    /// Made with Python 3.11: `base64.urlsafe_b64encode(e + hmac.digest(b"secret", b"site\0alice" + e, "sha256"))` with
    /// `e = (1795258800).to_bytes(8, "big")`.
    #[test]
    fn a_token_is_what_other_languages_make() {
        let expires_at = DateTime::from_timestamp(1_795_258_800, 0).expect("an instant");
        let token = SigningSecret::new("secret".into()).sign("site", "alice", expires_at);
        assert_eq!(token, "AAAAAGsBebCVX1-hlAKlZ73me3Yu0luxJcywPHKyJKsUHiACrjj3Tg");
    }

    #[test]
    fn videos_have_to_begin_with_the_prefix() {
        let terms = Terms { video_prefix: Some("shop/".into()), ..Terms::default() };
        assert_eq!(terms.check("shop/1", "anybody", None, now()), Ok(()));
        for video in ["shop", "Shop/1", "other/shop/1"] {
            let refused = reason(terms.check(video, "anybody", None, now()));
            assert_eq!(refused, Some((Some("video_id"), Reason::NotAllowed)), "{video}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        assert!(!format!("{:?}", public(Some("hidden"))).contains("hidden"));
    }
}
