//! Keeps a second process out of a directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::files::{Disk, Files as _};

/// The lock on a directory. It ends when this is dropped, or with the process.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why a directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("{} is in use by another process: stop that one, or choose another directory", .0.display())]
    InUse(PathBuf),
    /// The system refuses.
    #[error("{} cannot be used: {source}", .dir.display())]
    Io {
        /// The directory that was to be locked.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Makes a directory this process's own, and creates it if it is not there.
///
/// ```
/// use tickwire_journal::{LockError, lock};
///
/// # let temporary = tempfile::tempdir()?;
/// # let dir = temporary.path();
/// let held = lock(dir)?;
/// assert!(matches!(lock(dir), Err(LockError::InUse(_))));
/// drop(held);
/// assert!(lock(dir).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn lock(dir: &Path) -> Result<Lock, LockError> {
    let refused = |source| LockError::Io { dir: dir.to_path_buf(), source };
    Disk.create_dir(dir).map_err(refused)?;
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(dir.join("lock")).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(LockError::InUse(dir.to_path_buf())),
        Err(TryLockError::Error(source)) => Err(refused(source)),
    }
}
