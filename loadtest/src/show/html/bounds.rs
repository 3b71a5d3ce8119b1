//! What was asked of the run beside what it was: a bar for the figure and a mark for its bound.

use maud::{Markup, html};

use crate::report::{Bound, Operator, Report, Unit};

/// Every bound.
pub(super) fn section(report: &Report) -> Markup {
    html! {
        @if !report.bounds.is_empty() {
            section {
                h2 { "Bounds" }
                p.note {
                    "What the run had to reach. The bar is what was measured, the mark is the bound; of a share that must be nearly all, the bar \
                     is what it lacked."
                }
                div.card.scroll {
                    table.bounds {
                        thead { tr { th { "figure" } th { "measured" } th { "must be" } th {} th {} } }
                        tbody { @for bound in &report.bounds { (row(bound)) } }
                    }
                }
            }
        }
    }
}

fn row(bound: &Bound) -> Markup {
    html! {
        tr {
            td { code { (bound.figure) } }
            td.bad[!bound.held] { (bound.was()) }
            td { (bound.must_be()) }
            td.meter { @if let Some((length, mark)) = places(bound) { (meter(bound, length, mark)) } }
            @if bound.held { td.good { "held" } } @else { td.bad { "BROKEN" } }
        }
    }
}

fn meter(bound: &Bound, length: f64, mark: f64) -> Markup {
    let fill = if bound.held { "fill" } else { "fill over" };
    html! {
        div.track {
            div class=(fill) style=(format!("width:{length:.1}%")) {}
            div.mark style=(format!("left:{mark:.1}%")) {}
        }
    }
}

/// Where the bar ends and the mark is, in percent of the track; `None` if there is nothing to draw.
fn places(bound: &Bound) -> Option<(f64, f64)> {
    let (value, limit) = (bound.value?, bound.limit);
    if !value.is_finite() || value < 0.0 || limit < 0.0 {
        return None;
    }
    // A share that must be nearly all is told apart by what it lacks; the bound is a quarter of the
    // track.
    let is_nearly_all = bound.unit == Unit::Share && matches!(bound.operator, Operator::AtLeast | Operator::More) && limit > 0.5;
    if is_nearly_all && limit < 1.0 {
        let lacks = (1.0 - value).max(0.0) / (1.0 - limit);
        return Some(((lacks * 25.0).min(100.0), 25.0));
    }
    let whole = if bound.unit == Unit::Share { 1.0 } else { value.max(limit) * 1.25 };
    // Nothing was asked for, and nothing came.
    let whole = if whole > 0.0 { whole } else { 1.0 };
    Some(((value / whole * 100.0).min(100.0), (limit / whole * 100.0).min(100.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(operator: Operator, limit: f64, unit: Unit, value: f64) -> Bound {
        let held = operator.holds(value, limit);
        Bound { figure: "figure".into(), operator, limit, unit, value: Some(value), held, sentence: String::new() }
    }

    #[test]
    fn a_bar_reaches_its_mark_when_the_bound_is_just_held() {
        let places = |operator, limit, unit, value| {
            let (length, mark) = places(&bound(operator, limit, unit, value)).expect("drawn");
            (length.round() as i32, mark.round() as i32)
        };
        assert_eq!(places(Operator::AtLeast, 0.99, Unit::Share, 0.99), (25, 25));
        assert_eq!(places(Operator::AtLeast, 0.99, Unit::Share, 1.0), (0, 25));
        assert_eq!(places(Operator::AtLeast, 0.99, Unit::Share, 0.81), (100, 25));
        assert_eq!(places(Operator::Less, 50.0, Unit::Milliseconds, 40.0), (64, 80));
        assert_eq!(places(Operator::Equal, 0.0, Unit::Plain, 0.0), (0, 0));
        assert_eq!(places(Operator::Equal, 0.0, Unit::Plain, 3.0), (80, 0));
        assert_eq!(places(Operator::AtMost, 0.05, Unit::Share, 0.2), (20, 5));
    }

    #[test]
    fn what_was_not_measured_has_no_bar() {
        let mut unmeasured = bound(Operator::Equal, 0.0, Unit::Plain, 0.0);
        unmeasured.value = None;
        assert_eq!(places(&unmeasured), None);
        assert!(row(&unmeasured).into_string().contains("not measured"));
    }
}
