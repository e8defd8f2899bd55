//! Serves everything below a path, for who has other things at the same address.

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, header, uri::PathAndQuery},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use tower_service::Service;

use super::router::not_found;
use crate::http::request_id::identify;

/// Returns a router that has these routes below a path and nothing beside it. The path is taken off before a route is looked
/// for, so that logs and metrics know the routes by the same names everywhere.
pub fn below(base_path: &str, router: Router) -> Router {
    if base_path.is_empty() {
        return router;
    }
    let beside = Router::new()
        .route(base_path, get(to_the_dashboard))
        .fallback(not_found)
        .layer(middleware::from_fn(identify));
    let base_path = base_path.to_owned();
    Router::new().fallback(async move |mut request: Request| {
        let mut router = match without(&base_path, request.uri()) {
            Some(uri) => {
                *request.uri_mut() = uri;
                router
            }
            None => beside,
        };
        router.call(request).await
    })
}

/// Returns an address without the path that everything is below, or none if it is not below it.
fn without(base_path: &str, uri: &Uri) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix(base_path)?;
    if !rest.starts_with('/') {
        return None;
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(rest).ok()?);
    Uri::from_parts(parts).ok()
}

/// The dashboard names its files relative to itself, so its address has to end with a slash.
async fn to_the_dashboard(uri: Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = HeaderValue::try_from(format!("{}/{query}", uri.path())).expect("it was an address");
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_taken_off_once() {
        let below =
            |uri: &str| without("/heat", &uri.parse().expect("an address")).map(|uri| uri.to_string());
        assert_eq!(below("/heat/v1/videos?limit=1").as_deref(), Some("/v1/videos?limit=1"));
        assert_eq!(below("/heat/").as_deref(), Some("/"));
        assert_eq!(below("/heat/?video=a/b").as_deref(), Some("/?video=a/b"));
        assert_eq!(below("http://a.example/heat/docs").as_deref(), Some("http://a.example/docs"));
        assert_eq!(below("/heat/heat/docs").as_deref(), Some("/heat/docs"));
        assert_eq!(below("/heat//docs").as_deref(), Some("//docs"));
        for beside in
            ["/heat", "/heat?video=v", "/heater/docs", "/v1/videos", "/", "/HEAT/docs", "/%68eat/docs"]
        {
            assert_eq!(below(beside), None, "{beside}");
        }
    }
}
