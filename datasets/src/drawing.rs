//! A list of painted shapes in real units (millimetres), so that one description serves every resolution.

use tiny_skia::{
    Color, FillRule, GradientStop, LinearGradient, Paint, PathBuilder, PixmapMut, Point, Rect, Shader,
    SpreadMode, Stroke, Transform,
};

use crate::emblem;
use crate::lettering::{Cell, Face, Shape};

/// An opaque colour from components of 0 to 255; numbers outside are clipped.
pub fn rgb(red: f32, green: f32, blue: f32) -> Color {
    let part = |v: f32| (v / 255.0).clamp(0.0, 1.0);
    Color::from_rgba(part(red), part(green), part(blue), 1.0).unwrap_or(Color::BLACK)
}

/// An opaque grey of 0 to 255.
pub fn grey(value: f32) -> Color {
    rgb(value, value, value)
}

/// The colour with another opacity of 0 to 1.
pub fn faded(mut colour: Color, opacity: f32) -> Color {
    colour.set_alpha(opacity.clamp(0.0, 1.0));
    colour
}

/// The colour made lighter (above 1) or darker (below 1).
pub fn shaded(colour: Color, factor: f32) -> Color {
    let k = 255.0 * factor;
    rgb(colour.red() * k, colour.green() * k, colour.blue() * k)
}

/// How characters stand in a row, as parts of their height.
#[derive(Clone, Copy, Debug)]
pub struct Spacing {
    /// Between characters.
    pub between: f32,
    /// Width of a space.
    pub gap: f32,
    /// Factor on the characters' own widths.
    pub stretch: f32,
}

impl Spacing {
    /// Characters at their own widths.
    pub fn plain(between: f32, gap: f32) -> Self {
        Self { between, gap, stretch: 1.0 }
    }
}

/// Shapes in the order in which they are painted.
#[derive(Clone, Debug, Default)]
pub struct Drawing {
    parts: Vec<(Shape, Shader<'static>)>,
}

impl Drawing {
    /// Adds a shape.
    pub fn shape(&mut self, shape: Shape, colour: Color) {
        self.parts.push((shape, Shader::SolidColor(colour)));
    }

    /// Adds a rectangle with rounded corners, all in millimetres.
    pub fn rectangle(&mut self, cell: Cell, radius: f32, colour: Color) {
        self.filled(rounded(cell, radius), Shader::SolidColor(colour));
    }

    /// Adds the line around a rectangle with rounded corners.
    pub fn outline(&mut self, cell: Cell, radius: f32, width: f32, colour: Color) {
        if let Some(path) = rounded(cell, radius) {
            self.shape(Shape { path, stroke: Some(Stroke { width, ..Stroke::default() }) }, colour);
        }
    }

    /// Adds a rounded rectangle whose colour runs from the top to the bottom.
    pub fn shade(&mut self, cell: Cell, radius: f32, top: Color, bottom: Color) {
        self.filled(rounded(cell, radius), vertical(cell.y, cell.y + cell.height, top, bottom));
    }

    /// Adds an ellipse by its centre and half axes.
    pub fn ellipse(&mut self, [x, y]: [f32; 2], [rx, ry]: [f32; 2], colour: Color) {
        let path = Rect::from_ltrb(x - rx, y - ry, x + rx, y + ry).and_then(PathBuilder::from_oval);
        self.filled(path, Shader::SolidColor(colour));
    }

    /// Adds the line around an ellipse.
    pub fn ring(&mut self, [x, y]: [f32; 2], [rx, ry]: [f32; 2], width: f32, colour: Color) {
        if let Some(path) = Rect::from_ltrb(x - rx, y - ry, x + rx, y + ry).and_then(PathBuilder::from_oval) {
            self.shape(Shape { path, stroke: Some(Stroke { width, ..Stroke::default() }) }, colour);
        }
    }

    /// Adds a polygon whose colour runs from its top to its bottom.
    pub fn polygon(&mut self, points: &[[f32; 2]], top: Color, bottom: Color) {
        let path = trail(points, true);
        let (low, high) = path.as_ref().map_or((0.0, 1.0), |p| (p.bounds().top(), p.bounds().bottom()));
        self.filled(path, vertical(low, high, top, bottom));
    }

    /// Adds a line through points.
    pub fn line(&mut self, points: &[[f32; 2]], width: f32, colour: Color) {
        if let Some(path) = trail(points, false) {
            self.shape(Shape { path, stroke: Some(Stroke { width, ..Stroke::default() }) }, colour);
        }
    }

    /// Adds a row of characters at the height of `cell`, centred in it, and squeezed together when it would be
    /// wider.
    pub fn row(&mut self, face: &Face, text: &str, cell: Cell, spacing: Spacing, colour: Color) {
        let width = |c: char| face.width(c) * if c == '1' || c == 'I' { 1.0 } else { spacing.stretch };
        let step = |c: char| if c == ' ' { spacing.gap } else { width(c) + spacing.between };
        let natural = (text.chars().map(step).sum::<f32>() - spacing.between) * cell.height;
        let squeeze = (cell.width / natural.max(1e-3)).min(1.0);
        let mut x = cell.x + (cell.width - natural * squeeze) / 2.0;
        for c in text.chars() {
            let at = Cell { x, width: width(c) * cell.height * squeeze, ..cell };
            self.character(face, c, at, colour);
            x += step(c) * cell.height * squeeze;
        }
    }

    /// Adds one character, or what plates have between groups: a dot, a dash, seals one above the other (`◉`), a coat of
    /// arms (`▼`), an emblem (`■`).
    pub fn character(&mut self, face: &Face, c: char, cell: Cell, colour: Color) {
        let middle = [cell.x + cell.width / 2.0, cell.y + cell.height / 2.0];
        match c {
            ' ' => {}
            '·' | '.' => {
                let r = cell.height * 0.07;
                let y = if c == '.' { cell.y + cell.height - r } else { middle[1] };
                self.ellipse([middle[0], y], [r, r], colour);
            }
            '-' => {
                let bar = Cell { y: middle[1] - cell.height * 0.05, height: cell.height * 0.1, ..cell };
                self.rectangle(bar, 0.0, colour);
            }
            '◉' => emblem::seals(self, cell, colour),
            '▼' => emblem::shield(self, face, cell, colour),
            '■' => emblem::picture(self, cell, colour),
            _ => {
                if let Some(shape) = face.shape(c, cell) {
                    self.shape(shape, colour);
                }
            }
        }
    }

    /// Adds everything of another drawing, moved.
    pub fn append(&mut self, other: &Self, [dx, dy]: [f32; 2]) {
        let move_by = Transform::from_translate(dx, dy);
        for (shape, shader) in &other.parts {
            if let Some(path) = shape.path.clone().transform(move_by) {
                let mut shader = shader.clone();
                shader.transform(move_by);
                self.parts.push((Shape { path, stroke: shape.stroke.clone() }, shader));
            }
        }
    }

    /// Paints the shapes; `place` takes millimetres to pixels and may turn, but not stretch (a line keeps one
    /// width).
    pub fn paint(&self, canvas: &mut PixmapMut<'_>, place: Transform) {
        for (shape, shader) in &self.parts {
            let paint = Paint { shader: shader.clone(), anti_alias: true, ..Paint::default() };
            match &shape.stroke {
                Some(stroke) => canvas.stroke_path(&shape.path, &paint, stroke, place, None),
                None => canvas.fill_path(&shape.path, &paint, FillRule::Winding, place, None),
            }
        }
    }

    fn filled(&mut self, path: Option<tiny_skia::Path>, shader: Shader<'static>) {
        if let Some(path) = path {
            self.parts.push((Shape { path, stroke: None }, shader));
        }
    }
}

fn vertical(from: f32, to: f32, top: Color, bottom: Color) -> Shader<'static> {
    let stops = vec![GradientStop::new(0.0, top), GradientStop::new(1.0, bottom)];
    LinearGradient::new(
        Point::from_xy(0.0, from),
        Point::from_xy(0.0, to),
        stops,
        SpreadMode::Pad,
        Transform::identity(),
    )
    .unwrap_or(Shader::SolidColor(top))
}

fn trail(points: &[[f32; 2]], closed: bool) -> Option<tiny_skia::Path> {
    let mut path = PathBuilder::new();
    for (i, &[x, y]) in points.iter().enumerate() {
        if i == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    if closed {
        path.close();
    }
    path.finish()
}

fn rounded(cell: Cell, radius: f32) -> Option<tiny_skia::Path> {
    let (l, t, r, b) = (cell.x, cell.y, cell.x + cell.width, cell.y + cell.height);
    let mut path = PathBuilder::new();
    let q = radius.min(cell.width / 2.0).min(cell.height / 2.0);
    if q <= 0.0 {
        return Rect::from_ltrb(l, t, r, b).map(PathBuilder::from_rect);
    }
    path.move_to(l + q, t);
    path.line_to(r - q, t);
    path.quad_to(r, t, r, t + q);
    path.line_to(r, b - q);
    path.quad_to(r, b, r - q, b);
    path.line_to(l + q, b);
    path.quad_to(l, b, l, b - q);
    path.line_to(l, t + q);
    path.quad_to(l, t, l + q, t);
    path.close();
    path.finish()
}
