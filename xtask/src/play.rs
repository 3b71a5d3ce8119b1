//! `cargo xtask play`: everything built, and the server running in its place.

use crate::console::Console;
use crate::machine::Machine;
use crate::plan::{self, Part};
use crate::wasm::{self, Compiler};
use crate::{page, server, workspace};
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The players' port; the operator's page takes the next one, metrics the one after
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Build the server quickly rather than build a quick server
    #[arg(long)]
    debug: bool,
    /// Further flags for the server, after `--`
    #[arg(last = true, value_name = "SERVER FLAGS")]
    server_flags: Vec<OsString>,
}

pub(crate) fn run(console: &Console, args: &Args) -> Result<ExitCode> {
    console.say(&plan(args));
    console.step("Building the browser module", wasm::build_and_say)?;
    console.step("Installing the page's packages", |step| page::install_packages(step).map(|work| work.say(step)))?;
    console.step("Building the page", |step| page::build(step).map(|work| work.say(step)))?;
    let binary = console.step("Building the server", |step| server::build_for_play(step, args.debug))?;
    let token = ensure_admin_token(&workspace::state_dir()?)?;

    let mut server = Command::new(binary);
    server.arg("--port").arg(args.port.to_string()).arg("--web-dir").arg(page::dist());
    server.arg("--admin-token-file").arg(token).args(&args.server_flags);
    if args.port != 0 {
        println!("Starting the server: open http://127.0.0.1:{}/ and play. Ctrl-C stops it.", args.port);
        std::io::stdout().flush()?;
    }
    become_server(&mut server)
}

/// What is going to happen, and how long that takes.
fn plan(args: &Args) -> String {
    let address = if args.port == 0 { "a free port".to_string() } else { format!("http://127.0.0.1:{}/", args.port) };
    let parts = parts(args.debug);
    let outline = if parts.is_empty() {
        "Everything has been built before: this takes a few seconds, or up to two minutes if the code has changed.".to_string()
    } else {
        let time = plan::duration(parts.iter().map(|part| part.seconds).sum());
        let names = parts.iter().map(|part| part.name).collect::<Vec<_>>().join(", ");
        format!("Not done here yet: {names}. That takes {time} on two cores; afterwards, seconds.")
    };
    plan::lines(&[&format!("This builds the game and serves it on {address}."), &outline])
}

/// What has never been done in this checkout, with what each part takes on two cores.
fn parts(debug: bool) -> Vec<Part> {
    let part = |is_done: bool, name, seconds| (!is_done).then_some(Part { name, seconds });
    let parts = [
        part(Compiler::find(&Machine::this()).is_some(), "install a compiler for WebAssembly", 60),
        part(wasm::output_path().is_file(), "compile the browser module", 75),
        part(page::packages_are_current(&page::dir()), "install the page's packages", 15),
        part(page::is_built(), "build the page", 5),
        part(server::binary_for_play(debug).is_file(), "compile the server", 150),
    ];
    parts.into_iter().flatten().collect()
}

/// The server takes this process over, so that signals, the terminal and the exit code are its own.
#[cfg(unix)]
fn become_server(server: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = server.exec();
    Err(error).with_context(|| format!("cannot start {}", server.get_program().to_string_lossy()))
}

#[cfg(not(unix))]
fn become_server(server: &mut Command) -> Result<ExitCode> {
    let status = server.status().with_context(|| format!("cannot start {}", server.get_program().to_string_lossy()))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The operator's password on this machine: made once, readable by its owner alone.
pub(crate) fn ensure_admin_token(dir: &Path) -> Result<PathBuf> {
    let path = dir.join("admin-token");
    if fs::read_to_string(&path).is_ok_and(|token| token.trim().len() >= ADMIN_TOKEN_BYTES * 2) {
        owner_only(&path)?;
        return Ok(path);
    }
    let mut random = [0_u8; ADMIN_TOKEN_BYTES];
    getrandom::fill(&mut random).context("cannot get random bytes")?;
    let mut token = String::new();
    for byte in random {
        write!(token, "{byte:02x}")?;
    }
    // Removed first: a file that is already there keeps its permissions.
    let _ = fs::remove_file(&path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&path).and_then(|mut file| writeln!(file, "{token}"));
    written.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

#[cfg(unix)]
fn owner_only(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).with_context(|| format!("cannot protect {}", path.display()))
}

#[cfg(not(unix))]
fn owner_only(_path: &Path) -> Result<()> {
    Ok(())
}

const ADMIN_TOKEN_BYTES: usize = 32;

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn token_and_mode(path: &Path) -> (String, u32) {
        let token = fs::read_to_string(path).expect("a token").trim().to_string();
        (token, fs::metadata(path).expect("a token").permissions().mode() & 0o777)
    }

    #[test]
    fn the_admin_token_is_made_once_and_private() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (first, mode) = token_and_mode(&ensure_admin_token(dir.path()).expect("a token"));
        assert_eq!((first.len(), mode), (64, 0o600));
        assert!(first.bytes().all(|byte| byte.is_ascii_hexdigit()));

        fs::set_permissions(dir.path().join("admin-token"), fs::Permissions::from_mode(0o644)).expect("loosened");
        assert_eq!(token_and_mode(&ensure_admin_token(dir.path()).expect("a token")), (first, 0o600));
    }

    #[test]
    fn an_empty_admin_token_is_replaced() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join("admin-token"), "\n").expect("an empty token");
        let (token, mode) = token_and_mode(&ensure_admin_token(dir.path()).expect("a token"));
        assert_eq!((token.len(), mode), (64, 0o600));
    }
}
