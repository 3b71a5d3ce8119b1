//! The ways players behave, as data: how they come in, who plays, how long they stay, and what they do then.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A way to behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Stable name.
    pub name: &'static str,
    /// How the player comes in.
    pub door: Door,
    /// Whether it plays; it looks on otherwise.
    pub plays: bool,
    /// How long it stays, and what it does then; `None` for the whole run.
    pub stays: Option<(Duration, Then)>,
    /// Its line drops whenever it has said Hello, before it reads the answer. Then it comes with
    /// the newest credential it was given.
    pub loses_welcome: bool,
}

impl Scenario {
    /// Plays in any match with a free seat, for the whole run.
    const PLAY: Self = Self { name: "play", door: Door::QuickPlay, plays: true, stays: None, loses_welcome: false };
}

/// How a player comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Any match with a free seat.
    QuickPlay,
    /// The one match that all such players join, until it is full.
    Hot,
    /// The operator's, to watch.
    Watch,
}

/// What a player does after its stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Leaves, and comes in again.
    Leave,
    /// Loses its connection without a word, and returns to its seat after so long.
    Drop(Duration),
}

/// Every scenario.
pub const SCENARIOS: [Scenario; 7] = [
    Scenario::PLAY,
    Scenario { name: "churn", stays: Some((Duration::from_secs(20), Then::Leave)), ..Scenario::PLAY },
    Scenario { name: "reconnect", stays: Some((Duration::from_secs(10), Then::Drop(Duration::from_secs(2)))), ..Scenario::PLAY },
    Scenario {
        name: "flaky",
        stays: Some((Duration::from_secs(6), Then::Drop(Duration::from_secs(1)))),
        loses_welcome: true,
        ..Scenario::PLAY
    },
    Scenario { name: "lurk", plays: false, ..Scenario::PLAY },
    Scenario { name: "spectate", door: Door::Watch, plays: false, ..Scenario::PLAY },
    Scenario { name: "hot", door: Door::Hot, ..Scenario::PLAY },
];

/// Scenarios and their weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioMix {
    /// Weights are at least 1; no scenario comes twice.
    parts: Vec<(Scenario, u32)>,
}

impl ScenarioMix {
    /// The scenarios with their weights.
    pub fn parts(&self) -> &[(Scenario, u32)] {
        &self.parts
    }

    /// Whether any player comes in through `door`.
    pub fn uses(&self, door: Door) -> bool {
        self.parts.iter().any(|(scenario, _)| scenario.door == door)
    }
}

impl FromStr for ScenarioMix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts: Vec<(Scenario, u32)> = Vec::new();
        for part in text.split(',') {
            let (name, weight) = part.split_once(':').unwrap_or((part, "1"));
            let (name, weight) = (name.trim(), weight.trim());
            let Some(scenario) = SCENARIOS.into_iter().find(|scenario| scenario.name == name) else {
                let names = SCENARIOS.map(|scenario| scenario.name).join(", ");
                return Err(format!("there is no scenario `{name}`; there are {names}"));
            };
            let weight = weight.parse().ok().filter(|weight| (1..=1000).contains(weight));
            let weight = weight.ok_or_else(|| format!("the weight of `{name}` must be 1 to 1000"))?;
            if parts.iter().any(|(other, _)| other.name == name) {
                return Err(format!("`{name}` comes twice"));
            }
            parts.push((scenario, weight));
        }
        Ok(Self { parts })
    }
}

impl fmt::Display for ScenarioMix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (scenario, weight)) in self.parts.iter().enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            write!(f, "{comma}{}:{weight}", scenario.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_read_and_written() {
        let mix: ScenarioMix = "play:80, churn:15,reconnect".parse().expect("a mix");
        assert_eq!(mix.to_string(), "play:80,churn:15,reconnect:1");
        assert!(mix.uses(Door::QuickPlay) && !mix.uses(Door::Watch));
    }

    #[test]
    fn what_is_no_mix_is_refused_with_a_reason() {
        let refused = |text: &str| text.parse::<ScenarioMix>().expect_err("refused");
        assert_eq!(refused("plya:1"), "there is no scenario `plya`; there are play, churn, reconnect, flaky, lurk, spectate, hot");
        assert_eq!(refused("play:0"), "the weight of `play` must be 1 to 1000");
        assert_eq!(refused("play,play:2"), "`play` comes twice");
    }
}
