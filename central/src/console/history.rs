//! Vehicles that were decided, and who did what.

use axum::extract::State;
use clearance::mark::RegistrationMark;
use maud::{Markup, html};

use super::decide::VEHICLE;
use super::page::{Frame, page};
use super::queue::first_mark;
use super::session::{Refusal, SignedIn};
use super::terms;
use crate::officers::Deed;
use crate::state::AppState;
use crate::storage::{AuditRow, Noted, PassageRow};
use crate::words::Language;

/// Lines shown of each.
const LINES: u32 = 100;

pub(super) async fn history(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
) -> Result<Markup, Refusal> {
    officer.allow(Deed::WatchLanes, None)?;
    let passages = state.store.latest(LINES).await?;
    let audit = state.store.audit_lines(LINES).await?;
    let say = |key: &str| language.say(key);
    let content = html! {
        h1 { (say("history")) }
        table {
            thead { tr { @for head in ["time", "lane", "mark", "outcome", "reason"] { th { (say(head)) } } } }
            tbody { @for row in &passages { (passage_line(language, row)) } }
        }
        h2 { (say("audit")) }
        table {
            thead { tr { @for head in ["time", "who", "what", "subject"] { th { (say(head)) } } } }
            tbody { @for line in &audit { (audit_line(language, line)) } }
        }
    };
    let frame = Frame {
        language,
        officer: Some(&officer),
        page: "history",
        works: false,
        address: "/console/history",
    };
    Ok(page(&frame, &content))
}

fn passage_line(language: Language, row: &PassageRow) -> Markup {
    let decided = row.decision.as_ref();
    html! {
        tr {
            td { (civil(row.began)) } td { (row.lane) }
            td { a href={ "/console/queue?passage=" (row.id) } { (first_mark(row)) } }
            td { @if let Some(decision) = decided { (language.say(terms::outcome(decision.outcome))) } }
            td { @if let Some(decision) = decided { (terms::reason_told(language, decision.reason)) } }
        }
    }
}

fn audit_line(language: Language, line: &AuditRow) -> Markup {
    html! {
        tr {
            td { (civil(line.at)) } td { (terms::who(language, &line.who)) }
            td { (deed(language, &line.what)) } td class="subject" { (line.subject) }
        }
    }
}

/// What was done, with what it was done with.
fn deed(language: Language, noted: &Noted) -> String {
    let say = |key| language.say(key);
    let told = terms::noted(noted).map(say).unwrap_or_default();
    match noted {
        Noted::Foreign(text) => text.clone(),
        Noted::HandOver { to } => format!("{told} · {to}"),
        Noted::SetCapacity { per_hour } => format!("{told} · {per_hour}"),
        Noted::Assign(action)
        | Noted::AskDowngrade(action)
        | Noted::Approve(action)
        | Noted::Refuse(action) => format!("{told} · {}", say(terms::action(*action))),
        Noted::Read { plate, mark } => {
            let mark = mark.as_ref().map_or_else(|| say("unread-mark"), RegistrationMark::spaced);
            match *plate {
                VEHICLE => format!("{} · {mark}", say("vehicle-mark")),
                number => format!("{told} {} · {mark}", number + 1),
            }
        }
        Noted::Order { verdict, reason } => {
            let why = reason.map_or_else(String::new, |r| format!(" · {}", say(terms::order_reason(r))));
            format!("{told} · {}{why}", say(terms::verdict(*verdict)))
        }
        Noted::AcceptFork { epoch, reason } => format!("{told} · {} · {reason}", epoch.0),
        _ => told,
    }
}

/// Hong Kong time for people.
pub(crate) fn civil(ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(ms).ok().and_then(|t| t.in_tz("Asia/Hong_Kong").ok());
    time.map_or_else(String::new, |t| t.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use clearance::directive::ActionCode;
    use clearance::order::Verdict;

    use super::*;
    use crate::storage::OrderReason;

    #[test]
    fn a_line_says_what_was_done_with_what() {
        let english = |noted: &Noted| deed(Language::English, noted);
        let mark = Some("AB1234".parse().unwrap());
        assert_eq!(english(&Noted::Read { plate: 0, mark: mark.clone() }), "Read plate 1 · AB 1234");
        assert_eq!(english(&Noted::Read { plate: VEHICLE, mark }), "Mark of the vehicle · AB 1234");
        let reason = Some(OrderReason::SpokeToDriver);
        let order = Noted::Order { verdict: Verdict::Act(ActionCode::Release), reason };
        assert_eq!(english(&order), "Gave the lane an order · Release · Spoke to the driver");
        assert_eq!(english(&Noted::Foreign("lodge".to_owned())), "lodge");
    }
}
