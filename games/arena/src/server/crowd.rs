//! Fighters by where they are, so that whoever looks for those near a place looks at those only.
//!
//! Each column and each row of cells has a bit for every fighter in it. Who is in some columns and
//! in some rows is found by putting their bits together, 64 fighters at a time.

use bevy_ecs::entity::Entity;

use crate::geometry::Vec2;
use crate::map::{Map, UNIT};
use crate::tables::Fighter;

/// Side of a cell.
const CELL: i32 = 500 * UNIT;

/// The fighters of one moment. Its buffers are used again.
#[derive(Default)]
pub(super) struct Crowd {
    members: Vec<Member>,
    /// Cells from one side of the map to the other.
    across: usize,
    /// For each 64 fighters a word of each column, and after these of each row.
    bits: Vec<u64>,
}

/// A fighter in the crowd.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) player: u16,
    pub(super) place: Vec2,
    pub(super) entity: Entity,
}

impl Crowd {
    /// Becomes `fighters` on `map`, in any order.
    pub(super) fn gather<'a>(&mut self, map: Map, fighters: impl Iterator<Item = (Entity, &'a Fighter)>) {
        self.members.clear();
        self.members.extend(fighters.map(|(entity, fighter)| Member { player: fighter.player, place: fighter.place(), entity }));
        self.across = (map.side() / CELL) as usize + 1;
        self.bits.clear();
        self.bits.resize(2 * self.across * self.members.len().div_ceil(64), 0);
        for (index, member) in self.members.iter().enumerate() {
            let first = index / 64 * 2 * self.across;
            let (column, row) = (self.cell(member.place.x), self.across + self.cell(member.place.y));
            for line in [column, row] {
                if let Some(word) = self.bits.get_mut(first + line) {
                    *word |= 1 << (index % 64);
                }
            }
        }
    }

    /// All that are at most `reach` away from `place` along each axis, and a few more.
    pub(super) fn near(&self, place: Vec2, reach: i32) -> Near<'_> {
        let columns = (self.cell(place.x - reach), self.cell(place.x + reach) + 1);
        let rows = (self.across + self.cell(place.y - reach), self.across + self.cell(place.y + reach) + 1);
        Near { crowd: self, columns, rows, word: 0, bits: self.both(0, columns, rows) }
    }

    /// Those of the 64 fighters of `word` that are in one of the columns and in one of the rows.
    fn both(&self, word: usize, columns: (usize, usize), rows: (usize, usize)) -> u64 {
        let lines = self.bits.get(word * 2 * self.across..).unwrap_or_default();
        let any = |(first, end): (usize, usize)| (first..end).fold(0, |all, line| all | lines.get(line).copied().unwrap_or(0));
        any(columns) & any(rows)
    }

    /// The column, or row, that a coordinate is in.
    fn cell(&self, coordinate: i32) -> usize {
        ((coordinate.max(0) / CELL) as usize).min(self.across - 1)
    }
}

/// What [`Crowd::near`] finds.
pub(super) struct Near<'a> {
    crowd: &'a Crowd,
    /// The lines looked at: the first, and the one after the last.
    columns: (usize, usize),
    rows: (usize, usize),
    /// The 64 fighters looked at, and which of them are left.
    word: usize,
    bits: u64,
}

impl<'a> Iterator for Near<'a> {
    type Item = &'a Member;

    fn next(&mut self) -> Option<&'a Member> {
        while self.bits == 0 {
            if (self.word + 1) * 64 >= self.crowd.members.len() {
                return None;
            }
            self.word += 1;
            self.bits = self.crowd.both(self.word, self.columns, self.rows);
        }
        let index = self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        self.crowd.members.get(self.word * 64 + index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::angle::Angle;

    #[test]
    fn everyone_near_is_found() {
        let place = |n: i32| Vec2::new(n * 7919 % Map::ROYALE.side(), n * 104_729 % Map::ROYALE.side());
        let fighters: Vec<Fighter> = (0..1000).map(|n| Fighter::new(n as u16, place(n), Angle::new(0))).collect();
        let mut crowd = Crowd::default();
        // Twice: nothing is left of the first.
        for count in [1000, 700] {
            let fighters = &fighters[..count];
            crowd.gather(Map::ROYALE, fighters.iter().map(|fighter| (Entity::PLACEHOLDER, fighter)));
            for n in 0..500 {
                let (at, reach) = (place(n * 31), n * 20);
                let is_near = |place: Vec2| (place.x - at.x).abs() <= reach && (place.y - at.y).abs() <= reach;
                let mut found: Vec<u16> =
                    crowd.near(at, reach).filter(|member| is_near(member.place)).map(|member| member.player).collect();
                found.sort_unstable();
                let near = fighters.iter().filter(|fighter| is_near(fighter.place())).map(|fighter| fighter.player);
                assert_eq!(found, near.collect::<Vec<u16>>(), "{reach} around {at:?}");
            }
        }
    }
}
