//! The page: its files with the right types, caching and security headers; the operator's page only
//! for operators.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::path::Path;

use harness::Harness;
use http::{get, request};
use tag::Tag;
use tickwire_server::Server;

const TOKEN: &str = "0123456789abcdef";

fn build(dir: &Path) {
    let write = |path: &str, text: &str| {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("web/index.html", "<!doctype html>player");
    write("web/admin/index.html", "<!doctype html>operator");
    write("web/assets/main-abc.js", "1");
    write("web/assets/tickwire-abc.wasm", "\0asm");
    write("web/assets/main-abc.css", "a{}");
    write("web/assets/main-abc.css.br", "brotli");
    write("web/assets/main-abc.css.gz", "gzip");
    write("web/assets/tickwire-abc.wasm.gz", "gzip wasm");
    write("web/index.html.br", "brotli page");
    write("secret.txt", "secret");
    write("token", TOKEN);
}

fn server(dir: &Path) -> Harness {
    build(dir);
    Harness::start::<Tag>(|config| {
        config.web_dir = dir.join("web");
        config.admin.enabled = true;
        config.admin.token_file = Some(dir.join("token"));
    })
}

#[test]
fn files_have_their_type_and_are_cached_by_kind() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let harness = server(dir.path());
    let address = harness.server.play_addr();
    let cases = [
        ("/", "text/html", "no-cache"),
        ("/?join=K7Q2MD", "text/html", "no-cache"),
        ("/assets/main-abc.js", "text/javascript", "public, max-age=31536000, immutable"),
        ("/assets/tickwire-abc.wasm", "application/wasm", "public, max-age=31536000, immutable"),
        ("/assets/main-abc.css", "text/css", "public, max-age=31536000, immutable"),
    ];
    for (path, kind, caching) in cases {
        let answer = get(address, path);
        assert_eq!(
            (answer.status, answer.header("content-type"), answer.header("cache-control")),
            (200, Some(kind), Some(caching)),
            "{path}"
        );
    }
    assert_eq!(get(address, "/").text(), "<!doctype html>player");
}

#[test]
fn files_come_compressed_to_those_who_take_it() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let harness = server(dir.path());
    let accepting = |path: &str, encodings: &str| request(harness.server.play_addr(), "GET", path, &[("Accept-Encoding", encodings)], "");
    let cases = [
        ("/assets/main-abc.css", "gzip, deflate, br, zstd", Some("br"), "brotli", "text/css"),
        ("/assets/main-abc.css", "gzip, br;q=0", Some("gzip"), "gzip", "text/css"),
        ("/assets/main-abc.css", "identity", None, "a{}", "text/css"),
        ("/assets/tickwire-abc.wasm", "br, gzip", Some("gzip"), "gzip wasm", "application/wasm"),
        ("/assets/main-abc.js", "br, gzip", None, "1", "text/javascript"),
        ("/", "br", Some("br"), "brotli page", "text/html"),
    ];
    for (path, encodings, encoding, body, kind) in cases {
        let answer = accepting(path, encodings);
        assert_eq!((answer.status, answer.header("content-encoding"), answer.text().as_str()), (200, encoding, body), "{path} {encodings}");
        assert_eq!(answer.header("content-type"), Some(kind), "{path} {encodings}");
        assert!(answer.header("vary").is_some_and(|vary| vary.contains("accept-encoding")), "{answer:?}");
    }
}

#[test]
fn a_browser_that_has_the_page_is_told_so_whatever_the_files_date() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let harness = server(dir.path());
    let address = harness.server.play_addr();
    let first = get(address, "/");
    let tag = first.header("etag").expect("a tag").to_owned();
    assert_eq!(first.header("last-modified"), None, "files of a reproducible build all have the same date");
    let known = request(address, "GET", "/", &[("If-None-Match", &tag)], "");
    assert_eq!((known.status, known.header("etag"), known.header("cache-control")), (304, Some(tag.as_str()), Some("no-cache")));
    let index = dir.path().join("web/index.html");
    let date = std::fs::metadata(&index).and_then(|file| file.modified()).expect("a date");
    std::fs::write(&index, "<!doctype html>plAyer").expect("written");
    std::fs::File::options().write(true).open(&index).and_then(|file| file.set_modified(date)).expect("an old date");
    let changed = request(address, "GET", "/", &[("If-None-Match", &tag), ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT")], "");
    assert_eq!((changed.status, changed.text().as_str()), (200, "<!doctype html>plAyer"));
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
}

#[test]
fn every_answer_carries_the_security_headers() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let harness = server(dir.path());
    let admin = harness.server.admin_addr().expect("an admin listener");
    let (play, ops) = (harness.server.play_addr(), harness.server.ops_addr());
    let places = [
        (play, "/"),
        (play, "/none"),
        (play, "/api/info"),
        (play, "/api/none"),
        (admin, "/admin/"),
        (admin, "/admin/api/matches"),
        (ops, "/metrics"),
    ];
    for (address, path) in places {
        let answer = get(address, path);
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline") && !policy.contains("  "), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
    }
}

#[test]
fn nothing_outside_the_folder_and_no_unknown_file_is_served() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let harness = server(dir.path());
    let address = harness.server.play_addr();
    let long = format!("/{}", "x".repeat(4_000));
    for path in [
        "/none.js",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "//etc/passwd",
        "/%00",
        "/assets/%00/x",
        "/%ff",
        "/%",
        &long,
        &format!("/assets{long}"),
        &"/x".repeat(3_500),
    ] {
        let answer = get(address, path);
        assert_eq!((answer.status, answer.problem().as_str()), (404, "not_found"), "{path}");
    }
    let answer = request(address, "POST", "/", &[], "");
    assert_eq!((answer.status, answer.problem().as_str(), answer.header("allow")), (405, "method_not_allowed", Some("GET,HEAD")));
}

#[test]
fn the_operators_page_is_on_the_operators_listener_only() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let harness = server(dir.path());
    let (play, admin) = (harness.server.play_addr(), harness.server.admin_addr().expect("an admin listener"));
    for path in [
        "/admin",
        "/admin/",
        "/admin/index.html",
        "/admin/api/matches",
        "//admin/",
        "/./admin/",
        "/%61dmin/",
        "/admin%2Findex.html",
        "/assets/../admin/",
        "/assets/%2e%2e/admin/",
    ] {
        assert_eq!(get(play, path).status, 404, "{path}");
    }
    assert_eq!(get(admin, "/admin/").text(), "<!doctype html>operator");
    assert_eq!(get(admin, "/assets/main-abc.js").status, 200);
    assert_eq!(get(admin, "/").header("location"), Some("admin/"), "below whatever a proxy has put before it");
    assert_eq!(get(admin, "/admin").header("location"), Some("admin/"));
    for path in ["/index.html", "/api/info", "/ws", "/metrics"] {
        assert_eq!(get(admin, path).status, 404, "{path}");
    }
}

#[test]
fn a_page_that_was_not_built_is_an_error_and_none_is_not() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut config = tickwire_server::Config { port: 0, web_dir: dir.path().join("dist"), ..Default::default() };
    config.admin.enabled = false;
    let error = Server::start::<Tag>(config.clone()).map(drop).expect_err("refused").to_string();
    assert!(error.contains("there is no page in") && error.contains("dist"), "{error}");
    config.web_dir = std::path::PathBuf::new();
    let server = Server::start::<Tag>(config).expect("a server without a page");
    assert_eq!(get(server.play_addr(), "/").problem(), "not_found");
}
