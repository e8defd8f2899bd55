//! `PUT`, `GET` and `DELETE /v1/videos/{video_id}`, and `GET /v1/catalogue`

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use axum::{
    extract::{self, Path, Query, rejection::PathRejection, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use blake2::{Blake2b, Digest, digest::consts::U16};
use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    durations::Durations,
    entry::{self, Entry},
    store::Kept,
};
use crate::{
    clock::Clock,
    http::{
        body::{BodyBudget, Unread},
        caching::holds,
        error::{ApiError, Problem},
        in_time,
        parameters::{self, Given, video_id},
        problems::ReadProblems,
    },
    postgres::Store,
};

/// Videos that one question may name.
const MAX_VIDEOS: usize = 100;

/// The state that these routes work with.
pub struct State {
    pub store: Store,
    /// Told of each change, so that this process bounds heartbeats by it from the next one on.
    pub durations: Durations,
    pub clock: Clock,
    /// Bounds the bytes of bodies held at once.
    pub body_budget: Arc<BodyBudget>,
}

/// Returns the routes and their description.
pub fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new().routes(routes!(get, put, delete)).routes(routes!(several))
}

/// An entry with the video it belongs to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CatalogueVideo)]
pub struct Video {
    video_id: String,
    #[serde(flatten)]
    entry: Entry,
    /// When the entry was written; null if there is none.
    updated_at: Option<DateTime<Utc>>,
}

/// Entries in the order in which they were asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct Catalogue {
    videos: Vec<Video>,
}

impl Video {
    fn of(video_id: String, kept: Option<&Kept>) -> Video {
        let (entry, updated_at) =
            kept.map_or_else(Default::default, |kept| (kept.entry.clone(), Some(kept.updated_at)));
        Video { video_id, entry, updated_at }
    }
}

/// An entry may be answered with one of these instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what `ApiError` answers")]
enum PutProblems {
    /// A field cannot be taken; `detail` says which and how to write it.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem<'static>),
    /// The body did not arrive in time.
    #[response(status = 408, content_type = "application/problem+json")]
    Timeout(Problem<'static>),
    /// More than 1 MiB.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem<'static>),
    /// An internal error; it is in the log.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem<'static>),
    /// Postgres is away: send it again.
    #[response(status = 503, content_type = "application/problem+json",
        headers(("retry-after" = u32, description = "Seconds after which to send again.")))]
    Unavailable(Problem<'static>),
}

/// What is known of a video.
#[utoipa::path(
    get,
    path = "/v1/videos/{video_id}",
    operation_id = "catalogue_entry",
    tag = "catalogue",
    params(("video_id" = String, Path, description = "The video.", min_length = 1, max_length = 128, example = "yt_abc123")),
    responses(
        (status = 200, description = "The entry.", body = Video, headers(("etag" = String), ("cache-control" = String))),
        (status = 304, description = "What `If-None-Match` names is still the answer.",
            headers(("etag" = String), ("cache-control" = String))),
        (status = 404, description = "The catalogue has no entry of this video, which may be watched all the same.",
            body = Problem, content_type = "application/problem+json"),
        ReadProblems,
    ),
)]
async fn get(
    extract::State(app): extract::State<Arc<State>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let video_id = video_id(path)?;
    let kept = entries(&app, &[&video_id]).await?.remove(&video_id);
    let kept = kept.ok_or(ApiError::Absent("the catalogue has no entry of this video: PUT one here"))?;
    Ok(fresh(&Video::of(video_id, Some(&kept)), &headers))
}

/// Writes what is known of a video, in place of what was known.
#[utoipa::path(
    put,
    path = "/v1/videos/{video_id}",
    operation_id = "put_catalogue_entry",
    tag = "catalogue",
    params(("video_id" = String, Path, description = "The video.", min_length = 1, max_length = 128, example = "yt_abc123")),
    request_body(content((Entry = "application/json")), description = "All fields are optional; one left out is unknown from now on."),
    responses((status = 200, description = "The entry as it is kept.", body = Video), PutProblems),
)]
async fn put(
    extract::State(app): extract::State<Arc<State>>,
    path: Result<Path<String>, PathRejection>,
    body: Unread,
) -> Result<Response, ApiError> {
    let received = body.read(&app.body_budget).await?;
    let video_id = video_id(path)?;
    let text = std::str::from_utf8(&received.bytes)
        .map_err(|_| ApiError::BadRequest("the body is not UTF-8".into()))?;
    let entry = entry::parse(text).map_err(|refusal| {
        let (field, reason) = (refusal.field.unwrap_or("the body"), refusal.reason);
        ApiError::BadRequest(format!("{field} must be {} ({reason})", entry::bounds(refusal.field)))
    })?;
    // Postgres keeps microseconds: the answer has to say what a later read will.
    let now = app.clock.now().trunc_subsecs(6);
    let entries = BTreeMap::from([(video_id, entry)]);
    in_time(async { app.store.put_entries(&entries, now).await.map_err(|error| ApiError::from(&error)) })
        .await?;
    app.durations.changed();
    let (video_id, entry) = entries.into_iter().next().expect("one entry was written");
    let video = Video { video_id, entry, updated_at: Some(now) };
    Ok(([(header::CACHE_CONTROL, "no-store")], axum::Json(video)).into_response())
}

/// Removes what is known of a video, and nothing of what was watched.
#[utoipa::path(
    delete,
    path = "/v1/videos/{video_id}",
    operation_id = "delete_catalogue_entry",
    tag = "catalogue",
    params(("video_id" = String, Path, description = "The video.", min_length = 1, max_length = 128, example = "yt_abc123")),
    responses((status = 204, description = "There is no entry, or none any more."), ReadProblems),
)]
async fn delete(
    extract::State(app): extract::State<Arc<State>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, ApiError> {
    let video_id = video_id(path)?;
    in_time(async { app.store.delete_entry(&video_id).await.map_err(|error| ApiError::from(&error)) })
        .await?;
    app.durations.changed();
    Ok(StatusCode::NO_CONTENT)
}

/// What is known of several videos.
#[utoipa::path(
    get,
    path = "/v1/catalogue",
    operation_id = "catalogue",
    tag = "catalogue",
    params(("video_id" = Vec<String>, Query, description = "A video; 1 to 100 of them.", min_items = 1, max_items = 100)),
    responses(
        (status = 200, description = "An entry for each video in the order asked, of nulls where the catalogue has none.",
            body = Catalogue, headers(("etag" = String), ("cache-control" = String))),
        (status = 304, description = "What `If-None-Match` names is still the answer.",
            headers(("etag" = String), ("cache-control" = String))),
        ReadProblems,
    ),
)]
async fn several(
    extract::State(app): extract::State<Arc<State>>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(given) = query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let videos = parameters::video_ids(Given(given).all("video_id"), MAX_VIDEOS)?;
    if videos.is_empty() {
        return Err(ApiError::BadRequest("name at least one video_id".into()));
    }
    let names: Vec<&str> = videos.iter().map(String::as_str).collect();
    let kept = entries(&app, &names).await?;
    let of = |video_id: String| {
        let kept = kept.get(&video_id);
        Video::of(video_id, kept)
    };
    Ok(fresh(&Catalogue { videos: videos.into_iter().map(of).collect() }, &headers))
}

async fn entries(app: &State, videos: &[&str]) -> Result<HashMap<String, Kept>, ApiError> {
    in_time(async { app.store.read_entries(videos).await.map_err(|error| ApiError::from(&error)) }).await
}

/// Returns an answer that may be kept, and must be asked for again each time: nobody who has just written an entry sees
/// the one before.
fn fresh(value: &impl Serialize, request: &HeaderMap) -> Response {
    let body = serde_json::to_vec(value).expect("answers are plain values with string keys");
    let digest: [u8; 16] = Blake2b::<U16>::digest(&body).into();
    let etag = format!("\"{:032x}\"", u128::from_be_bytes(digest));
    let is_held = holds(request, &etag);
    let validators = [(header::ETAG, etag), (header::CACHE_CONTROL, "no-cache".to_owned())];
    if is_held {
        return (StatusCode::NOT_MODIFIED, validators).into_response();
    }
    (validators, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
