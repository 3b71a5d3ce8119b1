//! The keys that tickets are signed with: random, or from a file that nodes share.
//!
//! A line of the file is a key, 64 hex digits; lines that begin with `#` and empty ones are passed
//! over. The first key signs, and all check: to change it, put the new one before the old one.
//!
//! Invariants: no key can be printed; one that others on the machine can read is refused, as is a
//! short one.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::config::TicketConfig;
use crate::secrets::{from_hex, random_bytes, to_hex};

/// Bytes of a key: as many as HMAC-SHA-256 makes of it.
const KEY_BYTES: usize = 32;
/// Most keys of a file: the one that signs, and the one before.
pub(crate) const KEYS_MAX: usize = 2;
/// Largest file, bytes.
pub(crate) const FILE_BYTES_MAX: usize = 4 * 1024;
/// Bytes that are left of a MAC.
pub(super) const MAC_BYTES: usize = 16;
/// Begins what is signed: whatever else should ever be signed with such a key is no ticket.
const PURPOSE: &[u8] = b"tickwire ticket 1\0";

/// The keys: the first signs, all check.
pub(crate) struct Keys {
    first: Hmac<Sha256>,
    second: Option<Hmac<Sha256>>,
}

/// Why there are no keys to sign tickets with.
#[derive(Debug, thiserror::Error)]
#[error("tickets.key_file {}: {cause}", file.display())]
pub struct TicketKeysError {
    file: PathBuf,
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    #[error("cannot read it: {0}")]
    Unreadable(io::Error),
    #[error("there is none, and it cannot be made: {0}")]
    NotMade(io::Error),
    #[error("others on this machine can read or change it: take that away (chmod o= it)")]
    Public,
    #[error("it is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    #[error("it holds no key: remove it, and one is made, or write 64 hex digits into it (openssl rand -hex 32)")]
    NoKey,
    #[error("line {0} is no key, which is 64 hex digits (openssl rand -hex 32 makes one)")]
    NotAKey(usize),
    #[error("line {0} is a key of equal digits, which can be guessed")]
    Guessable(usize),
    #[error("it holds more than {KEYS_MAX} keys: the one that signs, and the one before it")]
    TooMany,
}

impl Keys {
    /// One that nobody else has.
    pub(crate) fn random() -> Self {
        Self { first: key(&random_bytes()), second: None }
    }

    /// As the operator set them; a file that is not there is made.
    pub(crate) fn new(config: &TicketConfig) -> Result<Self, TicketKeysError> {
        let Some(file) = &config.key_file else { return Ok(Self::random()) };
        if !file.exists() {
            make(file).map_err(|error| fail(file, Cause::NotMade(error)))?;
            tracing::info!(file = %file.display(), "a key for tickets was made");
        }
        Self::read(file)
    }

    /// Whether [`Keys::new`] would read the file, if there is one.
    pub(crate) fn check(config: &TicketConfig) -> Result<(), TicketKeysError> {
        let file = config.key_file.as_deref().filter(|file| file.exists());
        file.map_or(Ok(()), |file| Self::read(file).map(drop))
    }

    /// Those of a file.
    pub(super) fn read(file: &Path) -> Result<Self, TicketKeysError> {
        read(file).and_then(|text| Self::parse(&text)).map_err(|cause| fail(file, cause))
    }

    pub(super) fn parse(text: &[u8]) -> Result<Self, Cause> {
        if text.len() > FILE_BYTES_MAX {
            return Err(Cause::TooLarge);
        }
        let text = std::str::from_utf8(text).map_err(|_| Cause::NotAKey(1))?;
        let lines = text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let mut keys = lines.map(|(index, line)| {
            let bytes: [u8; KEY_BYTES] = from_hex(line).ok_or(Cause::NotAKey(index + 1))?;
            if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
                return Err(Cause::Guessable(index + 1));
            }
            Ok(key(&bytes))
        });
        let found = Self { first: keys.next().unwrap_or(Err(Cause::NoKey))?, second: keys.next().transpose()? };
        if keys.next().is_some() { Err(Cause::TooMany) } else { Ok(found) }
    }

    /// The MAC of `bytes`.
    pub(super) fn sign(&self, bytes: &[u8]) -> [u8; MAC_BYTES] {
        let mac: [u8; KEY_BYTES] = self.first.clone().chain_update(bytes).finalize().into_bytes().into();
        mac.first_chunk().copied().unwrap_or_default()
    }

    /// Whether that is the MAC of `bytes` by one of the keys. Takes the same time whatever is
    /// wrong.
    pub(super) fn has_signed(&self, bytes: &[u8], mac: &[u8; MAC_BYTES]) -> bool {
        let is_of = |key: &Hmac<Sha256>| key.clone().chain_update(bytes).verify_truncated_left(mac).is_ok();
        let is_of_second = self.second.as_ref().is_some_and(is_of);
        is_of(&self.first) | is_of_second
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(****)")
    }
}

/// What `file` holds, and no more than it may.
pub(super) fn read(file: &Path) -> Result<Vec<u8>, Cause> {
    let read = || -> io::Result<(bool, Vec<u8>)> {
        let file = fs::File::open(file)?;
        let is_public = is_public(&file.metadata()?);
        let mut text = Vec::new();
        file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut text)?;
        Ok((is_public, text))
    };
    match read().map_err(Cause::Unreadable)? {
        (true, _) => Err(Cause::Public),
        (false, text) => Ok(text),
    }
}

fn fail(file: &Path, cause: Cause) -> TicketKeysError {
    TicketKeysError { file: file.to_owned(), cause }
}

/// Makes a file with a new key, for this user alone. One that somebody else made meanwhile is as
/// good.
fn make(file: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(mut made) => {
            let line = to_hex(&random_bytes::<KEY_BYTES>()) + "\n";
            made.write_all(line.as_bytes()).and_then(|()| made.sync_all())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn is_public(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o007 != 0
}

#[cfg(not(unix))]
fn is_public(_: &fs::Metadata) -> bool {
    false
}

#[allow(clippy::expect_used)] // HMAC takes keys of any length
fn key(bytes: &[u8; KEY_BYTES]) -> Hmac<Sha256> {
    let key = <Hmac<Sha256> as Mac>::new_from_slice(bytes).expect("HMAC takes keys of any length");
    key.chain_update(PURPOSE)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file that its owner alone can read.
    pub(in super::super) fn write_private(file: &Path, text: &str) {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(file).and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
    }

    fn config(file: &Path) -> TicketConfig {
        TicketConfig { key_file: Some(file.to_owned()) }
    }

    #[test]
    fn a_file_that_is_not_there_is_made_and_read_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("tickets.key");
        Keys::check(&config(&file)).expect("it would be made");
        assert!(!file.exists(), "looking changes nothing");
        let made = Keys::new(&config(&file)).expect("made");
        let again = Keys::new(&config(&file)).expect("read");
        assert_eq!(made.sign(b"x"), again.sign(b"x"));
        assert_ne!(made.sign(b"x"), Keys::random().sign(b"x"));
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).expect("there").permissions()) & 0o777, 0o600);
        let nowhere = Keys::new(&config(&dir.path().join("no/such/folder"))).expect_err("refused").to_string();
        assert!(nowhere.starts_with("tickets.key_file ") && nowhere.contains("cannot be made"), "{nowhere}");
    }

    #[test]
    fn bad_files_are_told_apart_and_nothing_in_them_is_shown() {
        let key = "0f1e".repeat(16);
        let (one, two) = (key.clone(), format!("{key}\n{}", "a7".repeat(31)));
        let three = format!("{key}\n{}\n{}", "12ab".repeat(16), "34cd".repeat(16));
        for (text, told) in [
            ("", "holds no key"),
            ("# a comment\n", "holds no key"),
            (&one[..62], "line 1 is no key"),
            (&two, "line 2 is no key"),
            (&three, "more than 2"),
            (&"00".repeat(32), "can be guessed"),
            (&"é".repeat(32), "line 1 is no key"),
            (&"#".repeat(FILE_BYTES_MAX + 1), "larger than"),
        ] {
            let told_us = Keys::parse(text.as_bytes()).expect_err("refused").to_string();
            assert!(told_us.contains(told), "{told_us}");
            assert!(!told_us.contains("0f1e") && !told_us.contains("a7a7"), "{told_us}");
        }
        assert_eq!(format!("{:?}", Keys::parse(one.as_bytes()).expect("good")), "Keys(****)");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("tickets.key");
        write_private(&file, &"0f1e".repeat(16));
        for (mode, is_good) in [(0o600, true), (0o640, true), (0o400, true), (0o644, false), (0o602, false), (0o604, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("set");
            let read = Keys::check(&config(&file));
            assert_eq!(read.is_ok(), is_good, "{mode:o}: {read:?}");
            assert!(is_good || read.is_err_and(|error| error.to_string().contains("chmod")));
        }
    }
}
