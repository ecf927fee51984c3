//! Steps of a rule: simulated, approved, asked to be withdrawn, kept, withdrawn.

use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};

use super::{address, problem, show};
use crate::console::session::{Refusal, SignedIn};
use crate::officers::Deed;
use crate::screening::rules::{self, Hand, NotDone, Sight};
use crate::state::AppState;
use crate::words::Language;
use crate::workbench::decision::LONGEST_TEXT;
use crate::workbench::form::Fields;
use crate::workbench::operate;
use crate::workbench::told::{News, Told};

/// Days of past movements that can be simulated on.
pub(super) const MOST_DAYS: i64 = 90;

/// Who acts, now.
pub(super) fn hand(state: &AppState, officer: &SignedIn) -> Result<Hand, Refusal> {
    let by = officer.actor.name.parse().map_err(|_| Refusal::Failed(officer.actor.name.clone()))?;
    Ok(Hand { by, at: state.clock.now() })
}

/// What is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Simulate,
    Enforce,
    AskWithdrawal,
    Keep,
    Withdraw,
}

impl Step {
    const ALL: [Self; 5] = [Self::Simulate, Self::Enforce, Self::AskWithdrawal, Self::Keep, Self::Withdraw];

    /// As forms name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Simulate => "simulate",
            Self::Enforce => "enforce",
            Self::AskWithdrawal => "ask-withdrawal",
            Self::Keep => "keep",
            Self::Withdraw => "withdraw",
        }
    }

    fn told(self) -> News {
        match self {
            Self::Simulate => News::RuleSimulated,
            Self::Enforce => News::RuleInForce,
            Self::AskWithdrawal => News::RuleAsked,
            Self::Keep => News::RuleKept,
            Self::Withdraw => News::RuleWithdrawn,
        }
    }
}

pub(super) async fn take(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Path((rule, version)): Path<(String, u32)>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let fields = Fields(fields);
    officer.allow(Deed::AssignAction, Some(fields.get("csrf")))?;
    let named = fields.get("step");
    let step = Step::ALL.into_iter().find(|step| step.name() == named).ok_or(Refusal::NotFound)?;
    let sight = Sight { rule, version, steps: fields.get("steps").parse().unwrap_or(0) };
    match done(&state, &officer, step, &sight, &fields).await? {
        Ok(()) => {
            operate::tell(&state);
            let to = Told::address(&address(&sight.rule, version), step.told(), None);
            Ok(Redirect::to(&to).into_response())
        }
        Err(why) => {
            let shown = show::Shown {
                why: fields.get("why").to_owned(),
                problems: vec![problem(language, &why)],
                told: Told::default(),
            };
            Ok(show::rule_page(&state, &officer, language, &sight.rule, version, &shown)
                .await?
                .into_response())
        }
    }
}

async fn done(
    state: &AppState,
    officer: &SignedIn,
    step: Step,
    sight: &Sight,
    fields: &Fields,
) -> Result<Result<(), NotDone>, Refusal> {
    let (store, zone, hand) = (&state.store, &state.operations.place().zone, hand(state, officer)?);
    Ok(match step {
        Step::Simulate => {
            let days = fields.get("days").parse::<i64>().unwrap_or(30).clamp(1, MOST_DAYS);
            let since = hand.at.plus_millis(-days * 86_400_000);
            rules::simulate(store, sight, since, hand).await.map(drop)
        }
        Step::Enforce => rules::enforce(store, zone, sight, hand).await,
        Step::AskWithdrawal => {
            let why = fields.get("why").chars().filter(|c| *c != '\0').take(LONGEST_TEXT).collect();
            rules::ask_withdrawal(store, sight, Some(why), hand).await
        }
        Step::Keep => rules::ask_withdrawal(store, sight, None, hand).await,
        Step::Withdraw => rules::withdraw(store, zone, sight, hand).await,
    })
}
