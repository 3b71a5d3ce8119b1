//! What a tick of a full match allocates, from its sockets through the world and back to its
//! sockets. A test binary of its own, because it counts what one thread allocates: the match's.

#![allow(clippy::expect_used, clippy::panic)] // a test fails by panicking

use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::task::Poll;
use std::time::{Duration, Instant};

use allocation_counter::{AllocationInfo, measure};
use arena::tables::{Fighter, Shot};
use arena::{Arena, Input};
use tickwire_game::{Game, Mode};
use tickwire_protocol::codec::encode;
use tickwire_protocol::messages::{ClientMessage, Event};
use tickwire_protocol::text::Name;
use tickwire_protocol::{InputSeq, MatchId, Replica, Secret, ServerMessage, Tick};
use tickwire_server::Config;
use tickwire_server::config::TransportKind;
use tickwire_server::matches::match_task::MatchTask;
use tickwire_server::matches::pacer::Pacer;
use tickwire_server::matches::stats::MatchStats;
use tickwire_server::matches::{Command, MatchHandle, MatchInfo, PlayerKey, Reservation, Settings};
use tickwire_server::secrets::hash;
use tickwire_server::transport::Socket;
use tokio::net::TcpListener;

const PLAYERS: u16 = 16;
/// Faster than it is played, so that the test is not slow.
const TICK_RATE: u8 = 120;
/// Until as many shots were in the air as ever are: a shorter one leaves a table that still grows.
const WARM_UP: u32 = 900;
const MEASURED: u32 = 400;

/// Its server thread's part of a connection: an input in every tick, and whatever comes is kept,
/// for the first player, or thrown away.
fn play(mut stream: TcpStream, player: u16, info: &MatchInfo, is_over: &AtomicBool) -> Vec<u8> {
    stream.set_nonblocking(true).expect("a socket");
    let (mut heard, mut buffer, mut seq) = (Vec::new(), [0; 4096], 0);
    while !is_over.load(Relaxed) {
        let tick = info.stats.tick.load(Relaxed) + 3;
        if tick > seq {
            seq = tick;
            // Round and round, with bursts of fire.
            let turn = (tick / 20 + u32::from(player)) % 4;
            let [x, y] = [[127, 0], [0, 127], [-127, 0], [0, -127]][turn as usize];
            let buttons = if (tick / 40).is_multiple_of(3) { Input::FIRE } else { 0 };
            let input = Input { move_x: x, move_y: y, aim: (tick * 300 + u32::from(player) * 4_000) as u16, buttons };
            let payload = encode(&ClientMessage::Input { seq: InputSeq(seq), tick: Tick(tick), input });
            // Masked with zeros.
            let frame = [&[0x82, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload.as_slice()].concat();
            stream.write_all(&frame).expect("the server takes an input");
        }
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            heard.extend_from_slice(if player == 0 { buffer.get(..count).unwrap_or_default() } else { &[] });
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    heard
}

/// What a client saw: ticks in which fighters moved, and in which shots flew, and how much else it
/// was told.
fn watch(mut bytes: &[u8]) -> (u32, u32, u32) {
    let mut replica = Replica::new(&Arena::SCHEMA);
    let (mut moved, mut shot, mut told, mut before) = (0, 0, 0, Vec::new());
    while let [_, short, rest @ ..] = bytes {
        let (length, rest) = match (*short, rest) {
            (126, [high, low, rest @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            (length, rest) => (usize::from(length), rest),
        };
        let Some((mut message, rest)) = rest.split_at_checked(length) else { break };
        bytes = rest;
        while let Some(Ok(next)) = ServerMessage::decode_next(&mut message) {
            told += u32::from(matches!(next, ServerMessage::Event(Event::Game(_))));
            replica.apply(&next).expect("a delta of what was sent");
        }
        let Some(view) = replica.snapshot() else { continue };
        let fighters: Vec<Fighter> = view.rows::<Fighter>().map(|(_, fighter)| fighter).collect();
        moved += u32::from(fighters.len() > 8 && fighters != before);
        shot += u32::from(view.rows::<Shot>().count() > 0);
        before = fighters;
    }
    (moved, shot, told)
}

/// A match with `PLAYERS` sockets on this thread. Says what it allocated after warming up, and what
/// its first player heard.
fn run() -> (AllocationInfo, AllocationInfo, Arc<MatchInfo>, Vec<u8>) {
    let mut config = Config::default();
    config.matches.bots_fill = Some(0);
    config.matches.countdown_seconds = 0;
    config.matches.hash_every = 0;
    config.session.messages_per_second = 2 * u32::from(TICK_RATE);
    config.session.send_buffer_bytes = 256 * 1024;
    let mode = Mode { tick_rate: TICK_RATE, ..*Arena::MODES.first().expect("a mode") };
    let (id, code, stats) = (MatchId([1; 16]), "TEST".to_string(), MatchStats::default());
    let info = Arc::new(MatchInfo { id, code, mode, mode_index: 0, settings: Settings::PRIVATE, created: Instant::now(), stats });
    let (handle, commands) = MatchHandle::new(Arc::clone(&info));

    // As a worker does it.
    let pacer = Arc::<Pacer>::default();
    let napping = Arc::clone(&pacer);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().on_thread_park(move || napping.nap()).build();
    let (runtime, tasks) = (runtime.expect("a runtime"), tokio::task::LocalSet::new());
    let guard = runtime.enter();
    let mut task = MatchTask::<Arena>::new(Arc::clone(&info), commands, 7, config.session, &config.matches, Duration::ZERO);
    let mut playing = pin!(tokio::task::unconstrained(task.run(pacer.alarm())));
    let mut run_until = |is_reached: &mut dyn FnMut() -> bool| {
        let reached = poll_fn(|context| {
            assert!(playing.as_mut().poll(context).is_pending(), "the match goes on");
            if is_reached() { Poll::Ready(()) } else { Poll::Pending }
        });
        runtime.block_on(tasks.run_until(reached));
    };

    let is_over = Arc::new(AtomicBool::new(false));
    let mut players = Vec::new();
    for number in 1..=PLAYERS as u8 {
        let listener = runtime.block_on(TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))).expect("a port");
        let ours = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
        let (theirs, _) = runtime.block_on(listener.accept()).expect("accepted");
        let (owner, ticket, until) = (PlayerKey([number; 32]), Secret([number; 16]), Instant::now() + Duration::from_secs(10));
        let reservation =
            Reservation { owner, name: Name::truncated("somebody"), ticket: hash(ticket), until, own_only: false, sign_in: None };
        let (reply, mut answer) = tokio::sync::oneshot::channel();
        let _ = handle.send(Command::Reserve { reservation: Box::new(reservation), reply });
        let mut seat = None;
        run_until(&mut || {
            seat = answer.try_recv().ok();
            seat.is_some()
        });
        let player = seat.expect("an answer").expect("a seat").player;
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let socket = runtime.block_on(Socket::over_tcp(TransportKind::BEST, theirs, Vec::new(), peer, ()));
        let socket = Box::new(socket);
        assert!(handle.send(Command::Attach { player, ticket: hash(ticket), socket }).is_ok());
        let (info, is_over) = (Arc::clone(&info), Arc::clone(&is_over));
        players.push(std::thread::spawn(move || play(ours, player.0, &info, &is_over)));
    }
    let mut play_until = |tick| measure(|| run_until(&mut || info.stats.tick.load(Relaxed) >= tick));
    let warm_up = play_until(WARM_UP);
    let before = info.stats.frames_sent.load(Relaxed);
    let cost = play_until(WARM_UP + MEASURED);
    info.stats.frames_sent.fetch_sub(before, Relaxed);
    is_over.store(true, Relaxed);
    drop(guard);
    let mut heard = players.into_iter().map(|player| player.join().expect("a player"));
    let first = heard.next().expect("the first player");
    heard.for_each(drop);
    (warm_up, cost, info, first)
}

#[test]
fn a_tick_of_a_full_match_allocates_nothing_from_socket_to_socket() {
    let (warm_up, cost, info, heard) = run();
    let count = |figure: &AtomicU64| figure.load(Relaxed);
    // It was a match: everyone was sent a frame in every tick, and inputs moved fighters and fired.
    assert!(warm_up.count_total > 0, "what is counted is this thread");
    let frames = count(&info.stats.frames_sent);
    assert!(frames >= u64::from(MEASURED) * u64::from(PLAYERS), "{frames} frames");
    let (moved, shot, told) = watch(&heard);
    assert!(moved > MEASURED && shot > MEASURED / 4 && told > 0, "moved in {moved} ticks, shots in {shot}, {told} events");
    println!("warming up {warm_up:?}, then in {MEASURED} ticks {cost:?}; moved in {moved}, shots in {shot}, {told} events");
    // When there is more of something than there ever was, its buffer grows. No tick allocates by
    // itself.
    assert!(cost.count_total < u64::from(MEASURED / 50), "{cost:?}");
}
