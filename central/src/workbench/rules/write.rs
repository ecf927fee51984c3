//! Writing a rule: a new one, another version, or a draft once more.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::UtcMillis;
use maud::{Markup, html};
use risk::dossier::Stage;
use risk::rules::RuleDraft;

use super::form::Typed;
use super::{ADDRESS, address, problem};
use crate::console::page::{Frame, page};
use crate::console::session::{Refusal, SignedIn};
use crate::officers::Deed;
use crate::screening::rules::{self, Sight};
use crate::state::AppState;
use crate::storage::screening::RuleRow;
use crate::words::Language;
use crate::workbench::form::Fields;
use crate::workbench::operate;
use crate::workbench::told::{News, Told, problems};

/// Movements that are proposed for examples.
const PROPOSED: u32 = 20;

/// What is written over, or after.
struct Before {
    row: RuleRow,
    draft: RuleDraft,
}

impl Before {
    async fn of(state: &AppState, rule: &str, version: u32) -> Result<Self, Refusal> {
        let row = state.store.rule(rule, version).await?.ok_or(Refusal::NotFound)?;
        let draft = row.draft()?;
        Ok(Self { row, draft })
    }
}

async fn form_page(
    state: &AppState,
    officer: &SignedIn,
    language: Language,
    before: Option<&Before>,
    typed: &Typed,
    wrong: &[String],
) -> Result<Markup, Refusal> {
    let say = |key: &str| language.say(key);
    let newest = state.store.past_assessments(UtcMillis(0), (i64::MAX, ""), PROPOSED).await?;
    let ids: Vec<String> = newest.into_iter().map(|row| row.movement).collect();
    let movements: Vec<(String, String)> = state.store.marks_of(&ids).await?.into_iter().collect();
    let (back, to) = match before {
        None => (ADDRESS.to_owned(), format!("{ADDRESS}/new")),
        Some(before) => {
            let of = address(&before.row.rule, before.row.version());
            (of.clone(), format!("{of}/write"))
        }
    };
    let heading = match before {
        None => say("rule-new"),
        Some(before) if written_over(&before.row)? => {
            format!("{} · {} {}", say("rule-write-over"), before.row.rule, before.row.version())
        }
        Some(before) => format!("{} · {}", say("rule-next-version"), before.row.rule),
    };
    let content = html! {
        p { a href=(back) { "‹ " (say("rule-title")) } }
        h1 { (heading) }
        (problems(language, wrong))
        form method="post" action=(to) class="panel rule" {
            input type="hidden" name="csrf" value=(officer.csrf);
            @if let Some(before) = before { input type="hidden" name="steps" value=(before.row.steps); }
            (typed.fields(language, before.is_some(), &movements))
            div class="row" { button class="primary" { (say("rule-keep-draft")) } span class="soft" { (say("rule-keep-draft-note")) } }
        }
    };
    let frame = Frame { language, officer: Some(officer), page: "rules", works: true, address: &to };
    Ok(page(&frame, &content))
}

/// Whether what is written takes the place of this version, which nobody has approved.
pub(super) fn written_over(row: &RuleRow) -> Result<bool, Refusal> {
    Ok(matches!(row.dossier()?.stage(), Stage::Draft | Stage::Simulated))
}

pub(super) async fn begin(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
) -> Result<Markup, Refusal> {
    officer.allow(Deed::AssignAction, None)?;
    form_page(&state, &officer, language, None, &Typed::blank(), &[]).await
}

pub(super) async fn again(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Path((rule, version)): Path<(String, u32)>,
) -> Result<Markup, Refusal> {
    officer.allow(Deed::AssignAction, None)?;
    let before = Before::of(&state, &rule, version).await?;
    let typed = Typed::again(&before.draft, &state.operations.place().zone);
    form_page(&state, &officer, language, Some(&before), &typed, &[]).await
}

pub(super) async fn write(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    keep(&state, &officer, language, None, &Fields(fields)).await
}

pub(super) async fn write_over(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Path((rule, version)): Path<(String, u32)>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let before = Before::of(&state, &rule, version).await?;
    keep(&state, &officer, language, Some(before), &Fields(fields)).await
}

async fn keep(
    state: &AppState,
    officer: &SignedIn,
    language: Language,
    before: Option<Before>,
    fields: &Fields,
) -> Result<Response, Refusal> {
    officer.allow(Deed::AssignAction, Some(fields.get("csrf")))?;
    let typed = Typed::of(fields);
    let mut known = std::collections::BTreeMap::new();
    for id in typed.movements() {
        if let Some(row) = state.store.assessment(id).await? {
            known.insert(id.to_owned(), row.decision()?.facts);
        }
    }
    let facts = |base: &str| match base.strip_prefix('@') {
        Some(number) => {
            let examples = before.as_ref().map(|before| &before.draft.examples)?;
            Some(examples.get(number.parse::<usize>().ok()?)?.facts.clone())
        }
        None if base.is_empty() => Some(risk::example::facts()),
        None => known.get(base).cloned(),
    };
    let (zone, now) = (&state.operations.place().zone, state.clock.now());
    let wrong = match typed.draft(language, zone, now, facts) {
        Ok(draft) => {
            let id = draft.rule.id.clone();
            let sight = before.as_ref().map(|before| Sight {
                rule: before.row.rule.clone(),
                version: before.row.version(),
                steps: fields.get("steps").parse().unwrap_or(0),
            });
            match rules::write(&state.store, draft, sight.as_ref(), super::steps::hand(state, officer)?).await
            {
                Ok(version) => {
                    operate::tell(state);
                    let to = Told::address(&address(&id, version), News::RuleWritten, None);
                    return Ok(Redirect::to(&to).into_response());
                }
                Err(why) => vec![problem(language, &why)],
            }
        }
        Err(wrong) => wrong,
    };
    Ok(form_page(state, officer, language, before.as_ref(), &typed, &wrong).await?.into_response())
}
