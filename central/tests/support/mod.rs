//! What tests of central share with the tests of the whole product.

#[path = "../../../tests/src/world/postgres.rs"]
#[allow(unreachable_pub, reason = "public where the other crate has it")]
mod postgres;

pub(crate) use postgres::Postgres;
