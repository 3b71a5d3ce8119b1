//! What a command says before it works: what it is going to do and about how long that takes.

/// One thing that is going to be done.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// About how long it takes on two cores.
    pub(crate) seconds: u32,
}

/// A number of seconds as one says it, roughly.
pub(crate) fn duration(seconds: u32) -> String {
    match seconds {
        0..=14 => "a few seconds".to_string(),
        15..=45 => "about half a minute".to_string(),
        46..=89 => "about a minute".to_string(),
        _ => format!("about {} minutes", (seconds + 30) / 60),
    }
}

/// Paragraphs as lines that fit a terminal.
pub(crate) fn lines(paragraphs: &[&str]) -> String {
    paragraphs.iter().map(|paragraph| wrapped(paragraph)).collect::<Vec<_>>().join("\n")
}

fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let needed = word.chars().count() + 1;
        if width > 0 && width + needed > WIDTH {
            lines.push('\n');
            width = 0;
        } else if width > 0 {
            lines.push(' ');
        }
        lines.push_str(word);
        width += needed;
    }
    lines
}

const WIDTH: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rough() {
        assert_eq!(duration(5), "a few seconds");
        assert_eq!(duration(30), "about half a minute");
        assert_eq!(duration(80), "about a minute");
        assert_eq!(duration(89 + 1), "about 2 minutes");
        assert_eq!(duration(305), "about 5 minutes");
    }

    #[test]
    fn lines_fit_a_terminal_and_keep_every_word() {
        let text = "word ".repeat(60) + "end";
        let lines = lines(&[&text, "next"]);
        assert!(lines.lines().all(|line| line.len() <= WIDTH), "{lines}");
        assert_eq!(lines.split_whitespace().count(), 62);
        assert!(lines.ends_with("end\nnext"), "{lines}");
    }
}
