//! The path below which everything is served, as the setting names it.

use std::{fmt, str::FromStr};

/// A path without a slash at its end; empty if everything is served at the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl FromStr for BasePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.trim_end_matches('/');
        if !path.is_empty() && !path.starts_with('/') {
            return Err("a path begins with a slash: write /heat".into());
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        for segment in path.split('/').skip(1) {
            // Browsers and proxies take steps out of an address, and escape what is not plain.
            if segment.is_empty() || segment.chars().all(|c| c == '.') || !segment.chars().all(is_plain) {
                return Err("the parts of a path are of a-z, A-Z, 0-9, '-', '_', '.' and '~'".into());
            }
        }
        Ok(BasePath(path.to_owned()))
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_plain_and_has_no_slash_at_its_end() {
        let parse = |text: &str| text.parse::<BasePath>().map(|path| path.to_string());
        for (text, path) in
            [("", ""), ("/", ""), ("/heat", "/heat"), ("/heat/", "/heat"), ("/a/b-1_2.~c/", "/a/b-1_2.~c")]
        {
            assert_eq!(parse(text), Ok(path.into()), "{text}");
        }
        for text in [
            "heat",
            "/a//b",
            "/a b",
            "/..",
            "/a/./b",
            "/%68eat",
            "/{heat}",
            "/heat?a",
            "https://a.example/heat",
            "/ä",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
