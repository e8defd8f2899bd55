//! heatstrip beside its peers, in one run on one machine, on the same heartbeats; writes `docs/benchmarks.md`.
//!
//! ```sh
//! script/bench            # everything, at most 30 minutes
//! script/bench --quick    # the essential comparison, 3 minutes
//! ```
//!
//! `--only NAME` runs one section and prints it. What a ratio compares is measured in turns, so that a noisy moment
//! meets both sides.

mod audience;
mod growth;
mod http;
mod ingest;
mod load;
mod peers;
mod picture;
mod postgres;
mod process;
mod reads;
mod report;
mod videos;

use report::Section;

/// How much is measured.
pub struct Plan {
    /// Whether it is the essential comparison.
    pub quick: bool,
    /// Heartbeats of the comparison.
    pub beats: usize,
    /// Heartbeats the slow peers get.
    pub sample: usize,
    /// Seconds of each turn of a load.
    pub load_secs: u32,
    /// Backlogs of the growth section.
    pub backlogs: &'static [usize],
    /// Backlogs of the growth of dense rows: two of them so large that nearly all are.
    pub event_backlogs: &'static [usize],
}

const FULL: Plan = Plan {
    quick: false,
    beats: 480_000,
    sample: 20_000,
    load_secs: 6,
    backlogs: &[10_000, 100_000, 1_000_000, 10_000_000],
    event_backlogs: &[100_000, 1_000_000, 5_000_000, 10_000_000],
};
const QUICK: Plan = Plan {
    quick: true,
    beats: 200_000,
    sample: 4_000,
    load_secs: 2,
    backlogs: &[10_000, 100_000],
    event_backlogs: &[10_000, 100_000],
};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let plan = if arguments.iter().any(|argument| argument == "--quick") { QUICK } else { FULL };
    let only = arguments.iter().position(|argument| argument == "--only").map(|at| arguments[at + 1].clone());
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);

    // The report grows with the run: what was measured is kept if something later fails.
    let writes = !plan.quick && only.is_none();
    let mut sections: Vec<Section> = Vec::new();
    let mut done = |section: Section| {
        println!("{}", section.markdown());
        sections.push(section);
        if writes { report::write(&sections) } else { Ok(()) }
    };
    if wanted("ingest") {
        done(ingest::section(&plan).await?)?;
    }
    if wanted("recorded") && !(plan.quick && only.is_none()) {
        done(ingest::recorded_section(&plan).await?)?;
    }
    if wanted("http") {
        done(http::section(&plan).await?)?;
    }
    if wanted("reads") {
        done(reads::section(&plan).await?)?;
    }
    if wanted("videos") && !(plan.quick && only.is_none()) {
        done(videos::section().await?)?;
    }
    if wanted("growth") {
        done(growth::section(&plan).await?)?;
    }
    if wanted("event") {
        done(growth::dense_section(&plan).await?)?;
    }
    Ok(())
}
