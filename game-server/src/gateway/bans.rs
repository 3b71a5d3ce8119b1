//! Who may not play here: players and networks that the operator banned, each until some time.
//!
//! Bounded: [`BANS_MAX`]; when there are as many, one must be lifted first. [`kept`] writes them to
//! a file, where the server has a folder; [`told`] tells other servers.

mod ban;
mod kept;
mod told;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use ipnet::IpNet;

pub(crate) use told::EVERY as TOLD_EVERY;

pub(crate) use ban::{BANS_MAX, Ban, NewBan, TEXT_CHARS_MAX, Whom, network_of};
use kept::BanFile;

use crate::matches::PlayerKey;

/// Everyone who is banned.
#[derive(Debug, Default)]
pub(crate) struct Bans {
    table: Mutex<Table>,
    /// `None` where nothing is kept.
    file: Option<BanFile>,
    /// Whose bans were lifted here, and when, seconds since 1970: to be told to other servers, if
    /// there are any. Of more than [`BANS_MAX`] nobody is told.
    lifted: Mutex<HashMap<Whom, u64>>,
}

#[derive(Debug, Default)]
struct Table {
    bans: BTreeMap<u64, Ban>,
    by_whom: HashMap<Whom, u64>,
    expiry: BTreeSet<(Instant, u64)>,
    /// The lengths of the prefixes that there are.
    prefixes: BTreeMap<u8, usize>,
    last: u64,
}

impl Bans {
    /// Those that are kept in `dir`, and will be. A file that cannot be read bans nobody: it is put
    /// aside, and the operator is told.
    pub(crate) fn kept_in(dir: &Path, now: Instant) -> Self {
        let file = BanFile::of(dir);
        let mut table = Table::default();
        match file.read(now) {
            Ok(bans) => {
                for ban in bans {
                    table.last = table.last.max(ban.id);
                    table.insert(ban);
                }
            }
            Err(error) => {
                let aside = file.put_aside();
                tracing::error!(%error, aside = %aside.display(), "the file of bans cannot be read, so nobody is banned: it was put aside");
            }
        }
        Self { table: Mutex::new(table), file: Some(file), lifted: Mutex::default() }
    }

    /// Bans somebody. An earlier ban of the same one is replaced. `None` if there are too many.
    pub(crate) fn add(&self, now: Instant, what: NewBan) -> Option<Ban> {
        let added = self.table().add(now, what);
        self.keep(now);
        added
    }

    /// Lifts a ban. `None` if there is no such ban.
    pub(crate) fn lift(&self, now: Instant, id: u64) -> Option<Ban> {
        let ban = self.lift_here(now, id)?;
        let mut lifted = self.lifted.lock().unwrap_or_else(PoisonError::into_inner);
        if lifted.len() < BANS_MAX {
            lifted.insert(ban.what.whom, crate::clock::unix().as_secs());
        }
        Some(ban)
    }

    fn lifts(&self) -> Vec<(Whom, u64)> {
        self.lifted.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(whom, at)| (*whom, *at)).collect()
    }

    fn lift_was_told(&self, whom: Whom) {
        self.lifted.lock().unwrap_or_else(PoisonError::into_inner).remove(&whom);
    }

    fn lift_here(&self, now: Instant, id: u64) -> Option<Ban> {
        let lifted = {
            let mut table = self.table();
            table.purge(now);
            table.remove(id)
        };
        self.keep(now);
        lifted
    }

    /// All of them, newest first.
    pub(crate) fn list(&self, now: Instant) -> Vec<Ban> {
        let mut table = self.table();
        table.purge(now);
        table.bans.values().rev().cloned().collect()
    }

    /// Why somebody at `address`, who is `player` if that is known, may not play.
    pub(crate) fn find(&self, now: Instant, address: IpAddr, player: Option<PlayerKey>) -> Option<Ban> {
        let mut table = self.table();
        table.purge(now);
        let of_player = player.and_then(|player| table.by_whom.get(&Whom::Player(player)));
        let id = of_player.copied().or_else(|| table.network_with(address.to_canonical()))?;
        table.bans.get(&id).cloned()
    }

    /// A file that cannot be written costs what happens at the next start: here the ban is in
    /// force.
    fn keep(&self, now: Instant) {
        let Some(file) = &self.file else { return };
        let bans: Vec<_> = self.list(now).into_iter().rev().collect();
        if let Err(error) = file.write(&bans, now) {
            tracing::error!(%error, "the file of bans cannot be written: this change is forgotten at the next start");
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn add(&mut self, now: Instant, what: NewBan) -> Option<Ban> {
        self.purge(now);
        if let Some(earlier) = self.by_whom.get(&what.whom).copied() {
            self.remove(earlier);
        }
        if self.bans.len() >= BANS_MAX {
            return None;
        }
        self.last += 1;
        let id = self.last;
        // What lasts longer than the clock can tell lasts until it is lifted.
        let until = what.lasts.and_then(|lasts| now.checked_add(lasts));
        let ban = Ban { id, since: SystemTime::now(), until, what };
        self.insert(ban.clone());
        Some(ban)
    }

    fn insert(&mut self, ban: Ban) {
        self.by_whom.insert(ban.what.whom, ban.id);
        self.expiry.extend(ban.until.map(|until| (until, ban.id)));
        if let Whom::Network(network) = ban.what.whom {
            *self.prefixes.entry(network.prefix_len()).or_default() += 1;
        }
        self.bans.insert(ban.id, ban);
    }

    fn remove(&mut self, id: u64) -> Option<Ban> {
        let ban = self.bans.remove(&id)?;
        self.by_whom.remove(&ban.what.whom);
        ban.until.map(|until| self.expiry.remove(&(until, id)));
        if let Whom::Network(network) = ban.what.whom
            && let Some(count) = self.prefixes.get_mut(&network.prefix_len())
        {
            *count -= 1;
            if *count == 0 {
                self.prefixes.remove(&network.prefix_len());
            }
        }
        Some(ban)
    }

    fn purge(&mut self, now: Instant) {
        while let Some((until, id)) = self.expiry.first().copied()
            && until <= now
        {
            self.remove(id);
        }
    }

    fn network_with(&self, address: IpAddr) -> Option<u64> {
        let networks = self.prefixes.keys().filter_map(|length| IpNet::new(address, *length).ok());
        let mut whom = networks.map(|network| Whom::Network(network.trunc()));
        whom.find_map(|whom| self.by_whom.get(&whom)).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn ban(whom: Whom, lasts: Option<Duration>) -> NewBan {
        NewBan { whom, name: "Ada".to_owned(), reason: "shouting".to_owned(), lasts }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_ban_is_for_a_player_or_a_network_until_it_is_over_or_lifted() {
        let (bans, start) = (Bans::default(), Instant::now());
        let (ada, bob) = (PlayerKey([1; 32]), PlayerKey([2; 32]));
        let is_banned = |after: Duration, from: &str, who| bans.find(start + after, address(from), who).is_some();
        bans.add(start, ban(Whom::Player(ada), Some(HOUR))).expect("room");
        assert!(is_banned(HOUR / 2, "192.0.2.1", Some(ada)) && !is_banned(HOUR / 2, "192.0.2.1", Some(bob)));
        assert!(!is_banned(HOUR, "192.0.2.1", Some(ada)));
        let network = bans.add(start + HOUR, ban(Whom::network("192.0.2.0/24").expect("a network"), None)).expect("room");
        assert!(is_banned(HOUR * 90_000, "192.0.2.77", Some(bob)) && is_banned(HOUR, "::ffff:192.0.2.1", None));
        assert!(!is_banned(HOUR, "192.0.3.1", None) && !is_banned(HOUR, "2001:db8::1", None));
        assert_eq!(bans.lift(start + HOUR, network.id).map(|ban| ban.id), Some(network.id));
        assert!(!is_banned(HOUR, "192.0.2.77", None) && bans.lift(start, network.id).is_none());
        let table = bans.table();
        assert!(table.bans.is_empty() && table.by_whom.is_empty() && table.expiry.is_empty() && table.prefixes.is_empty());
    }

    #[test]
    fn a_single_ipv6_address_is_the_64_that_one_household_has() {
        let text =
            |whom: Option<Whom>| whom.map(|whom| if let Whom::Network(network) = whom { network.to_string() } else { String::new() });
        assert_eq!(text(Whom::network("2001:db8:1:2::9")).as_deref(), Some("2001:db8:1:2::/64"));
        assert_eq!(text(Whom::network("192.0.2.7")).as_deref(), Some("192.0.2.7/32"));
        assert_eq!(text(Whom::network("::ffff:192.0.2.7")).as_deref(), Some("192.0.2.7/32"));
        assert_eq!(text(Whom::network("192.0.2.7/24")).as_deref(), Some("192.0.2.0/24"));
        for bad in ["", "x", "0.0.0.0/0", "10.0.0.0/7", "::/0", "2001::/15", "192.0.2.7/33"] {
            assert_eq!(Whom::network(bad), None, "{bad}");
        }
    }

    #[test]
    fn banning_again_replaces_and_too_many_are_refused() {
        let (bans, now) = (Bans::default(), Instant::now());
        let who = |nth: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&nth.to_le_bytes());
            Whom::Player(PlayerKey(key))
        };
        assert!((0..BANS_MAX).all(|nth| bans.add(now, ban(who(nth), Some(HOUR))).is_some()));
        assert!(bans.add(now, ban(who(BANS_MAX), None)).is_none());
        assert!(bans.add(now, ban(who(7), None)).is_some(), "the same again");
        assert_eq!(bans.list(now).len(), BANS_MAX);
        assert!(bans.add(now + HOUR, ban(who(BANS_MAX), None)).is_some(), "the others are over");
        assert_eq!(bans.list(now + HOUR).len(), 2);
    }

    #[test]
    fn bans_outlive_the_process_until_they_are_over() {
        let dir = tempfile::tempdir().expect("a folder");
        let now = Instant::now();
        let bans = Bans::kept_in(dir.path(), now);
        let ban = |whom, lasts| NewBan { whom, name: "Ada".to_owned(), reason: "shouting".to_owned(), lasts };
        let (ada, bob) = (Whom::Player(PlayerKey([7; 32])), Whom::Player(PlayerKey([8; 32])));
        let network = Whom::network("192.0.2.0/24").expect("a network");
        bans.add(now, ban(ada, Some(Duration::from_hours(1)))).expect("room");
        bans.add(now, ban(network, None)).expect("room");
        let lifted = bans.add(now, ban(bob, None)).expect("room");
        bans.lift(now, lifted.id).expect("there is one");

        let again = Bans::kept_in(dir.path(), now);
        let whom: Vec<_> = again.list(now).iter().rev().map(|ban| ban.what.whom).collect();
        assert_eq!(whom, [ada, network]);
        assert!(again.find(now, "192.0.2.9".parse().expect("an address"), None).is_some());
        assert_eq!(again.list(now + Duration::from_hours(1)).len(), 1);
        let next = again.add(now, ban(bob, None)).expect("room");
        assert!(again.list(now).iter().filter(|ban| ban.id == next.id).count() == 1, "ids go on");
    }

    #[test]
    fn a_file_that_is_none_bans_nobody_and_is_kept_aside() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join(kept::NAME), "{").expect("written");
        let bans = Bans::kept_in(dir.path(), Instant::now());
        assert!(bans.list(Instant::now()).is_empty());
        let aside = std::fs::read_to_string(dir.path().join("bans.json.unreadable")).expect("kept");
        assert_eq!(aside, "{");
    }

    proptest! {
        /// What is found is what looking at every network says.
        #[test]
        fn networks_are_found_as_if_each_was_looked_at(
            networks in proptest::collection::vec((any::<[u8; 2]>(), 8u8..33), 0..20),
            addresses in proptest::collection::vec(any::<[u8; 2]>(), 0..20),
        ) {
            let (bans, now) = (Bans::default(), Instant::now());
            let networks: Vec<_> = networks.into_iter().map(|([a, b], length)| IpNet::new_assert(IpAddr::from([10, 0, a, b]), length).trunc()).collect();
            for network in &networks {
                bans.add(now, ban(Whom::Network(*network), None)).expect("room");
            }
            for [a, b] in addresses {
                let address = IpAddr::from([10, 0, a, b]);
                prop_assert_eq!(bans.find(now, address, None).is_some(), networks.iter().any(|network| network.contains(&address)));
            }
        }
    }
}
