//! The `tickwire` binary: the server, running one of the games that come with it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use clap::builder::PossibleValuesParser;
use tickwire_game::{Game, GameVisitor};
use tickwire_journal::LockError;
use tickwire_server::config::flags::Flags;
use tickwire_server::config::load::ENV_PREFIX;
use tickwire_server::config::state_dir;
use tickwire_server::drain::{Stop, StopSignals};
use tickwire_server::server::{RunningServer, StartError, read_admin_token};
use tickwire_server::sockets::Sockets;
#[cfg(unix)]
use tickwire_server::supervise;
use tickwire_server::{Config, Server, systemd, telemetry};

/// An authoritative server for browser games.
///
/// Every setting can also be given in a TOML file (--config) or in the environment. --print-config
/// shows them all.
#[derive(Parser)]
#[command(name = "tickwire", version, max_term_width = 100)]
#[command(after_help = "In the environment, connections.total is TICKWIRE_CONNECTIONS__TOTAL. docs/OPERATING.md explains every setting.")]
struct Cli {
    /// The game to run
    #[arg(long, value_parser = PossibleValuesParser::new(games::NAMES))]
    game: Option<String>,
    #[command(flatten)]
    flags: Flags,
    /// Start the server again whenever it dies, and keep its ports open meanwhile (not on Windows)
    #[arg(long)]
    supervise: bool,
    /// The process that starts this one again
    #[arg(long, hide = true, value_name = "PID", conflicts_with = "supervise")]
    supervised_by: Option<u32>,
}

/// See [`supervise::EXIT_SETTINGS`]; also where there is no supervisor.
const EXIT_SETTINGS: u8 = 78;
/// See [`supervise::EXIT_FROZEN`]; also where there is no supervisor.
const EXIT_FROZEN: u8 = 75;

/// Starts a server of a game.
struct Start(Config, Sockets);

impl GameVisitor for Start {
    type Output = Result<RunningServer, StartError>;

    fn visit<G: Game>(self) -> Self::Output {
        Server::start_on::<G>(self.0, self.1)
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let is_managed = cli.supervised_by.is_some() || std::env::var_os("NOTIFY_SOCKET").is_some();
    let (error, is_settings) = match configure(&cli) {
        Ok(config) => match run(&cli, config) {
            Ok(code) => return code,
            Err(error) => {
                let is_settings = error.downcast_ref::<StartError>().is_some_and(StartError::is_settings);
                (error, is_settings)
            }
        },
        Err(error) => (error, true),
    };
    // In one piece: a supervisor writes to the same place. There is nobody to tell if that fails.
    let _ = std::io::stderr().write_all(format!("tickwire: {error:#}\n").as_bytes());
    // Whoever would start it again must know that this does not help.
    if is_settings && is_managed { ExitCode::from(EXIT_SETTINGS) } else { ExitCode::FAILURE }
}

/// The settings in force.
fn configure(cli: &Cli) -> anyhow::Result<Config> {
    let mut config = Config::load(&cli.flags, environment()?)?;
    config.game = cli.game.clone().or(config.game);
    let game = config.game.as_deref().unwrap_or(games::MainGame::NAME);
    if !games::NAMES.contains(&game) {
        bail!("there is no game `{game}`: this binary has {}", games::NAMES.join(" and "));
    }
    Ok(config)
}

fn run(cli: &Cli, config: Config) -> anyhow::Result<ExitCode> {
    if cli.flags.print_config {
        print!("{}", config.to_toml());
        return Ok(ExitCode::SUCCESS);
    }
    if cli.flags.check_config {
        Server::check(&config)?;
        println!("tickwire: the settings are good");
        return Ok(ExitCode::SUCCESS);
    }

    let mut sockets = Sockets::handed_over()?;
    telemetry::init(&config);
    if cli.supervise {
        return supervise(&config, sockets);
    }
    if let Some(supervisor) = cli.supervised_by {
        enter(supervisor, &mut sockets)?;
    }
    serve(config, sockets, cli.supervised_by.is_some())
}

/// Runs the server until a signal stops it.
fn serve(mut config: Config, sockets: Sockets, is_supervised: bool) -> anyhow::Result<ExitCode> {
    if config.journal.dir.as_os_str().is_empty() && !config.cluster.is_on() {
        config.journal.dir = choose_dir(config.port).unwrap_or_default();
    }
    let game = config.game.clone().unwrap_or_else(|| games::MainGame::NAME.to_owned());
    let mut signals = StopSignals::catch(is_supervised).context("cannot catch signals")?;
    let grace = Duration::from_secs(config.drain_seconds);
    let token = config.admin.token_file.as_deref().filter(|_| config.admin.enabled && config.admin.print_token).map(Path::to_owned);
    let keeps = config.journal.is_on() || config.cluster.is_on();
    let server = games::with(&game, Start(config, sockets)).context("the game is gone")??;
    announce(&server, token.as_deref())?;
    systemd::ready(server.pulse());
    let stop = signals.wait();
    systemd::stopping();
    signals.force_on_next().context("cannot start a thread")?;
    if stop == Stop::Freeze && keeps {
        tracing::info!("matches are written as they stand, for the next process");
        server.freeze();
        return Ok(ExitCode::from(EXIT_FROZEN));
    }
    if stop == Stop::Freeze {
        tracing::warn!("matches are not kept, so they cannot be frozen: they end. --state-dir names a folder for them");
    }
    tracing::info!(grace_s = grace.as_secs(), "stopping; a second signal stops at once");
    server.drain(grace);
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Where matches are kept if nobody says where. `None` if there is no such place, or if it cannot
/// be written: who did not ask for it is told, and plays.
fn choose_dir(port: u16) -> Option<PathBuf> {
    let dir = state_dir::default_dir(port, |name| std::env::var_os(name))?;
    match tickwire_journal::lock(&dir) {
        Err(error @ LockError::Io { .. }) => {
            tracing::warn!(%error, "matches are not kept: they end with this process. --state-dir names a folder for them");
            None
        }
        // Whoever else uses it is reported when it is opened.
        Ok(_) | Err(LockError::InUse(_)) => Some(dir),
    }
}

/// Starts this program again without `--supervise`, as often as it dies.
#[cfg(unix)]
fn supervise(config: &Config, mut sockets: Sockets) -> anyhow::Result<ExitCode> {
    Server::check(config)?;
    sockets.bind(config)?;
    let arguments: Vec<_> = std::env::args_os().skip(1).filter(|argument| argument != "--supervise").collect();
    supervise::run(&config.supervise, config.connections.total, &sockets, &arguments).context("cannot start the server's process")
}

#[cfg(not(unix))]
fn supervise(_: &Config, _: Sockets) -> anyhow::Result<ExitCode> {
    bail!("--supervise hands sockets from process to process, which this system does not: let a service manager start the server again")
}

/// What a server does first whose supervisor started it.
#[cfg(unix)]
fn enter(supervisor: u32, sockets: &mut Sockets) -> anyhow::Result<()> {
    supervise::enter(supervisor)?;
    sockets.take_over_players();
    Ok(())
}

#[cfg(not(unix))]
fn enter(_: u32, _: &mut Sockets) -> anyhow::Result<()> {
    bail!("there are no supervisors on this system")
}

/// Says where the server is: one line per listener, when all of them listen. The operator's link
/// carries the token, so that following it is enough.
fn announce(server: &RunningServer, token_file: Option<&Path>) -> anyhow::Result<()> {
    let mut lines = vec![format!("play   {}", server.play_url())];
    lines.extend(server.fingerprint().map(|fingerprint| format!("tls    SHA-256 {fingerprint}")));
    if let Some(url) = server.admin_url() {
        let fragment = token_file.map(|file| read_admin_token(Some(file)).map(|token| format!("#token={token}"))).transpose()?;
        lines.push(format!("admin  {url}{}", fragment.unwrap_or_default()));
    }
    lines.push(format!("ops    http://{}/metrics", server.ops_addr()));
    let text = lines.iter().fold(String::new(), |text, line| text + "tickwire: " + line + "\n");
    let mut out = std::io::stdout().lock();
    // Whoever started the server may read one line only and close its end. The matches go on.
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        tracing::warn!(%error, "standard output is closed: where the server is was not told");
    }
    Ok(())
}

/// The environment variables that are settings.
fn environment() -> anyhow::Result<Vec<(String, String)>> {
    let mut settings = Vec::new();
    for (variable, value) in std::env::vars_os() {
        let Some(variable) = variable.to_str().filter(|variable| variable.starts_with(ENV_PREFIX)) else { continue };
        let value = value.into_string().ok().with_context(|| format!("{variable} is not UTF-8"))?;
        settings.push((variable.to_owned(), value));
    }
    Ok(settings)
}
