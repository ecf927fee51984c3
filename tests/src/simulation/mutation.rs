//! Bugs to be planted, each a way in which this kind of system is known to fail.

use clap::ValueEnum;

/// One planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mutation {
    /// The edge believes records signed by anybody.
    SkipSignature,
    /// The lane releases without a lease.
    IgnoreLease,
    /// A lease runs from when its grant arrives.
    LeaseFromReceipt,
    /// A lease is kept over a restart.
    LeaseSurvivesRestart,
    /// The edge takes a lease for three times as long as it is granted.
    LeaseTooLong,
    /// A directive used here is not marked as used.
    ReuseUsed,
    /// The mark of a used directive is not on the disk when the gate opens.
    UsedNotDurable,
    /// A delta after a gap is applied at once.
    ApplyGap,
    /// A snapshot query that brings nothing is taken for an empty set.
    TrustEmptyReply,
    /// The floor is forgotten at a restart.
    ForgetFloor,
    /// The first page of a snapshot is taken for the whole.
    HalfSnapshot,
    /// A contradiction is logged and nothing else.
    IgnoreQuarantine,
    /// A quarantine ends with a restart.
    ForgetQuarantine,
    /// The edge says its set is central's, whatever it holds.
    SkipAudit,
    /// The edge believes a retired key of central.
    KeepRetiredKey,
    /// The gate opens before the intent is on the disk.
    GateBeforeIntent,
    /// A step is forgotten when it was sent.
    ForgetWhenSent,
    /// A full disk is taken for a written one.
    IgnoreFullDisk,
    /// Central acknowledges a passage before it has committed it.
    AckBeforeCommit,
    /// Central counts a step as often as it arrives.
    CountTwice,
    /// Central goes on with the old epoch after a restore.
    ReuseEpoch,
    /// Central gives a revision out, fails to commit it, and does not give it out again.
    RevisionOutsideTransaction,
    /// Central takes a passage and does not write down that its directive was used.
    UseNotCommitted,
}

impl Mutation {
    /// Every one.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }
}
