//! What each party may do, as Zenoh's access control: everything is denied that is not listed here.
//!
//! Zenoh compares a common name as a whole, so every edge is listed by name; and a rule allows a key expression only if
//! it includes it, so nobody reaches another site by a wildcard.

use serde_json::{Value, json};

use super::Party;
use super::party::PartyError;
use crate::ids::{EdgeId, SiteId};
use crate::topic;

/// Central's rules: each site's routers and edges have what belongs to their site. An edge belongs to the site that its
/// certificate names.
pub fn at_central<'a>(
    sites: impl IntoIterator<Item = &'a SiteId>,
    edges: impl IntoIterator<Item = &'a EdgeId> + Clone,
) -> Result<Value, PartyError> {
    let mut control = Control::default();
    for site in sites {
        let mut names = vec![Party::router(site)?];
        for edge in edges.clone() {
            names.push(Party::edge(site, edge)?);
        }
        control.allow(&format!("lanes of {site}"), &names, lanes(site));
    }
    Ok(control.finish())
}

/// A router's rules: its site's edges have what belongs to their site, central has everything of the site.
pub fn at_router<'a>(
    site: &SiteId,
    edges: impl IntoIterator<Item = &'a EdgeId>,
) -> Result<Value, PartyError> {
    Party::router(site)?;
    let mut control = Control::default();
    let names = edges.into_iter().map(|edge| Party::edge(site, edge)).collect::<Result<Vec<_>, _>>()?;
    control.allow(&format!("lanes of {site}"), &names, lanes(site));
    control.allow("central", &[Party::Central], everything(site));
    Ok(control.finish())
}

/// An edge's rules: it talks with central and with its site's routers, and with nobody else who answers at their address.
pub fn at_edge(site: &SiteId) -> Result<Value, PartyError> {
    let mut control = Control::default();
    control.allow("upstream", &[Party::Central, Party::router(site)?], everything(site));
    Ok(control.finish())
}

/// A rule: what may pass, which way, about which keys.
struct Rule {
    name: &'static str,
    keys: Vec<String>,
    messages: &'static [&'static str],
    flows: &'static [&'static str],
}

/// What a site's edges may do, and their routers for them: seen from central or from a router.
fn lanes(site: &SiteId) -> Vec<Rule> {
    let published = vec![topic::deltas(site), topic::all_orders(site), topic::all_accepted_forks(site)];
    let told = vec![topic::all_status(site), topic::all_pictures(site)];
    let asked = topic::queries(site).to_vec();
    let rule = |name, keys: &Vec<String>, messages, flows| Rule { name, keys: keys.clone(), messages, flows };
    vec![
        rule("listen", &published, &["declare_subscriber"], &["ingress"]),
        rule("are told", &published, &["put"], &["egress"]),
        rule("ask", &asked, &["query"], &["ingress"]),
        rule("are answered", &asked, &["reply", "declare_queryable"], &["egress"]),
        rule("tell", &told, &["put"], &["ingress"]),
        rule("are listened to", &told, &["declare_subscriber"], &["egress"]),
    ]
}

fn everything(site: &SiteId) -> Vec<Rule> {
    const ALL: &[&str] = &[
        "put",
        "delete",
        "declare_subscriber",
        "query",
        "declare_queryable",
        "reply",
        "liveliness_token",
        "declare_liveliness_subscriber",
        "liveliness_query",
    ];
    vec![Rule {
        name: "everything",
        keys: vec![topic::everything(site)],
        messages: ALL,
        flows: &["ingress", "egress"],
    }]
}

#[derive(Default)]
struct Control {
    rules: Vec<Value>,
    subjects: Vec<Value>,
    policies: Vec<Value>,
}

impl Control {
    fn allow(&mut self, who: &str, names: &[Party], rules: Vec<Rule>) {
        if names.is_empty() {
            return;
        }
        let names: Vec<String> = names.iter().map(Party::to_string).collect();
        self.subjects.push(json!({ "id": who, "cert_common_names": names }));
        let mut ids = Vec::new();
        for Rule { name, keys, messages, flows } in rules {
            let id = format!("{who} {name}");
            self.rules.push(json!({
                "id": id, "key_exprs": keys, "messages": messages, "flows": flows, "permission": "allow"
            }));
            ids.push(id);
        }
        self.policies.push(json!({ "rules": ids, "subjects": [who] }));
    }

    fn finish(self) -> Value {
        json!({
            "enabled": true,
            "default_permission": "deny",
            "rules": self.rules,
            "subjects": self.subjects,
            "policies": self.policies,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_the_golden_ones() {
        let (sites, edges) =
            (["site-a".parse().unwrap(), "site-b".parse().unwrap()], ["edge-1".parse().unwrap()]);
        insta::assert_json_snapshot!("at_central", at_central(&sites, &edges).unwrap());
        insta::assert_json_snapshot!("at_router", at_router(&sites[0], &edges).unwrap());
        insta::assert_json_snapshot!("at_edge", at_edge(&sites[0]).unwrap());
    }

    #[test]
    fn a_site_whose_name_could_stand_for_another_is_refused() {
        let site = "a.b".parse().unwrap();
        assert!(at_central([&site], []).is_err() && at_router(&site, []).is_err() && at_edge(&site).is_err());
    }
}
