//! Where the next player connects: matchmaking over HTTP where the arm has it, matches of 16 in order where it has none.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tickwire_protocol::Ticket;
use tickwire_testkit::Api;
use tickwire_testkit::api::from_root;
use tickwire_testkit::line::Trust;
use tickwire_testkit::target::{Place, any_like};
use tokio::runtime::Runtime;

use crate::MATCH_SEATS;
use crate::arm::Arm;

/// A call that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Servers close connections that were idle for some seconds; a call must not meet that moment.
const REUSED_WITHIN: Duration = Duration::from_secs(1);

/// One player's place.
#[derive(Debug)]
pub(crate) struct Seat {
    /// Where to connect to, below the server.
    pub(crate) path: String,
    /// Shown after the upgrade, where the arm asks for it.
    pub(crate) ticket: Option<Ticket>,
    /// Which match, counted from 0.
    pub(crate) match_index: usize,
}

/// Gives out seats so that matches are filled one after another.
pub(crate) struct Seats {
    arm: Arm,
    base: String,
    agent: ureq::Agent,
    /// The way in over TLS, for the arm that speaks it.
    secure: Option<(Runtime, Place)>,
    given: usize,
    /// The code of the match that is being filled.
    code: Option<String>,
    rooms: HashMap<String, usize>,
}

impl Seats {
    pub(crate) fn new(arm: Arm, server: SocketAddr, trust: Option<Trust>) -> Result<Self> {
        let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).max_idle_age(REUSED_WITHIN);
        let agent = config.build().new_agent();
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
        let secure = trust.map(|trust| Ok::<_, std::io::Error>((runtime()?, Place::at(server).secured(Some(trust))))).transpose()?;
        Ok(Self { arm, base: format!("http://{server}"), agent, secure, given: 0, code: None, rooms: HashMap::new() })
    }

    pub(crate) fn take(&mut self) -> Result<Seat> {
        let match_index = self.given / MATCH_SEATS;
        let seat = match self.arm {
            Arm::Floor | Arm::WsJson | Arm::WsBinary => Seat { path: format!("/match/{match_index}"), ticket: None, match_index },
            Arm::TickwireTls => self.reserve_over_tls(match_index)?,
            Arm::Colyseus | Arm::ColyseusMessages => self.join_room()?,
            _ => self.reserve(match_index)?,
        };
        self.given += 1;
        Ok(seat)
    }

    /// A guest session, then a seat in a new match or in the one that is being filled.
    fn reserve(&mut self, match_index: usize) -> Result<Seat> {
        let session = self.post("/api/session", None, &json!({ "name": format!("player {}", self.given) }))?;
        let token = text(&session, "token")?;
        let is_new = self.given.is_multiple_of(MATCH_SEATS);
        let join = match self.code.as_ref().filter(|_| !is_new) {
            Some(code) => self.post(&format!("/api/matches/{code}/join"), Some(token), &json!({}))?,
            None => self.post("/api/matches", Some(token), &json!({ "mode": "ffa", "private": true }))?,
        };
        self.code = Some(text(&join, "code")?.to_owned());
        let ticket = text(&join, "ticket")?.parse().ok().context("the ticket is not 140 hex digits")?;
        Ok(Seat { path: from_root(text(&join, "ws_url")?.to_owned()), ticket: Some(ticket), match_index })
    }

    /// As [`Seats::reserve`], with a handshake a call.
    fn reserve_over_tls(&mut self, match_index: usize) -> Result<Seat> {
        let (runtime, place) = self.secure.as_ref().context("nobody to believe")?;
        let is_new = self.given.is_multiple_of(MATCH_SEATS);
        let join = runtime.block_on(async {
            let source = if place.address.ip().is_loopback() { Api::loopback_source(self.given) } else { any_like(place.address) };
            let mut api = Api::to(place.clone(), source);
            api.open_session(&format!("player {}", self.given)).await?;
            match self.code.as_ref().filter(|_| !is_new) {
                Some(code) => api.join(code).await,
                None => api.create("ffa", true).await,
            }
        })?;
        self.code = Some(join.code);
        Ok(Seat { path: join.ws_url, ticket: Some(join.ticket), match_index })
    }

    fn join_room(&mut self) -> Result<Seat> {
        let join = self.post("/matchmake/joinOrCreate/arena", None, &json!({}))?;
        let [process, room, session] = [text(&join, "processId")?, text(&join, "roomId")?, text(&join, "sessionId")?];
        let next = self.rooms.len();
        let match_index = *self.rooms.entry(room.to_owned()).or_insert(next);
        Ok(Seat { path: format!("/{process}/{room}?sessionId={session}"), ticket: None, match_index })
    }

    /// Each player's own, as a proxy would say: an address has few seats kept for it that nobody has
    /// come to yet.
    fn address(&self) -> String {
        let [_, high, middle, low] = (self.given as u32).to_be_bytes();
        format!("198.{}.{middle}.{low}", 18 + (high & 1))
    }

    fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Result<Value> {
        let mut request = self.agent.post(format!("{}{path}", self.base)).header("X-Forwarded-For", self.address());
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut response = request.send_json(body).with_context(|| format!("POST {path}"))?;
        let answer: Value = response.body_mut().read_json().with_context(|| format!("the answer to POST {path}"))?;
        if !response.status().is_success() {
            bail!("POST {path} was refused with {}: {answer}", response.status());
        }
        Ok(answer)
    }
}

fn text<'a>(answer: &'a Value, member: &str) -> Result<&'a str> {
    answer.get(member).and_then(Value::as_str).with_context(|| format!("no `{member}` in {answer}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_filled_in_order() {
        let mut seats = Seats::new(Arm::WsJson, "127.0.0.1:1".parse().expect("an address"), None).expect("seats");
        let paths: Vec<String> = (0..40).map(|_| seats.take().expect("no server is asked").path).collect();
        assert_eq!((paths[0].as_str(), paths[15].as_str(), paths[16].as_str()), ("/match/0", "/match/0", "/match/1"));
        assert_eq!(paths[39], "/match/2");
    }

    #[test]
    fn a_server_that_is_not_there_is_named() {
        let mut seats = Seats::new(Arm::Colyseus, "127.0.0.1:1".parse().expect("an address"), None).expect("seats");
        let error = format!("{:#}", seats.take().expect_err("nobody listens"));
        assert!(error.contains("/matchmake/"), "{error}");
    }
}
