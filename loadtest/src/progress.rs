//! How a run goes, on standard error: one line that is written over on a terminal, and a line now
//! and then elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex};

use crate::run::{News, Progress};
use crate::show::console;

/// Seconds between lines where standard error is no terminal.
const QUIET_SECONDS: u64 = 10;
/// Of a terminal that does not say how wide it is.
const WIDTH: usize = 80;
/// Blocks of the bar that fills as the run goes on.
const BAR: u64 = 10;

/// Writes what a run of so many users tells, unless nobody wants to know.
pub fn to_stderr(users: u64, is_quiet: bool) -> Progress {
    if is_quiet {
        return Arc::new(Mutex::new(|_: News| {}));
    }
    let is_terminal = std::io::stderr().is_terminal();
    let mut seconds = 0;
    Arc::new(Mutex::new(move |news: News| {
        seconds += u64::from(matches!(news, News::Second { .. }));
        let line = line(&news, users);
        let mut stderr = std::io::stderr().lock();
        // Nobody to tell is no reason to stop.
        let _ = if is_terminal {
            let width = terminal_size::terminal_size_of(std::io::stderr()).map_or(WIDTH, |(width, _)| usize::from(width.0));
            write!(stderr, "\r\x1b[2K{}", cut(&line, width)).and_then(|()| stderr.flush())
        } else if matches!(news, News::Second { .. }) && seconds % QUIET_SECONDS == 1 {
            writeln!(stderr, "{line}")
        } else {
            Ok(())
        };
    }))
}

/// The terminal's next line, where one that is written over was not ended.
pub fn end_line(is_quiet: bool) {
    if !is_quiet && std::io::stderr().is_terminal() {
        eprintln!();
    }
}

fn line(news: &News, users: u64) -> String {
    match news {
        News::Second { second, of } => {
            let time = of.map_or_else(|| format!("{:.0} s", second.at), |of| bar(second.at as u64, of));
            format!("{time}  {}", console::progress_line(second, users))
        }
        News::Seats(held) => format!("everyone has left; the server still holds {held} seats, waiting for it to free them"),
    }
}

/// How much of the run is over.
fn bar(at: u64, of: u64) -> String {
    let full = (at.min(of) * BAR / of.max(1)) as usize;
    format!("[{}{}] {}/{of} s", "#".repeat(full), ".".repeat(BAR as usize - full), at.min(of))
}

/// As much of a line as fits: one that wraps cannot be written over.
fn cut(line: &str, width: usize) -> String {
    if line.chars().count() < width {
        return line.to_owned();
    }
    line.chars().take(width.saturating_sub(2)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Second;

    #[test]
    fn a_line_says_how_far_it_is_and_fits_its_terminal() {
        let second = Second { at: 15.2, users: 7, ..Second::default() };
        let told = line(&News::Second { second: &second, of: Some(60) }, 20);
        assert!(told.starts_with("[##........] 15/60 s  7/20 users"), "{told}");
        assert_eq!((cut(&told, 20).as_str(), cut("short", 20).as_str()), ("[##........] 15/60…", "short"));
        assert!(line(&News::Second { second: &second, of: None }, 20).starts_with("15 s  7/20 users"));
        assert_eq!(bar(99, 60), "[##########] 60/60 s");
        assert!(line(&News::Seats(3), 20).contains("still holds 3 seats"));
    }
}
