//! Addresses within the console: values in them, and where a reader may be sent back to.

use std::fmt::Write as _;

/// Percent-encoding of a query value (RFC 3986: all but unreserved characters).
pub(crate) fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
            out.push(b as char);
        } else {
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}

/// `address` if it is a page of this console, and nothing that could lead a reader to somebody else's.
pub(super) fn within_console(address: &str) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~?=&%".contains(&b);
    let within = address.starts_with("/console/") && !address.contains("..") && address.bytes().all(plain);
    within.then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_escaped() {
        assert_eq!(escaped("a b&c=粤"), "a%20b%26c%3D%E7%B2%A4");
    }

    #[test]
    fn nobody_is_sent_out_of_the_console() {
        for page in ["/console/lanes", "/console/queue?passage=0a1b"] {
            assert_eq!(within_console(page), Some(page));
        }
        for elsewhere in [
            "https://evil.example/console/queue",
            "//evil.example/console/",
            "/\\evil.example",
            "/api/v1/passages",
            "/console/../api/v1/passages",
            "/consolex",
            "/console/queue\r\nset-cookie: a=b",
            "/console/@evil.example",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(within_console(elsewhere), None, "{elsewhere}");
        }
    }
}
