//! `GET /openapi.json` is made of the handlers' own descriptions; the page at `/docs` shows it.

use std::sync::Arc;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use utoipa::{
    OpenApi,
    openapi::{
        HeaderBuilder, Object, RefOr, SecurityRequirement, Server,
        path::Operation,
        schema::Type,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{days, health, ledger, metrics};
use crate::{audience, catalogue, counters, heatmap, ingest, views};

/// The part of the document that stands above the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "heatstrip",
        description = "Which seconds of a video people watch, and how many different people watched each.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
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

/// Returns the document as it is served below a path, which is empty or begins with a slash.
pub fn document(base_path: &str) -> String {
    let mut document = Head::openapi();
    document.servers = Some(vec![Server::new(if base_path.is_empty() { "/" } else { base_path })]);
    for part in [
        health::routes().into_openapi(),
        metrics::routes().into_openapi(),
        routes().into_openapi(),
        ingest::http::routes().into_openapi(),
        heatmap::http::routes().into_openapi(),
        audience::http::routes().into_openapi(),
        catalogue::http::routes().into_openapi(),
        days::routes().into_openapi(),
        ledger::routes().into_openapi(),
        counters::http::routes().into_openapi(),
        views::http::routes().into_openapi(),
    ] {
        document.merge(part);
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer = bearer.description(Some("A key, where keys are needed."));
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("key", SecurityScheme::Http(bearer.build()));
    for (path, item) in &mut document.paths.paths {
        for operation in
            [&mut item.get, &mut item.post, &mut item.put, &mut item.delete].into_iter().flatten()
        {
            if path.starts_with("/v1/") {
                admit(operation);
            }
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
}

/// Describes what stands before a route: a key, where keys are needed, and its budget.
fn admit(operation: &mut Operation) {
    operation.security =
        Some(vec![SecurityRequirement::default(), SecurityRequirement::new("key", Vec::<String>::new())]);
    let responses = &mut operation.responses.responses;
    for (status, like, description) in [
        ("401", "500", "A key is needed, and there is none that is good."),
        ("403", "500", "The key is not good for this, or not for pages of this origin."),
        ("429", "503", "The sender has spent its budget."),
    ] {
        if let Some(RefOr::T(like)) = responses.get(like) {
            let mut response = like.clone();
            description.clone_into(&mut response.description);
            responses.insert(status.to_owned(), RefOr::T(response));
        }
    }
}

/// Returns the route of the document.
pub fn routes() -> OpenApiRouter<Arc<str>> {
    OpenApiRouter::new().routes(routes!(read))
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operations",
    responses((status = 200, description = "The OpenAPI document.", body = Object, content_type = "application/json")))]
pub async fn read(State(document): State<Arc<str>>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")];
    (headers, document.to_string()).into_response()
}
