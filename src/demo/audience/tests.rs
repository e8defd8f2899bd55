use std::collections::{HashMap, HashSet};

use super::*;
use crate::events::{
    heartbeat::{self, Arrival},
    region::Region,
};

fn now() -> DateTime<Utc> {
    "2026-11-21T10:00:00.5Z".parse().expect("an instant")
}

fn demo() -> Vec<Beat> {
    Audience::demo(now()).beats().collect()
}

/// Returns for each second of a video its plays and how many different people they came from.
fn seconds(beats: &[Beat], video: &Video) -> Vec<(f64, f64)> {
    let mut viewers: Vec<HashMap<&str, u32>> = vec![HashMap::new(); video.duration_sec as usize];
    for beat in beats.iter().filter(|beat| beat.video_id == video.id) {
        for second in beat.start_sec..=beat.end_sec {
            *viewers[second as usize].entry(&beat.viewer_id).or_default() += 1;
        }
    }
    viewers.iter().map(|second| (f64::from(second.values().sum::<u32>()), second.len() as f64)).collect()
}

fn replay(seconds: &[(f64, f64)]) -> f64 {
    let plays: f64 = seconds.iter().map(|second| second.0).sum();
    plays / seconds.iter().map(|second| second.1).sum::<f64>()
}

#[test]
fn the_same_seed_gives_the_same_beats() {
    let beats = demo();
    assert_eq!(beats, demo());
    let other = Audience { seed: 1, ..Audience::demo(now()) };
    assert!(other.beats().ne(beats));
}

#[test]
fn no_days_or_nobody_give_no_beats() {
    for (days, viewers) in [(0, 10), (7, 0)] {
        let audience = Audience { days, viewers, ..Audience::demo(now()) };
        assert_eq!(audience.beats().len(), 0);
    }
}

#[test]
fn every_beat_is_a_good_heartbeat() {
    let arrival = Arrival {
        now: now(),
        default_region: Region::parse("ZZ").expect("a region"),
        max_age: Some(TimeDelta::days(7)),
        captured_on: None,
        terms: None,
    };
    for beat in demo() {
        let text = beat.json();
        let heartbeat = heartbeat::parse(&text, &arrival).expect(&text);
        assert_eq!(heartbeat.video_id, beat.video_id);
        assert_eq!(heartbeat.region.as_str(), beat.region);
        assert_eq!(heartbeat.captured_on, beat.at.date_naive());
        assert!(beat.end_sec - beat.start_sec < BEAT_SEC && beat.end_sec < beat.duration_sec);
    }
}

#[test]
fn beats_are_in_time_order_and_never_ahead() {
    let beats = demo();
    assert!(beats.is_sorted_by_key(|beat| beat.at));
    assert!(beats.last().is_some_and(|beat| beat.at <= now()));
}

#[test]
fn it_is_quick_to_load_and_big_enough_for_estimates() {
    let beats = demo();
    assert!((60_000..=80_000).contains(&beats.len()), "{}", beats.len());

    let last_day = now() - TimeDelta::days(1);
    let viewers = |video: &Video| {
        let of_last_day = beats.iter().filter(|beat| beat.video_id == video.id && beat.at >= last_day);
        of_last_day.map(|beat| &beat.viewer_id).collect::<HashSet<_>>().len()
    };
    let most = viewers(&VIDEOS[0]);
    assert!(most > 1_000, "{most}");
    assert!(VIDEOS[1..].iter().all(|video| viewers(video) < most));

    let regions: HashSet<_> = beats.iter().map(|beat| beat.region).collect();
    assert_eq!(regions.len(), PLACES.len());
    let days: HashSet<_> = beats.iter().map(|beat| beat.at.date_naive()).collect();
    assert_eq!(days.len(), 8, "seven times 24 hours touch eight days");
}

#[test]
fn regions_sleep_at_night() {
    let beats = demo();
    let count = |region, hours: Range<u32>| {
        beats.iter().filter(|beat| beat.region == region && hours.contains(&beat.at.hour())).count()
    };
    // These are 18:00 to 22:00 and 02:00 to 06:00 in Japan.
    assert!(count("JP", 9..13) > 4 * count("JP", 17..21));
    assert!(count("GB", 18..22) > 4 * count("GB", 2..6));
}

#[test]
fn the_replayed_moment_stands_out() {
    let beats = demo();
    for video in &VIDEOS {
        let seconds = seconds(&beats, video);
        let (start, end) = (video.moment.start as usize, video.moment.end as usize);
        let moment = replay(&seconds[start..end]);
        let elsewhere = replay(&seconds[..start - 10]).max(replay(&seconds[end + 10..]));
        assert!(moment > 1.35 && moment > elsewhere + 0.2, "{}: {moment} against {elsewhere}", video.id);
    }
}

#[test]
fn people_leave() {
    let beats = demo();
    for video in &VIDEOS {
        let seconds = seconds(&beats, video);
        let viewers = |at: u32| seconds[at as usize].1;
        let id = video.id;
        let after_hook = video.duration_sec / 6;
        let before_credits = video.duration_sec - video.credits_sec - 1;
        assert!(viewers(video.intro_sec) > viewers(video.intro_sec - 1), "{id}: some skip the intro");
        assert!(viewers(after_hook) < 0.75 * viewers(video.intro_sec), "{id}: the hook");
        assert!(viewers(before_credits) < 0.6 * viewers(after_hook), "{id}: the drop-off");
        assert!(viewers(video.duration_sec - 1) < 0.2 * viewers(before_credits), "{id}: the credits");
    }
}
