//! What the journal needs of a file system, and the real one.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

/// A file system. The real one is [`Disk`]; [`Sim`](crate::sim::Sim) is one that fails.
pub trait Files: Clone + Send + Sync + 'static {
    /// A file that is written to.
    type File: File;

    /// Creates a directory that only this user may enter, with those above it. Fine if it is there.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// The names of the plain files in a directory.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// All bytes of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Fills `into` with what the file has from `offset` on.
    fn read_part(&self, path: &Path, offset: u64, into: &mut [u8]) -> io::Result<()>;
    /// Creates a file that only this user may read. It must not be there.
    fn create(&self, path: &Path) -> io::Result<Self::File>;
    /// Renames a file.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Returns when the files that were created, renamed and removed in a directory outlive a power
    /// loss as such. Without it a file may be gone, however often it was synced itself.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// A file that is only ever appended to, by one thread, and synced by any.
pub trait File: Send + Sync + 'static {
    /// Appends some of `bytes` and says how many.
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;
    /// Returns when all that was written outlives a power loss.
    fn sync(&self) -> io::Result<()>;
}

/// Appends all of `bytes`.
pub(crate) fn write_all(file: &impl File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The file system of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    type File = fs::File;

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent {
            self.create_dir(parent)?;
        }
        let mut builder = fs::DirBuilder::new();
        builder.recursive(false);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
            Err(error) => Err(error),
            // Once in the life of a directory, so in every mode.
            Ok(()) => self.sync_dir(parent.unwrap_or(Path::new("."))),
        }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_file()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn read_part(&self, path: &Path, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let mut file = fs::File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(into)
    }

    fn create(&self, path: &Path) -> io::Result<fs::File> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        // Windows offers no such thing: NTFS keeps a log of its own of them.
        if cfg!(unix) { fs::File::open(dir)?.sync_all() } else { Ok(()) }
    }
}

impl File for fs::File {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self;
        Write::write(&mut file, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        // The length counts as data, the times do not.
        self.sync_data()
    }
}
