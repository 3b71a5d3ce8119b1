//! Late or lost: a pong says of all inputs sent before its ping, and after the one before, whether any came too late.
//!
//! Invariant: an input is called lost only if the server says that every input of its window came in time.

use std::collections::VecDeque;

/// A window is judged once so many later ones have begun: by then the snapshots that show its inputs have come.
const PATIENCE: u32 = 2;

/// The windows between pings that are still open to judgement.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    /// The windows not judged yet; the last is the one that inputs go into now.
    open: VecDeque<Window>,
    first: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Window {
    missed: u32,
    /// Whether all inputs came in time; `None` until a pong says so.
    in_time: Option<bool>,
}

/// Missed inputs that have been judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// The server says some came too late.
    pub(super) late: u32,
    /// The server says all that came were in time.
    pub(super) lost: u32,
    /// The server has not said.
    pub(super) unclear: u32,
}

impl Default for Windows {
    fn default() -> Self {
        Self { open: VecDeque::from([Window::default()]), first: 0 }
    }
}

impl Windows {
    /// The number of the window that inputs sent now belong to.
    pub(super) fn current(&self) -> u32 {
        self.first + self.open.len() as u32 - 1
    }

    /// A ping was sent: the next window begins.
    pub(super) fn pinged(&mut self) {
        self.open.push_back(Window::default());
    }

    /// The answer to the ping that ended window `window`. `margin` is the least time an input came before its tick; negative: late.
    pub(super) fn ponged(&mut self, window: u32, margin: Option<i16>) {
        let in_time = margin.is_none_or(|margin| margin >= 0);
        let upto = (window.wrapping_sub(self.first) as usize).saturating_add(1).min(self.open.len());
        // A pong that was skipped leaves its window to the next one's.
        for open in self.open.iter_mut().take(upto).filter(|open| open.in_time.is_none()) {
            open.in_time = Some(in_time);
        }
    }

    /// An input of `window` was not applied.
    pub(super) fn missed(&mut self, window: u32) {
        let index = window.saturating_sub(self.first) as usize;
        if let Some(open) = self.open.get_mut(index) {
            open.missed += 1;
        }
    }

    /// Judges the windows that are old enough, or `all`.
    pub(super) fn judge(&mut self, all: bool) -> Judged {
        let mut judged = Judged::default();
        let keep = if all { 1 } else { PATIENCE as usize + 1 };
        while self.open.len() > keep
            && let Some(window) = self.open.pop_front()
        {
            self.first += 1;
            match window.in_time {
                Some(true) => judged.lost += window.missed,
                Some(false) => judged.late += window.missed,
                None => judged.unclear += window.missed,
            }
        }
        judged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_input_is_lost_when_all_came_in_time_and_late_when_not() {
        let mut windows = Windows::default();
        let first = windows.current();
        windows.pinged();
        let second = windows.current();
        windows.pinged();
        windows.ponged(first, Some(3));
        windows.ponged(second, Some(-1));
        windows.missed(first);
        windows.missed(second);
        assert_eq!(windows.judge(false), Judged::default(), "a snapshot under way may still tell");
        windows.pinged();
        windows.pinged();
        assert_eq!(windows.judge(false), Judged { late: 1, lost: 1, unclear: 0 });
    }

    #[test]
    fn a_skipped_pong_leaves_its_window_to_the_next() {
        let mut windows = Windows::default();
        windows.missed(0);
        windows.pinged();
        windows.pinged();
        windows.ponged(1, Some(-5));
        assert_eq!(windows.judge(true), Judged { late: 1, lost: 0, unclear: 0 });
    }

    #[test]
    fn without_a_pong_nothing_is_known() {
        let mut windows = Windows::default();
        windows.missed(0);
        windows.pinged();
        assert_eq!(windows.judge(true), Judged { late: 0, lost: 0, unclear: 1 });
    }
}
