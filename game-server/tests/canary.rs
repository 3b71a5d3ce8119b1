//! Tokens and tickets are in no log line, however much is logged, in no metric, and in no answer
//! but the one that gives them.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work
#![cfg(unix)]

#[path = "common/http.rs"]
mod http;
#[path = "common/provider.rs"]
mod provider;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use http::{get, guest, handshake, post, request};
use provider::Provider;
use serde_json::json;
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::codec::encode;
use tickwire_protocol::{ClientMessage, Credential, PROTOCOL_VERSION, Secret, Ticket};
use tickwire_server::config::JwtAlgorithm;

const ADMIN_TOKEN: &str = "canary-operator-token";

/// A masked binary frame.
fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x82, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

/// The ways in which 16 bytes might be written.
fn spellings(secret: &[u8]) -> [String; 3] {
    let decimal: Vec<String> = secret.iter().map(u8::to_string).collect();
    let hex: Vec<String> = secret.iter().map(|byte| format!("{byte:x}")).collect();
    let whole: Vec<String> = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    [whole.concat(), decimal.join(", "), hex.join(", ")]
}

#[test]
fn no_secret_is_written_anywhere() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let token_file = dir.path().join("token");
    std::fs::write(&token_file, ADMIN_TOKEN).expect("a token file");
    let provider = Provider::new();
    let accounts = [
        "accounts.jwt.algorithm=EdDSA".to_owned(),
        format!("accounts.jwt.issuer={}", provider::ISSUER),
        format!("accounts.jwt.audience={}", provider::AUDIENCE),
        format!("accounts.jwt.keys_file={}", provider.keys_file().display()),
    ];
    let mut child = Command::new(env!("CARGO_BIN_EXE_tickwire"))
        .args(["--game", "tag", "--port", "0", "--drain-seconds", "0", "--set", "log_filter=trace", "--set", "admin.print_token=false"])
        .args(["--admin-token-file".as_ref(), token_file.as_os_str()])
        .args(accounts.iter().flat_map(|setting| ["--set", setting]))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stderr = child.stderr.take().expect("standard error");
    let log = std::thread::spawn(move || {
        let mut log = Vec::new();
        stderr.read_to_end(&mut log).map(|_| String::from_utf8_lossy(&log).into_owned())
    });
    let stdout = BufReader::new(child.stdout.take().expect("standard output"));
    let lines: Vec<String> = stdout.lines().take(3).collect::<Result<_, _>>().expect("three lines");
    let address = |line: &str| -> SocketAddr {
        let rest = line.split_once("http://").expect("a link").1;
        rest.split('/').next().and_then(|address| address.parse().ok()).expect("an address")
    };
    let [play, admin, ops] = [0, 1, 2].map(|line: usize| address(&lines[line]));

    let session = guest(play);
    let mode = format!(r#"{{"mode":"{}"}}"#, Tag::MODES[0].id);
    let join = post(play, "/api/quick-play", Some(&session), &mode).json();
    let ticket: Ticket = join["ticket"].as_str().and_then(|ticket| ticket.parse().ok()).expect("a ticket");
    let match_id = join["match"]["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let resume = Secret(*b"canary of resume");
    for credential in [Credential::Ticket(ticket), Credential::Resume { match_id, token: resume }] {
        let hello = ClientMessage::<<Tag as Game>::Input>::Hello { protocol: PROTOCOL_VERSION, schema: Tag::SCHEMA.hash(), credential };
        let (mut stream, answer) = handshake(play, "/ws", &[]);
        assert_eq!(answer.status, 101);
        stream.write_all(&frame(&encode(&hello))).expect("sent");
        let mut heard = [0; 16];
        stream.read_exact(&mut heard).expect("an answer");
    }
    for token in [ADMIN_TOKEN, "canary-of-a-wrong-token"] {
        request(admin, "GET", "/admin/api/matches", &[("Authorization", &format!("Bearer {token}"))], "");
        handshake(
            admin,
            &format!("/admin/api/matches/{match_id}/spectate"),
            &[("Sec-WebSocket-Protocol", &format!("tickwire.spectate, bearer.{token}"))],
        );
    }
    // Tokens of an identity provider: a good one, and each of its parts in bad ones.
    let by = provider::signer(JwtAlgorithm::EdDSA, provider::ED25519);
    let mut claims = provider::claims("canary-of-a-subject", 60);
    claims["name"] = json!("Ada");
    let jwt = provider::sign(&by, &json!({ "alg": "EdDSA", "kid": "canary-of-a-key" }), &claims);
    let parts: Vec<&str> = jwt.split('.').collect();
    assert_eq!(post(play, "/api/quick-play", Some(&jwt), &mode).status, 200);
    let bad =
        [format!("{jwt}x"), format!("{}.{}.{}", parts[0], parts[1], parts[1]), Provider::token_by(provider::ED25519_OTHER, "canary", 60)];
    let mut answers = String::new();
    for token in &bad {
        for path in ["/api/session/renew", "/api/quick-play", "/api/matches", "/api/nothing"] {
            let answer = post(play, path, Some(token), &mode);
            assert!(answer.status >= 400, "{answer:?}");
            answers.push_str(&answer.text());
        }
    }
    let metrics = get(ops, "/metrics").text();

    let kill = format!("kill -TERM {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    assert_eq!(child.wait().expect("ended").code(), Some(0));
    let log = log.join().expect("read").expect("a log");
    assert!(log.contains("operator watches a match") && log.contains("TRACE"), "much is logged: {log:.2000}");
    // All of a ticket, its random part, and its signature.
    let secret_parts = [&ticket.0[..], &ticket.0[38..54], &ticket.0[54..], &resume.0[..]];
    let secrets = secret_parts.into_iter().flat_map(spellings).chain([session, ADMIN_TOKEN.into(), "canary".into()]);
    let tokens = bad.iter().chain([&jwt]).flat_map(|token| token.split('.')).filter(|part| part.len() > 8).map(str::to_owned);
    let secrets = secrets.chain(tokens);
    for secret in secrets {
        for (place, text) in [("log", &log), ("metrics", &metrics), ("answers", &answers), ("standard output", &lines.join("\n"))] {
            let found = text.lines().find(|line| line.contains(&secret));
            assert_eq!(found, None, "{secret} is in the {place}");
        }
    }
}
