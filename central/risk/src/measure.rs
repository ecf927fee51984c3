//! What is done with a movement, and the colour of its lane.

use std::fmt;

use clearance::directive::ActionCode;
use serde::{Deserialize, Serialize};

/// The colour of a lane, in order of severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// Release.
    Green,
    /// Release, and an audit afterwards.
    Blue,
    /// Documents are looked at.
    Yellow,
    /// Physical inspection.
    Red,
}

impl Colour {
    /// Every colour, in order of severity.
    pub const ALL: [Self; 4] = [Self::Green, Self::Blue, Self::Yellow, Self::Red];

    /// As it is stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is to be done, in order of severity: the strictest that anything demands is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Let it go.
    Release,
    /// Let it go, and look into the books afterwards.
    Audit,
    /// Look at the documents.
    Documents,
    /// Look at the cargo.
    Inspect,
    /// Look at the cargo, and escort it there.
    Escort,
    /// Stop it; an officer comes.
    Detain,
}

impl Measure {
    /// Every measure, in order of severity.
    pub const ALL: [Self; 6] =
        [Self::Release, Self::Audit, Self::Documents, Self::Inspect, Self::Escort, Self::Detain];

    /// The colour of its lane.
    pub fn colour(self) -> Colour {
        match self {
            Self::Release => Colour::Green,
            Self::Audit => Colour::Blue,
            Self::Documents => Colour::Yellow,
            Self::Inspect | Self::Escort | Self::Detain => Colour::Red,
        }
    }

    /// The code that the lane gets.
    pub fn code(self) -> ActionCode {
        match self {
            Self::Release | Self::Audit => ActionCode::Release,
            Self::Documents => ActionCode::Documents,
            Self::Inspect => ActionCode::Inspect,
            Self::Escort => ActionCode::Escort,
            Self::Detain => ActionCode::Detain,
        }
    }

    /// As it is stored and typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Audit => "audit",
            Self::Documents => "documents",
            Self::Inspect => "inspect",
            Self::Escort => "escort",
            Self::Detain => "detain",
        }
    }

    /// As it was stored or typed.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.name() == name)
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
