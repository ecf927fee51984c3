use proptest::prelude::*;

use super::*;
use crate::assessment::Measure;
use crate::example;
use crate::facts::GoodsLine;

fn rule(condition: &str) -> Rule {
    Rule {
        id: "rule".to_owned(),
        version: 1,
        condition: condition.to_owned(),
        measure: Measure::Inspect,
        from: UtcMillis(0),
        until: None,
    }
}

fn refused(condition: &str) -> String {
    CompiledRule::new(rule(condition)).unwrap_err().to_string()
}

#[test]
fn conditions_ask_the_facts() {
    let mut facts = example::facts();
    facts.consignments[0].goods =
        vec![GoodsLine { description: "ball".to_owned(), value_hkd: Some(5), ..GoodsLine::default() }];
    let values = RuleFacts::of(&facts);
    for (condition, holds) in [
        ("direction == 'inbound' && control_point in ['lok-ma-chau', 'man-kam-to']", true),
        ("hour >= 22 || hour < 5", false),
        ("weekday == 5 && hour == 16", true),
        ("vehicle.passages < 50 && vehicle.finds == 0", true),
        ("has(vehicle.mainland_mark)", false),
        ("vehicle.mainland_mark == '' && size(vehicle.trailers) == 0", true),
        ("consignments.exists(c, c.hs_code.startsWith('9503') && c.origin == 'CN')", true),
        ("consignments.all(c, has(c.value_hkd) && c.value_hkd > 19999)", true),
        (
            "consignments.exists(c, c.goods.exists(g, g.description.contains('ball') && g.value_hkd == 5))",
            true,
        ),
        ("consignments.exists(c, has(c.shipper))", false),
        ("consignments.filter(c, c.origin == 'CN').exists(c, c.packages > 19)", true),
        ("double(value_hkd) / double(net_weight_kg) > 66.6", true),
        ("driver.name == '' && carrier.known_days > 300", true),
    ] {
        let compiled = CompiledRule::new(rule(condition)).unwrap_or_else(|e| panic!("{condition}: {e}"));
        assert_eq!(compiled.holds(&values), Ok(holds), "{condition}");
    }
}

#[test]
fn what_is_no_fact_or_does_not_fit_is_refused_with_what_there_is() {
    for (condition, told) in [
        (
            "drection == 'inbound'",
            "at character 1: there is no fact drection; there are direction, control_point",
        ),
        (
            "consignments.exists(c, c.hscode == '1')",
            "there is no fact hscode of a Consignment; there are ccrn, packages",
        ),
        (
            "consignments.exists(c, c.consignee.nmae == '1')",
            "there is no fact nmae of a Party; there are name, address",
        ),
        ("has(vehicle.colour)", "there is no fact colour of a Vehicle"),
        ("hour == 'five'", "at character 1: int is compared with string"),
        ("control_point in [1, 2]", "at character 1: string is looked for among int"),
        ("consignments.exists(c, c.origin == 5)", "at character 24: string is compared with int"),
        ("hour + 1", "a condition is true or false, this gives int"),
        ("value_hkd > 1.5 && true", "at character"),
        ("hour ==", "at character"),
        ("", "at character 1"),
        ("direction == 'inbound' &&& true", "at character"),
    ] {
        let refused = refused(condition);
        assert!(refused.contains(told), "{condition}: {refused}");
    }
}

#[test]
fn what_could_run_away_is_refused_before_it_is_asked() {
    let long_row = format!("hour in [{}]", vec!["1"; 1_900].join(","));
    let loops = "consignments.exists(a, consignments.exists(b, a.ccrn == b.ccrn))";
    let again = "consignments.exists(a, consignments[0].goods.exists(g, g.value_hkd > 0))";
    for (condition, told) in [
        ("x".repeat(5_000), "more than 4000 characters"),
        (format!("{}true{}", "(".repeat(30), ")".repeat(30)), "nests too deeply"),
        (format!("{}true", "!".repeat(40)), "nests too deeply"),
        (vec!["true"; 400].join(" && "), "nests too deeply"),
        (loops.to_owned(), "goes over consignments for each of consignments"),
        (again.to_owned(), "goes over goods for each of consignments"),
        (
            "consignments.exists(c, c.goods.exists(g, c.goods.exists(h, h == g)))".to_owned(),
            "goes over goods",
        ),
        (
            "consignments.exists(c, c.goods.map(g, g.value_hkd).exists(v, v > 1))".to_owned(),
            "map or filter over goods",
        ),
        (format!("consignments.exists(c, {long_row})"), "steps with a large movement"),
        ("vehicle.mark.matches('.*')".to_owned(), "there is no function matches"),
        (
            "timestamp('2026-01-01T00:00:00Z') == timestamp('2026-01-01T00:00:00Z')".to_owned(),
            "no function timestamp",
        ),
        ("{'a': 1}['a'] == 1".to_owned(), "a map or a message"),
        ("cel.bind(x, 1, x == 1)".to_owned(), "cel"),
    ] {
        let refused = refused(&condition);
        assert!(refused.contains(told), "{condition}: {refused}");
    }
}

#[test]
fn a_guard_never_says_other_than_the_interpreter() {
    let mut facts = example::facts();
    facts.consignments.push(facts.consignments[0].clone());
    facts.consignments[1].hs_code = None;
    facts.consignments[1].origin = Some("KP".to_owned());
    facts.consignments[1].goods =
        vec![GoodsLine { hs_code: Some("850650".to_owned()), value_hkd: Some(7), ..GoodsLine::default() }];
    let some = RuleFacts::of(&facts);
    facts.consignments.clear();
    let none = RuleFacts::of(&facts);
    let atoms = [
        "hour > 15",
        "hour < 16",
        "hour >= 17",
        "weekday == 5",
        "direction == 'outbound'",
        "100 / (hour - 16) > 1",
        "control_point in ['lok-ma-chau', 'x']",
        "vehicle.mark.startsWith('XY')",
        "carrier.passages <= 39",
        "consignments.exists(c, c.origin == 'KP' && c.hs_code == '')",
        "consignments.exists(c, c.hs_code.startsWith('9503') && c.origin == 'KP')",
        "consignments.exists(c, c.goods.exists(g, g.hs_code.startsWith('8506') && g.value_hkd == 7))",
        "consignments.exists(c, c.goods.exists(g, g.value_hkd > 7))",
        "consignments.exists(c, c.consignee.name.contains('Shop'))",
        "consignments.all(c, c.packages > 19)",
        "consignments.exists_one(c, c.origin == 'KP')",
        "consignments.exists(hour, hour.packages == 20)",
    ];
    for a in atoms {
        for b in atoms {
            for condition in [
                format!("{a} && {b}"),
                format!("{a} || {b}"),
                format!("!({a}) && {b}"),
                format!("{a} ? {b} : false"),
            ] {
                let compiled =
                    CompiledRule::new(rule(&condition)).unwrap_or_else(|e| panic!("{condition}: {e}"));
                for values in [&some, &none] {
                    assert_eq!(compiled.holds(values), compiled.holds_unguarded(values), "{condition}");
                }
            }
        }
    }
    let guarded =
        CompiledRule::new(rule("consignments.exists(c, c.hs_code.startsWith('9503') && c.origin == 'KP')"));
    assert_eq!(guarded.unwrap().guards.len(), 2);
    assert_eq!(some.columns_filled(), guard::columns().len());
}

#[test]
fn a_rule_that_fails_says_so() {
    let values = RuleFacts::of(&example::facts());
    for (condition, told) in [
        ("100 / (hour - 16) > 1", "zero"),
        ("consignments[7].packages == 1", "7"),
        ("int(vehicle.mark) > 1", "int"),
        ("value_hkd * 9223372036854775807 > 0", "overflow"),
    ] {
        let failed = CompiledRule::new(rule(condition)).unwrap().holds(&values).unwrap_err();
        assert!(failed.contains(told), "{condition}: {failed}");
    }
}

#[test]
fn a_rule_holds_in_its_time() {
    let compiled =
        CompiledRule::new(Rule { from: UtcMillis(5), until: Some(UtcMillis(7)), ..rule("true") }).unwrap();
    let live: Vec<bool> = (4..8).map(|now| compiled.is_live(UtcMillis(now))).collect();
    assert_eq!(live, [false, true, true, false]);
}

#[test]
fn a_draft_needs_examples_that_agree_with_it() {
    let mut night = example::facts();
    night.arrival = "2026-11-27T23:00:00".parse().unwrap();
    let example = |name: &str, facts: &crate::Facts, holds| RuleExample {
        name: name.to_owned(),
        facts: facts.clone(),
        holds,
    };
    let draft = |condition: &str, examples| RuleDraft {
        rule: rule(condition),
        purpose: "night".to_owned(),
        examples,
    };
    let day = example::facts();
    let both = vec![example("night", &night, true), example("day", &day, false)];
    let checked = draft("hour > 21", both.clone()).check().unwrap();
    assert_eq!(checked.draft().examples.len(), 2);
    for (draft, told) in [
        (draft("hour > 21", vec![both[0].clone()]), "needs an example for which it does not hold"),
        (draft("hour > 21", vec![]), "needs an example for which it holds"),
        (draft("hour > 15", both.clone()), "example \"day\": it holds, and should not"),
        (draft("hour > 23", both.clone()), "example \"night\": it does not hold, and should"),
        (draft("100 / (hour - 16) > 1", both.clone()), "it cannot be told"),
        (RuleDraft { purpose: " ".to_owned(), ..draft("true", vec![]) }, "say what the rule is for"),
        (
            RuleDraft { rule: Rule { measure: Measure::Release, ..rule("true") }, ..draft("true", vec![]) },
            "cannot release",
        ),
    ] {
        let refused = draft.check().unwrap_err().to_string();
        assert!(refused.contains(told), "{refused}");
    }
}

#[test]
fn whoever_writes_rules_is_told_every_fact() {
    let facts = facts_there_are();
    for fact in ["hour: int", "consignments[].goods[].hs_code: string", "vehicle.trailers: list<string>"] {
        assert!(facts.iter().any(|f| f == fact), "{fact} in {facts:#?}");
    }
}

proptest! {
    #[test]
    fn no_text_brings_the_compiler_down(text in "[a-z0-9 .,()\\[\\]{}'\"!?:&|<>=+*/%-]{0,80}") {
        let _ = CompiledRule::new(rule(&text));
    }
}
