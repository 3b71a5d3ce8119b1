//! Every attack there is, by what it is aimed at.

mod connections;
mod frames;
mod operators;
mod requests;
mod seats;

use crate::attack::Attack;

/// All of them, in the order of the table.
pub(crate) fn all() -> Vec<Attack> {
    [connections::ATTACKS, requests::ATTACKS, frames::ATTACKS, seats::ATTACKS, operators::ATTACKS].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_attacks_apart() {
        let mut names: Vec<_> = all().iter().map(|attack| attack.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
