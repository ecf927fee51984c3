//! Lettering: from a character to a shape in a cell, either by the stroke face drawn here or by the outlines of
//! openly licensed fonts.
//!
//! Real plate typefaces are protected or have no clear licence, so the plates' lettering is imitated.

pub mod outlines;
pub mod strokes;

use tiny_skia::{LineCap, LineJoin, Path, Stroke};

pub use outlines::{Font, OutlineFace};
pub use strokes::StrokeFace;

/// Where a character goes, in the units of its plate or panel: upper left corner and size.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// A character ready to be painted.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The outline to fill, or the line to draw.
    pub path: Path,
    /// How the line is drawn; `None` fills the outline.
    pub stroke: Option<Stroke>,
}

/// A typeface with its weight and proportions settled.
#[derive(Clone, Debug)]
pub enum Face {
    /// Lines of even width, drawn here.
    Strokes(StrokeFace),
    /// Outlines of a font.
    Outlines(OutlineFace),
}

impl Face {
    /// How wide the character is when it is one unit high.
    pub fn width(&self, c: char) -> f32 {
        match self {
            Self::Strokes(face) => face.width(c),
            Self::Outlines(face) => face.width(c),
        }
    }

    /// The character fitted into its cell; `None` when the face does not have it.
    pub fn shape(&self, c: char, cell: Cell) -> Option<Shape> {
        match self {
            Self::Strokes(face) => face.shape(c, cell),
            Self::Outlines(face) => face.shape(c, cell),
        }
    }
}

fn round_stroke(width: f32, cap: LineCap, join: LineJoin) -> Stroke {
    Stroke { width, line_cap: cap, line_join: join, miter_limit: 3.0, ..Stroke::default() }
}
