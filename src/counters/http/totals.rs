//! `GET /v1/counts/{object_type}/{object_id}` and `GET /v1/counts`

use std::sync::Arc;

use axum::{
    extract::{
        self, Path, Query,
        rejection::{PathRejection, QueryRejection},
    },
    http::HeaderMap,
    response::Response,
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{State, fresh, parameters};
use crate::{
    counters::{
        kinds::{KindId, Kinds},
        store::totals::TotalsQuery,
    },
    http::{error::ApiError, in_time, problems::ReadProblems},
};

/// Objects in one question.
const MAX_OBJECTS: usize = 100;
/// Kinds in one question.
const MAX_KINDS: usize = 20;

/// The counters of an object.
#[derive(Serialize, ToSchema)]
pub struct ObjectCounts {
    object_type: String,
    object_id: String,
    /// By kind: those asked for, or those there are.
    counts: Vec<CountOfKind>,
}

/// A total.
#[derive(Serialize, ToSchema)]
pub struct CountOfKind {
    kind: String,
    total: i64,
    /// Whether the member asked for is on, or has done it at least once.
    #[serde(skip_serializing_if = "Option::is_none")]
    did: Option<bool>,
    /// When it last did.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<DateTime<Utc>>,
}

/// The counters of several objects.
#[derive(Serialize, ToSchema)]
pub struct SeveralCounts {
    /// In the order asked.
    objects: Vec<ObjectCounts>,
}

/// The totals of an object, of every kind that was ever counted on it.
#[utoipa::path(
    get,
    path = "/v1/counts/{object_type}/{object_id}",
    operation_id = "counts-of-object",
    tag = "counters",
    params(("object_type" = String, Path), ("object_id" = String, Path)),
    responses(
        (status = 200, description = "The totals, by kind.", body = ObjectCounts, headers(("etag" = String)),
            example = json!({"object_type": "video", "object_id": "yt_abc123", "counts": [{"kind": "like", "total": 41}]})),
        (status = 304, description = "What `If-None-Match` names is still the answer.", headers(("etag" = String))),
        ReadProblems,
    ),
)]
pub async fn one(
    extract::State(app): extract::State<Arc<State>>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (object_type, object_id) = parameters::path(path)?;
    parameters::object(&object_type, &object_id)?;
    let asked = TotalsQuery { objects: vec![(object_type, object_id)], kinds: None, member_id: None };
    let mut objects = read(&app, asked).await?;
    Ok(fresh(&objects.remove(0), &headers))
}

/// The parameters of a question about several objects.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `several` reads pair by pair")]
pub struct Parameters {
    /// `TYPE:ID`, up to 100 times.
    #[param(example = json!(["video:yt_abc123"]))]
    object: Vec<String>,
    /// Up to 20 times; left out: every kind each object has.
    #[param(required = false)]
    kind: Vec<String>,
    /// Who may be among those who count: then each count says `did`, and `at` where it did.
    #[param(required = false, value_type = String)]
    member_id: Option<String>,
}

/// The totals of several objects, and what a member did of each.
#[utoipa::path(
    get,
    path = "/v1/counts",
    operation_id = "counts",
    tag = "counters",
    params(Parameters),
    responses(
        (status = 200, description = "The totals, in the order asked.", body = SeveralCounts,
            headers(("etag" = String)),
            example = json!({"objects": [{"object_type": "video", "object_id": "yt_abc123",
                "counts": [{"kind": "like", "total": 41, "did": true, "at": "2026-11-21T10:00:00Z"}]}]})),
        (status = 304, description = "What `If-None-Match` names is still the answer.", headers(("etag" = String))),
        ReadProblems,
    ),
)]
pub async fn several(
    extract::State(app): extract::State<Arc<State>>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (mut objects, mut names, mut member_id) = (Vec::new(), Vec::new(), None);
    for (name, value) in parameters::query(query)? {
        match name.as_str() {
            "object" => objects.push(parameters::object_pair(&value)?),
            "kind" => names.push(value),
            "member_id" => {
                parameters::member(&value)?;
                member_id = Some(value);
            }
            _ => {}
        }
    }
    if !(1..=MAX_OBJECTS).contains(&objects.len()) || names.len() > MAX_KINDS {
        return Err(ApiError::BadRequest(format!(
            "ask for 1 to {MAX_OBJECTS} objects, each as object=TYPE:ID, and for at most {MAX_KINDS} kinds"
        )));
    }
    let mut kinds: Vec<KindId> = Vec::with_capacity(names.len());
    for name in names {
        let kind = app.kind_named(&name).await?.id;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let kinds = (!kinds.is_empty()).then_some(kinds);
    let objects = read(&app, TotalsQuery { objects, kinds, member_id }).await?;
    Ok(fresh(&SeveralCounts { objects }, &headers))
}

async fn read(app: &State, asked: TotalsQuery) -> Result<Vec<ObjectCounts>, ApiError> {
    let totals =
        in_time(async { app.store.counter_totals(&asked).await.map_err(|error| ApiError::from(&error)) })
            .await?;
    let all =
        |kinds: &Kinds| totals.iter().flat_map(|of| of.keys()).all(|kind| kinds.numbered(*kind).is_some());
    let kinds = app.kinds(all).await?;
    let objects = asked.objects.into_iter().zip(&totals).map(|((object_type, object_id), totals)| {
        // Asked for by kind, what is not there is a zero; else it is not named.
        let listed: Vec<KindId> = match &asked.kinds {
            Some(asked) => asked.clone(),
            None => kinds.iter().map(|kind| kind.id).filter(|kind| totals.contains_key(kind)).collect(),
        };
        let counts = listed.into_iter().filter_map(|kind| {
            let found = totals.get(&kind);
            let at = found.and_then(|found| found.did_at);
            Some(CountOfKind {
                kind: kinds.numbered(kind)?.name.clone(),
                total: found.map_or(0, |found| found.total),
                did: asked.member_id.as_ref().map(|_| at.is_some()),
                at,
            })
        });
        ObjectCounts { counts: counts.collect(), object_type, object_id }
    });
    Ok(objects.collect())
}
