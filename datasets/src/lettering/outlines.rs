//! Characters from the outlines of the fonts in `fonts/`, stretched to the proportions of a plate.
//!
//! The fonts are small subsets with their licences beside them; see `fonts/README.md`.

use std::sync::OnceLock;

use tiny_skia::{Path, PathBuilder, Rect, Stroke, Transform};
use ttf_parser::{Face as FontFile, OutlineBuilder};

use super::{Cell, Shape};
use crate::chance::{Dice, Roll};

/// The fonts that come with the renderer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Font {
    /// Roboto Condensed.
    RobotoCondensed,
    /// Roboto Condensed Bold.
    RobotoCondensedBold,
    /// TeX Gyre Heros Condensed.
    HerosCondensed,
    /// TeX Gyre Heros Condensed Bold.
    HerosCondensedBold,
    /// TeX Gyre Heros.
    Heros,
    /// DejaVu Sans Condensed Bold.
    DejaVuCondensedBold,
    /// Barlow Condensed Semi Bold: road signs and plates of California.
    Barlow,
    /// Overpass Semi Bold, after the highway signs of the United States.
    Overpass,
    /// Oswald Medium.
    Oswald,
    /// Antonio Semi Bold: tall and narrow.
    Antonio,
    /// Saira Semi Condensed Semi Bold: nearly square bowls.
    Saira,
    /// Share Tech.
    ShareTech,
    /// Gidole, after DIN 1451.
    Gidole,
    /// Sofia Sans Extra Condensed Semi Bold.
    Sofia,
    /// Noto Sans CJK SC.
    Cjk,
    /// Noto Sans CJK SC Bold.
    CjkBold,
}

/// Each font's file and licence, for the manifest written beside every set.
pub const SOURCES: [(Font, &str, &str); 16] = [
    (Font::RobotoCondensed, "Roboto Condensed", "Apache-2.0"),
    (Font::RobotoCondensedBold, "Roboto Condensed Bold", "Apache-2.0"),
    (Font::HerosCondensed, "TeX Gyre Heros Cn", "GUST Font License"),
    (Font::HerosCondensedBold, "TeX Gyre Heros Cn Bold", "GUST Font License"),
    (Font::Heros, "TeX Gyre Heros", "GUST Font License"),
    (Font::DejaVuCondensedBold, "DejaVu Sans Condensed Bold", "Bitstream Vera"),
    (Font::Barlow, "Barlow Condensed Semi Bold", "OFL-1.1"),
    (Font::Overpass, "Overpass Semi Bold", "OFL-1.1"),
    (Font::Oswald, "Oswald Medium", "OFL-1.1"),
    (Font::Antonio, "Antonio Semi Bold", "OFL-1.1"),
    (Font::Saira, "Saira Semi Condensed Semi Bold", "OFL-1.1"),
    (Font::ShareTech, "Share Tech", "OFL-1.1"),
    (Font::Gidole, "Gidole", "OFL-1.1"),
    (Font::Sofia, "Sofia Sans Extra Condensed Semi Bold", "OFL-1.1"),
    (Font::Cjk, "Noto Sans CJK SC", "OFL-1.1"),
    (Font::CjkBold, "Noto Sans CJK SC Bold", "OFL-1.1"),
];

const LATIN: [Font; 14] = [
    Font::RobotoCondensed,
    Font::RobotoCondensedBold,
    Font::HerosCondensed,
    Font::HerosCondensedBold,
    Font::Heros,
    Font::DejaVuCondensedBold,
    Font::Barlow,
    Font::Overpass,
    Font::Oswald,
    Font::Antonio,
    Font::Saira,
    Font::ShareTech,
    Font::Gidole,
    Font::Sofia,
];

impl Font {
    fn file(self) -> &'static FontFile<'static> {
        static FILES: OnceLock<Vec<FontFile<'static>>> = OnceLock::new();
        let files = FILES.get_or_init(|| {
            [
                include_bytes!("../../fonts/condensed-a-regular.ttf").as_slice(),
                include_bytes!("../../fonts/condensed-a-bold.ttf"),
                include_bytes!("../../fonts/condensed-b-regular.otf"),
                include_bytes!("../../fonts/condensed-b-bold.otf"),
                include_bytes!("../../fonts/sans-b-regular.otf"),
                include_bytes!("../../fonts/condensed-c-bold.ttf"),
                include_bytes!("../../fonts/signs-a.ttf"),
                include_bytes!("../../fonts/signs-b.ttf"),
                include_bytes!("../../fonts/tall-a.ttf"),
                include_bytes!("../../fonts/tall-b.ttf"),
                include_bytes!("../../fonts/square-a.ttf"),
                include_bytes!("../../fonts/square-b.ttf"),
                include_bytes!("../../fonts/signs-c.ttf"),
                include_bytes!("../../fonts/tall-c.ttf"),
                include_bytes!("../../fonts/cjk-regular.otf"),
                include_bytes!("../../fonts/cjk-bold.otf"),
            ]
            .into_iter()
            .map(|bytes| {
                #[expect(clippy::expect_used, reason = "the bytes are compiled in and a test parses each")]
                FontFile::parse(bytes, 0).expect("an embedded font parses")
            })
            .collect()
        });
        &files[self as usize]
    }

    /// The character's outline, y down, in font units, with its box.
    fn outline(self, c: char) -> Option<(Path, Rect)> {
        let file = self.file();
        let mut pen = Pen(PathBuilder::new());
        file.outline_glyph(file.glyph_index(c)?, &mut pen)?;
        let path = pen.0.finish()?;
        let bounds = path.bounds();
        Some((path, bounds))
    }
}

/// Outline lettering with its proportions settled for one plate.
#[derive(Clone, Debug)]
pub struct OutlineFace {
    font: Font,
    /// Factor on the font's own widths.
    spread: f32,
    /// One width for all characters, as a part of the height.
    fixed_width: Option<f32>,
    /// An I with bars above and below, so that nobody takes it for a 1.
    barred_i: bool,
    /// An M whose middle ends half-way down, as narrow dies have it.
    short_m: Option<ShortM>,
}

/// An M of strokes: where its middle ends and how thick it is, as parts of the height.
#[derive(Clone, Copy, Debug)]
struct ShortM {
    middle: f32,
    thickness: f32,
}

impl ShortM {
    fn roll(dice: &mut Dice) -> Self {
        Self { middle: dice.between(0.32, 0.68), thickness: dice.between(0.09, 0.15) }
    }
}

impl OutlineFace {
    /// Any Latin font at about its own proportions.
    pub fn latin(dice: &mut Dice) -> Self {
        let font = *dice.pick(&LATIN);
        let short_m = dice.chance(0.25).then(|| ShortM::roll(dice));
        Self {
            font,
            spread: dice.between(0.85, 1.25),
            fixed_width: None,
            barred_i: dice.chance(0.1),
            short_m,
        }
    }

    /// As [`Self::latin`], often narrow and of one width, with the barred I of American plates.
    pub fn american(dice: &mut Dice) -> Self {
        let fixed_width = if dice.chance(0.4) { Some(dice.between(0.4, 0.56)) } else { None };
        let short_m = dice.chance(0.5).then(|| ShortM::roll(dice));
        Self { fixed_width, barred_i: dice.chance(0.85), short_m, ..Self::latin(dice) }
    }

    /// Bold Latin letters of one width, as mainland plates have.
    pub fn mainland(dice: &mut Dice) -> Self {
        let font = *dice.pick(&[
            Font::RobotoCondensedBold,
            Font::HerosCondensedBold,
            Font::DejaVuCondensedBold,
            Font::CjkBold,
        ]);
        Self {
            font,
            spread: 1.0,
            fixed_width: Some(dice.between(0.46, 0.54)),
            barred_i: false,
            short_m: None,
        }
    }

    /// A given font at its own proportions.
    pub fn plain(font: Font) -> Self {
        Self { font, spread: 1.0, fixed_width: None, barred_i: false, short_m: None }
    }

    /// How wide the character is when it is one unit high.
    pub fn width(&self, c: char) -> f32 {
        let own = || self.font.outline(c).map_or(0.5, |(_, b)| b.width() / b.height());
        match self.fixed_width {
            _ if self.barred_i && c == 'I' => 0.36,
            _ if !c.is_ascii() => own(),
            Some(_) if matches!(c, '1' | 'I') => own().min(0.3),
            Some(width) => width,
            None => own() * self.spread,
        }
    }

    /// The outline stretched to fill the cell.
    pub fn shape(&self, c: char, cell: Cell) -> Option<Shape> {
        if self.barred_i && c == 'I' {
            return barred_i(cell);
        }
        if let (Some(m), 'M') = (self.short_m, c) {
            return short_m(m, cell);
        }
        let (path, b) = self.font.outline(c)?;
        let (sx, sy) = (cell.width / b.width(), cell.height / b.height());
        let fit = Transform::from_row(sx, 0.0, 0.0, sy, cell.x - b.left() * sx, cell.y - b.top() * sy);
        Some(Shape { path: path.transform(fit)?, stroke: None })
    }
}

fn barred_i(cell: Cell) -> Option<Shape> {
    let (x, y, right, foot) = (cell.x, cell.y, cell.x + cell.width, cell.y + cell.height);
    let middle = cell.x + cell.width / 2.0;
    let mut pen = PathBuilder::new();
    for [from, to] in [[(x, y), (right, y)], [(middle, y), (middle, foot)], [(x, foot), (right, foot)]] {
        pen.move_to(from.0, from.1);
        pen.line_to(to.0, to.1);
    }
    let stroke = Stroke { width: cell.height * 0.13, ..Stroke::default() };
    Some(Shape { path: pen.finish()?, stroke: Some(stroke) })
}

fn short_m(m: ShortM, cell: Cell) -> Option<Shape> {
    let width = (cell.height * m.thickness).min(cell.width * 0.3);
    let (left, right) = (cell.x + width / 2.0, cell.x + cell.width - width / 2.0);
    let (top, foot) = (cell.y, cell.y + cell.height);
    let mut pen = PathBuilder::new();
    pen.move_to(left, foot);
    pen.line_to(left, top + width / 2.0);
    pen.line_to(f32::midpoint(left, right), top + cell.height * m.middle);
    pen.line_to(right, top + width / 2.0);
    pen.line_to(right, foot);
    Some(Shape { path: pen.finish()?, stroke: Some(Stroke { width, ..Stroke::default() }) })
}

struct Pen(PathBuilder);

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, -y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, -y);
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, -y1, x, -y);
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, -y1, x2, -y2, x, -y);
    }
    fn close(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_font_has_every_latin_character() {
        for (font, name, _) in SOURCES {
            for c in clearance::mark::ALPHABET.into_iter().filter(char::is_ascii) {
                assert!(font.outline(c).is_some(), "{name}: {c}");
            }
        }
    }

    #[test]
    fn both_chinese_fonts_have_the_plate_characters() {
        for font in [Font::Cjk, Font::CjkBold] {
            for c in ['粤', '港', '澳', '出', '境', '慢'] {
                assert!(font.outline(c).is_some(), "{c}");
            }
        }
    }
}
