//! Faults that are put in on purpose: each breaks a promise that the real code keeps, and an
//! invariant must notice it. They are here, around the store and in the simulated server; nothing
//! of them is in what ships.

/// A broken promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plant {
    /// The store writes for whoever asks: epochs are not compared.
    EpochNotCompared,
    /// A node that is told that it is fenced goes on.
    FenceIgnored,
    /// The store gives a match away whose lease lasts.
    HeldIsClaimed,
    /// A claim does not raise the epoch.
    EpochNotRaised,
    /// A late checkpoint replaces a newer one, as it has no number.
    CheckpointWithoutNumber,
    /// A checkpoint is cut off in the middle.
    TornCheckpoint,
    /// The next owner gets the checkpoint, and no record.
    RecordsDroppedAtTakeover,
    /// The next owner gets all but the last record.
    LastRecordDroppedAtTakeover,
    /// Of several records in one write one gets lost, and nobody sees the gap.
    RecordLost,
    /// A record that is written again counts twice.
    RecordTwice,
    /// What was sent counts as written, answer or not.
    AcknowledgedWhenSent,
    /// That the store had lost a match is not told its owner, who does not find out either.
    AdoptionIgnored,
    /// A write that has nothing to say renews no lease, and says it did.
    LeaseNotRenewed,
    /// Nodes believe that a lease lasts longer than it does.
    LeaseBelievedLonger,
    /// A node's clock is far slower than the store's.
    SlowClock,
    /// Nobody claims what a dead process has left (colyseus 799).
    DeadNeverCleanedUp,
    /// A match whose node has missed a beat is never listed again (colyseus 968).
    MissedBeatDelists,
    /// A join while a match is disposed of keeps it there for ever (colyseus 555).
    JoinKeepsTheDisposed,
    /// After the store was restarted a node beats, and answers no letter (socket.io streams adapter
    /// 32).
    BeatsButNeverAnswers,
    /// A letter that comes twice takes two seats (socket.io streams adapter 39).
    LetterTakesTwoSeats,
    /// A failover of the store takes ten seconds back, and nobody is told (redis 6062).
    FailoverTakesTenSecondsBack,
    /// The store does not remember which matches have ended, and they come again.
    EndForgotten,
    /// A node does not find out that the store has gone back in time.
    TideLies,
    /// The store keeps no card that came with anything else.
    CardLost,
    /// What is handed over is not written first.
    HandedOverUnwritten,
}

impl Plant {
    pub(crate) const ALL: [Self; 25] = [
        Self::EpochNotCompared,
        Self::FenceIgnored,
        Self::HeldIsClaimed,
        Self::EpochNotRaised,
        Self::CheckpointWithoutNumber,
        Self::TornCheckpoint,
        Self::RecordsDroppedAtTakeover,
        Self::LastRecordDroppedAtTakeover,
        Self::RecordLost,
        Self::RecordTwice,
        Self::AcknowledgedWhenSent,
        Self::AdoptionIgnored,
        Self::LeaseNotRenewed,
        Self::LeaseBelievedLonger,
        Self::SlowClock,
        Self::DeadNeverCleanedUp,
        Self::MissedBeatDelists,
        Self::JoinKeepsTheDisposed,
        Self::BeatsButNeverAnswers,
        Self::LetterTakesTwoSeats,
        Self::FailoverTakesTenSecondsBack,
        Self::EndForgotten,
        Self::TideLies,
        Self::CardLost,
        Self::HandedOverUnwritten,
    ];
}
