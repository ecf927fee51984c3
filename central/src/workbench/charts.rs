//! Charts as SVG. Text and lines take the page's colours by its style.

use plotters::prelude::*;

const SIZE: (u32, u32) = (560, 260);

/// Colours that are told apart on light and on dark ground, by people who see fewer colours too (Okabe and Ito).
const COLOURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(230, 159, 0), RGBColor(0, 158, 115)];

/// What a chart shows.
pub(super) struct Chart<'a> {
    /// For whoever cannot see it.
    pub(super) label: &'a str,
    /// Of the vertical axis.
    pub(super) unit: &'a str,
    /// Along the horizontal axis.
    pub(super) names: &'a [String],
    /// As bars, if there are any.
    pub(super) bars: &'a [f64],
    /// As lines over the same names; a gap where there is no value.
    pub(super) lines: &'a [(&'a str, Vec<Option<f64>>)],
    /// The axis goes to here at least.
    pub(super) least_top: f64,
}

/// Draw it.
pub(super) fn draw(chart: &Chart<'_>) -> Result<String, String> {
    svg(chart).map_err(|error| error.to_string())
}

fn svg(chart: &Chart<'_>) -> Result<String, Box<dyn std::error::Error>> {
    let lines = chart.lines.iter().flat_map(|(_, values)| values.iter().flatten());
    let top = chart.bars.iter().chain(lines).copied().fold(chart.least_top, f64::max) * 1.05;
    let count = chart.names.len().max(1);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut drawn = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(32)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..count as f64, 0.0..top)?;
        let text = ("sans-serif", 13).into_font();
        let every = count.div_ceil(7);
        let name = |at: &f64| {
            let index = at.floor() as usize;
            // Labels stand at whole numbers, bars and points half a step further.
            if index.is_multiple_of(every) {
                chart.names.get(index).cloned().unwrap_or_default()
            } else {
                String::new()
            }
        };
        drawn
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .x_labels(count + 1)
            .x_label_offset((SIZE.0 as i32 - 68) / (2 * count as i32))
            .x_label_formatter(&name)
            .y_labels(6)
            .y_label_formatter(&|value| format!("{value:.0}"))
            .y_desc(chart.unit)
            .label_style(text.clone())
            .axis_desc_style(text)
            .draw()?;
        drawn.draw_series(chart.bars.iter().zip(0..).map(|(value, i)| {
            let x = f64::from(i);
            Rectangle::new([(x + 0.2, 0.0), (x + 0.8, *value)], COLOURS[0].mix(0.75).filled())
        }))?;
        for ((_, values), colour) in chart.lines.iter().zip(colours(chart)) {
            let points = || values.iter().zip(0..).filter_map(|(v, i)| v.map(|v| (f64::from(i) + 0.5, v)));
            drawn.draw_series(LineSeries::new(points(), colour.stroke_width(2)))?;
            drawn.draw_series(points().map(|point| Circle::new(point, 3, colour.filled())))?;
        }
        area.present()?;
    }
    let label = maud::html! { (chart.label) }.into_string().replace('"', "&quot;");
    // It scales to the page instead of keeping its size.
    Ok(svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{label}\" "), 1))
}

/// The colours of the lines: bars have the first one.
fn colours(chart: &Chart<'_>) -> impl Iterator<Item = RGBColor> {
    COLOURS.into_iter().cycle().skip(usize::from(!chart.bars.is_empty()))
}

/// The colours of bars and lines, for the legend, as CSS knows them.
pub(super) fn legend<'a>(chart: &'a Chart<'a>, bars: Option<&'a str>) -> Vec<(String, &'a str)> {
    let css = |RGBColor(r, g, b): RGBColor| format!("#{r:02x}{g:02x}{b:02x}");
    let bars = bars.map(|name| (css(COLOURS[0]), name));
    bars.into_iter()
        .chain(colours(chart).zip(chart.lines).map(|(colour, (name, _))| (css(colour), *name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_is_drawn_even_of_nothing_and_a_label_cannot_become_markup() {
        let names: Vec<String> = (1..=3).map(|day| format!("11-{day:02}")).collect();
        let lines = [("p90", vec![Some(4.0), None, Some(8.0)])];
        let chart = Chart {
            label: "a \"b\" <script>",
            unit: "%",
            names: &names,
            bars: &[1.0, 2.0, 3.0],
            lines: &lines,
            least_top: 1.0,
        };
        let svg = draw(&chart).unwrap();
        assert!(svg.contains("11-02") && svg.contains("<circle") && svg.contains("<rect"), "{svg}");
        assert!(!svg.contains("<script>") && !svg.contains("style="), "{svg}");
        assert_eq!(legend(&chart, Some("x")).len(), 2);
        let empty = Chart { names: &[], bars: &[], lines: &[], ..chart };
        assert!(draw(&empty).unwrap().starts_with("<svg"));
    }
}
