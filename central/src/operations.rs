//! What the trade and customs do with declarations: the one way in for pages, systems, spreadsheets and the telephone. Checks
//! what is asked for against the rules of the place and the policy, and leaves the rest to the store.

use std::sync::Arc;
use std::time::Duration;

use clearance::directive::{ActionCode, Window};
use clearance::ids::{MovementId, SiteId, UtcMillis};
use rand::RngExt as _;
use tokio::sync::Notify;

use crate::ccrn::Ccrn;
use crate::clock::Clock;
use crate::officers::Role;
use crate::storage::screening::code_that_follows;
use crate::storage::trade::{
    Accept, Amend, Assess, Bundle, CancelConsignment, CancelMovement, CarryOut, Carrying, Conflict,
    ConsignmentRow, ConsignmentStatus, EventRow, Find, FixSeal, HandedIn, Item, KeptSince, Lodge, LodgeMany,
    MovementRow, NotCarriedOut, Notice, Once, OnceKey, Page, Position, PublishNotice, PutOff,
    RecordInspection, Refused, Rehearse, ReportSeal, RequestRow, Revise, Revision, Withdraw,
};
use crate::storage::workbench::Decided;
use crate::storage::{Noted, Store};
use crate::trade::batch::Row;
use crate::trade::movement::{Inspection, MOST_CONSIGNMENTS};
use crate::trade::news::{Doer, SealState};
use crate::trade::policy::{Act, Relation, customs_may, trade_may};
use crate::trade::rehearsal::{NextStep, next_step};
use crate::trade::{
    Caller, Consignment, Direction, Fault, Faulty, Load, MovementStatus, Place, TraderId, Vehicle,
};

/// As many consignments as one request hands in together.
pub const MOST_ITEMS: usize = 10_000;

/// How often what other centrals took in is looked for.
const ELSEWHERE: Duration = Duration::from_secs(2);

/// Who plays customs where the trade is in training.
const REHEARSAL: &str = "training";

/// A vehicle to be bundled, as it was checked.
#[derive(Clone, Debug)]
pub struct Bundling {
    /// The vehicle.
    pub vehicle: Vehicle,
    /// None: whichever control point it comes to.
    pub site: Option<SiteId>,
    /// When it is expected there.
    pub expected_arrival: UtcMillis,
    /// What it carries.
    pub load: Load,
    /// Which way an empty vehicle goes; consignments have their own.
    pub direction: Option<Direction>,
    /// Its consignments.
    pub ccrns: Vec<Ccrn>,
}

/// The operations.
#[derive(Clone)]
pub struct Operations {
    store: Store,
    clock: Clock,
    place: Arc<Place>,
    sites: Arc<[SiteId]>,
    handed_in: Arc<Notify>,
}

impl Operations {
    /// Operations over a store.
    pub fn new(store: Store, clock: Clock, place: Arc<Place>, sites: Arc<[SiteId]>) -> Self {
        Self { store, clock, place, sites, handed_in: Arc::default() }
    }

    /// The rules of the place.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The same, to keep.
    pub(crate) fn shared_place(&self) -> Arc<Place> {
        Arc::clone(&self.place)
    }

    /// The control points served.
    pub fn sites(&self) -> &[SiteId] {
        &self.sites
    }

    /// Now.
    pub fn now(&self) -> UtcMillis {
        self.clock.now()
    }

    /// What is wrong with a consignment's items, were it lodged now.
    pub fn faults(&self, consignment: &Consignment) -> Vec<Faulty> {
        consignment.faults(self.place.lodging(self.now()))
    }

    /// Lodge a consignment; gives its number.
    pub async fn lodge(&self, caller: &Caller, consignment: Consignment) -> Result<Ccrn, Refused> {
        self.lodge_once(caller, consignment, None).await
    }

    /// Lodge a consignment, once for its key.
    pub async fn lodge_once(
        &self,
        caller: &Caller,
        consignment: Consignment,
        key: Option<OnceKey>,
    ) -> Result<Ccrn, Refused> {
        if let Some(ccrn) = self.store.replayed(key.as_ref()).await? {
            return Ok(ccrn);
        }
        no_faults(self.faults(&consignment))?;
        let at = self.now();
        let change = Lodge { caller: caller.clone(), ccrn: fresh(), consignment, at };
        self.store.change(Once { key, change, at }).await
    }

    /// Take in many consignments, each as it is to be lodged or with what is wrong with it already; gives the request's id. They
    /// are durable now, and lodged one part after the other ([`carry_out`](Self::carry_out)).
    pub async fn accept(
        &self,
        caller: &Caller,
        items: Vec<Item>,
        key: Option<OnceKey>,
    ) -> Result<String, Refused> {
        let checked = |item: Item| {
            item.and_then(|consignment| {
                let faults = self.faults(&consignment);
                if faults.is_empty() { Ok(consignment) } else { Err(faults) }
            })
        };
        self.take_in(caller, items.into_iter().map(|item| checked(item).into()), key).await
    }

    /// The same of a file; what comes of each is told with the row where it stands.
    pub async fn accept_rows(
        &self,
        caller: &Caller,
        rows: &[Row],
        key: Option<OnceKey>,
    ) -> Result<String, Refused> {
        let item = |row: &Row| HandedIn {
            origin: Some(row.origin.clone()),
            item: row.checked(|consignment| self.faults(consignment)),
        };
        self.take_in(caller, rows.iter().map(item), key).await
    }

    /// `items` are checked as they are taken, which they are not when the request was carried out before or is too long.
    async fn take_in(
        &self,
        caller: &Caller,
        items: impl ExactSizeIterator<Item = HandedIn> + Send,
        key: Option<OnceKey>,
    ) -> Result<String, Refused> {
        if let Some(id) = self.store.replayed(key.as_ref()).await? {
            return Ok(id);
        }
        if !(1..=MOST_ITEMS).contains(&items.len()) {
            return Err(Refused::fault("", Fault::TooMany { most: MOST_ITEMS }));
        }
        let (at, id) = (self.now(), format!("r-{}", uuid::Uuid::now_v7().simple()));
        let change = Accept { caller: caller.clone(), id, items: items.collect(), at };
        let id = self.store.change(Once { key, change, at }).await?;
        self.handed_in.notify_one();
        Ok(id)
    }

    /// A company's request, and what came of its consignments.
    pub async fn request(&self, caller: &Caller, id: &str) -> Result<RequestRow, Refused> {
        self.store.request(&caller.trader, id).await?.ok_or(Refused::NotFound("request"))
    }

    /// Lodge whatever was taken in, a part of each company in turn, until nothing is left that can be lodged now.
    pub async fn carry_out(&self) -> Result<(), Refused> {
        loop {
            let at = self.now();
            match self.store.change(CarryOut { number: fresh, at }).await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(NotCarriedOut::Storage(error)) => return Err(error.into()),
                Err(NotCarriedOut::Part { part, why }) => {
                    tracing::error!(?part, %why, "what was handed in together cannot be lodged");
                    let set_aside = self.store.change(PutOff { part, why: why.to_string(), at }).await?;
                    tracing::warn!(set_aside, "others go on");
                }
            }
        }
    }

    /// Wait until something is taken in, here or by another central.
    pub async fn handed_in(&self) {
        let _ = tokio::time::timeout(ELSEWHERE, self.handed_in.notified()).await;
    }

    /// A company's news after a place in its feed.
    pub async fn news(&self, caller: &Caller, after: i64, most: u32) -> Result<Vec<EventRow>, Refused> {
        Ok(self.store.news(&caller.trader, after, most).await?)
    }

    /// Lodge many consignments that were checked ([`faults`](Self::faults)), all or none; gives their numbers in order.
    pub async fn lodge_many(
        &self,
        caller: &Caller,
        consignments: Vec<Consignment>,
    ) -> Result<Vec<Ccrn>, Refused> {
        let consignments: Vec<_> = consignments.into_iter().map(|c| (fresh(), c)).collect();
        let ccrns = consignments.iter().map(|(ccrn, _)| ccrn.clone()).collect();
        let change = LodgeMany { caller: caller.clone(), consignments, at: self.now() };
        self.store.change(change).await?;
        Ok(ccrns)
    }

    /// Amend a consignment, bundled or not; gives its version. `seen`: the version that the caller has seen.
    pub async fn amend(
        &self,
        caller: &Caller,
        ccrn: &Ccrn,
        consignment: Consignment,
        seen: Option<u32>,
    ) -> Result<u32, Refused> {
        no_faults(self.faults(&consignment))?;
        let (caller, ccrn) = (caller.clone(), ccrn.clone());
        self.store.change(Amend { caller, ccrn, consignment, seen, at: self.now() }).await
    }

    /// Take a consignment back.
    pub async fn cancel_consignment(
        &self,
        caller: &Caller,
        ccrn: &Ccrn,
        seen: Option<u32>,
    ) -> Result<(), Refused> {
        let (caller, ccrn) = (caller.clone(), ccrn.clone());
        self.store.change(CancelConsignment { caller, ccrn, seen, at: self.now() }).await
    }

    /// A consignment that the caller has lodged.
    pub async fn consignment(&self, caller: &Caller, ccrn: &Ccrn) -> Result<ConsignmentRow, Refused> {
        let row = self.store.consignment(ccrn).await?.ok_or(Refused::NotFound("consignment"))?;
        let relation =
            if row.trader == caller.trader.as_str() { Relation::Shipper } else { Relation::Stranger };
        if trade_may(Act::SeeConsignment, relation) { Ok(row) } else { Err(Refused::NotFound("consignment")) }
    }

    /// The caller's consignments, latest first.
    pub async fn consignments(&self, caller: &Caller, find: &Find) -> Result<Vec<ConsignmentRow>, Refused> {
        Ok(self.store.find_consignments(&caller.trader, find).await?)
    }

    /// The caller's consignments that stand somewhere, latest first.
    pub async fn consignments_at(
        &self,
        caller: &Caller,
        status: ConsignmentStatus,
        before: Option<Position>,
        most: u32,
    ) -> Result<Page<ConsignmentRow>, Refused> {
        Ok(self.store.consignments_at(&caller.trader, status, before, most).await?)
    }

    /// The caller's movements that stand somewhere, by expected arrival, latest first.
    pub async fn movements_at(
        &self,
        caller: &Caller,
        status: MovementStatus,
        before: Option<Position>,
        most: u32,
    ) -> Result<Page<MovementRow>, Refused> {
        let now = (self.place(), self.now());
        Ok(self.store.movements_at(&caller.trader, status, before, most, now).await?)
    }

    /// Bundle consignments with a vehicle, or declare it empty.
    pub async fn bundle(&self, caller: &Caller, bundling: Bundling) -> Result<MovementId, Refused> {
        self.bundle_once(caller, bundling, None).await
    }

    /// Bundle, once for a key.
    pub async fn bundle_once(
        &self,
        caller: &Caller,
        bundling: Bundling,
        key: Option<OnceKey>,
    ) -> Result<MovementId, Refused> {
        if let Some(movement) = self.store.replayed(key.as_ref()).await? {
            return Ok(movement);
        }
        let change = self.bundling(caller, bundling)?;
        let at = change.at;
        self.store.change(Once { key, change, at }).await
    }

    fn bundling(&self, caller: &Caller, bundling: Bundling) -> Result<Bundle, Refused> {
        no_faults(self.bundling_faults(&bundling))?;
        let id = format!("m-{}", uuid::Uuid::now_v7().simple());
        Ok(Bundle {
            caller: caller.clone(),
            id: id.parse().map_err(|_| Refused::NotFound("movement"))?,
            vehicle: bundling.vehicle,
            site: bundling.site,
            expected_arrival: bundling.expected_arrival,
            load: bundling.load,
            direction: bundling.direction,
            ccrns: bundling.ccrns,
            at: self.now(),
        })
    }

    fn bundling_faults(&self, bundling: &Bundling) -> Vec<Faulty> {
        let mut faults = self.load_faults(&bundling.load);
        if bundling.ccrns.is_empty() == (bundling.load == Load::Consignments) {
            faults.push(Faulty::at("/ccrns", Fault::Load));
        }
        if bundling.ccrns.len() > MOST_CONSIGNMENTS {
            faults.push(Faulty::at("/ccrns", Fault::TooMany { most: MOST_CONSIGNMENTS }));
        }
        faults.extend(self.site_fault(bundling.site.as_ref()));
        faults.extend(self.arrival_fault(bundling.expected_arrival));
        faults
    }

    fn load_faults(&self, load: &Load) -> Vec<Faulty> {
        let Load::Exempt(code) = load else { return Vec::new() };
        let known: Vec<_> = self.place.exemptions(self.now()).map(|e| e.code.as_str()).collect();
        if known.contains(&code.as_str()) {
            return Vec::new();
        }
        vec![Faulty::at("/exemption", Fault::Unknown { known: known.join(", ") })]
    }

    fn site_fault(&self, site: Option<&SiteId>) -> Option<Faulty> {
        let known = site.is_none_or(|site| self.sites.contains(site));
        (!known).then(|| Faulty::at("/site", Fault::Site))
    }

    fn arrival_fault(&self, at: UtcMillis) -> Option<Faulty> {
        let lodging = self.place.lodging(self.now());
        let day = self.place.day(at);
        let last = lodging.today.saturating_add(jiff::Span::new().days(i64::from(lodging.days_ahead)));
        let fault = match day {
            day if day < lodging.today => Fault::InThePast,
            day if day > last => Fault::TooFarAhead { days: lodging.days_ahead },
            _ => return None,
        };
        Some(Faulty::at("/expected_arrival", fault))
    }

    /// Change a movement in one step: swap the vehicle, unbundle, add, move; gives its version.
    pub async fn revise(
        &self,
        caller: &Caller,
        movement: &MovementId,
        revision: Revision,
        seen: Option<u32>,
    ) -> Result<u32, Refused> {
        let mut faults = revision.load.as_ref().map(|load| self.load_faults(load)).unwrap_or_default();
        faults.extend(self.site_fault(revision.site.as_ref().and_then(Option::as_ref)));
        faults.extend(revision.expected_arrival.and_then(|at| self.arrival_fault(at)));
        if revision.add.len() > MOST_CONSIGNMENTS {
            faults.push(Faulty::at("/add", Fault::TooMany { most: MOST_CONSIGNMENTS }));
        }
        no_faults(faults)?;
        let (caller, movement) = (caller.clone(), movement.clone());
        self.store.change(Revise { caller, movement, revision, seen, at: self.now() }).await
    }

    /// Take a movement back.
    pub async fn cancel_movement(
        &self,
        caller: &Caller,
        movement: &MovementId,
        seen: Option<u32>,
    ) -> Result<(), Refused> {
        let (caller, movement) = (caller.clone(), movement.clone());
        self.store.change(CancelMovement { caller, movement, seen, at: self.now() }).await
    }

    /// A movement that is the caller's, or carries one of their consignments.
    pub async fn movement(&self, caller: &Caller, id: &str) -> Result<Carrying, Refused> {
        let carrying = self.store.carrying(id, self.now()).await?.ok_or(Refused::NotFound("movement"))?;
        let relation = relation(&carrying, &caller.trader);
        if trade_may(Act::SeeMovement, relation) { Ok(carrying) } else { Err(Refused::NotFound("movement")) }
    }

    /// The caller's movements, by expected arrival, latest first.
    pub async fn movements(&self, caller: &Caller, find: &Find) -> Result<Vec<MovementRow>, Refused> {
        Ok(self.store.find_movements(&caller.trader, find).await?)
    }

    /// Customs gives a movement its action code. It serves from the earliest moment at which the vehicle may cross, unless
    /// `window` says otherwise. A less strict one than screening's or the one before waits until an officer has agreed, and serves from
    /// the earliest moment then.
    pub async fn assess(
        &self,
        id: &MovementId,
        action: ActionCode,
        window: Option<Window>,
        reason: &str,
        by: &str,
    ) -> Result<Decided, Refused> {
        let now = self.now();
        let carrying = self.store.carrying(id.as_str(), now).await?.ok_or(Refused::NotFound("movement"))?;
        let readiness = carrying.readiness(&self.place, now);
        if !readiness.declared {
            return Err(Refused::Standing(Conflict::NotDeclared));
        }
        if carrying.movement.is_over() {
            return Err(Refused::Standing(Conflict::Closed));
        }
        let until = carrying.movement.expires(&self.place, now);
        let (earliest, seen) = (readiness.earliest, carrying.seen());
        let window = window.unwrap_or(Window { from: earliest, until });
        let said = self.store.assessment(id.as_str()).await?.map(|row| row.decision()).transpose()?;
        let engine = said.and_then(|decision| code_that_follows(&decision.assessment));
        let (movement, reason, by) = (id.clone(), reason.to_owned(), by.to_owned());
        self.store
            .change(Assess { movement, seen, action, engine, window, earliest, reason, by, at: now })
            .await
    }

    /// Take away what the rules of the place keep no longer.
    pub async fn roll_off(&self) -> Result<u64, Refused> {
        let now = self.now();
        let since = |days: u32| now.plus_millis(-i64::from(days) * 86_400_000);
        let kept = KeptSince {
            declarations: since(self.place.retention_days),
            decisions: since(self.place.decision_retention_days),
        };
        Ok(self.store.roll_off(kept, now).await?)
    }

    /// Take every crossing of a sandbox one step further, as far as its time has come.
    pub async fn rehearse(&self) -> Result<(), Refused> {
        let now = self.now();
        for (movement, mark, crossing) in self.store.rehearsals(now).await? {
            let done = match next_step(&crossing, &mark, now) {
                Some(NextStep::Assess(code)) => {
                    self.assess(&movement, code, None, "training", REHEARSAL).await.map(drop)
                }
                Some(step) => self.store.change(Rehearse { movement, step, at: now }).await,
                None => continue,
            };
            match done {
                // Not declared yet, or changed meanwhile.
                Ok(()) | Err(Refused::Standing(_) | Refused::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Customs takes an action code back.
    pub async fn withdraw(&self, id: &MovementId, by: &str) -> Result<(), Refused> {
        self.store.change(Withdraw { movement: id.clone(), by: by.to_owned(), at: self.now() }).await
    }

    /// Customs notes what an inspection gave.
    pub async fn record_inspection(
        &self,
        id: &MovementId,
        result: Inspection,
        by: &str,
    ) -> Result<(), Refused> {
        let (movement, by) = (id.clone(), by.to_owned());
        self.store.change(RecordInspection { movement, result, by, at: self.now() }).await
    }

    /// Customs seals a consignment; `inspected_at`: where it was inspected, if it was.
    pub async fn fix_seal(
        &self,
        ccrn: &Ccrn,
        seal: &str,
        inspected_at: Option<SiteId>,
        by: &str,
    ) -> Result<(), Refused> {
        let (ccrn, seal, by) = (ccrn.clone(), seal.to_owned(), by.to_owned());
        self.store.change(FixSeal { ccrn, seal, inspected_at, by, at: self.now() }).await
    }

    /// Customs reports how a seal is.
    pub async fn report_seal(
        &self,
        ccrn: &Ccrn,
        seal: &str,
        state: SealState,
        by: &str,
    ) -> Result<(), Refused> {
        self.note_seal(ccrn, seal, state, by, Doer::authority()).await
    }

    async fn note_seal(
        &self,
        ccrn: &Ccrn,
        seal: &str,
        state: SealState,
        who: &str,
        by: Doer,
    ) -> Result<(), Refused> {
        let (ccrn, seal, who) = (ccrn.clone(), seal.to_owned(), who.to_owned());
        self.store.change(ReportSeal { ccrn, seal, state, who, by, at: self.now() }).await
    }

    /// A company reports how the seal of a consignment is that it has lodged or carries.
    pub async fn report_own_seal(
        &self,
        caller: &Caller,
        ccrn: &Ccrn,
        seal: &str,
        state: SealState,
    ) -> Result<(), Refused> {
        let unknown = || Refused::NotFound("consignment");
        let row = self.store.consignment(ccrn).await?.ok_or_else(unknown)?;
        let relation = match &row.movement {
            _ if row.trader == caller.trader.as_str() => Relation::Shipper,
            Some(movement) => {
                let carrying = self.store.carrying(movement, self.now()).await?;
                carrying.map_or(Relation::Stranger, |carrying| relation(&carrying, &caller.trader))
            }
            None => Relation::Stranger,
        };
        if !trade_may(Act::ReportSeal, relation) {
            return Err(unknown());
        }
        self.note_seal(ccrn, seal, state, &caller.who, Doer::of(caller)).await
    }

    /// Somebody of customs looks at a movement with its code and whoever gave it; the audit says so.
    pub async fn look_at_risk(&self, role: Role, who: &str, id: &str) -> Result<Carrying, Refused> {
        let now = self.now();
        let unknown = || Refused::NotFound("movement");
        if !customs_may(Act::SeeMovement, role) {
            return Err(unknown());
        }
        let carrying = self.store.carrying(id, now).await?.ok_or_else(unknown)?;
        self.store.audit(now, who, &Noted::LookAtRisk, id).await?;
        Ok(carrying)
    }

    /// Customs publishes a contingency notice.
    pub async fn publish_notice(&self, notice: Notice, by: &str) -> Result<(), Refused> {
        let mut faults: Vec<Faulty> = self.site_fault(notice.site.as_ref()).into_iter().collect();
        if notice.reference.trim().is_empty() {
            faults.push(Faulty::at("/reference", Fault::Required));
        }
        if notice.ends <= notice.begins {
            faults.push(Faulty::at("/ends", Fault::InThePast));
        }
        no_faults(faults)?;
        self.store.change(PublishNotice { notice, by: by.to_owned(), at: self.now() }).await
    }
}

/// How a company stands to a movement.
pub fn relation(carrying: &Carrying, trader: &TraderId) -> Relation {
    if carrying.movement.trader == trader.as_str() {
        Relation::Carrier
    } else if carrying.consignments.iter().any(|row| row.trader == trader.as_str()) {
        Relation::Shipper
    } else {
        Relation::Stranger
    }
}

fn no_faults(faults: Vec<Faulty>) -> Result<(), Refused> {
    if faults.is_empty() { Ok(()) } else { Err(Refused::Faults(faults)) }
}

/// A number that nobody can guess from another: 62 random bits. Two alike in a billion billion are refused by the store.
fn fresh() -> Ccrn {
    loop {
        if let Some(ccrn) = Ccrn::from_number(rand::rng().random_range(0..36u64.pow(12))) {
            return ccrn;
        }
    }
}
