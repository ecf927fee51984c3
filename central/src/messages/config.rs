//! How news leaves, as the configuration says. A way that is left out is closed, and the API says so.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The ways by which news leaves.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessagesConfig {
    /// Requests to companies' systems.
    pub webhooks: Option<WebhooksConfig>,
    /// E-mail.
    pub smtp: Option<SmtpConfig>,
    /// SMS.
    pub sms: Option<SmsConfig>,
    /// Of former releases: what is `origin` of `[portal]` now. Refused, for two keys that say the same say different things one day.
    public_url: Option<String>,
}

/// Requests to companies' systems.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhooksConfig {
    /// Whether addresses may be of http, too. Default: https only.
    #[serde(default)]
    pub allow_http: bool,
    /// Whether they may lie in this machine or its network. Default: in the public network only, so that nobody reaches what is
    /// behind central's walls through central.
    #[serde(default)]
    pub allow_private: bool,
}

/// The server that takes e-mail.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Its name, as its certificate has it.
    pub host: String,
    /// Default: 587 with STARTTLS, 465 with TLS, 25 with none.
    pub port: Option<u16>,
    /// Whom mail is from, such as `Clearlane <noreply@example.org>`.
    pub from: String,
    /// How the connection is kept secret.
    #[serde(default)]
    pub tls: SmtpTls,
    /// With which name to sign in. Left out: no sign-in.
    pub username: Option<String>,
    /// File with the password, readable by its owner only.
    pub password_file: Option<PathBuf>,
    /// An authority of one's own that the server's certificate is of, PEM. Default: the public ones.
    pub ca: Option<PathBuf>,
}

/// How a connection to the mail server is kept secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// It begins plainly and must become TLS before anything is said.
    #[default]
    Starttls,
    /// TLS from the start.
    Tls,
    /// Not at all: a relay on this machine.
    None,
}

/// The adapter that sends SMS.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsConfig {
    /// Takes `POST {"to", "text", "id"}`.
    pub url: String,
    /// File with its bearer token, readable by its owner only.
    pub token_file: PathBuf,
}

impl MessagesConfig {
    /// Paths are relative to a folder.
    pub(crate) fn beside(self, folder: &Path) -> Self {
        let smtp = self.smtp.map(|smtp| SmtpConfig {
            password_file: smtp.password_file.map(|file| folder.join(file)),
            ca: smtp.ca.map(|file| folder.join(file)),
            ..smtp
        });
        let sms = self.sms.map(|sms| SmsConfig { token_file: folder.join(sms.token_file), ..sms });
        Self { smtp, sms, ..self }
    }

    /// What can be checked without files.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        if let Some(smtp) = &self.smtp {
            let from = smtp.from.parse::<lettre::message::Mailbox>();
            from.map_err(|e| {
                ("messages.smtp.from", format!("{e}; such as Clearlane <noreply@example.org>"))
            })?;
            if smtp.username.is_some() != smtp.password_file.is_some() {
                let why = "username and password_file belong together".to_owned();
                return Err(("messages.smtp", why));
            }
            if smtp.tls == SmtpTls::None && (smtp.username.is_some() || !is_here(&smtp.host)) {
                let why = "none only for a relay on this machine, without username".to_owned();
                return Err(("messages.smtp.tls", why));
            }
        }
        if let Some(sms) = &self.sms {
            let url = address("messages.sms.url", &sms.url)?;
            let here = url.host_str().is_some_and(is_here);
            if url.scheme() != "https" && !here {
                let why = "https, or http on this machine: the token is a secret".to_owned();
                return Err(("messages.sms.url", why));
            }
        }
        if let Some(url) = &self.public_url {
            let why = format!(
                "this is `origin` of [portal] now: write origin = \"{url}\" there, and leave it out here"
            );
            return Err(("messages.public_url", why));
        }
        Ok(())
    }
}

fn is_here(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]")
}

/// An address of the web in a configuration.
pub(crate) fn address(key: &'static str, text: &str) -> Result<reqwest::Url, (&'static str, String)> {
    let url = text.parse::<reqwest::Url>().map_err(|e| (key, format!("{text}: {e}")))?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err((key, format!("{text}: http or https")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), (&'static str, String)> {
        toml::from_str::<MessagesConfig>(text).unwrap().check()
    }

    #[test]
    fn what_would_tell_secrets_is_refused() {
        let smtp =
            |more: &str| format!("smtp = {{ host = \"mail.example.org\", from = \"Lane <a@b.org>\"{more} }}");
        assert_eq!(check(&smtp("")), Ok(()));
        assert_eq!(check(&smtp(", username = \"a\", password_file = \"p\"")), Ok(()));
        assert!(check(&smtp(", username = \"a\"")).is_err());
        assert!(check(&smtp(", tls = \"none\"")).is_err());
        assert!(check("smtp = { host = \"localhost\", from = \"nobody\" }").is_err());
        assert_eq!(check("smtp = { host = \"localhost\", from = \"a@b.org\", tls = \"none\" }"), Ok(()));
        assert!(check("sms = { url = \"http://sms.example.org\", token_file = \"t\" }").is_err());
        assert_eq!(check("sms = { url = \"http://127.0.0.1:9\", token_file = \"t\" }"), Ok(()));
        let (key, why) = check("public_url = \"https://trade.example.org\"").unwrap_err();
        assert!(key == "messages.public_url" && why.contains("`origin` of [portal]"), "{key}: {why}");
    }
}
