use chrono::TimeDelta;

use super::*;

const HALF_LIVES: HalfLives = HalfLives { recent_secs: 6.0 * 3600.0, baseline_secs: 72.0 * 3600.0 };

fn now() -> DateTime<Utc> {
    "2026-11-21T10:00:00Z".parse().expect("an instant")
}

fn hours(hours: f64) -> TimeDelta {
    TimeDelta::milliseconds((hours * 3_600_000.0) as i64)
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= expected.abs() * 0.01 + 0.001, "{found} is not near {expected}");
}

/// The masses of a video to which this many new viewers came in each hour before now, the latest hour last.
fn history(per_hour: impl Iterator<Item = usize>) -> Masses {
    let per_hour: Vec<usize> = per_hour.collect();
    let mut all: Option<Masses> = None;
    for (hour, &viewers) in per_hour.iter().enumerate() {
        for viewer in 0..viewers {
            let ago = (per_hour.len() - hour) as f64 - (viewer as f64 + 0.5) / viewers as f64;
            let one = Masses::of_one(now() - hours(ago));
            match &mut all {
                None => all = Some(one),
                Some(all) => all.add(one, HALF_LIVES),
            }
        }
    }
    all.expect("a viewer").aged(now(), HALF_LIVES)
}

fn candidate(video_id: &str, masses: Masses) -> Candidate {
    Candidate { video_id: video_id.into(), masses }
}

fn ranked(by: By, candidates: &[Candidate]) -> Vec<Trend> {
    rank(by, candidates.to_vec(), now(), HALF_LIVES)
}

fn ids(trends: &[Trend]) -> Vec<&str> {
    trends.iter().map(|trend| trend.video_id.as_str()).collect()
}

/// Worked by hand: ten new viewers an hour for a month are a recent mass of 10 × 6 h / ln 2 = 86.6 and a baseline of
/// 10 × 72 h / ln 2 = 1038.7. The windows are 8.656 h and 103.87 h, the usual rate is the video's own, so 8.656 × (1038.7 + 240) /
/// (103.87 + 24) = 86.6 is expected: a score of 0.
#[test]
fn who_goes_on_as_before_does_not_rise() {
    let steady = history(std::iter::repeat_n(10, 720));
    near(steady.recent, 86.56);
    near(steady.baseline, 1037.7);
    let [trend] = &ranked(By::Rise, &[candidate("steady", steady)])[..] else { panic!("one") };
    near(trend.expected, 86.56);
    near(trend.ratio, 1.0);
    assert!(trend.score.abs() < 0.01, "{trend:?}");
}

/// The same video with three times as many in the last six hours: recent 30 × 8.656 / 2 + 86.56 / 2 = 173.1; the baseline is
/// 30 × 103.87 × (1 − 2^(−1/12)) + 1038.7 × 2^(−1/12) = 1155.3. A usual rate of 10 an hour gives 8.656 × (1155.3 + 240) / 127.87 = 94.5
/// expected, so the ratio is 183.1 / 104.5 = 1.753, and the score log2 of it, 0.81.
#[test]
fn a_rise_is_measured_by_the_videos_own_past() {
    let steady = history(std::iter::repeat_n(10, 720));
    let rising = history(std::iter::repeat_n(10, 714).chain(std::iter::repeat_n(30, 6)));
    near(rising.recent, 173.1);
    near(rising.baseline, 1155.3);
    let trends = ranked(By::Rise, &[candidate("a", steady), candidate("b", steady), candidate("c", rising)]);
    assert_eq!(ids(&trends), ["c", "a", "b"]);
    near(trends[0].expected, 94.45);
    near(trends[0].ratio, 1.753);
    near(trends[0].score, 0.81);
}

/// The giants lead by mass, and not by rise.
#[test]
fn each_list_has_an_order_of_its_own() {
    let small = history(std::iter::repeat_n(1, 294).chain(std::iter::repeat_n(20, 6)));
    // Hot days ago, and quiet since.
    let past = history(std::iter::repeat_n(400, 60).chain(std::iter::repeat_n(2, 60)));
    let mut all = vec![
        candidate("giant", history(std::iter::repeat_n(200, 300))),
        candidate("small", small),
        candidate("past", past),
        candidate("newborn", history([0, 0, 25].into_iter())),
    ];
    // Most videos are ordinary, so the usual rate is theirs.
    all.extend((0..6).map(|n| candidate(&format!("usual {n}"), history(std::iter::repeat_n(2, 300)))));
    let (rise, hot, top) = (ranked(By::Rise, &all), ranked(By::Hot, &all), ranked(By::Top, &all));
    assert_eq!(ids(&rise)[..2], ["small", "newborn"]);
    assert_eq!(ids(&rise)[9], "past");
    assert_eq!(ids(&hot)[..4], ["giant", "small", "newborn", "past"]);
    assert_eq!(ids(&top)[..2], ["giant", "past"]);
    assert_eq!(hot[0].score, hot[0].recent);
    assert!(rise.iter().all(|trend| trend.score == trend.ratio.log2()));
}

#[test]
fn masses_do_not_depend_on_the_order_in_which_they_are_heard_of() {
    let times = [0.0, 50.0, 3.0, 47.5, 12.0, 0.1];
    let sum = |order: &[usize]| {
        let mut all = Masses::of_one(now() - hours(times[order[0]]));
        for &index in &order[1..] {
            all.add(Masses::of_one(now() - hours(times[index])), HALF_LIVES);
        }
        all
    };
    let forward = sum(&[0, 1, 2, 3, 4, 5]);
    for order in [[5, 4, 3, 2, 1, 0], [1, 3, 0, 5, 2, 4]] {
        let other = sum(&order);
        assert!(
            (other.recent - forward.recent).abs() < 1e-9 && (other.baseline - forward.baseline).abs() < 1e-9
        );
        assert_eq!((other.at, other.born), (forward.at, forward.born));
    }
    near(forward.recent, times.iter().map(|ago| (-ago / 6.0f64).exp2()).sum());
}

/// The order by key is that of the masses at any later moment, to within a quarter of a doubling.
#[test]
fn keys_are_in_the_order_of_what_masses_are_now() {
    let mut masses = Vec::new();
    for (mass, ago) in [(1.0, 0.0), (8.0, 12.0), (100.0, 30.0), (3.0, 1.0), (1_000_000.0, 160.0), (5.0, 0.0)]
    {
        masses.push((mass * (-ago / 6.0f64).exp2(), key(mass, now() - hours(ago), HALF_LIVES.recent_secs)));
    }
    for (mass, key) in &masses {
        for (other, other_key) in &masses {
            if mass >= &(other * 1.19) {
                assert!(key >= other_key, "{mass} {key} {other} {other_key}");
            }
        }
    }
    let floor = key(5.0, now(), HALF_LIVES.recent_secs);
    assert!(key(5.0, now() - hours(6.0), HALF_LIVES.recent_secs) < floor);
    assert!(key(10.1, now() - hours(6.0), HALF_LIVES.recent_secs) >= floor);
}

/// A birth that is said to be earlier than it was only makes more be expected.
#[test]
fn a_forged_birth_lifts_nobody() {
    let honest = history([30].into_iter());
    let forged = Masses { born: now() - hours(48.0), ..honest };
    let trends = ranked(By::Rise, &[candidate("forged", forged), candidate("honest", honest)]);
    assert_eq!(ids(&trends), ["honest", "forged"]);
}

#[test]
fn no_channel_fills_the_list() {
    let trends: Vec<Trend> = ["a", "b", "c", "d", "e"]
        .map(|id| Trend { video_id: id.into(), score: 1.0, recent: 9.0, expected: 1.0, ratio: 1.0 })
        .to_vec();
    let channels: HashMap<String, Option<String>> =
        [("a", Some("x")), ("b", Some("x")), ("c", None), ("d", Some("x")), ("e", Some("y"))]
            .map(|(id, channel)| (id.into(), channel.map(str::to_owned)))
            .into();
    assert_eq!(ids(&cap_channels(&trends, &channels, 1, 9)), ["a", "c", "e"]);
    assert_eq!(ids(&cap_channels(&trends, &channels, 2, 9)), ["a", "b", "c", "e"]);
    assert_eq!(ids(&cap_channels(&trends, &channels, 2, 3)), ["a", "b", "c"]);
    assert_eq!(ids(&cap_channels(&trends, &channels, 0, 4)), ["a", "b", "c", "d"]);
}

#[test]
fn nobody_is_there() {
    assert_eq!(ranked(By::Rise, &[]), []);
}
