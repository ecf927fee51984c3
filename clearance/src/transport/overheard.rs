//! What Zenoh says in its log only: whom it let in, whom it refused, why it cannot connect. Whoever listens to the log gives
//! the lines to [`Hearing`] and gets what they say. The texts are Zenoh 1.10's; the transport tests notice when they change.

use std::net::{IpAddr, SocketAddr};

/// A whole crate; the others are modules.
const TLS: &str = "zenoh_link_tls";
const EXPIRY: &str = "zenoh_link_commons::tls::expiration";
const CONNECTOR: &str = "zenoh::net::runtime::orchestrator";
const ACCESS: &str = "zenoh::net::routing::interceptor::access_control";

/// To which targets of the log, and how closely, whoever is connected to has to listen. Whoever connects is told, too, why
/// he cannot.
pub const LISTENERS_TARGETS: &str = "zenoh_link_tls=debug,zenoh_link_commons::tls::expiration=warn,zenoh::net::runtime::orchestrator=debug,zenoh::net::routing::interceptor::access_control=trace";

/// The same for whoever only connects: what is allowed is not told for each message.
pub const CONNECTORS_TARGETS: &str = "zenoh_link_tls=warn,zenoh_link_commons::tls::expiration=warn,zenoh::net::runtime::orchestrator=debug,zenoh::net::routing::interceptor::access_control=info";

/// What a line of the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Somebody has connected whose certificate is good; the common name in it.
    Connected(String),
    /// A connection, in or out, that did not come about or was closed; why.
    Connection(String),
    /// Something that the access rules do not allow; who, and what.
    Access(String),
}

/// One listener; each thread that logs has its own.
#[derive(Debug, Default)]
pub struct Hearing {
    /// Zenoh works out what a peer may do with a key before the peer does anything, and that reads like a refusal.
    working_out: bool,
}

impl Hearing {
    /// A listener that has heard nothing yet.
    pub const fn new() -> Self {
        Self { working_out: false }
    }

    /// What a line says, if anything.
    pub fn hear(&mut self, target: &str, text: &str) -> Option<Heard> {
        match target {
            _ if target.starts_with(TLS) => link(text),
            EXPIRY => text.contains("certificate chain expired").then(|| {
                Heard::Connection("a link was closed: the other side's certificate has run out".to_owned())
            }),
            CONNECTOR => cause(text).map(Heard::Connection),
            ACCESS => self.denied(text),
            _ => None,
        }
    }

    fn denied(&mut self, text: &str) -> Option<Heard> {
        if text.starts_with("ACL (") {
            self.working_out = true;
            return None;
        }
        if text.contains("did not match any configured ACL subject") {
            return Some(Heard::Connection("its certificate names nobody in the configuration".to_owned()));
        }
        let real = text.starts_with("Using cached result");
        if !real && self.working_out {
            // The last of those lines.
            if text.contains("Declare Liveliness Subscriber (") {
                self.working_out = false;
            }
            return None;
        }
        let (who, what) = text.split_once(" is unauthorized to ")?;
        let (deed, key) = what.split_once(" (ingress) on ")?;
        let name = who.split_once("CertCommonName(").and_then(|(_, rest)| rest.split(')').next());
        let who = name.or_else(|| who.rsplit(' ').next())?;
        Some(Heard::Access(format!("{who}: {} on {key}", deed.to_lowercase())))
    }
}

/// Of connections that are taken. Zenoh adds a hint about open files to a failure, whatever the cause is; and the seconds
/// since a certificate ran out would make each attempt another refusal.
fn link(text: &str) -> Option<Heard> {
    if let Some(accepted) = text.strip_prefix("Accepted TLS connection on ") {
        let name = accepted.split_once("Common Name: ")?.1.trim_end_matches('.');
        return Some(Heard::Connected(name.to_owned()));
    }
    let why = text.split(". Hint:").next()?.split(": verification time").next()?;
    (!text.starts_with("Loading ")).then(|| Heard::Connection(why.to_owned()))
}

/// Why a connection to a configured endpoint does not come about. Addresses, places in Zenoh's source and times are left
/// out, so that one cause is one text.
fn cause(text: &str) -> Option<String> {
    let (_, why) = text.strip_prefix("Unable to connect to configured peer ")?.split_once("! ")?;
    let why = why.rsplit_once(" Retry in ").map_or(why, |(why, _)| why);
    let why = why.split(": verification time").next()?;
    let own = why.starts_with("Cannot create a new TLS listener to ");
    // An endpoint or a host stands before the cause.
    let before = if own { Some(why) } else { why.split_once(" bound to ").map(|(_, bound)| bound) };
    let why = before.and_then(|before| before.split_once(": ")).map_or(why, |(_, why)| why);
    let mut words: Vec<&str> = Vec::new();
    for word in why.split_whitespace() {
        let bare = word.trim_matches(['[', ']', '(', ')', ',', ';', ':', '.', '"', '!']);
        if bare.contains(".rs:") {
            // "at", before a place in the source.
            words.pop();
        } else if bare.parse::<SocketAddr>().is_err() && bare.parse::<IpAddr>().is_err() {
            words.push(word);
        }
    }
    let why = words.join(" ");
    let why = why.trim_matches(['[', ']', '.', ':', ' ']);
    let said = if own { Some("our own files of [tls] cannot be used") } else { in_words(why) };
    match said {
        Some(said) => Some(format!("{said} ({why})")),
        None => (!why.is_empty()).then(|| why.to_owned()),
    }
}

/// What the words of TLS mean here.
fn in_words(why: &str) -> Option<&'static str> {
    const MEANINGS: [(&[&str], &str); 5] = [
        (
            &["peer certificate: BadSignature", "peer certificate: UnknownIssuer"],
            "whoever answers there is not vouched for by the authority in tls.ca",
        ),
        (&["peer certificate: certificate expired"], "the certificate of whoever answers there has run out"),
        (
            &["peer certificate: certificate not valid for name"],
            "whoever answers there has a certificate for another host",
        ),
        (&["alert: CertificateExpired"], "our own certificate has run out"),
        (
            &["alert: DecryptError", "alert: UnknownCA", "alert: BadCertificate"],
            "our own certificate is not believed there",
        ),
    ];
    MEANINGS.iter().find(|(said, _)| said.iter().any(|said| why.contains(said))).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(line: &str) -> Option<Heard> {
        Hearing::new().hear(ACCESS, line)
    }

    #[test]
    fn a_denial_says_who_did_what_and_what_was_only_worked_out_is_none() {
        let line = "1a2b on Interface(lo)+CertCommonName(edge.a.e)+Transport(Tls)+1a2b is unauthorized to Put (ingress) on clearlane/a/deltas";
        let said = Some(Heard::Access("edge.a.e: put on clearlane/a/deltas".to_owned()));
        let mut hearing = Hearing::new();
        let mut denied = |line: &str| hearing.hear(ACCESS, line);
        assert_eq!(denied(line), said);
        assert_eq!(denied("ACL (ingress): caching permissions for `clearlane/a/deltas` ..."), None);
        assert_eq!(denied(line), None);
        assert_eq!(denied("1a2b on x is unauthorized to Declare Liveliness Subscriber (ingress) on k"), None);
        assert_eq!(denied(line), said);
        let cached = "Using cached result: 1a2b is unauthorized to Query (ingress) on clearlane/b/lease";
        assert_eq!(access(cached), Some(Heard::Access("1a2b: query on clearlane/b/lease".to_owned())));
        assert_eq!(access(&line.replace("ingress", "egress")), None);
        assert_eq!(access(&line.replace("unauthorized", "authorized")), None);
    }

    #[test]
    fn connections_that_are_taken_say_who_and_those_that_are_not_say_why() {
        let heard = |line: &str| Hearing::new().hear("zenoh_link_tls::unicast", line).unwrap();
        let hint = ". Hint: increase the system open file limit.";
        assert_eq!(
            heard(&format!("peer sent no certificates{hint}")),
            Heard::Connection("peer sent no certificates".to_owned())
        );
        assert_eq!(
            heard(&format!("certificate expired: verification time 17 (UNIX), but 16{hint}")),
            Heard::Connection("certificate expired".to_owned())
        );
        let accepted = "Accepted TLS connection on 127.0.0.1:1: 127.0.0.1:2. Common Name: edge.a.edge-1.";
        assert_eq!(heard(accepted), Heard::Connected("edge.a.edge-1".to_owned()));
    }

    #[test]
    fn a_link_that_is_closed_because_its_certificate_ran_out_is_told_whoever_was_connected() {
        let line = "Closing TLS link 127.0.0.1:1 => 127.0.0.1:2 : remote certificate chain expired";
        let heard = Hearing::new().hear(EXPIRY, line).unwrap();
        assert!(matches!(heard, Heard::Connection(why) if why.contains("has run out")));
        assert_eq!(Hearing::new().hear("elsewhere", line), None);
    }

    #[test]
    fn one_cause_is_one_text_whatever_the_address_and_the_time() {
        let of = |host: &str, port: u16, after: &str| {
            let peer = format!("tls/{host}:{port}");
            cause(&format!(
                "Unable to connect to configured peer {peer}! Can not create a new TLS link bound to IpAddress(V4(Ipv4Addr([127, 0, 0, 1]))): {} at /registry/zenoh-link-tls-1.10.2/src/unicast.rs:330.. Retry in {after}.",
                "invalid peer certificate: BadSignature"
            ))
        };
        let said = of("127.0.0.1", 7447, "200ms").unwrap();
        assert_eq!(
            said,
            "whoever answers there is not vouched for by the authority in tls.ca (invalid peer certificate: BadSignature)"
        );
        assert_eq!(of("127.0.0.1", 7447, "200ms"), of("10.0.0.1", 1, "2s"));
        let nobody = "Unable to connect to configured peer tls/127.0.0.1:1! Can not create a new TLS link bound to DnsName(\"central\"): [127.0.0.1:1: Connection refused (os error 111) at /x/tcp.rs:100.] at /x/tcp.rs:127. at /x/unicast.rs:300.. Retry in 400ms.";
        assert_eq!(cause(nobody).unwrap(), "Connection refused (os error 111)");
        let bad = "Unable to connect to configured peer tls/127.0.0.1:1! Cannot create a new TLS listener to tls/127.0.0.1:1#connect_certificate_file=/etc/e.pem: Bad certificate/key: keys may not be consistent: KeyMismatch at /x/utils.rs:418.. Retry in 400ms.";
        let said = cause(bad).unwrap();
        assert!(
            said.starts_with("our own files") && !said.contains("e.pem") && !said.contains("utils"),
            "{said}"
        );
        assert_eq!(cause("Try to connect: tls/127.0.0.1:1: global timeout: 2s"), None);
    }
}
