//! Conditions as text: what is printed can be read back.

use std::fmt::{self, Display};
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use super::conditions::{Conditions, Loss, PRESETS, Stall};

/// Why a text describes no conditions, or no mix of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionsError {
    /// Neither a preset nor `key=value`.
    #[error("no network is called `{0}`: give ideal, wifi, 4g, transatlantic or train, or settings such as delay=40ms,down=2Mbit,loss=1%")]
    UnknownName(String),
    /// A key that is none.
    #[error("a network has no `{0}`: there are delay, jitter, down, up, loss, burst and stall")]
    UnknownKey(String),
    /// A key given more than once.
    #[error("`{0}` is given twice")]
    GivenTwice(&'static str),
    /// A value that its key does not take.
    #[error("`{key}={value}`: {expected}")]
    BadValue {
        /// The key.
        key: &'static str,
        /// What was given.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// A burst length without losses.
    #[error("`burst` needs a `loss`")]
    BurstWithoutLoss,
    /// An entry of a mix without a weight, or with one that is no number above 0.
    #[error("`{0}` needs a weight above 0, such as wifi:60")]
    BadWeight(String),
}

impl FromStr for Conditions {
    type Err = ConditionsError;

    fn from_str(text: &str) -> Result<Self, ConditionsError> {
        let text = text.trim();
        if let Some((_, preset)) = PRESETS.iter().find(|(name, _)| *name == text) {
            return Ok(*preset);
        }
        let mut given = Given::default();
        for setting in text.split(',') {
            let (key, value) = setting.split_once('=').ok_or_else(|| ConditionsError::UnknownName(setting.trim().to_string()))?;
            given.take(key.trim(), value.trim())?;
        }
        given.into_conditions()
    }
}

impl TryFrom<String> for Conditions {
    type Error = ConditionsError;

    fn try_from(text: String) -> Result<Self, ConditionsError> {
        text.parse()
    }
}

#[derive(Default)]
struct Given {
    delay: Option<Duration>,
    jitter: Option<Duration>,
    down: Option<NonZeroU64>,
    up: Option<NonZeroU64>,
    loss: Option<u32>,
    burst: Option<u32>,
    stall: Option<Stall>,
}

impl Given {
    fn take(&mut self, key: &str, value: &str) -> Result<(), ConditionsError> {
        match key {
            "delay" => set(&mut self.delay, "delay", value, time, TIME),
            "jitter" => set(&mut self.jitter, "jitter", value, time, TIME),
            "down" => set(&mut self.down, "down", value, rate, RATE),
            "up" => set(&mut self.up, "up", value, rate, RATE),
            "loss" => set(&mut self.loss, "loss", value, percent, "give percents from 0.0001% to 50%, such as 1%"),
            "burst" => set(&mut self.burst, "burst", value, burst, "give the mean number of segments lost in a row, 1 to 1000"),
            "stall" => set(&mut self.stall, "stall", value, stall, "give a length and how often, each 1ms to 3600s, such as 2s/30s"),
            _ => Err(ConditionsError::UnknownKey(key.to_string())),
        }
    }

    fn into_conditions(self) -> Result<Conditions, ConditionsError> {
        if self.burst.is_some() && self.loss.is_none() {
            return Err(ConditionsError::BurstWithoutLoss);
        }
        Ok(Conditions {
            delay: self.delay.unwrap_or_default(),
            jitter: self.jitter.unwrap_or_default(),
            down: self.down,
            up: self.up,
            loss: self.loss.map(|per_million| Loss { per_million, burst: self.burst.unwrap_or(1) }),
            stall: self.stall,
        })
    }
}

fn set<T>(
    slot: &mut Option<T>,
    key: &'static str,
    value: &str,
    parse: fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<(), ConditionsError> {
    if slot.is_some() {
        return Err(ConditionsError::GivenTwice(key));
    }
    *slot = Some(parse(value).ok_or_else(|| ConditionsError::BadValue { key, value: value.to_string(), expected })?);
    Ok(())
}

const TIME: &str = "give a whole number of us, ms or s, at most 60s, such as 40ms";
const RATE: &str = "give a whole number of bit, kbit, Mbit or Gbit a second, at least 8bit, such as 2Mbit";

fn time(text: &str) -> Option<Duration> {
    duration(text).filter(|time| *time <= Duration::from_mins(1))
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let micros: u64 = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        _ => return None,
    };
    Some(Duration::from_micros(number.checked_mul(micros)?))
}

fn rate(text: &str) -> Option<NonZeroU64> {
    let (number, unit) = number_and_unit(text)?;
    let bits: u64 = match unit {
        "bit" => 1,
        "kbit" => 1_000,
        "Mbit" => 1_000_000,
        "Gbit" => 1_000_000_000,
        _ => return None,
    };
    NonZeroU64::new(number.checked_mul(bits)? / 8)
}

fn percent(text: &str) -> Option<u32> {
    let percents: f64 = text.strip_suffix('%')?.parse().ok()?;
    let per_million = (percents * 10_000.0).round();
    (1.0..=f64::from(Loss::PER_MILLION_MAX)).contains(&per_million).then_some(per_million as u32)
}

fn burst(text: &str) -> Option<u32> {
    text.parse().ok().filter(|burst| (1..=Loss::BURST_MAX).contains(burst))
}

fn stall(text: &str) -> Option<Stall> {
    let (length, every) = text.split_once('/')?;
    let stall = Stall { length: duration(length)?, every: duration(every)? };
    let may_be = Duration::from_millis(1)..=Duration::from_hours(1);
    (may_be.contains(&stall.length) && may_be.contains(&stall.every)).then_some(stall)
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    Some((number.parse().ok()?, unit))
}

impl Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = PRESETS.iter().find(|(_, preset)| preset == self) {
            return f.write_str(name);
        }
        let mut settings = Vec::new();
        let times = [("delay", self.delay), ("jitter", self.jitter)];
        settings.extend(times.iter().filter(|(_, time)| !time.is_zero()).map(|(key, time)| format!("{key}={}", shown_time(*time))));
        let rates = [("down", self.down), ("up", self.up)];
        settings.extend(rates.iter().filter_map(|(key, rate)| Some(format!("{key}={}", shown_rate((*rate)?)))));
        if let Some(loss) = self.loss {
            settings.push(format!("loss={}%", f64::from(loss.per_million) / 10_000.0));
            if loss.burst > 1 {
                settings.push(format!("burst={}", loss.burst));
            }
        }
        if let Some(stall) = self.stall {
            settings.push(format!("stall={}/{}", shown_time(stall.length), shown_time(stall.every)));
        }
        f.write_str(&settings.join(","))
    }
}

fn shown_time(time: Duration) -> String {
    shown(time.as_micros(), &[(1_000_000, "s"), (1_000, "ms"), (1, "us")])
}

fn shown_rate(bytes: NonZeroU64) -> String {
    shown(u128::from(bytes.get()) * 8, &[(1_000_000_000, "Gbit"), (1_000_000, "Mbit"), (1_000, "kbit"), (1, "bit")])
}

/// In the largest unit that leaves nothing over.
fn shown(count: u128, units: &[(u128, &str)]) -> String {
    let fitting = units.iter().find(|(size, _)| count.is_multiple_of(*size));
    fitting.map_or_else(|| count.to_string(), |(size, unit)| format!("{}{unit}", count / size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(text: &str) -> String {
        text.parse::<Conditions>().expect_err("these are no conditions").to_string()
    }

    #[test]
    fn settings_are_read() {
        let read: Conditions = "delay=40ms, jitter=10ms,down=2Mbit,up=500kbit,loss=1%,burst=3,stall=2s/30s".parse().unwrap();
        let expected = Conditions {
            delay: Duration::from_millis(40),
            jitter: Duration::from_millis(10),
            down: NonZeroU64::new(250_000),
            up: NonZeroU64::new(62_500),
            loss: Some(Loss { per_million: 10_000, burst: 3 }),
            stall: Some(Stall { length: Duration::from_secs(2), every: Duration::from_secs(30) }),
        };
        assert_eq!(read, expected);
        assert_eq!(read.to_string(), "delay=40ms,jitter=10ms,down=2Mbit,up=500kbit,loss=1%,burst=3,stall=2s/30s");
    }

    #[test]
    fn presets_go_by_their_names() {
        for (name, preset) in PRESETS {
            assert_eq!(name.parse(), Ok(preset));
            assert_eq!(preset.to_string(), name);
        }
        assert!(Conditions::default().is_ideal());
    }

    #[test]
    fn a_file_gives_them_as_text() {
        let read: Vec<Conditions> = serde_json::from_str(r#"["4g", "delay=5ms"]"#).unwrap();
        assert_eq!(read, [Conditions::lte(), "delay=5ms".parse().unwrap()]);
        let refused = serde_json::from_str::<Conditions>(r#""5g""#).expect_err("there is no such preset");
        assert!(refused.to_string().starts_with("no network is called `5g`"), "{refused}");
    }

    #[test]
    fn errors_say_what_to_write_instead() {
        assert!(error("wfi").starts_with("no network is called `wfi`: give ideal, wifi"));
        assert!(error("").starts_with("no network is called ``"));
        assert!(error("wifi,delay=1ms").starts_with("no network is called `wifi`"), "a preset stands alone");
        assert_eq!(error("lag=3ms"), "a network has no `lag`: there are delay, jitter, down, up, loss, burst and stall");
        assert_eq!(error("delay=1ms,delay=2ms"), "`delay` is given twice");
        assert_eq!(error("delay=40"), format!("`delay=40`: {TIME}"));
        assert_eq!(error("delay=61s"), format!("`delay=61s`: {TIME}"));
        assert_eq!(error("down=0bit"), format!("`down=0bit`: {RATE}"));
        assert_eq!(error("up=99999999999999999Gbit"), format!("`up=99999999999999999Gbit`: {RATE}"));
        for bad in
            ["loss=1", "loss=51%", "loss=0%", "loss=NaN%", "burst=0", "burst=x", "stall=2s", "stall=0s/1s", "stall=1s/0s", "jitter=-1ms"]
        {
            assert!(error(bad).starts_with(&format!("`{bad}`: give ")), "{bad}: {}", error(bad));
        }
        assert_eq!(error("burst=3"), "`burst` needs a `loss`");
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(
            delay in 0u64..60_000_000, jitter in 0u64..60_000_000, down in 0u64..1 << 40, up in 0u64..1 << 40,
            loss in prop::option::of((1..=Loss::PER_MILLION_MAX, 1..=Loss::BURST_MAX)),
            stall in prop::option::of((1_000u64..3_600_000_000, 1_000u64..3_600_000_000)),
        ) {
            let conditions = Conditions {
                delay: Duration::from_micros(delay),
                jitter: Duration::from_micros(jitter),
                down: NonZeroU64::new(down),
                up: NonZeroU64::new(up),
                loss: loss.map(|(per_million, burst)| Loss { per_million, burst }),
                stall: stall.map(|(length, every)| Stall { length: Duration::from_micros(length), every: Duration::from_micros(every) }),
            };
            prop_assert_eq!(conditions.to_string().parse(), Ok(conditions));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a-z0-9=,:%/ .]{0,40}") {
            let _ = text.parse::<Conditions>();
        }
    }
}
