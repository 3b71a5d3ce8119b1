//! The server's HTTP API, as a player's page uses it: a guest session, then a seat and its ticket.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tickwire_protocol::Ticket;
use tokio::net::{TcpSocket, TcpStream};

use crate::line::Line;
use crate::target::{Endpoint, Target};

/// Largest answer that is read, bytes.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// One player's way to the API. Connects from its own address, as different players do.
#[derive(Clone, Debug)]
pub struct Api {
    server: Endpoint,
    source: IpAddr,
    token: Option<String>,
}

/// A reserved seat.
#[derive(Clone, Debug)]
pub struct Join {
    /// Admits to it, once.
    pub ticket: Ticket,
    /// Of the match, for others to join.
    pub code: String,
    /// The match.
    pub match_id: String,
    /// Where to connect: a path from the server's root, or a whole URL.
    pub ws_url: String,
    /// Other servers' addresses that lead to the seat.
    pub alternates: Vec<String>,
}

/// Why a call gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The server cannot be reached.
    #[error("cannot reach the server: {0}")]
    Unreachable(String),
    /// The server said no.
    #[error("{status}: {code}: {detail}")]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// The problem's stable code.
        code: String,
        /// What the server says of it.
        detail: String,
    },
    /// The answer is not what the API promises.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
}

impl Api {
    /// To `server`, from `source`, which must be an address of this machine; an unspecified one
    /// leaves the choice to the system.
    pub fn new(server: SocketAddr, source: IpAddr) -> Self {
        Self::to(Endpoint::at(server), source)
    }

    /// As [`Api::new`], to a server that may have a name.
    pub fn to(server: Endpoint, source: IpAddr) -> Self {
        Self { server, source, token: None }
    }

    /// A loopback address of its own for the `index`th player: 127.1.0.1 and on.
    pub fn loopback_source(index: usize) -> IpAddr {
        let [_, high, middle, low] = (index as u32 + 1).to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(127, 1 + (high & 0x3f), middle, low))
    }

    /// Opens a connection to the server.
    pub async fn connect(&self) -> std::io::Result<TcpStream> {
        let address = self.server.address;
        let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
        socket.set_nodelay(true)?;
        if !self.source.is_unspecified() {
            socket.bind(SocketAddr::new(self.source, 0))?;
        }
        socket.connect(address).await
    }

    /// Opens a connection to the server, and shakes hands if it speaks TLS.
    pub async fn open(&self) -> std::io::Result<Line> {
        let stream = self.connect().await?;
        match &self.server.tls {
            Some(trust) => trust.secure(stream, self.server.host()).await,
            None => Ok(stream.into()),
        }
    }

    /// This player's way to the server of this address, and what to ask for there. A path is on
    /// the server that this leads to.
    pub async fn towards(&self, ws_url: &str) -> std::io::Result<(Self, String)> {
        let Some((scheme, rest)) = ws_url.split_once("://") else { return Ok((self.clone(), ws_url.to_owned())) };
        let wrong = |why: String| std::io::Error::new(std::io::ErrorKind::InvalidInput, why);
        let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |end| rest.split_at(end));
        let http = if scheme == "wss" { "https" } else { "http" };
        let target: Target = format!("{http}://{authority}").parse().map_err(wrong)?;
        let tls = self.server.tls.clone().filter(|_| target.is_secure());
        if target.is_secure() && tls.is_none() {
            return Err(wrong(format!("{ws_url} wants TLS, and it is not known whom to believe")));
        }
        let address = target.addresses().await?.into_iter().next().ok_or_else(|| wrong("the name has no address".to_owned()))?;
        let server = Endpoint { address, authority: target.to_string(), tls };
        Ok((Self { server, ..self.clone() }, path.to_owned()))
    }

    /// This player's way to another server.
    #[must_use]
    pub fn moved_to(&self, server: Endpoint) -> Self {
        Self { server, ..self.clone() }
    }

    /// Where it leads.
    pub const fn server(&self) -> &Endpoint {
        &self.server
    }

    /// Becomes a guest called `name`.
    pub async fn open_session(&mut self, name: &str) -> Result<(), ApiError> {
        let answer = self.call(Method::POST, "/api/session", Some(json!({ "name": name }))).await?;
        self.token = Some(text(&answer, "token")?);
        Ok(())
    }

    /// Calls with this token from now on, as the page of someone who signed in.
    pub fn sign_in(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    /// A seat in any match of `mode`.
    pub async fn quick_play(&self, mode: &str) -> Result<Join, ApiError> {
        Join::from_answer(&self.call(Method::POST, "/api/quick-play", Some(json!({ "mode": mode }))).await?)
    }

    /// A seat in a new match of `mode`.
    pub async fn create(&self, mode: &str, private: bool) -> Result<Join, ApiError> {
        Join::from_answer(&self.call(Method::POST, "/api/matches", Some(json!({ "mode": mode, "private": private }))).await?)
    }

    /// A seat in the match with this id or code.
    pub async fn join(&self, id_or_code: &str) -> Result<Join, ApiError> {
        Join::from_answer(&self.call(Method::POST, &format!("/api/matches/{id_or_code}/join"), Some(json!({}))).await?)
    }

    /// Any call; `Err` unless the status is 2xx.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, ApiError> {
        let (status, bytes) = self.exchange(method, path, body).await?;
        answer(status, &bytes)
    }

    /// The text at `path`, such as metrics.
    pub async fn get_text(&self, path: &str) -> Result<String, ApiError> {
        let (status, bytes) = self.exchange(Method::GET, path, None).await?;
        if status.is_success() {
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
        Err(ApiError::Refused { status, code: String::new(), detail: path.to_owned() })
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<Value>) -> Result<(StatusCode, Bytes), ApiError> {
        let silence = || ApiError::Unreachable(format!("it did not answer within {} s", PATIENCE.as_secs()));
        tokio::time::timeout(PATIENCE, self.ask(method, path, body)).await.unwrap_or_else(|_| Err(silence()))
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<(StatusCode, Bytes), ApiError> {
        let unreachable = |error: &dyn std::fmt::Display| ApiError::Unreachable(error.to_string());
        let stream = self.open().await.map_err(|error| unreachable(&error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(&error))?;
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.server.authority);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let payload = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let request = request.body(Full::new(payload)).map_err(|error| ApiError::Unexpected(error.to_string()))?;
        let exchange = async {
            let response = sender
                .send_request(request)
                .await
                .map_err(|error| if error.is_parse() { ApiError::Unexpected("no HTTP".to_owned()) } else { unreachable(&error) })?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            Ok((status, body.map_err(|error| ApiError::Unexpected(error.to_string()))?.to_bytes()))
        };
        tokio::pin!(exchange, connection);
        tokio::select! {
            done = &mut exchange => done,
            _ = &mut connection => exchange.await,
        }
    }
}

/// What the server answered; `Err` unless the status is 2xx.
pub fn answer(status: StatusCode, bytes: &[u8]) -> Result<Value, ApiError> {
    let answer: Value = serde_json::from_slice(bytes).map_err(|_| ApiError::Unexpected(format!("{status} and no JSON")))?;
    if status.is_success() {
        return Ok(answer);
    }
    let member = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Err(ApiError::Refused { status, code: member("code"), detail: member("detail") })
}

impl Join {
    /// Reads the answer to a call that reserves a seat.
    pub fn from_answer(answer: &Value) -> Result<Self, ApiError> {
        let ticket = text(answer, "ticket")?.parse().map_err(|_| ApiError::Unexpected("the ticket is not 140 hex digits".into()))?;
        let match_id = answer.get("match").ok_or_else(|| ApiError::Unexpected("no match".into()))?;
        let alternates = answer.get("alternates").and_then(Value::as_array).into_iter().flatten();
        Ok(Self {
            ticket,
            code: text(answer, "code")?,
            match_id: text(match_id, "id")?,
            ws_url: from_root(text(answer, "ws_url")?),
            alternates: alternates.filter_map(Value::as_str).map(|url| from_root(url.to_owned())).collect(),
        })
    }
}

/// The server answers a path from where its API is; here that is the root.
pub fn from_root(ws_url: String) -> String {
    if ws_url.starts_with('/') || ws_url.contains("://") { ws_url } else { format!("/{ws_url}") }
}

/// The text `member` of an answer.
pub fn text(answer: &Value, member: &str) -> Result<String, ApiError> {
    answer.get(member).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| ApiError::Unexpected(format!("no `{member}` in {answer}")))
}
