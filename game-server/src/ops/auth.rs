//! The operator's token: read from a file, compared in constant time, guessed at only so often.
//!
//! Invariants: pages of other sites are refused before anything is counted; whoever has the token
//! is let in, whatever others do at its address.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{CACHE_CONTROL, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::observer::Observer;
use crate::http::address::{AddressKey, ClientAddress};
use crate::http::origin::AllowedOrigins;
use crate::http::problem::Problem;
use crate::http::refusals::Cause;
use crate::http::remote::Remote;
use crate::http::request::bearer;
use crate::http::table::ExpiringTable;
use crate::metrics;
use crate::secrets::Bearer;

/// Shortest token that is accepted, characters.
pub(crate) const TOKEN_CHARS_MIN: usize = 16;
/// Longest token that is accepted, characters: it must fit a request's head.
pub(crate) const TOKEN_CHARS_MAX: usize = 512;
/// Browsers cannot send headers with a WebSocket, so they offer the token as a subprotocol that
/// begins like this.
const TOKEN_SUBPROTOCOL: &str = "bearer.";

/// Wrong tokens an address may present before it must wait.
const GUESSES_MAX: u32 = 10;
/// How long the guesses of an address are remembered after the first, and so how long it must wait
/// at most.
const GUESSES_FORGOTTEN: Duration = Duration::from_mins(1);
/// Addresses whose guesses are remembered; beyond, the one closest to being forgotten is.
const GUESSERS_MAX: usize = 4_096;

/// What is kept of the token. Cannot be printed.
pub(crate) struct Token([u8; 32]);

/// Why there is no token to let operators in by.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// None was named.
    #[error("the admin listener has no token: name a file that holds one (--admin-token-file), or turn the listener off (--no-admin)")]
    NoFile,
    /// The file cannot be read.
    #[error("cannot read the admin token from {}: {error}", file.display())]
    Unreadable {
        /// The file that the settings name.
        file: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file holds no token that may be used.
    #[error(
        "the admin token in {} must have {TOKEN_CHARS_MIN} to {TOKEN_CHARS_MAX} characters, all of them letters, digits or one of -._~",
        file.display()
    )]
    Bad {
        /// The file that the settings name.
        file: PathBuf,
    },
}

impl Token {
    /// Reads the first line of `file`.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, TokenError> {
        read_text(file).map(|text| Self::of(&text))
    }

    fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Takes the same time whatever the difference, and the length, is.
    fn is(&self, presented: &str) -> bool {
        self.0.ct_eq(&Self::of(presented).0).into()
    }
}

/// The token itself, for the link that is shown to the operator when the server starts.
pub fn read_text(file: Option<&Path>) -> Result<String, TokenError> {
    let file = file.ok_or(TokenError::NoFile)?.to_owned();
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) => return Err(TokenError::Unreadable { file, error }),
    };
    let token = text.trim();
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if (TOKEN_CHARS_MIN..=TOKEN_CHARS_MAX).contains(&token.len()) && token.bytes().all(is_allowed) {
        Ok(token.to_owned())
    } else {
        Err(TokenError::Bad { file })
    }
}

/// Knows the token, and who has guessed at it.
pub(crate) struct Doorkeeper {
    token: Token,
    guessers: Mutex<ExpiringTable<AddressKey, Guesses>>,
}

struct Guesses {
    count: u32,
    forgotten: Instant,
}

impl Doorkeeper {
    /// Lets in whoever knows `token`.
    pub(crate) fn new(token: Token) -> Self {
        Self { token, guessers: Mutex::new(ExpiringTable::new(GUESSERS_MAX)) }
    }

    /// Whether `presented`, from `client`, is the token. Wrong ones are counted, and the right one
    /// is right however many there were: else whoever shares the operator's address, or a page that
    /// runs on the operator's machine, could lock the operator out. What keeps a guesser out is the
    /// token's length.
    fn check(&self, now: Instant, client: ClientAddress, presented: Option<&str>) -> Result<(), Problem> {
        // To come without a token is no guess.
        let Some(presented) = presented else { return Err(unauthorised()) };
        if self.token.is(presented) {
            return Ok(());
        }
        let key = client.key();
        let mut guessers = self.guessers.lock().unwrap_or_else(PoisonError::into_inner);
        match guessers.get_mut(now, &key) {
            Some(guesses) if guesses.count >= GUESSES_MAX => Err(Problem::rate_limited(guesses.forgotten.duration_since(now))),
            Some(guesses) => {
                guesses.count += 1;
                Err(unauthorised())
            }
            None => {
                let forgotten = now + GUESSES_FORGOTTEN;
                guessers.insert_evicting(now, key, Guesses { count: 1, forgotten }, forgotten);
                Err(unauthorised())
            }
        }
    }
}

fn unauthorised() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "token_required", "The operator's token is required.")
}

/// Lets requests with the token through, unless a page of another site sends them.
pub(super) async fn guard(
    State((doorkeeper, observer)): State<(Arc<Doorkeeper>, Arc<Observer>)>,
    Extension(remote): Extension<Remote>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if !AllowedOrigins::default().allow(request.headers()) {
        return Err(observer.gateway.refuse_page(Cause::OperatorsOrigin, &remote, request.headers()));
    }
    let presented = bearer(request.headers()).map(Bearer::reveal).or_else(|| offered_token(request.headers()));
    if let Err(problem) = doorkeeper.check(Instant::now(), remote.client, presented) {
        metrics::count_reject(metrics::Reject::AdminToken);
        // Limited like the guesses are: nobody can fill the log.
        if presented.is_some() && problem.status == StatusCode::UNAUTHORIZED {
            tracing::warn!(target: "audit", client = %remote.client, "wrong operator token");
        }
        return Err(problem);
    }
    remote.permit.authenticate();
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The token among the subprotocols a browser offers.
fn offered_token(headers: &HeaderMap) -> Option<&str> {
    offered_subprotocols(headers).find_map(|protocol| protocol.strip_prefix(TOKEN_SUBPROTOCOL))
}

/// The subprotocols of a WebSocket handshake.
pub(super) fn offered_subprotocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    const A: ClientAddress = ClientAddress::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    const B: ClientAddress = ClientAddress::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));

    fn status(doorkeeper: &Doorkeeper, now: Instant, client: ClientAddress, presented: Option<&str>) -> u16 {
        doorkeeper.check(now, client, presented).map_or_else(|problem| problem.status.as_u16(), |()| 200)
    }

    #[test]
    fn guessing_is_limited_by_address() {
        let doorkeeper = Doorkeeper::new(Token::of("0123456789abcdef"));
        let now = Instant::now();
        for _ in 0..50 {
            assert_eq!(status(&doorkeeper, now, A, None), 401, "no token is no guess");
        }
        for _ in 0..GUESSES_MAX {
            assert_eq!(status(&doorkeeper, now, A, Some("0123456789abcdeg")), 401);
        }
        assert_eq!(status(&doorkeeper, now, A, Some("0123456789abcdeg")), 429);
        assert_eq!(status(&doorkeeper, now, A, Some("0123456789abcdef")), 200, "the right one is right");
        assert_eq!(status(&doorkeeper, now, B, Some("0123456789abcdeg")), 401, "others are not affected");
        assert_eq!(status(&doorkeeper, now + GUESSES_FORGOTTEN, A, Some("0123456789abcdeg")), 401);
    }

    #[test]
    fn only_a_long_enough_token_is_used() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("token");
        let read = |text: &str| {
            std::fs::write(&file, text).expect("a token file");
            Token::read(Some(&file))
        };
        assert!(read("0123456789abcdef\n").is_ok_and(|token| token.is("0123456789abcdef") && !token.is("0123456789abcdef\n")));
        for bad in ["", "\n", "short", "0123456789abcde", "with spaces in the middle", "tökentökentöken!", &"x".repeat(513)] {
            assert!(matches!(read(bad), Err(TokenError::Bad { .. })), "{bad:?}");
        }
        assert!(matches!(Token::read(None), Err(TokenError::NoFile)));
        assert!(matches!(Token::read(Some(Path::new("/no/such/file"))), Err(TokenError::Unreadable { .. })));
    }

    #[test]
    fn browsers_offer_the_token_as_a_subprotocol() {
        let mut headers = HeaderMap::new();
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("tickwire.spectate, bearer.abc"));
        assert_eq!(offered_token(&headers), Some("abc"));
        assert!(offered_subprotocols(&headers).any(|protocol| protocol == "tickwire.spectate"));
    }
}
