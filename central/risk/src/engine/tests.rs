use std::fmt::Write as _;

use clearance::directive::ActionCode;
use clearance::ids::UtcMillis;
use proptest::prelude::*;

use super::*;
use crate::assessment::{Colour, Confidentiality, Contribution, Match};
use crate::draw::DayKey;
use crate::example;
use crate::facts::{Consignment, GoodsLine, Party};
use crate::lists::{Entry, List, ListHeader, ListKind};
use crate::number::{LogOdds, Probability};
use crate::policy::{Capacity, Exploration, ListUse, PolicyFault, Quota, RandomShares, Rule, ScoreUse};
use crate::replay::{Decision, ReplayError};
use crate::returns::Source;
use crate::view::{Told, reasons_for};

fn share(millionths: u32) -> Probability {
    Probability::from_millionths(millionths).unwrap()
}

fn model() -> Digest {
    Digest::of(b"model")
}

fn rule(id: &str, condition: &str, measure: Measure) -> Rule {
    let (id, condition) = (id.to_owned(), condition.to_owned());
    Rule { id, version: 1, condition, measure, from: UtcMillis(0), until: None }
}

fn list(name: &str, kind: ListKind, measure: Measure, names: &[&str]) -> Arc<ListIndex> {
    let header = ListHeader { measure, ..example::header(name, kind) };
    indexed(header, names.iter().enumerate().map(|(i, name)| example::entry(&i.to_string(), name)).collect())
}

fn indexed(header: ListHeader, entries: Vec<Entry>) -> Arc<ListIndex> {
    Arc::new(ListIndex::new(Arc::new(List::new(header, entries).unwrap())))
}

fn lists() -> Vec<Arc<ListIndex>> {
    vec![
        list("stolen", ListKind::Marks, Measure::Detain, &["ST 0777"]),
        list(
            "companies",
            ListKind::Companies,
            Measure::Inspect,
            &["Golden Dragon Trading Ltd", "金龍貿易有限公司"],
        ),
        list("goods", ListKind::Goods, Measure::Documents, &["lithium battery", "2402"]),
    ]
}

fn uses(lists: &[Arc<ListIndex>]) -> Vec<ListUse> {
    let of = |index: &Arc<ListIndex>| ListUse {
        list: index.list().header().list.clone(),
        digest: index.list().digest(),
    };
    lists.iter().map(of).collect()
}

fn policy() -> Policy {
    Policy {
        version: 7,
        lists: uses(&lists()),
        rules: vec![
            rule("night", "hour >= 22 || hour < 5", Measure::Documents),
            rule("new-shipper", "consignments.exists(c, c.consignor.known_days < 7)", Measure::Audit),
            rule("too-dear", "value_hkd / net_weight_kg > 1000", Measure::Inspect),
            Rule { until: Some(UtcMillis(1)), ..rule("over", "true", Measure::Detain) },
        ],
        score: Some(ScoreUse {
            model: model(),
            red: Some(share(800_000)),
            yellow: Some(share(500_000)),
            blue: Some(share(300_000)),
        }),
        random: RandomShares { inspect: share(20_000), documents: share(10_000), audit: share(10_000) },
        quotas: vec![Quota { control_point: None, colour: Colour::Red, per_hour: 2 }],
        capacities: vec![Capacity {
            control_point: None,
            from_hour: 0,
            until_hour: 24,
            colour: Colour::Red,
            per_hour: 10,
        }],
        look_minutes: 0,
        explore: None,
    }
}

fn engine() -> Engine {
    Engine::new(policy(), &lists()).unwrap()
}

/// The other kinds of list, marks that may be misspelt, and entries that hold, begin a moment later and have just ended.
fn more_lists() -> Vec<Arc<ListIndex>> {
    let now = example::facts().assessed;
    let wanted = ListHeader {
        matching: vec![Match::Exact, Match::LookAlike, Match::Fuzzy],
        ..example::header("wanted", ListKind::Marks)
    };
    let dated = vec![
        Entry { from: Some(now), until: Some(now.plus_millis(1)), ..example::entry("holds", "DT1111") },
        Entry { from: Some(now.plus_millis(1)), ..example::entry("begins", "DT2222") },
        Entry { until: Some(now), ..example::entry("ended", "DT3333") },
    ];
    vec![
        list("persons", ListKind::Persons, Measure::Escort, &["CHAN Tai Man", "黃大文"]),
        list("routes", ListKind::Routes, Measure::Documents, &["CO>lok-ma-chau", "KP>*", "*>man-kam-to"]),
        indexed(wanted, vec![example::entry("0", "HK4321")]),
        indexed(example::header("dated", ListKind::Marks), dated),
    ]
}

/// Those lists, and a rule that fits empty vehicles; it explores, and releases wait for somebody to look.
fn watchful() -> Engine {
    let lists = more_lists();
    let rules =
        vec![rule("too-dear", "net_weight_kg > 0 && value_hkd / net_weight_kg > 1000", Measure::Inspect)];
    let explore = Some(exploration());
    Engine::new(Policy { lists: uses(&lists), rules, explore, look_minutes: 5, ..policy() }, &lists).unwrap()
}

/// With a score and a ticket.
fn circumstances(facts: &Facts, score: u32, ticket: u32) -> Circumstances {
    Circumstances {
        score: Some(ScoreRead {
            value: share(score),
            model: model(),
            hope: None,
            contributions: vec![Contribution {
                feature: "origin".to_owned(),
                value: "CN".to_owned(),
                weight: LogOdds(-1_250_000),
            }],
        }),
        draw: Some(Draw { subject: Subject::of(facts), ticket }),
        usage: Usage::none(facts.slot()),
        drift: None,
    }
}

type Change = fn(&mut Facts, &mut Circumstances);

/// What happens to the movement that nothing is held against, and what it is called in the golden file.
const CASES: [(&str, Change); 23] = [
    ("nothing", |_, _| {}),
    ("stolen mark", |f, _| f.vehicle.mark = "ST0777".parse().unwrap()),
    ("mark that looks stolen", |f, _| f.vehicle.mark = "5TO777".parse().unwrap()),
    ("company in other characters", |f, _| f.consignments[0].consignee.name = "金龙贸易".to_owned()),
    ("company misspelt", |f, _| f.consignments[0].consignor.name = "Goldem Dragom Trading".to_owned()),
    ("driver like a company", |f, _| {
        f.driver = Some(Party { name: "Golden Dragon Trading Ltd".to_owned(), ..Party::default() });
    }),
    ("goods by code", |f, _| f.consignments[0].hs_code = Some("24022000".to_owned())),
    ("goods by words", |f, _| {
        let description = "spare Lithium Batteries".to_owned();
        f.consignments[0].goods = vec![GoodsLine { description, ..GoodsLine::default() }];
    }),
    ("at night", |f, c| {
        f.arrival = "2026-11-27T23:10:00".parse().unwrap();
        *c = circumstances(f, 100_000, 999_999);
    }),
    ("new shipper", |f, _| f.consignments[0].consignor.history.known_days = 1),
    ("rule that divides by nothing", |f, _| f.consignments[0].net_weight_kg = None),
    ("too large", |f, _| {
        f.vehicle.mark = "ST0777".parse().unwrap();
        f.consignments[0].goods = vec![GoodsLine::default(); 5_001];
    }),
    ("score red", |_, c| c.score.as_mut().unwrap().value = share(800_000)),
    ("score yellow", |_, c| c.score.as_mut().unwrap().value = share(500_000)),
    ("score blue", |_, c| c.score.as_mut().unwrap().value = share(300_000)),
    ("no score", |_, c| c.score = None),
    ("score of another model", |_, c| c.score.as_mut().unwrap().model = Digest::of(b"other")),
    ("drawn for inspection", |_, c| c.draw.as_mut().unwrap().ticket = 0),
    ("drawn for documents", |_, c| c.draw.as_mut().unwrap().ticket = 25_000),
    ("drawn, but a list is stricter", |f, c| {
        f.vehicle.mark = "ST0777".parse().unwrap();
        *c = circumstances(f, 100_000, 0);
    }),
    ("no draw", |_, c| c.draw = None),
    ("counts of another hour", |_, c| c.usage.slot.hour = 3),
    ("several consignments, of which the second and the third are listed", |f, _| {
        let first = f.consignments[0].clone();
        f.consignments.extend([first.clone(), Consignment { ccrn: "CCRN3".to_owned(), ..first }]);
        f.consignments[1].ccrn = "CCRN2".to_owned();
        f.consignments[1].consignee.name = "Golden Dragon Trading Ltd".to_owned();
        f.consignments[2].description = "lithium battery".to_owned();
    }),
];

/// The same of an engine that [`watchful`] gives.
const MORE_CASES: [(&str, Change); 20] = [
    ("nothing, and somebody may look", |_, _| {}),
    ("drawn for an audit, and somebody may look", |_, c| c.draw.as_mut().unwrap().ticket = 30_000),
    ("driver on a list of persons", |f, _| f.driver = Some(person("Tai Man Chan"))),
    ("driver misspelt", |f, _| f.driver = Some(person("CHAM Tai Man"))),
    ("driver in other characters", |f, _| f.driver = Some(person("黄大文"))),
    ("another driver", |f, _| f.driver = Some(person("WONG Siu Ming"))),
    ("route by origin", |f, _| f.consignments[0].origin = Some("CO".to_owned())),
    ("route from anywhere", |f, c| {
        f.control_point = "man-kam-to".parse().unwrap();
        *c = circumstances(f, 100_000, 999_999);
    }),
    ("mark with one other character", |f, _| f.vehicle.mark = "HK4331".parse().unwrap()),
    ("trailer with two characters changed over", |f, _| f.vehicle.trailers = vec!["HK3421".parse().unwrap()]),
    ("mark with two other characters", |f, _| f.vehicle.mark = "HK4332".parse().unwrap()),
    ("entry in its days", |f, _| f.vehicle.mark = "DT1111".parse().unwrap()),
    ("entry before its days", |f, _| f.vehicle.mark = "DT2222".parse().unwrap()),
    ("entry after its days", |f, _| f.vehicle.mark = "DT3333".parse().unwrap()),
    ("explored", |_, c| {
        c.score.as_mut().unwrap().hope = Some(Probability::ONE);
        c.draw.as_mut().unwrap().ticket = 139_999;
    }),
    ("empty, and nothing to score", |f, c| {
        (f.load, f.consignments, c.score) = (Load::Empty, Vec::new(), None);
    }),
    ("exempt, and nothing to score", |f, c| {
        (f.load, f.consignments, c.score) = (Load::Exempt, Vec::new(), None);
    }),
    ("laden, and nothing declared to score", |f, c| (f.consignments, c.score) = (Vec::new(), None)),
    ("empty, but drawn", |f, c| {
        (f.load, f.consignments) = (Load::Empty, Vec::new());
        *c = Circumstances { score: None, ..circumstances(f, 0, 0) };
    }),
    ("empty, and nothing to explore", |f, c| {
        (f.load, f.consignments) = (Load::Empty, Vec::new());
        *c = Circumstances { score: None, ..circumstances(f, 0, 139_999) };
    }),
];

fn person(name: &str) -> Party {
    Party { name: name.to_owned(), ..Party::default() }
}

/// Every case, with the engine that decides it.
fn cases() -> Vec<(&'static str, Arc<Engine>, Facts, Circumstances)> {
    let (plain, watchful) = (Arc::new(engine()), Arc::new(watchful()));
    let plain = CASES.iter().map(move |of| (of, Arc::clone(&plain)));
    let watchful = MORE_CASES.iter().map(move |of| (of, Arc::clone(&watchful)));
    plain
        .chain(watchful)
        .map(|((name, change), engine)| {
            let (facts, circumstances) = case(*change);
            (*name, engine, facts, circumstances)
        })
        .collect()
}

fn case(change: Change) -> (Facts, Circumstances) {
    let mut facts = example::facts();
    let mut circumstances = circumstances(&facts, 100_000, 999_999);
    change(&mut facts, &mut circumstances);
    // The draw is of the vehicle that comes, unless the case is about it.
    if let Some(draw) = &mut circumstances.draw {
        draw.subject = Subject::of(&facts);
    }
    (facts, circumstances)
}

#[test]
fn the_golden_assessments() {
    let mut table = String::new();
    for (name, engine, facts, circumstances) in cases() {
        let assessment = engine.assess(&facts, &circumstances);
        let json = serde_json::to_string_pretty(&assessment).unwrap();
        writeln!(table, "# {name}\n{json}\n").unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/assessments.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        table == golden,
        "golden/assessments.txt differs: UPDATE_GOLDEN=1 writes it anew; read what changed"
    );
}

#[test]
fn what_could_not_be_asked_is_never_released() {
    for (name, engine, facts, circumstances) in cases() {
        let assessment = engine.assess(&facts, &circumstances);
        if assessment.is_unassessed() {
            assert!(
                assessment.measure >= Measure::Inspect && assessment.code != ActionCode::Release,
                "{name}"
            );
        }
    }
    let (facts, circumstances) = case(CASES[0].1);
    let without = assess(None, &facts, &circumstances);
    assert_eq!((without.colour, without.code), (Colour::Red, ActionCode::Inspect));
    assert_eq!(without.reasons, [Reason::Unassessed { cause: Unassessed::NoPolicy }]);
}

#[test]
fn a_bad_policy_is_refused_with_everything_that_is_wrong_and_the_old_one_works_on() {
    let old = engine();
    let (facts, circumstances) = case(CASES[0].1);
    let before = old.assess(&facts, &circumstances);
    let mut bad = Policy { version: 8, ..policy() };
    bad.rules.push(rule("typo", "consignments.exists(c, c.hscode == '1')", Measure::Inspect));
    bad.rules.push(rule(
        "runaway",
        "consignments.exists(a, consignments.exists(b, a == b))",
        Measure::Inspect,
    ));
    bad.rules.push(rule("night", "true", Measure::Release));
    bad.lists[0].digest = Digest::of(b"gone");
    bad.random.inspect = Probability::ONE;
    bad.capacities[0].from_hour = 24;
    bad.quotas[0].colour = Colour::Green;
    bad.score.as_mut().unwrap().red = Some(share(100));
    let told: Vec<String> = Engine::new(bad, &lists()).unwrap_err().iter().map(ToString::to_string).collect();
    for what in [
        "rule night stands in it twice",
        "random shares add up to more than one",
        "thresholds must fall",
        "hours 24 to 24 are none of a day",
        "rule night releases",
        "not for green",
        "list stolen in the version",
        "rule typo: at character 24: there is no fact hscode of a Consignment",
        "rule runaway: the condition goes over consignments for each of consignments",
    ] {
        assert!(told.iter().any(|t| t.contains(what) && t.starts_with("policy 8: ")), "{what}: {told:#?}");
    }
    assert_eq!(old.assess(&facts, &circumstances), before);
}

#[test]
fn a_release_can_wait_for_somebody_to_look() {
    let engine = Engine::new(Policy { look_minutes: 5, ..policy() }, &lists()).unwrap();
    let look = |change: Change| {
        let (facts, circumstances) = case(change);
        engine.assess(&facts, &circumstances).look_until.map(|until| until.0 - facts.assessed.0)
    };
    assert_eq!(look(CASES[0].1), Some(300_000));
    assert_eq!(look(CASES[1].1), None);
}

#[test]
fn an_officer_is_told_of_lists_only_as_far_as_they_may_know() {
    let (facts, circumstances) = case(CASES[1].1);
    let assessment = engine().assess(&facts, &circumstances);
    let told = |up_to| serde_json::to_string(&reasons_for(&assessment, up_to)).unwrap();
    assert!(told(Confidentiality::Selectors).contains("stolen"));
    assert_eq!(told(Confidentiality::Officers), r#"[{"told":"withheld","measure":"detain"}]"#);
    assert!(matches!(reasons_for(&assessment, Confidentiality::Keepers)[..], [Told::Reason { .. }]));
}

#[test]
fn a_decision_is_replayed_from_what_is_stored() {
    for (name, engine, facts, circumstances) in cases() {
        let kept = |digest| (digest == engine.digest()).then(|| Arc::clone(&engine));
        let decision = Decision::make(Some(&engine), facts, circumstances);
        let stored = decision.canonical();
        let read: Decision = serde_json::from_slice(&stored).unwrap();
        assert_eq!(read.canonical(), stored, "{name}");
        assert_eq!(read.replay(kept), Ok(()), "{name}");
        let gone = read.replay(|_| None).unwrap_err();
        assert!(matches!(gone, ReplayError::PolicyGone { .. }), "{name}");
    }
}

#[test]
fn an_empty_vehicle_that_the_first_engine_held_for_lack_of_a_score_is_that_engine_s_to_replay() {
    let engine = Arc::new(watchful());
    let (mut facts, mut circumstances) = case(CASES[0].1);
    (facts.load, facts.consignments, circumstances.score) = (Load::Empty, Vec::new(), None);
    let mut decision = Decision::make(Some(&engine), facts, circumstances);
    assert_eq!((decision.assessment.code, &*decision.assessment.reasons), (ActionCode::Release, &[][..]));
    decision.assessment = Assessment {
        engine: 1,
        measure: Measure::Inspect,
        colour: Colour::Red,
        code: ActionCode::Inspect,
        reasons: vec![Reason::Unassessed { cause: Unassessed::NoScore }],
        ..decision.assessment
    };
    let refused = decision.replay(|_| Some(Arc::clone(&engine))).unwrap_err();
    assert!(matches!(refused, ReplayError::OtherEngine { decided: 1, this: VERSION, .. }), "{refused}");
}

#[test]
fn a_decision_that_is_not_what_comes_out_again_is_told() {
    let engine = Arc::new(engine());
    let kept = |digest| (digest == engine.digest()).then(|| Arc::clone(&engine));
    let (facts, circumstances) = case(CASES[1].1);
    let decision = Decision::make(Some(&engine), facts.clone(), circumstances.clone());
    let mut released = decision.clone();
    (released.assessment.measure, released.assessment.code) = (Measure::Release, ActionCode::Release);
    assert!(matches!(released.replay(kept).unwrap_err(), ReplayError::Differs { .. }));
    let mut older = released;
    older.assessment.engine = 0;
    assert!(matches!(
        older.replay(kept).unwrap_err(),
        ReplayError::OtherEngine { decided: 0, this: VERSION, .. }
    ));
    older.assessment = decision.assessment.clone();
    older.assessment.engine = 0;
    assert_eq!(older.replay(kept), Ok(()));
    let mut other = decision;
    other.facts.vehicle.mark = "AB1".parse().unwrap();
    assert!(matches!(other.replay(kept).unwrap_err(), ReplayError::FactsChanged { .. }));
    let without = Decision::make(None, facts, circumstances);
    assert_eq!(without.replay(kept), Ok(()));
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let names =
        prop::sample::select(vec!["Golden Dragon Trading", "金龙贸易", "Happy Shop", "Golden Dragun"]);
    let marks = prop::sample::select(vec!["ST0777", "5TO777", "AB1234", "XY1"]);
    let goods = prop::sample::select(vec!["toys", "lithium battery", "cigarettes 2402"]);
    (names, marks, goods, 0..24_i8, prop::option::of(0..3_u64), 0..20_u32).prop_map(
        |(name, mark, goods, hour, weight, known)| {
            let mut facts = example::facts();
            facts.vehicle.mark = mark.parse().unwrap();
            facts.arrival = facts.arrival.date().at(hour, 5, 0, 0);
            let consignment = &mut facts.consignments[0];
            consignment.consignee.name = name.to_owned();
            consignment.description = goods.to_owned();
            consignment.net_weight_kg = weight;
            consignment.consignor.history.known_days = known;
            facts
        },
    )
}

proptest! {
    #[test]
    fn the_same_facts_and_policy_give_the_same_assessment(
        facts in any_facts(), score in 0..=1_000_000_u32, ticket in 0..1_000_000_u32,
    ) {
        let circumstances = circumstances(&facts, score, ticket);
        // Built twice: nothing may depend on the order of a hash map or on where things lie in memory.
        let (a, b) = (engine(), engine());
        prop_assert_eq!(a.digest(), b.digest());
        prop_assert_eq!(a.assess(&facts, &circumstances).canonical(), b.assess(&facts, &circumstances).canonical());
    }

    #[test]
    fn the_draw_never_exceeds_a_quota_and_never_takes_anything_back(
        tickets in prop::collection::vec(0..60_000_u32, 1..60), listed in prop::collection::vec(any::<bool>(), 60),
    ) {
        let engine = engine();
        let mut usage = Usage::none(example::facts().slot());
        for (ticket, listed) in tickets.into_iter().zip(listed) {
            let mut facts = example::facts();
            if listed {
                facts.vehicle.mark = "ST0777".parse().unwrap();
            }
            let circumstances = Circumstances { usage: usage.clone(), ..circumstances(&facts, 0, ticket) };
            let assessment = engine.assess(&facts, &circumstances);
            if listed {
                prop_assert_eq!(assessment.measure, Measure::Detain);
            }
            if assessment.is_random() && assessment.colour == Colour::Red {
                prop_assert!(usage.assigned.red < 10);
            }
            usage.add(assessment.colour, assessment.is_drawn());
            prop_assert!(usage.drawn.red <= 2);
        }
    }

    #[test]
    fn what_is_explored_keeps_the_quota_too(
        tickets in prop::collection::vec(0..1_000_000_u32, 1..60), drift in 0..=1_000_000_u32,
    ) {
        let engine = exploring();
        let mut usage = Usage::none(example::facts().slot());
        for ticket in tickets {
            let facts = example::facts();
            let mut circumstances = Circumstances {
                usage: usage.clone(), drift: Some(share(drift)), ..circumstances(&facts, 0, ticket)
            };
            circumstances.score.as_mut().unwrap().hope = Some(Probability::ONE);
            let assessment = engine.assess(&facts, &circumstances);
            usage.add(assessment.colour, assessment.is_drawn());
            prop_assert!(usage.drawn.red <= 2);
        }
    }

    #[test]
    fn a_draw_of_another_vehicle_or_day_is_none(ticket in 0..1_000_000_u32, passages in 0..3_u32) {
        let facts = example::facts();
        let mut circumstances = circumstances(&facts, 0, ticket);
        circumstances.draw.as_mut().unwrap().subject.passages = passages;
        let assessment = engine().assess(&facts, &circumstances);
        prop_assert_eq!(assessment.reasons, [Reason::Unassessed { cause: Unassessed::NoDraw }]);
    }
}

/// As the policy, and it explores: a tenth of the hopeful while the model is calm, half when it has shifted.
fn exploring() -> Engine {
    Engine::new(Policy { explore: Some(exploration()), ..policy() }, &lists()).unwrap()
}

fn exploration() -> Exploration {
    Exploration { inspect_shifted: share(200_000), learn: share(100_000), learn_shifted: share(500_000) }
}

#[test]
fn more_is_inspected_to_learn_from_when_the_model_drifts_and_it_is_replayed() {
    let engine = Arc::new(exploring());
    let facts = example::facts();
    let explored = |ticket, hope, drift| {
        let mut circumstances = Circumstances { drift, ..circumstances(&facts, 100_000, ticket) };
        circumstances.score.as_mut().unwrap().hope = hope;
        let decision = Decision::make(Some(&engine), facts.clone(), circumstances);
        assert_eq!(decision.replay(|_| Some(Arc::clone(&engine))), Ok(()));
        decision.assessment
    };
    // After 2 % and twice 1 % of the draw among all.
    let (all, half) = (Some(Probability::ONE), Some(share(500_000)));
    let calm = explored(139_999, all, None);
    assert_eq!(calm.reasons, [Reason::Explored { share: share(100_000), measure: Measure::Inspect }]);
    assert_eq!((calm.code, calm.is_drawn(), calm.is_random()), (ActionCode::Inspect, true, false));
    assert_eq!(Source::all(&calm).into_iter().collect::<Vec<_>>(), [Source::Explored]);
    assert_eq!(explored(140_000, all, None).code, ActionCode::Release);
    // Less may be hoped of it, or nothing is told.
    assert_eq!(explored(100_000, half, None).code, ActionCode::Release);
    assert_eq!(explored(40_000, None, None).code, ActionCode::Release);
    // Much drift: a fifth is drawn among all, and half of the hopeful are explored.
    let much = Some(share(250_000));
    assert!(explored(199_999, None, much).is_random());
    assert!(!explored(719_999, all, much).is_random());
    assert_eq!(explored(719_999, all, much).code, ActionCode::Inspect);
    assert_eq!(explored(720_000, all, much).code, ActionCode::Release);
    // A policy that explores nothing hears of no drift.
    let unexploring = self::engine();
    let plain = |drift| {
        unexploring
            .assess(&facts, &Circumstances { drift, ..circumstances(&facts, 100_000, 100_000) })
            .canonical()
    };
    assert_eq!(plain(None), plain(Some(Probability::ONE)));
}

#[test]
fn exploring_without_a_score_or_less_of_it_with_drift_is_refused() {
    let explore = |inspect, learn, learn_shifted| Exploration {
        inspect_shifted: share(inspect),
        learn: share(learn),
        learn_shifted: share(learn_shifted),
    };
    let faults = |explore, score| Policy { explore: Some(explore), score, ..policy() }.faults();
    let scored = policy().score;
    assert_eq!(faults(explore(20_000, 10_000, 10_000), scored), []);
    assert_eq!(faults(explore(20_000, 10_000, 10_000), None), [PolicyFault::Exploring]);
    assert_eq!(faults(explore(19_999, 10_000, 10_000), scored), [PolicyFault::Exploring]);
    assert_eq!(faults(explore(20_000, 10_001, 10_000), scored), [PolicyFault::Exploring]);
    assert_eq!(faults(explore(500_000, 10_000, 490_000), scored), [PolicyFault::Shares]);
}

#[test]
fn the_ticket_of_a_day_s_key_is_taken() {
    let facts = example::facts();
    let key = DayKey::new(facts.arrival.date(), [9; 32]);
    let draw = key.draw(Subject::of(&facts));
    let assessment =
        engine().assess(&facts, &Circumstances { draw: draw.clone(), ..circumstances(&facts, 0, 0) });
    assert_eq!(assessment.drawn.unwrap().ticket, draw.unwrap().ticket);
}
