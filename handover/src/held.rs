//! The supervisor's part: it holds a duplicate of each connection and the board, and gives them to
//! one server after the other.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::board;
use crate::line::{Line, Message};

/// What outlives a server. At most one server has it at a time.
#[derive(Debug)]
pub struct Held {
    board: OwnedFd,
    slots: u32,
    /// By slot: never more than there are.
    connections: Arc<Mutex<Connections>>,
}

/// Connections, with what they are.
type Connections = BTreeMap<u32, (OwnedFd, Vec<u8>)>;

/// Hears what a server wants held, on a thread of its own.
#[derive(Debug)]
pub struct Attendant(JoinHandle<()>);

impl Held {
    /// Room for so many connections.
    ///
    /// # Errors
    /// If the system has no memory for them.
    pub fn new(slots: u32) -> io::Result<Self> {
        Ok(Self { board: board::create(slots)?, slots, connections: Arc::default() })
    }

    /// How many connections are held.
    pub fn count(&self) -> usize {
        lock(&self.connections).len()
    }

    /// Gives all to the next server: the descriptor is for its process alone. Whatever the one
    /// before said must have been [heard](Attendant::join).
    ///
    /// # Errors
    /// If the system has no more descriptors or threads.
    pub fn give(&self) -> io::Result<(OwnedFd, Attendant)> {
        let (line, theirs) = Line::pair()?;
        let (board, slots) = (self.board.try_clone()?, self.slots);
        let connections = Arc::clone(&self.connections);
        let thread = std::thread::Builder::new().name("handover".to_owned()).spawn(move || {
            // It has died, or does not speak as we do: its successor gets what there is.
            let _ = tell(&line, &board, &connections).and_then(|()| listen(&line, slots, &connections));
        })?;
        Ok((theirs, Attendant(thread)))
    }
}

impl Attendant {
    /// Waits until all is heard that a server said. It must have ended.
    pub fn join(self) {
        // Whatever it has not heard is not held.
        let _ = self.0.join();
    }
}

fn lock(connections: &Mutex<Connections>) -> MutexGuard<'_, Connections> {
    connections.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tell(line: &Line, board: &OwnedFd, connections: &Mutex<Connections>) -> io::Result<()> {
    line.send(&Message::Board, Some(board.as_fd()))?;
    for (slot, (connection, note)) in &*lock(connections) {
        line.send(&Message::Keep { slot: *slot, note: note.clone() }, Some(connection.as_fd()))?;
    }
    line.send(&Message::All, None)
}

fn listen(line: &Line, slots: u32, connections: &Mutex<Connections>) -> io::Result<()> {
    while let Some((message, with)) = line.receive()? {
        match (message, with) {
            (Message::Keep { slot, note }, Some(connection)) if slot < slots => {
                lock(connections).insert(slot, (connection, note));
            }
            // The last duplicate: the connection is closed now, if the server has closed its own.
            (Message::Forget { slot }, _) => drop(lock(connections).remove(&slot)),
            _ => {}
        }
    }
    Ok(())
}
