//! When two spellings are one mark, for scoring.

/// Upper case, letters and digits only (Han characters are letters), O written 0 and I written 1: Hong Kong and
/// cross-boundary marks have no letters I and O, and plates elsewhere seldom tell them apart. The same rule as
/// `score_plates.py`, so that figures can be laid side by side.
pub fn normal(mark: &str) -> String {
    mark.chars()
        .flat_map(char::to_uppercase)
        .filter(|c| c.is_alphanumeric())
        .map(|c| match c {
            'O' => '0',
            'I' => '1',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_case_and_look_alikes_do_not_count() {
        assert_eq!(normal("粤Z·n537 港"), "粤ZN537港");
        assert_eq!(normal("io-8"), "108");
        assert_eq!(normal(" . "), "");
    }
}
