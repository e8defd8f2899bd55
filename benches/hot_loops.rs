//! The pure hot loops: what a heartbeat and a strip cost before and after Postgres has its say.
//!
//! `script/count-instructions` counts what the fold takes, which needs no quiet machine.

use std::hint::black_box;

use chrono::NaiveDate;
use divan::{Bencher, counter::ItemsCount};
use heatstrip::{
    events::{
        heartbeat::{self, Arrival, ViewerId},
        region::Region,
    },
    heatmap::{
        fold,
        run::{self, Run},
        strip::{
            self, BucketRow, StripRange,
            buckets::{Buckets, Part},
        },
    },
    sketch,
    viewers::{epoch::Rotation, hash},
};

mod batch;

/// Around the steps of a sketch's size: one viewer, a few, the last explicit set, the first sparse one, a full one.
const VIEWERS: [usize; 5] = [1, 20, 320, 321, 5_000];
/// A video of 20 minutes, at 5 seconds a bucket and at one.
const BUCKETS: [u32; 2] = [240, 1_200];

fn main() {
    divan::main();
}

#[divan::bench]
fn hash_viewer_id(bencher: Bencher) {
    let salt = batch::salt();
    let viewer_id = ViewerId::new("demo-viewer-00042");
    bencher.bench(|| hash::viewer_hash(black_box(&viewer_id), &salt));
}

#[divan::bench]
fn parse_heartbeat(bencher: Bencher) {
    let beats = batch::beats(1);
    let json = beats[0].json();
    let arrival = Arrival {
        now: beats[0].at,
        default_region: Region::parse("US").expect("a region"),
        max_age: Some(heartbeat::MAX_AGE),
        captured_on: None,
        terms: None,
    };
    bencher.bench(|| heartbeat::parse(black_box(&json), &arrival).expect("a good heartbeat"));
}

#[divan::bench(args = [10_000, 100_000])]
fn fold_batch(bencher: Bencher, heartbeats: usize) {
    let batch = batch::batch(heartbeats);
    let batch: Vec<_> = batch.iter().collect::<Result<_, _>>().expect("heartbeats");
    bencher.counter(ItemsCount::new(heartbeats)).bench(|| fold::fold(black_box(&batch)));
}

#[divan::bench(args = VIEWERS)]
fn sketch_elements(bencher: Bencher, viewers: usize) {
    bencher
        .counter(ItemsCount::new(viewers))
        .bench(|| (0..black_box(viewers as i64)).map(sketch::element).fold(0, i64::wrapping_add));
}

#[divan::bench(args = VIEWERS)]
fn encode_sketch(bencher: Bencher, viewers: usize) {
    let elements = elements(viewers);
    bencher.counter(ItemsCount::new(viewers)).bench(|| sketch::encode(black_box(&elements)));
}

/// Eight regions of a bucket.
#[divan::bench(args = VIEWERS)]
fn unite_sketches(bencher: Bencher, viewers: usize) {
    let sketch = sketch::encode(&elements(viewers));
    let mut union = sketch::Union::default();
    bencher.counter(ItemsCount::new(8_u32)).bench_local(|| {
        union.clear();
        (0..8).for_each(|_| union.add(black_box(&sketch)).expect("a sketch"));
    });
}

#[divan::bench(args = VIEWERS)]
fn estimate_union(bencher: Bencher, viewers: usize) {
    let sketch = sketch::encode(&elements(viewers));
    let mut union = sketch::Union::default();
    // A union that was asked before would remember.
    bencher.bench_local(|| {
        union.clear();
        union.add(black_box(&sketch)).expect("a sketch");
        union.cardinality()
    });
}

/// What a strip unites: days of runs, several of which are present at once, as the reads bring them.
struct Runs {
    /// Epoch, first and last second, and which sketch.
    runs: Vec<(usize, u32, u32, usize)>,
    sketches: Vec<Vec<u8>>,
}

impl Runs {
    /// `runs` of `secs` seconds each, spread over a video; sketches of one to sixty viewers, as in the long tail.
    fn spread(epochs: usize, runs: u32, secs: u32, video_secs: u32) -> Runs {
        let sketches =
            (0..1_000).map(|n| sketch::encode(&elements_from(n * 37, 1 + n as usize % 60))).collect();
        let mut all = Vec::new();
        for epoch in 0..epochs {
            for run in 0..runs {
                let start_sec = run * 7_919 % (video_secs - secs);
                all.push((epoch, start_sec, start_sec + secs - 1, run as usize * 31 % 1_000));
            }
        }
        all.sort_unstable_by_key(|&(epoch, _, end_sec, _)| (epoch, std::cmp::Reverse(end_sec)));
        Runs { runs: all, sketches }
    }

    fn unite(&self, resolution: u32) -> Vec<BucketRow> {
        let mut buckets = Buckets::new(resolution);
        for &(epoch, start_sec, end_sec, sketch) in &self.runs {
            let part = Part { epoch, start_sec, end_sec, plays: 3, viewers: &self.sketches[sketch] };
            buckets.add(part).expect("a sketch");
        }
        buckets.finish().expect("sketches")
    }
}

/// Four weeks of daily epochs, 500 canonical runs a day.
#[divan::bench(args = [5, 1])]
fn unite_four_weeks_of_runs(bencher: Bencher, resolution: u32) {
    let runs = Runs::spread(28, 500, 9, 1_200);
    bencher.counter(ItemsCount::new(14_000_u32)).bench(|| black_box(&runs).unite(resolution));
}

/// The same weeks as one epoch.
#[divan::bench(args = [5, 1])]
fn unite_a_month_of_runs(bencher: Bencher, resolution: u32) {
    let runs = Runs::spread(1, 14_000, 9, 1_200);
    bencher.counter(ItemsCount::new(14_000_u32)).bench(|| black_box(&runs).unite(resolution));
}

/// The most shard runs that a day may have before it is compacted.
#[divan::bench(args = [5, 1])]
fn unite_todays_shard_runs(bencher: Bencher, resolution: u32) {
    let runs = Runs::spread(1, 13_000, 8, 1_200);
    bencher.counter(ItemsCount::new(13_000_u32)).bench(|| black_box(&runs).unite(resolution));
}

/// A film of 90 minutes that thousands watch from beginning to end, an hour each: all of them stand at once.
#[divan::bench(args = [1_000, 13_000])]
fn unite_viewings_of_a_film(bencher: Bencher, viewings: u32) {
    let runs = Runs::spread(1, viewings, 3_600, 5_400);
    bencher.counter(ItemsCount::new(viewings)).bench(|| black_box(&runs).unite(5));
}

/// A block of a popular video in one region: 3,600 seconds as two windows saw them, with as many viewers each.
#[divan::bench(args = VIEWERS)]
fn merge_seconds(bencher: Bencher, viewers: usize) {
    let elements = elements(viewers * 2);
    let mut runs = Vec::new();
    for second in 0..3_600 {
        for of_window in elements.chunks(viewers) {
            let viewers = sketch::encode(of_window);
            runs.push(Run { start_sec: second, end_sec: second, viewers, plays: i64::from(second) });
        }
    }
    bencher
        .counter(ItemsCount::new(runs.len()))
        .with_inputs(|| runs.clone())
        .bench_values(|runs| run::merge(black_box(runs).into_iter()).expect("sketches"));
}

/// A film as it came in, beat by beat of three viewers.
#[divan::bench]
fn merge_beats(bencher: Bencher) {
    let viewers = [1, 2, 3].map(|viewer| sketch::encode(&[sketch::element(viewer)]));
    let mut runs = Vec::new();
    for (viewers, pause) in viewers.iter().zip([0, 3, 7]) {
        for start_sec in (pause..3_590).step_by(10) {
            runs.push(Run { start_sec, end_sec: start_sec + 9, viewers: viewers.clone(), plays: 1 });
        }
    }
    bencher
        .counter(ItemsCount::new(runs.len()))
        .with_inputs(|| runs.clone())
        .bench_values(|runs| run::merge(black_box(runs).into_iter()).expect("sketches"));
}

fn elements(viewers: usize) -> Vec<i64> {
    elements_from(0, viewers)
}

fn elements_from(first: i64, viewers: usize) -> Vec<i64> {
    let mut elements: Vec<i64> = (first..first + viewers as i64).map(sketch::element).collect();
    elements.sort_unstable();
    elements
}

#[divan::bench(args = BUCKETS)]
fn make_strip(bencher: Bencher, buckets: u32) {
    let rows = rows(buckets);
    bencher.with_inputs(|| range(buckets)).bench_values(|range| strip::strip(range, black_box(&rows)));
}

#[divan::bench(args = BUCKETS)]
fn strip_to_json(bencher: Bencher, buckets: u32) {
    let strip = strip::strip(range(buckets), &rows(buckets));
    bencher.bench(|| serde_json::to_string(black_box(&strip)).expect("a strip serializes"));
}

fn range(buckets: u32) -> StripRange {
    let day = NaiveDate::from_ymd_opt(2026, 11, 20);
    StripRange {
        video_id: "how-hyperloglog-counts".into(),
        regions: vec!["GLOBAL".into()],
        resolution: 1_200 / buckets,
        from: day,
        to: day,
        epochs: vec![Rotation::Daily],
    }
}

/// An audience that shrinks by the same number from bucket to bucket.
fn rows(buckets: u32) -> Vec<BucketRow> {
    let resolution = 1_200 / buckets;
    (0..buckets)
        .map(|bucket| {
            let viewers = 50_000 - u64::from(bucket) * 30;
            BucketRow {
                epoch: 0,
                bucket,
                viewers,
                reached: viewers + 700,
                seconds_played: viewers * u64::from(resolution),
                last_sec: (bucket + 1) * resolution - 1,
                exact: false,
            }
        })
        .collect()
}
