//! What `cargo xtask bindings` runs: writes what each page knows of its game, or compares it.
//!
//! `bindings FOLDER [--check]`: `FOLDER` holds a folder for each game that has a page.

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
    for name in games::NAMES {
        let path = Path::new(folder).join(games::bindings_path(name));
        // A game without a folder has no page.
        let (Some(module), true) = (games::bindings(name), path.parent().is_some_and(Path::is_dir)) else { continue };
        let is_same = std::fs::read_to_string(&path).is_ok_and(|written| written == module);
        if is_same {
            continue;
        }
        if checks.is_empty() {
            std::fs::write(&path, module)?;
            println!("{}", path.display());
        } else {
            is_current = false;
            eprintln!("{} is not what the game says: `cargo xtask bindings` writes it", path.display());
        }
    }
    Ok(if is_current { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
