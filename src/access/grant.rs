//! What each route asks of a key, and which videos it touches: two closed tables. A route that is not in the first is for
//! servers alone, and one that is not in the second is for keys without a prefix of videos. Pure.

use super::key::{Key, Role};
use crate::events::terms::VIDEO_TYPE;

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

/// Says where a request names videos.
#[derive(Debug, PartialEq, Eq)]
pub enum Touched<'a> {
    /// Its body names them, and they are checked element by element.
    InBody,
    /// These alone.
    Videos(Vec<&'a str>),
    /// It names none, so it may be about any of them.
    Anything,
}

/// Returns which videos a request touches. A route that is not in here may touch any. `path` and `query` are the names and
/// values that the address holds, decoded as the routes decode them.
pub fn touched<'a>(
    method: &str,
    route: Option<&str>,
    path: &[(&str, &'a str)],
    query: &'a [(String, String)],
) -> Touched<'a> {
    let Some(route) = route.and_then(|route| route.strip_prefix("/v1/")) else {
        return Touched::Anything;
    };
    let reads = ["GET", "HEAD"].contains(&method);
    let of_path = |name: &str| path.iter().find(|(given, _)| *given == name).map(|(_, value)| *value);
    let of_query = |name: &'static str| {
        query.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    };
    match (route, method) {
        ("heartbeats" | "views" | "counts", "POST") => Touched::InBody,
        ("views" | "audience/overlap" | "catalogue", _) if reads => {
            Touched::Videos(of_query("video_id").collect())
        }
        ("reach", _) if reads && of_query("channel").next().is_none() => {
            Touched::Videos(of_query("video_id").collect())
        }
        ("counts", _) if reads => {
            let objects = of_query("object").filter_map(|object| object.split_once(':'));
            Touched::Videos(objects.filter_map(|(object_type, id)| video(object_type, id)).collect())
        }
        ("counts/{object_type}/{object_id}" | "counts/{object_type}/{object_id}/{kind}/members", _) => {
            match of_path("object_type").zip(of_path("object_id")) {
                Some((object_type, id)) => Touched::Videos(video(object_type, id).into_iter().collect()),
                None => Touched::Anything,
            }
        }
        _ if route == "videos/{video_id}" || route.starts_with("videos/{video_id}/") => {
            of_path("video_id").map_or(Touched::Anything, |video_id| Touched::Videos(vec![video_id]))
        }
        _ => Touched::Anything,
    }
}

/// Returns the video that an object of counters is, if it is one.
fn video<'a>(object_type: &str, object_id: &'a str) -> Option<&'a str> {
    (object_type == VIDEO_TYPE).then_some(object_id)
}

/// Returns true if a key may touch so much.
pub fn reaches(key: &Key, touched: &Touched<'_>) -> bool {
    let Some(prefix) = &key.video_prefix else { return true };
    match touched {
        Touched::InBody => true,
        Touched::Videos(videos) => videos.iter().all(|video_id| video_id.starts_with(prefix.as_str())),
        Touched::Anything => false,
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
