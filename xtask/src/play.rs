//! `cargo xtask play`: everything built, and the server running in its place.
//!
//! Its matches are kept in `target/tickwire`, one folder a port, and it is started again when it
//! dies. A second `play` on the same port builds, and then has the first one go on with the new
//! build and the matches there are. Ctrl-C ends matches.

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

    let state = workspace::state_dir()?;
    let note = Note::of(&state, args.port);
    if let Some(running) = note.running(&binary) {
        freeze(running)?;
        println!("The server that runs here (process {running}) goes on with this build, and so do its matches: its terminal says more.");
        println!("It has the flags that it was started with.");
        return Ok(ExitCode::SUCCESS);
    }
    let mut server = Command::new(binary);
    server.arg("--port").arg(args.port.to_string()).arg("--web-dir").arg(page::dist());
    server.arg("--admin-token-file").arg(token).args(keeping(&state, args)).args(&args.server_flags);
    if args.port != 0 {
        note.write()?;
        println!(
            "Starting the server: open http://127.0.0.1:{}/ and play. Ctrl-C stops it; a second `cargo xtask play` has it go on with a new build.",
            args.port
        );
        std::io::stdout().flush()?;
    }
    become_server(&mut server)
}

/// The flags with which the server outlives its process, unless its user has chosen otherwise.
fn keeping(state: &Path, args: &Args) -> Vec<OsString> {
    let chosen = |flag: &OsString| {
        let flag = flag.to_string_lossy();
        ["--state-dir", "--no-journal", "--store", "--config"].iter().any(|known| flag == *known || flag.starts_with(&format!("{known}=")))
    };
    let mut flags = Vec::new();
    if cfg!(unix) {
        flags.push("--supervise".into());
    }
    if args.port != 0 && !args.server_flags.iter().any(chosen) {
        flags.push("--state-dir".into());
        flags.push(state.join(format!("matches-{}", args.port)).into());
    }
    flags
}

/// Says which process plays on a port.
struct Note {
    file: PathBuf,
    port: u16,
}

impl Note {
    fn of(state: &Path, port: u16) -> Self {
        Self { file: state.join(format!("play-{port}.pid")), port }
    }

    /// This process becomes the server.
    fn write(&self) -> Result<()> {
        fs::write(&self.file, std::process::id().to_string()).with_context(|| format!("cannot write {}", self.file.display()))
    }

    /// The process that was noted, if it still is `binary` on this port, and looks after itself.
    fn running(&self, binary: &Path) -> Option<u32> {
        let noted = fs::read_to_string(&self.file).ok()?.trim().parse().ok()?;
        is_server(&command_of(noted)?, binary, self.port).then_some(noted)
    }
}

/// Whether a command line is that of a supervisor of `binary` on `port`, as `run` starts it.
fn is_server(command: &str, binary: &Path, port: u16) -> bool {
    let Some(arguments) = command.strip_prefix(&*binary.to_string_lossy()) else { return false };
    let words: Vec<&str> = arguments.split_whitespace().collect();
    let is_on_port = words.windows(2).any(|pair| pair == ["--port", port.to_string().as_str()]);
    is_on_port && words.contains(&"--supervise") && port != 0
}

/// The command line of a process, as far as the system says.
fn command_of(pid: u32) -> Option<String> {
    if cfg!(target_os = "linux") {
        let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        return Some(words.replace('\0', " "));
    }
    let listed = Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output().ok()?;
    String::from_utf8(listed.stdout).ok()
}

/// Has a server write its matches down, for the next one: its supervisor starts that at once.
fn freeze(pid: u32) -> Result<()> {
    let sent = Command::new("sh").args(["-c", &format!("kill -USR2 {pid}")]).status().context("cannot send a signal")?;
    anyhow::ensure!(sent.success(), "process {pid} takes no signal from this user: stop that server first");
    Ok(())
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

    fn args(port: u16, flags: &[&str]) -> Args {
        Args { port, debug: true, server_flags: flags.iter().map(OsString::from).collect() }
    }

    #[test]
    fn matches_are_kept_unless_their_user_says_where_or_not_at_all() {
        let flags = |port, flags: &[&str]| keeping(Path::new("/t"), &args(port, flags)).join(&OsString::from(" ")).into_string();
        assert_eq!(flags(8080, &["--game", "tag"]).as_deref(), Ok("--supervise --state-dir /t/matches-8080"));
        assert_eq!(flags(0, &[]).as_deref(), Ok("--supervise"));
        for chosen in ["--state-dir=/s", "--state-dir", "--no-journal", "--store=redis://127.0.0.1/"] {
            assert_eq!(flags(8080, &[chosen]).as_deref(), Ok("--supervise"), "{chosen}");
        }
    }

    #[test]
    fn only_a_server_of_this_checkout_on_this_port_is_told_to_go_on() {
        let binary = Path::new("/t/release/tickwire");
        let ours = "/t/release/tickwire --port 8080 --web-dir /p --supervise --state-dir /t/matches-8080 ";
        assert!(is_server(ours, binary, 8080));
        for other in [
            "/t/release/tickwire --port 8081 --supervise",
            "/t/release/tickwire --port 8080",
            "/t/debug/tickwire --port 8080 --supervise",
            "vi /t/release/tickwire --port 8080 --supervise",
            "",
        ] {
            assert!(!is_server(other, binary, 8080), "{other}");
        }
        let state = tempfile::tempdir().expect("a temporary folder");
        let note = Note::of(state.path(), 8080);
        assert_eq!(note.running(binary), None);
        note.write().expect("written");
        assert_eq!(note.running(binary), None, "this process is no server");
        assert!(command_of(std::process::id()).is_some_and(|command| command.contains("xtask")));
    }

    #[test]
    fn an_empty_admin_token_is_replaced() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join("admin-token"), "\n").expect("an empty token");
        let (token, mode) = token_and_mode(&ensure_admin_token(dir.path()).expect("a token"));
        assert_eq!((token.len(), mode), (64, 0o600));
    }
}
