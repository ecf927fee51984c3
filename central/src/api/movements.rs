//! Movements: consignments bundled with a vehicle, or an empty one; and a company's vehicles.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use clearance::ids::MovementId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::caller;
use super::body::{Asked, Body, Named, etag, seen, time};
use super::consignments::{AtVersion, Wanted, next, status};
use super::problem::Problem;
use crate::ccrn::Ccrn;
use crate::officers::Actor;
use crate::operations::Bundling;
use crate::state::AppState;
use crate::storage::trade::{Carrying, EventRow, Revision, position};
use crate::trade::news::Report;
use crate::trade::readiness::Readiness;
use crate::trade::{Direction, Fault, Faulty, Load, MovementStatus, Vehicle};

/// Consignments that travel with a vehicle.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BundleRequest {
    /// At least one; none for an empty truck with `empty`.
    #[serde(default)]
    #[schema(max_items = 500)]
    ccrns: Vec<String>,
    /// The truck carries nothing.
    #[serde(default)]
    empty: bool,
    /// The truck carries only what the place exempts: the exemption's code.
    #[serde(default)]
    exemption: Option<String>,
    /// Hong Kong mark.
    mark: String,
    /// Mainland mark, where the vehicle has one.
    #[serde(default)]
    mainland_mark: Option<String>,
    /// Registration marks of trailers.
    #[serde(default)]
    trailers: Vec<String>,
    /// Control point; left out: whichever the vehicle comes to.
    #[serde(default)]
    site: Option<String>,
    /// Which way an empty vehicle goes; consignments have their own.
    #[serde(default)]
    direction: Option<Direction>,
    /// Expected arrival, RFC 3339, such as `2026-11-24T14:30:00+08:00`.
    #[schema(format = DateTime)]
    expected_arrival: String,
}

/// What bundling gives back.
#[derive(Serialize, ToSchema)]
pub(super) struct Bundled {
    /// Movement id.
    movement: String,
}

/// What is to be different about a movement. What is left out stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReviseRequest {
    /// Another vehicle's Hong Kong mark; its mainland mark and trailers are those given beside it.
    mark: Option<String>,
    /// The other vehicle's mainland mark.
    mainland_mark: Option<String>,
    /// The other vehicle's trailers.
    #[serde(default)]
    trailers: Vec<String>,
    /// Another control point.
    site: Option<String>,
    /// No control point in particular: whichever the vehicle comes to.
    #[serde(default)]
    any_site: bool,
    /// Another expected arrival, RFC 3339.
    #[schema(format = DateTime)]
    expected_arrival: Option<String>,
    /// `true`: the truck carries nothing now; `false`: it carries consignments.
    empty: Option<bool>,
    /// The truck carries only what the place exempts: the exemption's code.
    exemption: Option<String>,
    /// CCRNs to take on.
    #[serde(default)]
    #[schema(max_items = 500)]
    add: Vec<String>,
    /// CCRNs to leave.
    #[serde(default)]
    #[schema(max_items = 500)]
    remove: Vec<String>,
}

/// Reads the items of a request, and notes what is wrong.
#[derive(Default)]
struct Reading(Vec<Faulty>);

impl Reading {
    fn note<T>(&mut self, pointer: impl Into<String>, read: Result<T, Fault>) -> Option<T> {
        read.map_err(|fault| self.0.push(Faulty::at(pointer, fault))).ok()
    }

    fn vehicle(&mut self, mark: &str, mainland: Option<&str>, trailers: &[String]) -> Option<Vehicle> {
        Vehicle::parse(mark, mainland, trailers).map_err(|wrong| self.0.extend(wrong)).ok()
    }

    fn ccrns(&mut self, name: &str, texts: &[String]) -> Vec<Ccrn> {
        let read = |(i, text): (usize, &String)| {
            self.note(format!("/{name}/{i}"), text.parse().map_err(|_| Fault::Ccrn))
        };
        texts.iter().enumerate().filter_map(read).collect()
    }

    fn done<T>(self, read: Option<T>) -> Result<T, Vec<Faulty>> {
        match read {
            Some(read) if self.0.is_empty() => Ok(read),
            _ => Err(self.0),
        }
    }
}

impl BundleRequest {
    /// Read what was written.
    pub(super) fn check(self) -> Result<Bundling, Vec<Faulty>> {
        let mut reading = Reading::default();
        let vehicle = reading.vehicle(&self.mark, self.mainland_mark.as_deref(), &self.trailers);
        let site = self.site.map(|site| reading.note("/site", site.parse().map_err(|_| Fault::Site)));
        let arrival = reading.note("/expected_arrival", time(&self.expected_arrival));
        let ccrns = reading.ccrns("ccrns", &self.ccrns);
        let load = match (self.empty, self.exemption) {
            (false, None) => Ok(Load::Consignments),
            (true, None) => Ok(Load::Empty),
            (false, Some(code)) => Ok(Load::Exempt(code)),
            (true, Some(_)) => Err(Fault::Load),
        };
        let load = reading.note("/exemption", load);
        let direction = self.direction;
        let read = vehicle.zip(arrival).zip(load).map(|((vehicle, expected_arrival), load)| Bundling {
            vehicle,
            site: site.flatten(),
            expected_arrival,
            load,
            direction,
            ccrns,
        });
        reading.done(read)
    }
}

impl ReviseRequest {
    /// Read what was written.
    pub(super) fn check(self) -> Result<Revision, Vec<Faulty>> {
        let mut reading = Reading::default();
        let vehicle = match &self.mark {
            Some(mark) => reading.vehicle(mark, self.mainland_mark.as_deref(), &self.trailers),
            None if self.mainland_mark.is_some() || !self.trailers.is_empty() => {
                reading.note("/mark", Err(Fault::Required))
            }
            None => None,
        };
        let site = match (self.site, self.any_site) {
            (Some(_), true) => reading.note("/any_site", Err(Fault::Site)),
            (Some(site), false) => reading.note("/site", site.parse().map(Some).map_err(|_| Fault::Site)),
            (None, any) => any.then_some(None),
        };
        let arrival = self.expected_arrival.as_deref();
        let expected_arrival = arrival.and_then(|text| reading.note("/expected_arrival", time(text)));
        let load = match (self.empty, self.exemption) {
            (None | Some(false), Some(code)) => Some(Load::Exempt(code)),
            (Some(true), Some(_)) => reading.note("/exemption", Err(Fault::Load)),
            (Some(true), None) => Some(Load::Empty),
            (Some(false), None) => Some(Load::Consignments),
            (None, None) => None,
        };
        let (add, remove) = (reading.ccrns("add", &self.add), reading.ccrns("remove", &self.remove));
        reading.done(Some(Revision { vehicle, site, expected_arrival, load, add, remove }))
    }
}

/// A vehicle.
#[derive(Serialize, ToSchema)]
pub(super) struct VehicleView {
    /// Hong Kong mark.
    mark: String,
    /// Mainland mark.
    mainland_mark: Option<String>,
    /// Marks of trailers.
    trailers: Vec<String>,
}

impl From<Vehicle> for VehicleView {
    fn from(vehicle: Vehicle) -> Self {
        Self {
            mark: vehicle.mark.to_string(),
            mainland_mark: vehicle.mainland_mark.map(|mark| mark.to_string()),
            trailers: vehicle.trailers.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A movement as it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct MovementView {
    /// Its id.
    id: String,
    /// Its version; its `ETag`.
    version: u32,
    /// Control point; none: whichever the vehicle comes to.
    site: Option<String>,
    /// The vehicle.
    vehicle: VehicleView,
    /// Whether it carries nothing.
    empty: bool,
    /// The exemption that it goes by.
    #[serde(skip_serializing_if = "Option::is_none")]
    exemption: Option<String>,
    /// Expected arrival, milliseconds since 1970.
    expected_arrival: i64,
    /// What it carries.
    ccrns: Vec<String>,
    /// Where it stands.
    status: MovementStatus,
    /// Where the driver reports, once the lane has shown it.
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Report>,
    /// What is missing, from whom, and from when it may cross.
    readiness: Readiness,
    /// Its action code. Customs only.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    /// Who gave it. Customs only.
    #[serde(skip_serializing_if = "Option::is_none")]
    action_by: Option<String>,
    /// When, milliseconds since 1970. Customs only.
    #[serde(skip_serializing_if = "Option::is_none")]
    action_at: Option<i64>,
}

fn view(state: &AppState, carrying: &Carrying, sees_code: bool) -> Result<MovementView, Problem> {
    let (place, now, row) = (state.operations.place(), state.operations.now(), &carrying.movement);
    let seen = |sees: bool, text: &Option<String>| text.clone().filter(|_| sees);
    Ok(MovementView {
        id: row.id.clone(),
        version: row.version(),
        site: row.site().map(|site| site.to_string()),
        vehicle: row.vehicle()?.into(),
        empty: row.load() == Load::Empty,
        exemption: if let Load::Exempt(code) = row.load() { Some(code) } else { None },
        expected_arrival: row.expected_arrival,
        ccrns: carrying.consignments.iter().map(|c| c.ccrn.to_string()).collect(),
        status: carrying.status(place, now),
        report: row.signalled().map(crate::trade::movement::Signalled::report),
        readiness: carrying.readiness(place, now),
        action: seen(sees_code, &row.action),
        action_by: seen(sees_code, &row.action_by),
        action_at: row.action_at.filter(|_| sees_code),
    })
}

/// A movement in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct MovementLine {
    /// Its id.
    id: String,
    /// Its version.
    version: u32,
    /// Control point; none: whichever the vehicle comes to.
    site: Option<String>,
    /// The vehicle.
    vehicle: VehicleView,
    /// Expected arrival, milliseconds since 1970.
    expected_arrival: i64,
}

/// Some of a company's movements.
#[derive(Serialize, ToSchema)]
pub(super) struct MovementPage {
    /// By expected arrival, latest first.
    items: Vec<MovementLine>,
    /// What to give as `before` for those after these; none: there are no more.
    next: Option<String>,
}

/// Read an id that stands in an address.
pub(super) fn movement_id(id: &str) -> Result<MovementId, Problem> {
    id.parse().map_err(|_| Problem::not_found("movement"))
}

/// Bundle consignments with a vehicle, or declare an empty truck
#[utoipa::path(post, path = "/api/v1/bundles", request_body = BundleRequest, tag = "movements",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 200)),
    responses((status = 201, body = Bundled), (status = 409, response = Problem), (status = 422, response = Problem)))]
pub(super) async fn bundle(
    State(state): State<AppState>,
    actor: Actor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (caller, once) = (body.caller(&actor)?, body.once(&headers, &actor)?);
    let bundling = body.parse::<BundleRequest>()?.check().map_err(Problem::faults)?;
    let movement = state.operations.bundle_once(&caller, bundling, once).await?;
    Ok((StatusCode::CREATED, Json(Bundled { movement: movement.to_string() })).into_response())
}

/// List movements, or those of a vehicle
#[utoipa::path(get, path = "/api/v1/movements", params(Wanted), tag = "movements",
    responses((status = 200, body = MovementPage), (status = 422, response = Problem)))]
pub(super) async fn list(
    State(state): State<AppState>,
    actor: Actor,
    Asked(search): Asked<Wanted>,
) -> Result<Json<MovementPage>, Problem> {
    let status = status(search.status.as_deref(), &MovementStatus::ALL, MovementStatus::name)?;
    let (caller, find) = (caller(&actor)?, search.find()?);
    let (rows, next) = if let Some(status) = status {
        let page = state.operations.movements_at(&caller, status, find.before, find.most).await?;
        (page.items, page.next.as_ref().map(position))
    } else {
        let rows = state.operations.movements(&caller, &find).await?;
        let next = next(&find, &rows, |row| (row.expected_arrival, row.id.clone()));
        (rows, next)
    };
    let line = |row: crate::storage::trade::MovementRow| {
        Ok(MovementLine {
            version: row.version(),
            site: row.site().map(|site| site.to_string()),
            vehicle: row.vehicle()?.into(),
            expected_arrival: row.expected_arrival,
            id: row.id,
        })
    };
    Ok(Json(MovementPage { items: rows.into_iter().map(line).collect::<Result<_, Problem>>()?, next }))
}

/// Look at a movement
#[utoipa::path(get, path = "/api/v1/movements/{id}", params(("id" = String, Path)), tag = "movements",
    responses((status = 200, body = MovementView, headers(("ETag" = String))), (status = 404, response = Problem)))]
pub(super) async fn look(
    State(state): State<AppState>,
    actor: Actor,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let (carrying, sees_code) = if actor.trader.is_some() {
        (state.operations.movement(&caller(&actor)?, &id).await?, false)
    } else {
        (state.operations.look_at_risk(actor.role, &actor.name, &id).await?, true)
    };
    let view = view(&state, &carrying, sees_code)?;
    Ok((etag(view.version), Json(view)).into_response())
}

/// Change a movement in one step: swap the truck, unbundle, add, move
#[utoipa::path(patch, path = "/api/v1/movements/{id}", request_body = ReviseRequest, tag = "movements",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = AtVersion, headers(("ETag" = String))), (status = 404, response = Problem), (status = 409, response = Problem),
        (status = 412, response = Problem), (status = 422, response = Problem), (status = 428, response = Problem)))]
pub(super) async fn revise(
    State(state): State<AppState>,
    actor: Actor,
    Named(id): Named<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (caller, id, seen) = (body.caller(&actor)?, movement_id(&id)?, seen(&headers)?);
    let revision = body.parse::<ReviseRequest>()?.check().map_err(Problem::faults)?;
    let version = state.operations.revise(&caller, &id, revision, seen).await?;
    Ok((etag(version), Json(AtVersion { version })).into_response())
}

/// Take a movement back
#[utoipa::path(delete, path = "/api/v1/movements/{id}", tag = "movements",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 204), (status = 404, response = Problem), (status = 409, response = Problem), (status = 412, response = Problem),
        (status = 428, response = Problem)))]
pub(super) async fn cancel(
    State(state): State<AppState>,
    actor: Actor,
    Named(id): Named<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let (caller, id, seen) = (caller(&actor)?, movement_id(&id)?, seen(&headers)?);
    state.operations.cancel_movement(&caller, &id, seen).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What happened to a movement.
#[derive(Serialize, ToSchema)]
pub(super) struct MovementHistory {
    /// News about it, latest first.
    events: Vec<EventRow>,
}

/// What happened to a movement
#[utoipa::path(get, path = "/api/v1/movements/{id}/history", params(("id" = String, Path)), tag = "movements",
    responses((status = 200, body = MovementHistory), (status = 404, response = Problem)))]
pub(super) async fn history(
    State(state): State<AppState>,
    actor: Actor,
    Named(id): Named<String>,
) -> Result<Json<MovementHistory>, Problem> {
    let caller = caller(&actor)?;
    state.operations.movement(&caller, &id).await?;
    Ok(Json(MovementHistory { events: state.store.history(&caller.trader, &id).await? }))
}

/// What a vehicle has beside its Hong Kong mark.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VehicleRequest {
    /// Mainland mark.
    #[serde(default)]
    mainland_mark: Option<String>,
    /// Marks of trailers.
    #[serde(default)]
    trailers: Vec<String>,
}

/// A company's vehicles.
#[derive(Serialize, ToSchema)]
pub(super) struct Vehicles {
    /// By mark.
    vehicles: Vec<VehicleView>,
}

/// The company's vehicles
#[utoipa::path(get, path = "/api/v1/vehicles", tag = "movements", responses((status = 200, body = Vehicles)))]
pub(super) async fn vehicles(State(state): State<AppState>, actor: Actor) -> Result<Json<Vehicles>, Problem> {
    let vehicles = state.store.vehicles(&caller(&actor)?.trader).await?;
    Ok(Json(Vehicles { vehicles: vehicles.into_iter().map(Into::into).collect() }))
}

/// Register a vehicle, or change its other marks
#[utoipa::path(put, path = "/api/v1/vehicles/{mark}", request_body = VehicleRequest, params(("mark" = String, Path)), tag = "movements",
    responses((status = 204), (status = 422, response = Problem)))]
pub(super) async fn put_vehicle(
    State(state): State<AppState>,
    actor: Actor,
    Named(mark): Named<String>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let (caller, request) = (body.caller(&actor)?, body.parse::<VehicleRequest>()?);
    let vehicle = Vehicle::parse(&mark, request.mainland_mark.as_deref(), &request.trailers);
    let vehicle = vehicle.map_err(Problem::faults)?;
    state.store.put_vehicle(&caller.trader, &vehicle, &caller.who, state.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forget a vehicle
#[utoipa::path(delete, path = "/api/v1/vehicles/{mark}", params(("mark" = String, Path)), tag = "movements",
    responses((status = 204), (status = 404, response = Problem)))]
pub(super) async fn remove_vehicle(
    State(state): State<AppState>,
    actor: Actor,
    Named(mark): Named<String>,
) -> Result<StatusCode, Problem> {
    let caller = caller(&actor)?;
    let known = match mark.parse::<clearance::mark::RegistrationMark>() {
        Ok(mark) => {
            let now = state.clock.now();
            state.store.remove_vehicle(&caller.trader, mark.as_str(), &caller.who, now).await?
        }
        Err(_) => false,
    };
    if known { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("vehicle")) }
}
