//! What comes of one attempt to deliver.

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It was taken; with which status, if the way has one.
    Delivered(Option<u16>),
    /// It was not, and may be later.
    Failed(Failure),
    /// It was not and never will be.
    Refused(Failure),
    /// Nobody will ever take anything there again.
    Gone(Failure),
}

/// Why something was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// What the other side answered, if it did.
    pub(super) status: Option<u16>,
    /// In words.
    pub(super) why: String,
}

/// As many characters of a reason as are kept.
const MOST_WHY: usize = 200;

impl Failure {
    /// A reason, with its causes, cut to a length that can be shown.
    pub(super) fn new(status: Option<u16>, error: &dyn std::error::Error) -> Self {
        let mut why = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            why = format!("{why}: {error}");
            cause = error.source();
        }
        Self::said(status, &why)
    }

    /// A reason in words.
    pub(super) fn said(status: Option<u16>, why: &str) -> Self {
        Self { status, why: why.chars().filter(|c| !c.is_control()).take(MOST_WHY).collect() }
    }
}
