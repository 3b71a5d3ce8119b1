//! The operator's listener: a dashboard of all matches, watching any of them live, and the page
//! that shows both.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{delete, get, post};

use super::auth::{self, Doorkeeper};
use super::observer::Observer;
use super::{dashboard, moderate, spectate};
use crate::http::host::Hosts;
use crate::http::origin::AllowedOrigins;
use crate::http::problem::Problem;
use crate::http::{headers, page};

/// Most connections to the operator's listener, spectators included.
pub(crate) const CONNECTIONS_MAX: usize = 256;
/// Most of them without the token: those who have it are not kept out by those who do not.
pub(crate) const STRANGERS_MAX: usize = 64;

/// Everything the operator's listener answers.
pub(crate) fn router(observer: &Arc<Observer>, doorkeeper: &Arc<Doorkeeper>, hosts: Hosts, web_dir: &Path) -> Router {
    let api = Router::new()
        .route("/admin/api/matches", get(dashboard::matches))
        .route("/admin/api/matches/{id}/spectate", get(spectate::handshake))
        .route("/admin/api/matches/{id}/players", get(moderate::players))
        .route("/admin/api/matches/{id}/kick", post(moderate::kick))
        .route("/admin/api/bans", get(moderate::bans).post(moderate::ban))
        .route("/admin/api/bans/{id}", delete(moderate::lift))
        .route("/admin/api/audit", get(moderate::trail))
        .route("/admin/api", get(nothing).fallback(nothing))
        .route("/admin/api/{*rest}", get(nothing).fallback(nothing))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .with_state(Arc::clone(observer))
        .layer(from_fn_with_state((Arc::clone(doorkeeper), Arc::clone(observer)), auth::guard));
    let page = page::admin_router(web_dir);
    let home = Router::new().route("/", get(async || Redirect::temporary("admin/")));
    headers::secured(api.merge(home).fallback_service(page), &AllowedOrigins::default(), hosts, None)
}

async fn nothing() -> Problem {
    Problem::not_found()
}
