//! The games of this repository: the one place that names them. Server, load test, codec lab and
//! browser module find them here.

use tickwire_game::{Game, GameVisitor};

tickwire_game::games! {
    /// The game that runs unless another is named, and the one that the page draws.
    arena::Arena,
    tag::Tag,
}

/// What the page of the game called `name` knows of it, as a TypeScript module; `None` if there is
/// no such game.
pub fn bindings(name: &str) -> Option<String> {
    with(name, Bindings)
}

/// Where that module is, in the folder of the pages' packages.
pub fn bindings_path(name: &str) -> String {
    format!("{name}/src/generated.ts")
}

/// What every page's client knows of the protocol, as a TypeScript module.
pub fn client_bindings() -> String {
    tickwire_game::page::protocol_typescript()
}

/// Where that module is, in the same folder.
pub const CLIENT_BINDINGS_PATH: &str = "client/src/replica/generated.ts";

struct Bindings;

impl GameVisitor for Bindings {
    type Output = String;

    fn visit<G: Game>(self) -> String {
        tickwire_game::page::typescript::<G>()
    }
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

    #[test]
    fn the_page_knows_what_the_game_says() {
        let written = include_str!("../../../web-client/packages/arena/src/generated.ts");
        assert!(super::bindings("arena").as_deref() == Some(written), "`cargo xtask bindings` writes it");
    }

    #[test]
    fn the_client_knows_what_the_protocol_says() {
        let written = include_str!("../../../web-client/packages/client/src/replica/generated.ts");
        assert!(super::client_bindings() == written, "`cargo xtask bindings` writes it");
    }
}
