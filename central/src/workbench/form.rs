//! The form of a decision: one code, what led to it, a reason, instructions. What was typed is shown again whatever is wrong.

use clearance::directive::ActionCode;
use maud::{Markup, html};

use super::decision::{Basis, LONGEST_TEXT};
use super::terms;
use crate::console::terms::action;
use crate::words::Language;

/// Fields as a form sends them; a name may be there several times.
pub(super) struct Fields(pub(super) Vec<(String, String)>);

impl Fields {
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Texts of one name that are words of ours: each once, in our order.
    pub(super) fn among<'a>(&self, name: &str, known: &[&'a str]) -> Vec<&'a str> {
        known.iter().copied().filter(|word| self.all(name).any(|sent| sent == *word)).collect()
    }
}

/// What an officer has typed so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) code: Option<ActionCode>,
    pub(super) basis: Option<Basis>,
    pub(super) reason: String,
    pub(super) instructions: String,
}

/// A draft that lacks nothing.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) code: ActionCode,
    pub(super) basis: Basis,
    pub(super) reason: String,
    pub(super) instructions: String,
}

impl Draft {
    pub(super) fn of(fields: &Fields) -> Self {
        let code = fields.get("code");
        let chosen = Basis::of_name(fields.get("basis")).filter(|basis| Basis::CHOSEN.contains(basis));
        Self {
            code: ActionCode::of_code(code),
            basis: chosen,
            reason: fields.get("reason").to_owned(),
            instructions: fields.get("instructions").to_owned(),
        }
    }

    /// What it decides, or everything that it lacks.
    pub(super) fn check(&self, language: Language) -> Result<Choice, Vec<String>> {
        let mut problems = Vec::new();
        let mut note = |wrong: bool, key: &str| {
            if wrong {
                problems.push(language.say_with(key, &[("most", &LONGEST_TEXT.to_string())]));
            }
        };
        note(self.code.is_none(), "wb-problem-no-code");
        note(self.basis.is_none(), "wb-problem-no-basis");
        note(self.reason.is_empty(), "wb-problem-no-reason");
        note(self.reason.chars().count() > LONGEST_TEXT, "wb-problem-long-reason");
        note(self.instructions.chars().count() > LONGEST_TEXT, "wb-problem-long-instructions");
        note(self.reason.contains('\0') || self.instructions.contains('\0'), "wb-problem-null");
        match (self.code, self.basis) {
            (Some(code), Some(basis)) if problems.is_empty() => {
                let (reason, instructions) = (self.reason.clone(), self.instructions.clone());
                Ok(Choice { code, basis, reason, instructions })
            }
            _ => Err(problems),
        }
    }

    /// Its fields; `short`: without instructions.
    pub(super) fn fields(&self, language: Language, short: bool) -> Markup {
        let say = |key: &str| language.say(key);
        html! {
            fieldset class="codes" {
                legend { (say("wb-code")) }
                @for (number, code) in (1..).zip(ActionCode::ALL) {
                    label class=(terms::lamp(code)) {
                        input type="radio" name="code" value=(code.code()) data-key=(number) checked[self.code == Some(code)] required;
                        kbd { (number) } " " (say(action(code)))
                    }
                }
            }
            div class="decision" {
                label { (say("wb-basis"))
                    select name="basis" required {
                        option value="" selected[self.basis.is_none()] { "—" }
                        @for basis in Basis::CHOSEN {
                            option value=(basis.name()) selected[self.basis == Some(basis)] { (say(terms::basis(basis))) }
                        }
                    }
                }
                label { (say("wb-reason"))
                    textarea name="reason" rows=(if short { "1" } else { "3" }) maxlength=(LONGEST_TEXT) required { (self.reason) }
                }
                @if !short {
                    label { (say("wb-instructions"))
                        textarea name="instructions" rows="2" maxlength=(LONGEST_TEXT) { (self.instructions) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn everything_that_is_missing_is_told_at_once_and_nothing_typed_is_lost() {
        let draft = Draft::of(&fields(&[("code", "shoot"), ("reason", " "), ("instructions", "seal 7")]));
        let problems = draft.check(Language::English).unwrap_err();
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(draft.fields(Language::English, false).into_string().contains("seal 7"));
        let long = "x".repeat(LONGEST_TEXT + 1);
        let draft = Draft::of(&fields(&[("code", "inspect"), ("basis", "goods"), ("reason", &long)]));
        assert_eq!(draft.check(Language::English).unwrap_err().len(), 1);
    }

    #[test]
    fn an_officer_cannot_pass_for_a_system() {
        let draft = Draft::of(&fields(&[("code", "release"), ("basis", "system"), ("reason", "x")]));
        assert_eq!(draft.basis, None);
    }

    #[test]
    fn words_of_a_list_are_ours_and_each_counts_once() {
        let sent = fields(&[("c", "b"), ("c", "x"), ("c", "a"), ("c", "a")]);
        assert_eq!(sent.among("c", &["a", "b", "d"]), ["a", "b"]);
    }
}
