//! Names of hosts, as requests and pages give them: which of them is this machine for certain. Pure.
//!
//! Whoever owns a name may let it point to this machine, and then a page of theirs is of the same origin as ours. An address
//! cannot be pointed anywhere, and browsers resolve `localhost` themselves.

use std::net::IpAddr;

/// Returns true for names that are this machine wherever they are asked for.
pub fn is_loopback(authority: &str) -> bool {
    let name = name(authority);
    address(name).map_or_else(|| is_localhost(name), |address| address.to_canonical().is_loopback())
}

/// Returns true if a page of this origin is one that the server at `host` serves itself.
pub fn is_own_page(origin: &str, host: Option<&str>) -> bool {
    let authority = ["http://", "https://"].iter().find_map(|scheme| origin.strip_prefix(scheme));
    authority.zip(host).is_some_and(|(authority, host)| {
        let name = name(authority);
        authority.eq_ignore_ascii_case(host) && (address(name).is_some() || is_localhost(name))
    })
}

/// Returns an authority without its port.
fn name(authority: &str) -> &str {
    let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let port = authority[end..].find(':').map(|colon| end + colon);
    &authority[..port.unwrap_or(authority.len())]
}

fn address(name: &str) -> Option<IpAddr> {
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(name).parse().ok()
}

fn is_localhost(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_has_few_names() {
        for good in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.8.8.8", "[::1]:8080", "[::1]"] {
            assert!(is_loopback(good), "{good}");
        }
        for bad in [
            "heat.example",
            "localhost.evil.example",
            "10.0.0.1",
            "[2001:db8::1]:80",
            "",
            "127.0.0.1.nip.io",
            "]:",
        ] {
            assert!(!is_loopback(bad), "{bad}");
        }
    }

    #[test]
    fn a_name_that_can_be_pointed_here_proves_nothing() {
        let own = |origin, host| is_own_page(origin, Some(host));
        assert!(own("http://localhost:8080", "localhost:8080"));
        assert!(own("http://192.168.1.5:8080", "192.168.1.5:8080"));
        assert!(own("https://[::1]:8080", "[::1]:8080"));
        assert!(!own("http://localhost:3000", "localhost:8080"), "another port is another origin");
        assert!(!own("http://evil.example:8080", "evil.example:8080"));
        assert!(!own("http://evil.example", "localhost:8080"));
        assert!(!own("null", "null") && !own("file://", "") && !is_own_page("http://localhost", None));
    }
}
