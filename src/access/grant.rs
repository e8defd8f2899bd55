//! What each route asks of a key: one closed table. A route that is not in it is for servers alone. Pure.

use super::key::{Key, Role};

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Anybody may: probes, pages, the description.
    Nothing,
    /// It tells what is watched.
    Write,
    /// It reads what can be withheld where few watched.
    Audience,
    /// It reads.
    Read,
    /// It changes or reads what is named, or removes.
    Manage,
}

/// Returns what a request needs. `route` is the pattern that matched, if any did; nothing is said about other addresses.
pub fn need(method: &str, route: Option<&str>, query: Option<&str>) -> Need {
    let Some(path) = route.and_then(|route| route.strip_prefix("/v1/")) else {
        return Need::Nothing;
    };
    let reads = ["GET", "HEAD"].contains(&method);
    match (path, method) {
        // A preflight carries no key; other questions of this kind are answered 405.
        (_, "OPTIONS") => Need::Nothing,
        ("heartbeats" | "views", "POST") => Need::Write,
        ("videos/{video_id}/heatmap" | "videos/{video_id}/heatmap.svg", _) if reads => Need::Audience,
        ("videos/{video_id}/views" | "views", _) if reads => Need::Audience,
        (
            "videos"
            | "videos/{video_id}"
            | "videos/{video_id}/regions"
            | "videos/{video_id}/days"
            | "videos/{video_id}/ledger"
            | "videos/{video_id}/audience"
            | "audience/overlap"
            | "catalogue"
            | "trending"
            | "reach"
            | "counts/{object_type}/{object_id}",
            _,
        ) if reads => Need::Read,
        // With a member it says what somebody did.
        ("counts", _) if reads && !query.is_some_and(names_a_member) => Need::Read,
        _ => Need::Manage,
    }
}

/// True if a query may name a member, however the name is written.
fn names_a_member(query: &str) -> bool {
    query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or("");
        name.contains('%') || name == "member_id"
    })
}

/// Returns true if a key is good for a need.
pub fn allows(key: &Key, need: Need) -> bool {
    match (need, key.role) {
        (Need::Nothing, _) | (_, Role::Server) => true,
        (Need::Write, role) => role == Role::Player,
        (Need::Audience, role) => role == Role::Reader,
        (Need::Read, role) => role == Role::Reader && key.min_audience.is_none(),
        (Need::Manage, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_the_table_is_for_servers() {
        assert_eq!(need("GET", Some("/healthz"), None), Need::Nothing);
        assert_eq!(need("POST", None, None), Need::Nothing);
        assert_eq!(need("GET", Some("/v1/something/new"), None), Need::Manage);
        assert_eq!(need("DELETE", Some("/v1/videos/{video_id}"), None), Need::Manage);
        assert_eq!(need("POST", Some("/v1/videos/{video_id}/heatmap"), None), Need::Manage);
    }

    #[test]
    fn what_a_member_did_is_no_total() {
        let counts = |query| need("GET", Some("/v1/counts"), Some(query));
        assert_eq!(counts("object=video:v&kind=like"), Need::Read);
        for query in ["object=video:v&member_id=a", "member%5Fid=a", "object=video:v&%6dember_id=a"] {
            assert_eq!(counts(query), Need::Manage, "{query}");
        }
    }
}
