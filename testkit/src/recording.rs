//! A person's inputs from a match, as the page saves them, to drive bots.
//!
//! A recording is JSON: `{"game": "arena", "inputs": ["hex", ...]}`, an entry for each Input message as it went over the wire,
//! ticks rising.

use std::path::Path;

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::Deserialize;
use tickwire_game::{Game, Input};
use tickwire_protocol::{ClientMessage, Tick};

/// Longest recording that is read: an hour at 60 Hz.
const INPUTS_MAX: usize = 60 * 60 * 60;

/// An input for each tick of a stretch of play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording<I> {
    /// At least one.
    inputs: Vec<I>,
}

/// Why a recording cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        error: String,
    },
    /// It is of another game.
    #[error("{path} is a recording of `{found}`, the server runs `{expected}`")]
    OtherGame {
        /// Which file.
        path: String,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: &'static str,
    },
}

#[derive(Deserialize)]
struct File {
    game: String,
    inputs: Vec<String>,
}

impl<I: Input> Recording<I> {
    /// Reads the recording of a match of `G`.
    pub fn read<G: Game<Input = I>>(path: &Path) -> Result<Self, RecordingError> {
        let name = path.display().to_string();
        let unreadable = |error: String| RecordingError::Unreadable { path: name.clone(), error };
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        let file: File = serde_json::from_str(&text).map_err(|error| unreadable(format!("is no recording: {error}")))?;
        if file.game != G::NAME {
            return Err(RecordingError::OtherGame { path: name, found: file.game, expected: G::NAME });
        }
        Self::from_entries(&file.inputs).map_err(unreadable)
    }

    /// An input for every tick from the first to the last: between two entries the earlier one is held.
    fn from_entries(entries: &[String]) -> Result<Self, String> {
        let mut inputs = Vec::new();
        let mut previous: Option<(Tick, I)> = None;
        for (nth, hex) in entries.iter().enumerate() {
            let message = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok().and_then(|bytes| ClientMessage::<I>::decode(&bytes).ok());
            let Some(ClientMessage::Input { tick, input, .. }) = message else {
                return Err(format!("entry {nth} is no input of this game"));
            };
            if let Some((before, held)) = previous {
                let ticks = usize::try_from(tick.since(before)).ok().filter(|ticks| *ticks > 0).ok_or("the ticks do not rise")?;
                if inputs.len() + ticks > INPUTS_MAX {
                    return Err("is longer than an hour".to_owned());
                }
                inputs.extend(std::iter::repeat_n(held, ticks));
            }
            previous = Some((tick, input));
        }
        inputs.extend(previous.map(|(_, input)| input));
        if inputs.is_empty() { Err("holds no inputs".to_owned()) } else { Ok(Self { inputs }) }
    }

    /// Ticks it covers.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Never: a recording holds at least one input.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The input of the `nth` tick, from the start again after the end.
    pub fn input(&self, nth: usize) -> I {
        self.inputs.get(nth % self.inputs.len().max(1)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use tag::Input;
    use tickwire_protocol::InputSeq;
    use tickwire_protocol::codec::encode;

    use super::*;

    fn entry(tick: u32, input: Input) -> String {
        let message = ClientMessage::Input { seq: InputSeq(tick), tick: Tick(tick), input };
        HEXLOWER_PERMISSIVE.encode(&encode(&message))
    }

    #[test]
    fn an_input_is_held_until_the_next_and_the_end_leads_to_the_start() {
        let [first, second] = [Input { x: 1, y: 2 }, Input { x: 127, y: -127 }];
        let recording = Recording::<Input>::from_entries(&[entry(10, first), entry(12, second)]).expect("a recording");
        assert_eq!([0, 1, 2, 3].map(|nth| recording.input(nth)), [first, first, second, first]);
    }

    #[test]
    fn what_is_no_recording_is_refused_with_a_reason() {
        let refused = |entries: &[String]| Recording::<Input>::from_entries(entries).expect_err("refused");
        let input = Input { x: 1, y: 2 };
        assert_eq!(refused(&[]), "holds no inputs");
        assert_eq!(refused(&["zz".to_owned()]), "entry 0 is no input of this game");
        assert_eq!(refused(&[entry(1, input), entry(1, input) + "00"]), "entry 1 is no input of this game");
        assert_eq!(refused(&[entry(5, input), entry(5, input)]), "the ticks do not rise");
        assert_eq!(refused(&[entry(0, input), entry(INPUTS_MAX as u32 + 1, input)]), "is longer than an hour");
    }
}
