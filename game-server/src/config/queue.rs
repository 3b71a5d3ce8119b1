//! The queue: how parties that wait are put into matches together.

use serde::{Deserialize, Serialize};

use super::error::{ConfigError, demand};

/// The queue, in which parties wait for others of their strength.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QueueConfig {
    /// Whether there is one.
    pub enabled: bool,
    /// The modes that have one; none listed for all.
    pub modes: Vec<String>,
    /// Players of a full match; 0 for as many as the mode has seats.
    pub players: u16,
    /// Players with whom a match begins when somebody of them has waited for `patience_seconds`.
    pub players_min: u16,
    /// See `players_min`.
    pub patience_seconds: u32,
    /// How far ratings may be apart to begin with.
    pub rating_spread: u32,
    /// How much farther with each second that a party waits.
    pub rating_widening_per_second: u32,
    /// Whether players without a rating of the identity provider say theirs themselves.
    pub rating_by_client: bool,
    /// Most people of one address who wait at this server.
    pub waiting_per_address: usize,
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            modes: Vec::new(),
            players: 0,
            players_min: 2,
            patience_seconds: 15,
            rating_spread: 100,
            rating_widening_per_second: 10,
            rating_by_client: false,
            waiting_per_address: 128,
        }
    }
}

impl QueueConfig {
    /// Whether a mode has a queue.
    pub fn has(&self, mode: &str) -> bool {
        self.enabled && (self.modes.is_empty() || self.modes.iter().any(|other| other == mode))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        demand(self.players_min > 0, "queue.players_min", "must be at least 1")?;
        let is_enough = self.players == 0 || self.players >= self.players_min;
        demand(is_enough, "queue.players", "must be 0, for as many as the mode has seats, or queue.players_min at least")?;
        demand(self.waiting_per_address > 0, "queue.waiting_per_address", "must be at least 1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_has_a_queue_unless_it_is_left_out() {
        let all = QueueConfig::default();
        let one = QueueConfig { modes: vec!["duel".into()], ..QueueConfig::default() };
        let none = QueueConfig { enabled: false, ..one.clone() };
        assert_eq!([&all, &one, &none].map(|queue| (queue.has("duel"), queue.has("ffa"))), [(true, true), (true, false), (false, false)]);
    }

    #[test]
    fn what_cannot_work_is_named() {
        let refused = |config: QueueConfig| config.check().expect_err("refused").to_string();
        assert!(QueueConfig::default().check().is_ok());
        assert!(refused(QueueConfig { players_min: 0, ..QueueConfig::default() }).contains("queue.players_min"));
        assert!(refused(QueueConfig { players: 1, ..QueueConfig::default() }).contains("queue.players"));
        assert!(refused(QueueConfig { waiting_per_address: 0, ..QueueConfig::default() }).contains("queue.waiting_per_address"));
    }
}
