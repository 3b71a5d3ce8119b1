//! Serves the built page from its folder: compressed where the browser takes it and the build made
//! it, with cache headers. What is under `assets/` has its hash in its name and never changes;
//! everything else is asked for anew and told apart by a hash of its bytes, since files of
//! reproducible builds all have the same date.

use std::borrow::Cow;
use std::convert::Infallible;
use std::path::Path;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED,
    LOCATION, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use tower::{ServiceExt, service_fn};
use tower_http::services::ServeDir;

use super::problem::Problem;
use crate::metrics;

/// Kept for a year, unasked: files named by their hash never change.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Kept, but asked about every time.
const REVALIDATE: &str = "no-cache";
/// Largest file that is hashed when it is asked for, bytes.
const HASHED_BYTES_MAX: usize = 256 * 1024;
/// Longest name of a file or folder, bytes: no file system has longer ones.
const NAME_BYTES_MAX: usize = 255;
/// Longest path, bytes: with the folder before it, no system has much longer ones.
const PATH_BYTES_MAX: usize = 2 * 1024;
/// In the players' `index.html`, a `meta` of this name says which game the page is of.
const GAME_META: &str = "name=\"tickwire-game\"";

/// The players' page. The operator's, in the same folder, is not served here.
pub(crate) fn player_router(web_dir: &Path) -> Router {
    serve(web_dir, |folder| !is_operators(folder))
}

/// The operator's page and the files it loads.
pub(crate) fn admin_router(web_dir: &Path) -> Router {
    serve(web_dir, |folder| is_operators(folder) || folder == "assets")
}

/// The game that the page in `web_dir` says it is of.
pub(crate) fn game(web_dir: &Path) -> Option<String> {
    let index = std::fs::read_to_string(web_dir.join("index.html")).ok()?;
    let (_, rest) = index.split_once(GAME_META)?;
    let (tag, _) = rest.split_once('>')?;
    let (_, content) = tag.split_once("content=\"")?;
    content.split_once('"').map(|(game, _)| game.to_owned())
}

/// The files of `web_dir` in the top folders that are `served`, or named so themselves; nothing if
/// `web_dir` is empty.
fn serve(web_dir: &Path, is_served: fn(&str) -> bool) -> Router {
    let files = (!web_dir.as_os_str().is_empty()).then(|| ServeDir::new(web_dir).precompressed_br().precompressed_gzip());
    let service = service_fn(move |request: Request| {
        let files = files.clone().filter(|_| top(request.uri().path()).is_some_and(|top| is_served(&top)));
        async move {
            let mut response = match files {
                Some(files) => file(files, request).await,
                None => Problem::not_found().into_response(),
            };
            response.headers_mut().append(VARY, HeaderValue::from(ACCEPT_ENCODING));
            metrics::count_page_request(response.status());
            Ok::<_, Infallible>(response)
        }
    });
    Router::new().fallback_service(service)
}

/// The top folder or file that a path leads to, however it is spelled; empty for the root. `None`
/// if no file has such a path.
fn top(path: &str) -> Option<Cow<'_, str>> {
    let path = percent_decode_str(path).decode_utf8().ok()?;
    if path.contains('\0') || path.len() > PATH_BYTES_MAX || path.split('/').any(|name| name.len() > NAME_BYTES_MAX) {
        return None;
    }
    let first = path.split(['/', '\\']).find(|name| !matches!(*name, "" | "."));
    Some(Cow::Owned(first.unwrap_or_default().to_owned()))
}

/// Some file systems do not tell cases apart, and some ignore dots and blanks at the end.
fn is_operators(top: &str) -> bool {
    top.trim_end_matches(['.', ' ']).eq_ignore_ascii_case("admin")
}

async fn file(files: ServeDir, mut request: Request) -> Response {
    let is_hashed = request.uri().path().starts_with("/assets/");
    let (is_get, path) = (request.method() == Method::GET, request.uri().path().to_owned());
    if !is_hashed {
        request.headers_mut().remove(IF_MODIFIED_SINCE);
        request.headers_mut().remove(IF_UNMODIFIED_SINCE);
    }
    let known = request.headers().get(IF_NONE_MATCH).cloned();
    let Ok(response) = files.oneshot(request).await;
    let mut response = response.map(Body::new);
    match response.status() {
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => return Problem::not_found().into_response(),
        StatusCode::METHOD_NOT_ALLOWED => {
            let mut response = Problem::method_not_allowed().into_response();
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET,HEAD"));
            return response;
        }
        StatusCode::INTERNAL_SERVER_ERROR => return unreadable(),
        StatusCode::OK if is_get && !is_hashed => response = tagged(response, known.as_ref()).await,
        StatusCode::TEMPORARY_REDIRECT => relative(response.headers_mut(), &path),
        _ => {}
    }
    let is_file = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let caching = if is_file && is_hashed { FOR_EVER } else { REVALIDATE };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if !is_hashed {
        headers.remove(LAST_MODIFIED);
    }
    response
}

/// With a hash of its bytes as its tag; without the bytes if the browser has them.
async fn tagged(response: Response, known: Option<&HeaderValue>) -> Response {
    let length = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()).and_then(|length| length.parse().ok());
    if length.is_none_or(|length: usize| length > HASHED_BYTES_MAX) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, HASHED_BYTES_MAX).await else { return unreadable() };
    let tag = tag(&bytes);
    let is_known = known.and_then(|known| known.to_str().ok()).is_some_and(|known| known.split(',').any(|known| is_same(known, &tag)));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        parts.headers.insert(ETAG, tag);
    }
    if is_known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn tag(bytes: &Bytes) -> String {
    let hash = Sha256::digest(bytes);
    let short = hash.iter().take(16).fold(0u128, |short, byte| short << 8 | u128::from(*byte));
    format!("\"{short:032x}\"")
}

/// Compares as RFC 9110 does for `If-None-Match`: a proxy that compressed the answer made its tag a
/// weak one.
fn is_same(known: &str, tag: &str) -> bool {
    let known = known.trim();
    known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
}

/// From a folder to the same with a slash, by its name alone: what a proxy has put before the path
/// stays.
fn relative(headers: &mut HeaderMap, path: &str) {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if let Ok(location) = HeaderValue::try_from(format!("{name}/")) {
        headers.insert(LOCATION, location);
    }
}

fn unreadable() -> Response {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "The file could not be read.").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operators_folder_is_known_by_any_spelling() {
        let leads_there = |path: &str| top(path).is_some_and(|top| is_operators(&top));
        for path in [
            "/admin",
            "/admin/",
            "//admin/",
            "/./admin/x",
            "/%61dmin/",
            "/ADMIN/",
            "/admin%2findex.html",
            "/admin%5cindex.html",
            "/admin./",
        ] {
            assert!(leads_there(path), "{path}");
        }
        for path in ["/", "/index.html", "/administration", "/assets/admin-abc.js"] {
            assert!(!leads_there(path), "{path}");
        }
    }

    #[test]
    fn paths_that_no_file_has_lead_nowhere() {
        assert_eq!(top("/%00"), None);
        assert_eq!(top("/%ff"), None);
        assert_eq!(top(&format!("/assets/{}", "x".repeat(256))), None);
        assert_eq!(top(&"/x".repeat(2_000)), None);
        assert_eq!(top(&format!("/assets/{}/y", "%78".repeat(255))).as_deref(), Some("assets"));
    }

    #[test]
    fn tags_are_compared_weakly() {
        let tag = tag(&Bytes::from_static(b"page"));
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() == 34, "{tag}");
        assert!(is_same(&format!(" W/{tag}"), &tag) && is_same(&tag, &tag) && is_same("*", &tag) && !is_same("\"x\"", &tag));
    }

    #[test]
    fn the_page_says_of_which_game_it_is() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let says = |text: &str| {
            std::fs::write(dir.path().join("index.html"), text).expect("a file");
            game(dir.path())
        };
        assert_eq!(says("<meta charset=\"utf-8\" />\n<meta name=\"tickwire-game\" content=\"arena\" />").as_deref(), Some("arena"));
        assert_eq!(says("<meta name=\"tickwire-game\"><meta content=\"arena\">"), None);
        assert_eq!(says("<!doctype html>"), None);
    }
}
