//! What an operator decides about people: who sits where, who leaves a match, who may not play here
//! at all.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use tickwire_cluster::Store;
use tickwire_protocol::CloseReason;

use super::bans::{Ban, Bans, NewBan, Whom};
use super::conduct::Whose;
use super::problems;
use super::shared::Gateway;
use crate::http::address::ClientAddress;
use crate::http::problem::Problem;
use crate::matches::{MatchHandle, PlayerKey, Sitter};
use crate::metrics::{self, Reject};

impl Gateway {
    /// Everyone who is banned.
    pub(crate) fn bans(&self) -> &Bans {
        &self.bans
    }

    /// Refuses whoever is banned, as `player` if it is known who they are, or by where they come
    /// from.
    pub(super) fn refuse_banned(&self, address: IpAddr, player: Option<PlayerKey>) -> Result<(), Problem> {
        let now = Instant::now();
        let Some(ban) = self.bans.find(now, address, player) else { return Ok(()) };
        metrics::count_reject(Reject::Banned);
        Err(problems::banned(ban.left(now), &ban.what.reason))
    }

    /// Notes why a connection that belongs to `whose` is closed.
    pub(super) fn watcher(&self, whose: Whose, client: ClientAddress) -> impl Fn(CloseReason) + Send + Sync + 'static {
        let conduct = Arc::clone(&self.conduct);
        move |reason| conduct.note(Instant::now(), whose, client.key(), reason)
    }

    /// Takes a player out of a match. `None` if there is no such player in it.
    pub(crate) async fn kick(&self, handle: &MatchHandle, player: PlayerKey) -> Option<Sitter> {
        handle.dismiss(move |sitter| sitter.occupant.owner == player, CloseReason::Kicked).await?.pop()
    }

    /// Bans somebody, and takes them out of every match. Returns how many seats that freed; `None`
    /// if there are too many bans.
    pub(crate) async fn ban(&self, ban: NewBan) -> Option<(Ban, usize)> {
        let whom = ban.whom;
        let ban = self.bans.add(Instant::now(), ban)?;
        Some((ban, self.take_out(whom).await))
    }

    /// Tells other servers of bans, and takes out whom they have banned.
    pub(crate) async fn share_bans(&self, store: &dyn Store) {
        // A store that is away hears of it the next time.
        for ban in self.bans.share(store, Instant::now()).await.unwrap_or_default() {
            let seats = self.take_out(ban.whom).await;
            tracing::info!(name = ban.name, reason = ban.reason, seats, "banned by another server");
        }
    }

    /// Takes somebody out of every match. Returns how many seats that freed.
    async fn take_out(&self, whom: Whom) -> usize {
        let is_meant = move |sitter: &Sitter| match whom {
            Whom::Player(player) => sitter.occupant.owner == player,
            Whom::Network(network) => sitter.peer.is_some_and(|peer| network.contains(&peer.to_canonical())),
        };
        let handles = self.directory.all();
        let dismissed = join_all(handles.iter().map(|handle| handle.dismiss(is_meant, CloseReason::Banned))).await;
        dismissed.into_iter().flatten().map(|sitters| sitters.len()).sum()
    }
}
