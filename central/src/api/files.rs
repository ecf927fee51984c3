//! Consignments in files: CSV, spreadsheets and XML in place of JSON, and templates to fill in.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use utoipa::{IntoParams, ToSchema};

use super::body::{Asked, Body};
use super::problem::{FieldError, Problem};
use super::signed::{JOSE, media_type};
use crate::officers::Actor;
use crate::state::AppState;
use crate::trade::batch::{self, BatchError, Format, Row};
use crate::words::Language;

/// As many files as are read at once: each may take more memory than it has bytes.
static READERS: Semaphore = Semaphore::const_new(4);

/// A body with many consignments.
pub(super) struct Many {
    /// What was sent.
    pub(super) body: Body,
    /// The format of a file; none for JSON.
    pub(super) format: Option<Format>,
}

impl FromRequest<AppState> for Many {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let kind = media_type(request.headers()).unwrap_or_default();
        let format = Format::of_media_type(kind);
        if format.is_none() && !["application/json", JOSE].contains(&kind) {
            let detail = format!(
                "send the body as `Content-Type: application/json`, signed as `application/jose`, or as a file: `{}`",
                Format::ALL.map(Format::media_type).join("`, `")
            );
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        if format.is_some() && !is_unicode(request.headers()) {
            let detail = "charset: utf-8, or utf-16 with a byte order mark";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        Ok(Self { body: Body::of_any_kind(request, state).await?, format })
    }
}

/// Whether the announced character set, if one is, is one that files are read in.
fn is_unicode(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let told = kind.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut sets = told.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    sets.all(|(_, set)| {
        let set = set.trim().trim_matches('"').to_ascii_lowercase();
        ["utf-8", "utf-16", "utf-16le", "utf-16be", "us-ascii"].contains(&set.as_str())
    })
}

/// Read a file, for the API and for pages. It takes a while, so that it is done where nobody waits for it.
pub(crate) async fn read_aside(
    format: Format,
    bytes: Bytes,
) -> Result<Result<Vec<Row>, BatchError>, JoinError> {
    // Never closed.
    let _place = READERS.acquire().await.ok();
    tokio::task::spawn_blocking(move || batch::read(format, &bytes)).await
}

/// Read a file.
pub(super) async fn rows(format: Format, bytes: Bytes) -> Result<Vec<Row>, Problem> {
    Ok(read_aside(format, bytes).await.map_err(|e| Problem::internal(&e))??)
}

impl From<BatchError> for Problem {
    fn from(error: BatchError) -> Self {
        let errors = match &error {
            BatchError::Columns { row, faults } => {
                let told = |fault| FieldError { row: Some(*row), ..FieldError::at("", fault) };
                faults.iter().map(told).collect()
            }
            error => {
                error.place().map(|place| FieldError::at("", error).in_file(place)).into_iter().collect()
            }
        };
        Self::new(status(&error), &error).with(errors)
    }
}

/// What cannot be read at all is a bad request; what can, and makes no sense, cannot be processed.
fn status(error: &BatchError) -> StatusCode {
    match error {
        BatchError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        BatchError::NotText
        | BatchError::Encoding
        | BatchError::Spreadsheet(_)
        | BatchError::Malformed { .. }
        | BatchError::OpenQuote
        | BatchError::Doctype { .. }
        | BatchError::Entity { .. } => StatusCode::BAD_REQUEST,
        BatchError::Unwritten(_) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// A workbook, as the description of the API names its bytes.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "only ever described")]
pub(super) struct Workbook(Vec<u8>);

/// Which template.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Format of the file.
    format: Format,
    /// `en`, `zh-Hant` or `zh-Hans`; by default what `Accept-Language` prefers.
    language: Option<String>,
}

/// A template for many consignments
#[utoipa::path(get, path = "/api/v1/consignments/template", params(Wanted), tag = "consignments",
    responses((status = 200, content((String = "text/csv"), (Workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (String = "application/xml"))), (status = 400, response = Problem), (status = 422, response = Problem)))]
pub(super) async fn template(
    _: Actor,
    preferred: Language,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let named = wanted.language.map(|tag| Language::of_tag(&tag).ok_or("en, zh-Hant or zh-Hans"));
    let named = named.transpose().map_err(|why| Problem::fields(vec![FieldError::at("/language", why)]))?;
    let language = named.unwrap_or(preferred);
    let (format, name) = (wanted.format, wanted.format.name());
    let file = batch::template(format, &|key| language.say(key))?;
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"consignments.{name}\"")),
    ];
    Ok((headers, file).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_in_the_character_sets_that_are_known() {
        let told = |kind: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            is_unicode(&headers)
        };
        for kind in ["text/csv", "text/csv; charset=UTF-8", "text/csv;header=present;Charset=\"utf-16\""] {
            assert!(told(kind), "{kind}");
        }
        assert!(!told("text/csv; charset=big5"));
        assert!(!told("text/csv; charset=utf-8; charset=gbk"));
    }
}
