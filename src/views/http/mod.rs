//! The routes of views.

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{answers::cache::AnswerCache, http::error::ApiError, ingest, postgres::Store};

mod identify;
mod openapi;
mod ranges;
mod totals;
mod trending;
mod withheld;
mod write;

pub use trending::TrendingSettings;

/// The parts that these routes work with.
pub struct State {
    /// The database.
    pub store: Store,
    /// The answers that are kept.
    pub answers: AnswerCache,
    /// The way in.
    pub ingest: Arc<ingest::http::State>,
    /// Says which videos may be listed as trending.
    pub trending: TrendingSettings,
}

/// The routes and their description.
pub fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(write::post, totals::several))
        .routes(routes!(totals::one))
        .routes(routes!(identify::post))
        .routes(routes!(trending::get))
}

impl From<Arc<crate::postgres::StoreError>> for ApiError {
    fn from(error: Arc<crate::postgres::StoreError>) -> Self {
        ApiError::from(&*error)
    }
}
