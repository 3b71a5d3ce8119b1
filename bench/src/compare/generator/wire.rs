//! A player's stream: TCP, with TLS between for the arm that has it.

use std::io::{ErrorKind, Read, Result, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

/// A stream that does not block.
pub(super) struct Wire {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
}

impl Wire {
    /// Over `stream`, encrypted if there is a `config`.
    pub(super) fn new(stream: TcpStream, config: Option<&Arc<ClientConfig>>) -> Result<Self> {
        let tls = config.map(|config| {
            let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
            ClientConnection::new(Arc::clone(config), name).map_err(std::io::Error::other)
        });
        Ok(Self { stream, tls: tls.transpose()?.map(Box::new) })
    }

    pub(super) fn tcp(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Reads all there is, or as much as there is room for. Less than that is all there was.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let Some(tls) = &mut self.tls else { return self.stream.read(into) };
        let mut filled = 0;
        loop {
            match tls.reader().read(into.get_mut(filled..).unwrap_or_default()) {
                Ok(0) => return Ok(filled),
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => match tls.read_tls(&mut self.stream) {
                    Ok(0) => return Ok(filled),
                    Ok(_) => {
                        tls.process_new_packets().map_err(std::io::Error::other)?;
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock && filled > 0 => return Ok(filled),
                    Err(error) => {
                        // The handshake's answer is due now.
                        self.flush()?;
                        return Err(error);
                    }
                },
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes as much as is taken.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let Some(tls) = &mut self.tls else { return self.stream.write(bytes) };
        let count = tls.writer().write(bytes)?;
        self.flush()?;
        Ok(count)
    }

    /// Writes what is encrypted, as far as the kernel takes it.
    pub(super) fn flush(&mut self) -> Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.wants_write() {
            match tls.write_tls(&mut self.stream) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                written => drop(written?),
            }
        }
        Ok(())
    }
}
