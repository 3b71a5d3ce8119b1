//! Moments kept in fields: the low 31 bits of a tick, so that a running countdown changes no field.
//!
//! A moment means something only while it is at most its timer's length ahead; anything else, the
//! initial 0 included, has passed. So nothing has to be reset when a timer runs out.
//!
//! ```
//! use tickwire_game::{Tick, timers};
//!
//! const RELOAD_TICKS: i32 = 30;
//!
//! let fired = Tick(1000);
//! let ready_at = timers::after(fired, RELOAD_TICKS);
//! assert_eq!(timers::left(ready_at, fired.plus(10), RELOAD_TICKS), 20);
//! assert_eq!(timers::left(ready_at, fired.plus(31), RELOAD_TICKS), 0);
//! ```

use tickwire_protocol::Tick;

use crate::tick_field;

/// The field for the moment `count` ticks after `tick`.
pub const fn after(tick: Tick, count: i32) -> u32 {
    tick_field(tick.plus(count as u32))
}

/// Ticks from `tick` until `moment`, whose timer is `length` ticks long; 0 when it has passed.
pub const fn left(moment: u32, tick: Tick, length: i32) -> i32 {
    let distance = (moment.wrapping_sub(tick.0) << 1) as i32 >> 1;
    if distance > 0 && distance <= length { distance } else { 0 }
}

/// Ticks since `moment`, whose timer is `length` ticks long; `None` while it has not passed.
pub const fn since(moment: u32, tick: Tick, length: i32) -> Option<i32> {
    let distance = (tick.0.wrapping_sub(moment) & 0x7fff_ffff) as i32;
    if left(moment, tick, length) > 0 { None } else { Some(distance) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_runs_out_and_stays_out() {
        let start = Tick(100);
        let moment = after(start, 10);
        assert_eq!([0, 1, 9, 10, 11].map(|passed| left(moment, start.plus(passed), 10)), [10, 9, 1, 0, 0]);
        assert_eq!(left(0, start, 10), 0, "the initial 0 has passed");
    }

    #[test]
    fn what_has_passed_says_how_long_ago() {
        for start in [Tick(100), Tick(0x7fff_fffa), Tick(u32::MAX - 5)] {
            let moment = after(start, 10);
            let ages = [0, 9, 10, 11, 1_000].map(|passed| since(moment, start.plus(passed), 10));
            assert_eq!(ages, [None, None, Some(0), Some(1), Some(990)]);
        }
    }

    #[test]
    fn timers_run_across_both_wraps() {
        for start in [Tick(0x7fff_fffa), Tick(u32::MAX - 5)] {
            let moment = after(start, 10);
            assert_eq!([0, 5, 6, 9, 10].map(|passed| left(moment, start.plus(passed), 10)), [10, 5, 4, 1, 0]);
        }
    }
}
