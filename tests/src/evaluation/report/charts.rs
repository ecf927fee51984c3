//! Charts as SVG. They have no ground of their own and middling colours, so that they can be read in light and dark.

use calibration::confidence::Reliability;
use plotters::prelude::*;

const SIZE: (u32, u32) = (420, 340);
const LINES: RGBColor = RGBColor(0x80, 0x80, 0x88);
const SERIES: RGBColor = RGBColor(0x2f, 0x80, 0xd0);

/// Observed accuracy over stated confidence, with the diagonal of an honest reader; the points are as large as their
/// bins are full.
pub(super) fn reliability(reliability: &Reliability) -> anyhow::Result<String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(42)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
        let text = ("sans-serif", 14).into_font().color(&LINES);
        chart
            .configure_mesh()
            .disable_mesh()
            .axis_style(LINES)
            .label_style(text.clone())
            .axis_desc_style(text)
            .x_labels(6)
            .y_labels(6)
            .x_desc("confidence")
            .y_desc("right")
            .draw()?;
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], LINES.mix(0.6)))?;
        let points: Vec<_> = reliability.bins.iter().map(|b| (b.confidence, b.accuracy)).collect();
        chart.draw_series(LineSeries::new(points, SERIES.stroke_width(2)))?;
        let most = reliability.bins.iter().map(|b| b.reads).max().unwrap_or(1) as f64;
        chart.draw_series(reliability.bins.iter().map(|b| {
            let size = 3.0 + 7.0 * (b.reads as f64 / most).sqrt();
            Circle::new((b.confidence, b.accuracy), size as i32, SERIES.mix(0.7).filled())
        }))?;
        area.present()?;
    }
    // It scales to the page instead of keeping its size.
    Ok(svg.replacen("<svg width=", "<svg role=\"img\" aria-label=\"reliability curve\" width=", 1))
}

#[cfg(test)]
mod tests {
    use calibration::confidence::{Judged, reliability as curve};

    #[test]
    fn a_curve_is_drawn_even_of_nothing() {
        let reads: Vec<_> = (0..40).map(|i| Judged { confidence: 0.9, right: i % 10 != 0 }).collect();
        assert!(super::reliability(&curve(&reads)).unwrap().contains("<circle"));
        assert!(super::reliability(&curve(&[])).unwrap().starts_with("<svg"));
    }
}
