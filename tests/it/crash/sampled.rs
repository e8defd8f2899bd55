//! The audience's sample after all the blows: that of plain sets.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use heatstrip::{
    audience::sample::{Threshold, decode},
    events::heartbeat::ViewerId,
    sketch,
    viewers::hash::{Salt, viewer_hash},
};
use tokio_postgres::Client;

use super::load::{Key, Second, viewer_id};

/// So few that the samples are thinned under the blows.
pub const SAMPLE_SIZE: &str = "20";

type Watched = BTreeMap<(u64, String), BTreeSet<i32>>;

/// Each row holds the viewers below its threshold with all that was accepted of them, and nobody else.
pub async fn assert_sampled(
    client: &Client,
    oracle: &BTreeMap<Key, Second>,
    salts: &BTreeMap<NaiveDate, Salt>,
) {
    let mut expected: BTreeMap<(String, NaiveDate), Watched> = BTreeMap::new();
    for ((video, day, region, second), watched) in oracle {
        let of_day = expected.entry((video.clone(), *day)).or_default();
        for &viewer in &watched.viewers {
            let element = sketch::element(viewer_hash(&ViewerId::new(viewer_id(viewer)), &salts[day])) as u64;
            of_day.entry((element, (*region).to_owned())).or_default().insert(*second);
        }
    }
    let query = "SELECT video_id, captured_on, threshold, open, sealed FROM sampled_watches";
    let rows = client.query(query, &[]).await.expect("the rows");
    assert_eq!(rows.len(), expected.len(), "a row a video-day");
    let mut thinned = 0;
    for row in rows {
        let (video, day): (&str, NaiveDate) = (row.get("video_id"), row.get("captured_on"));
        let threshold = Threshold::from_column(row.get("threshold"));
        let mut watches = Vec::new();
        for bytes in [row.get::<_, Option<&[u8]>>("sealed"), row.get("open")].into_iter().flatten() {
            decode(bytes, |element| threshold.keeps(element), &mut watches).expect("stretches");
        }
        let mut found = Watched::new();
        for watch in watches {
            let seconds = found.entry((watch.element, watch.region.to_owned())).or_default();
            seconds.extend(watch.start_sec..=watch.end_sec);
        }
        let mut expected = expected.remove(&(video.to_owned(), day)).expect("it was watched");
        expected.retain(|(element, _), _| threshold.keeps(*element));
        assert_eq!(found, expected, "{video} {day}");
        thinned += u32::from(!threshold.keeps_all());
    }
    println!("{thinned} samples were thinned");
    assert!(thinned > 0, "no sample was thinned");
}
