//! The product reading a set, in this process and on one thread, exactly as `edge read` does it.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use clearance::picture::{Luma, LumaView};
use clearance::read::{PlateLayout, PlateSighting};
use indicatif::ProgressBar;
use models::{Bundle, Recogniser};

use super::conditions::Conditions;
use super::labels::{Label, LabelledSet};
use super::reads::{Detection, PictureReads, Reads, Times};

/// A set as the product reads it, and what was measured of its labelled plates on the way.
#[derive(Debug, Default)]
pub struct ProductReads {
    /// By file name of the picture.
    pub reads: Reads,
    /// What was measured of its labelled plates.
    pub measured: Measured,
}

/// What is known of a labelled plate besides its label.
#[derive(Clone, Debug)]
pub struct OfLabel {
    /// How it looks; `None` where the corners span no plane.
    pub conditions: Option<Conditions>,
    /// What our reader makes of it at the labelled corners: whatever is wrong there is the reader's alone.
    pub read_at_label: String,
}

/// By file name of the picture, for each of its labels in the order of the set.
pub type Measured = HashMap<String, Vec<OfLabel>>;

/// A picture, upright: what is measured is loaded as `edge read` loads it.
pub use edge::read::load;

fn grey(path: &Path) -> anyhow::Result<Luma> {
    let grey = load(path)?.into_luma8();
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    Ok(Luma::new(grey.into_raw(), width, height)?)
}

/// Read every picture of a set; `progress` goes one step for each.
pub fn read(bundle: &Bundle, set: &LabelledSet, progress: &ProgressBar) -> anyhow::Result<ProductReads> {
    let mut recogniser = Recogniser::new(bundle)?;
    let mut product = ProductReads::default();
    for (number, picture) in set.pictures.iter().enumerate() {
        let luma = grey(&picture.path).with_context(|| {
            let labels = set.folder.join("labels.csv");
            format!(
                "{}: named in {}; take its rows out or put the picture there",
                picture.path.display(),
                labels.display()
            )
        })?;
        if number == 0 {
            // The first run of a network allocates; nobody waits for that in a lane.
            recogniser.recognise(luma.view())?;
        }
        let started = Instant::now();
        let seen = recogniser.recognise(luma.view())?;
        let ms = |d: std::time::Duration| d.as_secs_f64() * 1000.0;
        let times = Times { detect: ms(seen.detect), read: ms(seen.read), total: ms(started.elapsed()) };
        let plates = seen.plates.into_iter().map(Into::into).collect();
        product.reads.insert(picture.name.clone(), PictureReads { plates, times });
        let of_labels = picture.labels.iter().map(|label| of_label(&mut recogniser, luma.view(), label));
        product.measured.insert(picture.name.clone(), of_labels.collect::<anyhow::Result<_>>()?);
        progress.inc(1);
    }
    Ok(product)
}

fn of_label(recogniser: &mut Recogniser, picture: LumaView<'_>, label: &Label) -> anyhow::Result<OfLabel> {
    let layout = match label.rows.as_str() {
        "double_row" => PlateLayout::DoubleRow,
        _ => PlateLayout::SingleRow,
    };
    let read = recogniser.read(picture, &PlateSighting { corners: label.corners, score: 1.0, layout })?;
    Ok(OfLabel {
        conditions: Conditions::measure(picture, label)?,
        read_at_label: Detection::from(read).mark,
    })
}
