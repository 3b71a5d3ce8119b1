//! What pages from elsewhere may ask of the API: those of `allowed_origins` anything, others only
//! what is open to all.
//!
//! No credentials: nothing here is authorised by a cookie.

use std::time::Duration;

use http::Method;
use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_NONE_MATCH, ORIGIN, RETRY_AFTER};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::origin::AllowedOrigins;

/// How long a browser need not ask again; the longest that browsers believe.
const PREFLIGHT_KEPT: Duration = Duration::from_hours(2);

/// Answers every `OPTIONS`, and lets browsers show answers to the pages of `origins`, those at
/// `open_path` to any page.
pub(crate) fn layer(origins: &AllowedOrigins, open_path: &'static str) -> CorsLayer {
    let origins = origins.clone();
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, request| request.uri.path() == open_path || origins.list(origin)))
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, IF_NONE_MATCH])
        .expose_headers([RETRY_AFTER, ETAG])
        .max_age(PREFLIGHT_KEPT)
        .vary([ORIGIN])
}
