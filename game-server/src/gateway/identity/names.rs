//! Makes what people type as their name fit to be shown to others.
//!
//! Cleaning is for layout and honesty, not for HTML: the page shows names as text. Invariant:
//! cleaning a clean name changes nothing.

use tickwire_protocol::limits::{NAME_BYTES_MAX, NAME_GRAPHEMES_MAX};
use tickwire_protocol::text::Name;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// For those who give no name that can be seen.
pub(crate) const DEFAULT_NAME: &str = "Player";

/// Marks that may be stacked on one character. Living scripts need no more; a tower of them covers
/// other people's lines.
const MARKS_MAX: usize = 4;

/// `typed` without what cannot be seen or would disturb the text around it, composed (NFC), and cut
/// to the limits.
pub(crate) fn clean(typed: &str) -> Name {
    let visible: String = typed.chars().filter(|c| c.is_whitespace() || !is_disturbing(*c)).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let mut marks = 0;
    let composed: String = words.join(" ").nfc().filter(|c| !is_one_mark_too_many(*c, &mut marks)).collect();
    let graphemes = composed.grapheme_indices(true).take(NAME_GRAPHEMES_MAX);
    let ends = graphemes.map(|(start, grapheme)| start + grapheme.len()).take_while(|end| *end <= NAME_BYTES_MAX);
    let name = composed.get(..ends.last().unwrap_or(0)).unwrap_or_default().trim();
    let seen = name.chars().any(|c| !is_joiner(c) && !is_combining_mark(c) && !c.is_whitespace());
    Name::truncated(if seen { name } else { DEFAULT_NAME })
}

/// Counts the `marks` on a character, before anything is cut: cutting inside a cluster would change
/// what clusters with what.
fn is_one_mark_too_many(c: char, marks: &mut usize) -> bool {
    if is_combining_mark(c) {
        *marks += 1;
    } else if !is_joiner(c) {
        *marks = 0;
    }
    is_combining_mark(c) && *marks > MARKS_MAX
}

/// Control characters, bidirectional marks and overrides, and characters that show as nothing.
fn is_disturbing(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}' | '\u{1d173}'..='\u{1d17a}' | '\u{e000}'..='\u{f8ff}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

/// Characters that mean something only between others: joiners in scripts and emoji, variation
/// selectors.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(typed: &str) -> String {
        clean(typed).as_str().to_owned()
    }

    #[test]
    fn ordinary_names_stay() {
        for name in ["Ada", "José", "李雷", "Ольга", "محمد", "नमस्ते", "👩‍👩‍👧‍👦", "x", "a<b>&\"c'"]
        {
            assert_eq!(cleaned(name), name);
        }
    }

    #[test]
    fn white_space_collapses_and_control_characters_go() {
        assert_eq!(cleaned("  Ada \t\r\n Lovelace  "), "Ada Lovelace");
        assert_eq!(cleaned("A\u{0}d\u{1b}[31ma\u{7f}"), "Ad[31ma");
        assert_eq!(cleaned("A\u{2028}da\u{3000}L"), "A da L");
    }

    #[test]
    fn bidirectional_and_invisible_characters_go() {
        assert_eq!(cleaned("\u{202e}nimda\u{202c}"), "nimda");
        assert_eq!(cleaned("A\u{200b}d\u{2066}a\u{feff}\u{e0041}"), "Ada");
    }

    #[test]
    fn what_cannot_be_seen_becomes_the_default() {
        for nothing in ["", "   ", "\u{200b}", "\u{3164}\u{3164}", "\u{200d}", "\u{fe0f}", "\u{301}", "\u{2800}", "\n"] {
            assert_eq!(cleaned(nothing), DEFAULT_NAME, "{nothing:?}");
        }
    }

    #[test]
    fn names_are_composed() {
        assert_eq!(cleaned("Jose\u{301}"), "Jos\u{e9}");
        assert_eq!(cleaned("e\u{200b}\u{301}"), "\u{e9}", "also when something stood between");
    }

    #[test]
    fn length_is_capped_in_what_people_see_and_in_bytes() {
        assert_eq!(cleaned(&"é".repeat(40)), "é".repeat(NAME_GRAPHEMES_MAX));
        let families = cleaned(&"👩‍👩‍👧‍👦".repeat(16));
        assert!(families.len() <= NAME_BYTES_MAX && families.ends_with('👦'), "no family is torn apart");
        let tower = cleaned(&format!("Z{}", "\u{335}".repeat(30)));
        assert_eq!(tower.chars().count(), 1 + MARKS_MAX);
    }

    proptest::proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(typed in "\\PC{0,40}|[a\\u{301}\\u{200d}\\u{fe0f} \\u{1f469}\\u{335}]{0,60}") {
            let once = clean(&typed);
            assert_eq!(clean(once.as_str()), once);
            assert!(once.as_str().len() <= NAME_BYTES_MAX && !once.as_str().is_empty());
            assert!(once.as_str().graphemes(true).count() <= NAME_GRAPHEMES_MAX);
        }
    }
}
