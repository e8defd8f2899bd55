//! Describes the errors of reads, for the API's description.

use utoipa::IntoResponses;

use super::error::Problem;

/// Every read may be answered with one of these instead.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes what `ApiError` answers")]
pub enum ReadProblems {
    /// A parameter cannot be read; `detail` says which and how to write it.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem<'static>),
    /// An internal error; it is in the log.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem<'static>),
    /// Postgres is away.
    #[response(status = 503, content_type = "application/problem+json",
        headers(("retry-after" = u32, description = "Seconds after which to ask again.")))]
    Unavailable(Problem<'static>),
}
