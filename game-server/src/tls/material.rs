//! A certificate and its key, as files hold them.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, ProducesTickets, ServerConfig};
use rustls::version::{TLS12, TLS13};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// What is spoken over it: HTTP/2 would carry WebSockets in another way, which is not spoken here.
const HTTP_1_1: &[u8] = b"http/1.1";
/// A file that is longer is no certificate or key.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why a certificate and a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MaterialError {
    /// A file cannot be read.
    #[error("cannot read {}: {error}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file holds no certificate.
    #[error("{} holds no certificate in PEM: {reason}", file.display())]
    NoCertificate {
        /// Which.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file holds no key.
    #[error("{} holds no private key in PEM that can be used: {reason}", file.display())]
    NoKey {
        /// Which.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// The two do not work together.
    #[error("this certificate and key do not work: {0}")]
    Unusable(rustls::Error),
    /// A certificate is over.
    #[error("the certificate expired {} days ago", ago.as_secs() / 86_400)]
    Expired {
        /// Since when.
        ago: Duration,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}")]
    NotMade(String),
}

/// The bytes of both files.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Files {
    cert: Vec<u8>,
    key: Vec<u8>,
}

/// Without the key.
impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("cert_bytes", &self.cert.len()).finish_non_exhaustive()
    }
}

impl Files {
    /// Reads both.
    pub(super) fn read(cert: &Path, key: &Path) -> Result<Self, MaterialError> {
        Ok(Self { cert: read(cert)?, key: read(key)? })
    }
}

fn read(file: &Path) -> Result<Vec<u8>, MaterialError> {
    let bytes = std::fs::metadata(file).and_then(|metadata| {
        if metadata.len() > FILE_BYTES_MAX { Err(io::Error::other("it is longer than a certificate")) } else { std::fs::read(file) }
    });
    bytes.map_err(|error| MaterialError::Unreadable { file: file.to_owned(), error })
}

/// A certificate with those that vouch for it, and its key.
pub(super) struct Material {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Material {
    /// As they are at hand.
    pub(super) fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Self {
        Self { chain, key }
    }

    /// As they were read from `cert` and `key`.
    pub(super) fn parse(files: &Files, cert: &Path, key: &Path) -> Result<Self, MaterialError> {
        let none = |reason: String| MaterialError::NoCertificate { file: cert.to_owned(), reason };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&files.cert).collect();
        let chain = chain.map_err(|error| none(error.to_string()))?;
        if chain.is_empty() {
            return Err(none("there is no line `-----BEGIN CERTIFICATE-----`".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(&files.key)
            .map_err(|error| MaterialError::NoKey { file: key.to_owned(), reason: error.to_string() })?;
        Ok(Self { chain, key })
    }

    /// When the certificate is over, if it says so in a way that is understood.
    pub(super) fn expiry(&self) -> Option<SystemTime> {
        let leaf = Certificate::from_der(self.chain.first()?).ok()?;
        Some(leaf.tbs_certificate().validity().not_after.to_system_time())
    }

    /// The SHA-256 of the certificate, in pairs of hex digits.
    pub(super) fn fingerprint(&self) -> String {
        let hash = Sha256::digest(self.chain.first().map_or(&[][..], AsRef::as_ref));
        let pairs: Vec<String> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }

    #[cfg(test)]
    pub(super) fn certificate(&self) -> CertificateDer<'static> {
        self.chain.first().expect("a certificate").clone()
    }

    /// Refuses what is over.
    pub(super) fn check_expiry(&self) -> Result<(), MaterialError> {
        match self.expiry().and_then(|expiry| SystemTime::now().duration_since(expiry).ok()) {
            Some(ago) => Err(MaterialError::Expired { ago }),
            None => Ok(()),
        }
    }

    /// What speaks TLS with it: 1.2 and 1.3, HTTP/1.1, no early data, and tickets instead of
    /// memory for those who come back.
    pub(super) fn into_config(self, ticketer: Arc<dyn ProducesTickets>) -> Result<ServerConfig, MaterialError> {
        let builder = ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13, &TLS12]);
        let builder = builder.map_err(MaterialError::Unusable)?.with_no_client_auth();
        let mut config = builder.with_single_cert(self.chain, self.key).map_err(MaterialError::Unusable)?;
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = ticketer;
        config.max_early_data_size = 0;
        Ok(config)
    }
}

/// What encrypts, chosen here and not by whoever else in the process uses rustls.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Tickets that only this process can read.
pub(super) fn ticketer() -> Result<Arc<dyn ProducesTickets>, MaterialError> {
    aws_lc_rs::Ticketer::new().map_err(MaterialError::Unusable)
}
