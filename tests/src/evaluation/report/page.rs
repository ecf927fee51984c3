//! The page: targets first, then each set, then what went wrong.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::sections::{
    causes, conditions, confusion_matrix, gallery, grammar, groups, matching, percent, time,
};
use super::{Beside, Report, charts};
use crate::evaluation::figures::SetFigures;
use crate::evaluation::targets::{Limit, TARGETS, Target, Unit};

const STYLE: &str = include_str!("style.css");

pub(super) fn page(report: &Report) -> anyhow::Result<Markup> {
    let sets = report.product.iter().map(set).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Clearlane: plates read" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Plates read" }
                p.quiet {
                    "Bundle " (report.bundle) ". A read is accepted from a confidence of " (report.threshold)
                    " on. One thread. This page shows real vehicles: it stays on this machine."
                }
                (summary(report))
                @for set in &sets { (set) }
                (gallery(report))
            }
        }
    })
}

/// The targets beside the figures; where a peer ran, both readers on the pictures that the peer read.
fn summary(report: &Report) -> Markup {
    let peer = report.peers.first().map(|b| b.peer.reader.as_str());
    html! {
        h2 { "Targets" }
        div.scroll { table {
            thead { tr {
                th { "" } th { "target" } th { "reached" }
                @if let Some(peer) = peer { th { (peer) } th { "ours, same pictures" } }
            } }
            tbody { @for figures in &report.product {
                @let beside = report.peers.iter().find(|b| b.peer.set == figures.set);
                tr.set { td colspan="5" {
                    (figures.set) " " small { (figures.pictures) " pictures"
                        @if let Some(b) = beside { "; " (b.peer.reader) " read " (b.peer.pictures) }
                    }
                } }
                @for target in &TARGETS { @if let Some(reached) = target.figure(figures) {
                    tr {
                        td { (target.name) }
                        td { (limit(target)) }
                        (cell(target, Some(reached)))
                        @if peer.is_some() { (beside_cells(target, beside)) }
                    }
                } }
            } }
        } }
        @if report.peers.iter().any(|b| b.product.groups != b.peer.groups) {
            p.quiet {
                "The peer finds lines of text anywhere, so what it finds beside plates is no fault of a plate reader; its yield \
                 and error are at our threshold, which was not made for its confidence."
            }
        }
    }
}

fn beside_cells(target: &Target, beside: Option<&Beside>) -> Markup {
    html! {
        td { (beside.and_then(|b| target.figure(&b.peer)).map(|f| written(target, f)).unwrap_or_default()) }
        (cell(target, beside.and_then(|b| target.figure(&b.product))))
    }
}

fn cell(target: &Target, reached: Option<f64>) -> Markup {
    let Some(reached) = reached else { return html! { td {} } };
    let holds = target.limit.holds(reached);
    html! { td class=(if holds { "good" } else { "bad" }) { (written(target, reached)) (if holds { " ✓" } else { " ✗" }) } }
}

fn limit(target: &Target) -> String {
    match target.limit {
        Limit::AtLeast(limit) => format!("≥ {}", written(target, limit)),
        Limit::AtMost(limit) => format!("≤ {}", written(target, limit)),
    }
}

fn written(target: &Target, figure: f64) -> String {
    match target.unit {
        Unit::Part => percent(figure),
        Unit::Milliseconds => format!("{figure:.1} ms"),
        Unit::Count => format!("{figure:.1}"),
    }
}

fn set(figures: &SetFigures) -> anyhow::Result<Markup> {
    let curve = charts::reliability(&figures.reliability)?;
    Ok(html! {
        h2 { (figures.set) }
        (groups(figures))
        (time(figures))
        @if !figures.causes.is_empty() { (causes(figures)) }
        @if !figures.grammar.is_empty() { (grammar(figures)) }
        @if !figures.matching.is_empty() { (matching(figures)) }
        div.side {
            section {
                h3 { "Reliability" }
                p.quiet {
                    "Expected calibration error " (format!("{:.3}", figures.reliability.expected_calibration_error))
                    " (Guo et al., 2017)"
                    @if let Some(characters) = &figures.characters {
                        "; of single characters " (format!("{:.3}", characters.expected_calibration_error))
                    }
                    "."
                }
                (PreEscaped(curve))
                @if !figures.conditions.is_empty() { (conditions(figures)) }
            }
            (confusion_matrix(figures))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::evaluation::figures::Terms;
    use crate::evaluation::gallery::{Crop, Failure, Kind};
    use crate::evaluation::scoring::tests::{label, set as labelled};

    #[test]
    fn what_stands_on_a_plate_cannot_become_markup() {
        let set = labelled(vec![vec![label("<script>alert(1)</script>", 0.0, "<em>")]]);
        let terms = Terms { threshold: 0.9, expected: 10, seed: 1 };
        let figures = SetFigures::of("<i>", &set, &HashMap::new(), &HashMap::new(), terms);
        let crop =
            Crop { file: "failures/\"x.jpg".to_owned(), width: 10, height: 10, label: None, found: None };
        let failure = Failure {
            kind: Kind::Misread,
            set: "<u>".to_owned(),
            picture: "<img>".to_owned(),
            label: Some(("<script>alert(1)</script>".to_owned(), "<em>".to_owned())),
            read: Some("<script>2".to_owned()),
            confidence: 0.5,
            candidates: Vec::new(),
            crop,
        };
        let report = Report {
            bundle: "<s>".to_owned(),
            threshold: 0.9,
            product: vec![figures],
            peers: Vec::new(),
            failures: vec![failure],
        };
        let page = page(&report).unwrap().into_string();
        for markup in ["<script", "<em>", "<u>", "<i>", "<img", "<s>", "\"x.jpg"] {
            assert!(!page.contains(markup), "{markup} came through");
        }
        assert!(page.contains("&lt;script&gt;2"));
    }
}
