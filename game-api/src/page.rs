//! What the page needs to know of a game, as a TypeScript module: constants, tables, input,
//! questions and events. `cargo xtask bindings` writes it and a test compares it, so that nothing
//! of it is copied by hand.

use core::fmt::Write;

use crate::derive::{FromNumbers, InputField};
use crate::{Event, Game, Mode};

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
    let mut out = format!("// What the page knows of the game `{}`. Generated: `cargo xtask bindings` writes it.\n\n", G::NAME);
    for (name, value) in G::CONSTANTS {
        line(&mut out, &format!("export const {name} = {value};"));
    }
    if !G::CONSTANTS.is_empty() {
        out.push('\n');
    }
    tables::<G>(&mut out);
    input(&mut out, G::Input::FIELDS);
    questions(&mut out, G::QUESTIONS);
    let events = G::Event::typescript();
    if !events.is_empty() {
        line(&mut out, "\n/** What happens and is told once. */");
        line(&mut out, &format!("export type GameEvent =\n  {};", events.replace('\n', "\n  ")));
    }
    out
}

fn tables<G: Game>(out: &mut String) {
    line(out, "/** The tables of a snapshot, and their fields. */\nexport interface Fields {");
    for table in G::SCHEMA.tables() {
        let fields: Vec<String> = table.fields.iter().map(|field| format!("'{}'", field.name)).collect();
        let short = format!("  readonly {}: {};", table.name, fields.join(" | "));
        if short.len() <= LINE_MAX {
            line(out, &short);
        } else {
            line(out, &format!("  readonly {}:\n    | {};", table.name, fields.join("\n    | ")));
        }
    }
    line(out, "}");
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
    line(out, "\n/** What answers the questions below with the game's own code: the browser module. */");
    line(out, "export interface Answers {\n  ask(question: number, ...numbers: readonly number[]): Int32Array;\n}\n");
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
