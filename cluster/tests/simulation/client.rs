//! A player: takes a seat, plays, and comes back to it whatever happens, as a browser does.

use std::sync::Arc;
use std::time::Duration;

use tag::Input;
use tickwire_match::{Change, SecretHash};
use tickwire_protocol::{MatchId, PlayerId, Tick};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::host::{self, Connected, Joined, Request};
use crate::machine::short;
use crate::play::{Ask, Frame, How, secret};
use crate::world::World;

/// What players want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Play,
    Leave,
}

pub(crate) struct SimulatedClient {
    world: Arc<World>,
    number: u32,
    id: MatchId,
    wish: watch::Receiver<Wish>,
    /// When it last saw a tick.
    seen: watch::Sender<Option<Instant>>,
    at: usize,
    resume: Option<SecretHash>,
    /// How often its match had been set back by the store when it last saw it.
    rewinds: u32,
}

impl SimulatedClient {
    pub(crate) fn new(
        world: &Arc<World>,
        number: u32,
        id: MatchId,
        at: usize,
        wish: watch::Receiver<Wish>,
    ) -> (Self, watch::Receiver<Option<Instant>>) {
        let (seen, receiver) = watch::channel(None);
        let rewinds = world.rewinds(id);
        (Self { world: Arc::clone(world), number, id, wish, seen, at, resume: None, rewinds }, receiver)
    }

    /// Plays until it is told to leave, and has left.
    pub(crate) async fn run(mut self) {
        loop {
            let leaving = *self.wish.borrow() == Wish::Leave;
            let how = match self.resume {
                Some(token) => How::Resume(token),
                None => match self.join().await {
                    Joined::Seat { .. } if leaving && self.seen.borrow().is_none() => return,
                    Joined::Seat { player, node } => {
                        self.at = node as usize;
                        How::Ticket(player, secret(u64::from(self.number) << 32))
                    }
                    Joined::Gone if leaving => return,
                    Joined::Gone | Joined::Later => {
                        self.elsewhere().await;
                        continue;
                    }
                },
            };
            let (frames, receiver) = mpsc::unbounded_channel();
            match self.connect(how, frames).await {
                Connected::Here(asks) => {
                    if self.play(asks, receiver).await {
                        return;
                    }
                }
                Connected::Migrate(node) => {
                    self.at = node;
                    sleep(self.world.ms(5, 30)).await;
                }
                Connected::Gone if leaving => return,
                Connected::Gone | Connected::Later => self.elsewhere().await,
            }
        }
    }

    async fn elsewhere(&mut self) {
        self.at = (self.at + 1) % self.world.nodes.len();
        sleep(self.world.ms(50, 200)).await;
    }

    /// Sends a request over the player's own network. What nobody answers is given up.
    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Option<T> {
        sleep(self.world.ms(2, 20)).await;
        let (reply, answer) = oneshot::channel();
        let door = host::process(&self.world, self.at)?.door.clone();
        door.send(request(reply)).ok()?;
        timeout(Duration::from_millis(1_500), answer).await.ok()?.ok()
    }

    async fn join(&self) -> Joined {
        let (id, owner, ticket) = (self.id, self.number, secret(u64::from(self.number) << 32));
        self.ask(|reply| Request::Join { id, owner, ticket, reply }).await.unwrap_or(Joined::Later)
    }

    async fn connect(&self, how: How, frames: mpsc::UnboundedSender<Frame>) -> Connected {
        let id = self.id;
        self.ask(|reply| Request::Connect { id, how, frames, reply }).await.unwrap_or(Connected::Later)
    }

    /// Says whether it is over.
    async fn play(&mut self, asks: mpsc::UnboundedSender<Ask>, mut frames: mpsc::UnboundedReceiver<Frame>) -> bool {
        let mut seat: Option<PlayerId> = None;
        loop {
            // Whose server says nothing is looked for elsewhere.
            let Ok(Some(frame)) = timeout(Duration::from_millis(1_500), frames.recv()).await else {
                self.elsewhere().await;
                return false;
            };
            match frame {
                Frame::Seated { player, resume } => {
                    self.resume = Some(resume);
                    self.world.seated(self.id, self.number, player, self.rewinds);
                    self.rewinds = self.world.rewinds(self.id);
                    seat = Some(player);
                    let _ = asks.send(Ask::Say(Change::Confirm(player)));
                }
                Frame::Tick(tick) => {
                    self.seen.send_replace(Some(Instant::now()));
                    let Some(player) = seat else { continue };
                    if *self.wish.borrow() == Wish::Leave {
                        let _ = asks.send(Ask::Say(Change::Leave(player)));
                    } else if self.world.below(3) == 0 {
                        let input = Input { x: self.world.below(255) as u8 as i8, y: self.world.below(255) as u8 as i8 };
                        let _ = asks.send(Ask::Say(Change::Input { player, tick: Tick(tick + 2), input }));
                    }
                }
                Frame::Refused(why) => {
                    if self.world.is_consistent(self.id)
                        && !self.world.is_forked(self.id)
                        && self.resume.is_some()
                        && self.world.rewinds(self.id) == self.rewinds
                    {
                        self.world.broken(&format!("client {} is refused its seat in match {}: {why:?}", self.number, short(self.id)));
                    }
                    self.resume = None;
                    self.rewinds = self.world.rewinds(self.id);
                    self.elsewhere().await;
                    return false;
                }
                Frame::Migrate(Some(node)) => {
                    self.at = node;
                    sleep(self.world.ms(5, 30)).await;
                    return false;
                }
                Frame::Migrate(None) => {
                    self.elsewhere().await;
                    return *self.wish.borrow() == Wish::Leave && self.seen.borrow().is_none();
                }
                Frame::Over if *self.wish.borrow() == Wish::Leave => return true,
                Frame::Over => {
                    self.resume = None;
                    self.elsewhere().await;
                    return false;
                }
            }
        }
    }
}
