//! `heatstrip dev` runs all of it in one process on a private Postgres, with an audience to look at.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use chrono::NaiveTime;
use tokio_util::sync::CancellationToken;

use super::{compact, replay, serve, show, work};
use crate::{
    catalogue::{
        durations::{Durations, whole_seconds},
        entry::Entry,
    },
    clock::Clock,
    config,
    demo::audience::{self, Audience},
    events::region::{GLOBAL, Region},
    heatmap::{
        store::{strips::StripQuery, videos::VideosQuery},
        strip::strip,
    },
    import::{
        file::Format,
        replay::{Destination, Summary, chunks, client},
    },
    postgres::{
        Store,
        local::{Lifetime, LocalPostgres, LocalPostgresOptions},
        migrate::migrate,
    },
    shutdown,
    viewers::salt::Salts,
    work::worker,
};

/// The database on the private server.
const DATABASE: &str = "heatstrip";
/// Somebody who tries things out wants to see them at once.
const CACHE_TTL_SECS: &str = "2";
/// The nightly job runs at this time, UTC.
const COMPACT_AT: NaiveTime = NaiveTime::from_hms_opt(3, 30, 0).expect("half past three");
/// The first page and the printed strip look back this many days.
const LOOK_BACK_DAYS: i64 = 27;

/// The flags of `heatstrip dev`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("cache_ttl_secs", |arg| arg.default_value(CACHE_TTL_SECS)))]
pub struct Arguments {
    /// Directory that keeps the database
    #[arg(long, env = "HEATSTRIP_DATA_DIR", default_value = ".heatstrip")]
    data_dir: PathBuf,
    /// Directory of the Postgres programs; left out, the newest installed version is taken
    #[arg(long, env = "HEATSTRIP_PG_BIN")]
    pg_bin: Option<PathBuf>,
    /// Replay this file of heartbeats instead of generating an audience
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// End once the strip is shown
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    serve: config::ServeSettings,
    #[command(flatten)]
    salts: config::SaltSettings,
    #[command(flatten)]
    work: config::WorkSettings,
    #[command(flatten)]
    migrate: config::MigrateSettings,
    #[command(flatten)]
    keep: config::KeepSettings,
}

/// Runs `heatstrip dev`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let stop = shutdown::on_signal()?;
    // These come before the database, so that a port in use or a bad setting is found out in no time.
    let salts = arguments.salts.source()?;
    let listener = serve::bind(&arguments.serve).await?;
    let url = format!("http://{}{}", listener.local_addr()?, arguments.serve.base_path);

    let postgres = start_postgres(&arguments).await?;
    let database_url = postgres.url(DATABASE);
    let store = Store::connect(&database_url, arguments.serve.serve_connections).await?;
    let workers = work::connect(&database_url, &arguments.work).await?;

    let clock = Clock::system();
    let connections = arguments.work.worker_connections;
    let working = tokio::spawn(work::work(
        workers.clone().into(),
        clock.clone(),
        connections,
        Duration::ZERO,
        stop.clone(),
    ));
    let region = arguments.serve.default_region.clone();
    let views_rotation = arguments.serve.view_salts.views_salt_rotation;
    // Salts are destroyed at the start too, because somebody's own machine rarely runs at night.
    let nights = workers.clone();
    let keep = arguments.keep.keep();
    let compacting = tokio::spawn(compact::every_day(nights, clock.clone(), COMPACT_AT, keep, stop.clone()));
    let serving = {
        let (store, clock, salts, stop) = (store.clone(), clock.clone(), salts.clone(), stop.clone());
        tokio::spawn(async move { serve::serve(store, clock, &arguments.serve, salts, listener, stop).await })
    };

    let salts = Salts::new(store.clone(), salts, clock.clone()).with_views_rotation(views_rotation);
    let looking = look(&store, &clock, salts, &url, &region, arguments.replay.as_deref());
    let looked = tokio::select! {
        looked = looking => looked,
        () = stop.cancelled() => Ok(()),
    };
    if looked.is_ok() && !stop.is_cancelled() {
        announce(&url, &database_url);
    }
    if looked.is_err() || arguments.once {
        stop.cancel();
    } else if !stop.is_cancelled() {
        println!("Ctrl-C ends it; the data stays in {}", postgres.data_dir().display());
    }
    let served = end(stop, serving, working, compacting).await;
    store.close();
    workers.close();
    postgres.stop().await?;
    served.and(looked)
}

/// Starts a private server and returns it with a migrated database.
async fn start_postgres(arguments: &Arguments) -> anyhow::Result<LocalPostgres> {
    let options =
        LocalPostgresOptions { bin_dir: arguments.pg_bin.clone(), ..LocalPostgresOptions::default() };
    let postgres = LocalPostgres::start_with(&arguments.data_dir, Lifetime::Kept, &options).await?;
    if let Some(asked) = postgres.moved_from() {
        let (asked, found) = (asked.display(), postgres.data_dir().display());
        eprintln!("the user that Postgres runs as cannot reach {asked}: the data is in {found}");
    }
    postgres.create_database(DATABASE, None).await?;
    migrate(&postgres.url(DATABASE), arguments.migrate.lanes).await?;
    Ok(postgres)
}

/// Prints what somebody who tries it out does next.
fn announce(url: &str, database_url: &str) {
    let heartbeat = r#"{"video_id":"my-video","start_sec":0,"end_sec":9,"viewer_id":"me"}"#;
    println!("dashboard     {url}/");
    println!("heartbeats    curl {url}/v1/heartbeats --json '{heartbeat}'");
    println!("database      DATABASE_URL='{database_url}'");
}

/// Waits for the end, and for the work that is under way then.
async fn end(
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<anyhow::Result<()>>,
    working: tokio::task::JoinHandle<()>,
    compacting: tokio::task::JoinHandle<()>,
) -> anyhow::Result<()> {
    let served = serving.await?;
    // The others are told to stop also when serving ended by itself.
    stop.cancel();
    working.await?;
    compacting.await?;
    served
}

/// Makes sure that there is something to look at, and shows the most watched video.
async fn look(
    store: &Store,
    clock: &Clock,
    salts: Salts,
    url: &str,
    region: &Region,
    file: Option<&std::path::Path>,
) -> anyhow::Result<()> {
    let durations = Durations::new(store.clone());
    let queue = Destination::Queue { queue: store.into(), salts, durations, clock: clock.clone() };
    match file {
        Some(file) => {
            let source = replay::Source {
                file: file.to_owned(),
                format: Format::Heartbeats,
                captured_on: None,
                again: false,
                default_region: region.clone(),
                memory_mib: replay::DEFAULT_MEMORY_MIB,
            };
            replay::replay(&source, &queue).await?;
        }
        None if most_watched(store, clock).await?.is_none() && store.queue_depth().await?.heartbeats == 0 => {
            introduce(store, clock).await?;
            generate(clock, url, region, &queue).await?;
        }
        None => {}
    }
    worker::run_once(store, clock).await?;
    let Some(video_id) = most_watched(store, clock).await? else {
        return Ok(());
    };
    let kept = store.read_entries(&[&video_id]).await?.remove(&video_id);
    let entry = kept.map(|kept| kept.entry).unwrap_or_default();
    let asked = StripQuery {
        length_sec: entry.duration_sec.map(whole_seconds),
        video_id,
        regions: vec![GLOBAL.to_owned()],
        resolution: 5,
        from: None,
        to: None,
    };
    let (range, rows) = store.read_strip(&asked).await?;
    println!();
    show::draw(&strip(range, &rows), entry.title.as_deref());
    println!();
    Ok(())
}

async fn most_watched(store: &Store, clock: &Clock) -> anyhow::Result<Option<String>> {
    let to = clock.today();
    let from = to - chrono::TimeDelta::days(LOOK_BACK_DAYS);
    let asked = VideosQuery { regions: vec![GLOBAL.to_owned()], from, to, limit: 1 };
    Ok(store.read_videos(&asked).await?.1.pop().map(|video| video.name))
}

/// Tells the catalogue what the demo's videos are.
async fn introduce(store: &Store, clock: &Clock) -> anyhow::Result<()> {
    let entries = audience::catalogue().map(|known| {
        let entry = Entry {
            title: Some(known.title),
            duration_sec: Some(known.duration_sec.into()),
            channel: Some(known.channel.to_owned()),
            ..Entry::default()
        };
        (known.video_id.to_owned(), entry)
    });
    Ok(store.put_entries(&entries.collect(), clock.now()).await?)
}

/// Lets an audience watch: its last day goes through the API, as players do, and the days before are replayed.
async fn generate(clock: &Clock, url: &str, region: &Region, queue: &Destination) -> anyhow::Result<()> {
    let now = clock.now();
    let (recent, older): (Vec<_>, Vec<_>) =
        Audience::demo(now).beats().partition(|beat| now - beat.at < chrono::TimeDelta::days(1));
    println!("an audience is watching: {} heartbeats over a week", recent.len() + older.len());
    let api = Destination::Api { client: client(), url: url.to_owned(), clock: clock.clone() };
    let mut summary = Summary::default();
    for (beats, destination) in [(older, queue), (recent, &api)] {
        for chunk in chunks(beats.iter().map(|beat| Ok(beat.json())), |_| None) {
            destination.deliver(&chunk?, region, None, &mut summary).await.context("the demo audience")?;
        }
    }
    if !summary.rejected.is_empty() {
        bail!("some of the demo audience was refused: {:?}", summary.rejected);
    }
    Ok(())
}
