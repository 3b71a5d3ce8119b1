//! Reads a JWT and says whose it is, or what is wrong with it.
//!
//! Pure: the caller says what time it is and which keys are good. Invariants: nothing in a token
//! chooses how it is checked; every claim that is looked at has the type it must have; a member
//! that is there twice refuses the token; what costs most, the signature, is checked last.

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tickwire_protocol::text::Name;

use super::keys::Keys;
use super::members::Members;
use crate::config::JwtAlgorithm;
use crate::gateway::identity::names;
use crate::matches::PlayerKey;

/// Longest token that is looked at, bytes.
pub(crate) const TOKEN_BYTES_MAX: usize = 4 * 1024;
/// Longest `sub`, bytes: what OIDC allows.
const SUBJECT_BYTES_MAX: usize = 255;
/// Longest `kid`, bytes.
const KEY_ID_BYTES_MAX: usize = 256;
/// A token that would be good for longer than this is a mistake, seconds.
pub(crate) const LIFE_MAX_S: u64 = 366 * 24 * 60 * 60;
/// What a header may not have: each asks for something that is not done here, so it would be
/// ignored.
const FORBIDDEN: [&str; 5] = ["crit", "cty", "enc", "zip", "b64"];

/// What a token must be.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How it is signed.
    pub algorithm: JwtAlgorithm,
    /// Who issued it.
    pub issuer: String,
    /// Whom it is for.
    pub audience: String,
    /// Seconds that the issuer's clock may be off.
    pub leeway_s: u64,
    /// The claim that says how others see the player.
    pub name_claim: String,
    /// The claim that says how good the player is, if one does.
    pub rating_claim: Option<String>,
}

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// It is longer than any token may be.
    TooLong,
    /// It is no three parts in base64url, of which two are JSON objects without doubles.
    NotAToken,
    /// Its header says that it is signed in another way, or not at all.
    Algorithm,
    /// Its header asks for something that is not done here.
    Header,
    /// A claim that must be there is not, or has another type.
    Claims,
    /// It was issued by somebody else.
    Issuer,
    /// It is for somebody else.
    Audience,
    /// Its time has not come.
    NotYet,
    /// Its time is over.
    Expired,
    /// It would be good for longer than anything should.
    TooLasting,
    /// It is signed with a key that is not known here.
    UnknownKey,
    /// Its signature is wrong.
    Signature,
}

impl Flaw {
    /// Stable, for logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotAToken => "not_a_token",
            Self::Algorithm => "algorithm",
            Self::Header => "header",
            Self::Claims => "claims",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::NotYet => "not_yet",
            Self::Expired => "expired",
            Self::TooLasting => "too_lasting",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
        }
    }
}

/// Whose a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Who the person is: all tokens of one person have one subject.
    pub subject: PlayerKey,
    /// How others see them.
    pub name: Name,
    /// When the token is good no more, seconds since 1970, leeway included.
    pub expires: u64,
    /// How good the player is. A claim that is no whole number says nothing.
    pub rating: Option<i32>,
}

/// A token that says the right things. Whether they are true, its signature shows.
pub struct Unverified<'a> {
    algorithm: JwtAlgorithm,
    key_id: Option<String>,
    signed: &'a str,
    signature: Vec<u8>,
    account: Account,
}

impl Rules {
    /// What `token` says, if that is good at `now`, seconds since 1970.
    pub fn read<'a>(&self, token: &'a str, now: u64) -> Result<Unverified<'a>, Flaw> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Flaw::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Flaw::NotAToken)?;
        let (header, claims) = signed.split_once('.').ok_or(Flaw::NotAToken)?;
        let key_id = self.check_header(&object(header)?)?;
        let account = self.check_claims(&object(claims)?, now)?;
        let signature = bytes(signature)?;
        Ok(Unverified { algorithm: self.algorithm, key_id, signed, signature, account })
    }

    /// Returns which key it is signed with, if it says so.
    fn check_header(&self, header: &Members) -> Result<Option<String>, Flaw> {
        match header.get("alg") {
            Some(Value::String(name)) if self.algorithm.is_called(name) => {}
            _ => return Err(Flaw::Algorithm),
        }
        let is_ours = |kind: &str| ["jwt", "at+jwt"].contains(&kind.to_ascii_lowercase().trim_start_matches("application/"));
        match header.get("typ") {
            None => {}
            Some(Value::String(kind)) if is_ours(kind) => {}
            Some(_) => return Err(Flaw::Header),
        }
        if FORBIDDEN.iter().any(|name| header.get(name).is_some()) {
            return Err(Flaw::Header);
        }
        match header.get("kid") {
            None => Ok(None),
            Some(Value::String(id)) if id.len() <= KEY_ID_BYTES_MAX => Ok(Some(id.clone())),
            Some(_) => Err(Flaw::Header),
        }
    }

    fn check_claims(&self, claims: &Members, now: u64) -> Result<Account, Flaw> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).ok_or(Flaw::Claims);
        // Whole numbers only: a text, a fraction and a negative number are none.
        let time = |name: &str| claims.get(name).and_then(Value::as_u64).ok_or(Flaw::Claims);
        let (issuer, subject, expires, from) = (text("iss")?, text("sub")?, time("exp")?, time("nbf")?);
        if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX || from > expires {
            return Err(Flaw::Claims);
        }
        if issuer != self.issuer {
            return Err(Flaw::Issuer);
        }
        if !is_for(claims.get("aud"), &self.audience)? {
            return Err(Flaw::Audience);
        }
        if from > now.saturating_add(self.leeway_s) {
            return Err(Flaw::NotYet);
        }
        let expires = expires.saturating_add(self.leeway_s);
        if expires <= now {
            return Err(Flaw::Expired);
        }
        if expires - now > LIFE_MAX_S {
            return Err(Flaw::TooLasting);
        }
        let name = claims.get(&self.name_claim).and_then(Value::as_str).unwrap_or_default();
        let rating = self.rating_claim.as_ref().and_then(|claim| claims.get(claim)?.as_i64());
        let rating = rating.and_then(|rating| i32::try_from(rating).ok());
        Ok(Account { subject: subject_key(issuer, subject), name: names::clean(name), expires, rating })
    }
}

impl Unverified<'_> {
    /// Whose it is, if one of `keys` signed it.
    pub fn verify(self, keys: &Keys) -> Result<Account, Flaw> {
        let mut fitting = keys.fitting(self.key_id.as_deref()).peekable();
        fitting.peek().ok_or(Flaw::UnknownKey)?;
        let is_signed = fitting.any(|key| key.has_signed(self.algorithm, self.signed.as_bytes(), &self.signature));
        if is_signed { Ok(self.account) } else { Err(Flaw::Signature) }
    }
}

/// Whether `audience` is among those that a token is for.
fn is_for(claim: Option<&Value>, audience: &str) -> Result<bool, Flaw> {
    match claim {
        Some(Value::String(one)) => Ok(one == audience),
        Some(Value::Array(several)) if several.iter().all(Value::is_string) => Ok(several.iter().any(|one| one == audience)),
        _ => Err(Flaw::Claims),
    }
}

/// Issuer and subject together are one person; neither says anything alone.
fn subject_key(issuer: &str, subject: &str) -> PlayerKey {
    let mut hash = Sha256::new_with_prefix(b"tickwire account");
    hash.update((issuer.len() as u64).to_be_bytes());
    hash.update(issuer);
    hash.update(subject);
    PlayerKey(hash.finalize().into())
}

fn object(part: &str) -> Result<Members, Flaw> {
    serde_json::from_slice(&bytes(part)?).map_err(|_| Flaw::NotAToken)
}

fn bytes(part: &str) -> Result<Vec<u8>, Flaw> {
    BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Flaw::NotAToken)
}
