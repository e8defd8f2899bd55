//! Compares the validators of answers that may be kept (RFC 9110).

use axum::http::{HeaderMap, header};

/// Returns true if whoever asks already holds the answer with this tag.
pub fn holds(request: &HeaderMap, etag: &str) -> bool {
    let held = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    held.flat_map(|value| value.split(',')).any(|tag| is_same_tag(tag.trim(), etag))
}

/// Compares weakly (RFC 9110, section 8.8.3.2), because a proxy may have made the tag strong.
fn is_same_tag(held: &str, current: &str) -> bool {
    held == "*" || held.trim_start_matches("W/") == current.trim_start_matches("W/")
}
