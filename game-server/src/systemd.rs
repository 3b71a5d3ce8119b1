//! Tells systemd, where that is what started this process, that the server listens, lives and stops
//! (`Type=notify`). Elsewhere nothing happens.
//!
//! Invariant: a sign of life is given only while every worker's loop advances.

use crate::server::Pulse;

/// The server listens. From now on signs of life are given, as often as systemd wants them.
#[cfg(unix)]
pub fn ready(pulse: Pulse) {
    use sd_notify::NotifyState;

    tell(&[NotifyState::Ready, NotifyState::Status("the server listens")]);
    let Some(patience) = sd_notify::watchdog_enabled() else { return };
    // Twice in that time, so that one that is late is not taken for none.
    let live = move || {
        loop {
            if pulse.is_advancing() {
                tell(&[NotifyState::Watchdog]);
            }
            std::thread::sleep(patience / 2);
        }
    };
    if let Err(error) = std::thread::Builder::new().name("watchdog".to_owned()).spawn(live) {
        tracing::error!(%error, "no thread for systemd's watchdog: it will end this process");
    }
}

/// The server stops.
#[cfg(unix)]
pub fn stopping() {
    tell(&[sd_notify::NotifyState::Stopping]);
}

#[cfg(unix)]
fn tell(what: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        tracing::warn!(%error, "systemd cannot be told how the server is");
    }
}

/// There is no systemd here.
#[cfg(not(unix))]
pub fn ready(_: Pulse) {}

/// There is no systemd here.
#[cfg(not(unix))]
pub fn stopping() {}
