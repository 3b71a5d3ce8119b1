//! What the caps hold to when strangers flood.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::FutureExt;

use super::*;

const A: PeerAddress = PeerAddress::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
const B: PeerAddress = PeerAddress::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));
const C: PeerAddress = PeerAddress::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 3)));
const D: PeerAddress = PeerAddress::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 4)));

#[test]
fn the_caps_on_players_hold_and_say_which_it_was() {
    let caps = Caps::of(4, 2, 3);
    let mut permits: Vec<_> = [A, A, B].into_iter().map(|key| caps.admit(key).expect("room")).collect();
    assert!(permits.iter().all(|permit| permit.authenticate()));
    assert_eq!(caps.admit(A).err(), Some(Reject::PerAddress));
    permits.push(caps.admit(C).expect("room"));
    assert_eq!(caps.counts(), (4, 1));
    assert!(permits.iter().all(|permit| permit.authenticate()));
    assert_eq!(caps.admit(B).err(), Some(Reject::Total));
}

#[test]
fn the_oldest_stranger_makes_room_and_players_do_not() {
    let caps = Caps::of(9, 9, 2);
    let player = caps.admit(A).expect("room");
    assert!(player.authenticate());
    let (oldest, newer) = (caps.admit(A).expect("room"), caps.admit(A).expect("room"));
    let newest = caps.admit(B).expect("room");
    assert_eq!(caps.counts(), (3, 2));
    assert!(oldest.pushed_out().now_or_never().is_some() && oldest.pushed_out().now_or_never().is_some());
    assert!(newer.pushed_out().now_or_never().is_none() && player.pushed_out().now_or_never().is_none());
    assert!(!oldest.authenticate(), "too late");
    drop((oldest, newer, newest, player));
    assert_eq!(caps.counts(), (0, 0));
}

#[test]
fn who_has_been_idle_for_longest_makes_room_first() {
    let caps = Caps::of(9, 9, 3);
    let [busy, idle, idle_for_longer] = [(); 3].map(|()| caps.admit(A).expect("room"));
    idle_for_longer.idle();
    idle.idle();
    let mut newcomers = Vec::new();
    for (expected, newcomer) in [&idle_for_longer, &idle, &busy].into_iter().zip([B, C, D]) {
        assert!(expected.pushed_out().now_or_never().is_none());
        newcomers.push(caps.admit(newcomer).expect("room is made"));
        assert!(expected.pushed_out().now_or_never().is_some());
        assert_eq!(caps.counts(), (3, 3));
    }
}

#[test]
fn who_asks_again_is_busy_again() {
    let caps = Caps::of(9, 9, 2);
    let [first, second] = [(); 2].map(|()| caps.admit(A).expect("room"));
    first.idle();
    second.idle();
    first.busy();
    let _newcomer = caps.admit(B).expect("room is made");
    assert!(second.pushed_out().now_or_never().is_some() && first.pushed_out().now_or_never().is_none());
}

#[test]
fn a_full_address_makes_room_among_its_own_strangers_only() {
    let caps = Caps::of(9, 3, 9);
    let other = caps.admit(B).expect("room");
    other.idle();
    let player = caps.admit(A).expect("room");
    assert!(player.authenticate());
    let [busy, idle] = [(); 2].map(|()| caps.admit(A).expect("room"));
    idle.idle();
    let newcomer = caps.admit(A).expect("the idle one's place");
    assert!(idle.pushed_out().now_or_never().is_some());
    for kept in [&other, &player, &busy] {
        assert!(kept.pushed_out().now_or_never().is_none());
    }
    assert!(busy.authenticate() && newcomer.authenticate());
    assert_eq!(caps.admit(A).err(), Some(Reject::PerAddress), "players are not pushed out");
    player.idle();
    assert_eq!(caps.admit(A).err(), Some(Reject::PerAddress), "nor are those who rest");
    assert_eq!(caps.counts(), (4, 1));
    drop((other, player, busy, idle, newcomer));
    assert!(caps.counts() == (0, 0) && caps.taken().by_address.is_empty());
}

#[test]
fn strangers_make_room_when_everything_is_full() {
    let full = Caps::of(2, 9, 9);
    let strangers = [(); 2].map(|()| full.admit(A).expect("room"));
    let _newcomer = full.admit(B).expect("the oldest stranger's place");
    assert!(strangers[0].pushed_out().now_or_never().is_some());
    let caps = Caps::of(2, 9, 1);
    let player = caps.admit(A).expect("room");
    assert!(player.authenticate());
    let _stranger = caps.admit(B).expect("room");
    let newcomer = caps.admit(C).expect("the stranger's place");
    assert!(newcomer.authenticate());
    assert_eq!(caps.admit(C).err(), Some(Reject::Total));
}

#[test]
fn permits_give_back_what_they_took_once() {
    let caps = Caps::of(9, 9, 9);
    let (first, second) = (caps.admit(A).expect("room"), caps.admit(A).expect("room"));
    assert!(first.authenticate() && first.authenticate());
    let elsewhere = Arc::clone(&first);
    drop(first);
    assert_eq!(caps.counts(), (2, 1), "the socket still holds it");
    drop((elsewhere, second));
    assert_eq!(caps.counts(), (0, 0));
    assert!(caps.taken().by_address.is_empty());
}

#[test]
fn the_busiest_address_makes_room_and_a_quiet_one_keeps_its_place() {
    let caps = Caps::of(99, 99, 6);
    let quiet = caps.admit(C).expect("room");
    let mut flood: Vec<_> = [A, A, A, B, B].into_iter().map(|peer| caps.admit(peer).expect("room")).collect();
    for nth in 0..100 {
        flood.push(caps.admit(if nth % 2 == 0 { A } else { B }).expect("room is made"));
        flood.retain(|permit| permit.pushed_out().now_or_never().is_none());
        assert_eq!((caps.counts(), flood.len()), ((6, 6), 5));
    }
    assert!(quiet.pushed_out().now_or_never().is_none() && quiet.authenticate());
}

#[test]
fn nobody_is_accepted_before_enough_of_those_pushed_out_are_gone() {
    let caps = Caps::of(9, 9, 2);
    let mut kept: Vec<_> = (0..2 + LEAVING_MAX).map(|_| caps.admit(A).expect("room")).collect();
    let may_accept = || caps.fewer_leaving_than(LEAVING_MAX).now_or_never().is_some();
    assert!(!may_accept());
    drop(kept.remove(0));
    assert!(may_accept());
    drop(kept);
    assert_eq!(caps.counts(), (0, 0));
    assert_eq!(caps.taken().leaving, 0);
    let stranger = caps.admit(A).expect("room");
    assert!(caps.make_room() && !caps.make_room(), "one stranger, no other");
    assert!(stranger.pushed_out().now_or_never().is_some());
}

#[test]
fn a_proxys_connections_count_for_the_clients_they_serve() {
    let caps = Caps::of(9, 2, 9);
    let connections = [(); 4].map(|()| caps.admit_proxy().expect("no address is full"));
    assert_eq!(caps.counts(), (4, 4));
    assert!(caps.taken().by_address.is_empty());
    let (a, b) = (A.as_client(), B.as_client());
    for connection in &connections[..2] {
        connection.serves(a).expect("room");
        assert!(connection.authenticate());
    }
    assert_eq!(connections[2].serves(a), Err(Reject::PerAddress), "two of A's play");
    connections[2].serves(b).expect("the same connection, for somebody else");
    assert_eq!(caps.admit(A).err(), Some(Reject::PerAddress), "also without the proxy");
    connections[0].serves(a).expect("again the same one");
    assert_eq!(caps.taken().by_address[&A.key()], 2);
    drop(connections);
    assert!(caps.counts() == (0, 0) && caps.taken().by_address.is_empty());
}

#[test]
fn between_requests_a_proxys_connection_counts_for_nobody() {
    let caps = Caps::of(9, 1, 9);
    let [first, second] = [(); 2].map(|()| caps.admit_proxy().expect("room"));
    first.serves(A.as_client()).expect("room");
    first.idle();
    second.serves(A.as_client()).expect("the first one is idle");
    assert!(first.pushed_out().now_or_never().is_none());
    first.serves(A.as_client()).expect("the second one's place");
    assert!(second.pushed_out().now_or_never().is_some(), "a client's strangers make room for its next");
    assert_eq!(caps.counts(), (1, 1));
}

#[test]
fn a_connection_that_a_proxy_made_for_one_client_stays_that_clients() {
    let caps = Caps::of(9, 1, 9);
    let connection = caps.admit_proxy().expect("room");
    connection.belongs_to(A.as_client()).expect("room");
    connection.idle();
    connection.serves(B.as_client()).expect("nothing changes");
    assert_eq!(caps.taken().by_address.keys().collect::<Vec<_>>(), [&A.key()]);
    assert!(connection.authenticate());
    let another = caps.admit_proxy().expect("room");
    assert_eq!(another.belongs_to(A.as_client()), Err(Reject::PerAddress));
    drop((connection, another));
    assert!(caps.counts() == (0, 0) && caps.taken().by_address.is_empty());
}

#[test]
fn that_one_client_of_a_proxy_is_known_is_forgotten_when_its_connection_is_idle() {
    let caps = Caps::of(9, 9, 1);
    let connection = caps.admit_proxy().expect("room");
    connection.serves(A.as_client()).expect("room");
    assert!(connection.authenticate());
    let stranger = caps.admit(C).expect("room");
    assert_eq!(caps.counts(), (2, 1));
    connection.idle();
    assert!(stranger.pushed_out().now_or_never().is_some(), "strangers have room for one");
    assert_eq!(caps.counts(), (1, 1));
    let _newcomer = caps.admit(B).expect("room is made");
    assert!(connection.pushed_out().now_or_never().is_some());
    let own = caps.admit(A).expect("room");
    assert!(own.authenticate());
    own.idle();
    assert_eq!(caps.counts().1, 0, "a connection without a proxy stays that person's");
}
