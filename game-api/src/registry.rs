//! Several games in one program, found by name.

use crate::Game;

/// Something that is done with a game which is only known by its name.
pub trait GameVisitor {
    /// What comes of it.
    type Output;

    /// Does it with `G`.
    fn visit<G: Game>(self) -> Self::Output;
}

/// Names the games of a program, once: `NAMES`, the first of them as `MainGame`, and `with`, which
/// does something with the game of a name.
///
/// ```
/// use tickwire_game::prelude::*;
/// use tickwire_game::{Game, GameVisitor};
///
/// # struct Chess;
/// # impl Game for Chess {
/// #     const NAME: &'static str = "chess";
/// #     const MODES: &'static [Mode] = &[Mode::DEFAULT];
/// #     type Input = Move;
/// #     type Event = ();
/// #     type Components = ();
/// #     fn join(_: &mut World, _: PlayerId) {}
/// #     fn systems(_: &mut Setup<'_>) {}
/// # }
/// # tickwire_game::without!(Chess: Predict, Bots, Ranking, Sight);
/// # #[derive(Input, Clone, Copy, Debug, Default, PartialEq, Eq)]
/// # struct Move { from: u8 }
/// tickwire_game::games! { Chess }
///
/// struct Title;
///
/// impl GameVisitor for Title {
///     type Output = &'static str;
///
///     fn visit<G: Game>(self) -> &'static str {
///         G::MODES[0].title
///     }
/// }
///
/// assert_eq!(NAMES, ["chess"]);
/// assert!(with("chess", Title).is_some() && with("go", Title).is_none());
/// ```
#[macro_export]
macro_rules! games {
    ($(#[$doc:meta])* $main:ty $(, $other:ty)* $(,)?) => {
        $(#[$doc])*
        pub type MainGame = $main;

        /// The names of all games, the main one first.
        pub const NAMES: &[&str] = &[<$main as $crate::Game>::NAME $(, <$other as $crate::Game>::NAME)*];

        /// Lets `visitor` do something with the game called `name`; `None` if there is none.
        pub fn with<V: $crate::GameVisitor>(name: &str, visitor: V) -> Option<V::Output> {
            if name == <$main as $crate::Game>::NAME {
                return Some(visitor.visit::<$main>());
            }
            $(
                if name == <$other as $crate::Game>::NAME {
                    return Some(visitor.visit::<$other>());
                }
            )*
            None
        }
    };
}
