//! `GET /v1/audience/overlap`

use std::sync::Arc;

use axum::{
    extract::{self, Query, rejection::QueryRejection},
    http::HeaderMap,
    response::Response,
};
use chrono::NaiveDate;
use utoipa::IntoParams;

use super::{State, parameters::Pairs, render};
use crate::{
    answers::{
        cache::{Answer, Made},
        http::cached,
    },
    audience::{
        answer::{Overlap, overlap},
        formats::{Format, FormatName},
        store::read::{OverlapQuery, ReadError},
    },
    events::heartbeat::{MAX_VIDEO_ID_BYTES, check_id},
    http::{
        error::{ApiError, Problem},
        problems::ReadProblems,
    },
};

/// The videos of one question.
const VIDEOS: std::ops::RangeInclusive<usize> = 2..=10;

/// The parameters of a question about several videos.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `Pairs` reads pair by pair")]
pub struct Parameters {
    /// 2 to 10 videos.
    #[param(min_items = 2, max_items = 10, example = json!(["yt_abc123", "yt_def456"]))]
    video_id: Vec<String>,
    /// `GLOBAL` (the default), one region, or several with commas: what was watched in any of them.
    #[param(required = false, value_type = String, example = "JP,KR")]
    region: Option<String>,
    /// First UTC day; left out: the first that is sampled.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-15")]
    from: Option<NaiveDate>,
    /// Last UTC day, inclusive; left out: the last that is sampled.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-21")]
    to: Option<NaiveDate>,
    /// `json` (the default), or `csv` for a table.
    #[param(required = false, inline, value_type = FormatName)]
    format: Option<String>,
}

/// How many watched how many of some videos.
#[utoipa::path(
    get,
    path = "/v1/audience/overlap",
    operation_id = "audience-overlap",
    tag = "audience",
    params(Parameters),
    responses(
        (
            status = 200,
            description = "Those who watched exactly one of the videos, exactly two, and so on to all, each with an \
                           interval; or `refused` and no numbers.",
            content((Overlap = "application/json"), (String = "text/csv")),
            headers(("etag" = String), ("cache-control" = String)),
        ),
        (
            status = 304,
            description = "What `If-None-Match` names is still the answer.",
            headers(("etag" = String), ("cache-control" = String)),
        ),
        (
            status = 422,
            description = "The days asked for are not sampled, or these are not two to ten different videos.",
            body = Problem,
            content_type = "application/problem+json",
        ),
        ReadProblems,
    ),
)]
pub async fn get(
    extract::State(app): extract::State<Arc<State>>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let pairs = Pairs::of(query)?;
    let format = pairs.format()?;
    let question = OverlapQuery { video_ids: videos(&pairs)?, scene: pairs.scene()? };
    Ok(cached(&*made(&app, question, format).await?, &headers))
}

/// Returns the videos asked for, each once, in the order asked.
fn videos(pairs: &Pairs) -> Result<Vec<String>, ApiError> {
    let mut videos: Vec<String> = Vec::new();
    for video_id in pairs.all("video_id") {
        check_id(video_id, MAX_VIDEO_ID_BYTES).map_err(|reason| {
            ApiError::BadRequest(format!(
                "video_id must be 1 to {MAX_VIDEO_ID_BYTES} bytes without control characters ({reason})"
            ))
        })?;
        if !videos.iter().any(|known| known == video_id) {
            videos.push(video_id.to_owned());
        }
    }
    if !VIDEOS.contains(&videos.len()) {
        return Err(ApiError::Unprocessable(format!(
            "an overlap is one of {} to {} different videos: give video_id as many times",
            VIDEOS.start(),
            VIDEOS.end()
        )));
    }
    Ok(videos)
}

async fn made(app: &State, question: OverlapQuery, format: Format) -> Result<Arc<Answer>, Arc<ReadError>> {
    let key = format!("overlap {format:?} {question:?}");
    let store = app.store.clone();
    app.answers
        .get(key, async move {
            let (span, strata) = store.read_overlap(&question).await?;
            let mut told = overlap(question.video_ids, span, &strata);
            Ok(Made {
                content_type: format.content_type(),
                empty: told.sampled == 0,
                render: Box::new(move |at| {
                    told.generated_at = at;
                    render(format, &told, Overlap::csv)
                }),
            })
        })
        .await
}
