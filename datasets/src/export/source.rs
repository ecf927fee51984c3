//! Central's folder of corrections, read with care: the latest correction of a plate counts, and what does not fit
//! its picture is left out and named.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead as _;
use std::path::{Component, Path};

use clearance::example::LabelledExample;
use clearance::ids::Digest;
use serde::Serialize;

use super::{ExportError, io};

/// An example that is not exported.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SkippedExample {
    /// Its picture.
    pub image: String,
    /// Why.
    pub why: String,
}

/// What a folder holds.
pub struct Loaded {
    /// Examples with the size of their pictures in pixels, in the order of their passages.
    pub examples: Vec<(LabelledExample, (u32, u32))>,
    /// What was left out.
    pub skipped: Vec<SkippedExample>,
}

/// Read `labels.jsonl` and check each picture's digest, size and corners.
pub fn load(folder: &Path) -> Result<Loaded, ExportError> {
    let path = folder.join("labels.jsonl");
    let file = fs::File::open(&path).map_err(io(&path))?;
    // A later correction of the same plate replaces the earlier.
    let mut latest = BTreeMap::new();
    for (index, line) in std::io::BufReader::new(file).lines().enumerate() {
        let line = line.map_err(io(&path))?;
        if line.trim().is_empty() {
            continue;
        }
        let example: LabelledExample = serde_json::from_str(&line).map_err(|source| ExportError::Line {
            path: path.clone(),
            line: index + 1,
            source,
        })?;
        latest.insert((example.passage, example.plate), example);
    }
    let (mut examples, mut skipped) = (Vec::new(), Vec::new());
    for example in latest.into_values() {
        match check(folder, &example) {
            Ok(size) => examples.push((example, size)),
            Err(why) => skipped.push(SkippedExample { image: example.image, why }),
        }
    }
    Ok(Loaded { examples, skipped })
}

fn check(folder: &Path, example: &LabelledExample) -> Result<(u32, u32), String> {
    let mut parts = Path::new(&example.image).components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
        return Err("the picture's name is not a plain file name".to_owned());
    }
    if example.mark.is_none() {
        return Err("the officer could not read it either".to_owned());
    }
    let path = folder.join("images").join(&example.image);
    let bytes = fs::read(&path).map_err(|e| format!("the picture cannot be read: {e}"))?;
    if Digest::of(&bytes) != example.sha256 {
        return Err("the picture has changed since it was labelled".to_owned());
    }
    let (width, height) = image::ImageReader::new(std::io::Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|e| e.to_string())?
        .into_dimensions()
        .map_err(|e| format!("not a picture: {e}"))?;
    let bounds = example.corners.bounds();
    let inside = bounds.x0 >= -1.0
        && bounds.y0 >= -1.0
        && bounds.x1 <= width as f32 + 1.0
        && bounds.y1 <= height as f32 + 1.0;
    if inside && example.corners.is_plausible() {
        Ok((width, height))
    } else {
        Err(format!("its corners do not lie in the {width}x{height} picture"))
    }
}
