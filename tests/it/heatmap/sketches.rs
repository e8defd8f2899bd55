//! The sketches written in Rust, with the extension as oracle: the same set gives the same bytes.

use std::collections::BTreeSet;

use heatstrip::{
    events::heartbeat::ViewerId,
    sketch::{Union, element, encode},
    viewers::hash::{Salt, viewer_hash},
};
use rand::{Rng, RngExt};
use tokio_postgres::Client;

use crate::support::{chance, database};

/// Elements a sketch holds as they are.
const MAX_EXPLICIT: usize = 320;
/// Non-zero registers a sparse sketch holds: 17 bits each, less than the 20,480 of a full one.
const MAX_SPARSE: usize = 1_204;

/// The extension's sketch of viewer hashes.
async fn of_hashes(client: &Client, hashes: &[i64]) -> Vec<u8> {
    let query =
        "SELECT hll_send(coalesce(hll_add_agg(hll_hash_bigint(h), 12, 5, -1, 1), hll_empty(12, 5, -1, 1)))
                 FROM unnest($1::bigint[]) AS h";
    let row = client.query_one(query, &[&hashes]).await.expect("a sketch");
    row.get(0)
}

/// The extension's sketch of elements, which may be such as no hash gives.
async fn of_elements(client: &Client, elements: &[i64]) -> Vec<u8> {
    let query = "SELECT hll_send(hll_add_agg(e::hll_hashval, 12, 5, -1, 1)) FROM unnest($1::bigint[]) AS e";
    let row = client.query_one(query, &[&elements]).await.expect("a sketch");
    row.get(0)
}

fn elements(hashes: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let set: BTreeSet<i64> = hashes.into_iter().map(element).collect();
    set.into_iter().collect()
}

fn hashes(rng: &mut impl Rng, count: usize) -> Vec<i64> {
    (0..count).map(|_| rng.random()).collect()
}

/// How many of the first hashes fill this many registers.
fn filling(hashes: &[i64], registers: usize) -> usize {
    let mut filled = BTreeSet::new();
    hashes
        .iter()
        .position(|&hash| {
            filled.insert(element(hash) & 0xfff);
            filled.len() == registers
        })
        .expect("enough hashes")
        + 1
}

#[tokio::test]
async fn equal_the_extensions_byte_for_byte() {
    let client = database().await.connect().await;
    let mut rng = chance();
    let pool = hashes(&mut rng, 100_000);
    let mut sizes = vec![0, 1, 2, 3, 100_000];
    sizes.extend(MAX_EXPLICIT - 2..MAX_EXPLICIT + 3);
    sizes.extend((MAX_SPARSE - 2..MAX_SPARSE + 4).map(|registers| filling(&pool, registers)));
    sizes.extend((0..12).map(|_| rng.random_range(1..320)));
    sizes.extend((0..12).map(|_| rng.random_range(321..3_000)));
    // As many of the small as of the large.
    sizes.extend((0..12).map(|_| 10f64.powf(rng.random_range(0.0..5.0)) as usize));
    for size in sizes {
        let set = &pool[pool.len() - size..];
        // The boundary between sparse and full was looked for from the front.
        for set in [set, &pool[..size]] {
            assert!(
                encode(&elements(set.iter().copied())) == of_hashes(&client, set).await,
                "{size} elements"
            );
        }
    }
}

#[tokio::test]
async fn kinds_change_where_the_extensions_do() {
    let client = database().await.connect().await;
    let pool = hashes(&mut chance(), 5_000);
    let boundary = filling(&pool, MAX_SPARSE + 1);
    for (size, kind) in [(1, 2), (MAX_EXPLICIT, 2), (MAX_EXPLICIT + 1, 3), (boundary - 1, 3), (boundary, 4)] {
        let ours = encode(&elements(pool[..size].iter().copied()));
        assert_eq!(ours[0] & 15, kind, "the kind of {size} elements");
        assert!(ours == of_hashes(&client, &pool[..size]).await, "{size} elements");
    }
}

/// Elements with extreme register values: hashes hardly ever give them.
#[tokio::test]
async fn odd_elements_are_taken_as_the_extension_takes_them() {
    let client = database().await.connect().await;
    let mut rng = chance();
    let ordinary: Vec<i64> = elements(hashes(&mut rng, 400));
    let one_bit = (0..64).map(|bit| 1i64.wrapping_shl(bit));
    let extremes = [0, 1, -1, i64::MIN, i64::MAX, i64::MIN + 1, 0xfff, 0x1000, !0xfff];
    for (name, odd) in [
        ("no bit above the register's number", (0..4096).collect()),
        ("one bit each", one_bit.collect::<Vec<i64>>()),
        ("extremes", extremes.to_vec()),
        ("one register", (1..2_000).map(|k| k << 12 | 7).collect()),
        (
            "values beyond a register",
            (40..64).flat_map(|bit| (0..100).map(move |low| 1i64 << bit | low)).collect(),
        ),
    ] {
        for others in [&ordinary[..0], &ordinary[..]] {
            let set: BTreeSet<i64> = odd.iter().chain(others).copied().collect();
            let set: Vec<i64> = set.into_iter().collect();
            let (ours, theirs) = (encode(&set), of_elements(&client, &set).await);
            assert!(ours == theirs, "{name}, with {} ordinary ones", others.len());
        }
    }
}

/// What the worker's upsert and every read rest on.
#[tokio::test]
async fn a_union_in_the_database_is_the_sketch_of_the_union() {
    let client = database().await.connect().await;
    let mut rng = chance();
    let query = "SELECT hll_send($1::bytea::hll || $2::bytea::hll)";
    for _ in 0..40 {
        let size = 10f64.powf(rng.random_range(0.0..4.0)) as usize;
        let all = elements(hashes(&mut rng, size));
        // Overlapping, and one of them may be empty.
        let (a, b) = (rng.random_range(0..=all.len()), rng.random_range(0..=all.len()));
        let parts = (encode(&all[..a.max(b)]), encode(&all[a.min(b)..]));
        let united: Vec<u8> = client.query_one(query, &[&parts.0, &parts.1]).await.expect("a union").get(0);
        assert!(united == encode(&all), "..{} and {}.. of {size}", a.max(b), a.min(b));
    }
}

/// What every number of an answer rests on.
#[tokio::test]
async fn a_union_here_counts_as_one_in_the_database() {
    let client = database().await.connect().await;
    let mut rng = chance();
    let query =
        "SELECT round(hll_cardinality(hll_union_agg(s::hll)))::bigint, hll_type(hll_union_agg(s::hll))
                 FROM unnest($1::bytea[]) AS s";
    let mut union = Union::default();
    for round in 0..200 {
        let size = 10f64.powf(rng.random_range(0.0..5.0)) as usize;
        let mut all = elements(hashes(&mut rng, size));
        if round % 4 == 0 {
            // Registers that hashes hardly ever fill so far.
            let odd = (0..rng.random_range(1..500))
                .map(|_| 1i64 << rng.random_range(12..64) | rng.random_range(0..4096));
            all = BTreeSet::from_iter(all.into_iter().chain(odd)).into_iter().collect();
        }
        let parts: Vec<Vec<u8>> = (0..rng.random_range(1..6))
            .map(|_| {
                let (a, b) = (rng.random_range(0..=all.len()), rng.random_range(0..=all.len()));
                encode(&all[a.min(b)..a.max(b)])
            })
            .collect();
        union.clear();
        for part in &parts {
            union.add(part).expect("a sketch");
        }
        let row = client.query_one(query, &[&parts]).await.expect("their count");
        let (theirs, kind): (i64, i32) = (row.get(0), row.get(1));
        assert_eq!((union.cardinality() as i64, union.is_exact()), (theirs, kind <= 2), "of {size}");
    }
}

#[tokio::test]
async fn element_is_hll_hash_bigint() {
    let client = database().await.connect().await;
    let mut hashes = hashes(&mut chance(), 20_000);
    hashes.extend([0, 1, -1, i64::MIN, i64::MAX, i64::MIN + 1, i64::MAX - 1]);
    hashes.extend((0..64).flat_map(|bit| [1i64.wrapping_shl(bit), !1i64.wrapping_shl(bit)]));
    let query = "SELECT hll_hash_bigint(h)::text::bigint
                 FROM unnest($1::bigint[]) WITH ORDINALITY AS u (h, place) ORDER BY place";
    let rows = client.query(query, &[&hashes]).await.expect("their elements");
    for (&hash, row) in hashes.iter().zip(&rows) {
        assert_eq!(element(hash), row.get::<_, i64>(0), "of {hash}");
    }
}

#[tokio::test]
async fn a_known_viewer_has_a_known_sketch() {
    let hash = viewer_hash(&ViewerId::new("sess_91f2"), &Salt::new("pepper-2026-01-01".into()));
    let golden = [0x12, 0x8c, 0x7f, 0x88, 0xc5, 0xca, 0x83, 0xd1, 0xd7, 0xcc, 0x08];
    assert_eq!(encode(&[element(hash)]), golden);
    let client = database().await.connect().await;
    assert_eq!(of_hashes(&client, &[hash]).await, golden);
}
