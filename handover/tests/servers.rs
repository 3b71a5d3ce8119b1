//! A supervisor that holds connections through one server after another: which of them go on.

#![cfg(any(target_os = "linux", target_os = "android"))]
#![allow(clippy::expect_used, clippy::unwrap_used)] // a test fails by panicking

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::IntoRawFd;

use tickwire_handover::{Handover, Held, Kept, Mark};

/// A connection: the client's end, and the server's.
fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

/// A server, which says what it wants held until `end` of it is called.
struct Server {
    handover: Handover,
    kept: Vec<Kept>,
    attendant: tickwire_handover::Attendant,
}

impl Server {
    fn start(held: &Held) -> Self {
        let (end, attendant) = held.give().unwrap();
        let (handover, kept) = Handover::take(end.into_raw_fd()).unwrap();
        Self { handover, kept, attendant }
    }

    /// It is gone, with all that it had.
    fn end(self) {
        drop((self.handover, self.kept));
        self.attendant.join();
    }
}

fn sent(mark: &mut Mark, stream: &mut TcpStream, from: u64, frame: &[u8], tick: u32) {
    mark.tick(tick);
    mark.sending(from + frame.len() as u64);
    stream.write_all(frame).unwrap();
    mark.sent();
}

#[test]
fn a_connection_goes_on_through_three_servers_with_every_byte_right() {
    let held = Held::new(4).unwrap();
    let (mut client, mut stream) = connection();
    stream.write_all(b"101").unwrap();
    client.write_all(b"hi").unwrap();
    stream.read_exact(&mut [0; 2]).unwrap();

    let first = Server::start(&held);
    let mut mark = first.handover.keep(&stream, b"ada", 0, 0, 7).unwrap();
    sent(&mut mark, &mut stream, 0, b"one", 8);
    mark.leave();
    drop(stream);
    first.end();
    assert_eq!(held.count(), 1);

    client.write_all(b"you").unwrap();
    let mut second = Server::start(&held);
    let Kept { mut stream, note, tick, mut mark } = second.kept.remove(0);
    assert_eq!((note.as_slice(), tick), (&b"ada"[..], 8));
    let mut heard = [0; 3];
    stream.read_exact(&mut heard).unwrap();
    mark.read(3);
    assert_eq!(&heard, b"you");
    sent(&mut mark, &mut stream, 0, b"two", 9);
    mark.leave();
    drop(stream);
    second.end();

    let mut third = Server::start(&held);
    let Kept { stream, tick, mark, .. } = third.kept.remove(0);
    assert_eq!(tick, 9);
    drop((stream, mark));
    third.end();
    assert_eq!(held.count(), 0);
    let mut all = String::new();
    client.read_to_string(&mut all).expect("it is closed, now that nobody holds it");
    assert_eq!(all, "101onetwo");
}

#[test]
fn a_stream_that_was_left_within_a_frame_is_closed() {
    let held = Held::new(4).unwrap();
    let ends: Vec<_> = (0..4).map(|_| connection()).collect();
    let server = Server::start(&held);
    let (mut clients, mut streams): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
    let marks: Vec<_> = streams.iter().map(|stream| server.handover.keep(stream, b"", 0, 0, 1).unwrap()).collect();
    // A frame of which half was taken; a frame that nobody has told of; a message that was read and
    // is written down nowhere; and one connection as it should be.
    marks[0].sending(8);
    streams[0].write_all(b"half").unwrap();
    streams[1].write_all(b"none").unwrap();
    clients[2].write_all(b"lost").unwrap();
    streams[2].read_exact(&mut [0; 4]).unwrap();
    marks.into_iter().for_each(Mark::leave);
    drop(streams);
    server.end();

    let next = Server::start(&held);
    assert_eq!(next.kept.iter().map(|kept| kept.tick).collect::<Vec<_>>(), [1]);
    for client in &mut clients[..3] {
        let ended = client.read_to_end(&mut Vec::new());
        assert!(ended.is_ok() || ended.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
    }
    assert_eq!(held.count(), 1);
    next.end();
}

#[test]
fn what_is_dropped_is_forgotten_and_its_place_is_free_again() {
    let held = Held::new(1).unwrap();
    let server = Server::start(&held);
    for _ in 0..3 {
        let ((mut client, stream), (_other, full)) = (connection(), connection());
        let mark = server.handover.keep(&stream, b"", 0, 0, 1).unwrap();
        assert!(server.handover.keep(&full, b"", 0, 0, 1).is_none(), "there is one place");
        drop((mark, stream));
        assert_eq!(client.read_to_end(&mut Vec::new()).unwrap(), 0, "nobody holds it");
    }
    server.end();
    assert_eq!(held.count(), 0);
}

#[test]
fn what_no_supervisor_hands_over_is_refused() {
    assert!(Handover::take(1).is_err());
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    (&theirs).write_all(b"none of these").unwrap();
    drop(theirs);
    assert!(Handover::take(ours.into_raw_fd()).is_err());
}
