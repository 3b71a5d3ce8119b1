//! Where inputs meet the world: what players sent waits in [`input_buffer`] for its tick, and [`Simulation`], which runs a
//! game's schedule once per tick, belongs to the seam, so that a game's tests run the same one.

pub mod input_buffer;

pub use tickwire_game::Simulation;
