//! `POST /v1/counts`

use std::sync::Arc;

use axum::{
    Extension, Json, extract,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    State,
    openapi::{self, WriteProblems},
};
use crate::{
    access::Caller,
    counters::{
        apply::Status,
        element::{self, Arrival, CounterName, Element},
        kinds::Kinds,
        metrics::METRICS,
    },
    events::{
        fields::MAX_AGE,
        refusal::{MAX_LISTED, Reason, Refusal, Rejection},
        terms::Terms,
    },
    http::{body::Unread, error::ApiError},
    ingest::{body, http::format},
};

/// What the elements are called.
const NOUN: &str = "counts";

/// What the sender is told once everything is durable.
#[derive(Serialize, ToSchema)]
#[schema(as = CountReceipt)]
pub struct Receipt {
    /// The outcome of each count that could be applied.
    results: Vec<Counted>,
    /// The others, the first 100 of them.
    rejected: Vec<Rejection>,
    /// How many there are, if they are more than are listed.
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_total: Option<usize>,
}

/// The outcome of a count.
#[derive(Serialize, ToSchema)]
pub struct Counted {
    /// Its place in the body, counted from 0.
    index: usize,
    status: Status,
    /// The counter's total behind it.
    total: i64,
    /// The record it made, removed or found; `null` for none.
    seq: Option<i64>,
}

/// Counts; a bad element costs no good one.
#[utoipa::path(
    post,
    path = "/v1/counts",
    operation_id = "count",
    tag = "counters",
    request_body(
        content(
            (openapi::Body = "application/json"),
            (openapi::Body = "text/plain"),
            (String = "application/x-ndjson"),
        ),
        description = "One count, an array, an envelope, or with `application/x-ndjson` an object a line.",
    ),
    responses(
        (
            status = 200,
            description = "All that was done is durable.",
            body = Receipt,
            example = json!({
                "results": [{"index": 0, "status": "created", "total": 41, "seq": 44}],
                "rejected": [{"index": 1, "field": "kind", "reason": "out_of_range"}],
            }),
        ),
        WriteProblems,
    ),
)]
pub async fn post(
    extract::State(app): extract::State<Arc<State>>,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
    body: Unread,
) -> Result<Response, ApiError> {
    // Before anything can be refused: a client that is still sending would not read why.
    let received = body.read(&app.body_budget).await?;
    let format = format(&headers)?;
    let parsed = body::parse(&received.bytes, format, NOUN)?;
    let terms = caller.map(|caller| caller.terms());
    let (places, elements, mut rejected) = parse(&app, &parsed.elements, terms.as_deref()).await?;
    drop(parsed);
    drop(received);
    let outcomes = match elements.is_empty() {
        true => Vec::new(),
        false => app.intake.submit(elements).await?,
    };
    let mut results = Vec::with_capacity(outcomes.len());
    for (index, outcome) in places.into_iter().zip(outcomes) {
        match outcome {
            Ok(outcome) => {
                METRICS.counts.with_label_values(&[outcome.status.name()]).inc();
                results.push(Counted {
                    index,
                    status: outcome.status,
                    total: outcome.total,
                    seq: outcome.seq,
                });
            }
            Err(_) => rejected.push(Rejection { index, field: Some("delta"), reason: Reason::OutOfRange }),
        }
    }
    rejected.sort_unstable_by_key(|rejection| rejection.index);
    for rejection in &rejected {
        METRICS.counts_rejected.with_label_values(&[rejection.reason.name()]).inc();
    }
    if results.is_empty() {
        return Err(ApiError::NoneGood { noun: NOUN, rejected });
    }
    let rejected_total = Some(rejected.len()).filter(|&all| all > MAX_LISTED);
    rejected.truncate(MAX_LISTED);
    let receipt = Receipt { results, rejected, rejected_total };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(receipt)).into_response())
}

/// Reads the elements, as far as their sender may say them; returns the places of the good ones, these, and what is wrong
/// with the others.
async fn parse(
    app: &State,
    texts: &[&str],
    terms: Option<&Terms>,
) -> Result<(Vec<usize>, Vec<Element>, Vec<Rejection>), ApiError> {
    let arrival = Arrival { now: app.clock.now(), max_age: Some(MAX_AGE) };
    let allowed = |element: Element| {
        let CounterName { object_type, object_id, .. } = &element.counter;
        match terms.is_none_or(|terms| terms.admits(object_type, object_id)) {
            true => Ok(element),
            false => Err(Refusal { field: Some("object_id"), reason: Reason::NotAllowed }),
        }
    };
    let read = |kinds: &Kinds| -> Vec<Result<Element, Refusal>> {
        texts.iter().map(|text| element::parse(text, kinds, arrival).and_then(allowed)).collect()
    };
    let mut parsed = read(&app.kinds.known());
    if parsed.iter().any(|outcome| outcome.as_ref().is_err_and(element::is_unknown_kind)) {
        parsed = read(&*app.kinds.refreshed(&app.store).await?);
    }
    let (mut places, mut elements, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
    for (index, outcome) in parsed.into_iter().enumerate() {
        match outcome {
            Ok(element) => {
                places.push(index);
                elements.push(element);
            }
            Err(refusal) => rejected.push(Rejection { index, field: refusal.field, reason: refusal.reason }),
        }
    }
    Ok((places, elements, rejected))
}
