//! Serves the built page from its folder, with cache headers: what is under `assets/` has its hash in its name and never
//! changes, everything else is asked for anew.

use std::convert::Infallible;
use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CACHE_CONTROL};
use http::{HeaderValue, StatusCode};
use tower::{ServiceExt, service_fn};
use tower_http::services::ServeDir;

use super::problem::Problem;
use crate::metrics;

/// Kept for a year, unasked: files named by their hash never change.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Kept, but asked about every time.
const REVALIDATE: &str = "no-cache";

/// The players' page. The operator's, in the same folder, is not served here.
pub fn player_router(web_dir: &Path) -> Router {
    serve(web_dir, |path| !path.starts_with("/admin/") && path != "/admin")
}

/// The operator's page and the files it loads.
pub fn admin_router(web_dir: &Path) -> Router {
    serve(web_dir, |path| path.starts_with("/admin/") || path == "/admin" || path.starts_with("/assets/"))
}

/// The files of `web_dir` whose request path `is_served`; nothing if `web_dir` is empty.
fn serve(web_dir: &Path, is_served: fn(&str) -> bool) -> Router {
    let files = (!web_dir.as_os_str().is_empty()).then(|| ServeDir::new(web_dir));
    let service = service_fn(move |request: Request| {
        let files = files.clone().filter(|_| is_served(request.uri().path()));
        async move {
            let response = match files {
                Some(files) => file(files, request).await,
                None => Problem::not_found().into_response(),
            };
            metrics::count_page_request(response.status());
            Ok::<_, Infallible>(response)
        }
    });
    Router::new().fallback_service(service)
}

async fn file(files: ServeDir, request: Request) -> Response {
    let caching = if request.uri().path().starts_with("/assets/") { FOR_EVER } else { REVALIDATE };
    let Ok(response) = files.oneshot(request).await;
    match response.status() {
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => Problem::not_found().into_response(),
        StatusCode::METHOD_NOT_ALLOWED => {
            let mut response = Problem::method_not_allowed().into_response();
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET,HEAD"));
            response
        }
        StatusCode::INTERNAL_SERVER_ERROR => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "The file could not be read.").into_response()
        }
        _ => {
            let mut response = response.map(Body::new);
            let is_file = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(if is_file { caching } else { REVALIDATE }));
            response
        }
    }
}
