//! Officers: who may do what, passwords, and the guard against guessing.

mod actor;
mod guard;
mod password;

pub use actor::{Actor, Deed, Role, UnknownRole};
pub(crate) use guard::wait_ms;
pub(crate) use password::verify_password_aside;
pub use password::{PasswordError, hash_password, verify_password};
use rand::RngExt as _;

/// A random token of 256 bits, as 64 hexadecimal digits.
pub fn new_token() -> String {
    clearance::ids::Digest(rand::rng().random()).to_string()
}

/// What is stored of a token.
pub fn token_hash(token: &str) -> String {
    clearance::ids::Digest::of(token.as_bytes()).to_string()
}
