//! Starting totals as a file, a video a line: `{"video_id":"yt_abc123","views":120345}`.

use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lines::{self, ImportError, Lines};
use crate::{
    events::{
        fields::{bounded_text, number, required},
        heartbeat::MAX_VIDEO_ID_BYTES,
        refusal::{Reason, Refusal},
    },
    postgres::Store,
};

/// The largest total: whole numbers up to here are told apart by whoever reads them as floats.
const MAX_VIEWS: f64 = 9_007_199_254_740_991.0;

/// Says what became of the lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Videos whose starting total changed.
    pub changed: u64,
    /// What became of the lines.
    pub lines: Lines,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    video_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    views: Option<&'a RawValue>,
}

/// Imports a file, plain or gzip, `-` for stdin. `tell` hears of each refused line by its number, blank ones not counted.
pub async fn import(
    store: &Store,
    file: &Path,
    tell: impl FnMut(u64, Refusal),
) -> Result<Summary, ImportError> {
    let mut changed = 0;
    let write = async |totals| {
        changed += store.set_starting_views(&totals).await?;
        Ok(())
    };
    let lines = lines::import(file, parse, write, tell).await?;
    Ok(Summary { changed, lines })
}

fn parse(line: &str) -> Result<(String, i64), Refusal> {
    let malformed = Refusal { field: None, reason: Reason::Malformed };
    if !line.trim_ascii_start().starts_with('{') {
        return Err(malformed);
    }
    let fields: Fields<'_> = serde_json::from_str(line).map_err(|_| malformed)?;
    let video_id = required("video_id", fields.video_id, |raw| bounded_text(raw, MAX_VIDEO_ID_BYTES))?;
    let views = required("views", fields.views, |raw| {
        let views = number(raw)?;
        if views.is_finite() && views.fract() != 0.0 {
            return Err(Reason::WrongType);
        }
        if !(0.0..=MAX_VIEWS).contains(&views) {
            return Err(Reason::OutOfRange);
        }
        Ok(views as i64)
    })?;
    Ok((video_id.into_owned(), views))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_video_and_a_whole_number() {
        let refused = |line: &str| {
            let refusal = parse(line).expect_err("refused");
            (refusal.field, refusal.reason)
        };
        assert_eq!(parse(r#"{"video_id":"v","views":12}"#), Ok(("v".to_owned(), 12)));
        assert_eq!(parse(r#"{"video_id":"v","views":1e3,"title":null}"#), Ok(("v".to_owned(), 1_000)));
        assert_eq!(refused(r#"{"views":1}"#), (Some("video_id"), Reason::Missing));
        assert_eq!(refused(r#"{"video_id":"v","views":-1}"#), (Some("views"), Reason::OutOfRange));
        assert_eq!(refused(r#"{"video_id":"v","views":1.5}"#), (Some("views"), Reason::WrongType));
        assert_eq!(refused(r#"{"video_id":"v","views":1e999}"#), (Some("views"), Reason::OutOfRange));
        assert_eq!(refused(r#"["v",1]"#), (None, Reason::Malformed));
    }
}
