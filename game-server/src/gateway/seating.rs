//! Seats for session sessions: the one they have already, or a new one.
//!
//! Invariants: a session asks for one seat after the other; who has a seat in a match gets that one
//! again, however full the match and also while the server drains; a new seat gives up the one that
//! nobody has come to; none is kept whose ticket could not be given.

use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tickwire_protocol::{MatchId, Ticket};

use super::crowd::Held;
use super::ledger::GivenUp;
use super::sessions::PlayerSession;
use super::shared::Gateway;
use super::tickets::{Blank, SEAT_KEPT, unix_now};
use super::{problems, quick_play};
use crate::http::address::ClientAddress;
use crate::http::problem::Problem;
use crate::journal::Loss;
use crate::matches::{Command, CreateError, MatchHandle, MatchRequest, Reservation, ReserveError, Reserved, SeatState, Settings};
use crate::metrics::{self, NoRoom};

/// How often a match that ends just then, or is created by somebody else just then, is looked for
/// again.
const LOOKS_MAX: usize = 5;
/// Pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Where a seat is wanted.
#[derive(Debug)]
pub(crate) enum Wish {
    /// In any match of this mode.
    Anywhere(String),
    /// In this match.
    In(MatchId),
    /// In the match with this code. If there is none it is created so, if at all.
    WithCode(String, Option<Plan>),
    /// In a new match.
    InNew(Plan),
}

/// A match to be created.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The id of its mode, as the request says it.
    pub(crate) mode: String,
    /// What its creator chose.
    pub(crate) settings: Settings,
}

/// Who wants a seat.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// Their session: what it holds is counted.
    pub(crate) session: Arc<PlayerSession>,
    /// Where the request comes from.
    pub(crate) client: ClientAddress,
}

/// A seat, and the way to it.
#[derive(Debug)]
pub(crate) struct Seat {
    /// The match that the seat is in.
    pub(crate) handle: MatchHandle,
    /// What admits to it, once.
    pub(crate) ticket: Ticket,
    /// How long the ticket admits.
    pub(crate) expires_in: Duration,
}

type Found = (MatchHandle, Reserved);

impl Gateway {
    /// Finds a seat and gives a ticket for it.
    pub(crate) async fn seat(self: &Arc<Self>, asker: Asker, wish: Wish) -> Result<Seat, Problem> {
        let turn = Arc::clone(&asker.session.turn).lock_owned().await;
        let gateway = Arc::clone(self);
        // A task of its own: whoever asks may hang up, and what a match has promised must be noted
        // all the same.
        let seating = tokio::spawn(async move {
            let (session, client) = (asker.session.id, asker.client.ip());
            let seat = gateway.find_and_note(&asker, wish).await;
            drop(turn);
            let seat = seat?;
            // Whoever has the answer is known to the next process, too.
            gateway.kept.flush().await;
            // A ban that came meanwhile has not found this seat.
            gateway.refuse_banned(client, Some(session)).inspect_err(|_| {
                gateway.release(gateway.ledger.give_up(Instant::now(), asker.session.id, seat.handle.info.id));
            })?;
            Ok(seat)
        });
        seating.await.unwrap_or_else(|_| Err(Problem::overloaded()))
    }

    async fn find_and_note(&self, asker: &Asker, wish: Wish) -> Result<Seat, Problem> {
        let now = Instant::now();
        let blank = Blank::new(now, unix_now(), asker.session.id);
        let (owner, name) = (asker.session.id, asker.session.name.clone());
        let sign_in = asker.session.sign_in_if_any(now);
        let reservation = Reservation { owner, name, ticket: blank.hash(), until: now + SEAT_KEPT, own_only: false, sign_in };
        let found = match wish {
            Wish::Anywhere(mode) => self.find_anywhere(asker, &mode, &reservation).await,
            Wish::In(id) => match self.directory.find(id) {
                Some(handle) => self.join(asker, handle, &reservation).await,
                None => Err(self.no_such_match(asker, &id, self.directory.lost().find(now, id)).await),
            },
            Wish::WithCode(code, plan) => self.join_code(asker, &code, plan.as_ref(), &reservation).await,
            Wish::InNew(plan) => self.create(asker, &plan, None, &reservation).await,
        };
        self.note(asker, found?, blank)
    }

    async fn find_anywhere(&self, asker: &Asker, mode: &str, reservation: &Reservation) -> Result<Found, Problem> {
        let own = asker.session.holdings().matches();
        for id in own.into_iter().rev() {
            let open = self.directory.find(id).filter(|handle| quick_play::is_open(handle, mode));
            let Some(handle) = open else { continue };
            let reservation = Reservation { own_only: true, ..reservation.clone() };
            if let Ok(reserved) = handle.reserve(reservation).await {
                return Ok((handle, reserved));
            }
        }
        self.allow_new_seat(asker)?;
        Ok(self.quick_play.find_seat(mode, reservation).await?)
    }

    async fn join(&self, asker: &Asker, handle: MatchHandle, reservation: &Reservation) -> Result<Found, Problem> {
        let is_own = asker.session.holdings().matches().contains(&handle.info.id);
        if !is_own {
            self.allow_new_seat(asker)?;
            if !handle.has_time() {
                return Err(CreateError::NoTime.into());
            }
        }
        let reservation = Reservation { own_only: self.directory.is_draining(), ..reservation.clone() };
        match handle.reserve(reservation).await {
            Ok(reserved) => Ok((handle, reserved)),
            Err(ReserveError::NoSeat) => Err(problems::draining()),
            Err(error) => Err(error.into()),
        }
    }

    async fn join_code(&self, asker: &Asker, code: &str, plan: Option<&Plan>, reservation: &Reservation) -> Result<Found, Problem> {
        for _ in 0..LOOKS_MAX {
            let found = match (self.directory.find_code(code), plan) {
                (Some(handle), _) => self.join(asker, handle, reservation).await,
                (None, Some(plan)) => self.create(asker, plan, Some(code), reservation).await,
                (None, None) => Err(self.no_such_match(asker, &code, self.directory.lost().find_code(Instant::now(), code)).await),
            };
            // The match is ending, or somebody else is just creating it: what becomes of that shows
            // in a moment.
            if plan.is_none() || found.as_ref().err() != Some(&problems::match_not_found()) {
                return found;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Err(problems::match_not_found())
    }

    /// Nobody learns from the time that an answer takes whether there is a match with this id or
    /// code: where there is none, another one is asked, after what is looked at before that.
    async fn no_such_match(&self, asker: &Asker, unknown: &(impl Hash + ?Sized), lost: Option<Loss>) -> Problem {
        if let Err(problem) = self.allow_new_seat(asker) {
            return problem;
        }
        self.ask_in_vain(unknown).await;
        lost.map_or_else(problems::match_not_found, problems::match_lost)
    }

    /// Takes as long as asking a match does that there is not.
    pub(super) async fn ask_in_vain(&self, unknown: &(impl Hash + ?Sized)) {
        if let Some(handle) = self.directory.stand_in(&unknown) {
            handle.echo().await;
        }
    }

    async fn create(&self, asker: &Asker, plan: &Plan, code: Option<&str>, reservation: &Reservation) -> Result<Found, Problem> {
        let Asker { session, client } = asker;
        self.allow_new_seat(asker)?;
        let creation = self.creations.begin(session.id, client.key())?;
        self.rates.matches.check(*client).map_err(Problem::rate_limited)?;
        let Plan { mode, settings } = plan;
        let handle =
            self.directory.create(MatchRequest { code, charge: Some(Box::new(creation)), ..MatchRequest::new(mode, *settings) })?;
        self.kept.creation(handle.info.id, session.id, client.key());
        let recreated = code.is_some();
        tracing::info!(match_id = %handle.info.id, mode, ?settings, recreated, %client, "match created by request");
        let reserved = handle.reserve(reservation.clone()).await?;
        Ok((handle, reserved))
    }

    /// Whether somebody may have one more seat.
    pub(super) fn allow_new_seat(&self, asker: &Asker) -> Result<(), Problem> {
        if self.directory.is_draining() {
            return Err(problems::draining());
        }
        self.check_memory()?;
        let taken = asker.session.holdings().taken();
        if taken >= self.config.sessions.seats_max {
            return Err(problems::too_many_seats(taken));
        }
        if !self.crowd.has_room(asker.client.key()) {
            metrics::count_refusal(NoRoom::SeatsOfAddress);
            return Err(problems::address_is_full());
        }
        Ok(())
    }

    /// Notes a seat and gives its ticket.
    fn note(&self, asker: &Asker, (handle, reserved): Found, blank: Blank) -> Result<Seat, Problem> {
        let Asker { session, client } = asker;
        let Reserved { player, seat } = reserved;
        let (now, id) = (Instant::now(), handle.info.id);
        let held = Held { owner: session.id, id, player, seat: seat.clone() };
        let given_up = self.ledger.note(now, session, client.key(), id, seat);
        self.kept.seat(client.key(), &held);
        self.crowd.add(client.key(), held).into_iter().for_each(|held| self.vacate(now, held));
        given_up.into_iter().for_each(|seat| self.release(seat));
        let Some((ticket, expires_in)) = self.ledger.grant(now, blank, id, player) else {
            self.release(self.ledger.give_up(now, session.id, id));
            return Err(Problem::overloaded());
        };
        Ok(Seat { handle, ticket, expires_in })
    }

    /// Frees a seat that its address has too many of: nobody plays it.
    fn vacate(&self, now: Instant, Held { owner, id, player, seat }: Held) {
        metrics::count_refusal(NoRoom::SeatsOfAddress);
        if seat.state() == SeatState::Pending {
            self.release(self.ledger.give_up(now, owner, id));
        } else if let Some(handle) = self.directory.find(id) {
            // A match that is too busy to listen frees the seat when the grace period is over.
            let _ = handle.send(Command::Vacate { player, seat });
        }
    }

    fn release(&self, GivenUp { owner, id }: GivenUp) {
        if let Some(handle) = self.directory.find(id) {
            // A match that is too busy to listen frees the seat when the reservation is over.
            let _ = handle.send(Command::Release { owner });
        }
    }
}
