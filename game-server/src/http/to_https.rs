//! Answers those who speak HTTP where HTTPS is meant: the same place, over TLS.
//!
//! Invariant: it names the host that the request named, and only if that is a host and nothing
//! else: no `Host` leads anywhere that it does not say.

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONNECTION, HOST, LOCATION};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::problem::Problem;
use crate::config::origin::Origin;

/// The port that needs no name in a URL.
const HTTPS_PORT: u16 = 443;

/// Answers everything. `port` is where HTTPS is spoken; `None`: where the request came.
pub(crate) fn router(port: Option<u16>) -> Router {
    Router::new().fallback(move |request: Request| async move { answer(&request, port) })
}

fn answer(request: &Request, port: Option<u16>) -> Response {
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD);
    let place = is_page.then(|| place(request.headers(), request.uri().path_and_query(), port)).flatten();
    let mut response = match place {
        // Not for ever: browsers would remember it when the operator has turned TLS off again.
        Some(place) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, place)]).into_response(),
        None => Problem::bad_request("This speaks HTTPS: begin the address with https://.").into_response(),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The request's address over HTTPS. `None` if it does not say what host it means.
fn place(headers: &HeaderMap, path: Option<&PathAndQuery>, port: Option<u16>) -> Option<HeaderValue> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none())?.to_str().ok()?;
    let path = path.map_or("/", PathAndQuery::as_str);
    // An origin is a scheme, a host and a port, and was checked to be no more.
    let origin = Origin::parse(&format!("https://{host}"))?;
    let host = match port {
        _ if !path.starts_with('/') => return None,
        None => origin.authority().to_owned(),
        Some(HTTPS_PORT) => origin.host().to_owned(),
        Some(port) => format!("{}:{port}", origin.host()),
    };
    HeaderValue::try_from(format!("https://{host}{path}")).ok()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn asked(method: Method, host: &str, path: &str, port: Option<u16>) -> Result<String, StatusCode> {
        let request = Request::builder().method(method).uri(path).header(HOST, host).body(Body::empty());
        let response = answer(&request.expect("a request"), port);
        let place = response.headers().get(LOCATION).and_then(|place| place.to_str().ok());
        place.map(str::to_owned).ok_or(response.status())
    }

    #[test]
    fn a_page_is_sent_to_the_same_place_over_tls() {
        let place = |host, path, port| asked(Method::GET, host, path, port).expect("a place");
        assert_eq!(place("play.example", "/", Some(443)), "https://play.example/");
        assert_eq!(place("Play.Example:80", "/?join=AB12", Some(443)), "https://play.example/?join=AB12");
        assert_eq!(place("play.example:8080", "/a", Some(8443)), "https://play.example:8443/a");
        assert_eq!(place("[::1]:8080", "/a", Some(8443)), "https://[::1]:8443/a");
        assert_eq!(place("127.0.0.1:8080", "/a", None), "https://127.0.0.1:8080/a", "where HTTPS is spoken on the same port");
        assert_eq!(place("play.example", "//evil.example/", Some(443)), "https://play.example//evil.example/");
        assert_eq!(place("play.example", "http://evil.example/a", Some(443)), "https://play.example/a");
    }

    #[test]
    fn what_names_no_host_leads_nowhere() {
        for host in [
            "",
            "evil.example/",
            "a@evil.example",
            "a b",
            "evil.example#",
            "evil.example?",
            "host:",
            "host:x",
            "host:70000",
            "[::1",
            "a\\b",
        ] {
            assert_eq!(asked(Method::GET, host, "/", Some(443)), Err(StatusCode::BAD_REQUEST), "{host:?}");
        }
        assert_eq!(
            asked(Method::POST, "play.example", "/api/session", None),
            Err(StatusCode::BAD_REQUEST),
            "a body went over in the clear"
        );
        let mut request = Request::new(Body::empty());
        assert_eq!(answer(&request, None).status(), StatusCode::BAD_REQUEST, "no host");
        for host in ["a.example", "b.example"] {
            request.headers_mut().append(HOST, HeaderValue::from_static(host));
        }
        assert_eq!(answer(&request, None).status(), StatusCode::BAD_REQUEST, "two hosts");
    }
}
