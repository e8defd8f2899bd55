//! The routes of the heatmap.

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    answers::cache::AnswerCache, clock::Clock, heatmap::store::ReadError, http::error::ApiError,
    postgres::Store,
};

mod openapi;
mod regions;
mod strips;
mod videos;

/// The parts that these routes work with.
pub struct State {
    pub store: Store,
    /// The answers that are kept.
    pub answers: AnswerCache,
    pub clock: Clock,
}

/// The routes and their description.
pub fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(videos::get))
        .routes(routes!(strips::get))
        .routes(routes!(strips::picture))
        .routes(routes!(regions::get))
}

impl From<Arc<ReadError>> for ApiError {
    fn from(error: Arc<ReadError>) -> Self {
        match &*error {
            ReadError::TooFine(_) => ApiError::Unprocessable(error.to_string()),
            ReadError::Store(error) => ApiError::from(error),
        }
    }
}
