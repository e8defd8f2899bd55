//! Random input can be had again by its seed.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Returns a generator with a fresh seed, which is printed with the output of a failing test; `HEATSTRIP_TEST_SEED`
/// repeats it.
pub fn chance() -> ChaCha8Rng {
    let seed = match std::env::var("HEATSTRIP_TEST_SEED") {
        Ok(seed) => seed.parse().expect("HEATSTRIP_TEST_SEED is a number"),
        Err(_) => rand::random(),
    };
    println!("to repeat: HEATSTRIP_TEST_SEED={seed}");
    ChaCha8Rng::seed_from_u64(seed)
}
