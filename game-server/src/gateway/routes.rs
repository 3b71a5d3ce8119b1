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
use super::{admission, api};
use crate::http::refusals::Cause;
use crate::http::remote::Remote;
use crate::http::{cors, headers, page};

/// The API, the WebSocket, whether the server lives, and the page.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Router {
    let alive = Router::new().route("/healthz", get(async || ([(CACHE_CONTROL, "no-store")], "ok\n")));
    let page = page::player_router(&gateway.config.web_dir);
    let routes = api::router(gateway).merge(admission::router(gateway)).merge(alive).fallback_service(page);
    let routes = routes.layer(cors::layer(&gateway.origins, admission::CONNECT_CHECK));
    headers::secured(routes.layer(from_fn_with_state(Arc::clone(gateway), notice_strangers)), &gateway.origins)
}

/// Tells the operator of pages that call the API and could not connect: the first sign that a site
/// is set up wrong.
async fn notice_strangers(
    State(gateway): State<Arc<Gateway>>,
    Extension(remote): Extension<Remote>,
    request: Request,
    next: Next,
) -> Response {
    if request.uri().path().starts_with("/api/") && !gateway.origins.allow(request.headers()) {
        gateway.refusals.tell(Instant::now(), Cause::Origin, &remote, request.headers());
    }
    next.run(request).await
}
