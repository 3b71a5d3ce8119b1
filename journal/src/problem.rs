//! What is wrong with what recovery found.

use crate::format::{BadHeader, BadRecord};
use crate::key::StreamKey;

/// Something that recovery could not use, and where. The newest good state before it was used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, byte {offset}: {what}")]
pub struct Problem {
    /// The file's name in the directory.
    pub file: String,
    /// Bytes from the beginning of the file.
    pub offset: u64,
    /// What is wrong there.
    pub what: What,
}

/// What a [`Problem`] is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// The system does not let it be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The file is shorter than a header: its creation was cut off.
    #[error("the file ends within its header, whose writing was cut off")]
    ShortHeader,
    /// The file is something else.
    #[error("this is no journal")]
    NoJournal,
    /// A format that this build does not know. [`retire`](crate::retire()) sets such a file aside.
    #[error("version {0} of the format, which this build does not read; the build that wrote it does")]
    UnknownVersion(u32),
    /// The header's checksum is not right.
    #[error("the header is damaged")]
    DamagedHeader,
    /// The header is that of a segment with another name.
    #[error("the file is another segment's, renamed")]
    Renamed,
    /// The last record is not all there: its writing was cut off. What a crash leaves behind.
    #[error("the last record is cut off")]
    Torn,
    /// A record's checksum is not right. Nothing after it in the file is used.
    #[error("a record is damaged; the rest of the file is not used")]
    Damaged,
    /// Records of a stream are missing, and no later checkpoint makes up for them.
    #[error("stream {key}: record {expected} is missing; it goes on from before that")]
    Gap {
        /// The stream that they are of.
        key: StreamKey,
        /// The sequence number of the first that is missing.
        expected: u64,
    },
    /// Records of a stream whose checkpoint is nowhere.
    #[error("stream {key}: there is no checkpoint for its records")]
    NoCheckpoint {
        /// The stream that they are of.
        key: StreamKey,
    },
}

impl From<BadHeader> for What {
    fn from(bad: BadHeader) -> Self {
        match bad {
            BadHeader::Short => Self::ShortHeader,
            BadHeader::Magic => Self::NoJournal,
            BadHeader::Version(version) => Self::UnknownVersion(version),
            BadHeader::Checksum => Self::DamagedHeader,
            BadHeader::Name => Self::Renamed,
        }
    }
}

impl From<BadRecord> for What {
    fn from(bad: BadRecord) -> Self {
        match bad {
            BadRecord::Torn => Self::Torn,
            BadRecord::Damaged => Self::Damaged,
        }
    }
}
