//! The bytes of a segment: its header, and the records that follow it.
//!
//! All numbers are little-endian. A header is
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `TWJOURNL` |
//! | 4 | version of the format |
//! | 4 | lane |
//! | 8 | epoch |
//! | 8 | the segment's sequence number |
//! | 8 | build that writes it |
//! | 4 | CRC-32 of all before |
//!
//! and a record
//!
//! | bytes | what |
//! |---|---|
//! | 4 | CRC-32 of all that follows, continued from that of the header |
//! | 4 | length of the payload |
//! | 1 | kind |
//! | 16 | key of the stream |
//! | 8 | sequence number in the stream |
//! | .. | payload |
//!
//! As a record's checksum goes on from the header's, no record of another segment passes for one of
//! this.

use crate::key::StreamKey;
use crate::limits::RECORD_MAX;

const MAGIC: &[u8; 8] = b"TWJOURNL";
const VERSION: u32 = 1;
/// Bytes of a header.
pub(crate) const HEADER: usize = 44;
/// Bytes of a record before its payload.
pub(crate) const HEAD: usize = 33;
/// How the name of a segment's file ends.
const EXTENSION: &str = ".segment";

/// Which segment a file is: in the order in which a directory is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SegmentId {
    pub(crate) epoch: u64,
    pub(crate) lane: u16,
    pub(crate) sequence: u64,
}

impl SegmentId {
    pub(crate) fn name(self) -> String {
        let Self { epoch, lane, sequence } = self;
        format!("{epoch:016x}-{lane:04x}-{sequence:016x}{EXTENSION}")
    }

    /// The segment that has this name; `None` if no segment is called so.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(EXTENSION)?.split('-').map(|part| u64::from_str_radix(part, 16).ok());
        let (epoch, lane, sequence) = (parts.next()??, parts.next()??, parts.next()??);
        let id = Self { epoch, lane: u16::try_from(lane).ok()?, sequence };
        (id.name() == name).then_some(id)
    }
}

/// A segment's header.
pub(crate) fn header(id: SegmentId, build: u64) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let fields: [&[u8]; 6] = [
        MAGIC,
        &VERSION.to_le_bytes(),
        &u32::from(id.lane).to_le_bytes(),
        &id.epoch.to_le_bytes(),
        &id.sequence.to_le_bytes(),
        &build.to_le_bytes(),
    ];
    let mut at = 0;
    for field in fields {
        header[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    }
    let checksum = crc32fast::hash(&header[..at]);
    header[at..].copy_from_slice(&checksum.to_le_bytes());
    header
}

/// What every record's checksum begins with.
pub(crate) fn seed(header: &[u8; HEADER]) -> u32 {
    u32::from_le_bytes([header[HEADER - 4], header[HEADER - 3], header[HEADER - 2], header[HEADER - 1]])
}

/// Why a file is no segment that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadHeader {
    Short,
    Magic,
    Version(u32),
    Checksum,
    /// It is another segment's, by its own account.
    Name,
}

/// A segment that is read.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    /// Where the next record begins.
    pub(crate) at: usize,
    seed: u32,
    pub(crate) build: u64,
}

/// A whole record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) kind: Kind,
    pub(crate) key: StreamKey,
    pub(crate) sequence: u64,
    pub(crate) payload: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Record = 1,
    Checkpoint = 2,
    /// The stream has ended.
    End = 3,
    /// The stream had ended before this epoch. Of this one it says nothing.
    Hide = 4,
}

/// Why reading ends before the file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadRecord {
    /// It is longer than what is left of the file.
    Torn,
    /// It is not what was written.
    Damaged,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], id: SegmentId) -> Result<Self, BadHeader> {
        let (header, _) = bytes.split_first_chunk::<HEADER>().ok_or(BadHeader::Short)?;
        let mut fields = Fields(header);
        if fields.take::<8>() != Some(*MAGIC) {
            return Err(BadHeader::Magic);
        }
        let version = fields.u32().unwrap_or_default();
        if version != VERSION {
            return Err(BadHeader::Version(version));
        }
        if crc32fast::hash(&header[..HEADER - 4]) != seed(header) {
            return Err(BadHeader::Checksum);
        }
        let (lane, epoch, sequence, build) = (fields.u32(), fields.u64(), fields.u64(), fields.u64());
        if (lane, epoch, sequence) != (Some(u32::from(id.lane)), Some(id.epoch), Some(id.sequence)) {
            return Err(BadHeader::Name);
        }
        Ok(Self { bytes, at: HEADER, seed: seed(header), build: build.unwrap_or_default() })
    }

    /// The next record, or what is there instead. `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Result<Record<'a>, BadRecord>> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let record = read(rest, self.seed);
        if let Ok(record) = &record {
            self.at += HEAD + record.payload.len();
        }
        Some(record)
    }
}

/// The record that `bytes` begin with.
pub(crate) fn read(bytes: &[u8], seed: u32) -> Result<Record<'_>, BadRecord> {
    let mut fields = Fields(bytes);
    let mut head = || Some((fields.u32()?, fields.u32()?, fields.take::<1>()?[0], fields.take::<16>()?, fields.u64()?));
    let (checksum, length, kind, key, sequence) = head().ok_or(BadRecord::Torn)?;
    let length = length as usize;
    let kind = match kind {
        1 => Kind::Record,
        2 => Kind::Checkpoint,
        3 => Kind::End,
        4 => Kind::Hide,
        _ => return Err(BadRecord::Damaged),
    };
    if length > RECORD_MAX {
        return Err(BadRecord::Damaged);
    }
    let payload = fields.0.get(..length).ok_or(BadRecord::Torn)?;
    if checksum_of(&bytes[4..HEAD + length], seed) != checksum {
        return Err(BadRecord::Damaged);
    }
    Ok(Record { kind, key: StreamKey(key), sequence, payload })
}

/// Appends a record to `buffer`. The payload is at most [`RECORD_MAX`] long.
pub(crate) fn write(buffer: &mut Vec<u8>, seed: u32, record: &Record) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    buffer.extend_from_slice(&(record.payload.len() as u32).to_le_bytes());
    buffer.push(record.kind as u8);
    buffer.extend_from_slice(&record.key.0);
    buffer.extend_from_slice(&record.sequence.to_le_bytes());
    buffer.extend_from_slice(record.payload);
    let checksum = checksum_of(&buffer[start + 4..], seed);
    buffer[start..start + 4].copy_from_slice(&checksum.to_le_bytes());
}

fn checksum_of(bytes: &[u8], seed: u32) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(seed);
    hasher.update(bytes);
    hasher.finalize()
}

/// What is left of some bytes.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: SegmentId = SegmentId { epoch: 3, lane: 2, sequence: 1 };

    #[test]
    fn a_name_is_read_back() {
        assert_eq!(SegmentId::of_name(&ID.name()), Some(ID));
        let others = ["lock", "", ".segment", "1-2-3.segment", "00-00-00-00.segment", "é.segment"];
        assert!(others.iter().all(|name| SegmentId::of_name(name).is_none()));
    }

    #[test]
    fn a_segment_is_read_back() {
        let header = header(ID, 77);
        let mut bytes = header.to_vec();
        let record = Record { kind: Kind::Checkpoint, key: StreamKey([9; 16]), sequence: 5, payload: b"state" };
        write(&mut bytes, seed(&header), &record);
        let mut reader = Reader::new(&bytes, ID).unwrap();
        assert_eq!(reader.build, 77);
        let read = reader.next().unwrap().unwrap();
        assert_eq!((read.kind, read.key, read.sequence, read.payload), (record.kind, record.key, 5, record.payload));
        assert!(reader.next().is_none());
        assert_eq!(Reader::new(&bytes, SegmentId { lane: 1, ..ID }).err(), Some(BadHeader::Name));
    }

    #[test]
    fn a_flipped_bit_is_found_wherever_it_is() {
        let header = header(ID, 77);
        let mut bytes = header.to_vec();
        write(&mut bytes, seed(&header), &Record { kind: Kind::Record, key: StreamKey([9; 16]), sequence: 5, payload: b"step" });
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            let is_good = Reader::new(&bytes, ID).is_ok_and(|mut reader| matches!(reader.next(), Some(Ok(_))));
            assert!(!is_good, "bit {bit} makes no difference");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn zeros_and_other_segments_are_no_records() {
        let header = header(ID, 77);
        let bytes = [header.to_vec(), vec![0; 64]].concat();
        assert_eq!(Reader::new(&bytes, ID).unwrap().next().unwrap().err(), Some(BadRecord::Damaged));
        let mut other = Vec::new();
        write(&mut other, seed(&super::header(ID, 78)), &Record { kind: Kind::End, key: StreamKey([9; 16]), sequence: 5, payload: b"" });
        let bytes = [header.to_vec(), other].concat();
        assert_eq!(Reader::new(&bytes, ID).unwrap().next().unwrap().err(), Some(BadRecord::Damaged));
    }
}
