//! The task that assesses movements as they are bundled and changed, and making decisions again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use clearance::ids::{Digest, UtcMillis};
use futures::{StreamExt as _, stream};
use risk::draw::{Draw, Subject};
use risk::score::explore::outdates;
use risk::{Engine, Probability};
use tokio::sync::Mutex;

use super::draw::Keys;
use super::facts::{self, Past};
use super::policy;
use super::score::Model;
use super::watch::{LEAST_SCORED, watch};
use crate::state::AppState;
use crate::storage::screening::{
    Asked, LOT, NotScreened, ScreenAllAgain, ScreenLater, ScreenTogether, Screened,
};
use crate::storage::trade::Carrying;
use crate::storage::{StorageError, Store, data};
use crate::trade::Place;

/// How often it is looked for what other centrals took in, and for another policy.
const LOOK: Duration = Duration::from_millis(200);

/// How often keys of the draw are made ahead.
const MAKE_KEYS: Duration = Duration::from_hours(1);

/// Movements that are taken from the store together.
const TOGETHER: u32 = 256;

/// Movements without a code that are asked about at the same time.
const AT_ONCE: usize = 32;

/// The part of the time that goes by without assessing again, of the time that it took: whoever lodges has the processors and the
/// writer meanwhile.
const AGAIN_PAUSE: f64 = 4.0;

/// How often it is looked whether the model that the policy wants has come.
const LOOK_FOR_MODEL: Duration = Duration::from_mins(1);

/// How often it is looked how far the model drifts.
const LOOK_FOR_DRIFT: Duration = Duration::from_mins(1);

/// How far back rules and lists are looked at that began or ended when central starts, milliseconds.
const BEFORE_MS: i64 = 16 * 86_400_000;

/// A movement that lacks something is looked at again after this, milliseconds: a notice may have come into force.
const LATER_MS: i64 = 60_000;

/// Assess whatever is to be assessed, for ever.
pub(crate) async fn screen(state: AppState, bundle: Option<PathBuf>) {
    let mut desk = Desk::new(state, bundle);
    let mut said = None;
    loop {
        let done = desk.round().await;
        let error = done.as_ref().err().map(ToString::to_string);
        if let Some(error) = &error
            && said.as_ref() != Some(error)
        {
            tracing::error!(error, "movements wait for their assessment; the lanes refer them until then");
        }
        said = error;
        if !matches!(done, Ok(1..)) {
            // Those that were bundled meanwhile are told.
            let _ = tokio::time::timeout(LOOK, desk.state.store.bundled()).await;
        } else if !desk.pause.is_zero() {
            let _ = tokio::time::timeout(desk.pause, desk.state.store.bundled()).await;
        }
    }
}

struct Desk {
    state: AppState,
    engine: Option<Arc<Engine>>,
    /// A version that could not be made ready, so that it is said once.
    refused: Option<u32>,
    /// Where the model's bundle is.
    bundle: Option<PathBuf>,
    model: Option<Arc<Model>>,
    /// By which policy, and when, it was looked for a model last.
    looked_for_model: Option<(u32, tokio::time::Instant)>,
    /// How far the model drifts, where that can be told, and when it was looked for last.
    drift: Option<Probability>,
    looked_for_drift: Option<tokio::time::Instant>,
    /// Movements that were assessed since.
    assessed: usize,
    keys: Arc<Mutex<Keys>>,
    keys_made: Option<tokio::time::Instant>,
    /// Until when it was looked for rules and entries that begin or end.
    turned: UtcMillis,
    /// Whether each is decided alone, as something failed before.
    alone: bool,
    /// How long others have everything before the next ones are assessed again.
    pause: Duration,
}

impl Desk {
    fn new(state: AppState, bundle: Option<PathBuf>) -> Self {
        let keys = Arc::new(Mutex::new(Keys::new(state.store.clone(), state.vault.clone())));
        let model = bundle.as_deref().and_then(|folder| match Model::load(folder) {
            Ok(model) => {
                tracing::info!(bundle = %folder.display(), digest = %model.digest(), "the model scores");
                Some(Arc::new(model))
            }
            Err(error) => {
                tracing::error!(%error, "no model scores; what a policy wants scored is left to officers");
                None
            }
        });
        // What began or ended while no central ran is found, too: nobody assessed meanwhile what was open then.
        let turned = state.clock.now().plus_millis(-BEFORE_MS);
        Self {
            state,
            engine: None,
            refused: None,
            bundle,
            model,
            looked_for_model: None,
            drift: None,
            looked_for_drift: None,
            assessed: 0,
            keys,
            keys_made: None,
            turned,
            alone: false,
            pause: Duration::ZERO,
        }
    }

    /// Assess some; gives how many.
    async fn round(&mut self) -> Result<usize, StorageError> {
        self.take_policy().await?;
        let Some(engine) = self.engine.clone() else { return Ok(0) };
        self.take_model(&engine).await?;
        self.watch_model(&engine).await?;
        self.make_keys().await?;
        let (store, now) = (&self.state.store, self.state.clock.now());
        let (policy, ended) = (engine.policy().version, self.state.operations.place().ended(now));
        if engine.turns_between(self.turned, now) {
            store.change(ScreenAllAgain { policy, ended }).await?;
        }
        self.turned = now;
        let mut due = store.to_screen(policy, (now, ended), TOGETHER).await?;
        // Those that have no code yet come first; however many come, some of the others go with them.
        let new = due.iter().take_while(|(_, again)| !again).count();
        due.truncate(new + LOT);
        let again = due.len() > new;
        let (found, began) = (due.len(), tokio::time::Instant::now());
        let ids: Vec<String> = due.into_iter().map(|(id, _)| id).collect();
        let (mut movements, mut unread) = (Vec::new(), None);
        for read in store.carrying_each(&ids, now).await? {
            match read {
                Ok(carrying) => movements.push(carrying),
                Err((movement, error)) => {
                    put_off(store, movement, now).await?;
                    unread = Some(error);
                }
            }
        }
        let past = Arc::new(Past::look_up(store, &movements).await?);
        let one = |carrying: Carrying| {
            let (engine, keys, state) = (Arc::clone(&engine), Arc::clone(&self.keys), self.state.clone());
            let (model, past) =
                (self.model.clone().filter(|_| engine.policy().score.is_some()), Arc::clone(&past));
            async move {
                let movement = carrying.movement.id.clone();
                let asked = ask(&state, &engine, model, &keys, &past, carrying).await;
                if asked.as_ref().is_err_and(|error| !error.is_passing()) {
                    put_off(&state.store, movement, now).await?;
                }
                asked
            }
        };
        self.assessed += movements.len();
        let asked = stream::iter(movements).map(one);
        let (desk, most) = (&*self, if self.alone { 1 } else { LOT });
        let decide = |lot| desk.decide(&engine, lot);
        // Who has no code yet waits for nobody else. Whoever has one does, so that a lot is as large as it may be, and is asked about
        // one after the other, so that a processor is left to whoever lodges.
        let all: Vec<_> = if new > 0 {
            asked.buffered(AT_ONCE).ready_chunks(most).then(decide).collect().await
        } else {
            asked.buffered(1).chunks(most).then(decide).collect().await
        };
        // So much time is others'.
        self.pause = if again { began.elapsed().mul_f64(AGAIN_PAUSE) } else { Duration::ZERO };
        let failed = all.into_iter().find_map(Result::err).or(unread);
        // One that cannot be kept must not keep the others of its lot.
        self.alone = failed.is_some();
        failed.map_or(Ok(found), Err)
    }

    /// Decide of some and keep the decisions.
    async fn decide(
        &self,
        engine: &Arc<Engine>,
        asked: Vec<Result<Option<Asked>, StorageError>>,
    ) -> Result<(), StorageError> {
        let (mut lot, mut failed) = (Vec::with_capacity(asked.len()), None);
        for one in asked {
            match one {
                Ok(asked) => lot.extend(asked),
                Err(error) => failed = Some(error),
            }
        }
        if lot.is_empty() {
            return failed.map_or(Ok(()), Err);
        }
        let (place, at) = (self.state.operations.shared_place(), self.state.clock.now());
        let drift = self.drift.filter(|_| engine.policy().explore.is_some());
        let screened = Screened { engine: Arc::clone(engine), place, drift, lot, at };
        for why in self.state.store.change(screened).await? {
            match why {
                // It is looked at again with the next ones.
                NotScreened::Changed => {}
                NotScreened::Storage(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Look whether another policy is in force. One that cannot be applied leaves the one before.
    async fn take_policy(&mut self) -> Result<(), StorageError> {
        let Some(version) = self.state.store.policy_in_force().await? else { return Ok(()) };
        let known = self.engine.as_ref().map(|engine| engine.policy().version);
        if known == Some(version) || self.refused == Some(version) {
            return Ok(());
        }
        let Some(row) = self.state.store.policy(version).await? else { return Ok(()) };
        let place = self.state.operations.place();
        let zone = &place.zone;
        match policy::ready(&self.state.store, zone, &row).await {
            Ok(engine) => {
                tracing::info!(version, digest = %engine.digest(), "the policy is in force");
                let ended = place.ended(self.state.clock.now());
                self.state.store.change(ScreenTogether { policy: version, ended }).await?;
                self.engine = Some(engine);
                self.refused = None;
            }
            Err(error) => {
                tracing::error!(version, %error, "the policy cannot be applied; the one before goes on");
                self.refused = Some(version);
            }
        }
        Ok(())
    }

    /// Load the bundle again when the policy wants another model than the one that scores. A bundle that is refused, or is another one
    /// still, leaves the one before; what the policy wants scored is left to officers meanwhile.
    async fn take_model(&mut self, engine: &Engine) -> Result<(), StorageError> {
        let policy = engine.policy();
        let Some(wanted) = policy.score.map(|score| score.model) else { return Ok(()) };
        if self.model.as_ref().is_some_and(|model| model.digest() == wanted) {
            return Ok(());
        }
        let Some(folder) = self.bundle.clone() else { return Ok(()) };
        let looked = self.looked_for_model.filter(|(version, _)| *version == policy.version);
        if looked.is_some_and(|(_, at)| at.elapsed() < LOOK_FOR_MODEL) {
            return Ok(());
        }
        self.looked_for_model = Some((policy.version, tokio::time::Instant::now()));
        let bundle = folder.display().to_string();
        match tokio::task::spawn_blocking(move || Model::load(&folder)).await.map_err(data)? {
            Ok(model) if model.digest() == wanted => {
                tracing::info!(bundle, digest = %wanted, "another model scores");
                self.model = Some(Arc::new(model));
                (self.drift, self.looked_for_drift) = (None, None);
                // What was assessed without it.
                let ended = self.state.operations.place().ended(self.state.clock.now());
                self.state.store.change(ScreenAllAgain { policy: policy.version, ended }).await?;
            }
            Ok(model) => tracing::error!(
                bundle,
                digest = %model.digest(),
                %wanted,
                "the policy wants another model than the bundle is; copy that one there, or put a policy that names this one"
            ),
            Err(error) => tracing::error!(%error, "the model that the policy wants cannot be taken"),
        }
        Ok(())
    }

    /// Look how far the model drifts that the policy wants.
    async fn watch_model(&mut self, engine: &Engine) -> Result<(), StorageError> {
        let wanted = engine.policy().score.map(|score| score.model);
        let Some(model) = self.model.as_ref().filter(|model| Some(model.digest()) == wanted) else {
            return Ok(());
        };
        // As soon as there may be enough to tell, and then from time to time.
        let enough = self.drift.is_none() && self.assessed >= LEAST_SCORED;
        if !enough && self.looked_for_drift.is_some_and(|at| at.elapsed() < LOOK_FOR_DRIFT) {
            return Ok(());
        }
        self.assessed = 0;
        let watched = watch(&self.state.store, model.digest(), &model.reference()).await?;
        let before = std::mem::replace(&mut self.drift, watched.drift());
        self.looked_for_drift = Some(tokio::time::Instant::now());
        let outdated = |drift: Option<Probability>| drift.is_some_and(|drift| outdates(drift.as_f64()));
        if outdated(self.drift) && !outdated(before) {
            tracing::warn!(
                stability = watched.stability,
                surprise = watched.surprise,
                "the model drifts: what is explored grows as the policy says; train another on what was found since"
            );
        }
        *self.state.watched.write().unwrap_or_else(PoisonError::into_inner) = Some(watched);
        Ok(())
    }

    async fn make_keys(&mut self) -> Result<(), StorageError> {
        if self.keys_made.is_some_and(|at| at.elapsed() < MAKE_KEYS) {
            return Ok(());
        }
        let now = self.state.clock.now();
        let today = self.state.operations.place().day(now);
        self.keys.lock().await.make_ahead(today, now).await?;
        self.keys_made = Some(tokio::time::Instant::now());
        Ok(())
    }
}

/// Ask about one; `None`: it lacks something and is put off.
async fn ask(
    state: &AppState,
    engine: &Arc<Engine>,
    model: Option<Arc<Model>>,
    keys: &Mutex<Keys>,
    past: &Past,
    carrying: Carrying,
) -> Result<Option<Asked>, StorageError> {
    let (store, place, now) = (&state.store, state.operations.shared_place(), state.clock.now());
    if !carrying.readiness(&place, now).declared {
        put_off(store, carrying.movement.id, now).await?;
        return Ok(None);
    }
    let seen = carrying.seen();
    let facts = facts::of(past, &place, &carrying, now)?;
    let draw = draw(engine, keys, &facts, now).await?;
    let (asking, zone) = (Arc::clone(engine), place.zone.clone());
    let asked = tokio::task::spawn_blocking(move || {
        let score = model.and_then(|model| match model.read(&facts, &zone) {
            Ok(score) => score,
            Err(error) => {
                tracing::error!(movement = %facts.movement, %error, "there is no score");
                None
            }
        });
        let reasons = asking.ask(&facts, score.as_ref());
        (facts, score, reasons)
    });
    let (facts, score, reasons) = asked.await.map_err(data)?;
    let movement = facts.movement.clone();
    Ok(Some(Asked { movement, seen, facts, score, draw, reasons }))
}

/// Look at a movement again later: others must not wait for what it lacks, or for what cannot be read of it.
async fn put_off(store: &Store, movement: String, now: UtcMillis) -> Result<(), StorageError> {
    store.change(ScreenLater { movement, after: now.plus_millis(LATER_MS) }).await
}

async fn draw(
    engine: &Engine,
    keys: &Mutex<Keys>,
    facts: &risk::Facts,
    now: UtcMillis,
) -> Result<Option<Draw>, StorageError> {
    if !engine.policy().draws() {
        return Ok(None);
    }
    keys.lock().await.draw(Subject::of(facts), now).await
}

/// What came of making decisions again.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// Those that came out the same, to the byte.
    pub same: u64,
    /// Why others did not.
    pub others: Vec<String>,
}

/// Make every decision that is kept once more.
pub async fn replay(store: &Store, place: &Place) -> Result<Replayed, StorageError> {
    let mut engines: BTreeMap<Digest, Arc<Engine>> = BTreeMap::new();
    let (mut after, mut replayed) = ((String::new(), 0), Replayed::default());
    loop {
        let rows = store.assessments_after((&after.0, after.1), TOGETHER).await?;
        let Some(last) = rows.last() else { return Ok(replayed) };
        after = (last.movement.clone(), last.number);
        for row in &rows {
            let decision = row.decision()?;
            if let Some(digest) = decision.assessment.policy
                && !engines.contains_key(&digest)
                && let Some(stored) = store.policy(row.policy as u32).await?
            {
                match policy::ready(store, &place.zone, &stored).await {
                    Ok(engine) => drop(engines.insert(digest, engine)),
                    Err(error) => replayed.others.push(format!("policy {}: {error}", row.policy)),
                }
            }
            match decision.replay(|digest| engines.get(&digest).filter(|e| e.digest() == digest).cloned()) {
                Ok(()) => replayed.same += 1,
                Err(error) => replayed.others.push(error.to_string()),
            }
        }
    }
}
