//! A labelled example: what an officer's correction leaves for the engineers. Central writes them, datasets reads
//! them, one JSON object a line in `labels.jsonl` beside the pictures.

use serde::{Deserialize, Serialize};

use crate::geometry::Quad;
use crate::ids::{Digest, LaneId, OfficerId, PassageId, SiteId, UtcMillis};
use crate::mark::RegistrationMark;
use crate::read::PlateLayout;

/// One plate, read by a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelledExample {
    /// The passage it comes from.
    pub passage: PassageId,
    /// Which plate of the passage, from 0.
    pub plate: u32,
    /// Where.
    pub site: SiteId,
    /// Which lane.
    pub lane: LaneId,
    /// The picture's file name, in `images/` beside the list.
    pub image: String,
    /// SHA-256 of the picture.
    pub sha256: Digest,
    /// Corners in pixels of the picture, clockwise from the plate's own top left.
    pub corners: Quad,
    /// How it is laid out.
    pub layout: PlateLayout,
    /// What it says; `None` when the officer could not read it either.
    pub mark: Option<RegistrationMark>,
    /// What the machine had read.
    pub machine_read: Option<RegistrationMark>,
    /// The vehicle's Hong Kong mark where known: examples of one vehicle stay in one split.
    pub vehicle: Option<RegistrationMark>,
    /// Who read it.
    pub officer: OfficerId,
    /// When.
    pub at: UtcMillis,
    /// Under which terms the picture may be used.
    pub licence: String,
}
