//! `GET /v1/videos/{video_id}/audience`

use std::sync::Arc;

use axum::{
    extract::{self, Path, Query, rejection::PathRejection, rejection::QueryRejection},
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
        answer::{Audience, answer},
        formats::{Format, FormatName},
        store::read::{AudienceQuery, ReadError},
    },
    http::{
        error::{ApiError, Problem},
        parameters::video_id,
        problems::ReadProblems,
    },
};

/// The parameters of a question; `saw`, `missed` and `saw_most` may be given several times, ten of them together.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `Pairs` reads pair by pair")]
pub struct Parameters {
    /// Seconds of which a viewer watched at least one, both ends included. May be given several times.
    #[param(required = false, example = json!(["0-30"]))]
    saw: Vec<String>,
    /// Seconds of which a viewer watched none. May be given several times.
    #[param(required = false, example = json!(["540-600"]))]
    missed: Vec<String>,
    /// Seconds of which a viewer watched at least 90 %. May be given several times.
    #[param(required = false)]
    saw_most: Vec<String>,
    /// `GLOBAL` (the default), one region, or several with commas: what was watched in any of them.
    #[param(required = false, value_type = String, example = "JP,KR")]
    region: Option<String>,
    /// First UTC day; left out: the first that is sampled.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-15")]
    from: Option<NaiveDate>,
    /// Last UTC day, inclusive; left out: the last that is sampled.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-21")]
    to: Option<NaiveDate>,
    /// `json` (the default), or `csv` for a table of one line.
    #[param(required = false, inline, value_type = FormatName)]
    format: Option<String>,
}

/// How many viewers saw these parts of a video and missed those.
#[utoipa::path(
    get,
    path = "/v1/videos/{video_id}/audience",
    operation_id = "audience",
    tag = "audience",
    params(
        ("video_id" = String, Path, description = "The video.", min_length = 1, max_length = 128, example = "yt_abc123"),
        Parameters,
    ),
    responses(
        (
            status = 200,
            description = "The viewers who meet all conditions, with an interval; or `refused` and no numbers.",
            content((Audience = "application/json"), (String = "text/csv")),
            headers(("etag" = String), ("cache-control" = String)),
        ),
        (
            status = 304,
            description = "What `If-None-Match` names is still the answer.",
            headers(("etag" = String), ("cache-control" = String)),
        ),
        (
            status = 422,
            description = "The days asked for are not sampled, or there are more than ten conditions.",
            body = Problem,
            content_type = "application/problem+json",
        ),
        ReadProblems,
    ),
)]
pub async fn get(
    extract::State(app): extract::State<Arc<State>>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let video_id = video_id(path)?;
    let pairs = Pairs::of(query)?;
    let format = pairs.format()?;
    let question = AudienceQuery { video_id, scene: pairs.scene()?, conditions: pairs.conditions()? };
    Ok(cached(&*made(&app, question, format).await?, &headers))
}

async fn made(app: &State, question: AudienceQuery, format: Format) -> Result<Arc<Answer>, Arc<ReadError>> {
    let key = format!("audience {format:?} {question:?}");
    let store = app.store.clone();
    app.answers
        .get(key, async move {
            let (span, strata) = store.read_audience(&question).await?;
            let mut told = answer(question.video_id, span, &strata);
            Ok(Made {
                content_type: format.content_type(),
                empty: told.sampled == 0,
                render: Box::new(move |at| {
                    told.generated_at = at;
                    render(format, &told, Audience::csv)
                }),
            })
        })
        .await
}
