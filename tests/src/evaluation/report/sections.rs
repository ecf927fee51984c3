//! The parts of the page that show one thing each.

use clearance::geometry::Quad;
use maud::{Markup, html};

use super::Report;
use crate::evaluation::expected::Using;
use crate::evaluation::figures::SetFigures;
use crate::evaluation::gallery::{Failure, Kind};

pub(super) fn percent(part: f64) -> String {
    format!("{:.1}%", part * 100.0)
}

/// Found, exact and accepted by group.
pub(super) fn groups(figures: &SetFigures) -> Markup {
    html! { div.scroll { table {
        thead { tr {
            th { "plates" } th { "" } th { "found" } th { "exact" } th { "yield" } th { "error" } th { "wrong" }
            th { "yield at error ≤ 0.1%*" }
        } }
        tbody { @for (name, g) in &figures.groups { tr {
            td { (name) } td { (g.plates) } td { (percent(g.recall_iou50)) } td { (percent(g.exact)) }
            td { (percent(g.r#yield)) } td { (percent(g.error)) } td { (g.wrong) }
            td { (percent(g.oracle_yield)) @if let Some(t) = g.oracle_threshold { " from " (format!("{t:.4}")) } }
        } } }
    } }
    p.quiet { "* With the threshold chosen by the truth: what calibration could reach at best, not a result." } }
}

/// Where reads were lost.
pub(super) fn causes(figures: &SetFigures) -> Markup {
    html! {
        h3 { "Where reads were lost" }
        p.quiet { "Misread plates are read once more at their labelled corners: what is right there was lost by the corners." }
        div.scroll { table {
            thead { tr {
                th { "" } th { "plates" } th { "exact" } th { "not found" } th { "by the corners" } th { "by the reader, the picture or the label" }
            } }
            tbody { @for (name, it) in &figures.causes { tr {
                td { (name) } td { (it.plates) } td { (it.exact) } td { (it.not_found) } td { (it.corners) } td { (it.reader) }
            } } }
        } }
    }
}

pub(super) fn time(figures: &SetFigures) -> Markup {
    let parts = [("find", figures.detect_ms), ("read", figures.read_ms), ("both", figures.total_ms)];
    html! { p {
        @for (name, spread) in parts { @if let Some(s) = spread {
            (name) " " (format!("{:.1}", s.median)) " ms (p95 " (format!("{:.1}", s.p95)) "), "
        } }
        (figures.spurious) " spurious in " (figures.pictures) " pictures, " (figures.spurious_accepted) " of them sure enough to accept."
    } }
}

/// What the forms of marks add, beside reading without them.
pub(super) fn grammar(figures: &SetFigures) -> Markup {
    html! {
        h3 { "Given the forms of marks" }
        p.quiet { "The likeliest candidate with a form of Hong Kong or 粤Z····港/澳, beside the likeliest of all. False accepts are \
            counted at the same threshold." }
        div.scroll { table {
            thead { tr {
                th { "" } th { "plates" } th { "exact" } th { "exact, given forms" } th { "false accepts" }
                th { "given forms" } th { "on what is no such plate" } th { "given forms" } th { "accepted by spelling*" } th { "wrong" }
            } }
            tbody { @for (name, g) in &figures.grammar { tr {
                td { (name) } td { (g.plates) }
                @if g.plates > 0 { td { (percent(g.exact_unconstrained)) } td { (percent(g.exact)) } } @else { td {} td {} }
                td { (g.false_accepts_unconstrained) } td { (g.false_accepts) }
                td { (g.false_accepts_elsewhere_unconstrained) } td { (g.false_accepts_elsewhere) }
                td { (g.accepted_by_spelling) } td { (g.accepted_by_spelling_wrong) }
            } } }
        } }
        p.quiet { "* Sure enough only because O and 0, I and 1 are one character of these marks." }
    }
}

/// What a list of expected vehicles adds, beside reading without one.
pub(super) fn matching(figures: &SetFigures) -> Markup {
    let expected = figures.matching.first().map_or(0, |m| m.expected);
    html! {
        h3 { "Given " (expected) " expected vehicles" }
        p.quiet { "Ranks what an officer is offered; never releases. “Absent” takes the true vehicle off the list: whoever is \
            accepted then is accepted falsely." }
        div.scroll { table {
            thead { tr {
                th { "from" } th { "vehicles" } th { "all exact" } th { "falsely accepted" } th { "ranked first" }
                th { "margin" } th { "right" } th { "wrong" } th { "absent" } th { "absent, second only*" }
            } }
            tbody { @for m in &figures.matching { @for (i, at) in m.at_margin.iter().enumerate() { tr {
                @if i == 0 {
                    td { (using(m.using)) } td { (m.vehicles) } td { (percent(m.exact_unconstrained)) }
                    td { (percent(m.false_accepts_unconstrained)) } td { (percent(m.ranked_first)) }
                } @else { td colspan="5" {} }
                td { (at.margin) } td { (percent(at.accepted_right)) } td { (percent(at.accepted_wrong)) }
                td { (percent(at.false_accepts_absent)) } td { (percent(at.false_accepts_absent_second_only)) }
            } } } }
        } }
        p.quiet { "* Only the margin over the second vehicle, without asking whether the vehicle is on the list at all." }
    }
}

fn using(using: Using) -> &'static str {
    match using {
        Using::HongKong => "Hong Kong plate",
        Using::Mainland => "mainland plate",
        Using::Both => "both plates",
    }
}

/// How often each character (row) was read as another (column). The diagonal is not coloured: it would drown the rest.
pub(super) fn confusion_matrix(figures: &SetFigures) -> Markup {
    let confusions = &figures.confusions;
    let characters = confusions.characters();
    let most = confusions.top(1).first().map_or(1, |c| c.count) as f64;
    html! { section {
        h3 { "Characters taken for one another" }
        @if characters.is_empty() { p { "None." } } @else {
            p.quiet { "Row: label. Column: read. ∅: no character." }
            div.scroll { table.matrix {
                thead { tr { th {} @for c in &characters { th { (c) } } } }
                tbody { @for row in &characters { tr {
                    th { (row) }
                    @for column in &characters {
                        @let count = confusions.count(*row, *column);
                        @if row == column { td.diagonal { "·" } }
                        @else if count == 0 { td {} }
                        @else { td style=(format!("--strength:{:.2}", 0.2 + 0.7 * count as f64 / most)) { (count) } }
                    }
                } } }
            } }
        }
    } }
}

/// Exact reads by what could be measured of the plates.
pub(super) fn conditions(figures: &SetFigures) -> Markup {
    let bins = &figures.conditions;
    html! {
        h3 { "By condition" }
        p.quiet { "Measured on the labelled plate, or as the set's labels say." }
        div.scroll { table {
            thead { tr { th { "condition" } th { "" } th { "plates" } th { "found" } th { "exact" } th { "yield" } th { "wrong" } } }
            tbody { @for (i, bin) in bins.iter().enumerate() {
                @let first = i == 0 || bins[i - 1].condition != bin.condition;
                tr {
                    td { @if first { (named(bin.condition)) } }
                    td { (bin.bin) } td { (bin.plates) } td { (percent(bin.recall_iou50)) } td { (percent(bin.exact)) }
                    td { (percent(bin.r#yield)) } td { (bin.wrong) }
                }
            } }
        } }
    }
}

fn named(condition: &str) -> &str {
    match condition {
        "width_px" => "width, px",
        "focus" => "sharpness",
        "labelled" => "light and weather",
        other => other,
    }
}

/// Everything that went wrong.
pub(super) fn gallery(report: &Report) -> Markup {
    let kinds =
        [(Kind::Misread, "Misread"), (Kind::Missed, "Missed"), (Kind::Spurious, "No plate, or not labelled")];
    html! { @for (kind, title) in kinds {
        @let here: Vec<_> = report.failures.iter().filter(|f| f.kind == kind).collect();
        h2 { (title) ": " (here.len()) }
        @if kind == Kind::Misread {
            p.quiet { "Solid: labelled. Dashed: found. Framed in red: it would have been accepted." }
        }
        div.gallery { @for f in here { (failure(f, report.threshold)) } }
    } }
}

fn failure(f: &Failure, threshold: f64) -> Markup {
    let crop = &f.crop;
    let accepted = f.read.is_some() && f64::from(f.confidence) >= threshold;
    html! { figure.accepted[accepted] {
        svg viewBox=(format!("0 0 {} {}", crop.width, crop.height)) role="img" aria-label=(f.picture) {
            image href=(crop.file) width=(crop.width) height=(crop.height) loading="lazy" {}
            @if let Some(q) = &crop.label { polygon.label points=(points(q)) {} }
            @if let Some(q) = &crop.found { polygon.found points=(points(q)) {} }
        }
        figcaption {
            @if let Some((text, group)) = &f.label { div.row { b { (text) } span.quiet { (group) } } }
            @if let Some(read) = &f.read {
                div.row {
                    b.bad { @if read.is_empty() { "not read" } @else { (read) } }
                    span { (format!("{:.3}", f.confidence)) }
                }
            } @else { div.bad { "not found" } }
            @if f.candidates.len() > 1 { div.quiet {
                @for (i, c) in f.candidates.iter().enumerate().skip(1) {
                    @if i > 1 { ", " } (c.mark) " " (format!("{:.3}", c.probability))
                }
            } }
            small { (f.set) "/" (f.picture) }
        }
    } }
}

fn points(q: &Quad) -> String {
    q.0.map(|p| format!("{:.1},{:.1}", p.x, p.y)).join(" ")
}
