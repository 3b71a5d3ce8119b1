//! What a match's first round waits for, if its creator wanted that: its players are ready, or its
//! host says so.
//!
//! The host is the person who has been in the match for longest. Once a lobby has closed it stays
//! closed: a rematch is voted for.

use tickwire_protocol::PlayerId;
use tickwire_protocol::codec::{BoundedVec, Decode, Encode};
use tickwire_protocol::messages::Lobby;

use crate::roster::Roster;

/// One match's lobby, and what remains of it: whether there are bots.
#[derive(Clone, Debug, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) struct Room {
    is_open: bool,
    bots: bool,
    /// The host has said so.
    starts: bool,
    told: Option<Lobby>,
    /// The roster's version when that was told.
    told_of: u64,
}

impl Room {
    /// As the match's creator chose.
    pub(crate) fn new(lobby: bool, bots: bool) -> Self {
        Self { is_open: lobby, bots, starts: false, told: None, told_of: 0 }
    }

    /// Whether the match still waits.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether bots play now.
    pub(crate) fn has_bots(&self) -> bool {
        self.bots && !self.is_open
    }

    /// `player` wants the match to start now.
    pub(crate) fn start(&mut self, player: PlayerId, roster: &Roster) {
        self.starts |= self.is_open && roster.host() == Some(player);
    }

    /// `player` wants bots, or none.
    pub(crate) fn set_bots(&mut self, player: PlayerId, bots: bool, roster: &Roster) {
        if self.is_open && self.bots != bots && roster.host() == Some(player) {
            self.bots = bots;
            self.told_of = 0;
        }
    }

    /// Whether the match may begin: somebody is here, and nobody is waited for.
    pub(crate) fn may_begin(&self, roster: &Roster) -> bool {
        let counts = roster.counts();
        counts.connected > 0 && (!self.is_open || self.starts || counts.ready == counts.connected)
    }

    /// The match has begun.
    pub(crate) fn close(&mut self) {
        self.is_open = false;
        self.told = None;
    }

    /// What a newcomer is told; `None` if the match waits for nobody.
    pub(crate) fn state(&self, roster: &Roster) -> Option<Lobby> {
        let lobby = || Lobby { host: roster.host(), bots: self.bots, ready: BoundedVec::truncated(roster.ready().collect()) };
        self.is_open.then(lobby)
    }

    /// What everyone is told, if it is something new.
    pub(crate) fn news(&mut self, roster: &Roster) -> Option<Lobby> {
        if !self.is_open || self.told_of == roster.version() {
            return None;
        }
        self.told_of = roster.version();
        let state = self.state(roster).filter(|state| self.told.as_ref() != Some(state))?;
        self.told = Some(state.clone());
        Some(state)
    }
}
