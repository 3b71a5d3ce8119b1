//! A connection to a server, TCP or TLS over it, and whom it believes to be that server.

use std::fmt;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ALL_VERSIONS, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, SupportedProtocolVersion};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::link::Arrivals;

/// Which certificates are believed.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Those that this system believes.
    pub fn system() -> io::Result<Self> {
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder = builder.and_then(BuilderVerifierExt::with_platform_verifier).map_err(io::Error::other)?;
        Ok(Self::of(builder.with_no_client_auth()))
    }

    /// Those that `file` holds, in PEM, and those that they vouch for.
    pub fn file(file: &Path) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(file).map_err(io::Error::other)? {
            roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        Self::verified_by(verifier.map_err(io::Error::other)?, ALL_VERSIONS)
    }

    /// Any, whoever shows it: for a server that made its own.
    pub fn anyone() -> io::Result<Self> {
        Self::anyone_over(ALL_VERSIONS)
    }

    /// As [`Trust::anyone`], over these versions of TLS only.
    pub fn anyone_over(versions: &[&'static SupportedProtocolVersion]) -> io::Result<Self> {
        Self::verified_by(Arc::new(Anyone(provider())), versions)
    }

    fn verified_by(verifier: Arc<dyn ServerCertVerifier>, versions: &[&'static SupportedProtocolVersion]) -> io::Result<Self> {
        let builder = ClientConfig::builder_with_provider(provider()).with_protocol_versions(versions);
        let builder = builder.map_err(io::Error::other)?.dangerous().with_custom_certificate_verifier(verifier);
        Ok(Self::of(builder.with_no_client_auth()))
    }

    fn of(mut config: ClientConfig) -> Self {
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self(Arc::new(config))
    }

    /// How others shake hands with the same server.
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.0
    }

    /// Shakes hands with who should be `host`.
    pub async fn secure(&self, stream: TcpStream, host: &str) -> io::Result<Line> {
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::clone(&self.0));
        Ok(Line::Secure(Box::new(connector.connect(name, stream).await?)))
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust")
    }
}

/// Two are equal if they are one and the same, not if they are alike.
impl PartialEq for Trust {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Trust {}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Looks whether a server has the key of the certificate that it shows, and at nothing else.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A connection to a server.
pub enum Line {
    /// As it is.
    Plain(TcpStream),
    /// With TLS between.
    Secure(Box<TlsStream<TcpStream>>),
}

impl Line {
    /// The TCP stream beneath.
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Secure(stream) => stream.get_ref().0,
        }
    }
}

impl From<TcpStream> for Line {
    fn from(stream: TcpStream) -> Self {
        Self::Plain(stream)
    }
}

impl Arrivals for Line {
    fn take_arrivals(&mut self) -> Option<(tokio::time::Instant, tokio::time::Instant)> {
        None
    }

    fn waiting_since(&self) -> Option<tokio::time::Instant> {
        None
    }
}

/// Does the same with whichever it is.
macro_rules! each {
    ($line:expr, $stream:ident => $act:expr) => {
        match $line.get_mut() {
            Line::Plain($stream) => $act,
            Line::Secure($stream) => $act,
        }
    };
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_read(context, into))
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_shutdown(context))
    }
}
