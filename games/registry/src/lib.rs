//! The games of this repository: the one place that names them. Server, load test, codec lab and
//! browser module find them here.

tickwire_game::games! {
    /// The game that runs unless another is named, and the one that the page draws.
    arena::Arena,
    tag::Tag,
}

#[cfg(test)]
mod tests {
    use tickwire_game::{Game, GameVisitor};

    /// How many modes a game has.
    struct Modes;

    impl GameVisitor for Modes {
        type Output = usize;

        fn visit<G: Game>(self) -> usize {
            G::MODES.len()
        }
    }

    #[test]
    fn games_are_found_by_name() {
        assert_eq!(super::NAMES, ["arena", "tag"]);
        assert_eq!(["arena", "tag", "chess"].map(|name| super::with(name, Modes)), [Some(2), Some(1), None]);
        assert_eq!(<super::MainGame as Game>::NAME, "arena");
    }
}
