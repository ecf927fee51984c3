//! The words of each term of the domain, in the reader's language: a new variant does not compile before somebody has thought of its
//! words.

use clearance::ids::UtcMillis;
use maud::Markup;

use super::parts::tag;
use crate::storage::trade::Conflict;
use crate::trade::news::{Report, SealState};
use crate::trade::readiness::{Need, Requirement, Standing, Whom};
use crate::trade::{Direction, Fault, Faulty, MovementStatus, News, Place, Topic};
use crate::words::Language;

/// What is wrong with an item.
pub(super) fn fault(language: Language, fault: &Fault) -> String {
    let plain = |key| language.say(key);
    let with = |key, name, value: String| language.say_with(key, &[(name, &value)]);
    match fault {
        Fault::Required => plain("wrong-required"),
        Fault::TooLong { most } => with("wrong-too-long", "most", most.to_string()),
        Fault::Number { least, most } => {
            language.say_with("wrong-number", &[("least", &least.to_string()), ("most", &most.to_string())])
        }
        Fault::Date => plain("wrong-date"),
        Fault::Time => plain("wrong-time"),
        Fault::InThePast => plain("wrong-in-the-past"),
        Fault::TooFarAhead { days } => with("wrong-too-far-ahead", "days", days.to_string()),
        Fault::Unknown { known } => with("wrong-unknown", "known", known.clone()),
        Fault::HsCode => plain("wrong-hs-code"),
        Fault::Country => plain("wrong-country"),
        Fault::Mark { .. } => plain("wrong-mark"),
        Fault::MainlandMark => plain("wrong-mainland-mark"),
        Fault::HongKongMark => plain("wrong-hong-kong-mark"),
        Fault::Ccrn => plain("wrong-ccrn"),
        Fault::UnknownCcrn => plain("wrong-unknown-ccrn"),
        Fault::AlreadyBundled => plain("wrong-already-bundled"),
        Fault::Cancelled => plain("wrong-cancelled"),
        Fault::Repeated => plain("wrong-repeated"),
        Fault::OtherDirection => plain("wrong-other-direction"),
        Fault::Load => plain("wrong-load"),
        Fault::Site => plain("wrong-site"),
        Fault::NoSuchItem => plain("wrong-no-such-item"),
        Fault::Type { .. } => plain("wrong-type"),
        Fault::TooMany { most } => with("wrong-too-many", "most", most.to_string()),
        Fault::Differs { row } => with("wrong-differs", "row", row.to_string()),
        Fault::Exists => plain("wrong-exists"),
        Fault::Email => plain("wrong-email"),
        Fault::Mobile => plain("wrong-mobile"),
        Fault::NoNews => plain("wrong-no-news"),
        Fault::Url { .. } => plain("wrong-url"),
        Fault::Https => plain("wrong-https"),
        Fault::UrlExtras => plain("wrong-url-extras"),
        Fault::NotPublic { address } => with("wrong-not-public", "address", address.clone()),
    }
}

/// The words of an item, by its JSON pointer.
fn item(language: Language, pointer: &str) -> Option<String> {
    let mut parts = pointer.trim_start_matches('/').split('/');
    let first = parts.next()?;
    let (second, third) = (parts.next(), parts.next());
    let number = |text: &str| text.parse::<usize>().map(|i| (i + 1).to_string()).unwrap_or_default();
    let line = |key: &str, text: &str| language.say_with(key, &[("number", &number(text))]);
    let key = match (first, second, third) {
        ("goods", Some(i), Some(field)) => {
            let field = item(language, &format!("/{field}"))?;
            return Some(format!("{} – {field}", line("goods-line", i)));
        }
        ("ccrns" | "add", Some(i), _) => return Some(line("ccrn-line", i)),
        ("trailers", Some(i), _) => return Some(line("trailer-line", i)),
        ("emails", Some(i), _) => return Some(line("email-line", i)),
        ("mobiles", Some(i), _) => return Some(line("mobile-line", i)),
        ("emails", ..) => "emails",
        ("mobiles", ..) => "mobiles",
        ("language", ..) => "item-language",
        ("url", ..) => "item-url",
        ("news", ..) => "item-news",
        ("since", ..) => "item-since",
        ("time", ..) => "item-time",
        ("packages", ..) => "item-packages",
        ("package_kind", ..) => "item-package-kind",
        ("description", ..) => "item-description",
        ("consignor", Some("name"), _) => "item-consignor-name",
        ("consignor", Some("address"), _) => "item-consignor-address",
        ("consignee", Some("name"), _) => "item-consignee-name",
        ("consignee", Some("address"), _) => "item-consignee-address",
        ("expected_date", ..) => "item-expected-date",
        ("direction", ..) => "item-direction",
        ("hs_code", ..) => "item-hs-code",
        ("origin", ..) => "item-origin",
        ("value_hkd", ..) => "item-value",
        ("net_weight_kg", ..) => "item-weight",
        ("mark", ..) => "item-mark",
        ("mainland_mark", ..) => "item-mainland-mark",
        ("trailers", ..) => "item-trailers",
        ("site", ..) => "item-site",
        ("expected_arrival", ..) => "item-expected-arrival",
        ("ccrns", ..) => "item-ccrns",
        ("add", ..) => "item-add",
        ("load", ..) => "item-load",
        ("seal", ..) => "item-seal",
        ("state", ..) => "item-seal-state",
        ("login", ..) => "item-login",
        ("password", ..) => "item-password",
        ("code", ..) => "item-code",
        _ => return None,
    };
    Some(language.say(key))
}

/// What is wrong and with which item.
pub(super) fn faulty(language: Language, faulty: &Faulty) -> String {
    // Secrets and names have reasons of their own, which the fault of an item does not tell.
    match faulty.pointer.as_str() {
        "password" => return language.say("wrong-password"),
        "code" => return language.say("wrong-code"),
        "login" => return language.say("wrong-login"),
        _ => {}
    }
    let why = fault(language, &faulty.fault);
    match item(language, &faulty.pointer) {
        Some(item) => language.say_with("wrong-item", &[("item", &item), ("why", &why)]),
        None => why,
    }
}

/// Why something can no longer be done, by its key.
pub(super) fn conflict(conflict: Conflict) -> &'static str {
    match conflict {
        Conflict::Closed => "refused-closed",
        Conflict::Cancelled => "refused-cancelled",
        Conflict::Bundled => "refused-bundled",
        Conflict::NotDeclared => "refused-not-declared",
        Conflict::NoCode => "refused-no-code",
        Conflict::NotDirected => "refused-not-directed",
        Conflict::Exists => "refused-exists",
        Conflict::KeyReused => "refused-sent-twice",
        Conflict::TooManyWebhooks => "refused-too-many-webhooks",
        Conflict::NoWebhooks => "refused-no-webhooks",
        Conflict::Paused => "refused-paused",
    }
}

/// What news is about, by its key.
pub(super) fn topic(topic: Topic) -> &'static str {
    match topic {
        Topic::Lodged => "topic-lodged",
        Topic::Amended => "topic-amended",
        Topic::ConsignmentCancelled => "topic-cancelled",
        Topic::Bundled => "topic-bundled",
        Topic::Rebundled => "topic-rebundled",
        Topic::Unbundled => "topic-unbundled",
        Topic::Swapped => "topic-swapped",
        Topic::Reassessed => "topic-reassessed",
        Topic::Status => "topic-status",
        Topic::Report => "topic-report",
        Topic::Seal => "topic-seal",
        Topic::WebhookPaused => "topic-webhook-paused",
    }
}

/// Where a movement stands, by its key.
pub(super) fn status(status: MovementStatus) -> &'static str {
    match status {
        MovementStatus::Lodged => "status-lodged",
        MovementStatus::Bundled => "status-bundled",
        MovementStatus::Ready => "status-ready",
        MovementStatus::Assessed => "status-assessed",
        MovementStatus::Arrived => "status-arrived",
        MovementStatus::Released => "status-released",
        MovementStatus::Directed => "status-directed",
        MovementStatus::Inspected => "status-inspected",
        MovementStatus::Departed => "status-departed",
        MovementStatus::Expired => "status-expired",
        MovementStatus::Cancelled => "status-cancelled",
    }
}

/// Where a movement stands, in colour.
pub(super) fn status_tag(language: Language, at: MovementStatus) -> Markup {
    let colour = match at {
        MovementStatus::Lodged | MovementStatus::Bundled => "yellow",
        MovementStatus::Ready | MovementStatus::Arrived => "blue",
        MovementStatus::Assessed => "turquoise",
        MovementStatus::Released => "green",
        MovementStatus::Directed => "orange",
        MovementStatus::Inspected => "purple",
        MovementStatus::Departed | MovementStatus::Expired | MovementStatus::Cancelled => "grey",
    };
    tag(&language.say(status(at)), colour)
}

/// Where a driver reports, by its key.
pub(super) fn report(report: Report) -> &'static str {
    match report {
        Report::Proceed => "report-proceed",
        Report::Documents => "report-documents",
        Report::Inspection => "report-inspection",
        Report::Escort => "report-escort",
        Report::Wait => "report-wait",
    }
}

/// Which way, by its key.
pub(super) fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "direction-inbound",
        Direction::Outbound => "direction-outbound",
    }
}

/// How a seal is, by its key.
pub(super) fn seal(state: SealState) -> &'static str {
    match state {
        SealState::Intact => "seal-intact",
        SealState::Broken => "seal-broken",
        SealState::Missing => "seal-missing",
    }
}

/// What is needed.
pub(super) fn requirement(language: Language, requirement: &Requirement) -> String {
    match requirement {
        Requirement::Crossing => language.say("need-crossing"),
        Requirement::Vehicle => language.say("need-vehicle"),
        Requirement::Cargo => language.say("need-cargo"),
        Requirement::Consignment { ccrn } => {
            language.say_with("need-consignment", &[("ccrn", &spaced(ccrn.as_str()))])
        }
        Requirement::CutOff => language.say("need-cut-off"),
        Requirement::Assessment => language.say("need-assessment"),
    }
}

/// Whether what is needed is there, in colour, and who has to act if it is not.
pub(super) fn standing(language: Language, place: &Place, need: &Need) -> Markup {
    let whom = language.say(match need.from {
        Whom::Shipper => "whom-shipper",
        Whom::Carrier => "whom-carrier",
        Whom::Customs => "whom-customs",
        Whom::Time => "whom-time",
    });
    match &need.standing {
        Standing::Met => tag(&language.say("standing-met"), "green"),
        Standing::Missing => tag(&language.say_with("standing-missing", &[("whom", &whom)]), "red"),
        Standing::From { at } => {
            let at = super::date::moment(language, place, *at);
            tag(&language.say_with("standing-from", &[("at", &at)]), "yellow")
        }
        Standing::Waived { reference } => {
            tag(&language.say_with("standing-waived", &[("reference", reference)]), "blue")
        }
        Standing::Advised => tag(&language.say_with("standing-advised", &[("whom", &whom)]), "yellow"),
    }
}

/// A piece of news in a sentence.
pub(super) fn news(language: Language, place: &Place, news: &News) -> String {
    let say = |key| language.say(key);
    match news {
        News::Lodged => say("news-lodged"),
        News::Amended { version } => language.say_with("news-amended", &[("version", &version.to_string())]),
        News::ConsignmentCancelled => say("news-cancelled"),
        News::Bundled { mark, .. } => language.say_with("news-bundled", &[("mark", mark)]),
        News::Rebundled { .. } => say("news-rebundled"),
        News::Unbundled { .. } => say("news-unbundled"),
        News::Swapped { from, to, .. } => language.say_with("news-swapped", &[("from", from), ("to", to)]),
        News::Reassessed { ccrn: Some(ccrn), .. } => {
            language.say_with("news-reassessed-consignment", &[("ccrn", &spaced(ccrn.as_str()))])
        }
        News::Reassessed { ccrn: None, .. } => say("news-reassessed"),
        News::Status { status: at, report: told, earliest, .. } => {
            let status = language.say_with("news-status", &[("status", &say(status(*at)))]);
            let told = told.map(|told| say(report(told)));
            let earliest = earliest.filter(|_| *at == MovementStatus::Assessed).map(|at: UtcMillis| {
                language.say_with("news-earliest", &[("at", &super::date::moment(language, place, at))])
            });
            [Some(status), told, earliest].into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        News::WebhookPaused { .. } => language.say("news-webhook-paused"),
        News::Seal { seal: number, state } => {
            language.say_with("news-seal", &[("seal", number), ("state", &say(seal(*state)))])
        }
    }
}

/// A CCRN as it is printed: in groups that people can read out.
pub(super) fn spaced(ccrn: &str) -> String {
    let groups: Vec<String> =
        ccrn.as_bytes().chunks(4).map(|g| String::from_utf8_lossy(g).into_owned()).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_its_item_in_the_readers_language() {
        let english = |pointer: &str, fault| faulty(Language::English, &Faulty::at(pointer, fault));
        assert!(english("/goods/1/description", Fault::Required).contains('2'));
        assert!(english("/ccrns/0", Fault::Ccrn).contains('1'));
        for language in Language::ALL {
            for pointer in
                ["/packages", "/consignor/name", "/consignee/address", "/goods/0/origin", "/ccrns/3", "/mark"]
            {
                let told = faulty(language, &Faulty::at(pointer, Fault::TooLong { most: 7 }));
                assert!(told.contains('7') && !told.contains('{') && !told.contains("item-"), "{told}");
            }
        }
    }

    #[test]
    fn a_ccrn_is_printed_in_groups() {
        assert_eq!(spaced("0123456789ABC"), "0123 4567 89AB C");
    }
}
