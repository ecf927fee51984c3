//! Errors as RFC 9457 problem details, with a pointer to each field that is wrong.

use std::time::Duration;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{ToResponse, ToSchema};

use crate::storage::trade::Refused;
use crate::trade::Faulty;
use crate::trade::batch::Place;

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct FieldError {
    /// JSON pointer to the field.
    pub pointer: String,
    /// What is wrong, and what would be right.
    pub detail: String,
    /// In a file: the row of the sheet, or the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u32>,
    /// In a file: the heading of the column, or the path of elements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

impl FieldError {
    /// An error at a field.
    pub(super) fn at(pointer: impl Into<String>, detail: impl ToString) -> Self {
        Self { pointer: pointer.into(), detail: detail.to_string(), row: None, column: None }
    }

    /// The same, where it lies in a file.
    pub(super) fn in_file(self, place: Place) -> Self {
        Self { row: Some(place.row), column: place.column, ..self }
    }
}

/// What the client is told when something is wrong.
#[derive(Clone, Debug, Serialize, ToSchema, ToResponse)]
#[response(description = "What is wrong, and how to mend it", content_type = "application/problem+json")]
pub struct Problem {
    #[serde(rename = "status")]
    code: u16,
    title: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// Seconds until the client may come back.
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    /// What went wrong, with what would mend it.
    pub(crate) fn new(status: StatusCode, detail: impl ToString) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self {
            code: status.as_u16(),
            title,
            detail: detail.to_string(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// The body has fields that are wrong; all are told at once.
    pub(super) fn fields(errors: Vec<FieldError>) -> Self {
        let detail = "some fields are wrong: see errors";
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// With what is wrong in detail.
    pub(super) fn with(self, errors: Vec<FieldError>) -> Self {
        Self { errors, ..self }
    }

    /// The client has sent too many requests.
    pub(super) fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let detail = format!("too many requests from this client; come back in {seconds} s");
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// Too many from one address have shown what nobody has.
    pub(super) fn too_many_failed(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let detail = format!("too many failed sign-ins from this address; come back in {seconds} s");
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// Whether it says that nobody is known by what was shown.
    pub(super) fn is_of_nobody(&self) -> bool {
        self.code == StatusCode::UNAUTHORIZED.as_u16()
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no such {what}"))
    }

    /// Something failed here. The client learns no detail; the log does.
    pub(super) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the request failed here; nothing was changed. Try again later",
        )
    }
}

impl Problem {
    /// Items of a declaration are wrong.
    pub(super) fn faults(faults: Vec<Faulty>) -> Self {
        Self::fields(faults.into_iter().map(|f| FieldError::at(f.pointer, f.fault)).collect())
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotFound(what) => Self::not_found(what),
            Refused::Faults(faults) => Self::faults(faults),
            Refused::Version { .. } => Self::new(StatusCode::PRECONDITION_FAILED, refused),
            Refused::Standing(_) => Self::new(StatusCode::CONFLICT, refused),
            Refused::Storage(error) => error.into(),
        }
    }
}

impl From<crate::storage::StorageError> for Problem {
    fn from(error: crate::storage::StorageError) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry = self.retry_after.map(|seconds| [(header::RETRY_AFTER, seconds.to_string())]);
        let sign_in = (status == StatusCode::UNAUTHORIZED).then_some([(header::WWW_AUTHENTICATE, "Bearer")]);
        (status, retry, sign_in, [(header::CONTENT_TYPE, "application/problem+json")], Json(self))
            .into_response()
    }
}
