//! Makes matches for those who wait in a queue, and seats them there.
//!
//! Every server that somebody asks does this, for whoever waits: which of them makes a match is
//! decided when its players are reserved, all or none. The match is private, so that its seats are
//! theirs, and runs where any new match would.
//!
//! Invariants: everybody of a group has a seat, or nobody is told of the match; who cannot be
//! seated is taken out of the queue and told why when they enter again, so that the others do not
//! wait for them; a match that nobody is told of ends by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::StatusCode;
use tickwire_cluster::StoreError;
use tickwire_cluster::queue::Group;
use tickwire_protocol::codec::{decode, encode};
use tickwire_protocol::{CloseReason, MatchId};
use tokio::time::MissedTickBehavior;

use super::queue::Line;
use super::seating::{Asker, Wish};
use super::sessions::Known;
use super::shared::Gateway;
use super::tickets::unix_now;
use crate::cluster::letter::{Answer, Member, Opening};
use crate::http::address::{ClientAddress, from_bytes};
use crate::matches::{Halt, MatchRequest, PlayerKey, Settings};
use crate::metrics;
use crate::secrets::random_bytes;

/// How often it is looked who can play together.
const GROUP_EVERY: Duration = Duration::from_millis(250);
/// Most bytes of an answer that names who has no seat.
const UNSEATED_BYTES_MAX: usize = 64 << 10;

/// What came of a match that was to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Opened {
    /// It is there, and everybody has a seat.
    Yes,
    /// No server has room for it.
    NoRoom,
    /// These cannot be seated, so there is none.
    Without(Vec<PlayerKey>),
}

impl Gateway {
    /// Groups those who wait, for ever.
    pub(super) async fn make_matches(self: &Arc<Self>) {
        let mut interval = tokio::time::interval(GROUP_EVERY);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            if self.directory.is_draining() {
                continue;
            }
            for line in self.queues.busy(tokio::time::Instant::now()) {
                self.group(line).await;
            }
        }
    }

    async fn group(self: &Arc<Self>, line: &Line) {
        let groups = match line.queue.reserve(|| MatchId(random_bytes())).await {
            Ok(groups) => groups,
            // Whoever asks how far they are is told.
            Err(error) => return tracing::debug!(mode = line.mode, %error, "nobody can be grouped"),
        };
        if groups.is_empty() {
            return;
        }
        let begun = join_all(groups.into_iter().map(|group| async move {
            let is_begun = self.begin(line, &group).await.unwrap_or_else(|error| {
                // Those who ask for them put their tickets back.
                tracing::warn!(mode = line.mode, match_id = %group.id, %error, "whether those who waited have a match is not known");
                false
            });
            is_begun.then_some(group)
        }));
        let begun: Vec<Group> = begun.await.into_iter().flatten().collect();
        metrics::count_queue_matches(begun.len());
        self.queues.tell(&begun);
    }

    /// Makes the match of a group. Says whether they are told of it.
    async fn begin(self: &Arc<Self>, line: &Line, group: &Group) -> Result<bool, StoreError> {
        let mut members = Vec::new();
        for ticket in &group.tickets {
            let Some(party) = self.queues.members(ticket).await? else {
                // Somebody of the party has just left, and its ticket goes.
                line.queue.withdraw(ticket.id).await?;
                line.queue.release(group).await?;
                return Ok(false);
            };
            members.extend(party);
        }
        let players = members.len();
        let opened = self.open_somewhere(Opening { id: group.id, mode: line.mode.to_owned(), members }).await;
        if opened == Opened::Yes && line.queue.seat(group).await? {
            tracing::info!(match_id = %group.id, mode = line.mode, players, parties = group.tickets.len(), "match made for those who waited");
            return Ok(true);
        }
        if opened == Opened::Yes {
            // Somebody has left meanwhile. On another server it ends when nobody comes.
            self.end(group.id);
            return Ok(false);
        }
        if let Opened::Without(whom) = &opened {
            for player in whom {
                self.queues.put_out(*player).await?;
            }
        }
        line.queue.release(group).await?;
        Ok(false)
    }

    async fn open_somewhere(self: &Arc<Self>, opening: Opening) -> Opened {
        if let Some(cluster) = &self.cluster
            && let Some(node) = cluster.for_match().into_iter().next()
            && node != *cluster.node().id()
        {
            match cluster.open(&node, opening.clone()).await {
                Ok(answer) => match Opened::read(&answer) {
                    Opened::NoRoom => {}
                    opened => return opened,
                },
                Err(error) => tracing::warn!(%node, %error, "a match was to be made there"),
            }
        }
        self.open(opening).await
    }

    /// Another server has those who are to play together.
    pub(crate) async fn answer_opening(self: &Arc<Self>, opening: Opening) -> Answer {
        self.open(opening).await.write()
    }

    /// Makes a match here, with a seat for everybody.
    async fn open(self: &Arc<Self>, Opening { id, mode, members }: Opening) -> Opened {
        let request = MatchRequest { id: Some(id), ..MatchRequest::new(&mode, Settings::PRIVATE) };
        if let Err(error) = self.directory.create(request) {
            tracing::debug!(match_id = %id, mode, %error, "there is no room for those who waited");
            return Opened::NoRoom;
        }
        let seating = members.into_iter().map(|member| async move {
            let player = member.player;
            let why = self.seat_member(id, member).await.err()?;
            tracing::info!(match_id = %id, code = why, "somebody who waited cannot be seated: out of the queue");
            Some(player)
        });
        let unseated: Vec<PlayerKey> = join_all(seating).await.into_iter().flatten().collect();
        if unseated.is_empty() {
            return Opened::Yes;
        }
        self.end(id);
        Opened::Without(unseated)
    }

    /// Keeps a seat for somebody, who gets a ticket when they ask how far they are.
    async fn seat_member(self: &Arc<Self>, id: MatchId, member: Member) -> Result<(), &'static str> {
        let Member { player, name, expires, client, rating: _ } = member;
        let (now, client) = (Instant::now(), ClientAddress::new(from_bytes(client)));
        let expires = expires.map(|expires| now + Duration::from_secs(expires.saturating_sub(unix_now())));
        let session = self.sessions.enter(now, Known { id: player, name, expires }, client.key());
        let seat = self.seat(Asker { session, client }, Wish::In(id)).await;
        seat.map(drop).map_err(|problem| problem.code)
    }

    fn end(&self, id: MatchId) {
        if let Some(handle) = self.directory.find(id) {
            // One that is too busy to listen ends when nobody has come.
            let _ = handle.send(Halt::End(CloseReason::MatchOver));
        }
    }
}

impl Opened {
    fn write(&self) -> Answer {
        let (status, body) = match self {
            Self::Yes => (StatusCode::CREATED, Vec::new()),
            Self::NoRoom => (StatusCode::SERVICE_UNAVAILABLE, Vec::new()),
            Self::Without(players) => (StatusCode::CONFLICT, encode(players)),
        };
        Answer { status: status.as_u16(), body, retry_after_ms: None }
    }

    fn read(answer: &Answer) -> Self {
        if answer.status == StatusCode::CREATED.as_u16() {
            return Self::Yes;
        }
        match decode::<_, UNSEATED_BYTES_MAX>(&answer.body) {
            Ok(players) if answer.status == StatusCode::CONFLICT.as_u16() => Self::Without(players),
            _ => Self::NoRoom,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_it_reads_back() {
        for opened in [Opened::Yes, Opened::NoRoom, Opened::Without(vec![PlayerKey([1; 32]), PlayerKey([2; 32])])] {
            assert_eq!(Opened::read(&opened.write()), opened);
        }
    }
}
