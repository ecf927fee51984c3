//! What a movement carries, in a line and as a table.

use maud::{Markup, html};

use crate::storage::trade::{Carrying, ConsignmentRow};
use crate::trade::{Direction, Load};
use crate::words::Language;

/// Thousands apart, as people read amounts.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The declared value of a consignment in Hong Kong dollars: its own, or that of its lines.
pub(super) fn value(row: &ConsignmentRow) -> Option<u64> {
    let lines = || row.consignment.goods.iter().filter_map(|line| line.value_hkd).reduce(u64::saturating_add);
    row.consignment.value_hkd.or_else(lines)
}

fn weight(row: &ConsignmentRow) -> Option<u64> {
    let lines =
        || row.consignment.goods.iter().filter_map(|line| line.net_weight_kg).reduce(u64::saturating_add);
    row.consignment.net_weight_kg.or_else(lines)
}

/// The first four digits of each HS code that is declared, each once.
pub(super) fn headings(rows: &[ConsignmentRow]) -> Vec<String> {
    let mut all: Vec<String> = rows.iter().flat_map(|row| headings_of(&row.consignment)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Those of one consignment.
pub(super) fn headings_of(consignment: &crate::trade::Consignment) -> Vec<String> {
    let lines = consignment.goods.iter().filter_map(|line| line.hs_code.as_deref());
    consignment
        .hs_code
        .as_deref()
        .into_iter()
        .chain(lines)
        .filter_map(|hs| hs.get(..4))
        .map(str::to_owned)
        .collect()
}

/// Countries of origin that are declared, each once, with the number of consignments.
pub(super) fn origins(rows: &[ConsignmentRow]) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for row in rows {
        let lines = row.consignment.goods.iter().filter_map(|line| line.origin.clone());
        let mut own: Vec<String> = row.consignment.origin.clone().into_iter().chain(lines).collect();
        own.sort_unstable();
        own.dedup();
        for origin in own {
            *counts.entry(origin).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// Which way it goes.
pub(super) fn direction(language: Language, direction: &str) -> String {
    let inbound = direction == Direction::Inbound.name();
    language.say(if inbound { "wb-inbound" } else { "wb-outbound" })
}

/// Everything in one line: the first goods, how many consignments more, HS, value.
pub(super) fn summary(language: Language, carrying: &Carrying) -> Markup {
    let say = |key: &str| language.say(key);
    let rows = &carrying.consignments;
    let value = rows.iter().filter_map(value).reduce(u64::saturating_add);
    html! {
        @match (rows.first(), carrying.movement.load()) {
            (Some(first), _) => {
                (first.consignment.description)
                @if rows.len() > 1 { " " span class="soft" { (language.say_with("wb-more", &[("number", &(rows.len() - 1).to_string())])) } }
                div class="soft" {
                    (first.consignment.consignor.name) " → " (first.consignment.consignee.name)
                    @if let Some(hs) = headings(rows).first() { " · HS " (hs) }
                    @if let Some(value) = value { " · HK$ " (grouped(value)) }
                }
            }
            (None, Load::Empty) => { span class="soft" { (say("wb-empty")) } }
            (None, Load::Exempt(code)) => { span class="soft" { (say("wb-exempt")) ": " (code) } }
            (None, Load::Consignments) => { span class="soft" { (say("wb-nothing-declared")) } }
        }
    }
}

fn or_dash(text: Option<&str>) -> &str {
    text.unwrap_or("—")
}

/// All consignments with all their goods.
pub(super) fn declaration(language: Language, rows: &[ConsignmentRow]) -> Markup {
    let say = |key: &str| language.say(key);
    let amount = |number: Option<u64>| number.map_or_else(|| "—".to_owned(), grouped);
    html! {
        @for row in rows {
            @let c = &row.consignment;
            article class="consignment" {
                h3 {
                    span class="inline-mark" { (row.ccrn) } " · " (c.packages) " " (c.package_kind)
                    @if row.version > 1 { " " span class="warn" { (language.say_with("wb-amended", &[("number", &(row.version - 1).to_string())])) } }
                    @if row.cancelled { " " span class="stop" { (say("wb-cancelled")) } }
                    @if c.transhipment { " " span class="soft" { (say("wb-transhipment")) } }
                }
                p { (c.description) }
                dl {
                    dt { (say("wb-consignor")) } dd { (c.consignor.name) span class="soft" { ", " (c.consignor.address) } }
                    dt { (say("wb-consignee")) } dd { (c.consignee.name) span class="soft" { ", " (c.consignee.address) } }
                    dt { (say("wb-hs")) } dd { (or_dash(c.hs_code.as_deref())) }
                    dt { (say("wb-origin")) } dd { (or_dash(c.origin.as_deref())) }
                    dt { (say("wb-value")) } dd { (amount(value(row))) }
                    dt { (say("wb-weight")) } dd { (amount(weight(row))) }
                }
                @if !c.goods.is_empty() {
                    div class="wide" tabindex="0" role="region" aria-label={ (say("wb-goods")) " " (row.ccrn) } {
                        table {
                            thead { tr { @for (i, head) in ["wb-goods", "wb-hs", "wb-origin", "wb-value", "wb-weight"].into_iter().enumerate() { th scope="col" class=[(i >= 3).then_some("number")] { (say(head)) } } } }
                            tbody { @for line in &c.goods { tr {
                                td { (line.description) }
                                td { (or_dash(line.hs_code.as_deref())) }
                                td { (or_dash(line.origin.as_deref())) }
                                td class="number" { (amount(line.value_hkd)) }
                                td class="number" { (amount(line.net_weight_kg)) }
                            } } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
