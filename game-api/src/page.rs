//! What the page needs to know of a game, as a TypeScript module: tables, input, events and constants. It
//! is written by a command and checked by a test, so that nothing of it is copied by hand.

use core::fmt::Write;

use crate::derive::FromNumbers;
use crate::{Event, Game};

/// Longest line that the page's formatter leaves as one.
const LINE_MAX: usize = 120;

/// The module of game `G` with these constants. `command` is what writes it again.
pub fn typescript<G: Game>(command: &str, constants: &[(&str, i64)]) -> String
where
    G::Input: FromNumbers,
{
    let mut out = format!("// What the page knows of the game `{}`. Generated: `{command}` writes it.\n\n", G::NAME);
    for (name, value) in constants {
        line(&mut out, &format!("export const {name} = {value};"));
    }
    line(&mut out, "\n/** The tables of a snapshot, and their fields. */\nexport interface Fields {");
    for table in G::SCHEMA.tables() {
        let fields: Vec<String> = table.fields.iter().map(|field| format!("'{}'", field.name)).collect();
        let short = format!("  readonly {}: {};", table.name, fields.join(" | "));
        if short.len() <= LINE_MAX {
            line(&mut out, &short);
        } else {
            line(&mut out, &format!("  readonly {}:\n    | {};", table.name, fields.join("\n    | ")));
        }
    }
    line(&mut out, "}\n\n/** What the input is made of, in order. */");
    let input: Vec<String> = G::Input::FIELDS.iter().map(|field| format!("'{}'", field.name)).collect();
    line(&mut out, &format!("export const INPUT_FIELDS = [{}] as const;", input.join(", ")));
    line(&mut out, "\n/** What happens and is told once. */");
    line(&mut out, &format!("export type GameEvent =\n  {};", G::Event::typescript().replace('\n', "\n  ")));
    out
}

fn line(out: &mut String, text: &str) {
    // Writing into a string does not fail.
    let _ = writeln!(out, "{text}");
}
