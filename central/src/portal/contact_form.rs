//! The form that says whom a company wants told. Lines that are left empty are no addresses; faults stand at the lines of the form.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::UtcMillis;
use maud::{Markup, html};

use super::consignment::draft_note;
use super::date::moment;
use super::fields::Fields;
use super::frame::{Frame, page};
use super::parts::{Form, Shape, button, warning};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn};
use super::topics::Choice;
use crate::state::AppState;
use crate::storage::messages::Channel;
use crate::storage::trade::Refused;
use crate::trade::contact::{Contact, MOST_ADDRESSES, Mailbox, Mobile};
use crate::trade::{Faulty, Topic};
use crate::words::Language;

pub(super) const ADDRESS: &str = "/trade/contact/change";

/// A list of addresses in the form.
#[derive(Clone, Copy)]
struct Lines {
    /// Its field, as in the JSON of a contact.
    list: &'static str,
    /// What a line's own field is called there.
    key: &'static str,
    channel: Channel,
    shape: Shape,
}

const EMAILS: Lines = Lines {
    list: "emails",
    key: "address",
    channel: Channel::Email,
    shape: Shape { width: 0, mode: Some("email"), autocomplete: None, kind: None, code: false },
};

const MOBILES: Lines = Lines {
    list: "mobiles",
    key: "number",
    channel: Channel::Sms,
    shape: Shape { width: 20, mode: Some("tel"), autocomplete: None, kind: None, code: false },
};

impl Lines {
    fn of(self, i: usize) -> String {
        format!("/{}/{i}", self.list)
    }

    fn field(self, i: usize) -> String {
        format!("/{}/{i}/{}", self.list, self.key)
    }

    /// How many lines a form shows: at least one to fill in.
    fn count(self, fields: &Fields) -> usize {
        let prefix = format!("/{}/", self.list);
        let index = |name: &str| name.split('/').nth(2).and_then(|i| i.parse::<usize>().ok());
        let there = fields.names(&prefix).filter_map(index).filter(|i| *i < MOST_ADDRESSES).max();
        let more = usize::from(fields.get("more") == self.list);
        (there.map_or(0, |i| i + 1) + more).clamp(1, MOST_ADDRESSES)
    }

    /// The lines that are filled in: their places in the form.
    fn filled(self, fields: &Fields) -> Vec<usize> {
        (0..self.count(fields)).filter(|&i| !fields.get(&self.field(i)).is_empty()).collect()
    }
}

fn form_page(
    state: &AppState,
    language: Language,
    person: &SignedIn,
    form: Form<'_>,
    (version, kept_at): (u32, Option<i64>),
) -> Markup {
    let say = |key| language.say(key);
    let languages = Language::ALL.map(|l| (l.tag().to_owned(), l.name().to_owned(), None));
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            (form.summary())
            h1 class="govuk-heading-l" { (say("contact-change")) }
            @if let Some(at) = kept_at {
                (draft_note(language, person, ADDRESS, &moment(language, state.operations.place(), UtcMillis(at))))
            }
            form method="post" action=(ADDRESS) novalidate {
                input type="hidden" name="csrf" value=(person.csrf);
                input type="hidden" name="version" value=(version);
                (form.radios("/language", "item-language", &languages))
                @for lines in [EMAILS, MOBILES] {
                    h2 class="govuk-heading-m" { (say(lines.list)) }
                    @if !state.outlets.is_open(lines.channel) {
                        (warning(language, &say(if lines.channel == Channel::Email { "contact-no-email" } else { "contact-no-sms" })))
                    }
                    @for i in 0..lines.count(form.fields) { (line(form, lines, i)) }
                    @if lines.count(form.fields) < MOST_ADDRESSES {
                        button type="submit" class="govuk-button govuk-button--secondary" name="more" value=(lines.list) {
                            (say(if lines.channel == Channel::Email { "email-more" } else { "mobile-more" }))
                        }
                    }
                }
                div { (button(&say("contact-save"))) }
            }
        } }
    };
    let title = form.title(&say("contact-change"));
    let frame =
        Frame { language, person: Some(person), title, address: ADDRESS, back: Some("/trade/contact") };
    page(&frame, &content)
}

/// An address to fill in, and of what it is told.
fn line(form: Form<'_>, lines: Lines, i: usize) -> Markup {
    let say = |key| form.language.say(key);
    let key = if lines.channel == Channel::Email { "email-line" } else { "mobile-line" };
    let (label, hint) = if lines.channel == Channel::Email {
        ("item-email", "item-email-hint")
    } else {
        ("item-mobile", "item-mobile-hint")
    };
    let own = [("yes".to_owned(), say("own-too"), Some(say("own-too-hint")))];
    let of = lines.of(i);
    html! {
        fieldset class="govuk-fieldset portal-line" {
            legend class="govuk-fieldset__legend govuk-fieldset__legend--s" {
                (form.language.say_with(key, &[("number", &(i + 1).to_string())]))
            }
            (form.input(&lines.field(i), label, Some(hint), lines.shape))
            (Choice { of: &of, to_act_on: true }.shown(form))
            (form.checkboxes(&format!("{of}/own"), "own-changes", &own))
        }
    }
}

/// A form filled in with a contact. Whoever opens it for the first time finds what most want.
fn filled(contact: &Contact, version: u32, reader: Language) -> Fields {
    let mut fields = Fields::default();
    let tag = if version == 0 { reader.tag() } else { &contact.language };
    fields.set("/language", tag);
    let emails = contact.emails.iter().map(|told| (told.address.as_str(), told.news.as_slice(), told.own));
    let mobiles = contact.mobiles.iter().map(|told| (told.number.as_str(), told.news.as_slice(), told.own));
    for (lines, told) in [(EMAILS, emails.collect::<Vec<_>>()), (MOBILES, mobiles.collect())] {
        for (i, (address, news, own)) in told.iter().enumerate() {
            fields.set(lines.field(i), *address);
            Choice { of: &lines.of(i), to_act_on: true }.fill(&mut fields, news);
            if *own {
                fields.set(format!("{}/own", lines.of(i)), "yes");
            }
        }
    }
    with_choices(fields)
}

/// Lines that are not filled in yet offer what must be acted on.
fn with_choices(mut fields: Fields) -> Fields {
    for lines in [EMAILS, MOBILES] {
        for i in 0..lines.count(&fields) {
            let of = lines.of(i);
            if !fields.has(&format!("{of}/width")) {
                Choice { of: &of, to_act_on: true }.fill(&mut fields, &Topic::TO_ACT_ON);
            }
        }
    }
    fields
}

/// The contact of a form. Lines that are empty are left out.
fn read(fields: &Fields) -> Contact {
    let told = |lines: Lines, i: usize| {
        let of = lines.of(i);
        let news = Choice { of: &of, to_act_on: true }.read(fields);
        (fields.get(&lines.field(i)), news, fields.has(&format!("{of}/own")))
    };
    let email = |i| {
        let (address, news, own) = told(EMAILS, i);
        Mailbox { address: address.to_owned(), news, own }
    };
    let mobile = |i| {
        let (number, news, own) = told(MOBILES, i);
        // As people write it: +852 9123 4567.
        let number = number.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
        Mobile { number, news, own }
    };
    Contact {
        language: fields.get("/language").to_owned(),
        emails: EMAILS.filled(fields).into_iter().map(email).collect(),
        mobiles: MOBILES.filled(fields).into_iter().map(mobile).collect(),
    }
}

/// Faults of a contact, at the lines of the form that it was read from.
fn at_lines(faults: Vec<Faulty>, fields: &Fields) -> Vec<Faulty> {
    let moved = |faulty: Faulty| {
        let mut parts: Vec<String> = faulty.pointer.split('/').map(str::to_owned).collect();
        for lines in [EMAILS, MOBILES] {
            let place = parts.get(2).and_then(|i| i.parse::<usize>().ok());
            let line = place.and_then(|place| lines.filled(fields).get(place).copied());
            if let (true, Some(line)) = (parts[1] == lines.list, line) {
                parts[2] = line.to_string();
            }
        }
        Faulty { pointer: parts.join("/"), ..faulty }
    };
    faults.into_iter().map(moved).collect()
}

pub(super) async fn form(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
) -> Result<Markup, Refusal> {
    let (company, _) = state.outlets.company(&person.caller).await?;
    let draft = state.store.draft(&person.caller.who, ADDRESS).await?;
    let fields = draft.as_ref().map_or_else(
        || filled(&company.contact, company.version, language),
        |(body, _)| with_choices(Fields::of_draft(body)),
    );
    let form = Form { language, fields: &fields, faults: &[] };
    Ok(form_page(&state, language, &person, form, (company.version, draft.map(|(_, at)| at))))
}

pub(super) async fn change(
    State(state): State<AppState>,
    language: Language,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { person, fields } = posted;
    let seen: u32 = fields.get("version").parse().map_err(|_| Refusal::NoForm)?;
    if fields.has("more") {
        let fields = with_choices(fields);
        let form = Form { language, fields: &fields, faults: &[] };
        return Ok(form_page(&state, language, &person, form, (seen, None)).into_response());
    }
    let caller = &person.caller;
    match state.outlets.put_contact(caller, read(&fields), Some(seen)).await {
        Ok(_) => {
            state.store.drop_draft(&caller.who, ADDRESS).await?;
            Ok(Redirect::to("/trade/contact?done=told").into_response())
        }
        Err(Refused::Faults(faults)) => {
            let faults = at_lines(faults, &fields);
            let form = Form { language, fields: &fields, faults: &faults };
            let page = form_page(&state, language, &person, form, (seen, None));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(refused) => {
            // What was filled in stays, whatever has come in between.
            state.store.keep_draft(&caller.who, ADDRESS, &fields.draft(), state.clock.now()).await?;
            Err(refused.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trade::Fault;

    #[test]
    fn a_form_says_what_the_contact_says() {
        let contact = Contact {
            language: "zh-Hant".to_owned(),
            emails: vec![
                Mailbox { address: "a@example.com".to_owned(), news: Topic::TO_ACT_ON.to_vec(), own: true },
                Mailbox { address: "b@example.com".to_owned(), news: vec![Topic::Seal], own: false },
            ],
            mobiles: vec![Mobile {
                number: "+85291234567".to_owned(),
                news: Topic::ALL.to_vec(),
                own: false,
            }],
        };
        let again = read(&filled(&contact, 3, Language::English));
        assert_eq!((&again.language, &again.mobiles), (&contact.language, &contact.mobiles));
        let sorted = |mailbox: &Mailbox| {
            let mut news = mailbox.news.clone();
            news.sort();
            (mailbox.address.clone(), news, mailbox.own)
        };
        assert_eq!(
            again.emails.iter().map(sorted).collect::<Vec<_>>(),
            contact.emails.iter().map(sorted).collect::<Vec<_>>()
        );
    }

    #[test]
    fn lines_that_are_left_empty_are_no_addresses_and_faults_stand_at_the_right_line() {
        let mut fields = Fields::default();
        fields.set("/language", "en");
        fields.set("/emails/0/address", " ");
        fields.set("/emails/2/address", "nobody");
        fields.set("/emails/2/width", "all");
        fields.set("/mobiles/0/number", "+852 9123-4567");
        fields.set("/mobiles/0/width", "some");
        let contact = read(&fields);
        assert_eq!(contact.emails.len(), 1);
        assert_eq!(contact.mobiles[0].number, "+85291234567");
        let faults = at_lines(contact.faults(), &fields);
        assert_eq!(
            faults,
            [Faulty::at("/emails/2/address", Fault::Email), Faulty::at("/mobiles/0/news", Fault::NoNews),]
        );
        // No hostile number of lines.
        fields.set("/emails/4000000000/address", "x");
        assert_eq!(EMAILS.count(&fields), 3);
    }
}
