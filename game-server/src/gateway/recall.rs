//! What a former process on this machine knew, taken up again; and all of it, for the next one.

use std::collections::HashMap;
use std::sync::Weak;
use std::time::{Duration, Instant};

use tickwire_handover::Kept;
use tickwire_protocol::{MatchId, PlayerId};

use super::conduct::Whose;
use super::creations::Creation;
use super::crowd::Held;
use super::kept::{Note, Remembered, written};
use super::sessions::Known;
use super::shared::Gateway;
use super::tickets::unix_now;
use crate::http::address::{AddressKey, ClientAddress};
use crate::journal::Notes;
use crate::matches::{ConnectionNote, KeptConnection, PlayerKey, RevivedSeat, SeatWatch};

impl Gateway {
    /// Counts the connections of the process before, and says to which matches they belong. Those
    /// that no cap allows any more, or that nobody here understands, are closed.
    pub(crate) fn count_again(&self, kept: Vec<Kept>) -> HashMap<MatchId, Vec<KeptConnection>> {
        let mut by_match: HashMap<_, Vec<_>> = HashMap::new();
        for connection in kept {
            let Some(note) = ConnectionNote::read(&connection.note, self.game.schema_hash) else { continue };
            let client = ClientAddress::new(note.peer());
            let Ok(permit) = self.caps().admit_again(client) else { continue };
            permit.watch(self.watcher(Whose::Nameless(client.key()), client));
            by_match.entry(note.id).or_default().push(KeptConnection::new(note, connection, permit));
        }
        by_match
    }

    /// Charges whoever created match `id`, which is brought back.
    pub(crate) fn charge_again(&self, remembered: &Remembered, id: MatchId) -> Option<Creation> {
        let (guest, address) = *remembered.created.get(&id)?;
        self.kept.created().insert(id, (guest, address));
        Some(self.creations.go_on(guest, address))
    }

    /// Everybody who was here has their session again, and what their seats in `matches` count for.
    pub(crate) fn recall(&self, remembered: Remembered, matches: Vec<(MatchId, Vec<RevivedSeat>)>) {
        let mut seats: HashMap<(MatchId, PlayerId, PlayerKey), SeatWatch> = HashMap::new();
        for (id, revived) in matches {
            seats.extend(revived.iter().map(|seat| ((id, seat.player, seat.owner), seat.seat.clone())));
            self.adopt(id, revived);
        }
        for (id, player, owner, address) in remembered.seated {
            if let Some(seat) = seats.remove(&(id, player, owner)) {
                // There are as many as there were.
                drop(self.crowd.add(address, Held { owner, id, player, seat }));
            }
        }
        let (now, unix) = (Instant::now(), unix_now());
        let mut guests: Vec<_> = remembered.guests.into_iter().collect();
        // Who was here last stays longest.
        guests.sort_unstable_by_key(|(_, (.., seen))| *seen);
        for (id, (name, address, seen)) in guests {
            let idle = Duration::from_secs(unix.saturating_sub(seen));
            self.sessions.go_on(now, Known { id, name, expires: None }, address, idle);
        }
    }

    /// Notes go there from now on.
    pub(crate) fn take_notes(&self, notes: Notes) {
        self.kept.begin(notes);
    }

    /// All there is to remember. `None` if the gateway is gone.
    pub(crate) fn all_notes(gateway: &Weak<Self>) -> Option<Vec<u8>> {
        let gateway = gateway.upgrade()?;
        let (now, unix) = (Instant::now(), unix_now());
        let guests = gateway.sessions.guests(now).into_iter();
        let mut notes: Vec<Note> =
            guests.map(|(id, name, address, idle)| Note::Guest { id, name, address, seen: unix.saturating_sub(idle.as_secs()) }).collect();
        gateway.kept.purge(|id| gateway.directory.find(id).is_some());
        notes.extend(gateway.kept.created().iter().map(|(id, (guest, address))| Note::Created {
            id: *id,
            guest: *guest,
            address: *address,
        }));
        gateway.crowd.purge();
        let seated = |(address, Held { owner, id, player, .. }): (AddressKey, Held)| Note::Seated { id, player, owner, address };
        notes.extend(gateway.crowd.all().into_iter().map(seated));
        Some(written(&notes))
    }
}
