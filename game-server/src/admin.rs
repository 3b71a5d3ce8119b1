//! The operator's listener: a dashboard of all matches, watching any of them live, and the page that shows both.
//!
//! [`auth`] lets operators in, [`dashboard`] tells of matches, [`spectate`] shows one, [`ops`] is the monitoring system's
//! listener.
//!
//! Invariants: everything under `/admin/api` needs the token; there is no default token; who watched what is in the log
//! under the target `audit`, and the token is in none.

pub mod auth;
pub mod dashboard;
pub mod ops;
pub mod spectate;

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::get;

use crate::http::origin::AllowedOrigins;
use crate::http::problem::Problem;
use crate::http::{headers, page};
use crate::metrics::Observer;
use auth::Doorkeeper;

/// Most connections to the operator's listener, spectators included.
pub const CONNECTIONS_MAX: usize = 256;
/// Most of them without the token: those who have it are not kept out by those who do not.
pub const STRANGERS_MAX: usize = 64;

/// Everything the operator's listener answers.
pub fn router(observer: &Arc<Observer>, doorkeeper: &Arc<Doorkeeper>, web_dir: &Path) -> Router {
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
