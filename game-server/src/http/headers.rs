//! The headers that every answer of every listener carries.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};

use super::host::Hosts;
use super::neighbours::Neighbours;
use super::origin::AllowedOrigins;

/// What a page from here may load and do: its own files, and WebAssembly. No inline script. Where
/// it may connect to, and who may frame it, is added.
const CONTENT_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data: blob:; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; object-src 'none'; \
     connect-src 'self'";

/// What no page from here needs of a device.
const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), \
     microphone=(), midi=(), payment=(), serial=(), usb=()";

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Adds the security headers to everything `router` answers, fallbacks included, and refuses what
/// asks for a name that is none of `hosts`. Pages of `origins` may show its answers in frames, load
/// its files, and keep hold of the windows they open with it. The page may also connect to
/// `public_ws_url`, and to the other servers of a cluster.
pub(crate) fn secured(router: Router, origins: &AllowedOrigins, hosts: Hosts, public_ws_url: Option<&str>) -> Router {
    let headers: Arc<[(HeaderName, HeaderValue)]> = security_headers(origins).into();
    let policy = Arc::new(content_policy(origins, public_ws_url));
    let (hosts, neighbours) = (Arc::new(hosts), Arc::clone(origins.neighbours()));
    router.layer(from_fn(move |request: Request, next: Next| {
        let (headers, policy, hosts) = (Arc::clone(&headers), Arc::clone(&policy), Arc::clone(&hosts));
        let neighbours = Arc::clone(&neighbours);
        async move {
            let checked = hosts.check(request.headers(), request.uri());
            let policy = connecting(&policy, checked.as_ref().ok().map(|host| host.text), &neighbours);
            let mut response: Response = match checked.map(drop) {
                Ok(()) => next.run(request).await,
                Err(problem) => problem.into_response(),
            };
            response.headers_mut().extend(headers.iter().cloned());
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
            response
        }
    }))
}

/// Refuses what asks `router` for a name that is none of `hosts`, and adds no headers.
pub(crate) fn named(router: Router, hosts: Hosts) -> Router {
    let hosts = Arc::new(hosts);
    router.layer(from_fn(move |request: Request, next: Next| {
        let hosts = Arc::clone(&hosts);
        async move {
            match hosts.check(request.headers(), request.uri()).map(drop) {
                Ok(()) => next.run(request).await,
                Err(problem) => problem.into_response(),
            }
        }
    }))
}

fn security_headers(origins: &AllowedOrigins) -> Vec<(HeaderName, HeaderValue)> {
    let same_origin = || HeaderValue::from_static("same-origin");
    let mut headers = vec![
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (PERMISSIONS_POLICY, HeaderValue::from_static(PERMISSIONS)),
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

/// The policy before and behind the WebSockets of the host that a page comes from.
fn content_policy(origins: &AllowedOrigins, public_ws_url: Option<&str>) -> (String, String) {
    let (mut before, mut behind) = (CONTENT_POLICY.to_owned(), "; frame-ancestors".to_owned());
    for origin in origins.listed() {
        let _ = write!(before, " {origin}");
        let _ = write!(behind, " {origin}");
    }
    if origins.listed().is_empty() {
        behind.push_str(" 'none'");
    }
    if let Some(origin) = public_ws_url.and_then(origin_of) {
        let _ = write!(before, " {origin}");
    }
    (before, behind)
}

/// Not every browser counts WebSockets of the same host as the page's own.
fn connecting((before, behind): &(String, String), host: Option<&str>, neighbours: &Neighbours) -> HeaderValue {
    let mut own = host.map_or_else(String::new, |host| format!(" ws://{host} wss://{host}"));
    neighbours.add_sources(&mut own);
    // Hosts and origins are of signs that a header takes: if not, nobody may frame the page, nor
    // load anything for it.
    HeaderValue::try_from(format!("{before}{own}{behind}"))
        .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"))
}

/// Scheme, host and port of a WebSocket's URL. `None` if it is relative.
fn origin_of(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let is_plain = host.bytes().all(|sign| sign.is_ascii_alphanumeric() || b"-._:[]".contains(&sign));
    is_plain.then(|| url.get(..scheme.len() + 3 + host.len())).flatten()
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn origins(origins: &[&str]) -> AllowedOrigins {
        let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
        AllowedOrigins::new(&origins)
    }

    fn headers(list: &[&str]) -> HeaderMap {
        security_headers(&origins(list)).into_iter().collect()
    }

    /// One directive's sources.
    fn directive(list: &[&str], public_ws_url: Option<&str>, name: &str) -> String {
        let policy = connecting(&content_policy(&origins(list), public_ws_url), Some("play.example:8080"), &Neighbours::default());
        let policy = policy.to_str().expect("ASCII");
        let directives = policy.split(';').filter_map(|directive| directive.trim().split_once(' '));
        directives.filter(|(other, _)| *other == name).map(|(_, sources)| sources.to_owned()).collect()
    }

    #[test]
    fn nobody_frames_the_page_unless_told() {
        let headers = headers(&[]);
        assert_eq!(directive(&[], None, "frame-ancestors"), "'none'");
        assert_eq!(
            (&headers[X_FRAME_OPTIONS], &headers[OPENER_POLICY], &headers[RESOURCE_POLICY]),
            (&HeaderValue::from_static("DENY"), &HeaderValue::from_static("same-origin"), &HeaderValue::from_static("same-origin"),)
        );
    }

    #[test]
    fn allowed_origins_frame_it() {
        let list = ["https://play.example", "http://localhost:3000"];
        let headers = headers(&list);
        assert_eq!(directive(&list, None, "frame-ancestors"), "https://play.example http://localhost:3000");
        assert!(!headers.contains_key(X_FRAME_OPTIONS) && !headers.contains_key(OPENER_POLICY));
        assert_eq!(headers[RESOURCE_POLICY], "cross-origin");
    }

    #[test]
    fn the_page_connects_to_hosts_that_are_named() {
        let own = "ws://play.example:8080 wss://play.example:8080";
        assert_eq!(directive(&[], None, "connect-src"), format!("'self' {own}"));
        assert_eq!(directive(&[], Some("/elsewhere/ws"), "connect-src"), format!("'self' {own}"));
        assert_eq!(
            directive(&["https://cdn.example"], Some("wss://ws.example:444/ws?x=1"), "connect-src"),
            format!("'self' https://cdn.example wss://ws.example:444 {own}")
        );
        assert_eq!(origin_of("wss://a;b/ws"), None, "no directive of its own");
    }
}
