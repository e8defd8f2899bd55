//! `GET /v1/videos/{video_id}/ledger` joins what several capabilities know of what became of heartbeats and views.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{self, Path, Query, rejection::PathRejection, rejection::QueryRejection},
    http::header,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    clock::Clock,
    events::region::GLOBAL,
    http::{
        error::ApiError,
        in_time,
        parameters::{recent_days, video_id},
        problems::ReadProblems,
    },
    ledger::{self, store::Entry},
    postgres::{Store, StoreError},
};

/// The longest ledger: three years.
const MAX_DAYS: i64 = 1_100;

/// The state that this route works with.
pub struct State {
    pub store: Store,
    pub clock: Clock,
}

/// Returns the route and its description.
pub fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new().routes(routes!(get))
}

/// The parameters of a ledger.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct LedgerParameters {
    /// First UTC day; left out: 27 days before the last.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-15")]
    from: Option<String>,
    /// Last UTC day, inclusive; left out: today.
    #[param(required = false, value_type = NaiveDate, example = "2026-11-21")]
    to: Option<String>,
}

/// What became of what was sent of a video.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ledger {
    pub video_id: String,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub generated_at: DateTime<Utc>,
    /// The days on which something came, ascending.
    pub days: Vec<LedgerDay>,
    /// What was refused in these days of all videos of which nothing was ever accepted, together.
    pub unknown_videos: UnknownVideos,
}

/// One day: what counts for it, and what was refused on it.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct LedgerDay {
    pub day: NaiveDate,
    pub heartbeats: LedgerHeartbeats,
    pub views: LedgerViews,
}

/// Heartbeats of a day.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct LedgerHeartbeats {
    /// Accepted and folded.
    pub accepted: u64,
    /// Those of the accepted that count under the default region, as the video had too many regions on that day.
    pub other_region: u64,
    /// Accepted, and set aside as they could not be folded.
    pub set_aside: u64,
    pub refused: Vec<RefusedElements>,
}

/// Views of a day.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct LedgerViews {
    /// Accepted and folded: those that count and those that repeat another.
    pub accepted: u64,
    /// Those that count.
    pub counted: u64,
    /// Those whose viewer had been counted moments before.
    pub repeated: u64,
    /// Those of the accepted that are of the default region, as the video had too many regions on that day.
    pub other_region: u64,
    /// Accepted, and set aside as they could not be folded.
    pub set_aside: u64,
    pub refused: Vec<RefusedElements>,
}

/// Elements that were refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefusedElements {
    #[schema(value_type = crate::events::refusal::Reason)]
    pub reason: String,
    pub elements: u64,
}

/// Refused elements of videos of which nothing was ever accepted.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct UnknownVideos {
    pub heartbeats: Vec<RefusedElements>,
    pub views: Vec<RefusedElements>,
}

/// What was accepted and refused of a video, day by day, and why.
#[utoipa::path(
    get,
    path = "/v1/videos/{video_id}/ledger",
    operation_id = "ledger",
    tag = "heartbeats",
    params(
        ("video_id" = String, Path, description = "The video.", min_length = 1, max_length = 128, example = "yt_abc123"),
        LedgerParameters,
    ),
    responses(
        (status = 200, description = "The days of the range on which something came; of at most 1,100 days.", body = Ledger),
        ReadProblems,
    ),
)]
async fn get(
    extract::State(app): extract::State<Arc<State>>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<LedgerParameters>, QueryRejection>,
) -> Result<Response, ApiError> {
    let video_id = video_id(path)?;
    let Query(parameters) = query.map_err(|rejection| ApiError::BadRequest(rejection.body_text()))?;
    let (from, to) = recent_days(parameters.from.as_deref(), parameters.to.as_deref(), app.clock.today())?;
    if (to - from).num_days() >= MAX_DAYS {
        return Err(ApiError::BadRequest(format!("at most {MAX_DAYS} days are answered at once")));
    }
    let ledger = in_time(async {
        read(&app.store, &app.clock, &video_id, from, to).await.map_err(|error| ApiError::from(&error))
    })
    .await?;
    // Whoever looks for a mistake tries again at once.
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(ledger)).into_response())
}

/// Reads the ledger of a video.
pub async fn read(
    store: &Store,
    clock: &Clock,
    video_id: &str,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Ledger, StoreError> {
    let accepted = store.read_accepted(video_id, from, to).await?;
    let counted = store.read_views_by_day(video_id, &[GLOBAL.to_owned()], from, to).await?;
    let entries = store.read_ledger(video_id, from, to).await?;
    let unknown = store.read_ledger("", from, to).await?;
    Ok(Ledger {
        video_id: video_id.to_owned(),
        from,
        to,
        generated_at: clock.now(),
        days: days(&accepted, &counted, entries),
        unknown_videos: unknown_videos(unknown),
    })
}

fn days(accepted: &[(NaiveDate, u64)], counted: &[(NaiveDate, u64)], entries: Vec<Entry>) -> Vec<LedgerDay> {
    let mut days: BTreeMap<NaiveDate, LedgerDay> = BTreeMap::new();
    let mut of = |day: NaiveDate, add: &mut dyn FnMut(&mut LedgerDay)| {
        add(days.entry(day).or_insert_with(|| LedgerDay { day, ..LedgerDay::default() }));
    };
    for &(day, heartbeats) in accepted {
        of(day, &mut |day| day.heartbeats.accepted += heartbeats);
    }
    for &(day, views) in counted {
        of(day, &mut |day| {
            day.views.counted += views;
            day.views.accepted += views;
        });
    }
    for Entry { day, is_view, outcome, elements } in entries {
        of(day, &mut |day| {
            let LedgerDay { heartbeats, views, .. } = day;
            match outcome.as_str() {
                ledger::SET_ASIDE if is_view => views.set_aside += elements,
                ledger::SET_ASIDE => heartbeats.set_aside += elements,
                ledger::OTHER_REGION if is_view => views.other_region += elements,
                ledger::OTHER_REGION => heartbeats.other_region += elements,
                ledger::REPEATED => {
                    views.repeated += elements;
                    views.accepted += elements;
                }
                reason => {
                    let refused = if is_view { &mut views.refused } else { &mut heartbeats.refused };
                    refused.push(RefusedElements { reason: reason.to_owned(), elements });
                }
            }
        });
    }
    days.into_values().collect()
}

fn unknown_videos(entries: Vec<Entry>) -> UnknownVideos {
    let mut sums: BTreeMap<(bool, String), u64> = BTreeMap::new();
    for Entry { is_view, outcome, elements, .. } in entries {
        *sums.entry((is_view, outcome)).or_default() += elements;
    }
    let mut unknown = UnknownVideos::default();
    for ((is_view, reason), elements) in sums {
        let refused = if is_view { &mut unknown.views } else { &mut unknown.heartbeats };
        refused.push(RefusedElements { reason, elements });
    }
    unknown
}
