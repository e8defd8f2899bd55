//! `GET /v1/videos/{video_id}/days` joins what several capabilities know of each day.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{self, Path, Query, rejection::PathRejection, rejection::QueryRejection},
    http::HeaderMap,
    response::Response,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    answers::{
        cache::{Answer, AnswerCache, Made},
        http::cached,
    },
    clock::Clock,
    heatmap::{
        store::{ReadError, days::DaysQuery},
        totals::Total,
    },
    http::{
        error::ApiError,
        parameters::{recent_days, regions, video_id},
        problems::ReadProblems,
    },
    postgres::Store,
    sketch,
};

/// The longest series: three years.
const MAX_DAYS: i64 = 1_100;

/// The state that this route works with.
pub struct State {
    pub store: Store,
    pub answers: AnswerCache,
    pub clock: Clock,
}

/// Returns the route and its description.
pub fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new().routes(routes!(get))
}

/// The parameters of the series.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Parameters {
    /// `GLOBAL` (the default), one region, or several with commas: their union.
    #[param(required = false, value_type = String, example = "JP,KR")]
    region: Option<String>,
    /// First UTC day; left out: 27 days before the last.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-15")]
    from: Option<String>,
    /// Last UTC day, inclusive; left out: today.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-21")]
    to: Option<String>,
}

/// The days of a video, all of the range.
#[derive(Serialize, ToSchema)]
struct Days {
    video_id: String,
    regions: Vec<String>,
    from: NaiveDate,
    to: NaiveDate,
    relative_error: f64,
    /// True if the viewers of every day were counted, not estimated.
    exact: bool,
    /// Left out where the answer's tag is taken: an unchanged series keeps its tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_at: Option<DateTime<Utc>>,
    days: Vec<Day>,
}

/// One day; its numbers are null where it is not kept any more.
#[derive(Serialize, ToSchema)]
struct Day {
    day: NaiveDate,
    /// Distinct viewers of any second. A person counts once a day, so days do not add up to people.
    viewers: Option<u64>,
    seconds_played: Option<u64>,
    /// Views that counted.
    views: Option<u64>,
}

/// The viewers, the watch time and the views of a video, day by day.
#[utoipa::path(
    get,
    path = "/v1/videos/{video_id}/days",
    operation_id = "days",
    tag = "strips",
    params(
        ("video_id" = String, Path, description = "The video.", min_length = 1, max_length = 128, example = "yt_abc123"),
        Parameters,
    ),
    responses(
        (
            status = 200,
            description = "Every day of the range, ascending; at most 1,100.",
            body = Days,
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
async fn get(
    extract::State(app): extract::State<Arc<State>>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<Parameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let video_id = video_id(path)?;
    let Query(parameters) = query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let (from, to) = recent_days(parameters.from.as_deref(), parameters.to.as_deref(), app.clock.today())?;
    if (to - from).num_days() >= MAX_DAYS {
        return Err(ApiError::BadRequest(format!("at most {MAX_DAYS} days are answered at once")));
    }
    let regions = regions(parameters.region.as_deref())?;
    let question = DaysQuery { video_id, regions, from, to };
    Ok(cached(&*answer(&app, question).await?, &headers))
}

async fn answer(app: &State, question: DaysQuery) -> Result<Arc<Answer>, Arc<ReadError>> {
    let key = format!("days {question:?}");
    let store = app.store.clone();
    app.answers
        .get(key, async move {
            let (watched, kept_from) = store.read_days(&question).await?;
            let viewed = store
                .read_views_by_day(&question.video_id, &question.regions, question.from, question.to)
                .await?;
            let mut days = days(question, watched, &viewed, kept_from);
            Ok(Made {
                content_type: "application/json",
                empty: days.days.iter().all(|day| day.viewers.unwrap_or(0) + day.views.unwrap_or(0) == 0),
                render: Box::new(move |at| {
                    days.generated_at = at;
                    serde_json::to_vec(&days).expect("answers are plain values with string keys")
                }),
            })
        })
        .await
}

fn days(question: DaysQuery, watched: Vec<Total>, views: &[(NaiveDate, u64)], kept_from: NaiveDate) -> Days {
    let exact = watched.iter().all(|day| day.exact);
    let watched: HashMap<String, Total> = watched.into_iter().map(|day| (day.name.clone(), day)).collect();
    let day = |day: NaiveDate| {
        let watched = watched.get(&day.to_string());
        let viewed = views.binary_search_by_key(&day, |(day, _)| *day);
        let known = |value: Option<u64>| (day >= kept_from).then_some(value.unwrap_or(0));
        Day {
            day,
            viewers: known(watched.map(|day| day.viewers)),
            seconds_played: known(watched.map(|day| day.seconds_played)),
            views: known(viewed.ok().map(|found| views[found].1)),
        }
    };
    Days {
        relative_error: if exact { 0.0 } else { sketch::RELATIVE_STANDARD_ERROR },
        exact,
        generated_at: None,
        days: question.from.iter_days().take_while(|day| *day <= question.to).map(day).collect(),
        video_id: question.video_id,
        regions: question.regions,
        from: question.from,
        to: question.to,
    }
}
