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
    /// What it stands for.
    pub style: Style,
}

/// What a line stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// What was measured. Each takes the next colour.
    #[default]
    Measured,
    /// What was measured in an earlier run: the colours of what was measured in this one, in the
    /// same order, faded.
    Then,
    /// A bound: dashed.
    Limit,
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
    let frame = Frame { title: Some(title), axes: Axes { x_label, y_label, x_words: number, x_range: None } };
    themed(title, LINE_SIZE, |canvas| draw_lines(canvas, &frame, series))
}

/// What the axes of a chart say.
#[derive(Clone, Copy, Debug)]
pub struct Axes<'a> {
    /// Below.
    pub x_label: &'a str,
    /// Beside; nothing if it is empty.
    pub y_label: &'a str,
    /// What is written at a place of x; nothing if it is empty.
    pub x_words: fn(f64) -> String,
    /// From where to where x goes at least, for charts that shall be read together.
    pub x_range: Option<(f64, f64)>,
}

/// A smaller chart of lines without its title and legend, for a page that writes them itself: `title` is what a screen reader
/// says, and the lines take `--chart-1` and on in their order.
pub fn bare_line_chart(title: &str, axes: Axes, series: &[Series]) -> String {
    themed(title, BARE_SIZE, |canvas| draw_lines(canvas, &Frame { title: None, axes }, series))
}

/// Horizontal bars from 0, the first on top, each with its value written at its end.
pub fn bar_chart(title: &str, value_label: &str, bars: &[Bar]) -> String {
    let height = BAR_FRAME_HEIGHT + BAR_HEIGHT * bars.len().max(1) as u32;
    themed(title, (LINE_SIZE.0, height), |canvas| draw_bars(canvas, title, value_label, bars))
}

type Canvas<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn Error>>;

/// What is around a chart's lines; without a title there is no legend either.
struct Frame<'a> {
    title: Option<&'a str>,
    axes: Axes<'a>,
}

fn draw_lines(canvas: &Canvas, frame: &Frame, series: &[Series]) -> Drawn {
    let finite =
        |series: &Series| -> Vec<(f64, f64)> { series.points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect() };
    let lines: Vec<(&str, Vec<(f64, f64)>)> = series.iter().map(|series| (series.label.as_str(), finite(series))).collect();
    let all = || lines.iter().flat_map(|(_, points)| points.iter().copied());
    let axes = frame.axes;
    let xs = axes.x_range.into_iter().flat_map(|(first, last)| [first, last]).chain(all().map(|(x, _)| x));
    let mut builder = ChartBuilder::on(canvas);
    if let Some(title) = frame.title {
        builder.caption(title, text(TITLE_SIZE));
    }
    // On a page the chart needs no room below, and labels that a phone can show.
    let [below, left, label_size] = if frame.title.is_some() { [12, 64, LABEL_SIZE] } else { [0, 60, BARE_LABEL_SIZE] };
    // Room at the right for the half of a label that stands below the last place.
    builder.margin(12).margin_right(28).margin_bottom(below).x_label_area_size(44).y_label_area_size(left);
    let mut chart = builder.build_cartesian_2d(around(xs), from_zero(all().map(|(_, y)| y)))?;
    let mut mesh = chart.configure_mesh();
    if !axes.y_label.is_empty() {
        mesh.y_desc(axes.y_label);
    }
    mesh.x_desc(axes.x_label).label_style(text(label_size)).axis_desc_style(text(label_size));
    mesh.axis_style(GRID).bold_line_style(GRID).light_line_style(TRANSPARENT);
    mesh.x_label_formatter(&|x| (axes.x_words)(*x)).y_label_formatter(&|y| number(*y)).draw()?;
    for ((label, points), (colour, style)) in lines.into_iter().zip(colours(series)) {
        let stroke = |color| ShapeStyle { color, filled: false, stroke_width: 2 };
        let (drawn, stroke) = match style {
            Style::Limit => {
                let stroke = stroke(LIMIT.to_rgba());
                (chart.draw_series(DashedLineSeries::new(points, DASH, DASH, stroke))?, stroke)
            }
            Style::Then => (chart.draw_series(LineSeries::new(points, stroke(colour.mix(FADED))))?, stroke(colour.mix(FADED))),
            Style::Measured => (chart.draw_series(LineSeries::new(points, stroke(colour.to_rgba())))?, stroke(colour.to_rgba())),
        };
        drawn.label(label).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], stroke));
    }
    if series.len() > 1 && frame.title.is_some() {
        let mut legend = chart.configure_series_labels();
        legend.position(SeriesLabelPosition::LowerLeft).label_font(text(LABEL_SIZE)).legend_area_size(24).margin(8).draw()?;
    }
    Ok(())
}

/// The colour of each line: this run's and an earlier one's count through the palette by
/// themselves.
fn colours(series: &[Series]) -> impl Iterator<Item = (RGBColor, Style)> {
    series.iter().enumerate().map(|(index, one)| {
        let before = series.iter().take(index).filter(|other| other.style == one.style).count();
        (PALETTE[before % PALETTE.len()], one.style)
    })
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
pub fn number(value: f64) -> String {
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
const BARE_SIZE: (u32, u32) = (560, 280);
/// Title, axis and margins of a bar chart.
const BAR_FRAME_HEIGHT: u32 = 120;
const BAR_HEIGHT: u32 = 40;
const BAR_LABEL_WIDTH: u32 = 170;
const TITLE_SIZE: u32 = 19;
const LABEL_SIZE: u32 = 14;
const BARE_LABEL_SIZE: u32 = 16;

/// Colours by the name of their variable, on light and on dark. What is drawn in the first of the two becomes the variable.
const COLOURS: [(&str, RGBColor, RGBColor); 9] = [
    ("text", TEXT, RGBColor(0xd8, 0xde, 0xe6)),
    ("grid", GRID, RGBColor(0x3a, 0x42, 0x4c)),
    ("limit", LIMIT, RGBColor(0x9a, 0xa4, 0xb2)),
    ("1", PALETTE[0], RGBColor(0x58, 0xa6, 0xff)),
    ("2", PALETTE[1], RGBColor(0xf0, 0x88, 0x3e)),
    ("3", PALETTE[2], RGBColor(0x3f, 0xb9, 0x50)),
    ("4", PALETTE[3], RGBColor(0xd2, 0x6a, 0xd6)),
    ("5", PALETTE[4], RGBColor(0xe3, 0xb3, 0x41)),
    ("6", PALETTE[5], RGBColor(0xf8, 0x6a, 0x65)),
];
const TEXT: RGBColor = RGBColor(0x24, 0x29, 0x2f);
const GRID: RGBColor = RGBColor(0xd0, 0xd7, 0xde);
const LIMIT: RGBColor = RGBColor(0x6b, 0x77, 0x85);
/// Length of a dash and of the space after it, pixels.
const DASH: u32 = 6;
/// How much of its colour an earlier run's line keeps.
const FADED: f64 = 0.4;
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
        Series { label: label.to_owned(), points: points.to_vec(), style: Style::Measured }
    }

    #[test]
    fn an_earlier_run_is_faded_and_a_bound_is_dashed() {
        let line = |style| Series { style, ..line("p99", &[(0.0, 1.0), (9.0, 2.0)]) };
        let count = |style, what: &str| {
            let axes = Axes { x_label: "", y_label: "", x_words: number, x_range: None };
            bare_line_chart("Gap", axes, &[line(Style::Measured), line(style)]).matches(what).count()
        };
        assert_eq!(count(Style::Then, "opacity=\"0.4\" stroke=\"var(--tw-1)\""), 1, "the colour of its counterpart");
        assert!(count(Style::Limit, "stroke=\"var(--tw-limit)\"") > 3, "dashes");
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
    fn a_bare_chart_leaves_words_to_the_page() {
        let axes = Axes { x_label: "share", y_label: "ms", x_words: |x| format!("{x} nines"), x_range: None };
        let svg = bare_line_chart("Gap", axes, &[line("p50", &[(0.0, 1.0), (2.0, 2.0)]), line("p99", &[(0.0, 3.0), (2.0, 4.0)])]);
        assert!(svg.contains("aria-label=\"Gap\"") && svg.contains("2 nines"), "{svg}");
        assert!(!svg.contains(">\nGap") && !svg.contains("p50"), "{svg}");
    }

    #[test]
    fn numbers_have_the_digits_they_deserve() {
        assert_eq!([0.0, 0.256, 9.999, 12.34, 512.7, 3.0].map(number), ["0", "0.26", "10.00", "12.3", "513", "3"]);
    }
}
