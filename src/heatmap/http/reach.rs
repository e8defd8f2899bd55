//! `GET /v1/reach`

use std::sync::Arc;

use axum::{
    extract::{self, Query, rejection::QueryRejection},
    http::HeaderMap,
    response::Response,
};

use super::State;
use crate::{
    answers::{
        cache::{Answer, Made},
        http::cached,
    },
    catalogue::entry::MAX_CHANNEL_BYTES,
    events::fields::check_id,
    heatmap::{
        reach::Reach,
        store::{ReadError, reach::ReachQuery},
    },
    http::{
        error::{ApiError, Problem},
        parameters::{Given, recent_days, regions, video_ids},
        problems::ReadProblems,
    },
};

/// Videos that a question may name.
const MAX_VIDEOS: usize = 100;
/// Videos that a channel may have to be united.
const MAX_CHANNEL_VIDEOS: usize = 10_000;

/// How many different people watched any of several videos.
#[utoipa::path(
    get,
    path = "/v1/reach",
    operation_id = "reach",
    tag = "strips",
    params(
        ("video_id" = Option<Vec<String>>, Query, description = "A video; 1 to 100 of them, or a channel.", max_items = 100),
        ("channel" = Option<String>, Query, description = "All videos that the catalogue gives this channel, at most 10,000."),
        ("region" = Option<String>, Query, description = "`GLOBAL` (the default), one region, or several with commas: their union.",
            example = "JP,KR"),
        ("from" = Option<NaiveDate>, Query, description = "First UTC day; left out: 27 days before the last."),
        ("to" = Option<NaiveDate>, Query, description = "Last UTC day, inclusive; left out: today."),
    ),
    responses(
        (
            status = 200,
            description = "The viewers of any of the videos, and those of each added.",
            body = Reach,
            headers(("etag" = String), ("cache-control" = String)),
            example = json!({
                "channel": "counting", "videos": 12, "regions": ["GLOBAL"], "from": "2026-10-25", "to": "2026-11-21",
                "scope": "viewer-days", "viewers": 41287, "sum_of_videos": 98004, "relative_error": 0.01625, "exact": false,
                "generated_at": "2026-11-21T10:00:00Z"
            }),
        ),
        (
            status = 304,
            description = "What `If-None-Match` names is still the answer.",
            headers(("etag" = String), ("cache-control" = String)),
        ),
        (
            status = 422,
            description = "The channel has more than 10,000 videos.",
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
    let Query(given) = query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let given = Given(given);
    let (from, to) = recent_days(given.one("from")?, given.one("to")?, app.clock.today())?;
    let question = ReachQuery {
        channel: given.one("channel")?.map(str::to_owned),
        videos: video_ids(given.all("video_id"), MAX_VIDEOS)?,
        regions: regions(given.one("region")?)?,
        from,
        to,
    };
    match (&question.channel, question.videos.is_empty()) {
        (Some(channel), true) => check_id(channel, MAX_CHANNEL_BYTES).map_err(|reason| {
            ApiError::BadRequest(format!(
                "channel must be 1 to {MAX_CHANNEL_BYTES} bytes without control characters ({reason})"
            ))
        })?,
        (None, false) => {}
        _ => return Err(ApiError::BadRequest("name videos with video_id, or one channel".into())),
    }
    Ok(cached(&*answer(&app, question).await?, &headers))
}

async fn answer(app: &State, mut question: ReachQuery) -> Result<Arc<Answer>, Arc<ReadError>> {
    let key = format!("reach {question:?}");
    let store = app.store.clone();
    app.answers
        .get(key, async move {
            if let Some(channel) = &question.channel {
                question.videos = store.videos_of_channel(channel, MAX_CHANNEL_VIDEOS + 1).await?;
                if question.videos.len() > MAX_CHANNEL_VIDEOS {
                    return Err(ReadError::TooManyVideos(MAX_CHANNEL_VIDEOS));
                }
            }
            let mut reach: Reach = store.read_reach(&question).await?;
            Ok(Made {
                content_type: "application/json",
                empty: reach.viewers == 0,
                render: Box::new(move |at| {
                    reach.generated_at = at;
                    serde_json::to_vec(&reach).expect("answers are plain values with string keys")
                }),
            })
        })
        .await
}
