//! A plain HTTP/1.1 client that sends exactly what a test says and shows exactly what came back.

#![allow(dead_code)] // every test uses a part of it
#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, Socket, Type};

/// How long a test waits for the server.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The code of a problem, after checking that it is a whole one.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        for member in ["type", "title", "detail", "code"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "no `{member}` in {problem}");
        }
        problem["code"].as_str().expect("a code").to_owned()
    }
}

/// A connection from `source`, which must be an address of this machine.
pub(crate) fn connect_from(source: IpAddr, server: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(server), Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::new(source, 0).into()).expect("a source address");
    socket.connect(&server.into()).expect("a connection");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

pub(crate) fn connect(server: SocketAddr) -> TcpStream {
    connect_from(IpAddr::V4(Ipv4Addr::LOCALHOST), server)
}

/// Sends bytes as they are and reads one answer.
pub(crate) fn exchange(stream: &mut TcpStream, request: &[u8]) -> Answer {
    stream.write_all(request).expect("sent");
    read_answer(stream)
}

/// Reads one answer: the head, and as much as it announces.
pub(crate) fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).expect("an answer in time"), 1, "closed after {:?}", String::from_utf8_lossy(&head));
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("ASCII");
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).expect("a status");
    let headers: Vec<_> = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut answer = Answer { status, headers, body: Vec::new() };
    if status != 101 {
        let length = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        answer.body.resize(length, 0);
        stream.read_exact(&mut answer.body).expect("a body");
    }
    answer
}

/// One request on a connection of its own.
pub(crate) fn request(server: SocketAddr, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n");
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if !body.is_empty() {
        let _ = write!(head, "Content-Length: {}\r\n", body.len());
    }
    exchange(&mut connect(server), format!("{head}\r\n{body}").as_bytes())
}

pub(crate) fn get(server: SocketAddr, path: &str) -> Answer {
    request(server, "GET", path, &[], "")
}

/// Posts JSON, as a guest if there is a token.
pub(crate) fn post(server: SocketAddr, path: &str, token: Option<&str>, body: &str) -> Answer {
    let bearer = format!("Bearer {}", token.unwrap_or_default());
    let mut headers = vec![("Content-Type", "application/json")];
    if token.is_some() {
        headers.push(("Authorization", &bearer));
    }
    request(server, "POST", path, &headers, body)
}

/// A guest session's token.
pub(crate) fn guest(server: SocketAddr) -> String {
    let answer = post(server, "/api/session", None, r#"{"name":"Ada"}"#);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["token"].as_str().expect("a token").to_owned()
}

/// A WebSocket handshake with further headers.
pub(crate) fn handshake(server: SocketAddr, path: &str, headers: &[(&str, &str)]) -> (TcpStream, Answer) {
    let mut stream = connect(server);
    let answer = handshake_on(&mut stream, server, path, headers);
    (stream, answer)
}

pub(crate) fn handshake_on(stream: &mut TcpStream, server: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut head = format!(
        "GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    );
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    exchange(stream, format!("{head}\r\n").as_bytes())
}

/// Whether the server closes the connection within `limit`.
pub(crate) fn is_closed_within(stream: &mut TcpStream, limit: Duration) -> bool {
    stream.set_read_timeout(Some(limit)).expect("a timeout");
    let mut bytes = Vec::new();
    // A reset is a close too.
    match stream.read_to_end(&mut bytes) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
    }
}
