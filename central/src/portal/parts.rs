//! Components of GOV.UK's design system, with its markup and classes: what they are for and how they behave is documented there.

use maud::{Markup, html};

use super::fields::Fields;
use super::terms;
use crate::trade::Faulty;
use crate::words::Language;

/// A form as it is shown: what was filled in, and what is wrong with it. A field is named by the JSON pointer of its item.
#[derive(Clone, Copy)]
pub(super) struct Form<'a> {
    pub(super) language: Language,
    pub(super) fields: &'a Fields,
    pub(super) faults: &'a [Faulty],
}

/// How a text field is shown.
#[derive(Clone, Copy, Default)]
pub(super) struct Shape {
    /// As wide as so many characters: 2, 3, 4, 5, 10, 20; 0: the whole width.
    pub(super) width: u8,
    /// What phones show a keyboard for: `numeric`, `email`.
    pub(super) mode: Option<&'static str>,
    /// What browsers fill in by themselves.
    pub(super) autocomplete: Option<&'static str>,
    /// `password`, or `time`.
    pub(super) kind: Option<&'static str>,
    /// Whether it is set like a number or a code.
    pub(super) code: bool,
}

impl Shape {
    /// A code of about so many characters.
    pub(super) fn code(width: u8) -> Self {
        Self { width, code: true, ..Self::default() }
    }

    /// A whole number of about so many digits.
    pub(super) fn number(width: u8) -> Self {
        Self { width, mode: Some("numeric"), ..Self::default() }
    }
}

/// A field's id, for its label and for the summary of faults.
fn id(name: &str) -> String {
    format!("f{}", name.replace(['/', ' '], "-"))
}

fn described(name: &str, hint: bool, wrong: bool) -> Option<String> {
    let id = id(name);
    match (hint, wrong) {
        (true, true) => Some(format!("{id}-hint {id}-error")),
        (true, false) => Some(format!("{id}-hint")),
        (false, true) => Some(format!("{id}-error")),
        (false, false) => None,
    }
}

impl Form<'_> {
    fn say(&self, key: &str) -> String {
        self.language.say(key)
    }

    /// What is wrong with a field, or with one of the lines in it.
    fn wrong(&self, name: &str) -> Vec<String> {
        let line = format!("{name}/");
        let about = |f: &&Faulty| f.pointer == name || f.pointer.strip_prefix(&line).is_some_and(is_index);
        self.faults.iter().filter(about).map(|f| terms::faulty(self.language, f)).collect()
    }

    /// A group of a label, a hint, what is wrong, and a field.
    fn group(&self, name: &str, label: &str, hint: Option<&str>, field: &Markup) -> Markup {
        let wrong = self.wrong(name);
        html! {
            div class={ "govuk-form-group" @if !wrong.is_empty() { " govuk-form-group--error" } } {
                label class="govuk-label" for=(id(name)) { (label) }
                @if let Some(hint) = hint { div class="govuk-hint" id={ (id(name)) "-hint" } { (hint) } }
                (self.errors(name, &wrong))
                (field)
            }
        }
    }

    fn errors(&self, name: &str, wrong: &[String]) -> Markup {
        html! {
            @if !wrong.is_empty() {
                p class="govuk-error-message" id={ (id(name)) "-error" } {
                    span class="govuk-visually-hidden" { (self.say("error-prefix")) " " }
                    @for (i, why) in wrong.iter().enumerate() { @if i > 0 { br; } (why) }
                }
            }
        }
    }

    /// A line of text. `label` and `hint` are keys; `{label}-hint` is the hint where it is there.
    pub(super) fn input(&self, name: &str, label: &str, hint: Option<&str>, shape: Shape) -> Markup {
        let wrong = !self.wrong(name).is_empty();
        let kind = shape.kind.unwrap_or("text");
        // What is secret is typed anew.
        let value = if kind == "password" { "" } else { self.fields.raw(name) };
        let field = html! {
            input class={
                "govuk-input" @if wrong { " govuk-input--error" }
                @if shape.width > 0 { " govuk-input--width-" (shape.width) }
                @if shape.code { " govuk-input--extra-letter-spacing" }
            } id=(id(name)) name=(name) type=(kind) value=(value) inputmode=[shape.mode] autocomplete=[shape.autocomplete.or(Some("off"))]
                spellcheck="false" autocapitalize=[shape.code.then_some("characters")]
                aria-describedby=[described(name, hint.is_some(), wrong)] aria-invalid=[wrong.then_some("true")];
        };
        self.group(name, &self.say(label), hint.map(|h| self.say(h)).as_deref(), &field)
    }

    /// Several lines of text.
    pub(super) fn area(&self, name: &str, label: &str, hint: Option<&str>, rows: u8) -> Markup {
        let wrong = !self.wrong(name).is_empty();
        let field = html! {
            textarea class={ "govuk-textarea" @if wrong { " govuk-textarea--error" } } id=(id(name)) name=(name) rows=(rows)
                spellcheck="false" aria-describedby=[described(name, hint.is_some(), wrong)] aria-invalid=[wrong.then_some("true")] {
                (self.fields.raw(name))
            }
        };
        self.group(name, &self.say(label), hint.map(|h| self.say(h)).as_deref(), &field)
    }

    /// One of several, in a list that opens; the empty value is `none`.
    pub(super) fn select(
        &self,
        name: &str,
        label: &str,
        hint: Option<&str>,
        none: &str,
        choices: &[(String, String)],
    ) -> Markup {
        let wrong = !self.wrong(name).is_empty();
        let chosen = self.fields.get(name);
        let field = html! {
            select class={ "govuk-select" @if wrong { " govuk-select--error" } } id=(id(name)) name=(name)
                aria-describedby=[described(name, hint.is_some(), wrong)] aria-invalid=[wrong.then_some("true")] {
                option value="" { (none) }
                @for (value, words) in choices {
                    option value=(value) selected[value == chosen] { (words) }
                }
            }
        };
        self.group(name, &self.say(label), hint.map(|h| self.say(h)).as_deref(), &field)
    }

    /// One of several, all in sight.
    pub(super) fn radios(
        &self,
        name: &str,
        legend: &str,
        choices: &[(String, String, Option<String>)],
    ) -> Markup {
        self.boxes(name, legend, ("radio", "radios"), choices)
    }

    /// Any of several.
    pub(super) fn checkboxes(
        &self,
        name: &str,
        legend: &str,
        choices: &[(String, String, Option<String>)],
    ) -> Markup {
        self.boxes(name, legend, ("checkbox", "checkboxes"), choices)
    }

    /// Any of many.
    pub(super) fn small_checkboxes(
        &self,
        name: &str,
        legend: &str,
        choices: &[(String, String, Option<String>)],
    ) -> Markup {
        self.boxes(name, legend, ("checkbox", "checkboxes govuk-checkboxes--small"), choices)
    }

    fn boxes(
        &self,
        name: &str,
        legend: &str,
        (kind, classes): (&str, &str),
        choices: &[(String, String, Option<String>)],
    ) -> Markup {
        let wrong = self.wrong(name);
        let block = if kind == "radio" { "radios" } else { "checkboxes" };
        let chosen = self.fields.all(name);
        html! {
            div class={ "govuk-form-group" @if !wrong.is_empty() { " govuk-form-group--error" } } {
                fieldset class="govuk-fieldset" aria-describedby=[described(name, false, !wrong.is_empty())] {
                    legend class="govuk-fieldset__legend govuk-fieldset__legend--s" { (self.say(legend)) }
                    (self.errors(name, &wrong))
                    div class={ "govuk-" (classes) } {
                        @for (i, (value, words, hint)) in choices.iter().enumerate() {
                            // The summary of faults leads to the first.
                            @let id = if i == 0 { id(name) } else { format!("{}-{i}", id(name)) };
                            div class={ "govuk-" (block) "__item" } {
                                input class={ "govuk-" (block) "__input" } id=(id) name=(name) type=(kind) value=(value)
                                    checked[chosen.contains(value)] aria-describedby=[hint.as_ref().map(|_| format!("{id}-hint"))];
                                label class={ "govuk-label govuk-" (block) "__label" } for=(id) { (words) }
                                @if let Some(hint) = hint {
                                    div class={ "govuk-hint govuk-" (block) "__hint" } id={ (id) "-hint" } { (hint) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Everything that is wrong, each with a link to its field. It has the focus when the page opens.
    pub(super) fn summary(&self) -> Markup {
        html! {
            @if !self.faults.is_empty() {
                div class="govuk-error-summary" tabindex="-1" autofocus { div role="alert" {
                    h2 class="govuk-error-summary__title" { (self.say("error-title")) }
                    div class="govuk-error-summary__body" { ul class="govuk-list govuk-error-summary__list" {
                        @for fault in self.faults {
                            li { a href={ "#" (id(field_of(&fault.pointer))) } { (terms::faulty(self.language, fault)) } }
                        }
                    } }
                } }
            }
        }
    }

    /// The page's title, which says first that something is wrong.
    pub(super) fn title(&self, title: &str) -> String {
        if self.faults.is_empty() { title.to_owned() } else { format!("{}: {title}", self.say("error-word")) }
    }
}

fn is_index(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The field of a fault: lists of numbers and marks are one field, a line each.
fn field_of(pointer: &str) -> &str {
    match pointer.rsplit_once('/') {
        Some((list, index)) if is_index(index) => list,
        _ => pointer,
    }
}

/// A button that sends the form.
pub(super) fn button(words: &str) -> Markup {
    html! { button type="submit" class="govuk-button" data-prevent-double-click="true" { (words) } }
}

/// A button that sends the form and means something else by it.
pub(super) fn other_button(name: &str, words: &str) -> Markup {
    html! { button type="submit" class="govuk-button govuk-button--secondary" name=(name) value="1" { (words) } }
}

/// A button for what cannot be taken back.
pub(super) fn warning_button(words: &str) -> Markup {
    html! { button type="submit" class="govuk-button govuk-button--warning" { (words) } }
}

/// A link that looks like a button.
pub(super) fn link_button(to: &str, words: &str, secondary: bool) -> Markup {
    html! {
        a href=(to) role="button" draggable="false" class={ "govuk-button" @if secondary { " govuk-button--secondary" } } { (words) }
    }
}

/// Names and values.
pub(super) fn list(rows: &[(String, Markup)]) -> Markup {
    html! {
        dl class="govuk-summary-list" { @for (name, value) in rows {
            div class="govuk-summary-list__row" {
                dt class="govuk-summary-list__key" { (name) }
                dd class="govuk-summary-list__value" { (value) }
            }
        } }
    }
}

/// A status in colour.
pub(super) fn tag(words: &str, colour: &str) -> Markup {
    html! { strong class={ "govuk-tag govuk-tag--" (colour) } { (words) } }
}

/// One line of a list of things with their status.
pub(super) struct Line {
    pub(super) to: Option<String>,
    pub(super) name: Markup,
    pub(super) hint: Option<Markup>,
    pub(super) status: Markup,
}

/// A list of things with their status.
pub(super) fn lines(lines: &[Line]) -> Markup {
    html! {
        ul class="govuk-task-list" { @for line in lines {
            li class={ "govuk-task-list__item" @if line.to.is_some() { " govuk-task-list__item--with-link" } } {
                div class="govuk-task-list__name-and-hint" {
                    @if let Some(to) = &line.to { a class="govuk-link govuk-task-list__link" href=(to) { (line.name) } }
                    @else { div { (line.name) } }
                    @if let Some(hint) = &line.hint { div class="govuk-task-list__hint" { (hint) } }
                }
                div class="govuk-task-list__status" { (line.status) }
            }
        } }
    }
}

/// Something that was done.
pub(super) fn done(language: Language, words: &str) -> Markup {
    html! {
        div class="govuk-notification-banner govuk-notification-banner--success" role="alert" aria-labelledby="done-title" {
            div class="govuk-notification-banner__header" {
                h2 class="govuk-notification-banner__title" id="done-title" { (language.say("done")) }
            }
            div class="govuk-notification-banner__content" { p class="govuk-notification-banner__heading" { (words) } }
        }
    }
}

/// Something to know.
pub(super) fn inset(content: &Markup) -> Markup {
    html! { div class="govuk-inset-text" { (content) } }
}

/// Something to beware of.
pub(super) fn warning(language: Language, words: &str) -> Markup {
    html! {
        div class="govuk-warning-text" {
            span class="govuk-warning-text__icon" aria-hidden="true" { "!" }
            strong class="govuk-warning-text__text" {
                span class="govuk-visually-hidden" { (language.say("warning")) " " }
                (words)
            }
        }
    }
}

/// Older ones of a list.
pub(super) fn older(language: Language, to: Option<String>) -> Markup {
    html! { @if let Some(to) = to {
        nav class="govuk-pagination govuk-pagination--block" aria-label=(language.say("pages")) {
            div class="govuk-pagination__next" { a class="govuk-link govuk-pagination__link" href=(to) rel="next" {
                span class="govuk-pagination__link-title" { (language.say("older")) }
            } }
        }
    } }
}
