//! What a bot notices: opponents, pickups, shots, the zone.

use tickwire_protocol::Snapshot;

use super::{ease, nav};
use crate::fighter_of;
use crate::geometry::Vec2;
use crate::map::{Map, UNIT};
use crate::movement::FIGHTER_RADIUS;
use crate::projectile::{SHOT_RADIUS, SHOT_SPEED};
use crate::tables::{Fighter, Pickup, PickupKind, Shot, Zone};

/// How far a bot looks for opponents.
const SIGHT: i32 = 900 * UNIT;
/// It does not wait until the zone is nearer than this.
const ZONE_MARGIN: i32 = 300 * UNIT;
/// Shots nearer than this are dodged.
const DODGE_DISTANCE: i32 = 380 * UNIT;

/// Somebody a bot may fight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opponent {
    pub(super) player: u16,
    pub(super) place: Vec2,
    /// How easy the bot goes on them.
    pub(super) ease: i32,
}

/// The opponents around a bot.
pub(super) struct Around {
    pub(super) nearest: Option<Opponent>,
    /// The nearest in sight.
    pub(super) target: Option<Opponent>,
}

/// Looks for opponents that can be harmed. Whom a bot goes easy on counts as farther away than they
/// are; a contender goes easy on nobody.
pub(super) fn look_around(map: Map, view: &Snapshot, own: &Fighter, is_contender: bool) -> Around {
    let others = view.rows::<Fighter>().map(|(_, other)| other);
    let harmed = others.filter(|other| other.player != own.player && !other.is_protected(view.tick));
    let mut opponents: Vec<(i64, Opponent)> = harmed
        .map(|other| {
            let (place, ease) = (other.place(), if is_contender { 0 } else { ease::on(view, &other) });
            let stretch = i64::from(ease::WHOLE + ease);
            (place.minus(own.place()).length_squared_wide() * stretch * stretch, Opponent { player: other.player, place, ease })
        })
        .collect();
    opponents.sort_unstable_by_key(|(distance, opponent)| (*distance, opponent.player));
    let sight = i64::from(SIGHT) * i64::from(ease::WHOLE);
    let mut near = opponents.iter().take_while(|(distance, _)| *distance < sight * sight);
    let target = near.find(|(_, opponent)| nav::sees(map, own.place(), opponent.place));
    Around { nearest: opponents.first().map(|(_, opponent)| *opponent), target: target.map(|(_, opponent)| *opponent) }
}

/// The map: only the large one has a zone.
pub(super) fn map_of(view: &Snapshot) -> Map {
    if view.rows::<Zone>().next().is_some() { Map::ROYALE } else { Map::ARENA }
}

/// Where to run when the zone is about to pass, or has passed.
pub(super) fn refuge(view: &Snapshot, own: &Fighter) -> Option<Vec2> {
    let (_, zone) = view.rows::<Zone>().next()?;
    let middle = Vec2::new(zone.x, zone.y);
    (own.place().minus(middle).length() > zone.radius - ZONE_MARGIN).then_some(middle)
}

/// The fighter of `player`, if it can be harmed.
pub(super) fn vulnerable(view: &Snapshot, player: u16) -> Option<Fighter> {
    fighter_of(view, player).filter(|fighter| !fighter.is_protected(view.tick))
}

pub(super) fn nearest_pickup(view: &Snapshot, own: &Fighter, kind: PickupKind) -> Option<(Vec2, i32)> {
    let offered = view.rows::<Pickup>().filter(|(_, pickup)| pickup.kind == kind);
    let places = offered.map(|(_, pickup)| Vec2::new(pickup.x, pickup.y));
    places.map(|place| (place, place.minus(own.place()).length())).min_by_key(|(_, distance)| *distance)
}

/// Whether `shot` passes through `own` soon, if nobody moves.
pub(super) fn threatens(shot: &Shot, own: &Fighter) -> bool {
    let way = own.place().minus(shot.place());
    if way.x.abs() > DODGE_DISTANCE || way.y.abs() > DODGE_DISTANCE {
        return false;
    }
    let velocity = Vec2::new(shot.vx, shot.vy);
    let reach = i64::from(FIGHTER_RADIUS + 2 * SHOT_RADIUS) * i64::from(SHOT_SPEED);
    velocity.dot(way) > 0 && velocity.cross(way).abs() < reach
}
