//! Keys: what they look like, what is kept of them, and what each lets its holder do. Pure.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use blake2::{Blake2b, Digest, digest::consts::U32};

use super::budget::Budget;
use crate::events::terms::SigningSecret;

/// A key is made of this many random bytes.
const SECRET_BYTES: usize = 32;
/// They are written as this many characters.
const SECRET_CHARS: usize = 43;
/// The longest name of a key.
const MAX_NAME_BYTES: usize = 64;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It stands in pages and tells what is watched.
    Player,
    /// It reads.
    Reader,
    /// It does everything, and stays on servers.
    Server,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 3] = [Role::Player, Role::Reader, Role::Server];

    /// The name as it stands in the table and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Role::Player => "player",
            Role::Reader => "reader",
            Role::Server => "server",
        }
    }

    /// Returns the role of this name.
    pub fn named(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Each key begins with its role, so that whoever finds one knows what it can do.
    fn prefix(self) -> &'static str {
        match self {
            Role::Player => "hsp_",
            Role::Reader => "hsr_",
            Role::Server => "hss_",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The digest of a key, which is all that is kept of it.
pub type KeyHash = [u8; 32];

/// The text of a key, which is shown once. It cannot be printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Makes a key of random bytes.
    pub fn make(role: Role) -> Result<Secret, getrandom::Error> {
        Ok(Secret(format!("{}{}", role.prefix(), random_text()?)))
    }

    /// Returns the key if this could be one.
    pub fn parse(text: &str) -> Option<Secret> {
        let role = Role::ALL.into_iter().find(|role| text.starts_with(role.prefix()))?;
        let rest = &text[role.prefix().len()..];
        let is_one = rest.len() == SECRET_CHARS && URL_SAFE_NO_PAD.decode(rest).is_ok();
        is_one.then(|| Secret(text.to_owned()))
    }

    /// Returns what is kept of it. It has the randomness of 32 bytes, so it needs no slow hash.
    pub fn hash(&self) -> KeyHash {
        Blake2b::<U32>::digest(self.0.as_bytes()).into()
    }

    /// Returns the text, for whoever made it.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// Makes a secret that signs viewer ids.
pub fn make_signing_secret() -> Result<SigningSecret, getrandom::Error> {
    random_text().map(SigningSecret::new)
}

fn random_text() -> Result<String, getrandom::Error> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub name: String,
    pub role: Role,
    /// Pages of these origins may use it; any page if there are none.
    pub origins: Vec<String>,
    pub video_prefix: Option<String>,
    pub namespace: Option<String>,
    /// There if viewer ids can be signed under it.
    pub signing_secret: Option<SigningSecret>,
    /// What fewer viewers did is withheld from it.
    pub min_audience: Option<u64>,
    pub budget: Budget,
}

impl Key {
    /// True if the key may stand in addresses: beacons and pictures have no headers.
    pub fn may_stand_in_addresses(&self) -> bool {
        self.role == Role::Player || self.min_audience.is_some()
    }

    /// True if pages of this origin may use it. A request that names no origin comes from no page.
    pub fn admits_origin(&self, origin: Option<&str>) -> bool {
        self.origins.is_empty()
            || origin.is_none_or(|origin| self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin)))
    }
}

/// Says what is wrong with the name of a key, if anything is.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    match (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(is_plain) {
        true => Ok(()),
        false => Err(format!("a name is 1 to {MAX_NAME_BYTES} of a-z, 0-9, '-', '_' and '.'")),
    }
}

/// Says what is wrong with an origin, if anything is: browsers send scheme, host and port, and nothing behind them.
pub fn check_origin(origin: &str) -> Result<(), String> {
    let host = ["https://", "http://"].iter().find_map(|scheme| origin.strip_prefix(scheme));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    match host.is_some_and(|host| !host.is_empty() && host.chars().all(is_plain)) {
        true => Ok(()),
        false => {
            Err("an origin is like https://www.example.org or http://localhost:3000, without a path".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_digest() {
        for role in Role::ALL {
            let secret = Secret::make(role).expect("random bytes");
            let again = Secret::parse(secret.text()).expect("a key");
            assert_eq!((secret.hash(), secret.text().len()), (again.hash(), 47));
            assert_ne!(secret.hash(), Secret::make(role).expect("random bytes").hash());
            assert!(!format!("{secret:?}").contains(&secret.text()[4..]));
        }
        let good = Secret::make(Role::Player).expect("random bytes");
        let good = good.text();
        for bad in [&good[1..], &good[..46], "hsp_", "", &good.replace("hsp_", "hsx_"), &format!("{good}A")] {
            assert!(Secret::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn origins_are_compared_as_browsers_write_them() {
        let key = Key {
            name: "k".into(),
            role: Role::Player,
            origins: vec!["https://www.example.org".into()],
            video_prefix: None,
            namespace: None,
            signing_secret: None,
            min_audience: None,
            budget: Budget::default(),
        };
        assert!(key.admits_origin(Some("https://www.example.org")) && key.admits_origin(None));
        for other in
            ["https://example.org", "http://www.example.org", "null", "https://www.example.org.evil.test"]
        {
            assert!(!key.admits_origin(Some(other)), "{other}");
        }
        assert!(check_origin("http://localhost:3000").is_ok());
        for bad in ["example.org", "https://", "https://example.org/", "https://a b", "*"] {
            assert!(check_origin(bad).is_err(), "{bad}");
        }
    }
}
