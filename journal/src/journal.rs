//! One writer's log.

mod room;
mod segments;
mod streams;

use std::io;
use std::sync::Arc;

use crate::epoch::Epoch;
use crate::files::{Disk, Files, write_all};
use crate::format::{self, HEAD, HEADER, Kind, Record, SegmentId};
use crate::key::StreamKey;
use crate::limits::{BUFFER_MAX, RECORD_MAX, STREAMS_MAX};
use crate::options::{Durability, Options};
use crate::sync::{Shared, Syncer};
use segments::{Segment, Segments};
use streams::{Home, Streams};

/// One writer's log. Each thread that writes has its own, with a lane that no other journal of the
/// process has; a stream belongs to one of them.
///
/// No call fails: what cannot be written is dropped, [`Journal::health`] tells it, and the journal
/// tries again by itself.
pub struct Journal<F: Files = Disk> {
    files: F,
    options: Options,
    epoch: Epoch,
    lane: u16,
    streams: Streams,
    /// Streams that older epochs have ended, to be hidden as long as those are there.
    ended: Vec<StreamKey>,
    segments: Segments,
    /// The newest segment's file. `None` while nothing can be written.
    file: Option<Arc<F::File>>,
    /// What the next write appends to the newest segment.
    buffer: Vec<u8>,
    /// The checkpoints and ends in the buffer, and where they will be.
    pending: Vec<(StreamKey, Home)>,
    /// Bytes written since the last commit.
    bytes: usize,
    /// Whether something was dropped since the last commit.
    has_dropped: bool,
    trouble: Option<Trouble>,
    shared: Arc<Shared<F>>,
    /// The segment whose streams are to be checkpointed anew, for there is too much on disk.
    crowded: Option<u64>,
}

/// Why not everything is on disk.
struct Trouble {
    error: String,
    /// How many commits have dropped something.
    lost: u64,
    /// Tidies before the next attempt.
    wait: u32,
    /// Tidies between the attempts after that.
    pause: u32,
}

/// What became of what was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commit {
    /// Nothing had been appended since the last commit.
    Nothing,
    /// It outlives what [`Options::durability`] says.
    Written {
        /// Bytes that were written, headers of records included.
        bytes: usize,
    },
    /// Something was dropped: see [`Journal::health`].
    Lost,
}

/// Whether all streams outlive what [`Options::durability`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health<'a> {
    /// Every stream does.
    Durable,
    /// Some do not, or only as they were before this began. It ends by itself when the disk can be
    /// written again and every stream has been checkpointed.
    Degraded {
        /// How many commits have dropped something since it began.
        lost: u64,
        /// What the system said last.
        error: &'a str,
    },
}

/// Most tidies between two attempts to write again: a quarter of a minute, at four a second.
const PAUSE_MAX: u32 = 64;
/// Files that may wait for the syncer. While there are so many, the newest segment grows.
const LEFT_MAX: usize = 4;
/// Tombstones of a segment. With more it is full: they are forgotten when it is deleted.
const ENDED_MAX: usize = STREAMS_MAX / 16;

impl<F: Files> Journal<F> {
    /// Begins a log in `options.dir`. A disk that cannot be written makes it
    /// [`Degraded`](Health::Degraded).
    pub fn open(files: F, options: Options, epoch: Epoch, lane: u16) -> Self {
        let created = files.create_dir(&options.dir);
        let mut journal = Self {
            shared: Arc::new(Shared::new(files.clone(), options.dir.clone())),
            files,
            options,
            lane,
            ended: epoch.take_ended(),
            epoch,
            streams: Streams::default(),
            segments: Segments::default(),
            file: None,
            buffer: Vec::with_capacity(64 << 10),
            pending: Vec::new(),
            bytes: 0,
            has_dropped: false,
            trouble: None,
            crowded: None,
        };
        journal.epoch.add(Arc::clone(&journal.shared) as _);
        match created {
            Ok(()) => journal.begin_segment(),
            Err(error) => journal.fail(&error),
        }
        journal
    }

    /// Appends a record to a stream, which begins with a checkpoint: records before that are
    /// ignored. It is on disk after the next [`Journal::commit`].
    pub fn append(&mut self, key: StreamKey, record: &[u8]) {
        if record.len() > RECORD_MAX {
            return self.refuse_length(key, record.len());
        }
        match self.streams.append(key) {
            Some(Ok(sequence)) => drop(self.put(Kind::Record, key, sequence, record)),
            Some(Err(streams::Gap)) => self.has_dropped = true,
            None => {}
        }
    }

    /// Gives a stream a new checkpoint, in place of all that came before. A stream that is not
    /// there begins so.
    pub fn checkpoint(&mut self, key: StreamKey, state: &[u8]) {
        if self.streams.is_refused(key) {
            return self.refuse_stream();
        }
        let sequence = self.streams.checkpoint(key);
        if state.len() > RECORD_MAX {
            return self.refuse_length(key, state.len());
        }
        self.put_whole(Kind::Checkpoint, key, sequence, state);
    }

    /// Ends a stream. It is not recovered, whatever older segments and epochs have of it.
    ///
    /// ```
    /// use tickwire_journal::sim::Sim;
    /// use tickwire_journal::{Durability, Journal, Options, StreamKey, recover};
    ///
    /// let (disk, over) = (Sim::default(), StreamKey([7; 16]));
    /// let options = Options { dir: "journal".into(), durability: Durability::Process, segment_bytes: 1 << 20, build: 1 };
    /// let mut journal = Journal::open(disk.clone(), options.clone(), recover(&disk, &options.dir)?.epoch, 0);
    /// journal.checkpoint(over, &[1]);
    /// journal.end(over);
    /// journal.commit();
    /// assert!(recover(&disk, &options.dir)?.streams.is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn end(&mut self, key: StreamKey) {
        if !self.streams.has(key) && !self.epoch.is_alone() && self.streams.is_refused(key) {
            return self.refuse_stream();
        }
        if let Some(sequence) = self.streams.end(key, self.epoch.is_alone()) {
            self.put_whole(Kind::End, key, sequence, &[]);
        }
    }

    /// Writes what was appended, with one `write`; waits for the disk if that is what
    /// [`Durability::Tick`] promises. Call it before what was appended is told to anybody.
    pub fn commit(&mut self) -> Commit {
        if let Some(error) = self.shared.take_error() {
            self.has_dropped = true;
            self.fail(&error);
        }
        self.write_out();
        self.sync();
        self.rotate();
        self.settle();
        let bytes = std::mem::take(&mut self.bytes);
        if std::mem::take(&mut self.has_dropped) {
            if let Some(trouble) = &mut self.trouble {
                trouble.lost += 1;
            }
            Commit::Lost
        } else if bytes == 0 {
            Commit::Nothing
        } else {
            Commit::Written { bytes }
        }
    }

    /// Whether a stream should be checkpointed soon: it is new, a write has failed, or its newest
    /// checkpoint keeps an old segment from being deleted. Never while nothing can be written.
    pub fn wants_checkpoint(&self, key: StreamKey) -> bool {
        self.file.is_some() && self.streams.wants_checkpoint(key, self.crowded)
    }

    /// Whether everything is kept.
    pub fn health(&self) -> Health<'_> {
        match &self.trouble {
            None => Health::Durable,
            Some(trouble) => Health::Degraded { lost: trouble.lost, error: &trouble.error },
        }
    }

    /// What syncs this journal on another thread, as [`Durability::Second`] asks for: see
    /// [`Background`](crate::Background).
    pub fn syncer(&self) -> Syncer<F> {
        Syncer(Arc::clone(&self.shared))
    }

    /// How many writes a power loss would take back. 0 with [`Durability::Tick`] after a commit;
    /// meaningless with [`Durability::Process`].
    pub fn unsynced(&self) -> u64 {
        self.shared.written().saturating_sub(self.shared.synced())
    }

    /// Bytes that this lane's segments take on disk.
    pub fn disk_bytes(&self) -> u64 {
        self.segments.bytes()
    }

    /// A checkpoint or an end.
    fn put_whole(&mut self, kind: Kind, key: StreamKey, sequence: u64, payload: &[u8]) {
        match self.put(kind, key, sequence, payload) {
            Some(home) => {
                self.streams.is_put(key);
                self.pending.push((key, home));
            }
            None => self.streams.is_dropped(key),
        }
    }

    /// Puts a record into the buffer, and says where it will be. `None` if nothing can be written.
    fn put(&mut self, kind: Kind, key: StreamKey, sequence: u64, payload: &[u8]) -> Option<Home> {
        let length = HEAD + payload.len();
        if !self.buffer.is_empty() && self.buffer.len() + length > BUFFER_MAX {
            self.write_out();
            self.rotate();
        }
        let Some(segment) = self.segments.newest().filter(|_| self.file.is_some()) else {
            self.has_dropped = true;
            return None;
        };
        let home = Home { segment: segment.sequence, at: segment.bytes + self.buffer.len() as u64, length, is_end: kind == Kind::End };
        format::write(&mut self.buffer, segment.seed, &Record { kind, key, sequence, payload });
        Some(home)
    }

    fn write_out(&mut self) {
        let Some(file) = self.file.as_ref().filter(|_| !self.buffer.is_empty()) else { return };
        if let Err(error) = write_all(&**file, &self.buffer) {
            self.has_dropped = true;
            return self.fail(&error);
        }
        self.segments.grow(self.buffer.len());
        self.bytes += self.buffer.len();
        self.shared.wrote();
        for (key, home) in self.pending.drain(..) {
            let left = self.streams.is_written(key, home);
            self.segments.moved(left, home);
        }
        self.buffer.clear();
        if self.buffer.capacity() > 2 * BUFFER_MAX {
            self.buffer.shrink_to(BUFFER_MAX);
        }
    }

    /// What a commit waits for.
    fn sync(&mut self) {
        match self.options.durability {
            Durability::Process => self.shared.all_is_synced(),
            Durability::Second => {}
            Durability::Tick => {
                if let Err(error) = self.shared.sync() {
                    self.shared.take_error();
                    self.has_dropped = true;
                    self.fail(&error);
                }
            }
        }
    }

    /// Goes on in a new segment if this one is full.
    fn rotate(&mut self) {
        let is_long = |segment: &Segment| segment.bytes > HEADER as u64 && segment.bytes >= self.options.segment_bytes;
        let is_full = |segment: &Segment| is_long(segment) || segment.ended_count >= ENDED_MAX;
        if self.file.is_none() || !self.segments.newest().is_some_and(is_full) {
            return;
        }
        if self.shared.left() < LEFT_MAX {
            self.file = None;
            self.begin_segment();
        }
    }

    fn begin_segment(&mut self) {
        let id = SegmentId { epoch: self.epoch.number(), lane: self.lane, sequence: self.segments.next_sequence() };
        match self.create(id) {
            Err(error) => self.fail(&error),
            Ok((file, seed)) => {
                let file = Arc::new(file);
                self.go_on_in(Some(Arc::clone(&file)));
                self.file = Some(file);
                self.segments.begin(id.sequence, seed);
                self.put_ends();
            }
        }
    }

    /// Ends what could not be ended when it was over, and hides what older epochs have ended.
    fn put_ends(&mut self) {
        for (key, sequence) in self.streams.dropped_ends() {
            self.put_whole(Kind::End, key, sequence, &[]);
        }
        if let Some(segment) = self.segments.newest().filter(|_| !self.epoch.is_alone()) {
            for key in &self.ended {
                let hide = Record { kind: Kind::Hide, key: *key, sequence: 0, payload: &[] };
                format::write(&mut self.buffer, segment.seed, &hide);
            }
        }
        // Segments before this one may be deleted, and what they end too.
        self.write_out();
    }

    /// Creates a segment's file and gives it its header.
    fn create(&self, id: SegmentId) -> io::Result<(F::File, u32)> {
        let path = self.options.dir.join(id.name());
        let header = format::header(id, self.options.build);
        let file = self.files.create(&path)?;
        if let Err(error) = write_all(&file, &header) {
            // Whether or not that works: without a record it means nothing.
            let _ = self.files.remove(&path);
            return Err(error);
        }
        Ok((file, format::seed(&header)))
    }

    /// Nothing can be written for now. What the disk has is not to be relied on beyond what it has
    /// of older checkpoints: every stream needs a new one.
    fn fail(&mut self, error: &io::Error) {
        self.buffer.clear();
        self.pending.clear();
        self.shared.has_failed();
        self.go_on_in(None);
        if self.file.take().is_some()
            && let Some(sequence) = self.segments.drop_if_empty()
        {
            // Each attempt on a full disk would leave a file.
            let _ = self.files.remove(&self.path(sequence));
        }
        self.segments.unfree();
        self.streams.are_dropped();
        let error = error.to_string();
        let (wait, pause, lost) = self.trouble.as_ref().map_or((0, 1, 0), |before| (before.pause, before.pause * 2, before.lost));
        self.trouble = Some(Trouble { error, lost, wait, pause: pause.min(PAUSE_MAX) });
    }

    /// Tells the syncer which file is written to.
    fn go_on_in(&self, file: Option<Arc<F::File>>) {
        if self.options.durability != Durability::Process {
            self.shared.go_on_in(file);
        }
    }

    /// Ends trouble that is over.
    fn settle(&mut self) {
        if self.trouble.is_some() && self.file.is_some() && self.streams.owed() == 0 && !self.streams.has_refused() {
            self.trouble = None;
            self.shared.is_mended();
        }
    }

    fn refuse_length(&mut self, key: StreamKey, length: usize) {
        self.streams.is_dropped(key);
        self.refuse(format!("stream {key}: {length} bytes are more than the {RECORD_MAX} that a record may have"));
    }

    fn refuse_stream(&mut self) {
        self.refuse(format!("more than {STREAMS_MAX} streams in one journal"));
    }

    fn refuse(&mut self, error: String) {
        self.has_dropped = true;
        let trouble = self.trouble.get_or_insert(Trouble { error: String::new(), lost: 0, wait: 0, pause: 1 });
        trouble.error = error;
    }

    fn path(&self, sequence: u64) -> std::path::PathBuf {
        let id = SegmentId { epoch: self.epoch.number(), lane: self.lane, sequence };
        self.options.dir.join(id.name())
    }
}

impl<F: Files> std::fmt::Debug for Journal<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Journal");
        debug.field("dir", &self.options.dir).field("epoch", &self.epoch.number()).field("lane", &self.lane);
        debug.field("health", &self.health()).finish_non_exhaustive()
    }
}
