//! The estimates are as good as `docs/accuracy.md` says, and a union is as good as its set.

use heatstrip::sketch;
use tokio_postgres::{Client, NoTls};

use crate::support::database;

const SETS: u64 = 60;

/// The largest root mean square errors that pass, in percent, generous against what `docs/accuracy.md` measured: 60
/// sets give a root mean square within a fifth or so of that of all sets.
const LIMITS: [(u64, f64); 4] = [(500, 2.2), (5_000, 2.2), (10_000, 3.6), (20_000, 2.2)];

#[tokio::test]
async fn estimates_err_no_more_than_documented() {
    let database = connect().await;
    for (size, limit) in LIMITS {
        let sketches: Vec<Vec<u8>> = (0..SETS).map(|seed| sketch::encode(&elements(seed, 0..size))).collect();
        let rows = database
            .query(
                "SELECT round(hll_cardinality(b::hll))::bigint FROM unnest($1::bytea[]) AS sketches (b)",
                &[&sketches],
            )
            .await
            .expect("estimates");
        assert_eq!(rows.len(), sketches.len());
        let squares: f64 =
            rows.iter().map(|row| (row.get::<_, i64>(0) as f64 / size as f64 - 1.0).powi(2)).sum();
        let percent = (squares / SETS as f64).sqrt() * 100.0;
        assert!(percent <= limit, "RMSE {percent:.2} % at {size} viewers");
        assert!(percent >= 0.5, "too good to be estimates: {percent:.2} % at {size}");
    }
}

/// Everybody is in one region, every eighth in another one too. The smallest parts are explicit, the largest full.
#[tokio::test]
async fn a_union_over_regions_equals_the_sketch_of_all() {
    const REGIONS: u64 = 8;
    let database = connect().await;
    for size in [300, 500, 5_000, 10_000, 20_000] {
        for seed in 0..3 {
            let parts: Vec<Vec<u8>> = (0..REGIONS)
                .map(|region| {
                    let here = |viewer: &u64| {
                        viewer % REGIONS == region
                            || (viewer.is_multiple_of(8) && viewer / 8 % REGIONS == region)
                    };
                    sketch::encode(&elements(seed, (0..size).filter(here)))
                })
                .collect();
            let row = database
                .query_one(
                    "SELECT hll_send(hll_union_agg(b::hll)) FROM unnest($1::bytea[]) AS parts (b)",
                    &[&parts],
                )
                .await
                .expect("a union");
            let all = sketch::encode(&elements(seed, 0..size));
            assert!(row.get::<_, &[u8]>(0) == all, "{size} viewers, seed {seed}");
        }
    }
}

/// The elements of some viewers of a seed, ascending and distinct. Seeds share nobody.
fn elements(seed: u64, viewers: impl Iterator<Item = u64>) -> Vec<i64> {
    let mut elements: Vec<i64> =
        viewers.map(|viewer| sketch::element((seed << 32 | viewer) as i64)).collect();
    elements.sort_unstable();
    elements.dedup();
    elements
}

async fn connect() -> Client {
    let database = database().await;
    let (client, connection) = tokio_postgres::connect(&database.url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}
