//! The routes of the audience.

use std::sync::Arc;

use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{formats::Format, store::read::ReadError};
use crate::{answers::cache::AnswerCache, http::error::ApiError, postgres::Store};

mod overlap;
mod parameters;
mod question;

/// The parts that these routes work with.
pub struct State {
    pub store: Store,
    /// The answers that are kept.
    pub answers: AnswerCache,
}

/// The routes and their description.
pub fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new().routes(routes!(question::get)).routes(routes!(overlap::get))
}

impl From<Arc<ReadError>> for ApiError {
    fn from(error: Arc<ReadError>) -> Self {
        match &*error {
            ReadError::NotSampled(_) => ApiError::Unprocessable(error.to_string()),
            ReadError::Store(error) => ApiError::from(error),
        }
    }
}

/// Writes an answer in a format.
fn render<T: Serialize>(format: Format, answer: &T, csv: impl Fn(&T) -> String) -> Vec<u8> {
    match format {
        Format::Json => serde_json::to_vec(answer).expect("answers are plain values with string keys"),
        Format::Csv => csv(answer).into_bytes(),
    }
}
