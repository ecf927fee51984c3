//! Reading what a client sends. Whatever is wrong with it is told as a problem, at the place where it lies.

use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection, RawPathParamsRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use clearance::ids::{Digest, UtcMillis};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::auth::client;
use super::problem::{FieldError, Problem};
use super::signed::{JOSE, Signed, media_type};
use crate::officers::Actor;
use crate::state::AppState;
use crate::storage::trade::OnceKey;
use crate::trade::{Caller, Fault, Faulty};

/// The longest key of a request that may be repeated.
const MOST_KEY: usize = 200;

/// A body of JSON, plain or signed.
pub(super) struct Body(Signed);

impl FromRequest<AppState> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        if !matches!(media_type(request.headers()), Some("application/json" | JOSE)) {
            let detail = "send the body as `Content-Type: application/json`, or signed as `application/jose`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        Self::of_any_kind(request, state).await
    }
}

impl Body {
    /// A body whose kind was looked at before.
    pub(super) async fn of_any_kind(request: Request, state: &AppState) -> Result<Self, Problem> {
        Signed::from_request(request, state).await.map(Self)
    }

    /// As it came, or as it was signed.
    pub(super) fn bytes(&self) -> Bytes {
        self.0.body.clone()
    }

    /// On behalf of which company, with what it has signed.
    pub(super) fn caller(&self, actor: &Actor) -> Result<Caller, Problem> {
        self.0.caller(actor)
    }

    /// Read it.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        parse(&self.0.body)
    }

    /// Read a list whose elements are read apart ([`element`]).
    pub(super) fn list(&self) -> Result<Vec<serde_json::Value>, Problem> {
        read(&self.0.body)
    }

    /// What tells this request from another, if its client may repeat it.
    pub(super) fn once(&self, headers: &HeaderMap, actor: &Actor) -> Result<Option<OnceKey>, Problem> {
        let mut keys = headers.get_all("idempotency-key").iter();
        let Some(key) = keys.next() else { return Ok(None) };
        let only = keys.next().is_none();
        let key = key.to_str().ok().filter(|key| only && (1..=MOST_KEY).contains(&key.len()));
        let key = key.ok_or_else(|| {
            let detail =
                format!("Idempotency-Key: once, 1 to {MOST_KEY} characters of ASCII, such as a UUID");
            Problem::new(StatusCode::BAD_REQUEST, detail)
        })?;
        Ok(Some(OnceKey {
            client: client(actor),
            key: key.to_owned(),
            request: Digest::of(&self.0.body).to_string(),
        }))
    }
}

/// Read JSON, in which no text has a null character: PostgreSQL cannot keep one, and nobody means it.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // JSON has no other way to write one.
    if bytes.windows(NULL_IN_JSON.len()).any(|some| some == NULL_IN_JSON) {
        let mut faults = Vec::new();
        nulls(&read(bytes)?, "", &mut faults);
        if !faults.is_empty() {
            return Err(Problem::faults(faults));
        }
    }
    read(bytes)
}

const NULL_IN_JSON: &[u8] = b"\\u0000";

/// Where texts with a null character lie.
fn nulls(value: &serde_json::Value, pointer: &str, faults: &mut Vec<Faulty>) {
    use serde_json::Value;
    match value {
        Value::String(text) if text.contains('\0') => faults.push(Faulty::at(pointer, null())),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| nulls(item, &format!("{pointer}/{i}"), faults));
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                nulls(field, &format!("{pointer}/{}", escaped(name)), faults);
            }
        }
        _ => {}
    }
}

fn null() -> Fault {
    Fault::Type { why: "a null character".to_owned() }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        if error.inner().is_data() {
            Problem::faults(vec![misread(error.path(), error.inner())])
        } else {
            Problem::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {}", error.inner()))
        }
    })?;
    let trailing = |e| Problem::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {e}"));
    json.end().map_err(trailing)?;
    Ok(read)
}

/// Read one element of a list.
pub(super) fn element<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Vec<Faulty>> {
    serde_path_to_error::deserialize(value).map_err(|error| vec![misread(error.path(), error.inner())])
}

fn misread(path: &Path, error: &serde_json::Error) -> Faulty {
    let why = error.to_string();
    let mut pointer = pointer(path);
    let fault = match quoted(&why) {
        Some(name) if why.starts_with("missing field") => {
            pointer = format!("{pointer}/{name}");
            Fault::Required
        }
        Some(_) if why.starts_with("unknown field") => Fault::NoSuchItem,
        _ => Fault::Type { why },
    };
    Faulty::at(pointer, fault)
}

/// The first name in backticks.
fn quoted(text: &str) -> Option<&str> {
    text.split('`').nth(1)
}

fn pointer(path: &Path) -> String {
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Map { key } => format!("{pointer}/{}", escaped(key)),
        Segment::Enum { variant } => format!("{pointer}/{variant}"),
        Segment::Unknown => pointer,
    })
}

/// A name as it stands in a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What an address names in its path.
pub(super) struct Named<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let garbled = |e: RawPathParamsRejection| Problem::new(e.status(), e.body_text());
        let names = RawPathParams::from_request_parts(parts, state).await.map_err(garbled)?;
        if names.iter().any(|(_, name)| name.contains('\0')) {
            // Nothing is ever named so.
            return Err(Problem::not_found("address: a name in it has a null character"));
        }
        let told = |e: PathRejection| Problem::new(e.status(), e.body_text());
        let named = axum::extract::Path::from_request_parts(parts, state).await;
        named.map(|axum::extract::Path(named)| Self(named)).map_err(told)
    }
}

/// The query of an address.
pub(super) struct Asked<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let told = |e: QueryRejection| Problem::new(StatusCode::BAD_REQUEST, e.body_text());
        let Query(asked): Query<Vec<(String, String)>> =
            Query::from_request_parts(parts, state).await.map_err(told)?;
        let null = |(name, value): (String, String)| {
            value.contains('\0').then(|| Faulty::at(format!("/{}", escaped(&name)), null()))
        };
        let faults: Vec<Faulty> = asked.into_iter().filter_map(null).collect();
        if !faults.is_empty() {
            return Err(Problem::faults(faults));
        }
        Query::from_request_parts(parts, state).await.map(|Query(asked)| Self(asked)).map_err(told)
    }
}

/// The version that the client has seen (`If-Match`), which it must tell. `None`: it does not matter to it (`*`).
pub(super) fn seen(headers: &HeaderMap) -> Result<Option<u32>, Problem> {
    let Some(tag) = headers.get(header::IF_MATCH) else {
        let detail = "send `If-Match` with the ETag that you have seen, or `*`";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, detail));
    };
    let tag = tag.to_str().unwrap_or_default().trim();
    if tag == "*" {
        return Ok(None);
    }
    let version =
        tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
    let unknown = || Problem::new(StatusCode::PRECONDITION_FAILED, format!("{tag} is no ETag of this"));
    version.map(Some).ok_or_else(unknown)
}

/// The ETag of a version.
pub(super) fn etag(version: u32) -> [(header::HeaderName, String); 1] {
    [(header::ETAG, format!("\"{version}\""))]
}

/// Read a moment.
pub(super) fn time(text: &str) -> Result<UtcMillis, Fault> {
    let time: jiff::Timestamp = text.parse().map_err(|_| Fault::Time)?;
    Ok(UtcMillis(time.as_millisecond()))
}

/// Take a field or note what is wrong with it.
pub(super) fn field<T, E: ToString>(
    errors: &mut Vec<FieldError>,
    pointer: &str,
    value: Result<T, E>,
) -> Option<T> {
    value.map_err(|e| errors.push(FieldError::at(pointer, e))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trade::Consignment;

    fn faults(text: &str) -> Vec<Faulty> {
        element::<Consignment>(serde_json::from_str(text).unwrap()).unwrap_err()
    }

    #[test]
    fn a_fault_lies_where_its_item_is() {
        assert_eq!(faults("{}"), [Faulty::at("/direction", Fault::Required)]);
        assert_eq!(faults(r#"{"trader":"other"}"#), [Faulty::at("/trader", Fault::NoSuchItem)]);
        let party = r#"{"direction":"inbound","consignor":{"name":7}}"#;
        assert_eq!(faults(party)[0].pointer, "/consignor/name");
    }

    #[test]
    fn a_text_with_a_null_character_is_told_wherever_it_lies() {
        assert!(parse::<serde_json::Value>(br#"{"a":"\\u0000"}"#).is_ok(), "a backslash, and then letters");
        let body = br#"{"a":["b",{"c/d":"e\u0000"}],"f":"\u0000"}"#;
        let mut faults = Vec::new();
        nulls(&read(body).unwrap(), "", &mut faults);
        let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/a/1/c~1d", "/f"]);
        assert!(parse::<serde_json::Value>(body).is_err());
    }

    #[test]
    fn what_follows_the_body_is_refused() {
        assert!(parse::<u32>(b"1 2").is_err());
        assert!(parse::<u32>(b"1 ").is_ok());
    }

    #[test]
    fn a_version_is_told_or_none_matters() {
        let told = |tag: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, tag.parse().unwrap());
            seen(&headers).ok()
        };
        assert_eq!(told("\"3\""), Some(Some(3)));
        assert_eq!(told("*"), Some(None));
        assert_eq!(told("3"), None);
        assert!(seen(&HeaderMap::new()).is_err());
    }
}
