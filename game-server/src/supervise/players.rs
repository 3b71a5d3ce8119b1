//! Players' connections that outlive a server, where the system can hand them over.

use std::os::fd::OwnedFd;

#[cfg(any(target_os = "linux", target_os = "android"))]
use tickwire_handover::{Attendant, Held};

/// What is held for one server after the other.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) struct Players {
    /// `None` if the system gives no memory for them: then every connection ends with its server.
    held: Option<Held>,
    /// Of the server that runs.
    attendant: Option<Attendant>,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Players {
    /// At most so many.
    pub(super) fn new(connections: usize) -> Self {
        let held = Held::new(u32::try_from(connections).unwrap_or(u32::MAX));
        let held = held.inspect_err(|error| tracing::warn!(%error, "players' connections will end with the server's process"));
        Self { held: held.ok(), attendant: None }
    }

    /// Gives them to the next server, if that is possible.
    pub(super) fn give(&mut self) -> Option<OwnedFd> {
        self.hear_out();
        let given = self.held.as_ref()?.give();
        let given = given.inspect_err(|error| tracing::warn!(%error, "players' connections are not handed to the next server"));
        let (end, attendant) = given.ok()?;
        self.attendant = Some(attendant);
        Some(end)
    }

    /// How many are held. The server must have ended.
    pub(super) fn count(&mut self) -> usize {
        self.hear_out();
        self.held.as_ref().map_or(0, Held::count)
    }

    fn hear_out(&mut self) {
        if let Some(attendant) = self.attendant.take() {
            attendant.join();
        }
    }
}

/// Here nothing is held.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) struct Players;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl Players {
    pub(super) fn new(_: usize) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "elsewhere there is something to give")]
    pub(super) fn give(&mut self) -> Option<OwnedFd> {
        None
    }

    #[expect(clippy::unused_self, reason = "elsewhere there is something to count")]
    pub(super) fn count(&mut self) -> usize {
        0
    }
}
