//! Logs go to standard error, one event a line, as text or JSON. They never hold a viewer id, because no type that
//! holds one can be formatted.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};
use serde_json::json;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::{Targets, filter_fn},
    fmt::{
        self, FmtContext, FormatEvent, FormatFields,
        format::{Format, Full, Json, JsonFields, Writer},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use super::request;

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
    /// For people.
    Text,
    /// For log collectors: one JSON object a line.
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
        LogFormat::Text => {
            let format = Format::default().with_target(false);
            lines.with_ansi(std::io::stderr().is_terminal()).event_format(OfRequest(format)).boxed()
        }
        LogFormat::Json => {
            let format = Format::default().json();
            lines.fmt_fields(JsonFields::new()).event_format(OfRequest(format)).boxed()
        }
    };
    tracing_subscriber::registry().with(filter).with(filter_fn(holds_no_parameters)).with(lines).init();
    Ok(())
}

/// Returns false for the driver's lines below `info`. They hold the parameters of every statement, so salts and viewer
/// hashes, which no log may hold whatever level is asked for.
fn holds_no_parameters(event: &Metadata<'_>) -> bool {
    *event.level() <= Level::INFO || !event.target().starts_with("tokio_postgres")
}

/// Writes a line in a format of the library, with the request that the line was logged for.
struct OfRequest<F>(F);

impl<S, N> FormatEvent<S, N> for OfRequest<Format<Full>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        if let Some(request) = request::current() {
            write!(writer, "{} {} {} ", request.id, request.method, request.route)?;
        }
        self.0.format_event(context, writer, event)
    }
}

impl<S, N> FormatEvent<S, N> for OfRequest<Format<Json>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let Some(request) = request::current() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        // The library writes one object, so the request is one more member of it.
        let object = line.trim_end().strip_suffix('}').unwrap_or_default();
        let span =
            json!({"name": "request", "id": request.id, "method": request.method, "route": request.route});
        writeln!(writer, "{object},\"span\":{span}}}")
    }
}
