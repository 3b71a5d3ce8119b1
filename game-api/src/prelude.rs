//! What most games use: `use tickwire_game::prelude::*;`.

pub use bevy_ecs::change_detection::Mut;
pub use bevy_ecs::entity::Entity;
pub use bevy_ecs::schedule::IntoScheduleConfigs;
pub use bevy_ecs::system::{Commands, Query, Res, ResMut};
pub use bevy_ecs::world::World;
pub use tickwire_protocol::messages::Ranked;
pub use tickwire_protocol::schema::Phase;
pub use tickwire_protocol::{PlayerId, Snapshot, Tick};

pub use crate::interest::{Interest, Tier};
pub use crate::testing::TestMatch;
pub use crate::{Bots, Event, Game, Input, Mode, Predict, Predictor, Ranking, Replicate, Rng, Sight, Stored};
pub use crate::{Events, Inputs, MatchClock, NetIds, Random, Setup, game, move_bodies, own, ranked, spawn, tick_field, timers, without};
