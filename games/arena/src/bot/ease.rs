//! How easy the game's own bots go on an opponent: very on one who is new to the match, less with
//! every second and every kill; somewhat on one who dies far more than it kills; a little on
//! everyone whose life has just begun.
//!
//! It follows from what a bot sees: the opponent's fighter, and the score where it is shown. In
//! royale others' scores are not, so there everyone counts as somewhat new at the start of each
//! life.

use tickwire_game::timers;
use tickwire_protocol::{Columns, Snapshot};

use crate::movement::PROTECTION_TICKS;
use crate::tables::{Fighter, Score};

/// As easy as it gets.
pub(super) const WHOLE: i32 = 100;
/// By so much longer it takes at most to notice an opponent.
pub(super) const REACTION_TICKS: i32 = 60;
/// By so much it aims worse at most, 1/1024 turn.
pub(super) const AIM_STEPS: i32 = 80;

/// From the end of protection in the first life until nobody is new any more.
const NEW_TICKS: i32 = 2_700;
/// Each kill makes one that much less new.
const KILL: i32 = 20;
/// At the start of any life.
const FRESH: i32 = 50;
/// From the end of protection until a later life is no longer fresh.
const FRESH_TICKS: i32 = 150;
/// From the end of protection until a life is no longer new, where scores are not seen.
const UNKNOWN_TICKS: i32 = 450;
/// Counted as deaths on top of those there are, so that one death does not make a loser.
const DOUBT: i32 = 2;

/// `most`, as far as `ease` goes.
pub(super) const fn share(most: i32, ease: i32) -> i32 {
    most * ease / WHOLE
}

/// How easy to go on `fighter`, 0 to [`WHOLE`].
pub(super) fn on(view: &Snapshot, fighter: &Fighter) -> i32 {
    let age = timers::since(fighter.protected_until, view.tick, PROTECTION_TICKS).unwrap_or(0);
    let fading = |from: i32, ticks: i32| from * (ticks - age.min(ticks)) / ticks;
    let Some(score) = score_of(view, fighter.player) else { return fading(FRESH, UNKNOWN_TICKS) };
    let (kills, deaths) = (i32::from(score.kills), i32::from(score.deaths));
    let new = if deaths == 0 { fading(WHOLE, NEW_TICKS) - KILL * kills } else { 0 };
    let losing = WHOLE * (deaths - kills) / (deaths + DOUBT);
    new.max(losing).max(fading(FRESH, FRESH_TICKS)).clamp(0, WHOLE)
}

/// Only the column of players is looked through.
fn score_of(view: &Snapshot, player: u16) -> Option<Score> {
    const PLAYER: usize = Score::TABLE.field("player");
    let scores = view.table_of::<Score>()?;
    scores.get(scores.column(PLAYER).iter().position(|other| *other == i32::from(player))?)
}

#[cfg(test)]
mod tests {
    use tickwire_protocol::{NetId, Tick};

    use super::*;
    use crate::angle::Angle;
    use crate::geometry::Vec2;
    use crate::tables::SCHEMA;

    /// How easy a bot goes on a player with `kills` and `deaths`, if the score is seen, `age` ticks
    /// after protection ended.
    fn ease(score: Option<(u16, u16)>, age: i32) -> i32 {
        let mut view = Snapshot::empty(&SCHEMA);
        view.tick = Tick(5_000);
        let fighter = Fighter { protected_until: timers::after(view.tick, -age), ..Fighter::new(7, Vec2::default(), Angle::new(0)) };
        if let Some((kills, deaths)) = score {
            let mut row = [0; Score::TABLE.fields.len()];
            Score { player: 7, score: 0, kills, deaths, respawn_at: 0 }.write(&mut row);
            let index = SCHEMA.tables().iter().position(|table| table.name == Score::TABLE.name).expect("it has scores");
            view.table_mut(index).expect("it has scores").push(NetId(1), &row);
        }
        on(&view, &fighter)
    }

    #[test]
    fn a_newcomer_is_spared_and_less_so_as_time_goes_by_and_with_every_kill() {
        assert_eq!([0, 1_350, 2_700, 9_000].map(|age| ease(Some((0, 0)), age)), [100, 50, 0, 0]);
        assert_eq!(ease(Some((2, 0)), 1_350), 10);
        assert_eq!(ease(Some((9, 0)), 300), 0);
    }

    #[test]
    fn who_loses_all_the_time_is_spared_and_who_holds_its_own_is_not() {
        let later = |kills, deaths| ease(Some((kills, deaths)), 300);
        assert_eq!([later(0, 1), later(0, 2), later(0, 8)], [33, 50, 80]);
        assert_eq!([later(1, 1), later(7, 8), later(8, 2)], [0, 10, 0]);
    }

    #[test]
    fn the_first_seconds_of_a_life_are_easier_for_everyone() {
        assert_eq!([0, 75, 150].map(|age| ease(Some((8, 2)), age)), [50, 25, 0]);
        assert_eq!([0, 225, 450].map(|age| ease(None, age)), [50, 25, 0], "where scores are not seen, for longer");
        assert_eq!(ease(Some((8, 2)), -30), 50, "while it is protected it counts as just born");
    }
}
