//! A player's hour in a seat: the bot that plays it, what it brings to the board, and how it
//! leaves.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tickwire_game::Game;
use tickwire_protocol::messages::Retry;
use tickwire_protocol::{ClientMessage, MatchId};
use tickwire_testkit::bot::{Bot, Stopped};
use tickwire_testkit::client::{ClientError, Heard};
use tickwire_testkit::line::Line;
use tickwire_testkit::link::Link;
use tokio::time::Instant;

use super::field::Field;
use crate::entrance::WayBack;

/// How long a player that leaves waits for the server to close.
const FAREWELL: Duration = Duration::from_secs(8);

pub(super) struct Seat<G: Game> {
    pub(super) bot: Bot<G, Link<Line>>,
    pub(super) match_id: MatchId,
    pub(super) way_back: Option<WayBack>,
    pub(super) since: Instant,
    /// Traffic of the connection that has been counted.
    counted: (u64, u64),
}

impl<G: Game> Seat<G> {
    pub(super) fn new(bot: Bot<G, Link<Line>>, match_id: MatchId, way_back: Option<WayBack>) -> Self {
        Self { bot, match_id, way_back, since: Instant::now(), counted: (0, 0) }
    }

    /// Brings what was felt to the board.
    pub(super) fn report(&mut self, field: &Field<G>) {
        let link = self.bot.client().stream();
        let traffic = (link.bytes_in(), link.bytes_out());
        let counted = std::mem::replace(&mut self.counted, traffic);
        let notes = self.bot.notes();
        notes.counts.received_bytes += traffic.0 - counted.0;
        notes.counts.sent_bytes += traffic.1 - counted.1;
        field.board.add(notes);
        field.board.waited(self.match_id, self.bot.take_stalls(), field.generator_is_late.load(Relaxed));
    }

    /// Says so, and waits for the server to close.
    pub(super) async fn leave(&mut self, field: &Field<G>) {
        self.bot.stop_looking();
        let client = self.bot.client();
        let farewell = async {
            // A spectator has no seat to leave: closing is enough.
            if client.player().is_some() {
                client.send(ClientMessage::Leave).await?;
                while !matches!(client.next().await, Ok(Heard::Closing(_)) | Err(ClientError::Closed | ClientError::Connection(_))) {}
            }
            Ok::<_, ClientError>(())
        };
        if tokio::time::timeout(FAREWELL, farewell).await.is_ok() {
            return;
        }
        if self.bot.client().stream().is_ideal() {
            field.board.failed(format!("leave: the server did not answer for {} s", FAREWELL.as_secs()));
        } else {
            // What a bad network swallowed is not the server's fault: it must think the player
            // lost, and keep the seat for a while.
            field.left_unanswered.fetch_add(1, Relaxed);
        }
    }
}

/// Whether the seat is kept for who comes back to it, as the page does by itself.
pub(super) fn may_resume(stopped: &Stopped) -> bool {
    match stopped {
        Stopped::Closing(reason) => reason.retry() == Retry::Resume,
        Stopped::Failed(error) => matches!(error, ClientError::Connection(_) | ClientError::Closed | ClientError::Io(_)),
    }
}
