//! Raw connections to a server under attack: TCP from any loopback address, HTTP requests made of
//! bytes, WebSocket frames that no client would send.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tickwire_testkit::line::Trust;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// The handshake's key: any will do.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// In place of a length: it is in the next two bytes, or the next eight.
const LENGTH_IN_2: u8 = 0x7e;
const LENGTH_IN_8: u8 = 0x7f;

/// A connection, with or without TLS.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}
/// Either kind.
pub(crate) type Stream = Box<dyn Io>;

/// A listener of the server.
#[derive(Clone)]
pub(crate) struct Target {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What shakes hands, if it speaks TLS.
    pub(crate) tls: Option<Trust>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Text of the body.
    pub(crate) body: String,
}

impl Answer {
    /// The text of `"member":"..."` in a JSON body.
    pub(crate) fn member(&self, member: &str) -> Option<&str> {
        let rest = self.body.split_once(&format!("\"{member}\":\""))?.1;
        rest.split('"').next()
    }
}

impl Target {
    /// What a browser would write as `Host`.
    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    /// A TCP connection from `source`, without TLS.
    pub(crate) async fn tcp(&self, source: IpAddr) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(source, 0))?;
        socket.set_nodelay(true)?;
        socket.connect(self.address).await
    }

    /// A connection from `source` that speaks what the listener speaks.
    pub(crate) async fn connect(&self, source: IpAddr) -> io::Result<Stream> {
        let stream = self.tcp(source).await?;
        let Some(trust) = &self.tls else { return Ok(Box::new(stream)) };
        Ok(Box::new(trust.secure(stream, "localhost").await?))
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(&self, source: IpAddr, request: &Request<'_>) -> Result<Answer> {
        let mut stream = self.connect(source).await?;
        request.exchange(&mut stream, &self.authority()).await
    }

    /// Upgrades a connection: its status, and the connection if that is 101.
    pub(crate) async fn upgrade(&self, source: IpAddr, path: &str, origin: Option<&str>) -> Result<(u16, Stream)> {
        let mut stream = self.connect(source).await?;
        let origin = origin.map(|origin| format!("Origin: {origin}\r\n")).unwrap_or_default();
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {KEY}\r\n{origin}\r\n",
            self.authority()
        );
        stream.write_all(head.as_bytes()).await?;
        let head = patiently(read_head(&mut stream)).await?;
        Ok((status(&head)?, stream))
    }
}

/// A request made of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// `GET` or any other.
    pub(crate) method: &'a str,
    /// As it is written in the request line.
    pub(crate) path: &'a str,
    /// Further lines, each with its `\r\n`.
    pub(crate) headers: &'a str,
    /// A JSON body, if there is one.
    pub(crate) body: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// `GET path`.
    pub(crate) fn get(path: &'a str) -> Self {
        Self { method: "GET", path, headers: "", body: None }
    }

    /// `POST path` with a JSON body.
    pub(crate) fn post(path: &'a str, headers: &'a str, body: &'a str) -> Self {
        Self { method: "POST", path, headers, body: Some(body) }
    }

    /// Sends it and reads the answer.
    pub(crate) async fn exchange(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin), authority: &str) -> Result<Answer> {
        let Self { method, path, headers, body } = self;
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {authority}\r\n{headers}");
        if let Some(body) = body {
            // Writing to a text cannot fail.
            let _ = write!(text, "Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        }
        text += "\r\n";
        text += body.unwrap_or_default();
        stream.write_all(text.as_bytes()).await?;
        patiently(read_answer(stream)).await
    }
}

async fn patiently<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, work).await.context("no answer in time")?
}

/// Reads up to the empty line. What follows stays unread.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > ANSWER_BYTES_MAX {
            bail!("a head without end");
        }
        head.push(stream.read_u8().await.context("closed without an answer")?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn status(head: &str) -> Result<u16> {
    head.split(' ').nth(1).and_then(|word| word.parse().ok()).context("no HTTP")
}

async fn read_answer(stream: &mut (impl AsyncRead + Unpin)) -> Result<Answer> {
    let head = read_head(stream).await?;
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let length = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length")).find_map(|(_, value)| value.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0usize).min(ANSWER_BYTES_MAX)];
    stream.read_exact(&mut body).await?;
    Ok(Answer { status: status(&head)?, body: String::from_utf8_lossy(&body).into_owned() })
}

/// A client's frame with these first two bits and opcode (`head`), masked with zeros.
pub(crate) fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header(head, payload.len() as u64);
    bytes.extend_from_slice(payload);
    bytes
}

/// A client's frame header that declares `length` bytes, whether they follow or not.
pub(crate) fn header(head: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![head];
    match length {
        0..126 => bytes.push(0x80 | length as u8),
        126..0x1_0000 => {
            bytes.push(0x80 | LENGTH_IN_2);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | LENGTH_IN_8);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes
}

/// How a WebSocket's server ended it: the reason of its close frame, or that there was none.
///
/// Reads whatever comes before. `still open` if it has not ended when `patience` is over.
pub(crate) async fn ending(stream: &mut Stream, patience: Duration) -> String {
    let read = async {
        loop {
            let Ok(head) = stream.read_u8().await else { return "cut off".to_owned() };
            let Ok(short) = stream.read_u8().await else { return "cut off".to_owned() };
            let length = match short {
                LENGTH_IN_2 => stream.read_u16().await.map(u64::from),
                LENGTH_IN_8 => stream.read_u64().await,
                short => Ok(u64::from(short)),
            };
            let mut payload = vec![0; length.unwrap_or(0).min(1 << 20) as usize];
            if stream.read_exact(&mut payload).await.is_err() {
                return "cut off".to_owned();
            }
            if head & 0x0f == 8 {
                return match payload.get(2..) {
                    Some(reason) if !reason.is_empty() => String::from_utf8_lossy(reason).into_owned(),
                    _ => "closed".to_owned(),
                };
            }
        }
    };
    tokio::time::timeout(patience, read).await.unwrap_or_else(|_| "still open".to_owned())
}

/// Loopback addresses of an attacker: `127.<net>.<a>.<b>`, as many as wanted.
pub(crate) fn source(net: u8, nth: usize) -> IpAddr {
    let [.., high, low] = (nth as u32 + 1).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, net, high, low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_those_of_rfc_6455() {
        assert_eq!(header(0x82, 5), [0x82, 0x85, 0, 0, 0, 0]);
        assert_eq!(header(0x82, 300), [0x82, 0xfe, 1, 44, 0, 0, 0, 0]);
        assert_eq!(header(0x82, 1 << 63)[..10], [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[tokio::test]
    async fn a_close_frame_says_why() {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        theirs.write_all(b"\x82\x02ab\x88\x06\x03\xf0busy").await.expect("room");
        let mut stream: Stream = Box::new(ours);
        assert_eq!(ending(&mut stream, Duration::from_secs(9)).await, "busy");
        drop(theirs);
        assert_eq!(ending(&mut stream, Duration::from_secs(9)).await, "cut off");
    }

    #[test]
    fn a_member_is_found() {
        let answer = Answer { status: 200, body: r#"{"token":"ab","name":"x"}"#.to_owned() };
        assert_eq!((answer.member("token"), answer.member("no")), (Some("ab"), None));
    }
}
