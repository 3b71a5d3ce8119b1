//! What the page on bringing your own game shows is code that compiles and runs, and mistakes say
//! what to do.

use tickwire_game::prelude::*;

#[path = "../examples/coins.rs"]
mod coins;

/// The document, and the sources that its code may be from.
const DOCUMENT: &str = include_str!("../../docs/BRING_YOUR_OWN_GAME.md");
const SOURCES: [&str; 2] = [include_str!("../examples/coins.rs"), include_str!("../../games/arena/src/server/royale.rs")];

#[test]
fn the_smallest_game_runs() {
    coins::main();
}

#[test]
fn the_documents_code_is_compiled() {
    let blocks: Vec<&str> = DOCUMENT.split("```rust\n").skip(1).filter_map(|rest| rest.split_once("```").map(|(code, _)| code)).collect();
    assert!(blocks.len() >= 2, "the document has code");
    for block in blocks {
        assert!(SOURCES.iter().any(|source| source.contains(block.trim())), "no source has this:\n{block}");
    }
}

#[test]
fn the_smallest_game_has_25_lines() {
    let block = DOCUMENT.split("```rust\n").nth(1).and_then(|rest| rest.split_once("```")).expect("the document begins with a game").0;
    let lines = block.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(lines <= 25, "it has {lines}");
    assert!(block.starts_with("use ") && block.contains("impl Game for") && block.contains("fn step"), "it is a whole game");
}

/// Two systems that both change the runners, and nothing says which is first.
struct Unordered;

#[derive(Replicate, Clone, Debug, PartialEq)]
struct Body {
    x: u8,
}

fn push(mut bodies: Query<&mut Body>) {
    bodies.iter_mut().for_each(|mut body| body.x = body.x.wrapping_add(1));
}

fn pull(mut bodies: Query<&mut Body>) {
    bodies.iter_mut().for_each(|mut body| body.x = body.x.wrapping_mul(2));
}

#[game]
impl Game for Unordered {
    type Input = u8;
    type Components = (Body,);

    fn join(_: &mut World, _: PlayerId) {}

    fn systems(setup: &mut Setup<'_>) {
        setup.add((push, pull));
    }
}

#[test]
fn an_ambiguous_order_names_the_systems_and_says_what_to_do() {
    let built = std::panic::catch_unwind(|| TestMatch::<Unordered>::new(1, Tick(0)));
    let message = built.err().and_then(|cause| cause.downcast::<String>().ok()).expect("it does not build");
    for part in ["`unordered`", "pull", " and ", "push", "over [", "Body", "setup.add((first, second).chain())"] {
        assert!(message.contains(part), "{part} is not in:\n{message}");
    }
}
