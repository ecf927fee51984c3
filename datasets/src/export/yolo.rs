//! YOLO text labels with four key points, the pose form of Ultralytics: class, box, then x y of each corner, all
//! relative to the picture. The mark has no place there, so `marks.csv` carries it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{ExportError, Item, Split, io};

pub(super) fn write(folder: &Path, items: &[Item<'_>]) -> Result<(), ExportError> {
    for split in Split::ALL {
        let labels = folder.join("labels").join(split.name());
        fs::create_dir_all(&labels).map_err(io(&labels))?;
    }
    let path = folder.join("marks.csv");
    let failed = |e: csv::Error| io(&path)(e.into());
    let mut marks = csv::Writer::from_path(&path).map_err(failed)?;
    marks.write_record(["image", "mark"]).map_err(failed)?;
    for item in items {
        let name = Path::new(&item.example.image).with_extension("txt");
        let label = folder.join("labels").join(item.split.name()).join(name);
        fs::write(&label, line(item)).map_err(io(&label))?;
        let mark = item.example.mark.as_ref().map_or("", |m| m.as_str());
        let image = format!("images/{}/{}", item.split.name(), item.example.image);
        marks.write_record([image.as_str(), mark]).map_err(failed)?;
    }
    marks.flush().map_err(io(&path))?;
    let path = folder.join("data.yaml");
    let yaml = "path: .\ntrain: images/train\nval: images/valid\ntest: images/test\nkpt_shape: [4, 2]\nnames:\n  0: single_row\n  1: double_row\n  2: cross_boundary\n";
    fs::write(&path, yaml).map_err(io(&path))
}

fn line(item: &Item<'_>) -> String {
    let (w, h) = (item.width as f32, item.height as f32);
    let b = item.example.corners.bounds();
    let mut line = format!(
        "{} {:.6} {:.6} {:.6} {:.6}",
        item.example.layout as usize,
        f32::midpoint(b.x0, b.x1) / w,
        f32::midpoint(b.y0, b.y1) / h,
        (b.x1 - b.x0) / w,
        (b.y1 - b.y0) / h
    );
    for p in item.example.corners.0 {
        let _ = write!(line, " {:.6} {:.6}", p.x / w, p.y / h);
    }
    line.push('\n');
    line
}
