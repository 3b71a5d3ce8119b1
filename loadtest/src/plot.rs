//! Charts as SVG text, for the documentation and for report pages.
//!
//! Invariant: a chart is readable on light and dark. It has no background, and every colour is a CSS variable: what the page says
//! (`--chart-text`, `--chart-grid`, `--chart-1` and on), else one that follows the reader's colour scheme.

use std::error::Error;
use std::ops::Range;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub label: String,
    /// In rising order of x. Points that are not finite are left out.
    pub points: Vec<(f64, f64)>,
}

/// One bar of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Its name, beside it.
    pub label: String,
    /// Its length.
    pub value: f64,
    /// Least and most of the runs that `value` is the median of, drawn as a whisker.
    pub spread: Option<(f64, f64)>,
}

/// Lines over a common x. The y axis begins at 0.
pub fn line_chart(title: &str, x_label: &str, y_label: &str, series: &[Series]) -> String {
    themed(title, LINE_SIZE, |canvas| draw_lines(canvas, title, [x_label, y_label], series))
}

/// Horizontal bars from 0, the first on top, each with its value written at its end.
pub fn bar_chart(title: &str, value_label: &str, bars: &[Bar]) -> String {
    let height = BAR_FRAME_HEIGHT + BAR_HEIGHT * bars.len().max(1) as u32;
    themed(title, (LINE_SIZE.0, height), |canvas| draw_bars(canvas, title, value_label, bars))
}

type Canvas<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn Error>>;

fn draw_lines(canvas: &Canvas, title: &str, [x_label, y_label]: [&str; 2], series: &[Series]) -> Drawn {
    let finite =
        |series: &Series| -> Vec<(f64, f64)> { series.points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect() };
    let lines: Vec<(&str, Vec<(f64, f64)>)> = series.iter().map(|series| (series.label.as_str(), finite(series))).collect();
    let all = || lines.iter().flat_map(|(_, points)| points.iter().copied());
    let mut chart = ChartBuilder::on(canvas)
        .caption(title, text(TITLE_SIZE))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(around(all().map(|(x, _)| x)), from_zero(all().map(|(_, y)| y)))?;
    let mut mesh = chart.configure_mesh();
    mesh.x_desc(x_label).y_desc(y_label).label_style(text(LABEL_SIZE)).axis_desc_style(text(LABEL_SIZE));
    mesh.axis_style(GRID).bold_line_style(GRID).light_line_style(TRANSPARENT);
    mesh.x_label_formatter(&|x| number(*x)).y_label_formatter(&|y| number(*y)).draw()?;
    for ((label, points), colour) in lines.into_iter().zip(PALETTE.iter().cycle()) {
        let style = ShapeStyle { color: colour.to_rgba(), filled: false, stroke_width: 2 };
        let drawn = chart.draw_series(LineSeries::new(points, style))?;
        drawn.label(label).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    if series.len() > 1 {
        let mut legend = chart.configure_series_labels();
        legend.position(SeriesLabelPosition::LowerLeft).label_font(text(LABEL_SIZE)).legend_area_size(24).margin(8).draw()?;
    }
    Ok(())
}

fn draw_bars(canvas: &Canvas, title: &str, value_label: &str, bars: &[Bar]) -> Drawn {
    let longest = bars.iter().map(|bar| bar.spread.map_or(bar.value, |(_, most)| most.max(bar.value)));
    let rows = bars.len().max(1) as f64;
    let mut lengths = from_zero(longest);
    // Room for the value written behind the longest bar.
    lengths.end *= 1.12;
    let mut chart = ChartBuilder::on(canvas)
        .caption(title, text(TITLE_SIZE))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(BAR_LABEL_WIDTH)
        // Downwards, so that the first bar is on top.
        .build_cartesian_2d(lengths, rows..0.0)?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_y_mesh().disable_y_axis().x_desc(value_label).label_style(text(LABEL_SIZE)).axis_desc_style(text(LABEL_SIZE));
    mesh.axis_style(GRID).bold_line_style(GRID).light_line_style(TRANSPARENT).x_label_formatter(&|x| number(*x)).draw()?;
    let beside = |horizontal| text(LABEL_SIZE).pos(Pos::new(horizontal, VPos::Center));
    for (row, (bar, colour)) in bars.iter().zip(PALETTE.iter().cycle()).enumerate() {
        let (top, middle) = (row as f64, row as f64 + 0.5);
        let value = if bar.value.is_finite() { bar.value.max(0.0) } else { 0.0 };
        chart.draw_series([Rectangle::new([(0.0, top + 0.18), (value, top + 0.82)], colour.filled())])?;
        let mut end = value;
        if let Some((least, most)) = bar.spread.filter(|(least, most)| least.is_finite() && most.is_finite()) {
            let whisker = ShapeStyle { color: TEXT.to_rgba(), filled: false, stroke_width: 2 };
            chart.draw_series([PathElement::new([(least.max(0.0), middle), (most.max(0.0), middle)], whisker)])?;
            end = end.max(most);
        }
        let place = |offset: i32, words: String, horizontal| {
            EmptyElement::at((if offset < 0 { 0.0 } else { end }, middle)) + Text::new(words, (offset, 0), beside(horizontal))
        };
        chart.plotting_area().draw(&place(8, number(bar.value), HPos::Left))?;
        chart.plotting_area().draw(&place(-10, bar.label.clone(), HPos::Right))?;
    }
    Ok(())
}

fn text(size: u32) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size).into_font()).color(&TEXT)
}

/// All of `values`, and never an empty range.
fn around(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
    match (least.is_finite(), most > least) {
        (false, _) => 0.0..1.0,
        (true, false) => least..least + 1.0,
        (true, true) => least..most,
    }
}

/// From 0 to a little above the greatest of `values`.
fn from_zero(values: impl Iterator<Item = f64>) -> Range<f64> {
    let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
    0.0..if most > 0.0 { most * 1.05 } else { 1.0 }
}

/// With as many digits as its size deserves.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || size.fract() < f64::EPSILON => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

/// Draws, and turns fixed colours into variables.
fn themed(title: &str, size: (u32, u32), draw: impl FnOnce(&Canvas) -> Drawn) -> String {
    let mut svg = String::new();
    {
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        // Text in memory takes everything; a chart that cannot be laid out is an empty one.
        let _ = draw(&canvas).and_then(|()| Ok(canvas.present()?));
    }
    for (name, colour, _) in COLOURS {
        let hex = format!("\"#{:02X}{:02X}{:02X}\"", colour.0, colour.1, colour.2);
        svg = svg.replace(&hex, &format!("\"var(--tw-{name})\""));
    }
    let variables = |pick: fn(&(&str, RGBColor, RGBColor)) -> RGBColor| -> String {
        let one = |entry: &(&str, RGBColor, RGBColor)| {
            let RGBColor(red, green, blue) = pick(entry);
            format!("--tw-{0}:var(--chart-{0},#{red:02x}{green:02x}{blue:02x})", entry.0)
        };
        COLOURS.iter().map(one).collect::<Vec<_>>().join(";")
    };
    let style = format!(
        "<style>.tw-chart{{{}}}@media(prefers-color-scheme:dark){{.tw-chart{{{}}}}}</style>\n",
        variables(|entry| entry.1),
        variables(|entry| entry.2)
    );
    let (width, height) = size;
    let whole = format!("<svg width=\"{width}\" height=\"{height}\" ");
    let scaled = format!("<svg class=\"tw-chart\" role=\"img\" aria-label=\"{}\" style=\"max-width:100%;height:auto\" ", escaped(title));
    let svg = svg.replacen(&whole, &format!("{scaled}width=\"{width}\" height=\"{height}\" "), 1);
    svg.replacen(">\n", &format!(">\n{style}"), 1)
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

const LINE_SIZE: (u32, u32) = (860, 420);
/// Title, axis and margins of a bar chart.
const BAR_FRAME_HEIGHT: u32 = 120;
const BAR_HEIGHT: u32 = 40;
const BAR_LABEL_WIDTH: u32 = 170;
const TITLE_SIZE: u32 = 19;
const LABEL_SIZE: u32 = 14;

/// Colours by the name of their variable, on light and on dark. What is drawn in the first of the two becomes the variable.
const COLOURS: [(&str, RGBColor, RGBColor); 8] = [
    ("text", TEXT, RGBColor(0xd8, 0xde, 0xe6)),
    ("grid", GRID, RGBColor(0x3a, 0x42, 0x4c)),
    ("1", PALETTE[0], RGBColor(0x58, 0xa6, 0xff)),
    ("2", PALETTE[1], RGBColor(0xf0, 0x88, 0x3e)),
    ("3", PALETTE[2], RGBColor(0x3f, 0xb9, 0x50)),
    ("4", PALETTE[3], RGBColor(0xd2, 0x6a, 0xd6)),
    ("5", PALETTE[4], RGBColor(0xe3, 0xb3, 0x41)),
    ("6", PALETTE[5], RGBColor(0xf8, 0x6a, 0x65)),
];
const TEXT: RGBColor = RGBColor(0x24, 0x29, 0x2f);
const GRID: RGBColor = RGBColor(0xd0, 0xd7, 0xde);
const PALETTE: [RGBColor; 6] = [
    RGBColor(0x1f, 0x6f, 0xd6),
    RGBColor(0xc4, 0x5a, 0x11),
    RGBColor(0x1a, 0x7f, 0x37),
    RGBColor(0x8e, 0x3b, 0x9e),
    RGBColor(0x9a, 0x6b, 0x00),
    RGBColor(0xcf, 0x22, 0x2e),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn line(label: &str, points: &[(f64, f64)]) -> Series {
        Series { label: label.to_owned(), points: points.to_vec() }
    }

    #[test]
    fn a_chart_has_its_words_and_no_colour_of_its_own() {
        let lines = [line("p50", &[(0.0, 1.0), (1.0, 2.0)]), line("p99 <ms>", &[(0.0, 3.0), (1.0, 40.0)])];
        let svg = line_chart("Gap & jitter", "seconds", "ms", &lines);
        assert!(svg.starts_with("<svg class=\"tw-chart\"") && svg.trim_end().ends_with("</svg>"));
        for words in ["Gap &amp; jitter", "seconds", "p50", "p99 &lt;ms&gt;", "prefers-color-scheme:dark", "var(--chart-text,#24292f)"] {
            assert!(svg.contains(words), "{words} is missing from {svg}");
        }
        assert!(!svg.contains("=\"#"), "a colour that no page can change: {svg}");
    }

    #[test]
    fn bars_show_values_and_spread() {
        let bars = [
            Bar { label: "floor".into(), value: 9.51, spread: Some((9.2, 10.4)) },
            Bar { label: "tickwire".into(), value: 130.4, spread: None },
        ];
        let svg = bar_chart("CPU", "µs", &bars);
        for words in ["floor", "9.51", "tickwire", "130", "µs"] {
            assert!(svg.contains(words), "{words} is missing from {svg}");
        }
        assert!(!svg.contains("=\"#"), "{svg}");
    }

    #[test]
    fn nothing_to_show_is_still_a_chart() {
        for svg in [
            line_chart("none", "x", "y", &[]),
            line_chart("one", "x", "y", &[line("a", &[(5.0, 0.0)])]),
            line_chart("no number", "x", "y", &[line("a", &[(f64::NAN, 1.0), (1.0, f64::INFINITY)])]),
            bar_chart("none", "x", &[]),
            bar_chart("no number", "x", &[Bar { label: "a".into(), value: f64::NAN, spread: Some((f64::NAN, 1.0)) }]),
        ] {
            assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>") && svg.contains("<text"), "{svg}");
        }
    }

    #[test]
    fn numbers_have_the_digits_they_deserve() {
        assert_eq!([0.0, 0.256, 9.999, 12.34, 512.7, 3.0].map(number), ["0", "0.26", "10.00", "12.3", "513", "3"]);
    }
}
