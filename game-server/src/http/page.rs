//! Serves the built page from its folder: compressed where the browser takes it and the build made
//! it, with cache headers. What is under `assets/` has its hash in its name and never changes;
//! everything else is asked for anew and told apart by a hash of its bytes, since files of
//! reproducible builds all have the same date.

use std::borrow::Cow;
use std::convert::Infallible;
use std::path::Path;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE,
    LAST_MODIFIED, LOCATION, VARY,
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
/// Longest name of a file or folder, bytes: no file system has longer ones, with `.br` behind it.
const NAME_BYTES_MAX: usize = 252;
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
        let path = request.uri().path();
        let files = files.clone().filter(|_| !is_misread(path) && top(path).is_some_and(|top| is_served(&top)));
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
    let mut names = path.split(['/', '\\']);
    let is_impossible = |name: &str| name.len() > NAME_BYTES_MAX || name == "..";
    if path.len() > PATH_BYTES_MAX || path.contains('\0') || names.clone().any(is_impossible) {
        return None;
    }
    let first = names.find(|name| !matches!(*name, "" | ".")).unwrap_or_default();
    is_plain(first).then(|| Cow::Owned(first.to_owned()))
}

/// [`ServeDir`] takes a name with a dot at its end for the one without it, also for a folder's, as
/// some file systems do. Nothing here is named so.
fn is_misread(path: &str) -> bool {
    let path = percent_decode_str(path).decode_utf8_lossy();
    path.split(['/', '\\']).any(|name| name.ends_with('.') && name != ".")
}

/// File systems have further spellings for what they hold: streams behind a colon, short names
/// with a tilde, letters that are composed differently. No top folder or file needs such signs.
fn is_plain(name: &str) -> bool {
    name.bytes().all(|sign| sign.is_ascii_alphanumeric() || b"-_. ".contains(&sign))
}

/// Some file systems do not tell cases apart, and some ignore dots and blanks at the end.
fn is_operators(top: &str) -> bool {
    top.trim_end_matches(['.', ' ']).eq_ignore_ascii_case("admin")
}

async fn file(files: ServeDir, mut request: Request) -> Response {
    let is_hashed = request.uri().path().starts_with("/assets/");
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let known = request.headers().get(IF_NONE_MATCH).cloned();
    if !is_hashed {
        request.headers_mut().remove(IF_MODIFIED_SINCE);
        request.headers_mut().remove(IF_UNMODIFIED_SINCE);
        if method == Method::HEAD {
            // It has the headers that the answer to `GET` has.
            *request.method_mut() = Method::GET;
        }
    }
    let is_whole = request.method() == Method::GET;
    let Ok(response) = files.oneshot(request).await;
    let mut response = response.map(Body::new);
    match response.status() {
        StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST => return Problem::not_found().into_response(),
        StatusCode::METHOD_NOT_ALLOWED => {
            let mut response = Problem::method_not_allowed().into_response();
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET,HEAD"));
            return response;
        }
        // The system has no such name, whatever its reason.
        StatusCode::INTERNAL_SERVER_ERROR => {
            tracing::debug!(path, "no file can have this path");
            return Problem::not_found().into_response();
        }
        StatusCode::OK if is_hashed => response = named(response, &path, known.as_ref()),
        StatusCode::OK if is_whole => response = tagged(response, known.as_ref()).await,
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
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

/// With its name as its tag, which has a hash of its bytes in it. Without the bytes if the browser
/// has them: some ask again although they need not.
fn named(mut response: Response, path: &str, known: Option<&HeaderValue>) -> Response {
    let encoding = response.headers().get(CONTENT_ENCODING).and_then(|encoding| encoding.to_str().ok()).unwrap_or_default();
    let tag = tag(format!("{path} {encoding}").as_bytes());
    mark(&mut response, &tag, known);
    response
}

/// With a hash of its bytes as its tag; without the bytes if the browser has them.
async fn tagged(response: Response, known: Option<&HeaderValue>) -> Response {
    let length = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()).and_then(|length| length.parse().ok());
    if length.is_none_or(|length: usize| length > HASHED_BYTES_MAX) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, HASHED_BYTES_MAX).await else { return unreadable() };
    let tag = tag(&bytes);
    let mut response = Response::from_parts(parts, Body::from(bytes));
    mark(&mut response, &tag, known);
    response
}

/// Tags an answer. Takes the bytes out if the browser has them.
fn mark(response: &mut Response, tag: &str, known: Option<&HeaderValue>) {
    let is_known = known.and_then(|known| known.to_str().ok()).is_some_and(|known| known.split(',').any(|known| is_same(known, tag)));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(ETAG, tag);
    }
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(CONTENT_LENGTH);
        *response.body_mut() = Body::empty();
    }
}

fn tag(bytes: &[u8]) -> String {
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
    use proptest::prelude::*;

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
            "/aDmIn%20/",
            "\\admin\\",
            "/.%2f/admin",
            "/%5c%61%44min",
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
        for path in [
            "/..",
            "/assets/../admin/",
            "/assets/%2e%2e/admin/",
            "/assets%5c..%5cadmin",
            "/admin;/",
            "/admin::$DATA",
            "/ADMIN~1/",
            "/\u{ff41}dmin/",
        ] {
            assert_eq!(top(path), None, "{path}");
        }
        assert_eq!(top(&format!("/assets/{}", "x".repeat(256))), None);
        assert_eq!(top(&"/x".repeat(2_000)), None);
        assert_eq!(top(&format!("/assets/{}/y", "%78".repeat(252))).as_deref(), Some("assets"));
    }

    proptest! {
        /// However the operators' folder is spelled, nothing of it comes from the players'
        /// listener, and no path is the server's fault.
        #[test]
        fn no_path_leads_to_the_operators_page_and_none_is_an_error(path in paths()) {
            let dir = folder();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let Ok(uri) = path.parse::<http::Uri>() else { return Ok(()) };
            for (router, may_have_it) in [(player_router(dir.path()), false), (admin_router(dir.path()), true)] {
                for encoding in ["br, gzip", "identity"] {
                    let request = Request::get(uri.clone()).header(ACCEPT_ENCODING, encoding).body(Body::empty()).expect("a request");
                    let response = runtime.block_on(router.clone().oneshot(request)).expect("an answer");
                    prop_assert!(!response.status().is_server_error(), "{path}: {}", response.status());
                    let body = runtime.block_on(to_bytes(response.into_body(), 4_096)).expect("a body");
                    prop_assert!(may_have_it || body != "operator", "{path}");
                }
            }
        }
    }

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for (path, text) in [("index.html", "player"), ("admin/index.html", "operator"), ("assets/a.js", "1"), ("admin;/x", "2")] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).and_then(|()| std::fs::write(path, text)).expect("a file");
        }
        dir
    }

    /// Spellings of paths that there are, and what is none.
    fn paths() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            4 => proptest::sample::select(vec![
                "admin", "Admin", "ADMIN", "%61dmin", "a%64min", "%41DMIN", "admin.", "admin;", "admin%20", "admin%00", "index.html", "index.html/",
                "assets", "a.js", ".", "..", "%2e", "%2e%2e", "%2f", "%5c", "%", "%%", "%zz", "%ff", "%c0%af", "%e2%80%ae", "%0a", "%0d%0a", "~", "",
                "admin%2findex.html", "admin%5cindex.html", "%25%36%31dmin", "con", "nul", "*", "a:b", "admin::$INDEX_ALLOCATION",
            ]).prop_map(str::to_owned),
            1 => "[!-~]{0,12}",
            1 => (240usize..260).prop_map(|length| "x".repeat(length)),
            1 => (240usize..260).prop_map(|length| "%78".repeat(length)),
            1 => (1_000usize..5_000).prop_map(|length| "y/".repeat(length)),
        ];
        (
            proptest::sample::select(vec!["/", "//", "/./", "/\\", "/%2f"]),
            proptest::collection::vec(part, 0..6),
            proptest::sample::select(vec!["/", "//", "\\", "%2f"]),
        )
            .prop_map(|(start, parts, between)| format!("{start}{}", parts.join(between)).replace(['?', '#'], "_"))
    }

    #[test]
    fn tags_are_compared_weakly() {
        let tag = tag(b"page");
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
