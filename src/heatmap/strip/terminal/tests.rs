use chrono::NaiveDate;

use super::*;
use crate::{
    heatmap::strip::{self, BucketRow, StripRange},
    viewers::epoch::Rotation,
};

/// One bucket per `(viewers, seconds played)`.
fn strip_of(video_id: &str, resolution: u32, buckets: &[(u64, u64)]) -> Strip {
    let day = |day| NaiveDate::from_ymd_opt(2026, 11, day).expect("a day");
    let row = |(bucket, &(viewers, seconds_played)): (usize, &(u64, u64))| BucketRow {
        epoch: 0,
        bucket: bucket as u32,
        viewers,
        reached: viewers,
        seconds_played,
        last_sec: (bucket as u32 + 1) * resolution - 1,
        exact: true,
    };
    let range = StripRange {
        video_id: video_id.into(),
        regions: vec!["DE".into(), "JP".into()],
        resolution,
        from: Some(day(14)),
        to: Some(day(21)),
        epochs: vec![Rotation::Never],
    };
    strip::strip(range, &Vec::from_iter(buckets.iter().enumerate().map(row)))
}

#[test]
fn golden() {
    let buckets = [(1284, 6420), (900, 4500), (0, 0), (450, 4500), (300, 1500), (10, 20)];
    let text = render(&strip_of("yt_abc123", 5, &buckets), None, 48, Color::None);
    let expected = "\
yt_abc123
DE, JP · 2026-11-14 to 2026-11-21 · 5 s a bucket
1,284 viewers · exact · peak 1,284 at 0:00
watched 4 h 42 m

 most replayed 0:15, 2.00× ▼
████████
████████▂▂▂▂▂▂▂▂
████████████████
████████████████        ▁▁▁▁▁▁▁▁
████████████████        ████████▃▃▃▃▃▃▃▃
████████████████        ████████████████▁▁▁▁▁▁▁▁
┴───────┴───────┴───────┴───────┴───────┴───────
0:00    0:05    0:10    0:15    0:20    0:25
";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_video_nobody_watched_is_one_line() {
    assert_eq!(
        render(&strip_of("yt_abc123", 5, &[]), None, 80, Color::True),
        "Nobody has watched yt_abc123 (DE, JP) in these days yet.\n"
    );
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    let ids = ["yt_abc123", "動画の長い名前がここにあります動画の長い名前", "e\u{301}🎬\u{202e}gnp.exe"];
    for (id, buckets) in ids.iter().flat_map(|id| [1, 7, 80, 3600].map(|buckets| (id, buckets))) {
        let buckets: Vec<(u64, u64)> = (0..buckets).map(|i| (1 + i * 7919 % 400, i * 6011 % 9000)).collect();
        for (resolution, width) in
            [1, 5, 3600].into_iter().flat_map(|r| (0..26).chain([40, 80, 120]).map(move |w| (r, w)))
        {
            if buckets.len() as u32 * resolution > 86_400 {
                continue;
            }
            let text = render(&strip_of(id, resolution, &buckets), None, width, Color::None);
            for line in text.lines() {
                assert!(line.width() <= width.max(1), "{width}: {line}");
            }
            assert!(!text.contains('\u{202e}'));
        }
    }
}

#[test]
fn columns_keep_the_peak_and_stretch() {
    let strip = strip_of("v", 1, &[(1, 1), (9, 9), (2, 2), (3, 3), (5, 5), (4, 4)]);
    let viewers = |width| Vec::from_iter(columns(&strip, width).iter().map(|bucket| bucket.viewers));
    assert_eq!(viewers(3), [9, 3, 5]);
    assert_eq!(viewers(4), [1, 9, 3, 5]);
    assert_eq!(viewers(12), [1, 1, 9, 9, 2, 2, 3, 3, 5, 5, 4, 4]);
}

#[test]
fn colours_are_switched_and_reset() {
    let strip = strip_of("v", 60, &[(10, 600), (5, 300)]);
    let text = render(&strip, None, 4, Color::True);
    let bottom = text.lines().nth_back(2).expect("a row");
    assert_eq!(bottom, "\x1b[38;2;247;209;61m██\x1b[38;2;222;87;54m██\x1b[0m");
    let palette = render(&strip, None, 4, Color::Palette);
    assert!(palette.contains("\x1b[38;5;221m██"), "{palette}");
    assert!(!render(&strip, None, 4, Color::None).contains('\x1b'));
}

#[test]
fn heat_runs_from_cold_to_hot() {
    assert_eq!(heat(0.0), HEAT[0]);
    assert_eq!(heat(0.4), HEAT[2]);
    assert_eq!(heat(1.0), HEAT[5]);
}

#[test]
fn numbers_read_well() {
    assert_eq!([0, 75, 3599, 3600, 45_296].map(clock), ["0:00", "1:15", "59:59", "1:00:00", "12:34:56"]);
    assert_eq!([9, 125, 3600, 1_483_500].map(hours), ["9 s", "2 m 05 s", "1 h 00 m", "412 h 05 m"]);
}

#[test]
fn a_title_stands_above_the_id() {
    let strip = strip_of("yt_abc123", 5, &[(0, 3), (1, 2)]);
    let titled = render(&strip, Some("How sketches \u{202e}count"), 60, Color::True);
    let mut lines = titled.lines();
    assert_eq!(lines.next(), Some("\x1b[1mHow sketches \u{fffd}count\x1b[0m"));
    assert!(lines.next().is_some_and(|line| line.starts_with("yt_abc123 · ")), "{titled}");
    let narrow = render(&strip, Some(&"長".repeat(99)), 20, Color::None);
    assert!(narrow.lines().all(|line| line.width() <= 20), "{narrow}");
}
