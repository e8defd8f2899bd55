//! Runs are added to the rows of a spread block here, to its seconds and to its coarser levels. Pure and hot.

use std::collections::HashMap;

use super::run::Run;
use crate::sketch::{Union, Unreadable};

/// The levels there are, in seconds a bucket; the first is the finest.
pub const LEVELS: [i32; 3] = [1, 5, 60];

/// A row of a level, of one video, region and day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub bucket_sec: i32,
    pub last_sec: i32,
    /// The sketch of the viewers of any of its seconds.
    pub viewers: Vec<u8>,
    /// The plays of its seconds, all together.
    pub plays: i64,
}

/// The seconds of runs, which ascend and do not overlap, united with those that are there, by second. Seconds that are not
/// there yet stay stretches: one sketch goes to the database for all of them.
pub fn seconds(runs: &[Run], there: &HashMap<i32, Bucket>) -> Result<Vec<Run>, Unreadable> {
    let mut written = Vec::with_capacity(runs.len());
    let mut union = Union::default();
    for run in runs {
        let mut start_sec = run.start_sec;
        for second in run.start_sec..=run.end_sec {
            let Some(row) = there.get(&second) else { continue };
            if start_sec < second {
                written.push(Run { start_sec, end_sec: second - 1, ..run.clone() });
            }
            start_sec = second + 1;
            union.clear();
            union.add(&row.viewers)?;
            union.add(&run.viewers)?;
            let (viewers, plays) = (union.encode(), row.plays + run.plays);
            written.push(Run { start_sec: second, end_sec: second, viewers, plays });
        }
        if start_sec <= run.end_sec {
            written.push(Run { start_sec, ..run.clone() });
        }
    }
    Ok(written)
}

/// The buckets of runs, which ascend and do not overlap, united with those that are there, by first second.
pub fn buckets(
    bucket_secs: i32,
    runs: &[Run],
    mut there: HashMap<i32, Bucket>,
) -> Result<Vec<Bucket>, Unreadable> {
    let mut written: Vec<Bucket> = Vec::new();
    let mut union = Union::default();
    let mut rest = runs;
    while let Some(first) = rest.first() {
        // The next bucket lies behind the last that was written, and not before the run begins.
        let behind = written.last().map_or(i32::MIN, |last| last.bucket_sec + bucket_secs);
        let bucket_sec = (first.start_sec / bucket_secs * bucket_secs).max(behind);
        let end_sec = bucket_sec + bucket_secs - 1;
        let many = rest.partition_point(|run| run.start_sec <= end_sec);
        let last_sec = rest[many - 1].end_sec.min(end_sec);
        let plays = rest[..many]
            .iter()
            .map(|run| run.plays * i64::from(run.end_sec.min(end_sec) - run.start_sec.max(bucket_sec) + 1));
        let mut bucket = Bucket { bucket_sec, last_sec, viewers: Vec::new(), plays: plays.sum() };
        let row = there.remove(&bucket_sec);
        match (&row, &rest[..many]) {
            (None, [alone]) => bucket.viewers.clone_from(&alone.viewers),
            (row, several) => {
                union.clear();
                several.iter().try_for_each(|run| union.add(&run.viewers))?;
                if let Some(row) = row {
                    union.add(&row.viewers)?;
                    bucket.plays += row.plays;
                    bucket.last_sec = bucket.last_sec.max(row.last_sec);
                }
                bucket.viewers = union.encode();
            }
        }
        written.push(bucket);
        let over = rest[..many].iter().filter(|run| run.end_sec <= end_sec).count();
        rest = &rest[over..];
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::{element, encode};

    fn sketch(viewers: &[i64]) -> Vec<u8> {
        let mut elements: Vec<i64> = viewers.iter().copied().map(element).collect();
        elements.sort_unstable();
        encode(&elements)
    }

    fn run(start_sec: i32, end_sec: i32, viewers: &[i64], plays: i64) -> Run {
        Run { start_sec, end_sec, viewers: sketch(viewers), plays }
    }

    fn bucket(bucket_sec: i32, last_sec: i32, viewers: &[i64], plays: i64) -> Bucket {
        Bucket { bucket_sec, last_sec, viewers: sketch(viewers), plays }
    }

    fn there(rows: &[Bucket]) -> HashMap<i32, Bucket> {
        rows.iter().map(|row| (row.bucket_sec, row.clone())).collect()
    }

    #[test]
    fn seconds_that_are_there_are_united_and_the_others_stay_stretches() {
        let rows = there(&[bucket(3, 3, &[7], 2), bucket(9, 9, &[1], 1), bucket(30, 30, &[1], 1)]);
        assert_eq!(
            seconds(&[run(0, 5, &[1], 1), run(6, 9, &[2], 4)], &rows),
            Ok(vec![
                run(0, 2, &[1], 1),
                run(3, 3, &[1, 7], 3),
                run(4, 5, &[1], 1),
                run(6, 8, &[2], 4),
                run(9, 9, &[1, 2], 5),
            ])
        );
        assert_eq!(seconds(&[run(0, 5, &[1], 1)], &HashMap::new()), Ok(vec![run(0, 5, &[1], 1)]));
        assert_eq!(seconds(&[], &rows), Ok(vec![]));
    }

    #[test]
    fn buckets_take_what_of_a_run_is_theirs() {
        let runs = [run(3, 4, &[1], 1), run(5, 6, &[2], 2), run(8, 21, &[3], 1), run(60, 60, &[4], 9)];
        assert_eq!(
            buckets(5, &runs, there(&[bucket(10, 14, &[8], 5), bucket(20, 23, &[3], 4)])),
            Ok(vec![
                bucket(0, 4, &[1], 2),
                bucket(5, 9, &[2, 3], 6),
                bucket(10, 14, &[3, 8], 10),
                bucket(15, 19, &[3], 5),
                bucket(20, 23, &[3], 6),
                bucket(60, 60, &[4], 9),
            ])
        );
        assert_eq!(
            buckets(60, &runs, HashMap::new()),
            Ok(vec![bucket(0, 21, &[1, 2, 3], 20), bucket(60, 60, &[4], 9)])
        );
        assert_eq!(buckets(60, &[], HashMap::new()), Ok(vec![]));
    }
}
