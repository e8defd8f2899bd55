use chrono::NaiveDate;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    heatmap::strip::{BucketRow, StripRange, strip},
    viewers::epoch::Rotation,
};

fn made(video_id: &str, resolution: u32, viewers: &[u64]) -> Strip {
    let day = NaiveDate::from_ymd_opt(2026, 11, 21);
    let range = StripRange {
        video_id: video_id.into(),
        regions: vec!["JP".into()],
        resolution,
        from: day,
        to: day,
        epochs: vec![Rotation::Daily],
    };
    let mut reached = viewers.to_vec();
    for bucket in (1..reached.len()).rev() {
        reached[bucket - 1] = reached[bucket - 1].max(reached[bucket]);
    }
    let row = |(bucket, &viewers): (usize, &u64)| BucketRow {
        epoch: 0,
        bucket: bucket as u32,
        viewers,
        reached: reached[bucket],
        seconds_played: viewers * u64::from(resolution),
        last_sec: (bucket as u32 + 1) * resolution - 1,
        exact: true,
    };
    strip(range, &viewers.iter().enumerate().map(row).collect::<Vec<_>>())
}

fn text(format: Format, strip: &Strip) -> String {
    String::from_utf8(format.render(strip)).expect("UTF-8")
}

#[test]
fn each_shape_as_its_readers_know_it() {
    let strip = made("v", 5, &[4, 1]);
    assert_eq!(
        text(Format::Csv, &strip),
        "bucket,viewers,seconds_played,replay,retention,reached\n0,4,20,1,1,4\n5,1,5,1,0.25,1\n"
    );
    assert_eq!(
        text(Format::YtDlp, &strip),
        r#"[{"start_time":0,"end_time":5,"value":1.0},{"start_time":5,"end_time":10,"value":0.25}]"#
    );
    assert_eq!(
        text(Format::PeerTube, &made("v", 1, &[3, 1])),
        r#"{"data":[{"second":0,"retentionPercent":100.0},{"second":1,"retentionPercent":33.33}]}"#
    );
    let columns: Value = serde_json::from_str(&text(Format::Columns, &strip)).expect("JSON");
    assert_eq!((&columns["viewers"], &columns["scope"]), (&json!(4), &json!("viewers")));
    assert_eq!(columns["buckets"]["bucket"], json!([0, 5]));
    assert_eq!(columns["buckets"]["retention"], json!([1.0, 0.25]));
}

#[test]
fn nobody_watched() {
    let nobody = made("v", 5, &[]);
    for (format, expected) in [(Format::YtDlp, "[]"), (Format::PeerTube, r#"{"data":[]}"#)] {
        assert_eq!(text(format, &nobody), expected);
    }
    assert_eq!(text(Format::Csv, &nobody).lines().count(), 1);
    assert!(text(Format::Svg, &nobody).contains("Nobody has watched"));
}

#[test]
fn a_picture_says_what_it_shows_and_obeys_no_video() {
    let hostile = r#"</title><script>alert("1")</script>&'"#.to_owned() + "\u{ffff}";
    let svg = text(Format::Svg, &made(&hostile, 5, &[4, 0, 1]));
    assert!(!svg.contains("<script") && !svg.contains('\u{ffff}'), "{svg}");
    assert!(svg.contains("&lt;/title&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;'"), "{svg}");
    assert!(svg.contains("4 viewers; exact; peak 4 at 0:00"), "{svg}");
    assert!(svg.contains("prefers-color-scheme:dark") && svg.contains("role=\"img\""), "{svg}");
    // The gap has no bar.
    assert_eq!(svg.matches('M').count(), 3, "two bars and the axis: {svg}");
}

#[test]
fn a_long_picture_stays_small() {
    let viewers: Vec<u64> = (0..86_400).map(|sec| sec % 997).collect();
    let svg = text(Format::Svg, &made("v", 1, &viewers));
    assert!(svg.len() < 20_000, "{} bytes", svg.len());
}

proptest! {
    /// Whatever was watched: every shape tells the same numbers, and shares stay shares.
    #[test]
    fn the_shapes_agree(viewers in prop::collection::vec(0_u64..1_000_000, 0..50), resolution in 1_u32..3600) {
        let strip = made("v", resolution, &viewers);
        let csv = text(Format::Csv, &strip);
        let from_csv: Vec<u64> = csv
            .lines()
            .skip(1)
            .map(|line| line.split(',').nth(1).expect("a field").parse().expect("a number"))
            .collect();
        prop_assert_eq!(&from_csv, &viewers);
        let columns: Value = serde_json::from_slice(&Format::Columns.render(&strip)).expect("JSON");
        prop_assert_eq!(&columns["buckets"]["viewers"], &json!(viewers));
        let markers: Value = serde_json::from_slice(&Format::YtDlp.render(&strip)).expect("JSON");
        let values: Vec<f64> = markers.as_array().expect("a list").iter().map(|m| m["value"].as_f64().expect("a number")).collect();
        prop_assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
        prop_assert_eq!(values.contains(&1.0), viewers.iter().any(|&viewers| viewers > 0));
        let peertube: Value = serde_json::from_slice(&Format::PeerTube.render(&strip)).expect("JSON");
        for second in peertube["data"].as_array().expect("a list") {
            prop_assert!((0.0..=100.0).contains(&second["retentionPercent"].as_f64().expect("a number")));
        }
        for name in NAMED.map(|(name, _)| name).into_iter() {
            prop_assert!(Format::parse(name).is_some());
        }
    }
}
