//! `heatstrip replay`

use std::{
    fs::File,
    io::{self, IsTerminal, Seek},
    path::PathBuf,
};

use anyhow::{Context, bail};
use chrono::NaiveDate;
use indicatif::{ProgressBar, ProgressStyle};
use uuid::Uuid;

use crate::{
    catalogue::durations::Durations,
    clock::Clock,
    config,
    events::{refusal::Refusal, region::Region},
    import::{
        file::{self, Elements, Format},
        replay::{Destination, Summary, chunks, client},
    },
    ingest::xapi,
    postgres::Store,
    queue::{
        Queue,
        batch_ids::{REPLAY_MEMORY, Ring},
    },
    viewers::salt::Salts,
};

/// A chunk and the look-up of a salt need no more.
const CONNECTIONS: usize = 4;

/// Sessions of xAPI statements take this much memory where nobody says how much.
pub const DEFAULT_MEMORY_MIB: u32 = 256;

/// The flags of `heatstrip replay`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Send to the API there instead of into the database; its limits apply, the 48 hours among them
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Heartbeats in the queue above which a word is said; a replay is never refused
    #[arg(long, env = "HEATSTRIP_QUEUE_MAX_HEARTBEATS", default_value_t = 20_000_000)]
    queue_max_heartbeats: u64,
    #[command(flatten)]
    salts: config::SaltSettings,
    #[command(flatten)]
    view_salts: config::ViewSaltSettings,
}

/// The file to replay, and how it is read.
#[derive(Debug, clap::Args)]
pub struct Source {
    /// File of heartbeats or xAPI video statements, a JSON object a line, plain or gzip; - for standard input
    pub file: PathBuf,
    /// What the lines are
    #[arg(long, value_enum, default_value = "heartbeats")]
    pub format: Format,
    /// Count everything on this UTC day instead of each heartbeat's own
    #[arg(long, value_name = "DATE")]
    pub captured_on: Option<NaiveDate>,
    /// Count a file again that was replayed in the last 48 hours
    #[arg(long)]
    pub again: bool,
    /// Memory for the sessions of xAPI statements; a file with more of them is read several times
    #[arg(long, value_name = "MIB", default_value_t = DEFAULT_MEMORY_MIB, value_parser = clap::value_parser!(u32).range(1..))]
    pub memory_mib: u32,
    /// Region of heartbeats that name none
    #[arg(long, env = "HEATSTRIP_DEFAULT_REGION", default_value = "ZZ")]
    pub default_region: Region,
}

/// Runs `heatstrip replay`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let clock = Clock::system();
    if arguments.source.captured_on.is_some_and(|day| day > clock.today()) {
        bail!("--captured-on lies in the future");
    }
    let destination = destination(&arguments, &clock).await?;
    let summary = replay(&arguments.source, &destination).await?;
    if let Destination::Queue { queue, .. } = &destination {
        let queued = queue.depth().await?.heartbeats;
        if queued > arguments.queue_max_heartbeats {
            eprintln!("{queued} heartbeats wait to be folded: until workers catch up the API answers 503");
        }
    }
    if summary.accepted + summary.known == 0 && !summary.rejected.is_empty() {
        bail!("nothing was accepted");
    }
    Ok(())
}

async fn destination(arguments: &Arguments, clock: &Clock) -> anyhow::Result<Destination> {
    if let Some(url) = &arguments.to {
        let url = url.trim_end_matches('/').to_owned();
        return Ok(Destination::Api { client: client(), url, clock: clock.clone() });
    }
    let store = Store::connect(&config::database_url()?, CONNECTIONS).await?;
    let queue = Queue::open(&store, config::queue_url()?.as_deref()).await?;
    if let Queue::Table(store) = &queue {
        store.rotate_batch_ids(Ring::Replay, REPLAY_MEMORY, clock.now()).await?;
    }
    let salts = Salts::of_a_visitor(store.clone(), arguments.salts.source()?, clock.clone())
        .with_views_rotation(arguments.view_salts.views_salt_rotation);
    let durations = Durations::new(store);
    Ok(Destination::Queue { queue, salts, durations, clock: clock.clone() })
}

/// Replays a file or standard input and prints what became of it, also when it breaks off.
pub async fn replay(source: &Source, destination: &Destination) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let outcome = if source.file.as_os_str() == "-" {
        eprintln!("from standard input nothing is remembered: replayed again it counts again");
        let mut stdin = Some(io::stdin());
        let open = || match stdin.take() {
            Some(stdin) => file::elements(stdin),
            None => Err(io::Error::other(
                "a pipe cannot be read twice, and its sessions do not fit into --memory-mib: replay a file, or give more",
            )),
        };
        replay_elements(source, open, |_| None, destination, &mut summary).await
    } else {
        replay_file(source, destination, &mut summary).await
    };
    print(&summary);
    let remembered = source.file.as_os_str() != "-" && !source.again;
    outcome.map(|()| summary).map_err(|error| match remembered {
        true => error.context("broke off: run the same replay again, what was taken is not counted twice"),
        false => error.context("broke off: what was taken would count again"),
    })
}

async fn replay_file(
    source: &Source,
    destination: &Destination,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let cannot = || format!("cannot read {}", source.file.display());
    let mut file = File::open(&source.file).with_context(cannot)?;
    let progress = progress(file.metadata().with_context(cannot)?.len());
    let fingerprint = file::fingerprint(&mut file).with_context(cannot)?;
    file.rewind().with_context(cannot)?;
    let open = || {
        // Every pass reads the same file, also where its name has another one since.
        let mut file = file.try_clone()?;
        file.rewind()?;
        progress.reset();
        file::elements(progress.wrap_read(file))
    };
    let again = source.again.then(Uuid::new_v4);
    let id = |ordinal| Some(file::chunk_id(&fingerprint, ordinal, source.format, source.captured_on, again));
    let outcome = replay_elements(source, open, id, destination, summary).await;
    progress.finish_and_clear();
    outcome
}

async fn replay_elements(
    source: &Source,
    mut open: impl FnMut() -> io::Result<Elements<'static>>,
    id: impl Fn(u64) -> Option<Uuid>,
    destination: &Destination,
    summary: &mut Summary,
) -> anyhow::Result<()> {
    let elements: Box<dyn Iterator<Item = io::Result<String>> + '_> = match source.format {
        Format::Heartbeats => Box::new(open()?),
        Format::Xapi => {
            let memory = (source.memory_mib as usize) << 20;
            let refuse =
                |index, refusal: Refusal| summary.reject(index as u64, refusal.field, refusal.reason);
            let heartbeats = xapi::convert(open, memory, refuse)?;
            if heartbeats.without_segments > 0 {
                eprintln!("{} statements tell of nothing played", heartbeats.without_segments);
            }
            Box::new(heartbeats)
        }
    };
    for chunk in chunks(elements, id) {
        destination.deliver(&chunk?, &source.default_region, source.captured_on, summary).await?;
    }
    Ok(())
}

/// Returns a bar by bytes of the file, and none where nobody looks.
fn progress(bytes: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {binary_bytes}/{binary_total_bytes}, {eta} left");
    ProgressBar::new(bytes).with_style(style.expect("the template is well-formed"))
}

fn print(summary: &Summary) {
    let rejected: u64 = summary.rejected.values().map(|(count, ..)| count).sum::<u64>() + summary.unlisted;
    let known = match summary.known {
        0 => String::new(),
        known => format!(", {known} known from an earlier replay of this file"),
    };
    println!("{} heartbeats accepted{known}, {rejected} rejected", summary.accepted);
    for (reason, (count, first, field)) in &summary.rejected {
        let field = field.as_ref().map_or(String::new(), |field| format!(" in {field}"));
        println!("  {count:>8} {reason}{field}, the first is number {}", first + 1);
    }
    if summary.unlisted > 0 {
        println!("  {:>8} for reasons that the API did not list", summary.unlisted);
    }
}
