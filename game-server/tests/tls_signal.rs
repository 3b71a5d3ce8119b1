//! SIGHUP asks the `tickwire` binary to look at its certificate: a good one is in force at once, a
//! bad one is told, and nobody is disconnected by either.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work
#![cfg(unix)]

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use rcgen::{CertificateParams, KeyPair};

/// A certificate for localhost and its key, in PEM.
fn pair() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

/// Writes both files. The server looks every two seconds as well, and may find one of two: it says
/// so and waits for the other.
fn write(folder: &Path, cert: &str, key: &str) {
    for (name, text) in [("cert.pem", cert), ("key.pem", key)] {
        std::fs::write(folder.join("new"), text).expect("written");
        std::fs::rename(folder.join("new"), folder.join(name)).expect("renamed");
    }
}

struct Running {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
}

impl Running {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
        command.args(["--port", "0", "--no-admin", "--game", "tag", "--workers", "1", "--set", "ops.port=0"]);
        command.arg("--tls-cert").arg(folder.join("cert.pem")).arg("--tls-key").arg(folder.join("key.pem"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let stdout = BufReader::new(child.stdout.take().expect("standard output"));
        let first = stdout.lines().next().expect("a line").expect("UTF-8");
        assert!(first.starts_with("tickwire: play   https://127.0.0.1:"), "{first}");
        let log = BufReader::new(child.stderr.take().expect("standard error")).lines();
        Self { child, log }
    }

    fn hang_up(&self) {
        let script = format!("kill -HUP {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &script]).status().expect("a shell").success());
    }

    /// Reads on until a line of the log has this.
    fn says(&mut self, part: &str) -> String {
        let line = self.log.by_ref().map(|line| line.expect("UTF-8")).find(|line| line.contains(part));
        line.unwrap_or_else(|| panic!("it ended and never said `{part}`"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_hangup_looks_at_the_certificate_and_ends_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, new) = (pair(), pair());
    write(folder.path(), &old.0, &old.1);
    let mut server = Running::start(folder.path());
    // The signal is caught once the operators' thread runs, which its listeners being there does
    // not show.
    server.says("server starts");
    server.says("the certificate is looked at");
    server.hang_up();
    server.says("certificate and key have not changed");
    write(folder.path(), &new.0, &old.1);
    server.hang_up();
    let refused = server.says("the old certificate stays in force");
    assert!(refused.contains("do not work") && !refused.contains("PRIVATE KEY"), "{refused}");
    write(folder.path(), &new.0, &new.1);
    server.hang_up();
    server.says("a new certificate is in force");
}
