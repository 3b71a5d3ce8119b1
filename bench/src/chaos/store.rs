//! The Redis that the nodes share, and a gate before it for each node, which can be shut.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use tickwire_bench::process::signal;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A Redis of this run's own, which keeps nothing on disk.
pub(crate) struct Redis {
    child: Child,
    program: PathBuf,
    dir: PathBuf,
    port: u16,
}

impl Redis {
    /// Starts one on a free port, with `dir` as its folder.
    pub(crate) fn start(program: &Path, dir: &Path) -> Result<Self> {
        // It takes no port that the system chooses: one that was free just now.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).context("no free port")?.port();
        let child = spawn(program, dir, port)?;
        Ok(Self { child, program: program.to_owned(), dir: dir.to_owned(), port })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// It dies, with all that it had.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill().context("the store cannot be killed")?;
        self.child.wait().map(drop).context("the store does not end")
    }

    /// It is there again, empty.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.child = spawn(&self.program, &self.dir, self.port)?;
        Ok(())
    }

    /// It forgets everything.
    pub(crate) fn wipe(&self) -> Result<()> {
        if ask(self.port, "FLUSHALL").is_some_and(|answer| answer.starts_with("+OK")) { Ok(()) } else { bail!("the store cannot be wiped") }
    }

    /// It does nothing until [`Self::go_on`].
    pub(crate) fn stop(&self) -> Result<()> {
        signal(self.pid(), Signal::STOP)
    }

    /// See [`Self::stop`].
    pub(crate) fn go_on(&self) -> Result<()> {
        signal(self.pid(), Signal::CONT)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(program: &Path, dir: &Path, port: u16) -> Result<Child> {
    let mut command = Command::new(program);
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no", "--dir"]).arg(dir);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().with_context(|| format!("cannot start {}: is Redis installed?", program.display()))?;
    let began = Instant::now();
    while ask(port, "PING").is_none_or(|answer| answer != "+PONG\r\n") {
        if began.elapsed() > PATIENCE || child.try_wait().is_ok_and(|status| status.is_some()) {
            let _ = child.kill();
            let _ = child.wait();
            bail!("the store does not answer on port {port}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(child)
}

/// One short command and its answer.
fn ask(port: u16, command: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(format!("{command}\r\n").as_bytes()).ok()?;
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).ok()?;
    Some(String::from_utf8_lossy(answer.get(..length)?).into_owned())
}

/// What one node's connections to the store go through.
pub(crate) struct Gate {
    port: u16,
    is_shut: watch::Sender<bool>,
}

impl Gate {
    /// Open, to the Redis.
    pub(crate) async fn before(redis: &Redis) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("no free port")?;
        let (is_shut, shut) = watch::channel(false);
        let (port, to) = (listener.local_addr()?.port(), redis.port);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(pass(near, to, shut.clone()));
            }
        });
        Ok(Self { port, is_shut })
    }

    /// What the node is told of the store.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Lets nothing through, as a network that has lost its way; or lets all through again.
    pub(crate) fn shut(&self, is_shut: bool) {
        self.is_shut.send_replace(is_shut);
    }
}

async fn pass(near: tokio::net::TcpStream, to: u16, mut shut: watch::Receiver<bool>) {
    let _ = shut.wait_for(|is_shut| !is_shut).await;
    let Ok(far) = tokio::net::TcpStream::connect(("127.0.0.1", to)).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    // When one direction ends, so does the connection.
    tokio::select! {
        () = carry(near_in, far_out, shut.clone()) => {}
        () = carry(far_in, near_out, shut) => {}
    }
}

async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut shut: watch::Receiver<bool>) {
    let mut bytes = vec![0; 64 << 10];
    loop {
        let Ok(length @ 1..) = from.read(&mut bytes).await else { return };
        if shut.wait_for(|is_shut| !is_shut).await.is_err() || to.write_all(bytes.get(..length).unwrap_or_default()).await.is_err() {
            return;
        }
    }
}
