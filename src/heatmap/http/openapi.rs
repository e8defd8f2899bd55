//! The shapes of a strip, for the API's description.

use utoipa::ToSchema;

use crate::heatmap::strip::{
    Strip,
    formats::{Columns, Marker, Retention},
};

/// A strip in one of its JSON shapes.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = json!({
    "video_id": "yt_abc123", "regions": ["JP"], "resolution": 5, "from": "2026-11-21", "to": "2026-11-21",
    "scope": "viewers", "viewers": 41287, "seconds_played": 1298214, "peak": 41000, "relative_error": 0.01625,
    "exact": false, "generated_at": "2026-11-21T10:00:00Z",
    "buckets": [{"bucket": 0, "viewers": 41000, "seconds_played": 252110, "replay": 1.2298, "retention": 1.0,
        "reached": 41287}]
}))]
#[expect(dead_code, reason = "describes what `Format::render` writes")]
pub enum AnyStrip {
    Json(Strip),
    Columns(Columns),
    YtDlp(Vec<Marker>),
    PeerTube(Retention),
}

/// The names of the formats.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes what `Format::parse` reads")]
pub enum FormatName {
    Json,
    Csv,
    Columns,
    YtDlp,
    PeerTube,
}
