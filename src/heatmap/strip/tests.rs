use super::*;

fn range(resolution: u32, epochs: &[Rotation]) -> StripRange {
    let day = NaiveDate::from_ymd_opt(2026, 11, 21).expect("a day");
    StripRange {
        video_id: "yt_abc123".into(),
        regions: vec!["JP".into()],
        resolution,
        from: Some(day),
        to: Some(day),
        epochs: epochs.to_vec(),
    }
}

fn row(
    epoch: usize,
    bucket: u32,
    viewers: u64,
    reached: u64,
    seconds_played: u64,
    last_sec: u32,
) -> BucketRow {
    BucketRow { epoch, bucket, viewers, reached, seconds_played, last_sec, exact: true }
}

fn column<T>(strip: &Strip, value: impl Fn(&Bucket) -> T) -> Vec<T> {
    strip.buckets.iter().map(value).collect()
}

#[test]
fn nobody_watched() {
    let strip =
        strip(StripRange { from: None, to: None, ..range(5, &[Rotation::Daily, Rotation::Daily]) }, &[]);
    assert_eq!((strip.viewers, strip.peak, strip.seconds_played), (0, 0, 0));
    assert_eq!((strip.exact, strip.relative_error, strip.scope), (true, 0.0, Scope::Viewers));
    assert!(strip.buckets.is_empty());
    assert_eq!((strip.from, strip.to), (None, None));
}

#[test]
fn gaps_are_zeros_that_later_viewers_have_reached() {
    let strip = strip(range(10, &[Rotation::Daily]), &[row(0, 1, 4, 5, 50, 19), row(0, 3, 2, 2, 6, 32)]);
    assert_eq!(column(&strip, |b| b.bucket), [0, 10, 20, 30]);
    assert_eq!(column(&strip, |b| b.viewers), [0, 4, 0, 2]);
    assert_eq!(column(&strip, |b| b.reached), [5, 5, 2, 2]);
    assert_eq!(column(&strip, |b| b.retention), [0.0, 1.0, 0.0, 0.5]);
    assert_eq!((strip.viewers, strip.peak, strip.seconds_played), (5, 4, 56));
}

#[test]
fn the_last_bucket_counts_seconds_up_to_the_last_watched_one() {
    let strip = strip(range(10, &[Rotation::Daily]), &[row(0, 0, 2, 2, 30, 9), row(0, 1, 2, 2, 6, 12)]);
    assert_eq!(column(&strip, |b| b.replay), [1.5, 1.0]);
}

#[test]
fn reached_is_monotone_and_not_below_viewers() {
    let rows = [row(0, 0, 990, 1000, 1, 0), row(0, 1, 1010, 1004, 1, 1), row(0, 2, 900, 900, 1, 2)];
    assert_eq!(column(&strip(range(1, &[Rotation::Never]), &rows), |b| b.reached), [1010, 1010, 900]);
}

#[test]
fn epochs_are_added() {
    let rows = [row(0, 0, 3, 4, 3, 0), row(0, 2, 2, 2, 2, 2), row(1, 1, 5, 5, 5, 1)];
    let strip = strip(range(1, &[Rotation::Daily, Rotation::Daily]), &rows);
    assert_eq!(column(&strip, |b| b.viewers), [3, 5, 2]);
    assert_eq!(column(&strip, |b| b.reached), [9, 7, 2]);
    assert_eq!((strip.viewers, strip.peak, strip.scope), (9, 5, Scope::ViewerDays));
}

#[test]
fn one_estimate_makes_the_strip_inexact() {
    let rows = [row(0, 0, 3, 4, 3, 0), BucketRow { exact: false, ..row(1, 0, 400, 400, 400, 0) }];
    let strip = strip(range(1, &[Rotation::Weekly, Rotation::Weekly]), &rows);
    assert_eq!((strip.exact, strip.relative_error), (false, 0.01625));
}

#[test]
fn scopes() {
    use Rotation::{Daily, Monthly, Never, Weekly};
    for (epochs, name) in [
        (vec![], "viewers"),
        (vec![Daily], "viewers"),
        (vec![Daily, Daily], "viewer-days"),
        (vec![Weekly, Weekly], "viewer-weeks"),
        (vec![Monthly, Monthly], "viewer-months"),
        (vec![Never, Never], "viewer-epochs"),
        (vec![Daily, Weekly], "viewer-epochs"),
    ] {
        assert_eq!(Scope::of(&epochs).name(), name);
        assert_eq!(serde_json::to_value(Scope::of(&epochs)).expect("a string"), name);
    }
}

#[test]
fn the_most_replayed_bucket_has_an_audience_and_stands_out() {
    let most_replayed = |rows: &[BucketRow]| {
        let strip = strip(range(1, &[Rotation::Daily]), rows);
        strip.most_replayed().map(|bucket| bucket.bucket)
    };
    let rows = [
        row(0, 0, 100, 100, 100, 0),
        row(0, 1, 90, 92, 180, 1),
        row(0, 2, 80, 82, 160, 2),
        row(0, 3, 9, 9, 90, 3),
    ];
    assert_eq!(most_replayed(&rows), Some(1), "the earliest of equals; nine people are too few");
    assert_eq!(most_replayed(&rows[..1]), None, "everybody played it once");

    let estimated = |seconds_played| BucketRow { exact: false, ..row(0, 0, 1000, 1000, seconds_played, 0) };
    assert_eq!(most_replayed(&[estimated(1040)]), None, "within the error of an estimate");
    assert_eq!(most_replayed(&[estimated(1060)]), Some(0));
    assert_eq!(most_replayed(&[]), None);
}

#[test]
fn ratios_round_half_away_from_zero() {
    assert_eq!(ratio(1, 3), 0.3333);
    assert_eq!(ratio(2, 3), 0.6667);
    assert_eq!(ratio(1, 20_000), 0.0001);
    assert_eq!(ratio(3, 20_000), 0.0002);
    assert_eq!(ratio(5, 0), 0.0);
    assert_eq!(serde_json::to_string(&ratio(2, 2)).expect("a number"), "1.0");
}
