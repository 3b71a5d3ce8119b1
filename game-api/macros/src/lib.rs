//! The attributes a game is stated with: `Replicate`, `Input`, `Event`, `Stored` and `game`.
//!
//! Each reads one declaration and writes everything that follows from it, so that a game says
//! nothing twice. They are used through `tickwire_game`, which re-exports them and documents them
//! with examples that run.

mod codec;
mod event;
mod field;
mod game;
mod input;
mod replicate;
mod seen;
mod stored;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemImpl, parse_macro_input};

/// See `tickwire_game::Replicate`.
#[proc_macro_derive(Replicate, attributes(table, place, private, eyes, hidden, range, moved_by, wrapping, moment, owner))]
pub fn replicate(input: TokenStream) -> TokenStream {
    finish(replicate::derive(&parse_macro_input!(input as DeriveInput)))
}

/// See `tickwire_game::Input`.
#[proc_macro_derive(Input, attributes(range, buttons))]
pub fn input(input: TokenStream) -> TokenStream {
    finish(input::derive(&parse_macro_input!(input as DeriveInput)))
}

/// See `tickwire_game::Event`.
#[proc_macro_derive(Event, attributes(range))]
pub fn event(input: TokenStream) -> TokenStream {
    finish(event::derive(&parse_macro_input!(input as DeriveInput)))
}

/// See `tickwire_game::Stored`.
#[proc_macro_derive(Stored)]
pub fn stored(input: TokenStream) -> TokenStream {
    finish(stored::derive(&parse_macro_input!(input as DeriveInput)))
}

/// See `tickwire_game::game`.
#[proc_macro_attribute]
pub fn game(attribute: TokenStream, block: TokenStream) -> TokenStream {
    if !attribute.is_empty() {
        let message = "`#[game]` takes nothing: all is said in the block";
        return syn::Error::new(proc_macro2::Span::call_site(), message).to_compile_error().into();
    }
    finish(game::expand(parse_macro_input!(block as ItemImpl)))
}

/// What was derived, or what is wrong with the declaration, at the place where it is wrong.
fn finish(derived: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    derived.unwrap_or_else(|error| error.to_compile_error()).into()
}

/// `FireReady` as `fire_ready`: how tables and kinds of events are named unless they say otherwise.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_become_names_of_tables() {
        let snake = ["Runner", "PickupKind", "A"].map(snake_case);
        assert_eq!(snake, ["runner", "pickup_kind", "a"]);
    }
}
