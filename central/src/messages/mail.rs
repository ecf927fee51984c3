//! E-mail, handed to a server over SMTP. The Message-ID stays the same when a message is sent once more, so that whoever gets it
//! twice can tell.

use std::time::Duration;

use anyhow::Context as _;
use clearance::ids::{Digest, UtcMillis};
use lettre::message::{Mailbox, MessageBuilder, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::attempt::{Attempt, Failure};
use super::config::{SmtpConfig, SmtpTls};
use super::text::Letter;
use crate::ca::read_secret;

/// How long the server may take for one step.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends e-mail.
#[derive(Clone)]
pub(super) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mail {
    pub(super) fn open(config: &SmtpConfig) -> anyhow::Result<Self> {
        let from = config.from.parse().context("messages.smtp.from")?;
        let tls = match config.tls {
            SmtpTls::Starttls => Tls::Required(parameters(config)?),
            SmtpTls::Tls => Tls::Wrapper(parameters(config)?),
            SmtpTls::None => Tls::None,
        };
        let usual = match config.tls {
            SmtpTls::Starttls => 587,
            SmtpTls::Tls => 465,
            SmtpTls::None => 25,
        };
        // Dangerous is what it is called for it has no TLS unless one says so, as we do.
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port.unwrap_or(usual))
            .tls(tls)
            .timeout(Some(TIMEOUT));
        if let (Some(name), Some(file)) = (&config.username, &config.password_file) {
            let named = || format!("messages.smtp.password_file = {}", file.display());
            let password = read_secret(file).with_context(named)?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            transport = transport.credentials(Credentials::new(name.clone(), password));
        }
        Ok(Self { transport: transport.build(), from })
    }

    pub(super) async fn send(&self, to: &str, id: &str, at: UtcMillis, letter: &Letter) -> Attempt {
        let message = match self.message(to, id, at, letter) {
            Ok(message) => message,
            Err(error) => return Attempt::Refused(Failure::said(None, &format!("{error:#}"))),
        };
        match self.transport.send(message).await {
            Ok(answer) => Attempt::Delivered(answer.code().to_string().parse().ok()),
            Err(error) => {
                let status = error.status().and_then(|code| code.to_string().parse().ok());
                let failure = Failure::new(status, &error);
                // That the server does not let us in is for the operator to mend; that it knows no such mailbox, for the company.
                let theirs = matches!(status, Some(550..=554));
                if error.is_permanent() && theirs {
                    Attempt::Refused(failure)
                } else {
                    Attempt::Failed(failure)
                }
            }
        }
    }

    fn message(&self, to: &str, id: &str, at: UtcMillis, letter: &Letter) -> anyhow::Result<Message> {
        let to: Mailbox = to.parse().context("the address")?;
        let whose = Digest::of(to.email.to_string().to_lowercase().as_bytes()).to_string();
        let id = format!("<{id}.{}@{}>", &whose[..16], self.from.email.domain());
        // When it happened: the same each time it is sent.
        let date = std::time::UNIX_EPOCH + Duration::from_millis(at.0.max(0).unsigned_abs());
        let message = MessageBuilder::new()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject.clone())
            .message_id(Some(id))
            .date(date)
            // Nobody's absence is reported back to a machine (RFC 3834).
            .header(Machine)
            .header(header::ContentType::TEXT_PLAIN)
            .body(letter.body.clone())?;
        Ok(message)
    }
}

/// `Auto-Submitted: auto-generated`.
#[derive(Clone)]
struct Machine;

impl header::Header for Machine {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

fn parameters(config: &SmtpConfig) -> anyhow::Result<TlsParameters> {
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(file) = &config.ca {
        let named = || format!("messages.smtp.ca = {}", file.display());
        let pem = std::fs::read(file).with_context(named)?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).with_context(named)?);
    }
    parameters.build().context("messages.smtp")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> Mail {
        let from = "Clearlane <noreply@lane.example>".to_owned();
        let (host, port, tls) = ("localhost".to_owned(), None, SmtpTls::None);
        Mail::open(&SmtpConfig { host, port, from, tls, username: None, password_file: None, ca: None })
            .unwrap()
    }

    #[tokio::test]
    async fn nobody_can_put_a_header_into_a_message() {
        let letter = Letter {
            subject: "Seal 1\r\nBcc: everybody@example.com\r\n\r\nHello".to_owned(),
            body: "Text\r\n.\r\nRCPT TO:<everybody@example.com>".to_owned(),
        };
        let message = mail().message("ops@example.com", "e-1-2", UtcMillis(0), &letter).unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap();
        let names: Vec<_> = head
            .lines()
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|l| l.split(':').next())
            .collect();
        assert!(!names.contains(&"Bcc") && head.contains("Subject:"), "{head}");
        assert_eq!(message.envelope().to().len(), 1);
        assert!(mail().message("ops@example.com\r\nBcc: a@b.c", "e", UtcMillis(0), &letter).is_err());
    }

    #[tokio::test]
    async fn a_message_sent_again_is_the_same() {
        let letter = Letter { subject: "轉為待檢".to_owned(), body: "中文".to_owned() };
        let once = mail().message("ops@example.com", "e-1-2", UtcMillis(5_000), &letter).unwrap().formatted();
        let again =
            mail().message("ops@example.com", "e-1-2", UtcMillis(5_000), &letter).unwrap().formatted();
        assert_eq!(once, again);
        let other =
            mail().message("cfo@example.com", "e-1-2", UtcMillis(5_000), &letter).unwrap().formatted();
        let id = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            text.lines().find(|line| line.starts_with("Message-ID")).unwrap().to_owned()
        };
        assert_ne!(id(&once), id(&other));
        assert!(id(&once).ends_with("@lane.example>"), "{}", id(&once));
    }
}
