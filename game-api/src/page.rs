//! What the page needs to know of a game, as a TypeScript module: constants, tables, input,
//! questions and events. `cargo xtask bindings` writes it and a test compares it, so that nothing
//! of it is copied by hand.

mod protocol;

pub use protocol::protocol_typescript;

use core::fmt::Write;

use tickwire_protocol::TableSchema;

use crate::derive::{FromNumbers, InputField};
use crate::{Event, Game, Mode, Replicate};

/// Something that the page asks the game's own code while it runs, so that nothing is computed in
/// two languages. It becomes a function of the page's.
///
/// ```
/// use tickwire_game::page::Question;
/// use tickwire_game::Mode;
///
/// const LEVEL: Question = Question {
///     name: "level_of",
///     takes: &["score"],
///     answer: |_mode, numbers, answer| answer.extend(numbers.iter().map(|score| score / 100)),
/// };
///
/// assert_eq!(LEVEL.ask(&Mode::DEFAULT, &[730]), [7]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// Its name, in snake case.
    pub name: &'static str,
    /// The names of the numbers that come with it.
    pub takes: &'static [&'static str],
    /// Appends the answer in the match's mode. The page is no authority: any numbers may come, and
    /// too few.
    pub answer: fn(mode: &Mode, numbers: &[i32], answer: &mut Vec<i32>),
}

impl Question {
    /// The answer alone.
    pub fn ask(&self, mode: &Mode, numbers: &[i32]) -> Vec<i32> {
        let mut answer = Vec::new();
        (self.answer)(mode, numbers, &mut answer);
        answer
    }
}

/// Longest line that the page's formatter leaves as one.
const LINE_MAX: usize = 120;

/// The module of game `G`.
pub fn typescript<G: Game>() -> String {
    let mut out = format!("// What the page knows of the game `{}`. Generated: `cargo xtask bindings` writes it.\n", G::NAME);
    let imported = if G::QUESTIONS.is_empty() { "GameBindings" } else { "Answers, GameBindings" };
    line(&mut out, &format!("import type {{ {imported} }} from '@tickwire/client';\n"));
    line(&mut out, &format!("/** The game, as the server names it. */\nexport const NAME = '{}';", G::NAME));
    list(&mut out, "The ways to play, the usual one first.", "MODES", G::MODES.iter().map(|mode| mode.id));
    out.push('\n');
    for (name, value) in G::CONSTANTS {
        line(&mut out, &format!("export const {name} = {value};"));
    }
    if !G::CONSTANTS.is_empty() {
        out.push('\n');
    }
    tables(&mut out, G::SCHEMA.tables());
    body::<G::Body>(&mut out);
    input(&mut out, G::Input::FIELDS);
    questions(&mut out, G::QUESTIONS);
    let events = G::Event::typescript();
    line(&mut out, "\n/** What happens and is told once. */");
    let events = if events.is_empty() { " never".to_owned() } else { format!("\n  {}", events.replace('\n', "\n  ")) };
    line(&mut out, &format!("export type GameEvent ={events};"));
    line(&mut out, "\n/** What the client must know to play it. */");
    line(&mut out, "export const game: GameBindings<typeof TABLES, Input, GameEvent> = {");
    line(&mut out, "  name: NAME,\n  tables: TABLES,\n  body: BODY,\n  inputNumbers,\n};");
    out
}

fn tables(out: &mut String, tables: &[TableSchema]) {
    line(out, "/** The tables of a snapshot, and their fields in order. */\nexport const TABLES = {");
    for table in tables {
        let fields: Vec<String> = table.fields.iter().map(|field| format!("'{}'", field.name)).collect();
        let short = format!("  {}: [{}],", table.name, fields.join(", "));
        let long = || format!("  {}: [\n    {},\n  ],", table.name, fields.join(",\n    "));
        line(out, &if short.len() <= LINE_MAX { short } else { long() });
    }
    line(out, "} as const;");
}

/// Whose row is predicted for the own player, and which of its fields say where it is.
fn body<C: Replicate>(out: &mut String) {
    line(out, "\n/** The table whose row is predicted for the own player, and the fields that say where it is. */");
    let TableSchema { name, fields } = C::TABLE;
    if name.is_empty() {
        line(out, "export const BODY = null;");
        return;
    }
    let columns = C::PLACE.into_iter().flatten().filter_map(|column| fields.get(column));
    let place: Vec<String> = columns.map(|field| format!("'{}'", field.name)).collect();
    line(out, &format!("export const BODY = {{ table: '{name}', place: [{}] }} as const;", place.join(", ")));
}

/// The input's type, and the numbers that the browser module takes for one.
fn input(out: &mut String, fields: &[InputField]) {
    line(out, "\n/** What a player holds down during a tick. */\nexport interface Input {");
    let mut numbers = Vec::new();
    // An array's fields have one name.
    for array in fields.chunk_by(|one, next| one.name == next.name) {
        let [InputField { name, min, max, buttons }, rest @ ..] = array else { continue };
        if !rest.is_empty() {
            line(out, &format!("  /** {} of {min} to {max}. */\n  readonly {name}: readonly number[];", array.len()));
            numbers.push(format!("...input.{name}"));
        } else if buttons.is_empty() {
            line(out, &format!("  /** {min} to {max}. */\n  readonly {name}: number;"));
            numbers.push(format!("input.{name}"));
        } else {
            buttons.iter().for_each(|button| line(out, &format!("  readonly {button}: boolean;")));
            numbers.push(bits(buttons));
        }
    }
    line(out, "}\n\n/** The numbers of an input, in the order in which the browser module takes them. */");
    let head = "export const inputNumbers = (input: Input): readonly number[] => [";
    let short = format!("{head}{}];", numbers.join(", "));
    let long = || format!("{head}\n  {},\n];", numbers.join(",\n  "));
    line(out, &if short.len() <= LINE_MAX { short } else { long() });
    let buttons: Vec<String> = fields.iter().flat_map(|field| field.buttons).map(|button| format!("'{button}'")).collect();
    if !buttons.is_empty() {
        line(out, "\n/** What of an input is held or not. */");
        line(out, &format!("export const BUTTONS = [{}] as const;", buttons.join(", ")));
        line(out, "export type Button = (typeof BUTTONS)[number];");
    }
}

/// A number of these bits.
fn bits(buttons: &[&str]) -> String {
    let bits: Vec<String> = buttons.iter().enumerate().map(|(bit, button)| format!("input.{button} ? {} : 0", 1u32 << bit)).collect();
    match bits.as_slice() {
        [one] => one.clone(),
        several => several.iter().map(|bit| format!("({bit})")).collect::<Vec<_>>().join(" | "),
    }
}

fn questions(out: &mut String, questions: &[Question]) {
    if questions.is_empty() {
        return;
    }
    line(out, "\n// Questions that the game's own code answers, in the browser module.");
    for (number, Question { name, takes, .. }) in questions.iter().enumerate() {
        let parameters: Vec<String> = takes.iter().map(|name| format!(", {name}: number")).collect();
        let arguments: Vec<String> = takes.iter().map(|name| format!(", {name}")).collect();
        let head = format!("export const {} = (module: Answers{}): Int32Array =>", camel_case(name), parameters.concat());
        let call = format!("module.ask({number}{});", arguments.concat());
        let is_short = head.len() + 1 + call.len() <= LINE_MAX;
        line(out, &format!("{head}{}{call}", if is_short { " " } else { "\n  " }));
    }
}

/// `shot_flight` as `shotFlight`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |camel, word| {
        let (head, tail) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        camel + &head.to_uppercase() + tail
    })
}

/// A constant that is a list of strings, with what it is above.
fn list<'a>(out: &mut String, what: &str, name: &str, items: impl Iterator<Item = &'a str>) {
    let items: Vec<String> = items.map(|item| format!("'{item}'")).collect();
    line(out, &format!("\n/** {what} */\nexport const {name} = [{}] as const;", items.join(", ")));
}

fn line(out: &mut String, text: &str) {
    // Writing into a string does not fail.
    let _ = writeln!(out, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn field(name: &'static str, buttons: &'static [&'static str]) -> InputField {
        InputField { name, min: 0, max: 255, buttons }
    }

    fn written(fields: &[InputField]) -> String {
        let mut out = String::new();
        input(&mut out, fields);
        out.split_once("=> ").and_then(|(_, numbers)| numbers.split_once(';')).map(|(numbers, _)| numbers.to_owned()).unwrap_or_default()
    }

    #[test]
    fn an_inputs_numbers_are_in_the_order_of_its_fields() {
        let numbers = written(&[field("aim", &[]), field("level", &[]), field("level", &[]), field("lit", &["lit"])]);
        assert_eq!(numbers, "[input.aim, ...input.level, input.lit ? 1 : 0]");
        let numbers = written(&[field("held", &["fire", "dash", "jump"])]);
        assert_eq!(numbers, "[\n  (input.fire ? 1 : 0) | (input.dash ? 2 : 0) | (input.jump ? 4 : 0),\n]");
    }

    #[test]
    fn names_of_questions_become_names_of_functions() {
        assert_eq!(["map", "shot_flight", "a__b"].map(camel_case), ["map", "shotFlight", "aB"]);
    }
}
