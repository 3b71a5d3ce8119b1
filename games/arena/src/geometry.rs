//! Plane geometry in integers: vectors, rectangles, and segments against both.
//!
//! Units are 1/16 of a game unit. Coordinates stay below 2^18, so squares of distances fit `i32`
//! only for short vectors: whatever may be long is `i64`.

use tickwire_game::Stored;

/// A place or a displacement.
#[derive(Stored, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vec2 {
    /// Rightwards.
    pub x: i32,
    /// Downwards.
    pub y: i32,
}

impl Vec2 {
    /// From its components.
    pub const fn new(x: i32, y: i32) -> Self {
        Self { x, y }
    }

    /// Componentwise sum.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y)
    }

    /// Componentwise difference.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }

    /// `self * numerator / denominator`, towards zero, so never longer than it should be.
    #[must_use]
    pub const fn scaled(self, numerator: i32, denominator: i32) -> Self {
        Self::new(
            (self.x as i64 * numerator as i64 / denominator as i64) as i32,
            (self.y as i64 * numerator as i64 / denominator as i64) as i32,
        )
    }

    /// Turned a quarter clockwise.
    #[must_use]
    pub const fn quarter_turned(self) -> Self {
        Self::new(-self.y, self.x)
    }

    /// Square of the length of a short vector (components below 2^15).
    pub const fn length_squared(self) -> i32 {
        self.x * self.x + self.y * self.y
    }

    /// Square of the length of any vector.
    pub const fn length_squared_wide(self) -> i64 {
        self.dot(self)
    }

    /// Scalar product.
    pub const fn dot(self, other: Self) -> i64 {
        self.x as i64 * other.x as i64 + self.y as i64 * other.y as i64
    }

    /// The part of the vector product that is left in the plane: positive when `other` is clockwise
    /// of `self`.
    pub const fn cross(self, other: Self) -> i64 {
        self.x as i64 * other.y as i64 - self.y as i64 * other.x as i64
    }

    /// Length, rounded down.
    pub const fn length(self) -> i32 {
        root(self.length_squared_wide()) as i32
    }

    /// Length, rounded up.
    pub const fn length_rounded_up(self) -> i32 {
        let squared = self.length_squared_wide();
        let root = root(squared);
        (if root * root == squared { root } else { root + 1 }) as i32
    }

    /// Shortened to `max` if longer; never longer than `max` afterwards.
    #[must_use]
    pub const fn clamped(self, max: i32) -> Self {
        if self.length_squared_wide() <= max as i64 * max as i64 { self } else { self.scaled(max, self.length_rounded_up()) }
    }
}

/// An axis-aligned rectangle, its edges included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    /// Top left corner.
    pub min: Vec2,
    /// Bottom right corner.
    pub max: Vec2,
}

/// Times along a segment are in parts of this.
pub const WHOLE: i64 = 1 << 16;

impl Rect {
    /// The point of the rectangle nearest to `point`.
    pub const fn nearest(&self, point: Vec2) -> Vec2 {
        Vec2::new(clamp(point.x, self.min.x, self.max.x), clamp(point.y, self.min.y, self.max.y))
    }

    /// As far away as `way`.
    #[must_use]
    pub const fn moved(&self, way: Vec2) -> Self {
        Self { min: self.min.plus(way), max: self.max.plus(way) }
    }

    /// Grown by `margin` on every side.
    #[must_use]
    pub const fn grown(&self, margin: i32) -> Self {
        Self { min: Vec2::new(self.min.x - margin, self.min.y - margin), max: Vec2::new(self.max.x + margin, self.max.y + margin) }
    }

    /// Whether the two share a point.
    pub const fn touches(&self, other: &Self) -> bool {
        self.min.x <= other.max.x && other.min.x <= self.max.x && self.min.y <= other.max.y && other.min.y <= self.max.y
    }

    /// Whether a circle of `radius` around `center` overlaps the rectangle; touching is not
    /// overlapping.
    pub const fn overlaps_circle(&self, center: Vec2, radius: i32) -> bool {
        center.minus(self.nearest(center)).length_squared_wide() < radius as i64 * radius as i64
    }

    /// When the way from `from` to `to` first touches the rectangle, in parts of [`WHOLE`], rounded
    /// down; `None` if it does not.
    pub fn entry(&self, from: Vec2, to: Vec2) -> Option<i64> {
        let (mut enters, mut leaves) = (0, WHOLE);
        for (start, end, low, high) in [(from.x, to.x, self.min.x, self.max.x), (from.y, to.y, self.min.y, self.max.y)] {
            if start.max(end) < low || start.min(end) > high {
                return None;
            }
            let way = i64::from(end) - i64::from(start);
            if way != 0 {
                let (near, far) = if way > 0 { (low, high) } else { (high, low) };
                let at = |edge: i32| (i64::from(edge) - i64::from(start)) * WHOLE;
                enters = enters.max(at(near).div_euclid(way));
                // Rounded up, so that rounding never loses a touch.
                leaves = leaves.min(-(-at(far)).div_euclid(way));
            }
        }
        (enters <= leaves).then_some(enters)
    }
}

/// Where the way from `from` to `to` comes nearest to `point`: when, in parts of [`WHOLE`], and the
/// square of how near.
pub fn nearest_approach(from: Vec2, to: Vec2, point: Vec2) -> (i64, i64) {
    let way = to.minus(from);
    let length_squared = way.length_squared_wide();
    let along = point.minus(from).dot(way);
    let when = if length_squared == 0 { 0 } else { (along.clamp(0, length_squared) * WHOLE) / length_squared };
    let place = Vec2::new(from.x + (i64::from(way.x) * when / WHOLE) as i32, from.y + (i64::from(way.y) * when / WHOLE) as i32);
    (when, point.minus(place).length_squared_wide())
}

/// The square root, rounded down. Most lengths are short, and of short numbers a root is quicker to
/// find.
const fn root(squared: i64) -> i64 {
    if squared <= u32::MAX as i64 { (squared as u32).isqrt() as i64 } else { squared.isqrt() }
}

const fn clamp(value: i32, low: i32, high: i32) -> i32 {
    if value < low {
        low
    } else if value > high {
        high
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOX: Rect = Rect { min: Vec2::new(100, 100), max: Vec2::new(200, 150) };

    #[test]
    fn a_segment_enters_where_it_first_touches() {
        assert_eq!(BOX.entry(Vec2::new(0, 120), Vec2::new(200, 120)), Some(WHOLE / 2));
        assert_eq!(BOX.entry(Vec2::new(300, 120), Vec2::new(100, 120)), Some(WHOLE / 2));
        assert_eq!(BOX.entry(Vec2::new(120, 120), Vec2::new(500, 120)), Some(0), "it starts inside");
        assert_eq!(BOX.entry(Vec2::new(0, 0), Vec2::new(100, 100)), Some(WHOLE), "it ends on the corner");
    }

    #[test]
    fn a_segment_that_passes_by_does_not_enter() {
        assert_eq!(BOX.entry(Vec2::new(0, 99), Vec2::new(300, 99)), None);
        assert_eq!(BOX.entry(Vec2::new(0, 120), Vec2::new(99, 120)), None, "it ends before");
        assert_eq!(BOX.entry(Vec2::new(40, 100), Vec2::new(100, 40)), None, "it passes the corner");
        assert_eq!(BOX.entry(Vec2::new(50, 50), Vec2::new(50, 50)), None, "it does not move");
    }

    #[test]
    fn clamping_never_leaves_more_than_the_limit() {
        for (x, y) in [(3, 4), (113, 113), (480, 1), (-480, 479), (30_000, -30_000)] {
            let clamped = Vec2::new(x, y).clamped(160);
            assert!(clamped.length_squared() <= 160 * 160, "{x},{y} became {clamped:?}");
        }
        assert_eq!(Vec2::new(96, 128).clamped(160), Vec2::new(96, 128), "exactly at the limit stays");
    }

    #[test]
    fn the_nearest_approach_is_found_inside_and_at_the_ends() {
        let (from, to) = (Vec2::new(0, 0), Vec2::new(100, 0));
        assert_eq!(nearest_approach(from, to, Vec2::new(50, 30)), (WHOLE / 2, 900));
        assert_eq!(nearest_approach(from, to, Vec2::new(-3, 4)), (0, 25));
        assert_eq!(nearest_approach(from, to, Vec2::new(103, 4)), (WHOLE, 25));
        assert_eq!(nearest_approach(from, from, Vec2::new(3, 4)), (0, 25));
    }
}
