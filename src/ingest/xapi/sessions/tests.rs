use proptest::prelude::*;

use super::*;

fn key(viewer: u8) -> Key {
    Key { video_id: "v".to_owned(), viewer_id: viewer.to_string(), session: SessionId::Named(String::new()) }
}

fn at(day: u8) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::TimeDelta::days(day.into())
}

fn told(sessions: Vec<(Key, Session)>) -> Vec<String> {
    sessions.into_iter().flat_map(|(key, session)| session.heartbeats(key)).collect()
}

proptest! {
    /// A pass never holds more than the memory, or than one session; and all passes together have every session, whole.
    #[test]
    fn passes_stay_within_the_memory_and_miss_nothing(
        statements in prop::collection::vec((0..40u8, 0..5u8, prop::collection::vec((0..30u32, 1..9u32), 0..4)), 0..200),
        memory in 0..20_000usize,
    ) {
        let mut whole = Sessions::new(0, usize::MAX);
        let mut all = Vec::new();
        let mut from = Some(0);
        while let Some(place) = from {
            let mut pass = Sessions::new(place, memory);
            for (viewer, day, segments) in &statements {
                let segments: Vec<(f64, f64)> =
                    segments.iter().map(|&(start, length)| (start.into(), (start + length).into())).collect();
                pass.add(key(*viewer), at(*day), &segments);
                if place == 0 {
                    whole.add(key(*viewer), at(*day), &segments);
                }
                let one = SESSION_BYTES + 3 + 30 * SEGMENT_BYTES;
                prop_assert!(pass.bytes <= memory.max(one) && (pass.bytes <= memory || pass.kept.len() == 1));
            }
            from = pass.rest();
            prop_assert!(from.is_none_or(|next| next > place));
            all.extend(told(pass.sorted()));
        }
        let mut whole = told(whole.sorted());
        whole.sort_unstable();
        all.sort_unstable();
        prop_assert_eq!(all, whole);
    }
}

/// What names a session is told apart, however it is cut.
#[test]
fn each_session_has_a_place_of_its_own() {
    let key = |video_id: &str, viewer_id: &str, session| Key {
        video_id: video_id.to_owned(),
        viewer_id: viewer_id.to_owned(),
        session,
    };
    let named = |name: &str| SessionId::Named(name.to_owned());
    let places = [
        key("ab", "c", named("")),
        key("a", "bc", named("")),
        key("a", "b", named("c")),
        key("ab", "c", SessionId::Day(NaiveDate::default())),
        key("ab", "c", SessionId::Day(NaiveDate::default() + chrono::Days::new(1))),
    ]
    .map(|key| key.place());
    let different: std::collections::BTreeSet<u128> = places.into_iter().collect();
    assert_eq!(different.len(), 5);
}
