//! The headers that every answer of every listener carries.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};

use super::origin::AllowedOrigins;

/// What a page from here may load and do: its own files, WebAssembly, and WebSockets. No inline
/// script. Who may frame it, is added.
const CONTENT_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data: blob:; connect-src 'self' ws: wss:; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; \
     frame-ancestors";

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Adds the security headers to everything `router` answers, fallbacks included. Pages of `origins`
/// may show its answers in frames, load its files, and keep hold of the windows they open with it.
pub(crate) fn secured(router: Router, origins: &AllowedOrigins) -> Router {
    let headers: Arc<[(HeaderName, HeaderValue)]> = security_headers(origins).into();
    router.layer(from_fn(move |request: Request, next: Next| {
        let headers = Arc::clone(&headers);
        async move {
            let mut response: Response = next.run(request).await;
            response.headers_mut().extend(headers.iter().cloned());
            response
        }
    }))
}

fn security_headers(origins: &AllowedOrigins) -> Vec<(HeaderName, HeaderValue)> {
    let same_origin = || HeaderValue::from_static("same-origin");
    let mut headers = vec![
        (CONTENT_SECURITY_POLICY, content_policy(origins)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    if origins.listed().is_empty() {
        headers.extend([
            (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
            (OPENER_POLICY, same_origin()),
            (RESOURCE_POLICY, same_origin()),
        ]);
    } else {
        headers.push((RESOURCE_POLICY, HeaderValue::from_static("cross-origin")));
    }
    headers
}

fn content_policy(origins: &AllowedOrigins) -> HeaderValue {
    let mut policy = CONTENT_POLICY.to_owned();
    for origin in origins.listed() {
        let _ = write!(policy, " {origin}");
    }
    if origins.listed().is_empty() {
        policy.push_str(" 'none'");
    }
    // Origins are of signs that a header takes: if not, nobody may frame the page, nor load
    // anything for it.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn headers(origins: &[&str]) -> HeaderMap {
        let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
        security_headers(&AllowedOrigins::new(&origins)).into_iter().collect()
    }

    #[test]
    fn nobody_frames_the_page_unless_told() {
        let headers = headers(&[]);
        assert!(headers[CONTENT_SECURITY_POLICY].to_str().is_ok_and(|policy| policy.ends_with("; frame-ancestors 'none'")));
        assert_eq!(
            (&headers[X_FRAME_OPTIONS], &headers[OPENER_POLICY], &headers[RESOURCE_POLICY]),
            (&HeaderValue::from_static("DENY"), &HeaderValue::from_static("same-origin"), &HeaderValue::from_static("same-origin"),)
        );
    }

    #[test]
    fn allowed_origins_frame_it() {
        let headers = headers(&["https://play.example", "http://localhost:3000"]);
        let policy = headers[CONTENT_SECURITY_POLICY].to_str().expect("ASCII");
        assert!(policy.ends_with("; frame-ancestors https://play.example http://localhost:3000"), "{policy}");
        assert!(!headers.contains_key(X_FRAME_OPTIONS) && !headers.contains_key(OPENER_POLICY));
        assert_eq!(headers[RESOURCE_POLICY], "cross-origin");
    }
}
