//! A rectangle of the map, its lower edges included.

/// What was in an area counts as being there until it is this part of its size outside.
const MARGIN: i32 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) min: [i32; 2],
    pub(super) size: [i32; 2],
}

impl Area {
    /// Whether `at` is in it, or so near that what was in it counts as still being there.
    pub(super) fn almost_contains(&self, at: [i32; 2]) -> bool {
        let contains = |low: i32, size: i32, at: i32| (low - size / MARGIN..low + size + size / MARGIN).contains(&at);
        contains(self.min[0], self.size[0], at[0]) && contains(self.min[1], self.size[1], at[1])
    }

    /// Which quarter `at` is in: 0 and 1 above, 2 and 3 below.
    pub(super) fn quarter_of(&self, at: [i32; 2]) -> usize {
        let [right, below] = [0, 1].map(|axis| usize::from(at[axis] >= self.min[axis] + self.size[axis] / 2));
        right + 2 * below
    }

    /// The quarter of this number.
    pub(super) fn quarter(&self, number: usize) -> Self {
        let is_upper = [number % 2 == 1, number / 2 == 1];
        let half = self.size.map(|size| size / 2);
        let rest = [0, 1].map(|axis| self.size[axis] - half[axis]);
        Self {
            min: [0, 1].map(|axis| self.min[axis] + if is_upper[axis] { half[axis] } else { 0 }),
            size: [0, 1].map(|axis| if is_upper[axis] { rest[axis] } else { half[axis] }),
        }
    }

    /// How far `at` is outside of it, along the axis where that is most; 0 inside.
    pub(super) fn distance(&self, at: [i32; 2]) -> i32 {
        let outside = |low: i32, size: i32, at: i32| (low - at).max(at - (low + size - 1));
        outside(self.min[0], self.size[0], at[0]).max(outside(self.min[1], self.size[1], at[1])).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_cover_an_area_once() {
        let area = Area { min: [10, -5], size: [7, 4] };
        for x in 10..17 {
            for y in -5..-1 {
                let holding: Vec<usize> = (0..4).filter(|number| area.quarter(*number).distance([x, y]) == 0).collect();
                assert_eq!(holding, [area.quarter_of([x, y])], "{x} {y}");
            }
        }
    }

    #[test]
    fn distance_is_that_to_the_nearest_place_inside() {
        let area = Area { min: [0, 0], size: [16, 16] };
        assert_eq!([[3, 3], [-2, 5], [18, 5], [30, -4]].map(|at| area.distance(at)), [0, 2, 3, 15]);
        assert!(area.almost_contains([16, -1]) && !area.almost_contains([17, 0]));
    }
}
