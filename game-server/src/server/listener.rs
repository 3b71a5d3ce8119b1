//! Sockets that are bound before anything else is started, and served last.

use std::net::{SocketAddr, TcpListener};

use axum::Router;

use crate::http::listener::{self, Entrance};
use crate::sockets::{Sockets, SocketsError};

/// A bound socket.
pub(super) struct Listener {
    socket: TcpListener,
    pub(super) address: SocketAddr,
}

impl Listener {
    /// The one called `name`, which was bound.
    pub(super) fn take(sockets: &mut Sockets, name: &'static str) -> Result<Self, SocketsError> {
        let (socket, address) = sockets.take(name)?;
        Ok(Self { socket, address })
    }

    /// On the runtime it is called on, for ever.
    pub(super) async fn serve(self, router: Router, entrance: Entrance) {
        match tokio::net::TcpListener::from_std(self.socket) {
            Ok(socket) => listener::serve(socket, router, entrance).await,
            Err(error) => tracing::error!(address = %self.address, %error, "listener was lost"),
        }
    }
}
