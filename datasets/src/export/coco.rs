//! COCO "instances" files, one a split (<https://cocodataset.org/#format-data>). The mark travels in `attributes`,
//! the corners as the segmentation polygon, in the order of the plate's own corners.

use std::fs;
use std::path::Path;

use clearance::read::PlateLayout;
use serde_json::json;

use super::{ExportError, Item, Split, io};

pub(super) fn write(folder: &Path, items: &[Item<'_>]) -> Result<(), ExportError> {
    for split in Split::ALL {
        let part: Vec<_> = items.iter().filter(|i| i.split == split).collect();
        let images: Vec<_> = part
            .iter()
            .enumerate()
            .map(|(id, item)| {
                json!({
                    "id": id + 1,
                    "file_name": format!("images/{}/{}", split.name(), item.example.image),
                    "width": item.width,
                    "height": item.height,
                })
            })
            .collect();
        let annotations: Vec<_> =
            part.iter().enumerate().map(|(id, item)| annotation(id + 1, item)).collect();
        let categories: Vec<_> = PlateLayout::ALL
            .iter()
            .enumerate()
            .map(|(id, layout)| json!({ "id": id + 1, "name": layout }))
            .collect();
        let document = json!({
            "info": { "description": "Plates corrected by officers" },
            "images": images,
            "annotations": annotations,
            "categories": categories,
        });
        let path = folder.join(format!("{}.json", split.name()));
        fs::write(&path, document.to_string()).map_err(io(&path))?;
    }
    Ok(())
}

fn annotation(id: usize, item: &Item<'_>) -> serde_json::Value {
    let bounds = item.example.corners.bounds();
    let polygon: Vec<f32> = item.example.corners.0.iter().flat_map(|p| [p.x, p.y]).collect();
    json!({
        "id": id,
        "image_id": id,
        "category_id": item.example.layout as usize + 1,
        "bbox": [bounds.x0, bounds.y0, bounds.x1 - bounds.x0, bounds.y1 - bounds.y0],
        "area": bounds.area(),
        "segmentation": [polygon],
        "iscrowd": 0,
        "attributes": { "mark": item.example.mark, "machine_read": item.example.machine_read },
    })
}
