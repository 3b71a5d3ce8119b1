//! Hands the match to another server: it is written whole, stands still, and tells everyone where
//! it goes on when that is known.

use std::time::Duration;

use tickwire_game::Game;
use tickwire_protocol::{CloseReason, WsUrl};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::MatchTask;
use crate::matches::handle::{Command, Halt, Order, ReserveError};

/// Another server must have taken the match over after so long. Else its players look for it
/// themselves.
const PATIENCE: Duration = Duration::from_secs(3);

impl<G: Game> MatchTask<G> {
    /// It goes on there.
    pub(super) fn move_to(&mut self, ws_url: WsUrl) -> CloseReason {
        self.moved_to = Some(ws_url);
        CloseReason::Moved
    }

    /// Writes the whole match, and takes no step any more. Whoever comes meanwhile is told to come
    /// again. Returns why the match ends here.
    pub(super) async fn stand_still(&mut self, written: oneshot::Sender<()>) -> CloseReason {
        self.checkpoint();
        let _ = written.send(());
        let deadline = Instant::now() + PATIENCE;
        loop {
            let order = tokio::time::timeout_at(deadline, self.orders.recv()).await;
            match order {
                Err(_) | Ok(None) => return CloseReason::Restarting,
                Ok(Some(Order::Halt(Halt::End(reason)))) => return reason,
                Ok(Some(Order::Halt(Halt::Move(ws_url)))) => return self.move_to(ws_url),
                Ok(Some(Order::Halt(Halt::Freeze { reply }) | Order::Command(Command::Echo { reply }))) => drop(reply.send(())),
                Ok(Some(Order::Command(Command::Reserve { reply, .. }))) => drop(reply.send(Err(ReserveError::Busy))),
                Ok(Some(order)) => self.turn_away_for(order, CloseReason::Restarting),
            }
        }
    }
}
