//! The rows themselves, canonical and shard rows of every form united, against plain sets.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDate;
use heatstrip::{
    events::heartbeat::ViewerId,
    sketch::{element, encode},
    viewers::hash::viewer_hash,
};

use super::{Engine, Said};
use crate::heatmap::levels::assert_levels_agree;

/// The union of all rows of a second is the sketch of exactly those who were there, its plays are exact.
pub async fn assert_rows(engine: &Engine, said: &[Said]) {
    let epochs = engine.epochs().await;
    type Second = (String, String, NaiveDate, i32);
    let mut expected: BTreeMap<Second, (BTreeSet<i64>, i64)> = BTreeMap::new();
    let mut elements: HashMap<(u32, usize), i64> = HashMap::new();
    for beat in said {
        let epoch = epochs.iter().position(|epoch| epoch.holds(beat.day)).expect("the epoch of a day");
        let element = *elements.entry((beat.viewer, epoch)).or_insert_with(|| {
            let viewer = format!("viewer {}", beat.viewer);
            element(viewer_hash(&ViewerId::new(viewer), epochs[epoch].salt.as_ref().expect("a salt")))
        });
        for sec in beat.secs.clone() {
            let key = (beat.video.clone(), beat.region.clone(), beat.day, sec as i32);
            let (viewers, plays) = expected.entry(key).or_default();
            viewers.insert(element);
            *plays += 1;
        }
    }
    let query = "
        SELECT video_id, region, captured_on, bucket_sec, hll_send(hll_union_agg(viewers)) AS sketch, sum(plays)::bigint AS plays
        FROM video_heatmap_seconds
        GROUP BY 1, 2, 3, 4";
    let rows = engine.sql.query(query, &[]).await.expect("all rows");
    assert_eq!(rows.len(), expected.len());
    for row in rows {
        let key = (row.get(0), row.get(1), row.get(2), row.get(3));
        let (viewers, plays) = &expected[&key];
        let viewers: Vec<i64> = viewers.iter().copied().collect();
        assert!(row.get::<_, Vec<u8>>("sketch") == encode(&viewers), "the viewers of {key:?}");
        assert_eq!(row.get::<_, i64>("plays"), *plays, "the plays of {key:?}");
    } // And with them the rows of GLOBAL and of the coarser levels.
    assert_levels_agree(&engine.sql).await;
}
