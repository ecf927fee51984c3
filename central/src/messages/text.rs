//! What people are sent, in their language: what happened, to what, and where to look. Nothing tells why customs decided as it did.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::storage::trade::EventRow;
use crate::trade::News;
use crate::trade::news::{Report, SealState};
use crate::words::Language;

/// An e-mail without its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) body: String,
}

/// For whom something is put into words.
pub(super) struct Reader<'a> {
    pub(super) language: Language,
    /// The company's name.
    pub(super) company: &'a str,
    /// Whether it is a sandbox.
    pub(super) sandbox: bool,
    pub(super) zone: TimeZone,
    /// Where pages are, if there is a place.
    pub(super) origin: Option<&'a str>,
}

/// As many characters of a value as stand in a sentence.
const MOST_VALUE: usize = 64;

impl Reader<'_> {
    /// As an e-mail.
    pub(super) fn letter(&self, event: &EventRow) -> Letter {
        let sentence = self.sentence(event);
        let time =
            Timestamp::from_millisecond(event.at).unwrap_or_default().to_zoned_datetime(self.zone.clone());
        let mut lines = vec![
            sentence.clone(),
            String::new(),
            self.language.say_with("message-for", &[("company", &plain(self.company))]),
            self.language
                .say_with("message-at", &[("time", &time.strftime("%Y-%m-%d %H:%M %Z").to_string())]),
        ];
        if let Some(url) = self.link(event) {
            lines.push(self.language.say_with("message-link", &[("url", &url)]));
        }
        if self.sandbox {
            lines.extend([String::new(), self.language.say("message-training")]);
        }
        lines.extend([String::new(), self.language.say("message-why-you"), String::new()]);
        Letter { subject: self.marked(sentence), body: lines.join("\r\n") }
    }

    /// As an SMS.
    pub(super) fn sms(&self, event: &EventRow) -> String {
        format!("Clearlane: {}", self.marked(self.sentence(event)))
    }

    /// Marked as an exercise if it is one.
    fn marked(&self, sentence: String) -> String {
        if self.sandbox {
            format!("[{}] {sentence}", self.language.say("message-exercise"))
        } else {
            sentence
        }
    }

    fn sentence(&self, event: &EventRow) -> String {
        let subject = plain(&event.subject);
        let say = |key: &str, more: &[(&'static str, &str)]| {
            let more: Vec<(&'static str, String)> =
                more.iter().map(|&(name, value)| (name, plain(value))).collect();
            let values: Vec<(&'static str, &str)> = std::iter::once(("subject", subject.as_str()))
                .chain(more.iter().map(|(n, v)| (*n, v.as_str())))
                .collect();
            self.language.say_with(key, &values)
        };
        match &event.news {
            News::Lodged => say("message-lodged", &[]),
            News::Amended { version } => say("message-amended", &[("version", &version.to_string())]),
            News::ConsignmentCancelled => say("message-consignment-cancelled", &[]),
            News::Bundled { mark, .. } => say("message-bundled", &[("mark", mark)]),
            News::Rebundled { .. } => say("message-rebundled", &[]),
            News::Unbundled { .. } => say("message-unbundled", &[]),
            News::Swapped { from, to, .. } => say("message-swapped", &[("from", from), ("to", to)]),
            News::Reassessed { movement, ccrn: Some(ccrn) } => {
                say("message-reassessed-for", &[("movement", movement), ("ccrn", ccrn.as_str())])
            }
            News::Reassessed { movement, ccrn: None } => say("message-reassessed", &[("movement", movement)]),
            News::Status { movement, report: Some(report), .. } => {
                say(report_key(*report), &[("movement", movement)])
            }
            News::Status { movement, status, report: None, .. } => {
                let status = self.language.say(&format!("message-status-{status}"));
                say("message-status", &[("movement", movement), ("status", &status)])
            }
            News::Seal { seal, state } => say(seal_key(*state), &[("seal", seal)]),
            News::WebhookPaused { webhook } => say("message-webhook-paused", &[("webhook", webhook)]),
        }
    }

    /// The page that tells more.
    fn link(&self, event: &EventRow) -> Option<String> {
        let url = self.origin?;
        match &event.news {
            News::WebhookPaused { webhook } => Some(format!("{url}/trade/webhooks/{webhook}")),
            News::Bundled { movement, .. }
            | News::Rebundled { movement, .. }
            | News::Swapped { movement, .. }
            | News::Reassessed { movement, .. }
            | News::Status { movement, .. } => Some(format!("{url}/trade/movements/{movement}")),
            // About a consignment, unless its seal was told to the carrier.
            _ if event.subject.starts_with("m-") => Some(format!("{url}/trade/movements/{}", event.subject)),
            _ => Some(format!("{url}/trade/consignments/{}", event.subject)),
        }
    }
}

/// A value as it may stand in a line: whatever could end the line, or run on for ever, is left out.
fn plain(value: &str) -> String {
    value.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_VALUE).collect()
}

fn report_key(report: Report) -> &'static str {
    match report {
        Report::Proceed => "message-report-proceed",
        Report::Documents => "message-report-documents",
        Report::Inspection => "message-report-inspection",
        Report::Escort => "message-report-escort",
        Report::Wait => "message-report-wait",
    }
}

fn seal_key(state: SealState) -> &'static str {
    match state {
        SealState::Intact => "message-seal-intact",
        SealState::Broken => "message-seal-broken",
        SealState::Missing => "message-seal-missing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trade::MovementStatus;
    use crate::trade::news::Doer;
    use crate::words::keys;

    fn reader(language: Language, sandbox: bool) -> Reader<'static> {
        let origin = Some("https://trade.example.org");
        Reader { language, company: "Acme", sandbox, zone: TimeZone::UTC, origin }
    }

    fn event(subject: &str, news: News) -> EventRow {
        EventRow { seq: 1, at: 1_795_492_800_000, subject: subject.to_owned(), news, by: Doer::default() }
    }

    fn everything() -> Vec<News> {
        let movement = || "m-1".to_owned();
        let status = |status, report| News::Status { movement: movement(), status, report, earliest: None };
        let mut all = vec![
            News::Lodged,
            News::Amended { version: 2 },
            News::ConsignmentCancelled,
            News::Bundled { movement: movement(), mark: "KX4827".to_owned() },
            News::Rebundled { movement: movement(), version: 2 },
            News::Unbundled { movement: movement() },
            News::Swapped { movement: movement(), from: "KX4827".to_owned(), to: "AB1234".to_owned() },
            News::Reassessed { movement: movement(), ccrn: None },
            News::Reassessed { movement: movement(), ccrn: crate::ccrn::Ccrn::from_number(7) },
            News::WebhookPaused { webhook: "w-1".to_owned() },
        ];
        all.extend(MovementStatus::ALL.map(|s| status(s, None)));
        for report in [Report::Proceed, Report::Documents, Report::Inspection, Report::Escort, Report::Wait] {
            all.push(status(MovementStatus::Directed, Some(report)));
        }
        let seal = |state| News::Seal { seal: "HK-7".to_owned(), state };
        all.extend([SealState::Intact, SealState::Broken, SealState::Missing].map(seal));
        all
    }

    #[test]
    fn every_piece_of_news_has_its_sentence_in_every_language() {
        let mut seen = std::collections::BTreeSet::new();
        for language in Language::ALL {
            for news in everything() {
                let sentence = reader(language, false).sentence(&event("m-1", news.clone()));
                assert!(
                    !sentence.contains("message-") && !sentence.contains('{'),
                    "{} {news:?}: {sentence}",
                    language.tag()
                );
                assert!(seen.insert((language.tag(), sentence.clone())), "{sentence}: twice");
                let sms = reader(language, true).sms(&event("m-1", news));
                assert!(sms.chars().count() <= 160, "{sms}");
            }
            let known = keys(language).into_iter().filter(|key| key.starts_with("message-")).count();
            assert_eq!(known, 36, "a sentence that nothing says, or nothing tests");
        }
    }

    #[test]
    fn a_letter_tells_what_when_and_where_to_look() {
        let swapped =
            News::Swapped { movement: "m-1".to_owned(), from: "KX4827".to_owned(), to: "AB1234".to_owned() };
        let letter = reader(Language::English, false).letter(&event("m-1", swapped));
        assert_eq!(letter.subject, "Movement m-1: vehicle AB1234 takes over from KX4827");
        assert_eq!(
            letter.body,
            "Movement m-1: vehicle AB1234 takes over from KX4827\r\n\r\nFor: Acme\r\nTime: 2026-11-24 04:00 UTC\r\n\
             See: https://trade.example.org/trade/movements/m-1\r\n\r\nYou get this because your company asked to be told.\r\n"
        );
        let lodged = reader(Language::Traditional, true).letter(&event("0123456789ABC", News::Lodged));
        assert!(lodged.subject.starts_with("[演習] "), "{}", lodged.subject);
        assert!(lodged.body.contains("/trade/consignments/0123456789ABC"), "{}", lodged.body);
    }

    #[test]
    fn a_value_ends_no_line() {
        let seal = "7\r\nBcc: everybody@example.com\r\n\r\n".to_owned() + &"x".repeat(500);
        let company = "Acme\r\nBcc: everybody@example.com";
        let reader = Reader { company, ..reader(Language::English, false) };
        let letter = reader.letter(&event("C\nD", News::Seal { seal, state: SealState::Broken }));
        assert!(!letter.subject.contains(['\r', '\n']) && letter.subject.len() < 200, "{}", letter.subject);
        assert!(!letter.body.lines().any(|line| line.starts_with("Bcc")), "{}", letter.body);
        assert!(!reader.sms(&event("C\nD", News::Lodged)).contains('\n'));
    }
}
