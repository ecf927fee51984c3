//! Why a page is not shown, told in the reader's language.

use axum::Extension;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::frame::{Frame, page};
use crate::officers::PasswordError;
use crate::people::{PasskeyError, TotpError};
use crate::secrets::OtherKey;
use crate::storage::StorageError;
use crate::storage::trade::{Conflict, Refused};
use crate::words::Language;

/// Why a page is not shown.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Sign in, and come back to this address.
    SignInFirst(String),
    /// The form is of another session, or of somebody else's page.
    ForeignForm,
    /// There is none, or none that the person may know of.
    NotFound,
    /// It stands where this cannot be done any more.
    Standing(Conflict),
    /// Somebody has changed it since the form was shown.
    Changed,
    /// More than a form holds.
    TooLarge,
    /// No form at all.
    NoForm,
    /// Too many requests.
    TooMany,
    /// Central.
    Failed(String),
}

impl Refusal {
    /// Central failed; `error` is for its log.
    pub(super) fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        Self::failed(error)
    }
}

impl From<OtherKey> for Refusal {
    fn from(error: OtherKey) -> Self {
        Self::failed(error)
    }
}

impl From<TotpError> for Refusal {
    fn from(error: TotpError) -> Self {
        Self::failed(error)
    }
}

impl From<PasskeyError> for Refusal {
    fn from(error: PasskeyError) -> Self {
        Self::failed(error)
    }
}

impl From<PasswordError> for Refusal {
    fn from(error: PasswordError) -> Self {
        Self::failed(error)
    }
}

/// Of what no item of a form is to blame for.
impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotFound(_) => Self::NotFound,
            Refused::Standing(conflict) => Self::Standing(conflict),
            Refused::Version { .. } => Self::Changed,
            Refused::Faults(_) => Self::NoForm,
            Refused::Storage(error) => Self::failed(error),
        }
    }
}

/// The words, by their key, that a response still lacks: whoever refuses does not know the reader's language.
#[derive(Clone, Copy)]
struct Untold(&'static str);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, words) = match self {
            Self::SignInFirst(next) => {
                let to = format!("/trade/sign-in?next={}", super::session::escaped(&next));
                return Redirect::to(&to).into_response();
            }
            Self::ForeignForm => (StatusCode::FORBIDDEN, "refused-foreign-form"),
            Self::NotFound => (StatusCode::NOT_FOUND, "refused-not-found"),
            Self::Standing(conflict) => (StatusCode::CONFLICT, super::terms::conflict(conflict)),
            Self::Changed => (StatusCode::CONFLICT, "refused-changed"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "refused-too-large"),
            Self::NoForm => (StatusCode::UNPROCESSABLE_ENTITY, "refused-no-form"),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "refused-too-many"),
            Self::Failed(error) => {
                tracing::error!(error, "a page of the portal failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "refused-failed")
            }
        };
        (status, Extension(Untold(words))).into_response()
    }
}

/// Tell a refusal in the reader's language.
pub(super) async fn tell_refusals(language: Language, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let Some(Untold(words)) = response.extensions().get().copied() else { return response };
    let content = html! {
        h1 class="govuk-heading-l" { (language.say("refused-title")) }
        p class="govuk-body" { (language.say(words)) }
        p class="govuk-body" { a class="govuk-link" href="/trade" { (language.say("back-home")) } }
    };
    let frame =
        Frame { language, person: None, title: language.say("refused-title"), address: "/trade", back: None };
    (response.status(), page(&frame, &content)).into_response()
}
