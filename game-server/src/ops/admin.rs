//! The operator's listener: a dashboard of all matches, watching any of them live, and the page
//! that shows both.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::get;

use super::auth::{self, Doorkeeper};
use super::observer::Observer;
use super::{dashboard, spectate};
use crate::http::origin::AllowedOrigins;
use crate::http::problem::Problem;
use crate::http::{headers, page};

/// Most connections to the operator's listener, spectators included.
pub(crate) const CONNECTIONS_MAX: usize = 256;
/// Most of them without the token: those who have it are not kept out by those who do not.
pub(crate) const STRANGERS_MAX: usize = 64;

/// Everything the operator's listener answers.
pub(crate) fn router(observer: &Arc<Observer>, doorkeeper: &Arc<Doorkeeper>, web_dir: &Path) -> Router {
    let api = Router::new()
        .route("/admin/api/matches", get(dashboard::matches))
        .route("/admin/api/matches/{id}/spectate", get(spectate::handshake))
        .route("/admin/api", get(nothing).fallback(nothing))
        .route("/admin/api/{*rest}", get(nothing).fallback(nothing))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .with_state(Arc::clone(observer))
        .layer(from_fn_with_state(Arc::clone(doorkeeper), auth::guard));
    let page = page::admin_router(web_dir);
    let home = Router::new().route("/", get(async || Redirect::temporary("admin/")));
    headers::secured(api.merge(home).fallback_service(page), &AllowedOrigins::default())
}

async fn nothing() -> Problem {
    Problem::not_found()
}
