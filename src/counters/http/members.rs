//! Who counted, what a member counted, and erasing a member.

use std::sync::Arc;

use axum::{
    Json,
    extract::{
        self, Path, Query,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{State, fresh, parameters};
use crate::{
    counters::{erase, kinds::Kinds, store::lists::Cursor},
    http::{error::ApiError, in_time, problems::ReadProblems},
};

/// The parameters of a counter's list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RecordParameters {
    /// Records in the list.
    #[param(required = false, value_type = u32, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// Where the list goes on: the `before` of the page in front.
    #[param(required = false, value_type = i64)]
    before: Option<String>,
}

/// Who counted, newest first.
#[derive(Serialize, ToSchema)]
pub struct MembersPage {
    /// The counter's total, from the same snapshot.
    total: i64,
    /// The records: of a `count` kind a member stands here as often as it counted.
    members: Vec<MemberRecord>,
    /// Where the next page begins; `null` behind the last.
    before: Option<i64>,
}

/// A record of a counter.
#[derive(Serialize, ToSchema)]
pub struct MemberRecord {
    member_id: String,
    /// Its place in the counter's own order.
    seq: i64,
    at: DateTime<Utc>,
}

/// Who counted, newest first.
#[utoipa::path(
    get,
    path = "/v1/counts/{object_type}/{object_id}/{kind}/members",
    operation_id = "members-of-counter",
    tag = "counters",
    params(("object_type" = String, Path), ("object_id" = String, Path), ("kind" = String, Path), RecordParameters),
    responses(
        (status = 200, description = "The newest records.", body = MembersPage, headers(("etag" = String)),
            example = json!({"total": 41, "members": [{"member_id": "ann", "seq": 44, "at": "2026-11-21T10:00:00Z"}], "before": 44})),
        (status = 304, description = "What `If-None-Match` names is still the answer.", headers(("etag" = String))),
        ReadProblems,
    ),
)]
pub async fn of_counter(
    extract::State(app): extract::State<Arc<State>>,
    path: Result<Path<(String, String, String)>, PathRejection>,
    query: Result<Query<RecordParameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (object_type, object_id, kind) = parameters::path(path)?;
    let asked = parameters::query(query)?;
    parameters::object(&object_type, &object_id)?;
    let kind = app.kind_named(&kind).await?;
    let limit = parameters::limit(asked.limit.as_deref())?;
    let number = |text: String| text.parse().map_err(|_| ApiError::BadRequest("before must be a seq".into()));
    let before = asked.before.map(number).transpose()?;
    let page = in_time(async {
        let page = app.store.counter_records(&object_type, &object_id, &kind, before, limit).await;
        page.map_err(|error| ApiError::from(&error))
    })
    .await?;
    let before = page.records.last().filter(|_| page.records.len() == limit).map(|oldest| oldest.seq);
    let members = page
        .records
        .into_iter()
        .map(|record| MemberRecord { member_id: record.member_id, seq: record.seq, at: record.at })
        .collect();
    Ok(fresh(&MembersPage { total: page.total, members, before }, &headers))
}

/// The parameters of a member's list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MemberParameters {
    /// Only counts of this kind are listed.
    #[param(required = false, value_type = String)]
    kind: Option<String>,
    /// Records in the list.
    #[param(required = false, value_type = u32, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// Where the list goes on: the `before` of the page in front.
    #[param(required = false, value_type = String)]
    before: Option<String>,
}

/// Lists what a member counted, latest first.
#[derive(Serialize, ToSchema)]
pub struct MemberCounts {
    member_id: String,
    counts: Vec<MemberCount>,
    /// Where the next page begins; `null` behind the last.
    before: Option<String>,
}

/// A record of a member.
#[derive(Serialize, ToSchema)]
pub struct MemberCount {
    object_type: String,
    object_id: String,
    kind: String,
    delta: i32,
    /// Its place in the counter's own order.
    seq: i64,
    at: DateTime<Utc>,
}

/// Lists what a member counted, latest first.
#[utoipa::path(
    get,
    path = "/v1/members/{member_id}/counts",
    operation_id = "counts-of-member",
    tag = "counters",
    params(("member_id" = String, Path), MemberParameters),
    responses(
        (status = 200, description = "The latest records.", body = MemberCounts, headers(("etag" = String)),
            example = json!({"member_id": "ann", "counts": [{"object_type": "video", "object_id": "yt_abc123", "kind": "like",
                "delta": 1, "seq": 44, "at": "2026-11-21T10:00:00Z"}], "before": "1795255200000_7_44"})),
        (status = 304, description = "What `If-None-Match` names is still the answer.", headers(("etag" = String))),
        ReadProblems,
    ),
)]
pub async fn of_member(
    extract::State(app): extract::State<Arc<State>>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<MemberParameters>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let member_id = parameters::path(path)?;
    let asked = parameters::query(query)?;
    parameters::member(&member_id)?;
    let kind = match &asked.kind {
        Some(name) => Some(app.kind_named(name).await?.id),
        None => None,
    };
    let limit = parameters::limit(asked.limit.as_deref())?;
    let before = asked.before.as_deref().map(cursor).transpose()?;
    let records = in_time(async {
        let records = app.store.member_records(&member_id, kind, before, limit).await;
        records.map_err(|error| ApiError::from(&error))
    })
    .await?;
    let kinds =
        app.kinds(|kinds: &Kinds| records.iter().all(|record| kinds.numbered(record.kind).is_some())).await?;
    let before = records.last().filter(|_| records.len() == limit).map(|oldest| written(oldest.cursor));
    let counts = records.into_iter().filter_map(|record| {
        Some(MemberCount {
            kind: kinds.numbered(record.kind)?.name.clone(),
            object_type: record.object_type,
            object_id: record.object_id,
            delta: record.delta,
            seq: record.cursor.seq,
            at: record.cursor.at,
        })
    });
    let counts = counts.collect();
    Ok(fresh(&MemberCounts { member_id, counts, before }, &headers))
}

/// A place in the list of a member, as it stands in addresses.
fn written(cursor: Cursor) -> String {
    format!("{}_{}_{}", cursor.at.timestamp_millis(), cursor.counter, cursor.seq)
}

fn cursor(text: &str) -> Result<Cursor, ApiError> {
    let mut parts = text.split('_').map(|part| part.parse::<i64>().ok());
    let mut next = || parts.next().flatten();
    let cursor = || {
        let at = DateTime::from_timestamp_millis(next()?)?;
        // Beyond these years the database knows no instants.
        (1..=9999).contains(&at.year()).then_some(())?;
        Some(Cursor { at, counter: next()?, seq: next()? })
    };
    let mut cursor = cursor;
    cursor().ok_or_else(|| ApiError::BadRequest("before must be the `before` of another page".into()))
}

/// How much of a member was removed.
#[derive(Serialize, ToSchema)]
pub struct Erased {
    /// Records.
    records: u64,
}

/// Removes everything of a member; every total is corrected by what it loses.
///
/// It takes as long as there are records; whoever loses the answer asks again, and the work goes on where it was.
#[utoipa::path(
    delete,
    path = "/v1/members/{member_id}",
    operation_id = "erase-member",
    tag = "counters",
    params(("member_id" = String, Path)),
    responses(
        (status = 200, description = "Nothing is left of the member.", body = Erased, example = json!({"records": 812})),
        ReadProblems,
    ),
)]
pub async fn erase(
    extract::State(app): extract::State<Arc<State>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let member_id = parameters::path(path)?;
    parameters::member(&member_id)?;
    let store = app.store.clone();
    // A task of its own: it goes on if whoever asked hangs up.
    let erasing = tokio::spawn(async move { erase::erase(&store, &member_id).await });
    let records = match erasing.await {
        Ok(outcome) => outcome.map_err(|error| ApiError::from(&error))?,
        Err(_) => return Err(ApiError::Internal),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(Erased { records })).into_response())
}
