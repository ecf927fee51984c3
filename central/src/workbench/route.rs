//! The route of a movement as a schematic map: origins, the control point on the border, the consignees.

use maud::{Markup, html};

use super::cargo::origins;
use crate::storage::PassageRow;
use crate::storage::workbench::Awaited;
use crate::trade::Direction;
use crate::words::Language;

/// Control points of Hong Kong's land boundary from west to east, by the usual names; others come after, as configured.
const WEST_TO_EAST: [&str; 6] =
    ["hzmb", "shenzhen-bay", "lok-ma-chau", "man-kam-to", "heung-yuen-wai", "sha-tau-kok"];

const WIDTH: usize = 640;
const BORDER: usize = 120;
const MOST: usize = 4;

/// Control points in their order on the border.
fn along(sites: &[String]) -> Vec<&str> {
    let place = |site: &str| WEST_TO_EAST.iter().position(|known| *known == site).unwrap_or(usize::MAX);
    let mut along: Vec<&str> = sites.iter().map(String::as_str).collect();
    along.sort_by_key(|site| place(site));
    along
}

/// The `i`th of `of` places, spread over the width.
fn x(i: usize, of: usize) -> usize {
    WIDTH * (2 * i + 1) / (2 * of.max(1))
}

/// At most as many names as fit; the others are counted.
fn some(mut names: Vec<String>) -> Vec<String> {
    names.dedup();
    if names.len() > MOST {
        let more = names.len() - (MOST - 1);
        names.truncate(MOST - 1);
        names.push(format!("+{more}"));
    }
    names.iter().map(|name| shortened(name)).collect()
}

fn shortened(name: &str) -> String {
    const MOST: usize = 20;
    if name.chars().count() <= MOST {
        name.to_owned()
    } else {
        name.chars().take(MOST - 1).chain(['…']).collect()
    }
}

/// The map.
pub(super) fn map(
    language: Language,
    sites: &[String],
    awaited: &Awaited,
    passages: &[PassageRow],
) -> Markup {
    let movement = &awaited.carrying.movement;
    let along = along(sites);
    let chosen = along.iter().position(|site| *site == movement.site);
    let inbound = movement.direction == Direction::Inbound.name();
    let rows = &awaited.carrying.consignments;
    let from = some(origins(rows).into_iter().map(|(country, _)| country).collect());
    let from = if from.is_empty() { vec!["?".to_owned()] } else { from };
    let mut to: Vec<String> = rows.iter().map(|row| row.consignment.consignee.name.clone()).collect();
    to.sort_unstable();
    let to = some(to);
    // Inbound comes from above the border, where the mainland is.
    let (top, bottom) = if inbound { (&from, &to) } else { (&to, &from) };
    let crossing = chosen.map_or(WIDTH / 2, |i| x(i, along.len()));
    let earlier = |site: &str| passages.iter().filter(|passage| passage.site == site).count();
    let site = if movement.site.is_empty() { language.say("wb-any-site") } else { movement.site.clone() };
    let told = format!("{} → {site} → {}", from.join(", "), to.join(", "));
    html! {
        svg class="route" viewBox={ "0 0 " (WIDTH) " 240" } role="img" aria-label=(told) {
            text class="land" x="8" y="16" { (language.say("wb-mainland")) }
            text class="land" x="8" y="234" { (language.say("wb-hong-kong")) }
            line class="border" x1="0" y1=(BORDER) x2=(WIDTH) y2=(BORDER) {}
            @for (i, name) in top.iter().enumerate() {
                line class="way" x1=(x(i, top.len())) y1="48" x2=(crossing) y2=(BORDER) {}
                text x=(x(i, top.len())) y="40" text-anchor="middle" { (name) }
            }
            @for (i, name) in bottom.iter().enumerate() {
                line class="way" x1=(crossing) y1=(BORDER) x2=(x(i, bottom.len())) y2="196" {}
                text x=(x(i, bottom.len())) y="212" text-anchor="middle" { (name) }
            }
            @for (i, name) in along.iter().enumerate() {
                circle class=[(chosen == Some(i)).then_some("here")] cx=(x(i, along.len())) cy=(BORDER) r="7" {}
                text class="site" x=(x(i, along.len())) y=(BORDER - 14) text-anchor="middle" { (name) }
                @if earlier(name) > 0 {
                    text class="site" x=(x(i, along.len())) y=(BORDER + 26) text-anchor="middle" { (earlier(name)) "×" }
                }
            }
        }
        p class="soft" { (language.say("wb-route-note")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_points_lie_from_west_to_east() {
        let sites = ["sha-tau-kok", "elsewhere", "lok-ma-chau"].map(str::to_owned);
        assert_eq!(along(&sites), ["lok-ma-chau", "sha-tau-kok", "elsewhere"]);
        assert_eq!([x(0, 2), x(1, 2), x(0, 0)], [160, 480, 320]);
    }

    #[test]
    fn many_names_are_counted_and_long_ones_cut() {
        let names: Vec<String> = (0..9).map(|i| format!("country {i}")).collect();
        assert_eq!(some(names), ["country 0", "country 1", "country 2", "+6"]);
        assert_eq!(shortened(&"x".repeat(40)).chars().count(), 20);
    }
}
