//! The checker: whether a history of kills is one in which nothing was lost. It knows the history
//! alone, and that of a run in which nothing was killed proves nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::history::{Event, View, What};

/// Sentences of a kind that are kept; more are counted.
const KEPT_MAX: usize = 20;

/// Microseconds: so long after a kill there may still come what was sent before it.
pub(crate) const AFTERMATH: u64 = 100_000;

/// Kills that a bot may not have said anything about yet.
const RECENT: usize = 16;

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Findings {
    /// Kills that the history tells of.
    pub(crate) kills: Vec<KillFound>,
    /// Bots that ever had a seat.
    pub(crate) bots: usize,
    /// Matches that bots had seats in.
    pub(crate) matches: usize,
    /// Of these, matches that none of their bots could come back to.
    pub(crate) matches_lost: usize,
    /// Times that a tick which a bot had seen was gone or another one.
    pub(crate) ticks_lost: usize,
    /// Views that differed: from the server's, or at one tick from another bot's.
    pub(crate) divergences: usize,
    /// Times that a bot came back to another match or seat, or not at all.
    pub(crate) seats_lost: usize,
    /// Times that a bot which had seen a tick came back to an earlier one, as it may after some faults.
    pub(crate) rollbacks: usize,
    /// The most ticks of these.
    pub(crate) rollback_ticks: u32,
    /// Views of ticks that two servers played, as they may while one is cut off.
    pub(crate) forks: usize,
    /// Ticks of a match that more than one view is known of.
    pub(crate) ticks_compared: usize,
    /// Microseconds from a kill to each bot's return.
    #[serde(skip)]
    pub(crate) returns: Vec<u64>,
    /// Microseconds that nothing came over each connection that a kill did not break.
    #[serde(skip)]
    pub(crate) waits: Vec<u64>,
    /// What is wrong, in sentences, the first of each kind.
    pub(crate) wrong: Vec<String>,
}

/// One kill.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct KillFound {
    /// Microseconds since the run began.
    pub(crate) at: u64,
    /// Bots that had a connection.
    pub(crate) seated: usize,
    /// Of these, bots whose connection held: snapshots came over it long enough after the kill.
    pub(crate) held: usize,
    /// Of these, bots whose connection broke.
    pub(crate) lost: usize,
    /// Of these, bots that came back.
    pub(crate) returned: usize,
    /// Whether another process was started for the one that was killed, or it goes on itself.
    pub(crate) replaced: bool,
    /// Microseconds to each return.
    #[serde(skip)]
    pub(crate) times: Vec<u64>,
    /// Microseconds that nothing came, of those whose connection held, as far as that is known.
    #[serde(skip)]
    pub(crate) waits: Vec<u64>,
    /// Of those that had a connection, the bots of which no more is known yet.
    #[serde(skip)]
    unknown: BTreeSet<u32>,
}

impl Findings {
    /// Whether nothing is wrong.
    pub(crate) fn are_clean(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// Reads a whole history.
pub(crate) fn check(events: &[Event]) -> Findings {
    let mut checker = Checker::default();
    for event in events {
        checker.read(event);
    }
    checker.finish()
}

/// Where a bot is.
#[derive(Clone, Debug)]
enum Bot {
    Seated(View),
    /// Without a connection since this kill, if there was one.
    Away(View, Option<usize>),
    Outside,
}

/// See [`What::Rules`].
#[derive(Clone, Copy, Debug)]
struct Rules {
    nodes: u32,
    rollback_max: Option<u32>,
    breaks: bool,
}

#[derive(Default)]
struct Checker {
    bots: BTreeMap<u32, Bot>,
    kills: Vec<KillFound>,
    /// The process that was killed last.
    killed: Option<u32>,
    /// Matches, with the bots that have or had a seat there and have not lost it.
    matches: BTreeMap<String, BTreeSet<u32>>,
    lost_matches: BTreeSet<String>,
    /// What a match was seen to be at a tick, by whom, and after how many faults.
    seen: BTreeMap<(String, u32), (u64, u32, usize)>,
    /// What is to be expected.
    rules: Option<Rules>,
    compared: BTreeSet<(String, u32)>,
    findings: Findings,
    told: BTreeMap<&'static str, usize>,
}

impl Checker {
    fn read(&mut self, event: &Event) {
        match &event.what {
            What::Seated { bot, view } => {
                self.matches.entry(view.match_id.clone()).or_default().insert(*bot);
                self.look(*bot, view, self.kills.len());
                self.bots.insert(*bot, Bot::Seated(view.clone()));
            }
            What::Saw { bot, view, heard } => {
                self.heard(*bot, *heard);
                self.look(*bot, view, self.kills.len());
                if let Some(Bot::Seated(had)) = self.bots.get(bot)
                    && had.match_id == view.match_id
                    && (view.tick.wrapping_sub(had.tick) as i32) < 0
                {
                    let sentence = format!("bot {bot} saw tick {} of match {}, and then tick {}", had.tick, view.match_id, view.tick);
                    self.findings.ticks_lost += 1;
                    self.say("tick", sentence);
                }
                self.bots.insert(*bot, Bot::Seated(view.clone()));
            }
            What::Lost { bot, view } => {
                // It was seen before.
                self.look(*bot, view, self.kills.len().saturating_sub(1));
                if let Some(kill) = self.kills.last_mut() {
                    kill.lost += 1;
                    kill.unknown.remove(bot);
                }
                self.bots.insert(*bot, Bot::Away(view.clone(), self.kills.len().checked_sub(1)));
            }
            What::Returned { bot, view } => self.returned(event.at, *bot, view),
            What::Waited { bot, gap, ended } => self.waited(*bot, *gap, *ended),
            What::LostSeat { bot, why } => {
                self.findings.seats_lost += 1;
                self.say("seat", format!("bot {bot} did not come back to its seat: {why}"));
                self.leave(*bot);
            }
            What::Closed { bot, reason } => {
                self.say("close", format!("the server ended the session of bot {bot} as `{reason}`"));
                self.leave(*bot);
            }
            What::Diverged { bot, tick, component } => {
                self.findings.divergences += 1;
                self.say("diverged", format!("the view of bot {bot} differed from the server's at tick {tick}, in `{component}`"));
            }
            What::Kill { pid, .. } => {
                let seated = self.bots.iter().filter(|(_, bot)| matches!(bot, Bot::Seated(_)));
                let unknown: BTreeSet<u32> = seated.map(|(bot, _)| *bot).collect();
                self.kills.push(KillFound { at: event.at, seated: unknown.len(), unknown, ..KillFound::default() });
                self.killed = Some(*pid);
            }
            What::Healed { .. } => {
                if let Some(kill) = self.kills.last_mut() {
                    kill.replaced = true;
                }
            }
            What::Rules { nodes, rollback_max, breaks } => {
                self.rules = Some(Rules { nodes: *nodes, rollback_max: *rollback_max, breaks: *breaks });
            }
            What::Started { pid } => {
                if let (Some(kill), Some(killed)) = (self.kills.last_mut(), self.killed) {
                    kill.replaced |= *pid != killed;
                }
            }
        }
    }

    fn returned(&mut self, at: u64, bot: u32, view: &View) {
        self.look(bot, view, self.kills.len());
        if let Some(Bot::Away(had, since)) = self.bots.insert(bot, Bot::Seated(view.clone())) {
            if let Some(kill) = since.and_then(|since| self.kills.get_mut(since)) {
                kill.returned += 1;
                kill.times.push(at - kill.at);
            }
            let (before, after) = (had.tick, view.tick);
            if had.match_id != view.match_id || had.player != view.player {
                self.findings.seats_lost += 1;
                let seat = |view: &View| format!("seat {} of match {}", view.player, view.match_id);
                self.say("seat", format!("bot {bot} left {} and came back to {}", seat(&had), seat(view)));
            } else if (after.wrapping_sub(before) as i32) < 0 && self.may_roll_back(before.wrapping_sub(after)) {
                self.findings.rollbacks += 1;
                self.findings.rollback_ticks = self.findings.rollback_ticks.max(before.wrapping_sub(after));
            } else if (after.wrapping_sub(before) as i32) < 0 {
                self.findings.ticks_lost += 1;
                self.say("tick", format!("bot {bot} had seen tick {before} of match {} and came back to tick {after}", had.match_id));
            }
        }
    }

    /// A snapshot came at `heard`. Of one server that tells of each kill long enough before that it
    /// did not break the connection; of several, the connection may be another one's.
    fn heard(&mut self, bot: u32, heard: u64) {
        if self.rules.is_some_and(|rules| rules.nodes > 1) {
            return;
        }
        for kill in self.kills.iter_mut().rev().filter(|kill| kill.at + AFTERMATH < heard).take(RECENT) {
            kill.held += usize::from(kill.unknown.remove(&bot));
        }
    }

    /// A connection held over which nothing came for `gap` microseconds. What a kill left in the
    /// kernel may have come after it.
    fn waited(&mut self, bot: u32, gap: u64, ended: u64) {
        if !matches!(self.bots.get(&bot), Some(Bot::Seated(_))) {
            return;
        }
        let began = ended.saturating_sub(gap);
        for kill in self.kills.iter_mut().rev().take_while(|kill| kill.at + AFTERMATH >= began) {
            if kill.at <= ended {
                kill.waits.push(gap);
            }
        }
    }

    /// Whether so many ticks may be played again.
    fn may_roll_back(&self, ticks: u32) -> bool {
        self.rules.is_some_and(|rules| rules.rollback_max.is_none_or(|max| ticks <= max))
    }

    /// Compares what a bot sees with what was seen of that tick before. `faults` had happened then.
    fn look(&mut self, bot: u32, view: &View, faults: usize) {
        let Some(hash) = view.hash else { return };
        let key = (view.match_id.clone(), view.tick);
        match self.seen.get(&key).copied() {
            Some((known, ..)) if known == hash => {
                self.compared.insert(key);
            }
            // What was seen before a fault may be played again after it.
            Some((.., before)) if before < faults && self.may_roll_back(1) => drop(self.seen.insert(key, (hash, bot, faults))),
            Some((.., after)) if after > faults && self.may_roll_back(1) => {}
            // A server that was cut off or stood still plays ticks that the new one plays as well.
            Some(_) if self.may_roll_back(u32::MAX) => {
                self.findings.forks += 1;
                self.seen.insert(key, (hash, bot, faults));
            }
            Some((_, other, _)) if other == bot => {
                self.findings.ticks_lost += 1;
                self.say("tick", format!("bot {bot} saw tick {} of match {} twice, and it was not the same", view.tick, view.match_id));
            }
            Some((_, other, _)) => {
                self.findings.divergences += 1;
                self.say("view", format!("bots {other} and {bot} saw different views of tick {} of match {}", view.tick, view.match_id));
            }
            None => drop(self.seen.insert(key, (hash, bot, faults))),
        }
    }

    /// A bot's seat is gone, and its match too if it was the last there.
    fn leave(&mut self, bot: u32) {
        let Some(Bot::Seated(view) | Bot::Away(view, _)) = self.bots.insert(bot, Bot::Outside) else { return };
        if let Some(bots) = self.matches.get_mut(&view.match_id) {
            bots.remove(&bot);
            if bots.is_empty() && self.lost_matches.insert(view.match_id.clone()) {
                self.say("match", format!("match {} is lost: none of its bots came back to it", view.match_id));
            }
        }
    }

    /// A sentence for each thing that is wrong, but not for thousands of a kind.
    fn say(&mut self, kind: &'static str, sentence: String) {
        let told = self.told.entry(kind).or_default();
        *told += 1;
        if *told <= KEPT_MAX {
            self.findings.wrong.push(sentence);
        }
    }

    fn finish(mut self) -> Findings {
        let away: Vec<u32> = self.bots.iter().filter(|(_, bot)| matches!(bot, Bot::Away(..))).map(|(bot, _)| *bot).collect();
        for bot in away {
            self.findings.seats_lost += 1;
            self.say("seat", format!("bot {bot} was not back when the run ended"));
            self.leave(bot);
        }
        if self.bots.is_empty() {
            self.say("nothing", "nobody played: that proves nothing".to_owned());
        }
        // One that came while the next server came up broke no connection if there was none.
        let breaks = self.rules.is_none_or(|rules| rules.breaks);
        let is_idle = |kill: &KillFound| !kill.replaced || (breaks && kill.lost + kill.held == 0 && kill.seated > 0);
        let idle = self.kills.iter().filter(|kill| is_idle(kill)).count();
        if self.kills.is_empty() || idle == self.kills.len() {
            self.say("nothing", "nothing was killed: that proves nothing".to_owned());
        } else if idle > 0 {
            let of = self.kills.len();
            self.say(
                "nothing",
                format!("{idle} of {of} kills killed nothing: no connection broke or held, or no other process was started"),
            );
        }
        // Of several servers one has a part of them.
        let all_break = self.rules.is_none();
        let spared =
            self.kills.iter().enumerate().filter(|(_, kill)| all_break && kill.lost + kill.held > 0 && kill.lost + kill.held < kill.seated);
        for (nth, kill) in spared.map(|(nth, kill)| (nth + 1, kill.clone())).collect::<Vec<_>>() {
            let (lost, held, seated) = (kill.lost, kill.held, kill.seated);
            let sentence = format!("kill {nth} broke {lost} of {seated} connections and {held} held: whose were the others?");
            self.say("spared", sentence);
        }
        for (kind, count) in std::mem::take(&mut self.told) {
            let more = count.saturating_sub(KEPT_MAX);
            if more > 0 {
                self.findings.wrong.push(format!("... and {more} more of that kind ({kind})"));
            }
        }
        self.findings.bots = self.bots.len();
        self.findings.matches = self.matches.len();
        self.findings.matches_lost = self.lost_matches.len();
        self.findings.ticks_compared = self.compared.len();
        self.findings.returns = self.kills.iter().flat_map(|kill| kill.times.iter().copied()).collect();
        self.findings.waits = self.kills.iter().flat_map(|kill| kill.waits.iter().copied()).collect();
        self.findings.kills = self.kills;
        self.findings
    }
}

#[cfg(test)]
mod tests;
