//! What people are told, in each language.

use super::*;
use crate::trade::batch::draft::{DIRECTIONS, FLAGS};
use crate::words::{Language, keys};

#[test]
fn every_language_has_every_word() {
    let english = keys(Language::English);
    for language in Language::ALL {
        assert_eq!(keys(language), english, "{}", language.tag());
        for column in &COLUMNS {
            for key in [column.words.to_owned(), format!("{}-why", column.words)] {
                assert!(english.contains(&key.as_str()), "{key}");
            }
            // As much as a spreadsheet shows beside a cell.
            assert!(language.say(column.words).chars().count() <= 32, "{}", column.words);
            assert!(
                language.say(&format!("{}-why", column.words)).chars().count() <= 255,
                "{}",
                column.words
            );
        }
    }
    let errors = include_str!("../error.rs").split('"').filter(|text| text.starts_with("batch-error-"));
    assert!(errors.clone().count() > 10);
    for key in errors {
        assert!(english.contains(&key), "{key}");
    }
}

#[test]
fn what_a_template_offers_is_read() {
    for language in Language::ALL {
        for key in ["batch-inbound", "batch-outbound"] {
            assert!(DIRECTIONS.iter().any(|(word, _)| *word == language.say(key)), "{key}");
        }
        for (key, meant) in [("batch-yes", true), ("batch-no", false)] {
            assert!(FLAGS.contains(&(language.say(key).as_str(), meant)), "{key}");
        }
        let template = template(Format::Xlsx, &|key| language.say(key)).unwrap();
        assert_eq!(read(Format::Xlsx, &template), Err(BatchError::Empty));
    }
}
