//! What `cargo xtask bindings` runs: writes what the client knows of the protocol and what each page knows
//! of its game, or compares it.
//!
//! `bindings FOLDER [--check]`: `FOLDER` holds the client's package, and one for each game that has a page.

use std::iter;
use std::path::Path;
use std::process::ExitCode;

fn main() -> std::io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (checks, folders): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| *argument == "--check");
    let [folder] = folders.as_slice() else {
        eprintln!("usage: bindings FOLDER [--check]");
        return Ok(ExitCode::FAILURE);
    };
    let mut is_current = true;
    let client = (games::CLIENT_BINDINGS_PATH.to_owned(), games::client_bindings());
    let pages = games::NAMES.iter().filter_map(|name| Some((games::bindings_path(name), games::bindings(name)?)));
    for (path, module) in iter::once(client).chain(pages) {
        let path = Path::new(folder).join(path);
        // A game without a package has no page.
        if !path.parent().is_some_and(Path::is_dir) {
            continue;
        }
        let is_same = std::fs::read_to_string(&path).is_ok_and(|written| written == module);
        if is_same {
            continue;
        }
        if checks.is_empty() {
            std::fs::write(&path, module)?;
            println!("{}", path.display());
        } else {
            is_current = false;
            eprintln!("{} is not what the code says: `cargo xtask bindings` writes it", path.display());
        }
    }
    Ok(if is_current { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
