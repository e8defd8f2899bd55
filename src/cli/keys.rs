//! `heatstrip keys`

use anyhow::{Context, bail};

use crate::{
    access::{
        budget::Budget,
        key::{Key, Role, Secret, check_name, check_origin, make_signing_secret},
    },
    clock::Clock,
    config,
    events::heartbeat::{MAX_VIDEO_ID_BYTES, check_id},
    postgres::Store,
};

/// The arguments of `heatstrip keys`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a key, which is shown once
    Create(Create),
    /// List the keys, without their secrets
    List,
    /// Revoke a key; every process feels it within 10 s
    Revoke {
        /// Its name
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct Create {
    /// player: writes, and may stand in pages; reader: reads; server: does everything
    #[arg(long, value_parser = role)]
    role: Role,
    /// Name of the key: 1 to 64 of a-z, 0-9, '-', '_' and '.'
    #[arg(long, value_parser = name)]
    name: String,
    /// Origin of pages that may use it: scheme, host and port; repeatable; left out, any page
    #[arg(long = "origin", value_name = "URL", value_parser = origin)]
    origins: Vec<String>,
    /// What the ids of its videos begin with; players and servers only
    #[arg(long, value_name = "PREFIX", value_parser = prefix)]
    videos: Option<String>,
    /// Hash viewers within this namespace, in which the same id is somebody else; players and servers only
    #[arg(long, value_name = "TEXT", value_parser = namespace)]
    namespace: Option<String>,
    /// Let the page's server sign viewer ids, with a secret that is shown once; players only
    #[arg(long)]
    signed: bool,
    /// Withhold what fewer viewers did; readers only
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    min_audience: Option<u64>,
    /// Requests a second and client; left out, 200 for players and readers with a minimum audience, no limit for others
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_sec: Option<u32>,
    /// Watched seconds a minute and client; left out, 240000 for players and no limit for others
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    watched_secs_per_min: Option<u32>,
}

/// Runs `heatstrip keys`.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if let Command::Create(create) = &arguments.command {
        check(create)?;
    }
    let store = Store::connect(&config::database_url()?, 1).await?;
    match arguments.command {
        Command::Create(arguments) => create(&store, arguments).await,
        Command::List => list(&store).await,
        Command::Revoke { name } => match store.revoke_key(&name, Clock::system().now()).await? {
            true => {
                println!("revoked {name}");
                Ok(())
            }
            false => bail!("there is no key {name:?} that is good: `heatstrip keys list` has them all"),
        },
    }
}

/// Refuses what would have no effect, so that nobody relies on it.
fn check(create: &Create) -> anyhow::Result<()> {
    let Create { role, .. } = create;
    let wrong = [
        (create.signed && *role != Role::Player, "--signed", "players"),
        (create.min_audience.is_some() && *role != Role::Reader, "--min-audience", "readers"),
        (create.videos.is_some() && *role == Role::Reader, "--videos", "players and servers"),
        (create.namespace.is_some() && *role == Role::Reader, "--namespace", "players and servers"),
    ];
    match wrong.into_iter().find(|(is_wrong, ..)| *is_wrong) {
        Some((_, flag, whom)) => bail!("{flag} is for {whom}, and this is a {role} key"),
        None => Ok(()),
    }
}

async fn create(store: &Store, create: Create) -> anyhow::Result<()> {
    let secret = Secret::make(create.role).context("no random bytes")?;
    let signing_secret = create.signed.then(make_signing_secret).transpose().context("no random bytes")?;
    let key = Key {
        name: create.name,
        role: create.role,
        origins: create.origins,
        video_prefix: create.videos,
        namespace: create.namespace,
        signing_secret,
        min_audience: create.min_audience,
        budget: Budget {
            requests_per_sec: create.requests_per_sec,
            watched_secs_per_min: create.watched_secs_per_min,
        },
    };
    if !store.add_key(&key, &secret.hash(), Clock::system().now()).await? {
        bail!("there is or was a key {:?}: names are not given twice", key.name);
    }
    // What is to be kept is all that goes to the standard output, so that a script can take it from there.
    println!("{}", secret.text());
    eprintln!("the {} key {:?} is shown this once: only its digest is kept", key.role, key.name);
    if let Some(signing_secret) = &key.signing_secret {
        println!("{}", signing_secret.text());
        eprintln!("the second line is the secret that viewer ids are signed with: it stays on your server");
    }
    Ok(())
}

async fn list(store: &Store) -> anyhow::Result<()> {
    for stored in store.keys().await? {
        let key = stored.key;
        let mut facts = vec![format!("made {}", stored.made_at.format("%Y-%m-%d"))];
        facts.extend(stored.revoked_at.map(|at| format!("revoked {}", at.format("%Y-%m-%d"))));
        facts.extend(key.origins.iter().map(|origin| format!("origin {origin}")));
        facts.extend(key.video_prefix.map(|prefix| format!("videos {prefix}*")));
        facts.extend(key.namespace.map(|namespace| format!("namespace {namespace}")));
        facts.extend(key.signing_secret.map(|_| "signed".to_owned()));
        facts.extend(key.min_audience.map(|least| format!("minimum audience {least}")));
        facts.extend(key.budget.requests_per_sec.map(|limit| format!("{limit} requests/s")));
        facts.extend(key.budget.watched_secs_per_min.map(|limit| format!("{limit} watched s/min")));
        println!("{:<24} {:<7} {}", key.name, key.role.name(), facts.join(", "));
    }
    Ok(())
}

fn role(text: &str) -> Result<Role, String> {
    Role::named(text).ok_or_else(|| "a role is player, reader or server".to_owned())
}

fn name(text: &str) -> Result<String, String> {
    check_name(text).map(|()| text.to_owned())
}

fn origin(text: &str) -> Result<String, String> {
    check_origin(text).map(|()| text.to_ascii_lowercase())
}

fn prefix(text: &str) -> Result<String, String> {
    let wrong = |reason| format!("a prefix is the beginning of a video id ({reason})");
    check_id(text, MAX_VIDEO_ID_BYTES).map(|()| text.to_owned()).map_err(wrong)
}

fn namespace(text: &str) -> Result<String, String> {
    let wrong = |reason| format!("a namespace is 1 to 64 bytes without control characters ({reason})");
    check_id(text, 64).map(|()| text.to_owned()).map_err(wrong)
}
