//! `GET /v1/trending`

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{self, Query, rejection::QueryRejection},
    http::HeaderMap,
    response::Response,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::State;
use crate::{
    answers::{
        cache::{Answer, Made},
        http::cached,
    },
    events::region::{GLOBAL, Region},
    http::{error::ApiError, problems::ReadProblems},
    postgres::{Store, StoreError},
    views::{
        store::trending::TrendingQuery,
        trending::{By, HalfLives, NAMED, Trend, cap_channels, rank},
    },
};

/// Videos in the list, unless asked otherwise.
const DEFAULT_LIMIT: usize = 20;
/// The longest list.
const MAX_LIMIT: usize = 100;

/// Who may be listed.
#[derive(Debug, Clone, Copy)]
pub struct TrendingSettings {
    /// Videos with fewer new viewers of late are not listed.
    pub floor: f64,
    /// No channel has more videos in a list; 0 for no bound.
    pub most_of_channel: usize,
}

/// The parameters of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Parameters {
    /// `rise` (the default): by how much more new viewers come than the video's own past lets expect. `hot`: by new viewers of
    /// the last hours. `top`: by those of the last days.
    #[param(required = false, inline, value_type = ByName)]
    by: Option<String>,
    /// `GLOBAL` (the default), or one region.
    #[param(required = false, value_type = String, example = "JP")]
    region: Option<String>,
    /// Videos in the list.
    #[param(required = false, value_type = u32, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
}

/// The names of the orders.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes what `by` reads")]
enum ByName {
    Rise,
    Hot,
    Top,
}

/// The videos that new viewers come to, with the reasons.
#[derive(Debug, Serialize, ToSchema)]
pub struct Trending {
    by: &'static str,
    region: String,
    /// A new viewer counts half in `recent` after so many hours,
    recent_half_life_hours: f64,
    /// and half in the past that `expected` is made of after so many.
    baseline_half_life_hours: f64,
    /// Videos with less than this are not listed.
    floor: f64,
    /// Left out where the answer's tag is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_at: Option<DateTime<Utc>>,
    videos: Vec<Trend>,
}

/// The videos that new viewers come to, in the order of one of three scores.
#[utoipa::path(
    get,
    path = "/v1/trending",
    operation_id = "trending",
    tag = "views",
    params(Parameters),
    responses(
        (
            status = 200,
            description = "The videos, by score descending and then by id, each with what it was judged by.",
            body = Trending,
            headers(("etag" = String), ("cache-control" = String)),
            example = json!({
                "by": "rise", "region": "GLOBAL", "recent_half_life_hours": 6.0, "baseline_half_life_hours": 72.0, "floor": 5.0,
                "generated_at": "2026-11-21T10:00:00Z",
                "videos": [{"video_id": "yt_abc123", "score": 1.4, "recent": 173.1, "expected": 59.4, "ratio": 2.64}]
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
pub async fn get(
    extract::State(app): extract::State<Arc<State>>,
    query: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(parameters) = query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let question = TrendingQuery {
        by: by(parameters.by.as_deref())?,
        region: region(parameters.region.as_deref())?,
        limit: limit(parameters.limit.as_deref())?,
    };
    Ok(cached(&*answer(&app, question).await?, &headers))
}

fn by(text: Option<&str>) -> Result<By, ApiError> {
    let Some(text) = text else { return Ok(By::Rise) };
    NAMED.iter().find(|(name, _)| *name == text).map(|(_, by)| *by).ok_or_else(|| {
        let known = NAMED.map(|(name, _)| name).join(", ");
        ApiError::BadRequest(format!("by must be one of {known}"))
    })
}

/// Viewers of two regions are counted in each, so a list is of one or of all.
fn region(text: Option<&str>) -> Result<String, ApiError> {
    match text {
        None => Ok(GLOBAL.to_owned()),
        Some(text) if text.eq_ignore_ascii_case(GLOBAL) => Ok(GLOBAL.to_owned()),
        Some(text) => Region::parse(text).map(Region::into_string).map_err(|reason| {
            ApiError::BadRequest(format!(
                "region must be {GLOBAL} or one region, 2-16 of A-Z, 0-9 and '-' ({reason})"
            ))
        }),
    }
}

fn limit(text: Option<&str>) -> Result<usize, ApiError> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    text.parse()
        .ok()
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| ApiError::BadRequest(format!("limit must be a whole number from 1 to {MAX_LIMIT}")))
}

async fn answer(app: &State, question: TrendingQuery) -> Result<Arc<Answer>, Arc<StoreError>> {
    let key = format!("trending {question:?}");
    let (store, settings, now) = (app.store.clone(), app.trending, app.ingest.clock.now());
    app.answers
        .get(key, async move {
            let (candidates, half_lives) = store.read_trending(&question, settings.floor, now).await?;
            let trends = rank(question.by, candidates, now, half_lives);
            let trends = pick(&store, &trends, settings.most_of_channel, question.limit).await?;
            let mut trending = trending(question, settings, half_lives, trends);
            Ok(Made {
                content_type: "application/json",
                empty: trending.videos.is_empty(),
                render: Box::new(move |at| {
                    trending.generated_at = at;
                    serde_json::to_vec(&trending).expect("answers are plain values with string keys")
                }),
            })
        })
        .await
}

/// Takes the first of the list that their channels leave room for. Most of the time the first few hold enough, so the
/// catalogue is asked for a few at a time.
async fn pick(
    store: &Store,
    trends: &[Trend],
    most_of_channel: usize,
    limit: usize,
) -> Result<Vec<Trend>, StoreError> {
    let mut channels = HashMap::new();
    let mut looked_at = limit.min(trends.len());
    loop {
        if most_of_channel > 0 {
            let unknown: Vec<&str> =
                trends[channels.len()..looked_at].iter().map(|t| t.video_id.as_str()).collect();
            let mut found = store.read_channels(&unknown).await?;
            channels.extend(unknown.iter().map(|&video_id| (video_id.to_owned(), found.remove(video_id))));
        }
        let picked = cap_channels(&trends[..looked_at], &channels, most_of_channel, limit);
        if picked.len() == limit || looked_at == trends.len() {
            return Ok(picked);
        }
        looked_at = (looked_at * 4).min(trends.len());
    }
}

fn trending(
    question: TrendingQuery,
    settings: TrendingSettings,
    half_lives: HalfLives,
    trends: Vec<Trend>,
) -> Trending {
    // Enough for people, and few enough that an answer keeps its tag while next to nothing happens.
    let rounded = |value: f64| (value * 100.0).round() / 100.0;
    let rounded = |trend: Trend| Trend {
        video_id: trend.video_id,
        score: rounded(trend.score),
        recent: rounded(trend.recent),
        expected: rounded(trend.expected),
        ratio: rounded(trend.ratio),
    };
    let (name, _) = NAMED.iter().find(|(_, by)| *by == question.by).expect("every order has a name");
    Trending {
        by: name,
        region: question.region,
        recent_half_life_hours: half_lives.recent_secs / 3600.0,
        baseline_half_life_hours: half_lives.baseline_secs / 3600.0,
        floor: settings.floor,
        generated_at: None,
        videos: trends.into_iter().map(rounded).collect(),
    }
}
