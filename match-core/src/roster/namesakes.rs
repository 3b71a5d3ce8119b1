//! Tells players of the same name apart: the second Ada is "Ada (2)".

use std::collections::HashSet;

use tickwire_protocol::limits::{NAME_BYTES_MAX, NAME_GRAPHEMES_MAX};
use tickwire_protocol::text::Name;
use unicode_segmentation::UnicodeSegmentation;

/// `name`, or if it is among the `taken`, `name` with the lowest number that makes it another.
pub(super) fn told_apart<'a>(name: &Name, taken: impl Iterator<Item = &'a Name>) -> Name {
    let taken: HashSet<&str> = taken.map(Name::as_str).collect();
    if !taken.contains(name.as_str()) {
        return name.clone();
    }
    // One of so many numbers is free.
    let numbered = (2..=taken.len() + 2).map(|number| with_number(name, number));
    numbered.into_iter().find(|name| !taken.contains(name.as_str())).unwrap_or_else(|| name.clone())
}

/// `name`, shortened where it must be, and ` (number)`.
fn with_number(name: &Name, number: usize) -> Name {
    let suffix = format!(" ({number})");
    let (graphemes, bytes) = (NAME_GRAPHEMES_MAX.saturating_sub(suffix.len()), NAME_BYTES_MAX.saturating_sub(suffix.len()));
    let ends = name.as_str().grapheme_indices(true).take(graphemes).map(|(start, grapheme)| start + grapheme.len());
    let end = ends.take_while(|end| *end <= bytes).last().unwrap_or(0);
    let front = name.as_str().get(..end).unwrap_or_default().trim_end();
    Name::truncated(&format!("{front}{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seats these one after the other; returns what they are called.
    fn called(asked: &[&str]) -> Vec<String> {
        let mut taken: Vec<Name> = Vec::new();
        for name in asked {
            taken.push(told_apart(&Name::truncated(name), taken.iter()));
        }
        taken.iter().map(|name| name.as_str().to_owned()).collect()
    }

    #[test]
    fn the_second_of_a_name_gets_a_number_that_nobody_has() {
        assert_eq!(called(&["Ada", "Bob", "Ada", "Ada"]), ["Ada", "Bob", "Ada (2)", "Ada (3)"]);
        assert_eq!(called(&["Ada (2)", "Ada", "Ada"]), ["Ada (2)", "Ada", "Ada (3)"]);
    }

    #[test]
    fn a_long_name_is_shortened_between_its_characters() {
        assert_eq!(called(&["Maximilian Schmi", "Maximilian Schmi"])[1], "Maximilian S (2)");
        let family = "👩‍👩‍👧";
        let [_, second] = called(&[&family.repeat(3), &family.repeat(3)]).try_into().expect("two");
        assert!(second.len() <= NAME_BYTES_MAX && second.starts_with(family) && second.ends_with(" (2)"), "{second}");
        let marks = "é".repeat(16);
        let name = called(&[marks.as_str(); 120]).pop().expect("the last");
        assert_eq!((name.graphemes(true).count(), name.ends_with(" (120)")), (NAME_GRAPHEMES_MAX, true));
    }
}
