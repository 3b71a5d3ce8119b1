//! The load test: headless players on goose, and the report of what they felt.
//!
//! [`player`] is a goose user's life, [`scenario`] the ways to lead it, [`entrance`] the way in;
//! [`board`] and [`monitor`] bring it together second by second; [`run`] is a whole load test,
//! [`capacity`] the search for the most players, [`report`] what was found. [`thresholds`] judges it,
//! [`mod@compare`] puts an earlier one beside it, [`merge`] adds several up, [`show`] is what people read.
//! The player itself, its connection and its bot, is `tickwire_testkit`.

pub mod board;
pub mod capacity;
pub mod compare;
pub mod entrance;
pub mod merge;
pub mod monitor;
pub mod options;
pub mod player;
pub mod progress;
pub mod report;
pub mod run;
pub mod scenario;
pub mod show;
pub mod thresholds;
mod words;
