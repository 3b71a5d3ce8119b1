//! Every attack there is, by what it is aimed at.

mod connections;
mod frames;
mod http_stream;
mod operators;
mod requests;
mod seats;
mod tickets;

use crate::attack::Attack;

/// All of them, in the order of the table. Some are there over TLS only.
pub(crate) fn all(tls: bool) -> Vec<Attack> {
    let over_tls = if tls { connections::OVER_TLS } else { &[] };
    let players = [frames::ATTACKS, http_stream::ATTACKS, seats::ATTACKS, tickets::ATTACKS];
    [connections::ATTACKS, over_tls, requests::ATTACKS, &players.concat(), operators::ATTACKS].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_attacks_apart() {
        let mut names: Vec<_> = all(true).iter().map(|attack| attack.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
