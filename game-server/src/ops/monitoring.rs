//! The monitoring system's listener: metrics, and whether the server lives and takes players. It
//! has no password and tells nothing of anyone.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::observer::Observer;
use crate::gateway::problems;
use crate::http::headers;
use crate::http::host::Hosts;
use crate::http::origin::AllowedOrigins;
use crate::http::problem::Problem;

/// Most connections to the monitoring system's listener.
pub(crate) const CONNECTIONS_MAX: usize = 64;

/// The `OpenMetrics` text format.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything the monitoring system's listener answers.
pub(crate) fn router(observer: &Arc<Observer>, hosts: Hosts) -> Router {
    let routes = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .with_state(Arc::clone(observer));
    headers::secured(routes, &AllowedOrigins::default(), hosts, None)
}

async fn metrics(State(observer): State<Arc<Observer>>) -> Response {
    match observer.scrape() {
        Ok(text) => ([(CONTENT_TYPE, METRICS_TYPE)], text).into_response(),
        Err(_) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "The metrics could not be written.").into_response(),
    }
}

/// Alive: every worker's loop is advancing. If not, a restart is the remedy.
async fn healthz(State(observer): State<Arc<Observer>>) -> Result<&'static str, Problem> {
    match observer.stuck_workers() {
        0 => Ok("ok\n"),
        stuck => {
            let detail = format!("{stuck} of {} workers are stuck.", observer.directory.worker_count());
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stuck", detail))
        }
    }
}

/// Ready: new players are welcome here.
async fn readyz(State(observer): State<Arc<Observer>>) -> Result<&'static str, Problem> {
    if observer.directory.is_draining() {
        return Err(problems::draining());
    }
    if observer.gateway.cluster().is_some_and(|cluster| !cluster.node().has_settled()) {
        let detail = "This server has just started, and takes no matches over from others yet. Ask again in a second.";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "starting", detail));
    }
    if observer.gateway.brake().is_on() {
        return Err(problems::no_memory());
    }
    if observer.directory.is_full() {
        return Err(problems::no_time());
    }
    Ok("ok\n")
}
