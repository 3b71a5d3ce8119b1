//! A WebSocket server that echoes, over the transport that matches use: what conformance tests talk
//! to. `cargo run -p tickwire-server --example echo -- raw 9001`; docs/AUTOBAHN.md says how it is
//! tested.

use std::net::Ipv4Addr;

use anyhow::{Context, Result, bail};
use tickwire_server::config::TransportKind;
use tickwire_server::transport::echo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The longest request's head.
const HEAD_BYTES_MAX: usize = 8 * 1024;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let kind = match args.next().as_deref() {
        None | Some("portable") => TransportKind::Portable,
        Some("raw") => TransportKind::BEST,
        Some(other) => bail!("raw or portable, not `{other}`"),
    };
    let port = args.next().map_or(Ok(9001), |port| port.parse()).context("a port")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, serve(kind, port))
}

async fn serve(kind: TransportKind, port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("{kind:?} echoes on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::task::spawn_local(async move {
            if let Err(error) = welcome(kind, stream).await {
                eprintln!("{error:#}");
            }
        });
    }
}

/// Answers the handshake, and echoes.
async fn welcome(kind: TransportKind, mut stream: TcpStream) -> Result<()> {
    let (mut head, mut end) = (Vec::new(), None);
    while end.is_none() {
        let mut piece = [0; 1024];
        let count = stream.read(&mut piece).await?;
        if count == 0 || head.len() > HEAD_BYTES_MAX {
            bail!("no handshake");
        }
        head.extend_from_slice(piece.get(..count).unwrap_or_default());
        end = head.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    }
    let already_read = head.split_off(end.unwrap_or_default() + 4);
    let head = String::from_utf8(head)?;
    let is_key = |(name, _): &(&str, &str)| name.eq_ignore_ascii_case("sec-websocket-key");
    let (_, key) = head.lines().filter_map(|line| line.split_once(':')).find(is_key).context("no key")?;
    let accept = derive_accept_key(key.trim().as_bytes());
    let upgrade = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
    stream.write_all(format!("{upgrade}Sec-WebSocket-Accept: {accept}\r\n\r\n").as_bytes()).await?;
    Ok(echo::echo(kind, stream, already_read).await?)
}
