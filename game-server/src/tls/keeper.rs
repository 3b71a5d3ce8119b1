//! The certificate that is in force, and its successor.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::server::{ProducesTickets, ServerConfig};

use super::handshake::Line;
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
        let (expiry, fingerprint) = (material.expiry(), material.fingerprint());
        Ok(Self { config: Arc::new(material.into_config(Arc::clone(ticketer))?), expiry, fingerprint })
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
