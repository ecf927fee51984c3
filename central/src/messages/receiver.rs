//! Where a webhook may lead. Whoever registers one chooses an address that central then sends requests to: unless the
//! configuration allows it, none leads into central's own machine or network, whatever a name resolves to and whenever.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::config::WebhooksConfig;
use crate::trade::Fault;

/// The longest address.
const MOST_URL: usize = 2_000;

/// Why a webhook may not lead there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoReceiver {
    /// No address.
    #[error("no address: {0}")]
    Form(String),
    /// Longer than an address is.
    #[error("at most {MOST_URL} characters")]
    TooLong,
    /// Another scheme.
    #[error("an address that begins with https://")]
    Scheme,
    /// With a name and a password, or a fragment.
    #[error("without name, password and #: requests are signed instead")]
    Extras,
    /// In central's own network.
    #[error("{0} is not in the public network")]
    Private(IpAddr),
}

impl From<NoReceiver> for Fault {
    fn from(error: NoReceiver) -> Self {
        match error {
            NoReceiver::Form(why) => Self::Url { why },
            NoReceiver::TooLong => Self::TooLong { most: MOST_URL },
            NoReceiver::Scheme => Self::Https,
            NoReceiver::Extras => Self::UrlExtras,
            NoReceiver::Private(address) => Self::NotPublic { address: address.to_string() },
        }
    }
}

impl WebhooksConfig {
    /// Read the address of a receiver. What its name resolves to is looked at whenever something is sent.
    pub(crate) fn receiver(self, text: &str) -> Result<Url, NoReceiver> {
        if text.len() > MOST_URL {
            return Err(NoReceiver::TooLong);
        }
        let url = text.parse::<Url>().map_err(|e| NoReceiver::Form(e.to_string()))?;
        if url.scheme() != "https" && !(self.allow_http && url.scheme() == "http") {
            return Err(NoReceiver::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(NoReceiver::Extras);
        }
        // An address that is a number is never resolved.
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        match host.parse::<IpAddr>() {
            Ok(ip) if !self.allows(ip) => Err(NoReceiver::Private(ip)),
            _ => Ok(url),
        }
    }

    fn allows(self, ip: IpAddr) -> bool {
        self.allow_private || is_public(ip)
    }
}

/// Resolves names, and leaves out what may not be reached: the connection is made to what was looked at.
#[derive(Clone, Copy)]
pub(super) struct Allowed(pub(super) WebhooksConfig);

impl Resolve for Allowed {
    fn resolve(&self, name: Name) -> Resolving {
        let config = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<_> = found.iter().copied().filter(|at| config.allows(at.ip())).collect();
            match (allowed.is_empty(), found.first()) {
                (true, Some(at)) => Err(NoReceiver::Private(at.ip()).into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether an address is one of the public network.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

/// IANA's registry of special-purpose addresses, and multicast.
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., ..)
            | (169, 254, _)
            | (192, 168, _)
            | (100, 64..=127, _)
            | (172, 16..=31, _)
            | (198, 18 | 19, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

/// Of 2000::/3, without what is set apart in it, and without what carries an address of IPv4 that is not public.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, .., y, z] = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match (a, b) {
        // ::ffff:0:0/96, IPv4 in IPv6's clothes.
        (0, 0) => ip.to_ipv4_mapped().is_some_and(is_public_v4),
        // Translated (RFC 6052), and 6to4.
        (0x64, 0xff9b) if c == 0 && d == 0 => is_public_v4(v4(y, z)),
        (0x2002, _) => is_public_v4(v4(b, c)),
        // Protocols, Teredo, documentation.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => false,
        (a, _) => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: WebhooksConfig = WebhooksConfig { allow_http: false, allow_private: false };
    const OPEN: WebhooksConfig = WebhooksConfig { allow_http: true, allow_private: true };

    #[test]
    fn nothing_leads_behind_the_walls() {
        for inside in [
            "https://127.0.0.1/",
            "https://10.1.2.3/",
            "https://172.31.0.1/",
            "https://192.168.1.1/",
            "https://169.254.169.254/",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://255.255.255.255/",
            "https://224.0.0.1/",
            "https://198.18.0.1/",
            // The same in other clothes.
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::1]/",
            "https://[::]/",
            "https://[fe80::1]/",
            "https://[fd00::1]/",
            "https://[fec0::1]/",
            "https://[ff02::1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[64:ff9b:1::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001:db8::1]/",
            "https://[::127.0.0.1]/",
        ] {
            assert!(
                matches!(STRICT.receiver(inside), Err(NoReceiver::Private(_))),
                "{inside}: {:?}",
                STRICT.receiver(inside)
            );
            assert!(OPEN.receiver(inside).is_ok(), "{inside}");
        }
        for outside in [
            "https://1.1.1.1/",
            "https://[2606:4700::1111]/",
            "https://[64:ff9b::101:101]/",
            "https://172.32.0.1:8443/x?y=z",
        ] {
            assert!(STRICT.receiver(outside).is_ok(), "{outside}");
        }
    }

    #[test]
    fn only_https_without_names_and_passwords() {
        assert_eq!(STRICT.receiver("http://example.com/"), Err(NoReceiver::Scheme));
        assert!(OPEN.receiver("http://example.com/").is_ok());
        assert_eq!(OPEN.receiver("ftp://example.com/"), Err(NoReceiver::Scheme));
        assert_eq!(OPEN.receiver("file:///etc/passwd"), Err(NoReceiver::Scheme));
        assert_eq!(STRICT.receiver("https://a:b@example.com/"), Err(NoReceiver::Extras));
        assert_eq!(STRICT.receiver("https://example.com/#a"), Err(NoReceiver::Extras));
        assert!(matches!(STRICT.receiver("example.com"), Err(NoReceiver::Form(_))));
        assert_eq!(
            STRICT.receiver(&format!("https://example.com/{}", "a".repeat(2000))),
            Err(NoReceiver::TooLong)
        );
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_this_machine_is_refused_when_something_is_sent() {
        let name = || "localhost".parse::<Name>().unwrap();
        let refused = Allowed(STRICT).resolve(name()).await.err().unwrap();
        assert!(refused.to_string().contains("not in the public network"), "{refused}");
        assert!(Allowed(OPEN).resolve(name()).await.unwrap().count() > 0);
    }
}
