//! Folds one batch of 100,000 heartbeats, for `script/count-instructions` to count what that takes.

use heatstrip::heatmap::fold;

#[path = "../benches/batch/mod.rs"]
mod batch;

const HEARTBEATS: usize = 100_000;

fn main() {
    let batch = batch::batch(HEARTBEATS);
    let folded = fold::fold(&batch);
    println!("{HEARTBEATS} heartbeats, {} runs", folded.runs.len());
}
