//! Every request names its host once; operators and the monitoring system are answered only by
//! names that were told; and the operator's page has no spelling on the players' port.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::net::SocketAddr;

use harness::Harness;
use http::Answer;
use tag::Tag;

const TOKEN: &str = "0123456789abcdef";

fn server(dir: &std::path::Path) -> Harness {
    let write = |path: &str, text: &str| {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).and_then(|()| std::fs::write(path, text)).expect("a file");
    };
    write("token", TOKEN);
    write("web/index.html", "player");
    write("web/admin/index.html", "operator");
    Harness::start::<Tag>(|config| {
        config.web_dir = dir.join("web");
        config.admin.enabled = true;
        config.admin.token_file = Some(dir.join("token"));
        config.ops.hosts = vec!["metrics.example".to_owned()];
    })
}

fn ask(address: SocketAddr, path: &str, headers: &str) -> Answer {
    http::exchange(&mut http::connect(address), format!("GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n").as_bytes())
}

#[test]
fn a_missing_or_doubled_host_is_refused_everywhere() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let harness = server(dir.path());
    let (play, ops) = (harness.server.play_addr(), harness.server.ops_addr());
    let admin = harness.server.admin_addr().expect("an admin listener");
    for (address, path) in [(play, "/"), (play, "/api/info"), (play, "/ws"), (play, "/healthz"), (admin, "/admin/"), (ops, "/metrics")] {
        for headers in ["", "Host: a\r\nHost: a\r\n", "Host: \r\n", "Host: a;b\r\n", "Host: a@b\r\n"] {
            let answer = ask(address, path, headers);
            assert_eq!((answer.status, answer.problem().as_str()), (400, "bad_request"), "{path} {headers:?}");
            assert!(answer.header("content-security-policy").is_some());
        }
        let answer = ask(address, &format!("http://other.example{path}"), &format!("Host: {address}\r\n"));
        assert_eq!(answer.status, 400, "{path}: two names");
    }
    let old = http::exchange(&mut http::connect(play), b"GET /healthz HTTP/1.0\r\n\r\n");
    assert_eq!(old.status, 400);
    assert_eq!(ask(play, "/healthz", "Host: whatever.example\r\n").status, 200, "players come by any name");
}

#[test]
fn operators_and_monitoring_are_answered_by_names_that_were_told() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let harness = server(dir.path());
    let ops = harness.server.ops_addr();
    let admin = harness.server.admin_addr().expect("an admin listener");
    let host = |address: SocketAddr, path: &str, name: &str| ask(address, path, &format!("Host: {name}\r\n"));
    for own in [admin.to_string(), format!("localhost:{}", admin.port()), "[::1]".to_owned()] {
        assert_eq!(host(admin, "/admin/", &own).status, 200, "{own}");
        assert_eq!(host(admin, "/admin/api/matches", &own).status, 401, "{own}");
    }
    for path in ["/admin/", "/admin/api/matches", "/"] {
        let refused = host(admin, path, "evil.example");
        assert_eq!((refused.status, refused.problem().as_str()), (421, "host_not_allowed"), "{path}");
        assert!(refused.json()["detail"].as_str().is_some_and(|detail| detail.contains("admin.hosts")));
    }
    assert_eq!(host(ops, "/metrics", "metrics.example:9000").status, 200);
    assert_eq!(host(ops, "/metrics", &ops.to_string()).problem(), "host_not_allowed", "one is listed, and it is another");
}

#[test]
fn the_operators_page_has_no_spelling_on_the_players_port() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let harness = server(dir.path());
    let play = harness.server.play_addr();
    let host = format!("Host: {play}\r\n");
    for path in [
        "/admin",
        "/admin/",
        "//admin/",
        "///admin//",
        "/./admin/",
        "/.//admin/",
        "/%61dmin/",
        "/%61%64%6d%69%6e/",
        "/%41dmin/",
        "/ADMIN/",
        "/Admin/",
        "/admin;/",
        "/admin;x=1/",
        "/admin./",
        "/admin%20/",
        "/admin%00/",
        "/admin%2f",
        "/admin%2findex.html",
        "/admin%5cindex.html",
        "\\admin\\",
        "/\\admin/",
        "/%5cadmin/",
        "/%2fadmin/",
        "/x/../admin/",
        "/assets/../admin/",
        "/%2e/admin/",
        "/%2e%2e/web/admin/",
        "/..%2fweb%2fadmin/",
        "/..;/admin/",
        "/admin/?x",
        "/admin?",
        "/admin/%2e/",
        "/%2561dmin/",
        "/\u{ff41}dmin/",
    ] {
        let path = path.replace('\u{ff41}', "%ef%bd%81");
        let mut stream = http::connect(play);
        let answer = http::exchange(&mut stream, format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n\r\n").as_bytes());
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
        assert_ne!(answer.text(), "operator", "{path}");
    }
    let absolute = ask(play, &format!("http://{play}/admin/"), &host);
    assert_eq!(absolute.status, 404);
    assert_eq!(ask(play, "/", &host).text(), "player");
}

#[test]
fn the_page_says_where_it_connects_to_and_what_it_needs() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let harness = server(dir.path());
    let answer = ask(harness.server.play_addr(), "/", "Host: play.example:8080\r\n");
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.contains("connect-src 'self' ws://play.example:8080 wss://play.example:8080;"), "{policy}");
    assert!(answer.header("permissions-policy").is_some_and(|policy| policy.contains("camera=()")), "{answer:?}");
}
