//! The lane and the camera beside it: a pinhole camera on a post at the kerb, looking across at the stop line.

use clearance::geometry::{Point, Quad};
use tiny_skia::{Color, Pixmap, Transform};

use crate::chance::{Dice, Grain, Roll};
use crate::drawing::{Drawing, grey, rgb};
use crate::lettering::Cell;
use crate::negative;

/// A place in the lane: metres to the right of the camera, above the road, and along the lane away from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) across: f32,
    pub(super) up: f32,
    pub(super) away: f32,
}

impl Spot {
    pub(super) const fn new(across: f32, up: f32, away: f32) -> Self {
        Self { across, up, away }
    }
}

/// The middle of the lane, in metres to the right of the camera.
pub(super) const LANE: f32 = 2.05;
/// Where the truck's front stands at the stop line, in metres from the camera.
pub(super) const STOP: f32 = 7.8;

const CAMERA_UP: f32 = 1.6;
/// Nearest distance at which anything is drawn, in metres.
pub(super) const NEAR: f32 = 0.8;

/// The lane's camera.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    width: f32,
    height: f32,
    focal: f32,
    yaw: f32,
    pitch: f32,
}

impl View {
    /// A camera with a picture of this size; `zoom` is 1 for a truck about three quarters of the picture wide.
    pub(super) fn new(width: usize, height: usize, zoom: f32) -> Self {
        let (width, height) = (width as f32, height as f32);
        let yaw = (LANE / STOP).atan();
        // The plates hang about half a metre above the road; they shall stand somewhat below the middle.
        let pitch = ((CAMERA_UP - 0.75) / STOP).atan();
        Self { width, height, focal: width * 2.45 * zoom, yaw, pitch }
    }

    /// Where a spot is seen; `None` when it is behind the camera or too near.
    pub(super) fn see(&self, spot: Spot) -> Option<Point> {
        let (x, y, z) = (spot.across, CAMERA_UP - spot.up, spot.away);
        let (sin, cos) = self.yaw.sin_cos();
        let (x, z) = (x * cos - z * sin, x * sin + z * cos);
        let (sin, cos) = self.pitch.sin_cos();
        let (y, z) = (y * cos - z * sin, y * sin + z * cos);
        if z < NEAR * 0.5 {
            return None;
        }
        let k = self.focal / z;
        Some(Point::new(self.width / 2.0 + x * k, self.height * 0.58 + y * k))
    }

    /// Four spots as a quad.
    pub(super) fn quad(&self, spots: [Spot; 4]) -> Option<Quad> {
        let [a, b, c, d] = spots.map(|s| self.see(s));
        Some(Quad([a?, b?, c?, d?]))
    }
}

/// The empty lane as the camera sees it in daylight.
pub(super) fn empty(view: &View, dice: &mut Dice) -> Option<Pixmap> {
    let mut picture = Pixmap::new(view.width as u32, view.height as u32)?;
    let mut d = Drawing::default();
    let tone = dice.between(84.0, 112.0);
    // The camera looks down: the horizon lies above the picture, so the road fills it.
    let whole = Cell { x: 0.0, y: 0.0, width: view.width, height: view.height };
    d.shade(whole, 0.0, grey(tone * 1.25), grey(tone));
    let mut flat = |across: [f32; 2], away: [f32; 2], top: Color, bottom: Color| {
        let spots = [
            Spot::new(across[0], 0.0, away[1]),
            Spot::new(across[1], 0.0, away[1]),
            Spot::new(across[1], 0.0, away[0]),
            Spot::new(across[0], 0.0, away[0]),
        ];
        if let Some(q) = view.quad(spots) {
            d.polygon(&q.0.map(<[f32; 2]>::from), top, bottom);
        }
    };
    let white = grey(dice.between(190.0, 225.0));
    flat([LANE - 1.9, LANE - 1.75], [3.2, 140.0], white, white);
    flat([LANE + 1.75, LANE + 1.9], [3.2, 140.0], white, white);
    flat([LANE - 1.7, LANE + 1.7], [STOP - 0.9, STOP - 0.55], white, white);
    for i in 0..7 {
        let near = STOP + 2.0 + 6.0 * i as f32;
        flat(
            [LANE - 0.08, LANE + 0.08],
            [near, near + 2.2],
            rgb(205.0, 165.0, 60.0),
            rgb(205.0, 165.0, 60.0),
        );
    }
    flat([LANE + 2.1, LANE + 2.6], [3.2, 140.0], grey(tone * 1.5), grey(tone * 1.45));
    wall(&mut d, view, dice);
    d.paint(&mut picture.as_mut(), Transform::identity());
    speckle(&mut picture, dice);
    Some(picture)
}

/// A fence with panels along the far side, a booth and a sign on it.
fn wall(d: &mut Drawing, view: &View, dice: &mut Dice) {
    let across = LANE + 2.7;
    let upright = |near: f32, far: f32, low: f32, high: f32| {
        view.quad([
            Spot::new(across, high, far),
            Spot::new(across, high, near),
            Spot::new(across, low, near),
            Spot::new(across, low, far),
        ])
        .map(|q| q.0.map(<[f32; 2]>::from))
    };
    let tone = dice.between(120.0, 170.0);
    let mut near = 3.2;
    for i in 0..40 {
        let far = near + 1.5 + near * 0.05;
        let shade = tone + if i % 2 == 0 { 10.0 } else { -6.0 };
        if let Some(q) = upright(near, far, 0.0, 3.4) {
            d.polygon(&q, rgb(shade, shade * 1.02, shade * 0.98), grey(shade * 0.7));
        }
        if let Some(q) = upright(near, near + 0.1, 0.0, 3.4) {
            d.polygon(&q, grey(70.0), grey(50.0));
        }
        near = far;
    }
    if let Some(q) = upright(11.0, 12.6, 1.2, 2.0) {
        d.polygon(&q, rgb(20.0, 90.0, 60.0), rgb(18.0, 80.0, 55.0));
        let [a, _, c, _] = q;
        let cell = Cell {
            x: a[0] + (c[0] - a[0]) * 0.1,
            y: a[1] + (c[1] - a[1]) * 0.3,
            width: (c[0] - a[0]) * 0.8,
            height: (c[1] - a[1]) * 0.4,
        };
        negative::road_word(d, cell, grey(235.0), dice);
    }
}

fn speckle(picture: &mut Pixmap, dice: &mut Dice) {
    let mut grain = Grain::from_dice(dice);
    for pixel in picture.data_mut().chunks_exact_mut(4) {
        let [g, _] = grain.pair();
        for v in &mut pixel[..3] {
            *v = (f32::from(*v) + g * 4.0) as u8;
        }
    }
}
