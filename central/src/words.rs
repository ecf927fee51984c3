//! Words for people, in the reader's language: console, portal and messages.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader as _, static_loader};

static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "en",
        // Marks of direction round values belong to scripts that run both ways; ours do not, and they end up in what people copy.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// In which a reader's choice is kept.
const COOKIE: &str = "language";

/// A language that people are spoken to in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// English.
    English,
    /// 繁體中文.
    Traditional,
    /// 简体中文.
    Simplified,
}

impl Language {
    pub(crate) const ALL: [Self; 3] = [Self::English, Self::Traditional, Self::Simplified];

    /// Its tag.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Traditional => "zh-Hant",
            Self::Simplified => "zh-Hans",
        }
    }

    /// Its own name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Traditional => "繁體中文",
            Self::Simplified => "简体中文",
        }
    }

    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.tag() == tag)
    }

    /// The cookie by which a reader's choice is kept for the pages below `path`; a tag that nobody speaks chooses English.
    pub(crate) fn chosen(tag: &str, path: &'static str) -> Cookie<'static> {
        let language = Self::of_tag(tag).unwrap_or(Self::English);
        Cookie::build((COOKIE, language.tag())).path(path).same_site(SameSite::Lax).permanent().build()
    }

    /// A word or sentence; its own key where it is missing, which a test forbids.
    pub(crate) fn say(self, key: &str) -> String {
        let language: LanguageIdentifier = self.tag().parse().unwrap_or_default();
        LOCALES.try_lookup(&language, key).unwrap_or_else(|| key.to_owned())
    }

    /// A sentence with values in it.
    pub(crate) fn say_with(self, key: &str, values: &[(&'static str, &str)]) -> String {
        let language: LanguageIdentifier = self.tag().parse().unwrap_or_default();
        let values =
            values.iter().map(|(name, value)| (Cow::from(*name), FluentValue::from((*value).to_owned())));
        LOCALES.try_lookup_with_args(&language, key, &values.collect()).unwrap_or_else(|| key.to_owned())
    }

    /// The first language a browser accepts that the console speaks.
    fn accepted(header: &str) -> Self {
        header
            .split(',')
            .filter_map(|part| part.split(';').next())
            .map(|tag| tag.trim().to_ascii_lowercase())
            .find_map(|tag| match tag.as_str() {
                "zh-cn" | "zh-sg" | "zh-hans" | "zh-hans-cn" => Some(Self::Simplified),
                tag if tag.starts_with("zh") => Some(Self::Traditional),
                tag if tag.starts_with("en") => Some(Self::English),
                _ => None,
            })
            .unwrap_or(Self::English)
    }
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let jar = CookieJar::from_headers(&parts.headers);
        let chosen = jar.get(COOKIE).and_then(|c| Self::of_tag(c.value()));
        let accepted = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|h| h.to_str().ok()).unwrap_or("");
        Ok(chosen.unwrap_or_else(|| Self::accepted(accepted)))
    }
}

/// The files of words of a language.
#[cfg(test)]
macro_rules! files {
    ($tag:literal) => {
        [
            include_str!(concat!("../locales/", $tag, "/console.ftl")),
            include_str!(concat!("../locales/", $tag, "/portal.ftl")),
            include_str!(concat!("../locales/", $tag, "/batch.ftl")),
            include_str!(concat!("../locales/", $tag, "/messages.ftl")),
            include_str!(concat!("../locales/", $tag, "/workbench.ftl")),
        ]
    };
}

/// The files of words, by language.
#[cfg(test)]
const FILES: [(Language, [&str; 5]); 3] = [
    (Language::English, files!("en")),
    (Language::Traditional, files!("zh-Hant")),
    (Language::Simplified, files!("zh-Hans")),
];

/// The keys that a language itself has words for: a look-up would fall back to English.
#[cfg(test)]
pub(crate) fn keys(language: Language) -> Vec<&'static str> {
    let files = FILES.into_iter().filter(|(of, _)| *of == language).flat_map(|(_, files)| files);
    files.flat_map(str::lines).filter_map(|l| l.split_once(" = ")).map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of all values in sentences.
    const VALUES: [&str; 39] = [
        "company",
        "login",
        "added",
        "used",
        "at",
        "reference",
        "until",
        "ccrn",
        "number",
        "minutes",
        "mark",
        "whom",
        "version",
        "from",
        "to",
        "status",
        "seal",
        "state",
        "item",
        "why",
        "most",
        "least",
        "days",
        "known",
        "row",
        "right",
        "all",
        "lodged",
        "movement",
        "subject",
        "time",
        "url",
        "webhook",
        "attempts",
        "seq",
        "address",
        "place",
        "how",
        "lines",
    ];

    #[test]
    fn every_language_has_every_word() {
        let english = keys(Language::English);
        assert!(english.len() > 250);
        assert_eq!(english, keys(Language::Traditional));
        assert_eq!(english, keys(Language::Simplified));
        for language in Language::ALL {
            for key in &english {
                let said = language.say_with(key, &VALUES.map(|name| (name, "1")));
                assert!(said != *key && !said.contains('{'), "{} {key}: {said}", language.tag());
            }
        }
    }

    #[test]
    fn no_word_is_given_twice_and_values_are_the_same_in_every_language() {
        let values = |line: &str| {
            let mut names: Vec<_> = line
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split('}').next())
                .map(str::trim)
                .map(str::to_owned)
                .collect();
            names.sort();
            names
        };
        let lines = |language| {
            let files = FILES.into_iter().filter(move |(of, _)| *of == language).flat_map(|(_, files)| files);
            files.flat_map(str::lines).filter_map(|l| l.split_once(" = "))
        };
        let english: std::collections::BTreeMap<_, _> = lines(Language::English).collect();
        assert_eq!(english.len(), keys(Language::English).len(), "a key is there twice");
        for language in Language::ALL {
            for (key, text) in lines(language) {
                assert_eq!(values(text), values(english[key]), "{} {key}", language.tag());
            }
        }
    }

    #[test]
    fn the_browser_chooses_the_language() {
        assert_eq!(Language::accepted("zh-HK,zh;q=0.9,en;q=0.8"), Language::Traditional);
        assert_eq!(Language::accepted("zh-CN"), Language::Simplified);
        assert_eq!(Language::accepted("fr,en;q=0.5"), Language::English);
        assert_eq!(Language::accepted(""), Language::English);
    }
}
