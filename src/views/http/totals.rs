//! `GET /v1/videos/{video_id}/views` and `GET /v1/views`

use std::sync::Arc;

use axum::{
    Extension,
    extract::{
        self, Path, Query,
        rejection::{PathRejection, QueryRejection},
    },
    http::HeaderMap,
    response::Response,
};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{State, ranges, withheld::withheld};
use crate::{
    access::Caller,
    answers::{
        cache::{Answer, Made},
        http::cached,
    },
    events::region::GLOBAL,
    http::{
        error::ApiError,
        parameters::{days, regions, video_id},
        problems::ReadProblems,
    },
    postgres::StoreError,
    views::{
        answer::{RangeViews, SeveralViews, VideoViews, several_views, video_views},
        store::ranges::RangeQuery,
    },
};

/// Videos in one question.
const MAX_VIDEOS: usize = 100;

/// The parameters of one video's views: without any, its totals.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// First UTC day; left out: the first the video was viewed on.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-15")]
    from: Option<String>,
    /// Last UTC day, inclusive; left out: the last the video was viewed on.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-21")]
    to: Option<String>,
    /// `GLOBAL` (the default), one region, or several with commas: their union.
    #[param(required = false, value_type = String, example = "JP,KR")]
    region: Option<String>,
}

/// Totals, or what was counted in a range.
#[derive(utoipa::ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what `one` answers")]
pub enum AnyViews {
    Totals(VideoViews),
    Range(RangeViews),
}

/// The numbers under a video; with `from`, `to` or `region` those of a range of days.
#[utoipa::path(
    get,
    path = "/v1/videos/{video_id}/views",
    operation_id = "views_of_video",
    tag = "views",
    params(
        ("video_id" = String, Path, description = "The video.", min_length = 1, max_length = 128, example = "yt_abc123"),
        Parameters,
    ),
    responses(
        (
            status = 200,
            description = "The numbers, zeros for a video that nobody viewed.",
            body = AnyViews,
            headers(("etag" = String), ("cache-control" = String)),
            example = json!({
                "video_id": "yt_abc123", "views": 51_204,
                "viewers": {"recent": 30_911, "recent_from": "2026-10-22", "recent_scope": "viewer-months",
                    "lifetime": 41_287, "scope": "viewer-months", "exact": false, "relative_error": 0.01625},
                "rule": {"after_secs": 10, "window_mins": 30}, "generated_at": "2026-11-21T10:00:00Z"
            }),
        ),
        (
            status = 304,
            description = "What `If-None-Match` names is still the answer.",
            headers(("etag" = String), ("cache-control" = String)),
        ),
        ReadProblems,
    ),
)]
pub async fn one(
    extract::State(app): extract::State<Arc<State>>,
    caller: Option<Extension<Caller>>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let video_id = video_id(path)?;
    let Query(parameters) = query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let (from, to) = days(parameters.from.as_deref(), parameters.to.as_deref())?;
    if from.is_some() || to.is_some() || parameters.region.is_some() {
        let regions = regions(parameters.region.as_deref())?;
        if caller.as_deref().and_then(Caller::min_audience).is_some() && regions != [GLOBAL] {
            return Err(ApiError::Forbidden("views by region are not for this key"));
        }
        let answer = ranges::answer(&app, RangeQuery { video_id, regions, from, to }).await?;
        return Ok(shown(&answer, (from, to), caller.as_deref(), &headers));
    }
    let answer = of_video(&app, video_id).await?;
    Ok(shown(&answer, (None, None), caller.as_deref(), &headers))
}

/// Returns an answer about these days as whoever asks may see it.
fn shown(
    answer: &Answer,
    days: (Option<NaiveDate>, Option<NaiveDate>),
    caller: Option<&Caller>,
    headers: &HeaderMap,
) -> Response {
    match caller.and_then(Caller::min_audience) {
        Some(least) => withheld(answer, days, least),
        None => cached(answer, headers),
    }
}

async fn of_video(app: &State, video_id: String) -> Result<Arc<Answer>, Arc<StoreError>> {
    let store = app.store.clone();
    app.answers
        .get(format!("views {video_id:?}"), async move {
            let found = store.view_totals(std::slice::from_ref(&video_id)).await?;
            let mut views = video_views(video_id, &found);
            Ok(Made {
                content_type: "application/json",
                empty: views.views == 0,
                render: Box::new(move |at| {
                    views.generated_at = at;
                    serde_json::to_vec(&views).expect("answers are plain values with string keys")
                }),
            })
        })
        .await
}

/// The parameters of a question about several videos.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `several` reads pair by pair")]
pub struct SeveralParameters {
    /// Up to 100 times.
    #[param(example = json!(["yt_abc123"]))]
    video_id: Vec<String>,
}

/// The numbers under several videos.
#[utoipa::path(
    get,
    path = "/v1/views",
    operation_id = "views",
    tag = "views",
    params(SeveralParameters),
    responses(
        (
            status = 200,
            description = "An entry an id, in the order asked; zeros for those nobody viewed.",
            body = SeveralViews,
            headers(("etag" = String), ("cache-control" = String)),
            example = json!({
                "videos": [{"video_id": "yt_abc123", "views": 51_204,
                    "viewers": {"recent": 30_911, "recent_from": "2026-10-22", "recent_scope": "viewer-months",
                        "lifetime": 41_287, "scope": "viewer-months", "exact": false, "relative_error": 0.01625}}],
                "rule": {"after_secs": 10, "window_mins": 30}, "generated_at": "2026-11-21T10:00:00Z"
            }),
        ),
        (
            status = 304,
            description = "What `If-None-Match` names is still the answer.",
            headers(("etag" = String), ("cache-control" = String)),
        ),
        ReadProblems,
    ),
)]
pub async fn several(
    extract::State(app): extract::State<Arc<State>>,
    caller: Option<Extension<Caller>>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(pairs) = query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let mut videos = Vec::new();
    for (name, value) in pairs {
        if name == "video_id" {
            videos.push(video_id(Ok(Path(value)))?);
        }
    }
    if !(1..=MAX_VIDEOS).contains(&videos.len()) {
        return Err(ApiError::BadRequest(format!("ask for 1 to {MAX_VIDEOS} videos, each as video_id=ID")));
    }
    let answer = of_several(&app, videos).await?;
    Ok(shown(&answer, (None, None), caller.as_deref(), &headers))
}

async fn of_several(app: &State, videos: Vec<String>) -> Result<Arc<Answer>, Arc<StoreError>> {
    let store = app.store.clone();
    app.answers
        .get(format!("views of {videos:?}"), async move {
            let found = store.view_totals(&videos).await?;
            let mut views = several_views(videos, &found);
            Ok(Made {
                content_type: "application/json",
                empty: views.videos.iter().all(|video| video.views == 0),
                render: Box::new(move |at| {
                    views.generated_at = at;
                    serde_json::to_vec(&views).expect("answers are plain values with string keys")
                }),
            })
        })
        .await
}
