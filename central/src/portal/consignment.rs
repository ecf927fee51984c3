//! The form of a consignment: lodging and amending.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::date::{choices, moment, named_day};
use super::fields::Fields;
use super::frame::{Frame, page};
use super::parts::{Form, Shape, button, inset, other_button};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn};
use super::terms;
use crate::ccrn::Ccrn;
use crate::officers::new_token;
use crate::state::AppState;
use crate::storage::trade::Refused;
use crate::trade::consignment::MOST_LINES;
use crate::trade::{Consignment, Direction, Fault, Faulty, GoodsLine, Party};
use crate::words::Language;
use clearance::ids::UtcMillis;

/// The kinds of packages that are offered (UN/ECE Recommendation 21).
const KINDS: [&str; 10] = ["CT", "BX", "PX", "BG", "CR", "DR", "RO", "CN", "VR", "NE"];

/// What kind of form it is.
#[derive(Clone, Copy)]
enum Doing<'a> {
    Lodge,
    /// Amend this one, whose version was seen.
    Amend(&'a Ccrn, u32),
}

impl Doing<'_> {
    fn address(self) -> String {
        match self {
            Self::Lodge => "/trade/consignments/new".to_owned(),
            Self::Amend(ccrn, _) => format!("/trade/consignments/{}/amend", ccrn.as_str()),
        }
    }

    fn back(self) -> String {
        match self {
            Self::Lodge => "/trade/consignments".to_owned(),
            Self::Amend(ccrn, _) => format!("/trade/consignments/{}", ccrn.as_str()),
        }
    }
}

/// How many lines of goods a form shows.
fn lines(fields: &Fields) -> usize {
    let index = |name: &str| name.split('/').nth(2).and_then(|i| i.parse::<usize>().ok());
    let there =
        fields.names("/goods/").filter_map(index).filter(|i| *i < MOST_LINES).max().map_or(0, |i| i + 1);
    (there + usize::from(fields.has("more"))).min(MOST_LINES)
}

fn form_page(
    state: &AppState,
    language: Language,
    person: &SignedIn,
    doing: Doing<'_>,
    form: Form<'_>,
    kept_at: Option<i64>,
) -> Markup {
    let say = |key| language.say(key);
    let place = state.operations.place();
    let title = match doing {
        Doing::Lodge => say("lodge-title"),
        Doing::Amend(ccrn, _) => language.say_with("amend-title", &[("ccrn", &terms::spaced(ccrn.as_str()))]),
    };
    let address = doing.address();
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            (form.summary())
            h1 class="govuk-heading-l" { (title) }
            @if let Some(at) = kept_at { (draft_note(language, person, &address, &moment(language, place, UtcMillis(at)))) }
            form method="post" action=(address) novalidate {
                input type="hidden" name="csrf" value=(person.csrf);
                input type="hidden" name="once" value=(once(form.fields));
                @if let Doing::Amend(_, version) = doing { input type="hidden" name="version" value=(version); }
                (crossing(state, form))
                (cargo(form))
                (party(form, "consignor"))
                (party(form, "consignee"))
                (optional(form))
                (button(&say(match doing { Doing::Lodge => "lodge-send", Doing::Amend(..) => "amend-send" })))
                div class="govuk-button-group" {
                    (other_button("more", &say("goods-more")))
                    (other_button("keep", &say("keep-draft")))
                }
            }
        } }
    };
    let back = doing.back();
    let title = form.title(&title);
    page(&Frame { language, person: Some(person), title, address: &address, back: Some(&back) }, &content)
}

/// The token by which the same form, sent twice, is known.
pub(super) fn once(fields: &Fields) -> String {
    fields.filled("once").filter(|once| once.len() <= 64).unwrap_or_else(new_token)
}

/// That a form was kept, and how to be rid of it.
pub(super) fn draft_note(language: Language, person: &SignedIn, address: &str, at: &str) -> Markup {
    inset(&html! {
        p { (language.say_with("draft-kept", &[("at", at)])) }
        form method="post" action="/trade/drafts/drop" {
            input type="hidden" name="csrf" value=(person.csrf);
            input type="hidden" name="form" value=(address);
            button class="portal-button-link" { (language.say("draft-drop")) }
        }
    })
}

fn crossing(state: &AppState, form: Form<'_>) -> Markup {
    let place = state.operations.place();
    let days: Vec<_> = choices(place, state.clock.now())
        .into_iter()
        .map(|day| (day.to_string(), named_day(form.language, day)))
        .collect();
    let directions = [Direction::Inbound, Direction::Outbound]
        .map(|d| (d.name().to_owned(), form.language.say(terms::direction(d)), None));
    html! {
        (form.radios("/direction", "item-direction", &directions))
        (form.select("/expected_date", "item-expected-date", None, &form.language.say("choose-day"), &days))
    }
}

fn cargo(form: Form<'_>) -> Markup {
    let known =
        |code: &str| (code.to_owned(), format!("{} ({code})", form.language.say(&format!("kind-{code}"))));
    let mut kinds: Vec<_> = KINDS.map(known).to_vec();
    let typed = form.fields.get("/package_kind");
    // Lodged by a system, of another kind.
    if !typed.is_empty() && !KINDS.contains(&typed) {
        kinds.push((typed.to_owned(), typed.to_owned()));
    }
    html! {
        h2 class="govuk-heading-m" { (form.language.say("cargo")) }
        (form.input("/packages", "item-packages", None, Shape::number(5)))
        (form.select("/package_kind", "item-package-kind", None, &form.language.say("choose-kind"), &kinds))
        (form.area("/description", "item-description", Some("item-description-hint"), 3))
    }
}

fn party(form: Form<'_>, who: &str) -> Markup {
    let name = |field: &str| format!("/{who}/{field}");
    let key = |field: &str| format!("item-{who}-{field}");
    html! {
        h2 class="govuk-heading-m" { (form.language.say(who)) }
        (form.input(&name("name"), &key("name"), None, Shape { autocomplete: Some("organization"), ..Shape::default() }))
        (form.area(&name("address"), &key("address"), None, 3))
    }
}

fn optional(form: Form<'_>) -> Markup {
    let say = |key| form.language.say(key);
    let through = [("yes".to_owned(), say("item-transhipment"), Some(say("item-transhipment-hint")))];
    html! {
        h2 class="govuk-heading-m" { (say("optional")) }
        (goods_items(form, ""))
        (form.checkboxes("/transhipment", "transhipment", &through))
        @for i in 0..lines(form.fields) {
            h3 class="govuk-heading-s" { (form.language.say_with("goods-line", &[("number", &(i + 1).to_string())])) }
            (form.input(&format!("/goods/{i}/description"), "item-description", None, Shape::default()))
            (goods_items(form, &format!("/goods/{i}")))
        }
    }
}

fn goods_items(form: Form<'_>, of: &str) -> Markup {
    html! { div class="portal-columns" {
        (form.input(&format!("{of}/hs_code"), "item-hs-code", Some("item-hs-code-hint"), Shape::number(10)))
        (form.input(&format!("{of}/origin"), "item-origin", Some("item-origin-hint"), Shape::code(3)))
        (form.input(&format!("{of}/value_hkd"), "item-value", Some("item-value-hint"), Shape::number(10)))
        (form.input(&format!("{of}/net_weight_kg"), "item-weight", Some("item-weight-hint"), Shape::number(10)))
    } }
}

/// Reads a form, and notes what cannot be read.
struct Reading<'a> {
    fields: &'a Fields,
    faults: Vec<Faulty>,
}

impl Reading<'_> {
    /// A whole number, as people write it: `1,200`.
    fn number(&mut self, name: &str) -> Option<u64> {
        let text: String = self.fields.get(name).chars().filter(|c| !matches!(c, ',' | ' ')).collect();
        if text.is_empty() {
            return None;
        }
        let read = text.parse().ok();
        if read.is_none() {
            let fault = Fault::Number { least: u64::from(name == "/packages"), most: 1_000_000_000 };
            self.faults.push(Faulty::at(name, fault));
        }
        read
    }

    fn party(&self, who: &str) -> Party {
        let get = |field: &str| self.fields.get(&format!("/{who}/{field}")).to_owned();
        Party { name: get("name"), address: get("address") }
    }

    fn goods(&mut self) -> Vec<GoodsLine> {
        let line = |this: &mut Self, i: usize| {
            let name = |field: &str| format!("/goods/{i}/{field}");
            GoodsLine {
                description: this.fields.get(&name("description")).to_owned(),
                hs_code: this.fields.filled(&name("hs_code")),
                origin: this.fields.filled(&name("origin")).map(|o| o.to_ascii_uppercase()),
                value_hkd: this.number(&name("value_hkd")),
                net_weight_kg: this.number(&name("net_weight_kg")),
            }
        };
        let mut goods: Vec<_> = (0..lines(self.fields)).map(|i| line(self, i)).collect();
        // Lines that were added and never filled in; those between others stay, for their place names their faults.
        while goods.last().is_some_and(|line| *line == GoodsLine::default()) {
            goods.pop();
        }
        goods
    }
}

/// The consignment that a form describes, or what is wrong with it; `faults` judges the items.
fn read(fields: &Fields, faults: impl Fn(&Consignment) -> Vec<Faulty>) -> Result<Consignment, Vec<Faulty>> {
    let mut reading = Reading { fields, faults: Vec::new() };
    let direction = match fields.get("/direction") {
        "inbound" => Some(Direction::Inbound),
        "outbound" => Some(Direction::Outbound),
        _ => {
            reading.faults.push(Faulty::at("/direction", Fault::Required));
            None
        }
    };
    let packages = reading.number("/packages").unwrap_or(0);
    let consignment = Consignment {
        direction: direction.unwrap_or(Direction::Inbound),
        packages: u32::try_from(packages).unwrap_or(u32::MAX),
        package_kind: fields.get("/package_kind").to_owned(),
        description: fields.get("/description").to_owned(),
        consignor: reading.party("consignor"),
        consignee: reading.party("consignee"),
        expected_date: fields.get("/expected_date").to_owned(),
        hs_code: fields.filled("/hs_code"),
        origin: fields.filled("/origin").map(|o| o.to_ascii_uppercase()),
        value_hkd: reading.number("/value_hkd"),
        net_weight_kg: reading.number("/net_weight_kg"),
        goods: reading.goods(),
        transhipment: fields.has("/transhipment"),
    };
    let mut wrong = reading.faults;
    let unread: Vec<_> = wrong.iter().map(|f| f.pointer.clone()).collect();
    wrong.extend(faults(&consignment).into_iter().filter(|f| !unread.contains(&f.pointer)));
    if wrong.is_empty() { Ok(consignment) } else { Err(wrong) }
}

/// A form filled in with a consignment.
fn filled(consignment: &Consignment) -> Fields {
    let mut fields = Fields::default();
    let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
    fields.set("/direction", consignment.direction.name());
    fields.set("/packages", consignment.packages.to_string());
    fields.set("/package_kind", consignment.package_kind.clone());
    fields.set("/description", consignment.description.clone());
    fields.set("/expected_date", consignment.expected_date.clone());
    for (who, party) in [("consignor", &consignment.consignor), ("consignee", &consignment.consignee)] {
        fields.set(format!("/{who}/name"), party.name.clone());
        fields.set(format!("/{who}/address"), party.address.clone());
    }
    fields.set("/hs_code", consignment.hs_code.clone().unwrap_or_default());
    fields.set("/origin", consignment.origin.clone().unwrap_or_default());
    fields.set("/value_hkd", number(consignment.value_hkd));
    fields.set("/net_weight_kg", number(consignment.net_weight_kg));
    for (i, line) in consignment.goods.iter().enumerate() {
        fields.set(format!("/goods/{i}/description"), line.description.clone());
        fields.set(format!("/goods/{i}/hs_code"), line.hs_code.clone().unwrap_or_default());
        fields.set(format!("/goods/{i}/origin"), line.origin.clone().unwrap_or_default());
        fields.set(format!("/goods/{i}/value_hkd"), number(line.value_hkd));
        fields.set(format!("/goods/{i}/net_weight_kg"), number(line.net_weight_kg));
    }
    if consignment.transhipment {
        fields.set("/transhipment", "yes");
    }
    fields
}

pub(super) async fn blank(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
) -> Result<Markup, Refusal> {
    let draft = state.store.draft(&person.caller.who, &Doing::Lodge.address()).await?;
    let fields = draft.as_ref().map(|(body, _)| Fields::of_draft(body)).unwrap_or_default();
    let form = Form { language, fields: &fields, faults: &[] };
    Ok(form_page(&state, language, &person, Doing::Lodge, form, draft.map(|(_, at)| at)))
}

pub(super) async fn present(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Path(ccrn): Path<String>,
) -> Result<Markup, Refusal> {
    let ccrn: Ccrn = ccrn.parse().map_err(|_| Refusal::NotFound)?;
    let row = state.operations.consignment(&person.caller, &ccrn).await?;
    let doing = Doing::Amend(&ccrn, row.version);
    let draft = state.store.draft(&person.caller.who, &doing.address()).await?;
    let fields = draft.as_ref().map_or_else(|| filled(&row.consignment), |(body, _)| Fields::of_draft(body));
    let form = Form { language, fields: &fields, faults: &[] };
    Ok(form_page(&state, language, &person, doing, form, draft.map(|(_, at)| at)))
}

/// What somebody wants with a form other than to send it.
async fn set_aside(
    state: &AppState,
    language: Language,
    posted: &Posted,
    doing: Doing<'_>,
) -> Result<Option<Response>, Refusal> {
    let Posted { person, fields } = posted;
    if fields.has("keep") {
        let (login, now) = (&person.caller.who, state.clock.now());
        state.store.keep_draft(login, &doing.address(), &fields.draft(), now).await?;
        return Ok(Some(Redirect::to("/trade?done=kept").into_response()));
    }
    if fields.has("more") {
        let form = Form { language, fields, faults: &[] };
        return Ok(Some(form_page(state, language, person, doing, form, None).into_response()));
    }
    Ok(None)
}

fn again(
    state: &AppState,
    language: Language,
    posted: &Posted,
    doing: Doing<'_>,
    faults: &[Faulty],
) -> Response {
    let form = Form { language, fields: &posted.fields, faults };
    let page = form_page(state, language, &posted.person, doing, form, None);
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}

pub(super) async fn lodge(
    State(state): State<AppState>,
    language: Language,
    posted: Posted,
) -> Result<Response, Refusal> {
    let doing = Doing::Lodge;
    if let Some(aside) = set_aside(&state, language, &posted, doing).await? {
        return Ok(aside);
    }
    let consignment = match read(&posted.fields, |c| state.operations.faults(c)) {
        Ok(consignment) => consignment,
        Err(faults) => return Ok(again(&state, language, &posted, doing, &faults)),
    };
    let caller = &posted.person.caller;
    match state.operations.lodge_once(caller, consignment, posted.once()).await {
        Ok(ccrn) => {
            state.store.drop_draft(&caller.who, &doing.address()).await?;
            Ok(Redirect::to(&format!("/trade/consignments/{}?done=lodged", ccrn.as_str())).into_response())
        }
        Err(Refused::Faults(faults)) => Ok(again(&state, language, &posted, doing, &faults)),
        Err(refused) => Err(refused.into()),
    }
}

pub(super) async fn amend(
    State(state): State<AppState>,
    language: Language,
    Path(ccrn): Path<String>,
    posted: Posted,
) -> Result<Response, Refusal> {
    let ccrn: Ccrn = ccrn.parse().map_err(|_| Refusal::NotFound)?;
    let seen: u32 = posted.fields.get("version").parse().map_err(|_| Refusal::NoForm)?;
    let doing = Doing::Amend(&ccrn, seen);
    if let Some(aside) = set_aside(&state, language, &posted, doing).await? {
        return Ok(aside);
    }
    let consignment = match read(&posted.fields, |c| state.operations.faults(c)) {
        Ok(consignment) => consignment,
        Err(faults) => return Ok(again(&state, language, &posted, doing, &faults)),
    };
    let caller = &posted.person.caller;
    match state.operations.amend(caller, &ccrn, consignment, Some(seen)).await {
        Ok(_) => {
            state.store.drop_draft(&caller.who, &doing.address()).await?;
            Ok(Redirect::to(&format!("{}?done=amended", doing.back())).into_response())
        }
        Err(Refused::Faults(faults)) => Ok(again(&state, language, &posted, doing, &faults)),
        Err(refused) => {
            // What was filled in stays, whatever has come in between.
            state
                .store
                .keep_draft(&caller.who, &doing.address(), &posted.fields.draft(), state.clock.now())
                .await?;
            Err(refused.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consignment() -> Consignment {
        Consignment {
            direction: Direction::Outbound,
            packages: 12,
            package_kind: "CT".to_owned(),
            description: "toys\nand games".to_owned(),
            consignor: Party { name: "A <b>".to_owned(), address: "1 Road".to_owned() },
            consignee: Party { name: "B".to_owned(), address: "2 Road".to_owned() },
            expected_date: "2026-11-27".to_owned(),
            hs_code: Some("950300".to_owned()),
            origin: Some("CN".to_owned()),
            value_hkd: Some(1200),
            net_weight_kg: None,
            goods: vec![GoodsLine { description: "dolls".to_owned(), ..GoodsLine::default() }],
            transhipment: true,
        }
    }

    #[test]
    fn a_form_says_what_the_consignment_says() {
        let fields = filled(&consignment());
        assert_eq!(read(&fields, |_| Vec::new()).unwrap(), consignment());
    }

    #[test]
    fn what_cannot_be_read_is_named_once_and_the_rest_is_judged() {
        let mut fields = filled(&consignment());
        fields.set("/packages", "a dozen");
        fields.set("/direction", "");
        fields.set("/value_hkd", "1,200");
        let judge = |c: &Consignment| {
            assert_eq!(c.value_hkd, Some(1200));
            vec![Faulty::at("/packages", Fault::Required), Faulty::at("/description", Fault::Required)]
        };
        let pointers: Vec<_> = read(&fields, judge).unwrap_err().into_iter().map(|f| f.pointer).collect();
        assert_eq!(pointers, ["/direction", "/packages", "/description"]);
    }

    #[test]
    fn lines_of_goods_are_as_many_as_were_filled_in_and_no_hostile_number_of_them() {
        let mut fields = filled(&consignment());
        fields.set("/goods/1/description", "");
        assert_eq!(lines(&fields), 2);
        assert_eq!(read(&fields, |_| Vec::new()).unwrap().goods.len(), 1, "an empty last line is none");
        fields.set("/goods/4000000000/description", "x");
        assert_eq!(lines(&fields), 2);
        fields.set("more", "1");
        assert_eq!(lines(&fields), 3);
    }
}
