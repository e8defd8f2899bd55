//! `GET /v1/videos/{video_id}/regions`

use std::sync::Arc;

use axum::{
    extract::{self, Path, Query, rejection::PathRejection, rejection::QueryRejection},
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::State;
use crate::{
    answers::{
        cache::{Answer, Made},
        http::cached,
    },
    heatmap::{
        regions::{VideoRegions, video_regions},
        store::{ReadError, regions::RegionsQuery},
    },
    http::{
        error::ApiError,
        parameters::{days, video_id},
        problems::ReadProblems,
    },
};

/// The longest list. Regions are what players say, so there may be more than there are countries.
const MAX_REGIONS: u32 = 100;

/// The parameters of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// First UTC day; left out: the first the video was watched on.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-15")]
    from: Option<String>,
    /// Last UTC day, inclusive; left out: the last the video was watched on.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-21")]
    to: Option<String>,
}

/// The regions a video was watched in, by viewers.
#[utoipa::path(
    get,
    path = "/v1/videos/{video_id}/regions",
    operation_id = "regions",
    tag = "strips",
    params(
        ("video_id" = String, Path, description = "The video.", min_length = 1, max_length = 128, example = "yt_abc123"),
        Parameters,
    ),
    responses(
        (
            status = 200,
            description = "The regions, by viewers descending and then by name; at most 100. They do not add up: who \
                           watched in two of them counts in both.",
            body = VideoRegions,
            headers(("etag" = String), ("cache-control" = String)),
        ),
        (
            status = 304,
            description = "What `If-None-Match` names is still the answer.",
            headers(("etag" = String), ("cache-control" = String)),
        ),
        ReadProblems,
    ),
)]
pub async fn get(
    extract::State(app): extract::State<Arc<State>>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let video_id = video_id(path)?;
    let Query(parameters) = query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let (from, to) = days(parameters.from.as_deref(), parameters.to.as_deref())?;
    let question = RegionsQuery { video_id, from, to, limit: MAX_REGIONS };
    let answer = answer(&app, question).await?;
    Ok(cached(&answer, &headers))
}

async fn answer(app: &State, question: RegionsQuery) -> Result<Arc<Answer>, Arc<ReadError>> {
    let key = format!("regions {question:?}");
    let store = app.store.clone();
    app.answers
        .get(key, async move {
            let (range, rows) = store.read_regions(&question).await?;
            let mut regions = video_regions(range, rows);
            Ok(Made {
                content_type: "application/json",
                empty: regions.regions.is_empty(),
                render: Box::new(move |at| {
                    regions.generated_at = at;
                    serde_json::to_vec(&regions).expect("answers are plain values with string keys")
                }),
            })
        })
        .await
}
