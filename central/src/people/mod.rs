//! People of the trade who use the portal: their names, one-time passwords and passkeys.

mod invite;
mod one_time;
mod passkeys;

use std::fmt;
use std::str::FromStr;

pub use invite::invite;
pub(crate) use invite::sealed_for;
pub use one_time::{OneTime, TotpError};
pub(crate) use passkeys::id_of;
pub use passkeys::{Begun, PasskeyError, Passkeys};

/// The name that somebody signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login(String);

/// A text is no login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sign-in name has 1 to 64 letters, digits, '-', '_', '.', '+' or '@'")]
pub struct NoLogin;

impl Login {
    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Login {
    type Err = NoLogin;

    /// Capitals are typed by telephones of their own accord; they count for nothing.
    fn from_str(text: &str) -> Result<Self, NoLogin> {
        let text = text.trim().to_ascii_lowercase();
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.+@".contains(&b);
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) { Ok(Self(text)) } else { Err(NoLogin) }
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_plain_and_capitals_do_not_count() {
        assert_eq!(" Chan@Example.org ".parse::<Login>().unwrap().as_str(), "chan@example.org");
        for bad in ["", " ", "a b", "a\0", "陳", &"a".repeat(65)] {
            assert_eq!(bad.parse::<Login>(), Err(NoLogin), "{bad:?}");
        }
    }
}
