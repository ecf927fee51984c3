//! A line of the queue.

use clearance::ids::UtcMillis;
use maud::{Markup, html};

use super::cargo;
use super::clock::{clock, moment};
use super::engine::Said;
use super::order::Place;
use super::terms;
use crate::console::terms::action;
use crate::storage::workbench::Awaited;
use crate::trade::MovementStatus;
use crate::words::Language;

/// A movement as the queue shows it.
pub(super) struct Row {
    pub(super) awaited: Awaited,
    pub(super) said: Option<Said>,
    pub(super) place: Place,
    pub(super) status: MovementStatus,
    /// Whether its declaration is complete, so that a code can be given.
    pub(super) declared: bool,
}

impl Row {
    /// What the form of many sends of it: id and stamp.
    pub(super) fn value(&self) -> String {
        format!("{}|{}", self.awaited.carrying.movement.id, self.awaited.stamp())
    }

    /// The line. `checked`: the ones that are.
    pub(super) fn markup(&self, language: Language, me: &str, checked: &[&str], now: UtcMillis) -> Markup {
        let say = |key: &str| language.say(key);
        let movement = &self.awaited.carrying.movement;
        let value = self.value();
        let taken = self.awaited.claim.as_ref();
        html! {
            tr class=[self.place.is_urgent(now).then_some("urgent")] data-row {
                td {
                    input type="checkbox" name="m" value=(value) disabled[!self.declared]
                        checked[checked.iter().any(|id| *id == movement.id)] aria-label=(language.say_with("wb-check", &[("mark", &movement.mark)]));
                }
                td class="arrival" {
                    @if self.place.at_lane { strong class="stop" { (say("wb-at-lane")) } }
                    @else { (clock(movement.expected_arrival, now)) }
                    div class="soft" { (moment(movement.expected_arrival, now)) }
                }
                td {
                    a class="mark" href={ "/console/workbench/movements/" (movement.id) } { (self.awaited.carrying.movement.spaced_mark()) }
                    div class="soft" { (cargo::direction(language, &movement.direction)) " · " @if movement.site.is_empty() { (say("wb-any-site")) } @else { (movement.site) } }
                }
                td class="goods" { (cargo::summary(language, &self.awaited.carrying)) }
                td { (self.risk(language)) }
                td {
                    @match taken {
                        Some(claim) if claim.officer == me => { strong { (say("wb-taken-by-me")) } }
                        Some(claim) => { span class="warn" { (claim.officer) } }
                        None => { span class="soft" { "—" } }
                    }
                    @if !self.declared { div class="warn" { (terms::status(language, self.status)) } }
                }
            }
        }
    }

    fn risk(&self, language: Language) -> Markup {
        let movement = &self.awaited.carrying.movement;
        html! {
            @if let Some(said) = &self.said {
                @if let Some(code) = said.code { span class=(terms::lamp(code)) { (language.say(action(code))) } }
                @if let Some(score) = said.score { " " span class="soft" { (format!("{:.0}%", score * 100.0)) } }
            }
            @match (movement.given(), &self.said) {
                (Some(code), _) => {
                    div { span class=(terms::lamp(code)) { (language.say(action(code))) } " " span class="soft" { (movement.action_by.as_deref().unwrap_or_default()) } }
                }
                (None, _) => { span class="soft" { (language.say("wb-not-assessed")) } }
            }
        }
    }
}
