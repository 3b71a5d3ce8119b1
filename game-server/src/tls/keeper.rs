//! The certificate that is in force, and its successor.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::server::{ProducesTickets, ServerConfig};

use super::line::Line;
use super::material::{Files, Material, MaterialError, ticketer};
use super::self_signed;
use crate::config::TlsConfig;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often an expiry that is near is told.
const WARN_EVERY: Duration = Duration::from_hours(24);
/// Certificates are renewed weeks before: one that expires so soon was forgotten.
const NEAR: Duration = Duration::from_hours(14 * 24);

/// Keeps what is in force.
#[derive(Debug)]
pub(crate) struct Keeper {
    /// Where it comes from; `None` if it was made here.
    files: Option<(PathBuf, PathBuf)>,
    ticketer: Arc<dyn ProducesTickets>,
    in_force: RwLock<InForce>,
    /// What was tried last, good or bad: it is not tried again.
    tried: Mutex<Option<Files>>,
    line: Line,
}

#[derive(Clone, Debug)]
struct InForce {
    config: Arc<ServerConfig>,
    expiry: Option<SystemTime>,
    fingerprint: String,
    #[cfg(test)]
    certificate: rustls::pki_types::CertificateDer<'static>,
}

impl Keeper {
    /// As the operator set it, for who listens on `bind`. `None` without TLS.
    pub(crate) fn new(config: &TlsConfig, bind: IpAddr) -> Result<Option<Self>, MaterialError> {
        if config.self_signed {
            return Self::of(self_signed::make(bind)?, None, None).map(Some);
        }
        let (Some(cert), Some(key)) = (&config.cert, &config.key) else { return Ok(None) };
        let files = Files::read(cert, key)?;
        let material = Material::parse(&files, cert, key)?;
        Self::of(material, Some((cert.clone(), key.clone())), Some(files)).map(Some)
    }

    fn of(material: Material, files: Option<(PathBuf, PathBuf)>, tried: Option<Files>) -> Result<Self, MaterialError> {
        let ticketer = ticketer()?;
        let in_force = InForce::new(material, &ticketer)?;
        in_force.warn_if_near();
        Ok(Self { files, ticketer, in_force: RwLock::new(in_force), tried: Mutex::new(tried), line: Line::default() })
    }

    /// What a new connection is answered with.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.in_force().config
    }

    /// The certificate in force, for tests that must believe it.
    #[cfg(test)]
    pub(crate) fn certificate(&self) -> rustls::pki_types::CertificateDer<'static> {
        self.in_force().certificate
    }

    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// What tells a certificate that was made here from any other: the SHA-256 of it, as browsers
    /// show it. `None` if others vouch for it.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        if self.files.is_none() { Some(self.in_force().fingerprint) } else { None }
    }

    /// Seconds until the certificate is over, negative since then. `None` if it does not say.
    pub(crate) fn expires_in(&self) -> Option<f64> {
        let expiry = self.in_force().expiry?;
        Some(match expiry.duration_since(SystemTime::now()) {
            Ok(left) => left.as_secs_f64(),
            Err(error) => -error.duration().as_secs_f64(),
        })
    }

    /// Takes over new files when they have changed or a SIGHUP has come, for ever.
    pub(crate) async fn watch(self: Arc<Self>) {
        let mut asked = Hangups::new();
        let mut told = tokio::time::Instant::now();
        tracing::info!(expires_in_days = self.in_force().days_left(), "the certificate is looked at, on SIGHUP too");
        loop {
            let is_asked = tokio::select! {
                () = asked.next() => true,
                () = tokio::time::sleep(LOOK_EVERY) => false,
            };
            let keeper = Arc::clone(&self);
            // Files may be anywhere, also where reading takes long.
            let looked = tokio::task::spawn_blocking(move || keeper.look(is_asked)).await;
            if let Err(error) = looked {
                tracing::error!(%error, "the certificate's files cannot be looked at");
            }
            if told.elapsed() >= WARN_EVERY {
                told = tokio::time::Instant::now();
                self.in_force().warn_if_near();
            }
        }
    }

    /// Takes over what the files hold, if that has changed and works. Whoever `is_asked` tells what
    /// came of it in any case.
    pub(super) fn look(&self, is_asked: bool) {
        let Some((cert, key)) = &self.files else {
            if is_asked {
                tracing::info!("SIGHUP: the certificate was made at the start and stays as it is");
            }
            return;
        };
        let read = Files::read(cert, key);
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        let files = match read {
            Ok(files) => files,
            // Whoever replaces a file may have removed it first: it is looked for again.
            Err(error) => {
                if is_asked || tried.take().is_some() {
                    tracing::error!(%error, "the old certificate stays in force");
                }
                return;
            }
        };
        if tried.as_ref() == Some(&files) {
            if is_asked {
                tracing::info!("SIGHUP: certificate and key have not changed");
            }
            return;
        }
        let taken = Material::parse(&files, cert, key).and_then(|material| {
            material.check_expiry()?;
            InForce::new(material, &self.ticketer)
        });
        *tried = Some(files);
        drop(tried);
        match taken {
            Ok(in_force) => {
                tracing::info!(expires_in_days = in_force.days_left(), "a new certificate is in force");
                in_force.warn_if_near();
                *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = in_force;
            }
            Err(error) => tracing::error!(%error, "the old certificate stays in force"),
        }
    }

    fn in_force(&self) -> InForce {
        self.in_force.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl InForce {
    fn new(material: Material, ticketer: &Arc<dyn ProducesTickets>) -> Result<Self, MaterialError> {
        Ok(Self {
            expiry: material.expiry(),
            fingerprint: material.fingerprint(),
            #[cfg(test)]
            certificate: material.certificate(),
            config: Arc::new(material.into_config(Arc::clone(ticketer))?),
        })
    }

    /// Whole days until it is over.
    fn days_left(&self) -> Option<u64> {
        let left = self.expiry?.duration_since(SystemTime::now()).unwrap_or_default();
        Some(left.as_secs() / 86_400)
    }

    fn warn_if_near(&self) {
        let Some(expiry) = self.expiry else { return };
        match expiry.duration_since(SystemTime::now()) {
            Ok(left) if left > NEAR => {}
            Ok(left) => tracing::warn!(hours = left.as_secs() / 3_600, "the certificate expires soon: renew it"),
            Err(_) => tracing::error!("the certificate has expired: browsers do not connect. Renew it"),
        }
    }
}

/// The signals that ask to look at the files.
struct Hangups {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangups {
    fn new() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let signal = signal(SignalKind::hangup());
            let signal = signal.inspect_err(|error| tracing::error!(%error, "SIGHUP is not heard: the files are looked at all the same"));
            Self { signal: signal.ok() }
        }
        #[cfg(not(unix))]
        Self {}
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    struct Pair {
        cert: String,
        key: String,
    }

    fn pair(days: u64) -> Pair {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let day = Duration::from_hours(24);
        params.not_before = (SystemTime::now() - 30 * day).into();
        params.not_after = (SystemTime::now() + days as u32 * day - 10 * day).into();
        Pair { cert: params.self_signed(&key).expect("a certificate").pem(), key: key.serialize_pem() }
    }

    fn write(folder: &Path, cert: &str, key: &str) -> TlsConfig {
        let files = (folder.join("cert.pem"), folder.join("key.pem"));
        std::fs::write(&files.0, cert).expect("written");
        std::fs::write(&files.1, key).expect("written");
        TlsConfig { cert: Some(files.0), key: Some(files.1), ..TlsConfig::default() }
    }

    fn refusal(cert: &str, key: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let refused = Keeper::new(&write(folder.path(), cert, key), IpAddr::from([127, 0, 0, 1])).expect_err("refused").to_string();
        assert!(!refused.contains('\n') && !refused.contains("PRIVATE KEY"), "{refused}");
        refused
    }

    #[test]
    fn what_is_wrong_with_a_pair_is_said_with_the_file_that_is_wrong() {
        let (good, other) = (pair(100), pair(100));
        assert!(refusal("", &good.key).contains("cert.pem holds no certificate"));
        assert!(refusal(&good.cert, "").contains("key.pem holds no private key"));
        assert!(refusal(&good.cert, &good.cert).contains("key.pem holds no private key"));
        assert!(refusal(&good.cert, &other.key).contains("do not work"));
        assert!(refusal("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &good.key).contains("do not work"));
        let missing = TlsConfig { cert: Some("/no/such.pem".into()), key: Some("/no/such.key".into()), ..TlsConfig::default() };
        let refused = Keeper::new(&missing, IpAddr::from([127, 0, 0, 1])).expect_err("refused").to_string();
        assert!(refused.starts_with("cannot read /no/such.pem"), "{refused}");
    }

    #[test]
    fn a_new_pair_takes_over_and_one_that_does_not_work_never_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let (first, second, over) = (pair(100), pair(40), pair(0));
        let keeper = Keeper::new(&write(folder.path(), &first.cert, &first.key), IpAddr::from([127, 0, 0, 1])).expect("good").expect("TLS");
        let in_force = |keeper: &Keeper| keeper.certificate();
        let before = in_force(&keeper);
        keeper.look(false);
        assert_eq!(in_force(&keeper), before, "nothing has changed");
        for (cert, key) in [("", ""), (&second.cert, &first.key), (&over.cert, &over.key), (&first.cert, &second.key)] {
            write(folder.path(), cert, key);
            keeper.look(true);
            assert_eq!(in_force(&keeper), before);
        }
        std::fs::remove_file(folder.path().join("cert.pem")).expect("removed");
        keeper.look(false);
        assert_eq!(in_force(&keeper), before);
        write(folder.path(), &second.cert, &second.key);
        keeper.look(false);
        assert_ne!(in_force(&keeper), before);
        let days = keeper.expires_in().expect("an expiry") / 86_400.0;
        assert!((29.9..30.0).contains(&days), "{days}");
    }
}
