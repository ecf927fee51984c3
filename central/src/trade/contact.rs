//! Whom a company wants told, and of what: e-mail addresses, mobile numbers, a language.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::fault::{Fault, Faulty};
use super::news::Topic;
use crate::words::Language;

/// As many e-mail addresses, and as many numbers, as a company has.
pub const MOST_ADDRESSES: usize = 5;

/// The longest e-mail address (RFC 5321 has no room for a longer one).
const MOST_EMAIL: usize = 254;

/// Somebody who is told by e-mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mailbox {
    /// E-mail address.
    pub address: String,
    /// Of what. Left out: of whatever somebody must act on.
    #[serde(default = "to_act_on")]
    pub news: Vec<Topic>,
    /// Whether of what colleagues and the company's own systems do, too; what somebody does under a sign-in name that is this
    /// address is never told there. Left out: of what others do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

/// Somebody who is told by SMS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mobile {
    /// Number in the form of E.164, such as `+85291234567`.
    pub number: String,
    /// Of what. Left out: of whatever somebody must act on.
    #[serde(default = "to_act_on")]
    pub news: Vec<Topic>,
    /// Whether of what colleagues and the company's own systems do, too; what somebody does under a sign-in name that is this
    /// address is never told there. Left out: of what others do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
}

fn to_act_on() -> Vec<Topic> {
    Topic::TO_ACT_ON.to_vec()
}

/// A company's contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Language of what people are sent: `en`, `zh-Hant` or `zh-Hans`.
    #[serde(default = "english")]
    pub language: String,
    /// Who is told by e-mail, at most 5.
    #[serde(default)]
    pub emails: Vec<Mailbox>,
    /// Who is told by SMS, at most 5.
    #[serde(default)]
    pub mobiles: Vec<Mobile>,
}

fn english() -> String {
    Language::English.tag().to_owned()
}

impl Default for Contact {
    /// Nobody.
    fn default() -> Self {
        Self { language: english(), emails: Vec::new(), mobiles: Vec::new() }
    }
}

impl Contact {
    /// What is wrong with it.
    pub fn faults(&self) -> Vec<Faulty> {
        let mut faults = Vec::new();
        if Language::of_tag(&self.language).is_none() {
            let known = Language::ALL.map(Language::tag).join(", ");
            faults.push(Faulty::at("/language", Fault::Unknown { known }));
        }
        let emails =
            self.emails.iter().map(|told| (is_email(&told.address), told.address.to_lowercase(), &told.news));
        addresses(&mut faults, "/emails", "address", &Fault::Email, emails);
        let mobiles =
            self.mobiles.iter().map(|told| (is_mobile(&told.number), told.number.clone(), &told.news));
        addresses(&mut faults, "/mobiles", "number", &Fault::Mobile, mobiles);
        faults
    }
}

fn addresses<'a>(
    faults: &mut Vec<Faulty>,
    list: &str,
    key: &str,
    wrong: &Fault,
    told: impl Iterator<Item = (bool, String, &'a Vec<Topic>)>,
) {
    let mut seen = BTreeSet::new();
    for (place, (is_good, address, news)) in told.enumerate() {
        if place == MOST_ADDRESSES {
            faults.push(Faulty::at(list, Fault::TooMany { most: MOST_ADDRESSES }));
            return;
        }
        if !is_good {
            faults.push(Faulty::at(format!("{list}/{place}/{key}"), wrong.clone()));
        } else if !seen.insert(address) {
            faults.push(Faulty::at(format!("{list}/{place}/{key}"), Fault::Repeated));
        }
        if news.is_empty() {
            faults.push(Faulty::at(format!("{list}/{place}/news"), Fault::NoNews));
        }
    }
}

/// Whether mail can be sent there: nothing in it can end a line of a header or of a command.
fn is_email(text: &str) -> bool {
    let plain = text.len() <= MOST_EMAIL && text.bytes().all(|b| b.is_ascii_graphic());
    plain && text.parse::<lettre::Address>().is_ok()
}

fn is_mobile(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else { return false };
    (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(address: &str) -> Mailbox {
        Mailbox { address: address.to_owned(), news: to_act_on(), own: false }
    }

    #[test]
    fn addresses_that_nothing_can_be_sent_to_are_refused() {
        for good in ["traffic@example.com", "a.b+c@mail.example.com.hk"] {
            assert!(is_email(good), "{good}");
        }
        for bad in
            ["", "a", "a@", "@b.c", "a b@c.d", "a@b\r\nBcc: x@y.z", "a@b.c\nX: y", "é@example.com", "a@b@c"]
        {
            assert!(!is_email(bad), "{bad:?}");
        }
        for good in ["+85291234567", "+8613800138000"] {
            assert!(is_mobile(good), "{good}");
        }
        for bad in ["", "+", "91234567", "+0123456789", "+852 9123", "+1234567890123456", "+85291234a67"] {
            assert!(!is_mobile(bad), "{bad:?}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_where_it_lies() {
        let mobiles = vec![Mobile { number: "1".to_owned(), news: Vec::new(), own: false }];
        let emails = vec![mailbox("a@example.com"), mailbox("A@example.com")];
        let contact = Contact { language: "fr".to_owned(), emails, mobiles };
        let pointers: Vec<_> = contact.faults().into_iter().map(|faulty| faulty.pointer).collect();
        assert_eq!(pointers, ["/language", "/emails/1/address", "/mobiles/0/number", "/mobiles/0/news"]);
        let six = (0..6).map(|n| mailbox(&format!("a{n}@example.com"))).collect();
        let contact = Contact { emails: six, ..Contact::default() };
        assert_eq!(contact.faults(), [Faulty::at("/emails", Fault::TooMany { most: 5 })]);
        assert_eq!(Contact::default().faults(), []);
    }
}
