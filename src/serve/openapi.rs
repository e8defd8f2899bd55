//! `GET /openapi.json` is made of the handlers' own descriptions; the page at `/docs` shows it.

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use utoipa::{
    OpenApi,
    openapi::{HeaderBuilder, Object, RefOr, schema::Type},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{days, health, metrics};
use crate::{audience, catalogue, counters, heatmap, ingest, views};

/// The part of the document that stands above the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "heatstrip",
        description = "Which seconds of a video people watch, and how many different people watched each.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
    servers((url = "/")),
    tags(
        (name = "heartbeats", description = "What players send."),
        (name = "strips", description = "What is read."),
        (name = "views", description = "The number under the video."),
        (name = "audience", description = "Who saw this and missed that, on a sample of the viewers."),
        (name = "catalogue", description = "What is known of a video beside what people watched of it."),
        (name = "counters", description = "Likes and the like: who counted what, and how many did."),
        (name = "operations", description = "For whoever watches the process."),
    ),
)]
struct Head;

/// The document as it is served.
pub static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut document = Head::openapi();
    for part in [
        health::routes().into_openapi(),
        metrics::routes().into_openapi(),
        routes().into_openapi(),
        ingest::http::routes().into_openapi(),
        heatmap::http::routes().into_openapi(),
        audience::http::routes().into_openapi(),
        catalogue::http::routes().into_openapi(),
        days::routes().into_openapi(),
        counters::http::routes().into_openapi(),
        views::http::routes().into_openapi(),
    ] {
        document.merge(part);
    }
    for item in document.paths.paths.values_mut() {
        for operation in
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten()
        {
            for response in operation.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    let id = HeaderBuilder::new()
                        .schema(Some(Object::with_type(Type::String)))
                        .description(Some("What the log calls this request: as it was sent, or made here."));
                    response.headers.insert("x-request-id".to_owned(), id.build().into());
                }
            }
        }
    }
    document.to_pretty_json().expect("the document is plain data")
});

/// Returns the route of the document.
pub fn routes() -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(read))
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operations",
    responses((status = 200, description = "The OpenAPI document.", body = Object, content_type = "application/json")))]
pub async fn read() -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, DOCUMENT.as_str()).into_response()
}
