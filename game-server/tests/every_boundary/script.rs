//! What players do, tick by tick.

use tickwire_journal::Durability;
use tickwire_journal::sim::Survivors;

use crate::machine::{Crash, Machine};
use crate::player::Do;

/// A match of 45 ticks. Four come, one is away for a while, one keeps a ticket for long, one
/// leaves.
pub(crate) fn a_match() -> Vec<Vec<Do>> {
    let mut ticks = vec![Vec::new(); 45];
    for (tick, what) in [
        (0, Do::Reserve(0)),
        (1, Do::Attach(0)),
        (4, Do::Reserve(1)),
        (5, Do::Attach(1)),
        (7, Do::Reserve(2)),
        (9, Do::Reserve(3)),
        (10, Do::Attach(3)),
        (12, Do::Drop(1)),
        (17, Do::Resume(1)),
        (24, Do::Leave(3)),
        (30, Do::Attach(2)),
        (33, Do::Drop(0)),
        (34, Do::Resume(0)),
    ] {
        ticks[tick].push(what);
    }
    ticks
}

/// Whoever has a ticket or a token uses it, and they play on for a while.
pub(crate) fn everybody_returns(machine: &Machine) -> Vec<Vec<Do>> {
    let all = 0..machine.players.len();
    let mut ticks = vec![Vec::new(); 14];
    ticks[0].extend(all.flat_map(|player| [Do::Resume(player), Do::Attach(player)]));
    ticks
}

/// A match, its players, and up to three ends of its process, all by chance.
pub(crate) fn random(seed: u64) -> Result<(), String> {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995);
    let is_synced = chance.of(3) == 0;
    let durability = if is_synced { Durability::Tick } else { Durability::Process };
    let players = 1 + chance.of(5) as usize;
    let mut machine = Machine::new(durability, players);
    for _ in 0..=chance.of(3) {
        let ticks = 1 + chance.of(70) as usize;
        let script: Vec<Vec<Do>> = (0..ticks).map(|_| (0..players).filter_map(|player| a_deed(&mut chance, player)).collect()).collect();
        let end = machine.sim.boundaries() + chance.of(40 + 6 * ticks as u64);
        machine.sim.end_at(end);
        machine.live(&script)?;
        let survivors = [Survivors::None, Survivors::All, Survivors::Zeros, Survivors::Some(chance.of(u64::MAX))];
        let is_power = is_synced && chance.of(2) == 0;
        machine.crash(if is_power { Crash::Power(survivors[chance.of(4) as usize]) } else { Crash::Process });
    }
    // The last one may have been over before its end came.
    machine.sim.end_at(u64::MAX);
    machine.live(&everybody_returns(&machine))?;
    machine.everybody_plays()
}

fn a_deed(chance: &mut Chance, player: usize) -> Option<Do> {
    match chance.of(100) {
        0..12 => Some(Do::Reserve(player)),
        12..30 => Some(Do::Attach(player)),
        30..34 => Some(Do::Drop(player)),
        34..48 => Some(Do::Resume(player)),
        48 => Some(Do::Leave(player)),
        _ => None,
    }
}

/// `SplitMix64`.
struct Chance(u64);

impl Chance {
    /// A number below `end`.
    fn of(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end
    }
}
