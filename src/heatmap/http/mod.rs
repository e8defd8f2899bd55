//! The routes of the heatmap.

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    answers::cache::AnswerCache,
    catalogue::durations::{Durations, whole_seconds},
    clock::Clock,
    heatmap::store::ReadError,
    http::{error::ApiError, in_time},
    postgres::Store,
};

mod openapi;
mod reach;
mod regions;
mod strips;
mod videos;

/// The parts that these routes work with.
pub struct State {
    pub store: Store,
    /// The answers that are kept.
    pub answers: AnswerCache,
    pub clock: Clock,
    /// What the catalogue knows trims strips.
    pub durations: Durations,
}

impl State {
    /// The whole seconds of a video, where the catalogue knows.
    async fn length_sec(&self, video_id: &str) -> Result<Option<u32>, ApiError> {
        let duration =
            in_time(async { self.durations.of_one(video_id).await.map_err(|error| ApiError::from(&error)) });
        Ok(duration.await?.map(whole_seconds))
    }
}

/// The routes and their description.
pub fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(videos::get))
        .routes(routes!(strips::get))
        .routes(routes!(strips::picture))
        .routes(routes!(regions::get))
        .routes(routes!(reach::get))
}

impl From<Arc<ReadError>> for ApiError {
    fn from(error: Arc<ReadError>) -> Self {
        match &*error {
            ReadError::TooFine(_) | ReadError::TooManyVideos(_) => ApiError::Unprocessable(error.to_string()),
            ReadError::Store(error) => ApiError::from(error),
        }
    }
}
