//! `POST /v1/identify`

use std::sync::Arc;

use axum::{
    Extension, Json, extract,
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{State, openapi::IdentifyProblems};
use crate::{
    access::Caller,
    events::{
        fields::{bounded_text, optional, required},
        heartbeat::{MAX_VIEWER_ID_BYTES, ViewerId},
        refusal::{Reason, Refusal, Rejection},
    },
    http::{self, body::Unread, error::ApiError},
    ingest::body,
    views::identify::{self, IdentifyError, is_placeholder},
};

/// The longest namespace, in bytes.
const MAX_NAMESPACE_BYTES: usize = 64;

/// A device is known to be a user's.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `Fields` reads one by one")]
#[schema(example = json!({"device_id": "5f2b9d0c", "user_id": "ann"}))]
pub struct Identify {
    /// The viewer id that the device was counted by.
    #[schema(min_length = 1, max_length = 256)]
    device_id: String,
    /// The viewer id that its user is counted by.
    #[schema(min_length = 1, max_length = 256)]
    user_id: String,
    /// The namespace of both ids, for keys that have one.
    #[schema(min_length = 1, max_length = 64)]
    namespace: Option<String>,
}

/// The fields as they stand in the JSON text.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    device_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    namespace: Option<&'a RawValue>,
}

/// The device's recent views are the user's.
#[derive(Serialize, ToSchema)]
pub struct Merged {
    /// Rows of recent views that became the user's, now.
    merged: u64,
}

/// Binds a device to a user, as whose its views count.
///
/// Those that are there become the user's now. It takes as long as there are rows; whoever loses the answer asks again, and the work goes on where it was.
#[utoipa::path(
    post,
    path = "/v1/identify",
    operation_id = "identify",
    tag = "views",
    request_body(content = Identify, description = "One device and its user."),
    responses(
        (status = 200, description = "All of the device's recent views are the user's.", body = Merged,
            example = json!({"merged": 12})),
        IdentifyProblems,
    ),
)]
pub async fn post(
    extract::State(app): extract::State<Arc<State>>,
    caller: Option<Extension<Caller>>,
    body: Unread,
) -> Result<Response, ApiError> {
    let received = body.read(&app.ingest.body_budget).await?;
    let identity = {
        let parsed = body::parse(&received.bytes, body::Format::Json, "bindings")?;
        let [element] = parsed.elements.as_slice() else {
            return Err(ApiError::BadRequest("send one object with device_id and user_id".into()));
        };
        let asked = parse(element).map_err(refused)?;
        // Whose key has a namespace says everything within it.
        let terms = caller.map(|caller| caller.terms());
        let own = terms.as_ref().and_then(|terms| terms.namespace.as_deref());
        let hashing = identify::hash(
            &app.ingest.salts,
            own.or(asked.namespace.as_deref()),
            ViewerId::new(asked.device_id),
            ViewerId::new(asked.user_id),
        );
        http::in_time(async { hashing.await.map_err(ApiError::from) }).await?
    };
    // From here on only hashes are held.
    drop(received);
    let store = app.store.clone();
    // A task of its own: it goes on if whoever asked hangs up.
    let identifying = tokio::spawn(async move { identify::identify(&store, &identity).await });
    let merged = match identifying.await {
        Ok(outcome) => outcome?,
        Err(_) => return Err(ApiError::Internal),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(Merged { merged })).into_response())
}

struct Asked<'a> {
    device_id: std::borrow::Cow<'a, str>,
    user_id: std::borrow::Cow<'a, str>,
    namespace: Option<std::borrow::Cow<'a, str>>,
}

fn parse(element: &str) -> Result<Asked<'_>, Refusal> {
    let malformed = Refusal { field: None, reason: Reason::Malformed };
    let fields: Fields<'_> = serde_json::from_str(element).map_err(|_| malformed)?;
    let device_id = required("device_id", fields.device_id, |raw| bounded_text(raw, MAX_VIEWER_ID_BYTES))?;
    let user_id = required("user_id", fields.user_id, |raw| bounded_text(raw, MAX_VIEWER_ID_BYTES))?;
    let namespace = optional("namespace", fields.namespace, |raw| bounded_text(raw, MAX_NAMESPACE_BYTES))?;
    for (field, id) in [("device_id", &device_id), ("user_id", &user_id)] {
        if is_placeholder(id) {
            return Err(Refusal { field: Some(field), reason: Reason::Reserved });
        }
    }
    if device_id == user_id {
        return Err(Refusal { field: Some("user_id"), reason: Reason::Reserved });
    }
    Ok(Asked { device_id, user_id, namespace })
}

fn refused(Refusal { field, reason }: Refusal) -> ApiError {
    ApiError::NoneGood { noun: "bindings", rejected: vec![Rejection { index: 0, field, reason }] }
}

impl From<IdentifyError> for ApiError {
    fn from(error: IdentifyError) -> Self {
        match &error {
            IdentifyError::UserIsDevice => ApiError::Unprocessable(error.to_string()),
            IdentifyError::Store(error) => ApiError::from(error),
        }
    }
}
