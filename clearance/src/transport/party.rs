//! Whom a certificate names: its common name, in one scheme.

use std::fmt;
use std::str::FromStr;

use crate::ids::{EdgeId, SiteId};

/// Somebody who may take part, as the common name of a certificate says it: `central`, `router.SITE`,
/// `edge.SITE.EDGE`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// Central.
    Central,
    /// A router of a site; two routers of one site have the same name and keys of their own.
    Router(SiteId),
    /// An edge node of a site.
    Edge(SiteId, EdgeId),
}

/// Why a text names no party.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartyError {
    /// Another scheme.
    #[error(
        "the certificate's common name is {0:?}, not central, router.SITE or edge.SITE.EDGE; `central ca issue` makes such names"
    )]
    Scheme(String),
    /// A dot would let one name stand for two parties.
    #[error("{0:?} has a dot, and dots part the names in a certificate; use '-' instead")]
    Dot(String),
}

impl Party {
    /// A site's router.
    pub fn router(site: &SiteId) -> Result<Self, PartyError> {
        undotted(site.as_str())?;
        Ok(Self::Router(site.clone()))
    }

    /// A site's edge node.
    pub fn edge(site: &SiteId, edge: &EdgeId) -> Result<Self, PartyError> {
        undotted(site.as_str())?;
        undotted(edge.as_str())?;
        Ok(Self::Edge(site.clone(), edge.clone()))
    }
}

fn undotted(name: &str) -> Result<(), PartyError> {
    if name.contains('.') { Err(PartyError::Dot(name.to_owned())) } else { Ok(()) }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Central => f.write_str("central"),
            Self::Router(site) => write!(f, "router.{site}"),
            Self::Edge(site, edge) => write!(f, "edge.{site}.{edge}"),
        }
    }
}

impl FromStr for Party {
    type Err = PartyError;

    fn from_str(text: &str) -> Result<Self, PartyError> {
        let other = || PartyError::Scheme(text.chars().take(140).collect());
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            ["central"] => Ok(Self::Central),
            ["router", site] => Ok(Self::Router(site.parse().map_err(|_| other())?)),
            ["edge", site, edge] => {
                Ok(Self::Edge(site.parse().map_err(|_| other())?, edge.parse().map_err(|_| other())?))
            }
            _ => Err(other()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_one_party_only() {
        for text in ["central", "router.lok-ma-chau", "edge.lok-ma-chau.edge-1"] {
            assert_eq!(text.parse::<Party>().unwrap().to_string(), text);
        }
        for text in
            ["", "Central", "central.x", "router", "edge.a", "edge.a.b.c", "edge..b", "edge.a.B", "mallory"]
        {
            assert!(text.parse::<Party>().is_err(), "{text}");
        }
        let dotted = Party::edge(&"a.b".parse().unwrap(), &"c".parse().unwrap()).unwrap_err();
        assert_eq!(dotted, PartyError::Dot("a.b".to_owned()));
        assert!(Party::router(&"a.b".parse().unwrap()).is_err());
    }
}
