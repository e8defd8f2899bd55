//! Logs go to standard error, one event a line, as text or JSON. They never hold a viewer id, because no type that
//! holds one can be formatted.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    Layer,
    filter::{Targets, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// The settings of the logs.
#[derive(Debug, Clone, Args)]
pub struct LogSettings {
    /// What to log: error, warn, info, debug or trace, or per module, as `heatstrip=debug,hyper=info`
    #[arg(long, env = "HEATSTRIP_LOG", default_value = "info,refinery_core=warn", global = true)]
    pub log: String,
    /// How to write a log line
    #[arg(long, env = "HEATSTRIP_LOG_FORMAT", value_enum, default_value = "text", global = true)]
    pub log_format: LogFormat,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LogFormat {
    /// Lines are for people.
    Text,
    /// Lines are for log collectors: one JSON object each.
    Json,
}

/// Starts logging for the life of the process.
pub fn start(settings: &LogSettings) -> anyhow::Result<()> {
    let filter: Targets = settings.log.parse().map_err(|_| {
        anyhow::anyhow!(
            "HEATSTRIP_LOG={} cannot be read: set it to error, warn, info, debug or trace, or per module, as heatstrip=debug",
            settings.log
        )
    })?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match settings.log_format {
        LogFormat::Text => lines.with_target(false).with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry().with(filter).with(filter_fn(holds_no_parameters)).with(lines).init();
    Ok(())
}

/// Returns false for the driver's lines below `info`. They hold the parameters of every statement, so salts and viewer
/// hashes, which no log may hold whatever level is asked for.
fn holds_no_parameters(event: &Metadata<'_>) -> bool {
    *event.level() <= Level::INFO || !event.target().starts_with("tokio_postgres")
}
