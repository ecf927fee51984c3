//! Statements whose length depends on what is stored: many rows at once. Texts come from us alone, values are always bound.

use std::fmt::Write as _;

/// As many rows as one statement takes. SQLite goes through the names of all parameters before it for each that is bound: with 200 rows
/// that was a third of what lodging many took.
pub(super) const ROWS: usize = 32;

/// `head` and `rows` groups of `columns` parameters, as `($1, $2), ($3, $4)`.
pub(super) fn rows(head: &str, columns: usize, rows: usize) -> String {
    let mut statement = head.to_owned();
    let mut parameter = 0;
    for row in 0..rows {
        statement.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            parameter += 1;
            let comma = if column == 0 { "" } else { ", " };
            let _ = write!(statement, "{comma}${parameter}");
        }
        statement.push(')');
    }
    statement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_through() {
        assert_eq!(rows("INSERT INTO t VALUES ", 2, 2), "INSERT INTO t VALUES ($1, $2), ($3, $4)");
    }
}
