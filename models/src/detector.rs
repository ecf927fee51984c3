//! From the detector's maps to plates: peaks of a heat map for each class, four corner offsets at each peak
//! (Zhou et al., "Objects as Points", 2019, with corners in place of a box). Corners are told only where there is a peak.

use clearance::geometry::{Point, Quad};
use clearance::picture::LumaView;
use clearance::read::{PlateLayout, PlateSighting};

use crate::RecogniseError;
use crate::bundle::{Bundle, CornersFile, DetectorManifest};
use crate::letterbox::{AREA, Fit, Letterbox, STRIDE, cells_of};
use crate::network::Network;

/// More plates than this in one picture are noise.
const MOST_PLATES: usize = 32;

/// How much higher a whole plate may be than a piece of it, as a factor (choice).
const AS_HIGH: f32 = 1.6;

/// Chances of the classes at a cell.
const CLASSES: usize = PlateLayout::ALL.len();

pub(crate) struct Detector {
    networks: Vec<(Network, usize, usize)>,
    corners: Corners,
    manifest: DetectorManifest,
    letterbox: Letterbox,
}

/// Tells the corners of a plate from the features around its peak: there are few peaks in a picture and many cells.
struct Corners {
    network: Network,
    reach: usize,
    features: usize,
    window: Vec<f32>,
}

/// Size of a detector's output maps, in cells.
#[derive(Clone, Copy)]
struct Grid {
    width: usize,
    height: usize,
}

impl Grid {
    fn cells(self) -> usize {
        self.width * self.height
    }
}

impl Detector {
    /// Load the bundle's detectors and prove each.
    pub(crate) fn load(bundle: &Bundle) -> Result<Self, RecogniseError> {
        let manifest = bundle.manifest.detector.clone();
        let mut networks = Vec::new();
        for file in &manifest.files {
            let input = [1, cells_of(file.height), cells_of(file.width), AREA];
            let mut network = Network::load(bundle, &file.file, input)?;
            let grid = grid(file.width, file.height);
            let golden = bundle.manifest.golden.detector_heat.get(&file.file).map_or(&[][..], Vec::as_slice);
            network.prove(
                outputs(grid, manifest.corners.features),
                golden,
                bundle.manifest.golden.tolerance,
            )?;
            networks.push((network, file.width, file.height));
        }
        let corners = Corners::load(bundle, &manifest.corners)?;
        Ok(Self { networks, corners, manifest, letterbox: Letterbox::new() })
    }

    /// From which score on a sighting is a plate whatever the reader makes of it.
    pub(crate) fn sure_score(&self) -> f32 {
        self.manifest.sure_score
    }

    /// Half-way from the least score of a sighting to a sure one.
    pub(crate) fn half_sure_score(&self) -> f32 {
        f32::midpoint(self.manifest.score_threshold, self.manifest.sure_score)
    }

    /// The plates in a picture, surest first.
    pub(crate) fn sight(&mut self, picture: LumaView<'_>) -> Result<Vec<PlateSighting>, RecogniseError> {
        let size = (picture.width(), picture.height());
        let coverage = |(_, w, h): &(Network, usize, usize)| Fit::of(size, *w, *h).coverage(*w, *h);
        let best = self.networks.iter_mut().max_by(|a, b| coverage(a).total_cmp(&coverage(b)));
        let Some((network, width, height)) = best else {
            return Ok(Vec::new());
        };
        let manifest = &self.manifest;
        let fit = self.letterbox.fill(picture, *width, *height)?;
        let grid = grid(*width, *height);
        let wanted = outputs(grid, manifest.corners.features);
        let mut plates = network.run(&self.letterbox.cells, wanted, |[heat, features]| {
            peaks(heat, grid, manifest.score_threshold)
                .into_iter()
                .map(|peak| Ok(peak.plate(&self.corners.at(features, grid, peak.cell)?, grid, manifest)))
                .collect::<Result<Vec<_>, RecogniseError>>()
        })??;
        for plate in &mut plates {
            plate.corners = plate.corners.map(|p| fit.to_picture(p));
        }
        plates.retain(|p| p.corners.is_plausible());
        Ok(suppress(plates, self.manifest.nms_iou))
    }
}

fn grid(width: usize, height: usize) -> Grid {
    Grid { width: width / STRIDE, height: height / STRIDE }
}

fn outputs(grid: Grid, features: usize) -> [(&'static str, usize); 2] {
    [("heat", CLASSES * grid.cells()), ("features", features * grid.cells())]
}

impl Corners {
    fn load(bundle: &Bundle, manifest: &CornersFile) -> Result<Self, RecogniseError> {
        let CornersFile { file, reach, features, .. } = manifest;
        let mut network = Network::load(bundle, file, [1, *reach, *reach, *features])?;
        let golden = &bundle.manifest.golden;
        network.prove([("corners", 8 * reach * reach)], &golden.detector_corners, golden.tolerance)?;
        Ok(Self { network, reach: *reach, features: *features, window: Vec::new() })
    }

    /// The corners at a cell, relative to its centre. The network looks at a window of cells around it, which near an edge
    /// of the map is moved to lie inside it: the edge is where it would be if the whole map were looked at.
    fn at(&mut self, features: &[f32], grid: Grid, cell: usize) -> Result<[f32; 8], RecogniseError> {
        let (x, y) = (cell % grid.width, cell / grid.width);
        let (left, top) = (first_of(self.reach, x, grid.width), first_of(self.reach, y, grid.height));
        self.window.clear();
        for row in top..top + self.reach {
            let first = (row * grid.width + left) * self.features;
            self.window.extend_from_slice(&features[first..first + self.reach * self.features]);
        }
        let inside = (y - top) * self.reach + x - left;
        self.network.run(&self.window, [("corners", 8 * self.reach * self.reach)], |[corners]| {
            std::array::from_fn(|i| corners[8 * inside + i])
        })
    }
}

/// First of `reach` cells around `at`, of which there are `most`.
fn first_of(reach: usize, at: usize, most: usize) -> usize {
    at.saturating_sub(reach / 2).min(most.saturating_sub(reach))
}

/// A cell that is hotter than those around it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Peak {
    cell: usize,
    layout: PlateLayout,
    score: f32,
}

impl Peak {
    /// The plate whose corners are told here, in pixels of the network's input.
    fn plate(&self, corners: &[f32; 8], grid: Grid, manifest: &DetectorManifest) -> PlateSighting {
        let centre = |i: usize| (i as f32 + 0.5) * STRIDE as f32;
        let (x, y) = (centre(self.cell % grid.width), centre(self.cell / grid.width));
        let corner = |i: usize| {
            Point::new(
                x + corners[2 * i] * manifest.corner_unit,
                y + corners[2 * i + 1] * manifest.corner_unit,
            )
        };
        let corners = Quad([corner(0), corner(1), corner(2), corner(3)]);
        PlateSighting { corners, score: self.score, layout: self.layout }
    }
}

/// Peaks at or above the threshold in logits `[cells, classes]`.
fn peaks(heat: &[f32], grid: Grid, threshold: f32) -> Vec<Peak> {
    // Compared as logits: a chance is computed only for what is a peak.
    let least = (threshold / (1.0 - threshold)).ln();
    let mut peaks = Vec::new();
    for (cell, logits) in heat.chunks_exact(CLASSES).enumerate() {
        for ((class, &logit), layout) in logits.iter().enumerate().zip(PlateLayout::ALL) {
            if logit >= least && is_peak(|cell| heat[cell * CLASSES + class], cell, grid) {
                peaks.push(Peak { cell, layout, score: 1.0 / (1.0 + (-logit).exp()) });
            }
        }
    }
    peaks
}

/// Whether no neighbour of a cell is hotter; of equal ones the first counts.
fn is_peak(heat: impl Fn(usize) -> f32, cell: usize, grid: Grid) -> bool {
    let (x, y) = (cell % grid.width, cell / grid.width);
    let rows = y.saturating_sub(1)..=(y + 1).min(grid.height - 1);
    rows.flat_map(|ny| {
        (x.saturating_sub(1)..=(x + 1).min(grid.width - 1)).map(move |nx| ny * grid.width + nx)
    })
    .all(|other| heat(other) < heat(cell) || (heat(other) == heat(cell) && other >= cell))
}

/// Keep the surest of plates that cover each other, whatever their layout: a plate has one.
fn suppress(mut plates: Vec<PlateSighting>, iou: f32) -> Vec<PlateSighting> {
    plates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<PlateSighting> = Vec::new();
    for plate in plates {
        let bounds = plate.corners.bounds();
        if kept.len() < MOST_PLATES && kept.iter().all(|k| k.corners.bounds().iou(&bounds) <= iou) {
            kept.push(plate);
        }
    }
    kept
}

/// Leave out what is a piece of another plate: a part of its row found a second time. Its middle lies inside the other and it
/// is about as high; the middle of a plate that merely hangs close does not, and a box around two plates is twice as high.
pub(crate) fn without_pieces(plates: Vec<PlateSighting>) -> Vec<PlateSighting> {
    let is_piece = |piece: &PlateSighting, whole: &PlateSighting| {
        piece.corners.width() < whole.corners.width()
            && holds(&whole.corners, piece.corners.centre())
            && whole.corners.height() < AS_HIGH * piece.corners.height()
            && whole.score >= piece.score * 0.5
    };
    let kept = plates.iter().filter(|piece| !plates.iter().any(|whole| is_piece(piece, whole)));
    kept.copied().collect()
}

/// Whether a point lies within corners that go round clockwise.
fn holds(corners: &Quad, p: Point) -> bool {
    let ring = corners.0.iter().zip(corners.0.iter().cycle().skip(1));
    ring.into_iter().all(|(a, b)| (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x) >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plate(x: f32, y: f32, score: f32, layout: PlateLayout) -> PlateSighting {
        PlateSighting { corners: Quad::rectangle(x, y, 100.0, 30.0), score, layout }
    }

    #[test]
    fn stacked_plates_survive_and_doubles_do_not() {
        let kept = suppress(
            vec![
                plate(0.0, 0.0, 0.8, PlateLayout::SingleRow),
                plate(2.0, 1.0, 0.9, PlateLayout::DoubleRow),
                plate(0.0, 28.0, 0.7, PlateLayout::CrossBoundary),
            ],
            0.4,
        );
        assert_eq!(kept.iter().map(|p| p.score).collect::<Vec<_>>(), [0.9, 0.7]);
    }

    #[test]
    fn half_a_plate_is_no_plate_of_its_own_but_a_box_around_two_hides_neither() {
        let sighting = |x: f32, y: f32, w: f32, h: f32, score: f32| PlateSighting {
            corners: Quad::rectangle(x, y, w, h),
            ..plate(0.0, 0.0, score, PlateLayout::SingleRow)
        };
        let whole = sighting(0.0, 0.0, 100.0, 30.0, 0.8);
        let half = sighting(-14.0, 1.0, 48.0, 28.0, 0.9);
        assert_eq!(without_pieces(vec![half, whole]), vec![whole]);
        let below = sighting(0.0, 29.0, 100.0, 30.0, 0.8);
        assert_eq!(without_pieces(vec![whole, below]).len(), 2, "plates that touch stay two");
        let around = sighting(-2.0, -2.0, 104.0, 63.0, 0.9);
        assert_eq!(without_pieces(vec![whole, below, around]).len(), 3);
        let doubtful = sighting(-2.0, -2.0, 104.0, 33.0, 0.3);
        assert_eq!(without_pieces(vec![whole, doubtful]).len(), 2, "what is doubtful hides nothing");
        assert_eq!(without_pieces(vec![whole, whole]).len(), 2, "equals do not hide each other");
    }

    #[test]
    fn the_window_around_a_cell_lies_inside_the_map_and_holds_it() {
        assert_eq!([0, 1, 2, 3, 17, 18, 19].map(|at| first_of(5, at, 20)), [0, 0, 0, 1, 15, 15, 15]);
        assert_eq!([0, 4].map(|at| first_of(5, at, 5)), [0, 0]);
    }

    #[test]
    fn peaks_are_found_for_each_layout_and_their_scores_are_chances() {
        let grid = Grid { width: 4, height: 2 };
        let mut heat = vec![-9.0; 4 * 2 * CLASSES];
        heat[CLASSES * 5] = 0.0; // one row
        heat[CLASSES * 6] = -0.5; // beside it and colder
        heat[CLASSES * 6 + 2] = 2.0; // dark
        heat[CLASSES * 3 + 1] = -1.2; // below a quarter
        let found: Vec<_> = peaks(&heat, grid, 0.25).iter().map(|p| (p.cell, p.layout, p.score)).collect();
        assert_eq!(
            found,
            [
                (5, PlateLayout::SingleRow, 0.5),
                (6, PlateLayout::CrossBoundary, 1.0 / (1.0 + (-2.0f32).exp()))
            ]
        );
    }

    #[test]
    fn a_plateau_is_one_peak() {
        let grid = Grid { width: 4, height: 1 };
        let map = [0.1, 0.9, 0.9, 0.2];
        let peaks: Vec<_> = (0..4).filter(|&c| is_peak(|i| map[i], c, grid)).collect();
        assert_eq!(peaks, [1]);
    }
}
