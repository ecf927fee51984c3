//! Lodging by spreadsheet: upload, a look at every row with what is wrong with it, and only then lodging.

use axum::body::Bytes;
use axum::extract::{Multipart, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::frame::{Frame, page};
use super::parts::{Line, button, lines, link_button, tag, warning};
use super::refusal::Refusal;
use super::session::{Posted, SignedIn, id_of};
use super::terms;
use crate::api::read_aside;
use crate::officers::token_hash;
use crate::state::AppState;
use crate::storage::trade::{Acknowledged, ItemOutcome, OnceKey};
use crate::trade::batch::{self, BatchError, Format, MOST_BYTES, Origin, Row};
use crate::trade::{Consignment, Faulty};
use crate::words::Language;

/// As long as an upload is at most: the file, and what browsers put round it.
pub(super) const MOST_UPLOAD: usize = MOST_BYTES + (64 << 10);

/// The upload's address, and the name of its draft.
const ADDRESS: &str = "/trade/consignments/upload";

/// As many rows as a preview shows of those that are in order; what is wrong is shown whole, up to a hundred times as many.
const SHOWN: usize = 50;

/// What was uploaded, between the preview and the lodging. Text, for drafts are text.
#[derive(Serialize, Deserialize)]
struct Kept {
    format: Format,
    name: String,
    /// In base64.
    bytes: String,
}

impl Kept {
    fn bytes(&self) -> Option<Vec<u8>> {
        BASE64.decode(&self.bytes).ok()
    }
}

/// The format of a file by its name, or by its first bytes.
fn format_of(name: &str, bytes: &[u8]) -> Option<Format> {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let named =
        ending.and_then(|ending| if ending == "txt" { Some(Format::Csv) } else { ending.parse().ok() });
    let looks = || match bytes {
        [b'P', b'K', ..] => Some(Format::Xlsx),
        [b'<', ..] => Some(Format::Xml),
        _ => None,
    };
    named.or_else(looks)
}

fn upload_page(language: Language, person: &SignedIn, problem: Option<&str>) -> Markup {
    let say = |key: &str| language.say(key);
    let template = |format: Format| format!("{ADDRESS}/template/{}", format.name());
    let content = html! {
        div class="govuk-grid-row" { div class="govuk-grid-column-two-thirds" {
            @if let Some(problem) = problem {
                div class="govuk-error-summary" tabindex="-1" autofocus { div role="alert" {
                    h2 class="govuk-error-summary__title" { (say("error-title")) }
                    div class="govuk-error-summary__body" {
                        ul class="govuk-list govuk-error-summary__list" { li { a href="#file" { (problem) } } }
                    }
                } }
            }
            h1 class="govuk-heading-l" { (say("upload-title")) }
            p class="govuk-body" { (say("upload-what")) }
            p class="govuk-body" {
                (say("upload-templates"))
                @for format in [Format::Xlsx, Format::Csv, Format::Xml] {
                    " " a class="govuk-link" href=(template(format)) download { (format.name().to_uppercase()) }
                }
            }
            form method="post" action=(ADDRESS) enctype="multipart/form-data" novalidate {
                input type="hidden" name="csrf" value=(person.csrf);
                div class={ "govuk-form-group" @if problem.is_some() { " govuk-form-group--error" } } {
                    label class="govuk-label" for="file" { (say("upload-file")) }
                    input class="govuk-file-upload" id="file" name="file" type="file" accept=".xlsx,.csv,.txt,.xml";
                }
                (button(&say("upload-send")))
            }
        } }
    };
    let title = say("upload-title");
    let title = if problem.is_some() { format!("{}: {title}", say("error-word")) } else { title };
    page(
        &Frame { language, person: Some(person), title, address: ADDRESS, back: Some("/trade/consignments") },
        &content,
    )
}

pub(super) async fn form(language: Language, person: SignedIn) -> Markup {
    upload_page(language, &person, None)
}

/// A template to fill in.
pub(super) async fn template(
    language: Language,
    _: SignedIn,
    Path(format): Path<String>,
) -> Result<Response, Refusal> {
    let format: Format = format.parse().map_err(|_| Refusal::NotFound)?;
    let bytes = batch::template(format, &|key| language.say(key)).map_err(Refusal::failed)?;
    let name = format!("attachment; filename=\"consignments.{}\"", format.name());
    let headers =
        [(header::CONTENT_TYPE, format.media_type().to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, bytes).into_response())
}

/// The file of an upload: its name and bytes.
async fn uploaded(person: &SignedIn, mut parts: Multipart) -> Result<Option<(String, Bytes)>, Refusal> {
    let mut own = false;
    while let Some(part) = parts.next_field().await.map_err(|_| Refusal::TooLarge)? {
        match part.name() {
            Some("csrf") => own = part.text().await.map_err(|_| Refusal::NoForm)? == person.csrf,
            Some("file") if own => {
                let name: String = part.file_name().unwrap_or_default().chars().take(200).collect();
                let bytes = part.bytes().await.map_err(|_| Refusal::TooLarge)?;
                return Ok((!bytes.is_empty()).then_some((name, bytes)));
            }
            _ => return Err(Refusal::ForeignForm),
        }
    }
    if own { Ok(None) } else { Err(Refusal::ForeignForm) }
}

pub(super) async fn upload(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    parts: Multipart,
) -> Result<Response, Refusal> {
    let again = |problem: &str| {
        (StatusCode::UNPROCESSABLE_ENTITY, upload_page(language, &person, Some(problem))).into_response()
    };
    let Some((name, bytes)) = uploaded(&person, parts).await? else {
        return Ok(again(&language.say("upload-none")));
    };
    let Some(format) = format_of(&name, &bytes) else { return Ok(again(&language.say("upload-kind"))) };
    let kept = Kept { format, name, bytes: BASE64.encode(&bytes) };
    let rows = match read_aside(format, bytes).await.map_err(Refusal::failed)? {
        Ok(rows) => rows,
        Err(error) => return Ok(again(&error_words(language, &error))),
    };
    let body = serde_json::to_string(&kept).map_err(Refusal::failed)?;
    state.store.keep_draft(&person.caller.who, ADDRESS, &body, state.clock.now()).await?;
    Ok(preview(&state, language, &person, &kept.name, &rows, &token_hash(&body)).into_response())
}

/// What is wrong with a file as a whole, and where.
fn error_words(language: Language, error: &BatchError) -> String {
    // Where it lies, and the names of columns, are not words of a language.
    format!("{} ({error})", language.say(error.words()))
}

/// Every row that is wrong, and the first that are right.
fn preview(
    state: &AppState,
    language: Language,
    person: &SignedIn,
    name: &str,
    rows: &[Row],
    digest: &str,
) -> Markup {
    let say = |key| language.say(key);
    let checked: Vec<_> =
        rows.iter().map(|row| (&row.origin, row.checked(|c| state.operations.faults(c)))).collect();
    let right = checked.iter().filter(|(_, checked)| checked.is_ok()).count();
    let counts = [("right", right.to_string()), ("all", rows.len().to_string())];
    let counts: Vec<_> = counts.iter().map(|(name, count)| (*name, count.as_str())).collect();
    let wrong = checked.iter().filter_map(|(origin, checked)| Some((origin, checked.as_ref().err()?)));
    let wrong: Vec<_> = wrong.take(SHOWN * 100).map(|(o, faults)| wrong_line(language, o, faults)).collect();
    let fine = checked.iter().filter_map(|(origin, checked)| Some((origin, checked.as_ref().ok()?)));
    let fine: Vec<_> = fine.take(SHOWN).map(|(origin, c)| right_line(language, origin, c)).collect();
    let content = html! {
        h1 class="govuk-heading-l" { (say("upload-preview")) }
        p class="govuk-body" { (name) }
        p class="govuk-body-l" { (language.say_with("upload-counts", &counts)) }
        @if !wrong.is_empty() { (warning(language, &say("upload-wrong-stay"))) (lines(&wrong)) }
        (lines(&fine))
        @if right > fine.len() { p class="govuk-body" { "…" } }
        @if right > 0 {
            form method="post" action={ (ADDRESS) "/lodge" } {
                input type="hidden" name="csrf" value=(person.csrf);
                input type="hidden" name="file" value=(digest);
                (button(&language.say_with("upload-lodge", &[("right", &right.to_string())])))
            }
        }
        (link_button(ADDRESS, &say("upload-other"), true))
    };
    let title = say("upload-preview");
    page(&Frame { language, person: Some(person), title, address: ADDRESS, back: Some(ADDRESS) }, &content)
}

fn row_name(language: Language, origin: &Origin) -> Markup {
    html! {
        (language.say("upload-row")) " " (origin.row)
        @if let Some(reference) = &origin.reference { " · " (reference) }
    }
}

fn wrong_line(language: Language, origin: &Origin, faults: &[Faulty]) -> Line {
    let place = |fault: &Faulty| {
        let place = origin.place(&fault.pointer);
        place.column.map(|column| format!("{column}, {} {}", language.say("upload-row"), place.row))
    };
    Line {
        to: None,
        name: row_name(language, origin),
        hint: Some(html! { @for (i, fault) in faults.iter().enumerate() {
            @if i > 0 { br; }
            (terms::faulty(language, fault)) @if let Some(place) = place(fault) { " (" (place) ")" }
        } }),
        status: tag(&language.say("error-word"), "red"),
    }
}

fn right_line(language: Language, origin: &Origin, consignment: &Consignment) -> Line {
    Line {
        to: None,
        name: row_name(language, origin),
        hint: Some(html! { (consignment.description) " · " (consignment.consignee.name) }),
        status: tag(&language.say("upload-right"), "green"),
    }
}

/// Lodge what was shown.
pub(super) async fn lodge(
    State(state): State<AppState>,
    language: Language,
    posted: Posted,
) -> Result<Response, Refusal> {
    let Posted { person, fields } = &posted;
    let gone = || {
        let words = language.say("upload-gone");
        (StatusCode::CONFLICT, upload_page(language, person, Some(&words))).into_response()
    };
    let caller = &person.caller;
    let once = OnceKey {
        client: format!("portal/{}/{}", caller.trader, caller.who),
        key: fields.get("file").to_owned(),
        request: token_hash(fields.get("file")),
    };
    // Sent twice: the file is gone, and the request is there.
    if let Some(request) = state.store.replayed::<String>(Some(&once)).await? {
        return Ok(Redirect::to(&format!("/trade/requests/{request}")).into_response());
    }
    let kept = state.store.draft(&caller.who, ADDRESS).await?.map(|(body, _)| body);
    // Another file was uploaded meanwhile, in another window.
    let Some(body) = kept.filter(|body| token_hash(body) == fields.get("file")) else { return Ok(gone()) };
    let kept: Kept = serde_json::from_str(&body).map_err(Refusal::failed)?;
    let Some(bytes) = kept.bytes() else { return Ok(gone()) };
    let Ok(rows) = read_aside(kept.format, bytes.into()).await.map_err(Refusal::failed)? else {
        return Ok(gone());
    };
    let request = state.operations.accept_rows(caller, &rows, Some(once)).await?;
    state.store.drop_draft(&caller.who, ADDRESS).await?;
    Ok(Redirect::to(&format!("/trade/requests/{request}")).into_response())
}

/// What came of what was lodged together.
pub(super) async fn request(
    State(state): State<AppState>,
    language: Language,
    person: SignedIn,
    Path(id): Path<String>,
) -> Result<Markup, Refusal> {
    let row = state.operations.request(&person.caller, id_of(&id)?).await?;
    let say = |key| language.say(key);
    let lodged = row.outcomes.iter().filter(|item| matches!(item.outcome, ItemOutcome::Lodged(_))).count();
    let shown: Vec<_> = row.outcomes.iter().map(|item| outcome(language, item)).collect();
    let counts = [("lodged", lodged.to_string()), ("all", row.items.to_string())];
    let counts: Vec<_> = counts.iter().map(|(name, count)| (*name, count.as_str())).collect();
    let content = html! {
        h1 class="govuk-heading-l" { (say("request-title")) }
        p class="govuk-body-l" { (language.say_with("request-counts", &counts)) }
        @if !row.is_completed() { p class="govuk-body" { (say("request-waiting")) } }
        (lines(&shown))
    };
    let (title, address) = (say("request-title"), format!("/trade/requests/{}", row.id));
    let frame = Frame {
        language,
        person: Some(&person),
        title,
        address: &address,
        back: Some("/trade/consignments"),
    };
    Ok(page(&frame, &content))
}

fn outcome(language: Language, item: &Acknowledged) -> Line {
    let name = |plain: &str| {
        html! {
            @if let Some(origin) = &item.origin { (row_name(language, origin)) " " }
            span class="portal-mono" { (plain) }
        }
    };
    match &item.outcome {
        ItemOutcome::Lodged(ccrn) => Line {
            to: Some(format!("/trade/consignments/{}", ccrn.as_str())),
            name: name(&terms::spaced(ccrn.as_str())),
            hint: None,
            status: tag(&language.say("upload-right"), "green"),
        },
        ItemOutcome::Refused(faults) => {
            let origin = Origin { format: Format::Csv, row: 0, goods: Vec::new(), reference: None };
            wrong_line(language, item.origin.as_ref().unwrap_or(&origin), faults)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_bytes_come_back_from_a_draft_as_they_were() {
        let bytes: Vec<u8> = (0..=255).collect();
        let kept = Kept { format: Format::Csv, name: String::new(), bytes: BASE64.encode(&bytes) };
        assert_eq!(kept.bytes(), Some(bytes));
        assert_eq!(Kept { bytes: "0g".to_owned(), ..kept }.bytes(), None);
    }

    #[test]
    fn a_format_is_known_by_the_name_or_by_what_is_in_it() {
        assert_eq!(format_of("a.XLSX", b""), Some(Format::Xlsx));
        assert_eq!(format_of("unicode.txt", b""), Some(Format::Csv));
        assert_eq!(format_of("a", b"PK\x03\x04"), Some(Format::Xlsx));
        assert_eq!(format_of("a.pdf", b"%PDF"), None);
    }
}
