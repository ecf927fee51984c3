//! Sets of labelled photographs: a folder with `labels.csv` and the pictures it names, as in
//! `shared/data/plates` and as `datasets export --format csv` writes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clearance::geometry::{Bounds, Point, Quad};
use serde::Deserialize;

/// Labels narrower than this, in pixels, are no plates to measure with.
const LEAST_WIDTH: f32 = 5.0;

/// The country of plates that no person could read: ignored, and so is what is found there.
pub const UNCLEAR: &str = "unclear";

/// Why a set cannot be used. Each names the file, the row where there is one, the cause and the mend.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// There is no such folder.
    #[error("{}: no such folder; name a folder with labels.csv and the pictures it lists", .0.display())]
    NoFolder(PathBuf),
    /// The labels cannot be read as a whole.
    #[error("{}: {why}; it is a CSV file with the columns image,text,x,y,w,h,corners,rows,country", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system or the parser said.
        why: String,
    },
    /// One row is wrong.
    #[error("{}: row {row}: {why}", path.display())]
    Row {
        /// Which file.
        path: PathBuf,
        /// The line of the file, the header being line 1.
        row: u64,
        /// What is wrong and what would be right.
        why: String,
    },
}

/// A row as it is in the file. Columns that are not named here say where a picture came from; scoring needs none.
#[derive(Deserialize)]
struct Row {
    image: String,
    text: String,
    x: Option<f32>,
    y: Option<f32>,
    w: Option<f32>,
    h: Option<f32>,
    #[serde(default)]
    corners: String,
    #[serde(default)]
    rows: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    condition: String,
}

/// One labelled plate.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// What it says; empty where nobody can tell.
    pub text: String,
    /// Its box, in pixels.
    pub bounds: Bounds,
    /// Its corners, in pixels; the box's where the set has boxes only.
    pub corners: Quad,
    /// `single_row`, `double_row`, or empty.
    pub rows: String,
    /// `HK`, `CN-GD-cross`, `EU` and the like.
    pub country: String,
    /// Light and weather, `night` or `rain`; empty where the set does not say.
    pub condition: String,
}

impl Label {
    /// Whether reading it counts. What is not measured still accounts for what is found there.
    pub fn is_measured(&self) -> bool {
        self.country != UNCLEAR && !self.text.is_empty()
    }

    /// The group its figures go to: country and rows.
    pub fn group(&self) -> String {
        [self.country.as_str(), self.rows.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// One picture and the plates in it.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its file.
    pub path: PathBuf,
    /// Its file name: what reads are matched by.
    pub name: String,
    /// Its plates, in the order of the file.
    pub labels: Vec<Label>,
}

/// A set of labelled pictures.
#[derive(Clone, Debug)]
pub struct LabelledSet {
    /// The folder's name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its pictures, in the order of the file.
    pub pictures: Vec<Picture>,
}

impl LabelledSet {
    /// Read the set in `folder`.
    pub fn load(folder: &Path) -> Result<Self, LabelError> {
        if !folder.is_dir() {
            return Err(LabelError::NoFolder(folder.to_owned()));
        }
        let path = folder.join("labels.csv");
        let file = |why: String| LabelError::File { path: path.clone(), why };
        let mut reader = csv::Reader::from_path(&path).map_err(|e| file(e.to_string()))?;
        let headers = reader.headers().map_err(|e| file(e.to_string()))?.clone();
        let mut pictures: Vec<Picture> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for record in reader.records() {
            let record = record.map_err(|e| file(e.to_string()))?;
            let row = record.position().map_or(0, csv::Position::line);
            let wrong = |why: String| LabelError::Row { path: path.clone(), row, why };
            let parsed: Row = record.deserialize(Some(&headers)).map_err(|e| wrong(e.to_string()))?;
            let name = Path::new(&parsed.image)
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .ok_or_else(|| wrong("the column image is empty; put the picture's path there".to_owned()))?;
            let place = *places.entry(name.clone()).or_insert_with(|| {
                pictures.push(Picture { path: folder.join(&parsed.image), name, labels: Vec::new() });
                pictures.len() - 1
            });
            if let Some(label) = label(parsed).map_err(wrong)? {
                pictures[place].labels.push(label);
            }
        }
        if pictures.is_empty() {
            return Err(file("there is no row".to_owned()));
        }
        let name =
            folder.canonicalize().ok().and_then(|f| Some(f.file_name()?.to_string_lossy().into_owned()));
        Ok(Self {
            name: name.unwrap_or_else(|| folder.display().to_string()),
            folder: folder.to_owned(),
            pictures,
        })
    }

    /// Every k-th picture, so that at most `most` are left: for readers that are slow.
    #[must_use]
    pub fn thinned(&self, most: usize) -> Self {
        let step = self.pictures.len().div_ceil(most.max(1)).max(1);
        Self { pictures: self.pictures.iter().step_by(step).cloned().collect(), ..self.clone() }
    }

    /// Whether its vehicles carry the marks of our lanes.
    pub fn is_of_our_lanes(&self) -> bool {
        self.pictures.iter().flat_map(|p| &p.labels).any(|l| l.country == "HK" || l.country == "CN-GD-cross")
    }
}

/// The label of a row; `None` for a row that only says the picture was looked at.
fn label(row: Row) -> Result<Option<Label>, String> {
    let Some(w) = row.w.filter(|&w| w >= LEAST_WIDTH) else { return Ok(None) };
    let (Some(x), Some(y), Some(h)) = (row.x, row.y, row.h) else {
        return Err("it has a width but x, y or h is empty; give the whole box in pixels".to_owned());
    };
    if ![x, y, w, h].iter().all(|v| v.is_finite()) || h <= 0.0 {
        return Err(format!("the box {x} {y} {w} {h} has no area; give x, y, w, h in pixels"));
    }
    let corners = if row.corners.trim().is_empty() {
        Quad::rectangle(x, y, w, h)
    } else {
        corners(&row.corners).ok_or_else(|| {
            format!(
                "the corners {:?} are not eight numbers \"x y x y x y x y\", clockwise from top left",
                row.corners
            )
        })?
    };
    let bounds = Bounds { x0: x, y0: y, x1: x + w, y1: y + h };
    Ok(Some(Label {
        text: row.text,
        bounds,
        corners,
        rows: row.rows,
        country: row.country,
        condition: row.condition,
    }))
}

/// Four corners. A point that is repeated is one click too many of whoever drew it, and counts once.
fn corners(text: &str) -> Option<Quad> {
    let numbers: Vec<f32> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let (pairs, []) = numbers.as_chunks::<2>() else { return None };
    let mut points = pairs.to_vec();
    points.dedup();
    Some(Quad(<[[f32; 2]; 4]>::try_from(points).ok()?.map(Point::from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(rows: &str) -> Result<LabelledSet, LabelError> {
        let folder = tempfile::TempDir::new().unwrap();
        let head = "image,text,x,y,w,h,corners,rows,country,source_repo,licence";
        std::fs::write(folder.path().join("labels.csv"), format!("{head}\n{rows}\n")).unwrap();
        LabelledSet::load(folder.path())
    }

    #[test]
    fn rows_of_one_picture_come_together() {
        let set = set("images/a.jpg,AB12,1,2,30,10,1 2 31 2 31 12 1 12 1 12,single_row,HK,s,l\n\
             images/b.jpg,,,,,,,,,s,l\nimages/a.jpg,,9,9,30,10,,double_row,unclear,s,l")
        .unwrap();
        assert_eq!(set.pictures.len(), 2);
        assert_eq!(set.pictures[0].labels.len(), 2);
        assert_eq!(set.pictures[0].labels[0].group(), "HK single_row");
        assert!(!set.pictures[0].labels[1].is_measured());
        assert!(set.pictures[1].labels.is_empty(), "a picture without plates still shows what is spurious");
        let corner = set.pictures[0].labels[0].corners.0[3];
        assert_eq!((corner.x, corner.y), (1.0, 12.0));
        assert_eq!(set.thinned(1).pictures.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_row() {
        let why = |rows: &str| set(rows).unwrap_err().to_string();
        assert!(why("a.jpg,X,1,2,wide,4,,,HK,s,l").contains("labels.csv: row 2: "));
        let second = why("a.jpg,X,1,2,9,4,,,HK,s,l\na.jpg,X,1,2,9,4,1 2 3,,HK,s,l");
        assert!(second.contains("row 3: the corners \"1 2 3\" are not eight numbers"), "{second}");
        assert!(why("a.jpg,X,,2,9,4,,,HK,s,l").contains("give the whole box"));
        let missing = LabelledSet::load(Path::new("/no/such/set")).unwrap_err().to_string();
        assert!(missing.starts_with("/no/such/set: no such folder; name a folder"));
    }
}
