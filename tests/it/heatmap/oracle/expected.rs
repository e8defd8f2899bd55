//! What a strip must say, by plain sets.

use std::{collections::BTreeSet, ops::RangeInclusive};

use chrono::NaiveDate;
use heatstrip::{
    answers::envelope::Scope,
    heatmap::{store::strips::StripQuery, strip::Strip},
};

use super::{Epoch, Said};

/// What a strip must say, from the input alone.
pub struct Expected<'a> {
    /// What counts, cut at the video's end.
    said: Vec<Said>,
    epochs: &'a [Epoch],
    days: (NaiveDate, NaiveDate),
    resolution: u32,
}

impl<'a> Expected<'a> {
    pub fn of(said: &'a [Said], epochs: &'a [Epoch], asked: &StripQuery) -> Self {
        let of_video = || said.iter().filter(|beat| beat.video == asked.video_id);
        let days = (
            asked.from.or(of_video().map(|beat| beat.day).min()).expect("a day"),
            asked.to.or(of_video().map(|beat| beat.day).max()).expect("a day"),
        );
        let in_regions = |beat: &&Said| asked.regions == ["GLOBAL"] || asked.regions.contains(&beat.region);
        Expected {
            said: of_video()
                .filter(in_regions)
                .filter(|beat| (days.0..=days.1).contains(&beat.day))
                .filter_map(|beat| {
                    let last_sec = asked.length_sec.map_or(u32::MAX, |length| length - 1);
                    let secs = *beat.secs.start()..=*beat.secs.end().min(&last_sec);
                    (!secs.is_empty()).then(|| Said { secs, ..beat.clone() })
                })
                .collect(),
            epochs,
            days,
            resolution: asked.resolution,
        }
    }

    pub fn last_sec(&self) -> Option<u32> {
        self.said.iter().map(|beat| *beat.secs.end()).max()
    }

    pub fn scope(&self) -> Scope {
        let touched =
            self.epochs.iter().filter(|epoch| epoch.days.0 <= self.days.1 && epoch.days.1 >= self.days.0);
        let rotations: Vec<&str> = touched.map(|epoch| epoch.rotation.as_str()).collect();
        let all = |name| rotations.iter().all(|&rotation| rotation == name);
        match rotations.len() {
            _ if self.said.is_empty() => Scope::Viewers,
            0 | 1 => Scope::Viewers,
            _ if all("daily") => Scope::ViewerDays,
            _ if all("weekly") => Scope::ViewerWeeks,
            _ if all("monthly") => Scope::ViewerMonths,
            _ => Scope::ViewerEpochs,
        }
    }

    /// Distinct viewers of the seconds, epoch by epoch: the sizes of the sets.
    pub fn sets(&self, secs: RangeInclusive<u32>) -> Vec<usize> {
        let present = |epoch: &Epoch| {
            let beats = self.said.iter().filter(|beat| {
                epoch.holds(beat.day) && beat.secs.start() <= secs.end() && beat.secs.end() >= secs.start()
            });
            beats.map(|beat| beat.viewer).collect::<BTreeSet<u32>>().len()
        };
        self.epochs.iter().map(present).collect()
    }

    pub fn viewers(&self, secs: RangeInclusive<u32>) -> u64 {
        self.sets(secs).iter().sum::<usize>() as u64
    }

    pub fn seconds_played(&self, secs: RangeInclusive<u32>) -> u64 {
        let overlap = |beat: &Said| {
            let (first, last) = (*beat.secs.start().max(secs.start()), *beat.secs.end().min(secs.end()));
            u64::from((last + 1).saturating_sub(first))
        };
        self.said.iter().map(overlap).sum()
    }

    /// Each bucket's seconds; the last ends with the last watched one.
    pub fn buckets(&self) -> Vec<RangeInclusive<u32>> {
        let Some(last_sec) = self.last_sec() else {
            return Vec::new();
        };
        (0..=last_sec / self.resolution)
            .map(|bucket| bucket * self.resolution..=((bucket + 1) * self.resolution - 1).min(last_sec))
            .collect()
    }

    /// Every number of a strip whose sketches are lists.
    pub fn assert_exact(&self, strip: Strip, asked: &StripQuery) {
        let buckets = self.buckets();
        let peak = buckets.iter().map(|secs| self.viewers(secs.clone())).max().unwrap_or(0);
        let last_sec = self.last_sec().unwrap_or(0);
        assert_eq!(
            (strip.video_id, strip.regions, strip.resolution),
            (asked.video_id.clone(), asked.regions.clone(), asked.resolution)
        );
        assert_eq!((strip.from, strip.to), (Some(self.days.0), Some(self.days.1)), "{asked:?}");
        assert_eq!(strip.scope, self.scope(), "{asked:?}");
        assert_eq!((strip.exact, strip.relative_error), (true, 0.0), "{asked:?}");
        assert_eq!(strip.viewers, self.viewers(0..=last_sec), "{asked:?}");
        assert_eq!(strip.seconds_played, self.seconds_played(0..=last_sec), "{asked:?}");
        assert_eq!(strip.peak, peak, "{asked:?}");
        assert_eq!(strip.buckets.len(), buckets.len(), "{asked:?}");
        for (bucket, secs) in strip.buckets.iter().zip(buckets) {
            let (viewers, played) = (self.viewers(secs.clone()), self.seconds_played(secs.clone()));
            let seconds = u64::from(secs.end() - secs.start() + 1);
            assert_eq!(bucket.bucket, *secs.start(), "{asked:?}");
            assert_eq!(bucket.viewers, viewers, "{asked:?} {secs:?}");
            assert_eq!(bucket.seconds_played, played, "{asked:?} {secs:?}");
            assert_eq!(bucket.replay, four_decimals(played, seconds * viewers), "{asked:?} {secs:?}");
            assert_eq!(bucket.retention, four_decimals(viewers, peak), "{asked:?} {secs:?}");
            assert_eq!(bucket.reached, self.viewers(*secs.start()..=last_sec), "{asked:?} {secs:?}");
        }
    }
}

/// 4 decimals, half away from zero, taken from the decimal digits.
fn four_decimals(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    let digits = part * 100_000 / whole;
    let up = u64::from(digits % 10 >= 5);
    format!("{}.{:04}", (digits / 10 + up) / 10_000, (digits / 10 + up) % 10_000).parse().expect("a number")
}
