//! One `labels.csv` for spreadsheets and scripts: a line a plate, corners as `x y` pairs clockwise from top left.

use std::path::Path;

use serde::Serialize;

use super::{ExportError, Item, io};

#[derive(Serialize)]
struct Row<'a> {
    image: String,
    text: &'a str,
    x: f32,
    y: f32,
    w: f32,
    h: f32,
    corners: String,
    layout: clearance::read::PlateLayout,
    split: &'static str,
    source: String,
    licence: &'a str,
}

pub(super) fn write(folder: &Path, items: &[Item<'_>]) -> Result<(), ExportError> {
    let path = folder.join("labels.csv");
    let failed = |e: csv::Error| io(&path)(e.into());
    let mut writer = csv::Writer::from_path(&path).map_err(failed)?;
    for item in items {
        writer.serialize(row(item)).map_err(failed)?;
    }
    writer.flush().map_err(io(&path))
}

fn row<'a>(item: &Item<'a>) -> Row<'a> {
    let e = item.example;
    let b = e.corners.bounds();
    let corners: Vec<String> = e.corners.0.iter().map(|p| format!("{:.1} {:.1}", p.x, p.y)).collect();
    Row {
        image: format!("images/{}/{}", item.split.name(), e.image),
        text: e.mark.as_ref().map_or("", |m| m.as_str()),
        x: b.x0,
        y: b.y0,
        w: b.x1 - b.x0,
        h: b.y1 - b.y0,
        corners: corners.join(" "),
        layout: e.layout,
        split: item.split.name(),
        source: format!("{}/{}", e.site, e.lane),
        licence: &e.licence,
    }
}
