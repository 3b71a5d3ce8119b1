//! Everything the players' listener answers.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use http::header::CACHE_CONTROL;

use super::shared::Gateway;
use super::{admission, api, queue_api, stream};
use crate::http::host::Hosts;
use crate::http::problem::Problem;
use crate::http::refusals::Cause;
use crate::http::remote::Remote;
use crate::http::{cors, headers, page};

/// The API, the WebSocket, whether the server lives, and the page.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Router {
    let alive = Router::new().route("/healthz", get(async || ([(CACHE_CONTROL, "no-store")], "ok\n")));
    let page = page::player_router(&gateway.config.web_dir);
    let routes = api::router(gateway, queue_api::routes()).merge(admission::router(gateway)).merge(alive).fallback_service(page);
    let routes = routes.layer(from_fn_with_state(Arc::clone(gateway), refuse_other_pages));
    let routes = routes.layer(cors::layer(&gateway.origins, admission::CONNECT_CHECK));
    let routes = headers::secured(routes, &gateway.origins, Hosts::any(), gateway.config.public_ws_url.as_deref());
    // Answers that come many times a second have the headers they need and no more.
    let stream = headers::named(stream::router(gateway), Hosts::any());
    routes.merge(stream.layer(cors::layer(&gateway.origins, admission::CONNECT_CHECK)))
}

/// Refuses calls of the API by pages of other sites before anything is counted: a site must not use
/// up what its visitors may ask for here. It is also the first sign that a site is set up wrong, so
/// the operator is told. What asks whether it would be refused is answered by itself.
async fn refuse_other_pages(
    State(gateway): State<Arc<Gateway>>,
    Extension(remote): Extension<Remote>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let path = request.uri().path();
    if path.starts_with("/api/") && path != admission::CONNECT_CHECK && !gateway.origins.allow(request.headers()) {
        return Err(gateway.refusals.refuse(Instant::now(), Cause::Origin, &remote, request.headers()));
    }
    Ok(next.run(request).await)
}
