//! The part of a video that somebody wants forgotten: a day, a region, the seconds behind its end, or all of these at once.

use chrono::NaiveDate;

use super::{
    hashed::{Entry, HashedHeartbeat},
    region::Region,
};

/// A part of a video; what is left out does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Only of this UTC day.
    pub day: Option<NaiveDate>,
    /// Only what was watched in this region.
    pub region: Option<Region>,
    /// Only the seconds behind this one, which stays. Views have no seconds and are not part of it.
    pub after_sec: Option<i32>,
}

impl Part {
    /// Returns the part that is one day, or the whole video.
    pub fn of_day(day: Option<NaiveDate>) -> Self {
        Part { day, ..Part::default() }
    }

    /// Returns true if every row of its days goes, whatever is in it.
    pub fn is_whole_days(&self) -> bool {
        self.region.is_none() && self.after_sec.is_none()
    }

    /// Returns the last second that stays; -1 if none does.
    pub fn last_kept_sec(&self) -> i32 {
        self.after_sec.unwrap_or(-1)
    }

    /// Returns what is left of a stretch of seconds that was watched in a region: its last second, or nothing.
    pub fn leaves_of(&self, region: &str, start_sec: i32, end_sec: i32) -> Option<i32> {
        if self.region.as_ref().is_some_and(|forgotten| forgotten.as_str() != region) {
            return Some(end_sec);
        }
        let last = self.last_kept_sec();
        (start_sec <= last).then_some(end_sec.min(last))
    }

    /// Returns what is left of a heartbeat or view of the video.
    pub fn leaves<'a>(&self, entry: Entry<'a>) -> Option<Entry<'a>> {
        if self.day.is_some_and(|day| day != entry.day()) {
            return Some(entry);
        }
        match entry {
            Entry::Heartbeat(heartbeat) => {
                let HashedHeartbeat { region, start_sec, end_sec, .. } = heartbeat;
                let end_sec = self.leaves_of(region, start_sec, end_sec)?;
                Some(Entry::Heartbeat(HashedHeartbeat { end_sec, ..heartbeat }))
            }
            Entry::View(_) if self.after_sec.is_some() => Some(entry),
            Entry::View(view) => self.leaves_of(view.region, 0, 0).map(|_| entry),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::hashed::HashedView;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn heartbeat(region: &str, start_sec: i32, end_sec: i32) -> Entry<'_> {
        let captured_on = day("2026-11-21");
        Entry::Heartbeat(HashedHeartbeat {
            video_id: "v",
            region,
            captured_on,
            start_sec,
            end_sec,
            viewer_hash: 7,
        })
    }

    #[test]
    fn seconds_are_cut_and_views_have_none() {
        let at = "2026-11-21T10:00:00Z".parse().expect("an instant");
        let view =
            Entry::View(HashedView { video_id: "v", region: "JP", epoch: day("2026-11-01"), at, viewer: 7 });
        let region = |name: &str| Some(Region::parse(name).expect("a region"));
        let behind = Part { after_sec: Some(9), ..Part::default() };
        assert_eq!(behind.leaves(heartbeat("JP", 5, 20)), Some(heartbeat("JP", 5, 9)));
        assert_eq!(behind.leaves(heartbeat("JP", 0, 9)), Some(heartbeat("JP", 0, 9)));
        assert_eq!(behind.leaves(heartbeat("JP", 10, 20)), None);
        assert_eq!(behind.leaves(view), Some(view));
        let in_kr = Part { region: region("KR"), ..behind.clone() };
        assert_eq!(in_kr.leaves(heartbeat("JP", 10, 20)), Some(heartbeat("JP", 10, 20)));
        assert_eq!(in_kr.leaves(heartbeat("KR", 10, 20)), None);
        let of_jp = Part { region: region("JP"), ..Part::default() };
        assert_eq!((of_jp.leaves(view), of_jp.leaves(heartbeat("JP", 0, 0))), (None, None));
        assert_eq!(of_jp.leaves(heartbeat("KR", 0, 0)), Some(heartbeat("KR", 0, 0)));
        let other_day = Part { day: Some(day("2026-11-20")), ..of_jp };
        assert_eq!(other_day.leaves(view), Some(view));
        assert_eq!(Part::of_day(Some(day("2026-11-21"))).leaves(view), None);
    }
}
