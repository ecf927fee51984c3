//! What a form was filled in with, as it was typed: it goes back into the form when something is wrong with it, and into a draft.

use std::collections::BTreeMap;

use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request};
use axum::{Form, RequestExt as _};

use super::refusal::Refusal;

/// As many fields as a form has at most: a consignment with all its lines of goods.
const MOST_FIELDS: usize = 6000;

/// Fields by name. Of one that is there several times, such as boxes that are ticked, the values are in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(BTreeMap<String, Vec<String>>);

impl Fields {
    /// A field's value, without white space round it; empty where it is not filled in.
    pub(super) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// As it was typed.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0.get(name).and_then(|values| values.first()).map_or("", String::as_str)
    }

    /// A field's value, if it is filled in.
    pub(super) fn filled(&self, name: &str) -> Option<String> {
        let text = self.get(name);
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Every value of a field.
    pub(super) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether there is such a field: a button that was pressed, a box that was ticked.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Fill a field in.
    pub(super) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), vec![value.into()]);
    }

    /// Fill a field in with several values.
    pub(super) fn set_all(&mut self, name: impl Into<String>, values: Vec<String>) {
        self.0.insert(name.into(), values);
    }

    /// The names of fields that begin so.
    pub(super) fn names(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(move |name| name.starts_with(prefix))
    }

    /// As a draft is kept: without what belongs to one sending of it.
    pub(super) fn draft(&self) -> String {
        let kept: BTreeMap<_, _> = self
            .0
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "csrf" | "once" | "keep" | "more"))
            .collect();
        serde_json::to_string(&kept).unwrap_or_default()
    }

    /// A draft that was kept; one that cannot be read is none.
    pub(super) fn of_draft(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let Form(pairs): Form<Vec<(String, String)>> = request.extract().await.map_err(|e| match e {
            FormRejection::BytesRejection(_) => Refusal::TooLarge,
            _ => Refusal::NoForm,
        })?;
        if pairs.len() > MOST_FIELDS {
            return Err(Refusal::TooLarge);
        }
        let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in pairs {
            // PostgreSQL cannot keep it, and nobody types it.
            if name.contains('\0') || value.contains('\0') {
                return Err(Refusal::NoForm);
            }
            // Browsers send line ends as CR LF, whatever was typed.
            fields.entry(name).or_default().push(value.replace("\r\n", "\n"));
        }
        Ok(Self(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_what_was_filled_in_and_nothing_of_its_sending() {
        let mut fields = Fields::default();
        for (name, value) in [("/packages", " 12 "), ("csrf", "secret"), ("once", "x"), ("keep", "")] {
            fields.set(name, value);
        }
        let again = Fields::of_draft(&fields.draft());
        assert_eq!((again.get("/packages"), again.raw("/packages")), ("12", " 12 "));
        assert!(!again.has("csrf") && !again.has("once") && !again.has("keep"));
        assert!(Fields::of_draft("no draft").get("/packages").is_empty());
    }
}
