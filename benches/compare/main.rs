//! heatstrip beside its peers, on one machine and on the same heartbeats; writes `docs/benchmarks.md`.
//!
//! ```sh
//! script/bench                                                   # every section but the sustained run
//! script/bench --quick                                           # the essential comparison, 3 minutes, writes nothing
//! script/bench --only sustained --rate 100000 --minutes 10       # a million viewers, for ten minutes
//! script/bench --only reads --only planning --write              # some sections, put into the document
//! ```
//!
//! What a ratio compares is measured in turns where it can be, so that a noisy moment meets both sides.

mod audience;
mod contest;
mod cpu;
mod dense;
mod disk;
mod engine;
mod growth;
mod http;
mod ingest;
mod keys;
mod load;
mod memory;
mod nats;
mod peers;
mod picture;
mod planning;
mod postgres;
mod process;
mod reads;
mod report;
mod sample;
mod siege;
mod sustained;
mod videos;

use std::time::Instant;

use anyhow::bail;
use chrono::Utc;
use clap::Parser;
use report::Section;

/// How much is measured.
pub struct Plan {
    /// Whether it is the essential comparison.
    pub quick: bool,
    /// Heartbeats of the comparison.
    pub beats: usize,
    /// Heartbeats the slow peers get.
    pub sample: usize,
    /// Viewings of films.
    pub viewings: usize,
    /// Seconds of each turn of a load.
    pub load_secs: u32,
    /// Turns of each cold read.
    pub turns: usize,
    /// Videos of the list.
    pub catalogue: usize,
    /// Backlogs of the growth section.
    pub backlogs: &'static [usize],
    /// Backlogs of the growth of dense rows: two of them so large that nearly all are.
    pub event_backlogs: &'static [usize],
    /// Viewers of the stream that goes on for a day.
    pub stream_viewers: usize,
}

const FULL: Plan = Plan {
    quick: false,
    beats: 480_000,
    sample: 20_000,
    viewings: 2_000,
    load_secs: 6,
    turns: 15,
    catalogue: 100_000,
    backlogs: &[10_000, 100_000, 1_000_000, 10_000_000],
    event_backlogs: &[100_000, 1_000_000, 5_000_000, 10_000_000],
    stream_viewers: 1_000,
};
const QUICK: Plan = Plan {
    quick: true,
    beats: 200_000,
    sample: 4_000,
    viewings: 200,
    load_secs: 2,
    turns: 5,
    backlogs: &[10_000, 100_000],
    event_backlogs: &[10_000, 100_000],
    stream_viewers: 100,
    ..FULL
};
/// Proves that the program works; its numbers mean nothing.
const TINY: Plan = Plan {
    beats: 10_000,
    sample: 500,
    viewings: 30,
    load_secs: 1,
    turns: 3,
    catalogue: 1_000,
    backlogs: &[2_000, 10_000],
    event_backlogs: &[2_000, 10_000],
    stream_viewers: 10,
    ..QUICK
};

/// Each section by the name it is asked for, in the order of the document.
const SECTIONS: [(&str, &str); 15] = [
    ("ingest", ingest::TITLE),
    ("crowd", ingest::CROWD_TITLE),
    ("recorded", ingest::RECORDED_TITLE),
    ("disk", disk::TITLE),
    (SUSTAINED, sustained::TITLE),
    ("http", http::TITLE),
    ("keys", keys::TITLE),
    ("siege", siege::TITLE),
    ("nats", nats::TITLE),
    ("reads", reads::TITLE),
    ("planning", planning::TITLE),
    ("videos", videos::TITLE),
    ("growth", growth::TITLE),
    ("dense", dense::TITLE),
    ("sample", sample::TITLE),
];
/// Takes as long as it is told to, so it runs only when it is asked for.
const SUSTAINED: &str = "sustained";
/// The essential comparison.
const ESSENTIAL: [&str; 5] = ["ingest", "crowd", "http", "reads", "growth"];

#[derive(Parser)]
struct Arguments {
    /// The essential comparison with fewer heartbeats
    #[arg(long)]
    quick: bool,
    /// Next to nothing of everything, to try the program itself
    #[arg(long)]
    tiny: bool,
    /// Only this section; may be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Put what `--only` measured into docs/benchmarks.md
    #[arg(long, conflicts_with_all = ["quick", "tiny"])]
    write: bool,
    #[command(flatten)]
    sustained: sustained::Options,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let plan = match (arguments.tiny, arguments.quick) {
        (true, _) => TINY,
        (_, true) => QUICK,
        _ => FULL,
    };
    if let Some(unknown) =
        arguments.only.iter().find(|name| SECTIONS.iter().all(|section| section.0 != **name))
    {
        bail!("there is no section {unknown}: {}", SECTIONS.map(|section| section.0).join(", "));
    }
    let wanted = |name: &str| match arguments.only.is_empty() {
        true if plan.quick => ESSENTIAL.contains(&name),
        true => name != SUSTAINED,
        false => arguments.only.iter().any(|only| only == name),
    };
    let writes = arguments.write || (!plan.quick && arguments.only.is_empty());
    for (name, _) in SECTIONS.iter().filter(|section| wanted(section.0)) {
        let (began, started) = (Utc::now(), Instant::now());
        let mut section = measure(name, &plan, &arguments.sustained).await?;
        section.measured = format!(
            "Measured on {}, in {:.0} s.",
            began.format("%Y-%m-%d at %H:%M UTC"),
            started.elapsed().as_secs_f64()
        );
        println!("{}", section.markdown());
        // The document grows with the run: what was measured is kept if something later fails.
        if writes {
            report::write(&section, &SECTIONS.map(|section| section.1))?;
        }
    }
    Ok(())
}

async fn measure(name: &str, plan: &Plan, sustained: &sustained::Options) -> anyhow::Result<Section> {
    match name {
        "ingest" => ingest::section(plan).await,
        "crowd" => ingest::crowd_section(plan).await,
        "recorded" => ingest::recorded_section(plan).await,
        "disk" => disk::section(plan).await,
        SUSTAINED => sustained::section(sustained).await,
        "http" => http::section(plan).await,
        "keys" => keys::section(plan).await,
        "siege" => siege::section(plan).await,
        "nats" => nats::section(plan).await,
        "reads" => reads::section(plan).await,
        "planning" => planning::section().await,
        "videos" => videos::section(plan).await,
        "growth" => growth::section(plan).await,
        "dense" => dense::section(plan).await,
        "sample" => sample::section(plan).await,
        _ => bail!("there is no section {name}"),
    }
}
