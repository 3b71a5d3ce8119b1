//! The module's surface: what TypeScript calls. Bytes go in at the inbox; messages and JSON come out at the outbox; tables
//! are read where they lie. `web-client/packages/client/src/replica/wasm.ts` is the other side of this file.
//!
//! Invariants: no imports; every function returns for all arguments; pointers hold until the next call that changes what
//! they point at ([`receive`] for tables, anything that writes it for the outbox). One thread, no re-entry: TypeScript
//! calls, and nothing here calls back.

// An exported name needs the `unsafe(no_mangle)` attribute: it promises that no other symbol has that name. There is no
// unsafe block in this crate.
#![allow(unsafe_code)]

use core::cell::RefCell;

use games::MainGame as TheGame;
use tickwire_protocol::limits::{FIELDS_MAX, SERVER_MESSAGE_BYTES_MAX};
use tickwire_protocol::messages::{ClientMessage, Credential};
use tickwire_protocol::{Columns, DecodeError, MatchId, NetId, PROTOCOL_VERSION, Secret, Snapshot, TICKET_BYTES, Table, Tick, Ticket};

use crate::client::ClientCore;
use crate::json::Json;
use tickwire_game::Game;
use tickwire_game::derive::FromNumbers;

/// [`receive`]: there is a new snapshot.
pub const SNAPSHOT: i32 = 1;
/// [`receive`]: there are records in the outbox.
pub const RECORDS: i32 = 2;
/// [`receive`]: the bytes are no messages of this protocol.
pub const MALFORMED: i32 = -1;
/// [`receive`]: more bytes than the inbox holds.
pub const TOO_LONG: i32 = -2;

struct Module {
    /// Made when it is first needed.
    core: Option<ClientCore<TheGame>>,
    outbox: Vec<u8>,
    /// The predicted body, as its table's fields.
    row: [i32; FIELDS_MAX],
    /// What was answered last: how many numbers, and the numbers.
    answer: Vec<i32>,
}

thread_local! {
    // Constants, so that asking where something is never allocates: growing the memory would detach the page's view of it.
    static MODULE: RefCell<Module> =
        const { RefCell::new(Module { core: None, outbox: Vec::new(), row: [0; FIELDS_MAX], answer: Vec::new() }) };
    // Apart, because what is all zeros takes no room in the module's file.
    static INBOX: RefCell<[u8; SERVER_MESSAGE_BYTES_MAX]> = const { RefCell::new([0; SERVER_MESSAGE_BYTES_MAX]) };
}

/// What [`correction_ptr`] points at before there is anything to correct.
static NO_CORRECTION: [i32; 2] = [0; 2];

fn with<R>(work: impl FnOnce(&mut Module) -> R) -> R {
    MODULE.with_borrow_mut(work)
}

/// Bytes of the inbox.
fn bytes_at<const N: usize>(start: usize) -> [u8; N] {
    INBOX.with_borrow(|inbox| inbox.get(start..).and_then(<[u8]>::first_chunk).copied()).unwrap_or([0; N])
}

/// The first `count` numbers of the inbox, 32 bits each, as many as a table has fields at most.
fn numbers<R>(count: u32, work: impl FnOnce(&[i32]) -> R) -> R {
    let mut numbers = [0; FIELDS_MAX];
    INBOX.with_borrow(|inbox| {
        for (number, bytes) in numbers.iter_mut().zip(inbox.as_chunks().0) {
            *number = i32::from_le_bytes(*bytes);
        }
    });
    work(numbers.get(..count as usize).unwrap_or(&numbers))
}

impl Module {
    /// Lets `write` fill the empty outbox, and says how much there is.
    fn put_out(&mut self, write: impl FnOnce(&mut ClientCore<TheGame>, &mut Vec<u8>)) -> i32 {
        self.outbox.clear();
        write(self.core.get_or_insert_default(), &mut self.outbox);
        self.outbox.len() as i32
    }

    fn say(&mut self, message: &ClientMessage<<TheGame as Game>::Input>) -> i32 {
        self.put_out(|_, out| ClientCore::<TheGame>::say(message, out))
    }

    fn table(&self, index: u32) -> Option<&Table> {
        self.snapshot()?.table(index as usize)
    }

    fn snapshot(&self) -> Option<&Snapshot> {
        self.core.as_ref()?.snapshot()
    }
}

/// Where to put bytes for the module.
#[unsafe(no_mangle)]
pub extern "C" fn inbox_ptr() -> *mut u8 {
    INBOX.with_borrow_mut(|inbox| inbox.as_mut_ptr())
}

/// How many bytes may be put there.
#[unsafe(no_mangle)]
pub extern "C" fn inbox_cap() -> u32 {
    SERVER_MESSAGE_BYTES_MAX as u32
}

/// Where the module put bytes.
#[unsafe(no_mangle)]
pub extern "C" fn outbox_ptr() -> *const u8 {
    with(|module| module.outbox.as_ptr())
}

/// How many bytes it put there.
#[unsafe(no_mangle)]
pub extern "C" fn outbox_len() -> u32 {
    with(|module| module.outbox.len() as u32)
}

/// Forgets everything: a new connection begins.
#[unsafe(no_mangle)]
pub extern "C" fn reset() {
    with(|module| module.core = None);
}

/// Takes in a WebSocket message of `len` bytes from the inbox. Answers [`SNAPSHOT`] and [`RECORDS`] as flags, or a negative
/// error, after which the connection must be closed. Records are lines of JSON in the outbox.
#[unsafe(no_mangle)]
pub extern "C" fn receive(len: u32) -> i32 {
    with(|module| {
        module.outbox.clear();
        INBOX.with_borrow(|inbox| {
            let Some(bytes) = inbox.get(..len as usize) else { return TOO_LONG };
            match module.core.get_or_insert_default().receive(bytes, &mut module.outbox) {
                Ok(received) => i32::from(received.snapshot) * SNAPSHOT + i32::from(received.records) * RECORDS,
                Err(DecodeError::Malformed | DecodeError::TrailingBytes) => MALFORMED,
            }
        })
    })
}

/// Tick of the newest snapshot; 0 before the first.
#[unsafe(no_mangle)]
pub extern "C" fn snapshot_tick() -> u32 {
    with(|module| module.snapshot().map_or(0, |view| view.tick.0))
}

/// Low half of the newest snapshot's hash, which equals the server's for that tick.
#[unsafe(no_mangle)]
pub extern "C" fn state_hash_lo() -> u32 {
    with(|module| module.snapshot().map_or(0, |view| view.hash() as u32))
}

/// High half of the newest snapshot's hash.
#[unsafe(no_mangle)]
pub extern "C" fn state_hash_hi() -> u32 {
    with(|module| module.snapshot().map_or(0, |view| (view.hash() >> 32) as u32))
}

/// Low half of the schema's hash, by which a server knows its clients.
#[unsafe(no_mangle)]
pub extern "C" fn schema_hash_lo() -> u32 {
    TheGame::SCHEMA.hash() as u32
}

/// High half of the schema's hash.
#[unsafe(no_mangle)]
pub extern "C" fn schema_hash_hi() -> u32 {
    (TheGame::SCHEMA.hash() >> 32) as u32
}

/// The protocol that this module speaks.
#[unsafe(no_mangle)]
pub extern "C" fn protocol_version() -> u32 {
    u32::from(PROTOCOL_VERSION)
}

/// How many rows table `table` has.
#[unsafe(no_mangle)]
pub extern "C" fn table_rows(table: u32) -> u32 {
    with(|module| module.table(table).map_or(0, |table| table.len() as u32))
}

/// The ids of the rows of table `table`, 32 bits each.
#[unsafe(no_mangle)]
pub extern "C" fn table_ids_ptr(table: u32) -> *const u32 {
    // A struct of one `u32` that is as large as a `u32` has it at its start.
    const { assert!(size_of::<NetId>() == size_of::<u32>() && align_of::<NetId>() == align_of::<u32>()) }
    with(|module| module.table(table).map_or(core::ptr::null(), |table| table.ids().as_ptr().cast()))
}

/// The values of field `field` of table `table`, 32 bits each, a value for each row.
#[unsafe(no_mangle)]
pub extern "C" fn column_ptr(table: u32, field: u32) -> *const i32 {
    with(|module| module.table(table).map_or(core::ptr::null(), |table| table.column(field as usize).as_ptr()))
}

/// Puts the names of all tables and fields into the outbox, as JSON. Answers its length.
#[unsafe(no_mangle)]
pub extern "C" fn schema_json() -> i32 {
    with(|module| {
        module.put_out(|_, out| {
            Json::new(out).list(TheGame::SCHEMA.tables(), |json, table| {
                json.object(|json| {
                    json.key("table").string(table.name);
                    json.key("fields").list(table.fields, |json, field| json.string(field.name));
                });
            });
        })
    })
}

/// Starts a session with the 70-byte ticket in the inbox. This and the following answer the length of the message in the
/// outbox.
#[unsafe(no_mangle)]
pub extern "C" fn hello_ticket() -> i32 {
    with(|module| {
        let credential = Credential::Ticket(Ticket(bytes_at::<TICKET_BYTES>(0)));
        module.put_out(|core, out| core.hello(credential, out))
    })
}

/// Starts a session in the seat left behind: 16 bytes of match id and 16 bytes of token are in the inbox.
#[unsafe(no_mangle)]
pub extern "C" fn hello_resume() -> i32 {
    with(|module| {
        let credential = Credential::Resume { match_id: MatchId(bytes_at(0)), token: Secret(bytes_at(16)) };
        module.put_out(|core, out| core.hello(credential, out))
    })
}

/// Asks for a pong.
#[unsafe(no_mangle)]
pub extern "C" fn ping(client_time_ms: u32) -> i32 {
    with(|module| module.say(&ClientMessage::Ping { client_time_ms }))
}

/// Gives the seat up.
#[unsafe(no_mangle)]
pub extern "C" fn leave() -> i32 {
    with(|module| module.say(&ClientMessage::Leave))
}

/// Votes for another round.
#[unsafe(no_mangle)]
pub extern "C" fn rematch() -> i32 {
    with(|module| module.say(&ClientMessage::Rematch))
}

/// In a lobby: whether the player is ready (1) or not (0).
#[unsafe(no_mangle)]
pub extern "C" fn ready(ready: i32) -> i32 {
    with(|module| module.say(&ClientMessage::Ready(ready != 0)))
}

/// In a lobby, from its host: starts the match.
#[unsafe(no_mangle)]
pub extern "C" fn start_match() -> i32 {
    with(|module| module.say(&ClientMessage::Start))
}

/// In a lobby, from its host: whether bots fill the match (1) or not (0).
#[unsafe(no_mangle)]
pub extern "C" fn bots(bots: i32) -> i32 {
    with(|module| module.say(&ClientMessage::Bots(bots != 0)))
}

/// What the player holds down during `tick`: predicts it, and says so. The input's fields are the first `count` numbers
/// of the inbox, in the order of the game's declaration.
#[unsafe(no_mangle)]
pub extern "C" fn input(tick: u32, count: u32) -> i32 {
    let input = numbers(count, <TheGame as Game>::Input::from_numbers);
    with(|module| module.put_out(|core, out| core.input(Tick(tick), input, out)))
}

/// Asks the game's own code question `question`, with the first `count` numbers of the inbox, in the match's mode: before
/// Welcome in the first. Answers where the answer is: how many numbers it has, and the numbers.
#[unsafe(no_mangle)]
pub extern "C" fn ask(question: u32, count: u32) -> *const i32 {
    with(|module| {
        let Module { core, answer, .. } = module;
        answer.clear();
        answer.push(0);
        let mode = core.get_or_insert_default().mode();
        if let (Some(question), Some(mode)) = (TheGame::QUESTIONS.get(question as usize), mode) {
            numbers(count, |numbers| (question.answer)(mode, numbers, answer));
        }
        let length = answer.len() as i32 - 1;
        if let Some(first) = answer.first_mut() {
            *first = length;
        }
        answer.as_ptr()
    })
}

/// The own body's row at the predicted tick; 0 while there is none.
#[unsafe(no_mangle)]
pub extern "C" fn predicted_ptr() -> *const i32 {
    with(|module| match module.core.as_ref().and_then(ClientCore::predicted) {
        Some(body) => {
            body.write(&mut module.row);
            module.row.as_ptr()
        }
        None => core::ptr::null(),
    })
}

/// The tick that the own body is predicted for.
#[unsafe(no_mangle)]
pub extern "C" fn predicted_tick() -> u32 {
    with(|module| module.core.as_ref().map_or(0, |core| core.predicted_tick().0))
}

/// x and y of how far the last message moved the own body: where it was shown minus where it is.
#[unsafe(no_mangle)]
pub extern "C" fn correction_ptr() -> *const i32 {
    with(|module| module.core.as_ref().map_or(&NO_CORRECTION, ClientCore::correction).as_ptr())
}
