//! What the page needs of the arena: the predicted fighter's row, the map, and where a shot gets to.

use arena::angle::Angle;
use arena::geometry::{Rect, Vec2};
use arena::map::Map;
use arena::movement::FIGHTER_RADIUS;
use arena::tables::{Fighter, Shot};
use arena::{Arena, Input};
use tickwire_game::Mode;
use tickwire_protocol::Tick;

use crate::client::WebGame;
use crate::json::Json;

impl WebGame for Arena {
    fn map_json(mode: &Mode, json: &mut Json<'_>) {
        let map = Map::of(mode);
        let walls: Vec<Rect> = map.walls().collect();
        json.object(|json| {
            json.key("width").number(map.side());
            json.key("height").number(map.side());
            json.key("walls").list(&walls, |json, wall| {
                json.object(|json| {
                    json.key("x").number(wall.min.x);
                    json.key("y").number(wall.min.y);
                    json.key("w").number(wall.max.x - wall.min.x);
                    json.key("h").number(wall.max.y - wall.min.y);
                });
            });
        });
    }
}

/// An input from the page's numbers; what is out of range becomes the nearest there is.
pub fn input(move_x: i32, move_y: i32, aim: i32, buttons: i32) -> Input {
    let push = |value: i32| value.clamp(-Input::PUSH_MAX, Input::PUSH_MAX) as i8;
    Input { move_x: push(move_x), move_y: push(move_y), aim: aim as u16, buttons: buttons as u8 }
}

/// Where a shot fired from `x`, `y` in direction `aim` (1/1024 turn) is at the end of the tick `age` ticks after the one
/// it was fired in, and whether it flies on: walls count, fighters do not. It is the flight the server computes, so the
/// page can show the own shots at once.
pub fn shot_flight(mode: &Mode, x: i32, y: i32, aim: i32, age: i32) -> [i32; 3] {
    let map = Map::of(mode);
    let inside = FIGHTER_RADIUS..=map.side() - FIGHTER_RADIUS;
    let start = Vec2::new(x.clamp(*inside.start(), *inside.end()), y.clamp(*inside.start(), *inside.end()));
    let mut shot = Shot::fired_by(&Fighter::new(0, start, Angle::new(aim)), Tick(0));
    let mut goes_on = true;
    let mut tick = Tick(0);
    while goes_on && tick.0 <= age.max(0) as u32 {
        goes_on = shot.step(map, tick).goes_on;
        tick = tick.next();
    }
    [shot.x, shot.y, i32::from(goes_on)]
}
