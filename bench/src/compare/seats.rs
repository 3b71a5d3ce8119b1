//! Where the next player connects: matchmaking over HTTP where the arm has it, matches of 16 in order where it has none.

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use http::Method;
use serde_json::json;
use tickwire_protocol::Ticket;
use tickwire_testkit::api::{Api, text};
use tickwire_testkit::line::Trust;
use tickwire_testkit::target::{Endpoint, any_like};
use tokio::runtime::Runtime;

use crate::arm::Arm;
use crate::workload::MATCH_SEATS;

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
    server: Endpoint,
    /// On which the arm is asked for seats.
    runtime: Runtime,
    given: usize,
    /// The code of the match that is being filled.
    code: Option<String>,
    rooms: HashMap<String, usize>,
}

impl Seats {
    pub(crate) fn new(arm: Arm, server: SocketAddr, trust: Option<Trust>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { arm, server: Endpoint::at(server).secured(trust), runtime, given: 0, code: None, rooms: HashMap::new() })
    }

    pub(crate) fn take(&mut self) -> Result<Seat> {
        let match_index = self.given / MATCH_SEATS;
        let seat = match self.arm {
            Arm::Floor | Arm::WsJson | Arm::WsBinary => Seat { path: format!("/match/{match_index}"), ticket: None, match_index },
            Arm::Colyseus | Arm::ColyseusMessages => self.join_room()?,
            _ => self.reserve(match_index)?,
        };
        self.given += 1;
        Ok(seat)
    }

    /// A guest session, then a seat in a new match or in the one that is being filled.
    fn reserve(&mut self, match_index: usize) -> Result<Seat> {
        let is_new = self.given.is_multiple_of(MATCH_SEATS);
        let mut api = self.api();
        let join = self.runtime.block_on(async {
            api.open_session(&format!("player {}", self.given)).await.context("a guest session")?;
            let join = match self.code.as_ref().filter(|_| !is_new) {
                Some(code) => api.join(code).await,
                None => api.create("ffa", true).await,
            };
            join.context("a seat")
        })?;
        self.code = Some(join.code);
        Ok(Seat { path: join.ws_url, ticket: Some(join.ticket), match_index })
    }

    fn join_room(&mut self) -> Result<Seat> {
        let join = self.runtime.block_on(self.api().call(Method::POST, JOIN_ROOM, Some(json!({})))).context(JOIN_ROOM)?;
        let [process, room, session] = [text(&join, "processId")?, text(&join, "roomId")?, text(&join, "sessionId")?];
        let next = self.rooms.len();
        let path = format!("/{process}/{room}?sessionId={session}");
        Ok(Seat { path, ticket: None, match_index: *self.rooms.entry(room).or_insert(next) })
    }

    /// How the next player asks for its seat. From an address of its own if the server is on this
    /// machine: the server keeps few seats (`EXPECTED_MAX`) for players of one address who have a
    /// ticket and have not come yet, and no setting raises that.
    fn api(&self) -> Api {
        let address = self.server.address;
        let source = if address.ip().is_loopback() { Api::loopback_source(self.given) } else { any_like(address) };
        Api::to(self.server.clone(), source)
    }
}

/// Where Colyseus gives out seats.
const JOIN_ROOM: &str = "/matchmake/joinOrCreate/arena";

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
        let error = seats.take().expect_err("there is no server at port 1");
        assert!(format!("{error:#}").contains("/matchmake/"), "{error:#}");
    }
}
