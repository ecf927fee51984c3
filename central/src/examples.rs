//! Officers' corrections as labelled examples on disk, for `datasets export`: `labels.jsonl` and `images/`.
//!
//! A line is appended after its picture is in place and both are fsynced; a correction made twice is two lines, of
//! which the later counts.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use clearance::example::LabelledExample;
use clearance::geometry::{Point, Quad};
use clearance::ids::{Digest, OfficerId, UtcMillis};
use clearance::mark::RegistrationMark;

use crate::storage::{PassageRow, StorageError, Store};

/// Why an example could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum ExampleError {
    /// The disk.
    #[error("{path}: {source}")]
    Io {
        /// File or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Who labelled, and under which terms.
pub struct Labelling<'a> {
    /// Who.
    pub officer: &'a OfficerId,
    /// When.
    pub at: UtcMillis,
    /// Terms.
    pub licence: &'a str,
}

/// Keep the plates of a passage that an officer read. Plates whose picture has not arrived are left out.
pub async fn keep(
    store: &Store,
    folder: &Path,
    passage: &PassageRow,
    marks: &[(u32, Option<RegistrationMark>)],
    labelling: Labelling<'_>,
) -> Result<usize, ExampleError> {
    let Some(decision) = &passage.decision else { return Ok(0) };
    let vehicle =
        marks.iter().filter_map(|(_, m)| m.as_ref()).find(|m| !m.jurisdiction().is_mainland()).cloned();
    let mut kept = 0;
    for (number, mark) in marks {
        let Some(plate) = decision.plates.get(*number as usize) else { continue };
        let Some(digest) = plate.picture else { continue };
        let Some(jpeg) = store.evidence(digest).await? else { continue };
        let [ax, ay, bx, by, cx, cy, dx, dy] = plate.corners;
        let example = LabelledExample {
            passage: passage.id,
            plate: *number,
            site: passage.site.parse().map_err(crate::storage::data)?,
            lane: passage.lane.parse().map_err(crate::storage::data)?,
            image: format!("{digest}.jpg"),
            sha256: digest,
            corners: Quad([Point::new(ax, ay), Point::new(bx, by), Point::new(cx, cy), Point::new(dx, dy)]),
            layout: plate.layout,
            mark: mark.clone(),
            machine_read: plate.candidates.first().map(|c| c.mark.clone()),
            vehicle: vehicle.clone(),
            officer: labelling.officer.clone(),
            at: labelling.at,
            licence: labelling.licence.to_owned(),
        };
        write(folder, &example, digest, &jpeg)?;
        kept += 1;
    }
    Ok(kept)
}

fn write(folder: &Path, example: &LabelledExample, digest: Digest, jpeg: &[u8]) -> Result<(), ExampleError> {
    let images = folder.join("images");
    let io = |path: &Path| {
        let path = path.display().to_string();
        move |source| ExampleError::Io { path, source }
    };
    fs::create_dir_all(&images).map_err(io(&images))?;
    let image = images.join(format!("{digest}.jpg"));
    if !image.exists() {
        let temporary = images.join(format!(".{digest}"));
        fs::write(&temporary, jpeg).map_err(io(&temporary))?;
        fs::File::open(&temporary).and_then(|f| f.sync_all()).map_err(io(&temporary))?;
        fs::rename(&temporary, &image).map_err(io(&image))?;
    }
    let list = folder.join("labels.jsonl");
    let mut line = serde_json::to_vec(example).map_err(std::io::Error::other).map_err(io(&list))?;
    line.push(b'\n');
    let mut file = fs::OpenOptions::new().create(true).append(true).open(&list).map_err(io(&list))?;
    file.write_all(&line).and_then(|()| file.sync_data()).map_err(io(&list))
}
