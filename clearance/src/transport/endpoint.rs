//! Which Zenoh endpoints may be used: TLS, or plain TCP that does not leave the machine.

use std::net::IpAddr;

/// Why an endpoint may not be used: the endpoint, what is wrong, how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not `protocol/host:port`.
    #[error("{0}: not an endpoint; write tls/HOST:PORT, or tcp/127.0.0.1:PORT on one machine")]
    Form(String),
    /// Zenoh lets an endpoint carry settings of its own, which could switch checks off.
    #[error("{0}: settings after '?' or '#' are not taken; write tls/HOST:PORT only")]
    Settings(String),
    /// Neither TLS nor TCP.
    #[error("{0}: only tls and tcp are spoken; write tls/HOST:PORT")]
    Protocol(String),
    /// Plain TCP to or from elsewhere.
    #[error(
        "{0}: plain TCP would carry directives and pictures unencrypted to another machine; write tls/HOST:PORT and name the certificate under [tls], or keep to 127.0.0.1"
    )]
    Plain(String),
    /// TLS without certificates.
    #[error(
        "{0}: TLS needs certificates; add [tls] with ca, certificate and private_key (`central ca issue` makes them)"
    )]
    NoCertificate(String),
    /// Plain TCP beside TLS.
    #[error(
        "{0}: with [tls] every endpoint is a TLS one, for who comes without a certificate may do nothing; write tls/HOST:PORT or remove [tls]"
    )]
    Mixed(String),
}

/// Check endpoints against whether certificates are configured: all `tls/` with them, all `tcp/` on loopback addresses
/// without.
pub fn check_endpoints(endpoints: &[String], with_tls: bool) -> Result<(), EndpointError> {
    endpoints.iter().try_for_each(|endpoint| check(endpoint, with_tls))
}

fn check(endpoint: &str, with_tls: bool) -> Result<(), EndpointError> {
    let named = || endpoint.to_owned();
    if endpoint.contains(['?', '#']) {
        return Err(EndpointError::Settings(named()));
    }
    let (protocol, address) = endpoint.split_once('/').ok_or_else(|| EndpointError::Form(named()))?;
    let (host, port) = address.rsplit_once(':').ok_or_else(|| EndpointError::Form(named()))?;
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err(EndpointError::Form(named()));
    }
    match (protocol, with_tls) {
        ("tls", false) => Err(EndpointError::NoCertificate(named())),
        ("tcp", _) if !is_loopback(host) => Err(EndpointError::Plain(named())),
        ("tcp", true) => Err(EndpointError::Mixed(named())),
        ("tls", true) | ("tcp", false) => Ok(()),
        _ => Err(EndpointError::Protocol(named())),
    }
}

/// A name may be resolved to anything, so only addresses count, and `localhost`.
fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_tcp_stays_on_the_machine_and_tls_has_certificates() {
        let check = |endpoint: &str, tls| check_endpoints(&[endpoint.to_owned()], tls);
        for (endpoint, tls) in [
            ("tcp/127.0.0.1:7447", false),
            ("tcp/[::1]:7447", false),
            ("tcp/localhost:7447", false),
            ("tls/central.example.org:7447", true),
            ("tls/0.0.0.0:7447", true),
            ("tls/[2001:db8::1]:7447", true),
        ] {
            assert_eq!(check(endpoint, tls), Ok(()), "{endpoint}");
        }
        for (endpoint, tls, said) in [
            ("tcp/10.0.0.1:7447", false, "unencrypted"),
            ("tcp/0.0.0.0:7447", false, "unencrypted"),
            ("tcp/10.0.0.1:7447", true, "unencrypted"),
            ("tcp/localhost.example.org:7447", false, "unencrypted"),
            ("tcp/127.0.0.1:7447", true, "every endpoint"),
            ("tls/central:7447", false, "needs certificates"),
            ("tls/central:7447#verify_name_on_connect=false", true, "settings"),
            ("udp/127.0.0.1:7447", false, "only tls and tcp"),
            ("127.0.0.1:7447", false, "not an endpoint"),
            ("tls/central", true, "not an endpoint"),
            ("tls/:7447", true, "not an endpoint"),
        ] {
            let error = check(endpoint, tls).unwrap_err().to_string();
            assert!(error.contains(said) && error.starts_with(endpoint), "{error}");
        }
    }
}
