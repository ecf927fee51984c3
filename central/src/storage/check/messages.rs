//! Who is told: contacts, the addresses that are told, and what came of what each was sent.

use std::collections::{BTreeMap, BTreeSet};

use clearance::finding::Check;

use super::{Checking, FROM_BACKUP, Stopped};
use crate::messages::sealed_for;
use crate::storage::messages::{Channel, Wanted};
use crate::trade::News;
use crate::trade::contact::Contact;

const OUTLET: Check = Check::damage(
    "outlet",
    "who is told is not what the company has asked for: news goes where it should not, or not where it should",
    "let the company save its contact anew (`PUT /api/v1/company`), remove the webhook and add it again",
);
const DELIVERY: Check = Check::damage(
    "delivery",
    "what came of a delivery cannot be so: it is tried for ever, or never again",
    "replay the webhook from before it (`POST /api/v1/webhooks/ID/replay`)",
);
const NEWS: Check =
    Check::damage("news", "a piece of news cannot be read: its company's feed ends before it", FROM_BACKUP);

#[derive(sqlx::FromRow)]
struct Outlet {
    id: String,
    trader: String,
    channel: String,
    address: String,
    topics: String,
    own: i64,
    secret: Option<Vec<u8>>,
    previous_secret: Option<Vec<u8>>,
    previous_until: i64,
    reached: i64,
    failures: i64,
    failing_since: Option<i64>,
    leased_by: String,
    leased_until: i64,
    company: Option<String>,
}

impl Checking {
    /// Contacts, outlets, deliveries and the feed.
    pub(super) async fn messages(&mut self) -> Result<(), Stopped> {
        let contacts = self.contacts().await?;
        let outlets: Vec<Outlet> = sqlx::query_as(
            "SELECT o.id, o.trader, o.channel, o.address, o.topics, o.own, o.secret, o.previous_secret, o.previous_until, o.reached, \
             o.failures, o.failing_since, o.leased_by, o.leased_until, t.id AS company FROM outlets o LEFT JOIN traders t ON t.id = o.trader",
        )
        .fetch_all(&mut self.connection)
        .await?;
        self.report.count("outlets", outlets.len() as u64);
        let mut told: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
        for outlet in &outlets {
            self.outlet(outlet);
            if outlet.channel != Channel::Webhook.name() {
                let address = (outlet.channel.clone(), outlet.address.clone());
                told.entry(outlet.trader.clone()).or_default().insert(address);
            }
        }
        let companies: BTreeSet<&String> = contacts.keys().chain(told.keys()).collect();
        for company in companies {
            let named = contacts.get(company).cloned().unwrap_or_default();
            let kept = told.get(company).cloned().unwrap_or_default();
            for (channel, address) in named.symmetric_difference(&kept) {
                let what = if named.contains(&(channel.clone(), address.clone())) {
                    "the contact names it, and it is not told"
                } else {
                    "it is told, and no contact names it"
                };
                self.found(OUTLET.found(format!("contacts {company}: {address}"), what));
            }
        }
        self.deliveries().await?;
        self.feed().await
    }

    /// Each company's addresses, as its contact names them.
    async fn contacts(&mut self) -> Result<BTreeMap<String, BTreeSet<(String, String)>>, Stopped> {
        let rows: Vec<(String, i64, String)> = sqlx::query_as("SELECT trader, version, body FROM contacts")
            .fetch_all(&mut self.connection)
            .await?;
        self.report.count("contacts", rows.len() as u64);
        let mut all = BTreeMap::new();
        for (trader, version, body) in rows {
            let place = format!("contacts {trader}");
            self.value(version < 1, &place, format!("version {version}"));
            let contact = match serde_json::from_str::<Contact>(&body) {
                Ok(contact) => contact,
                Err(error) => {
                    self.value(true, &place, error);
                    continue;
                }
            };
            for faulty in contact.faults() {
                self.value(true, &place, faulty);
            }
            let emails = contact.emails.into_iter().map(|told| (Channel::Email, told.address));
            let mobiles = contact.mobiles.into_iter().map(|told| (Channel::Sms, told.number));
            let named = emails.chain(mobiles).map(|(way, address)| (way.name().to_owned(), address));
            all.insert(trader, named.collect());
        }
        Ok(all)
    }

    fn outlet(&mut self, outlet: &Outlet) {
        let place = format!("outlets {}", outlet.id);
        let mut wrong = Vec::new();
        let mut check = |what: &str, is_wrong: bool| wrong.extend(is_wrong.then(|| what.to_owned()));
        let wanted = Wanted::read(&outlet.channel, &outlet.topics, outlet.own);
        let is_webhook = outlet.channel == Channel::Webhook.name();
        check("its company is not there", outlet.company.is_none());
        check("the way or what it is told of is unknown", wanted.is_err());
        check("it is told of nothing", wanted.is_ok_and(|wanted| wanted.topics.is_empty()));
        check("own is neither 0 nor 1", !matches!(outlet.own, 0 | 1));
        check(
            "a webhook without a secret, or another address with one",
            is_webhook != outlet.secret.is_some(),
        );
        check(
            "an earlier secret signs, and there is none",
            outlet.previous_until > 0 && outlet.previous_secret.is_none(),
        );
        check("it has reached a place before the feed", outlet.reached < 0);
        check(
            "failures and since when do not go together",
            outlet.failures < 0 || (outlet.failures > 0) != outlet.failing_since.is_some(),
        );
        check("it is leased by nobody", outlet.leased_by.is_empty() && outlet.leased_until > 0);
        wrong.into_iter().for_each(|what| self.found(OUTLET.found(&place, what)));
        for sealed in outlet.secret.iter().chain(&outlet.previous_secret) {
            self.secret(&place, &sealed_for(&outlet.id), sealed);
        }
    }

    async fn deliveries(&mut self) -> Result<(), Stopped> {
        type Row = (String, i64, String, i64, Option<i64>, Option<String>, Option<i64>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT d.outlet, d.seq, d.state, d.attempts, d.next_at, o.trader, e.seq FROM deliveries d \
             LEFT JOIN outlets o ON o.id = d.outlet LEFT JOIN events e ON e.seq = d.seq AND e.trader = o.trader",
        )
        .fetch_all(&mut self.connection)
        .await?;
        self.report.count("deliveries", rows.len() as u64);
        for (outlet, seq, state, attempts, next, whose, news) in rows {
            let place = format!("deliveries {outlet} {seq}");
            let mut wrong = Vec::new();
            let mut check = |what: &str, is_wrong: bool| wrong.extend(is_wrong.then(|| what.to_owned()));
            let waits = state == "retrying";
            check("it is in no known state", !waits && !matches!(state.as_str(), "delivered" | "failed"));
            check("its address is not there", whose.is_none());
            check("when it is tried again does not go with its state", waits != next.is_some());
            check("it is tried again, and its news is not there", waits && whose.is_some() && news.is_none());
            check(
                "it was taken without being tried",
                attempts < 0 || (state == "delivered" && attempts == 0),
            );
            wrong.into_iter().for_each(|what| self.found(DELIVERY.found(&place, what)));
        }
        Ok(())
    }

    async fn feed(&mut self) -> Result<(), Stopped> {
        let rows: Vec<(i64, String, String, String)> =
            sqlx::query_as("SELECT seq, what, by_trader, by_who FROM events")
                .fetch_all(&mut self.connection)
                .await?;
        self.report.count("news", rows.len() as u64);
        for (seq, what, trader, who) in rows {
            let place = format!("events {seq}");
            if let Err(error) = serde_json::from_str::<News>(&what) {
                self.found(NEWS.found(&place, error));
            }
            self.value(trader.is_empty() != who.is_empty(), &place, "who did it is half known");
        }
        Ok(())
    }
}
