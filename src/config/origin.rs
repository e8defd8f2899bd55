//! Origins, as settings name them.

use std::{fmt, str::FromStr};

/// A scheme, a host and a port, as pages and policies write them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = reqwest::Url::parse(text).map_err(|error| format!("no address: {error}"))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err("an origin begins with https:// or http://".into());
        }
        if url.path() != "/"
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
        {
            return Err("an origin has no path: write https://cdn.example".into());
        }
        Ok(Origin(url.origin().ascii_serialization()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_an_address_without_a_path() {
        let parse = |text: &str| text.parse::<Origin>().map(|origin| origin.to_string());
        assert_eq!(parse("https://CDN.example/"), Ok("https://cdn.example".into()));
        assert_eq!(parse("http://127.0.0.1:8081"), Ok("http://127.0.0.1:8081".into()));
        for text in [
            "cdn.example",
            "https://cdn.example/a",
            "data:image/png",
            "https://a.example?b",
            "https://u@a.example",
            "*",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
