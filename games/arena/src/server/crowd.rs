//! Fighters by where they are, so that whoever looks for those near a place looks at those only.

use bevy_ecs::entity::Entity;

use crate::geometry::Vec2;
use crate::map::{Map, UNIT};
use crate::tables::Fighter;

/// Side of a cell.
const CELL: i32 = 500 * UNIT;

/// The fighters of one moment.
pub(super) struct Crowd {
    across: i32,
    /// Sorted by cell, and in a cell by player.
    fighters: Vec<Member>,
    /// Where each cell's fighters begin; one more than there are cells.
    starts: Vec<u32>,
}

/// A fighter in the crowd.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    cell: usize,
    pub(super) player: u16,
    pub(super) place: Vec2,
    pub(super) entity: Entity,
}

impl Crowd {
    /// `fighters` on `map`, in any order.
    pub(super) fn new<'a>(map: Map, fighters: impl Iterator<Item = (Entity, &'a Fighter)>) -> Self {
        let across = map.side() / CELL + 1;
        let cell = |place: Vec2| (place.y / CELL * across + place.x / CELL) as usize;
        let member = |(entity, fighter): (Entity, &Fighter)| Member {
            cell: cell(fighter.place()),
            player: fighter.player,
            place: fighter.place(),
            entity,
        };
        let mut fighters: Vec<Member> = fighters.map(member).collect();
        fighters.sort_unstable_by_key(|member| (member.cell, member.player));
        let mut starts = Vec::with_capacity((across * across) as usize + 1);
        for (index, member) in fighters.iter().enumerate() {
            starts.resize(starts.len().max(member.cell + 1), index as u32);
        }
        starts.resize((across * across) as usize + 1, fighters.len() as u32);
        Self { across, fighters, starts }
    }

    /// All that are at most `reach` away from `place` along each axis, and a few more.
    pub(super) fn near(&self, place: Vec2, reach: i32) -> impl Iterator<Item = &Member> {
        let cell = |coordinate: i32| (coordinate / CELL).clamp(0, self.across - 1);
        let (left, right) = (cell(place.x - reach), cell(place.x + reach));
        (cell(place.y - reach)..=cell(place.y + reach)).flat_map(move |y| {
            let bound = |x: i32| self.starts.get((y * self.across + x) as usize).map_or(0, |start| *start as usize);
            self.fighters.get(bound(left)..bound(right + 1)).unwrap_or_default()
        })
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
        let crowd = Crowd::new(Map::ROYALE, fighters.iter().map(|fighter| (Entity::PLACEHOLDER, fighter)));
        for n in 0..500 {
            let (at, reach) = (place(n * 31), n * 20);
            let is_near = |place: Vec2| (place.x - at.x).abs() <= reach && (place.y - at.y).abs() <= reach;
            let mut found: Vec<u16> = crowd.near(at, reach).filter(|member| is_near(member.place)).map(|member| member.player).collect();
            found.sort_unstable();
            let wanted: Vec<u16> = fighters.iter().filter(|fighter| is_near(fighter.place())).map(|fighter| fighter.player).collect();
            assert_eq!(found, wanted, "{reach} around {at:?}");
        }
    }
}
