//! Folds one batch of 100,000 heartbeats, for `script/count-instructions` to count what that takes.

use heatstrip::heatmap::fold;

#[path = "../benches/batch/mod.rs"]
mod batch;

const HEARTBEATS: usize = 100_000;

fn main() {
    let batch = batch::batch(HEARTBEATS);
    let heartbeats: Vec<_> = batch.iter().collect::<Result<_, _>>().expect("heartbeats");
    let folded = fold::fold(&heartbeats);
    println!("{HEARTBEATS} heartbeats, {} runs", folded.runs.len());
}
