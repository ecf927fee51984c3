use std::sync::Arc;

use super::*;
use crate::example;
use crate::facts::Facts;

fn index(kind: ListKind, names: &[&str]) -> ListIndex {
    index_by(kind, names, kind.usual_matching())
}

fn index_by(kind: ListKind, names: &[&str], matching: Vec<Match>) -> ListIndex {
    let header = ListHeader { matching, ..example::header("list", kind) };
    let entries = names.iter().enumerate().map(|(i, name)| example::entry(&i.to_string(), name)).collect();
    ListIndex::new(Arc::new(List::new(header, entries).unwrap()))
}

fn hits(index: &ListIndex, facts: &Facts) -> Vec<(String, String, Match)> {
    let terms = Terms::of(facts);
    index.screen(&terms).into_iter().map(|hit| (hit.entry.name.clone(), hit.at, hit.how)).collect()
}

fn consigned_to(name: &str) -> Facts {
    let mut facts = example::facts();
    facts.consignments[0].consignee.name = name.to_owned();
    facts
}

#[test]
fn names_are_found_however_they_are_written() {
    let companies = index(
        ListKind::Companies,
        &[
            "金龍貿易有限公司",
            "Golden Dragon Trading Co., Ltd.",
            "Sunrise Electronics",
            "深圳市金龍電子有限公司",
        ],
    );
    for (written, entry, how) in [
        ("金龍貿易有限公司", "金龍貿易有限公司", Match::Exact),
        ("金龙贸易", "金龍貿易有限公司", Match::Normalised),
        ("金隆贸易有限公司", "金龍貿易有限公司", Match::Phonetic),
        ("Jinlong Maoyi", "金龍貿易有限公司", Match::Phonetic),
        ("GOLDEN DRAGON TRADING", "Golden Dragon Trading Co., Ltd.", Match::Normalised),
        ("Dragon Golden Trading Limited", "Golden Dragon Trading Co., Ltd.", Match::Normalised),
        ("Goldem Dragom Trading", "Golden Dragon Trading Co., Ltd.", Match::Fuzzy),
        ("Sun Rise Electronics", "Sunrise Electronics", Match::Normalised),
        ("深圳市金虎電子有限公司", "深圳市金龍電子有限公司", Match::Fuzzy),
        ("Sunrize Electroniks", "Sunrise Electronics", Match::Phonetic),
    ] {
        let found = hits(&companies, &consigned_to(written));
        let expected = (entry.to_owned(), "/consignments/0/consignee/name".to_owned(), how);
        assert!(found.contains(&expected), "{written}: {found:?}");
    }
    for other in ["Silver Dragon Trading", "金山贸易", "Sunset Electric", "", "Dragon"] {
        assert_eq!(hits(&companies, &consigned_to(other)), [], "{other}");
    }
}

#[test]
fn numbers_and_short_names_are_not_misspelt() {
    let companies = index(ListKind::Companies, &["Shenzhen Factory 12", "Li Wei"]);
    assert_eq!(hits(&companies, &consigned_to("Shenzhen Factory 13")), []);
    assert_eq!(hits(&companies, &consigned_to("Li Wen")), []);
    assert_eq!(hits(&companies, &consigned_to("Shenzen Factory 12")).len(), 1);
}

#[test]
fn a_list_is_matched_only_as_it_says() {
    let exact = index_by(ListKind::Companies, &["Golden Dragon Trading"], vec![Match::Exact]);
    assert_eq!(hits(&exact, &consigned_to("golden dragon trading")), []);
    assert_eq!(hits(&exact, &consigned_to("Golden  Dragon Trading")).len(), 1);
}

#[test]
fn marks_are_found_where_characters_look_alike() {
    let marks = index(ListKind::Marks, &["AB 1234", "ZB 888", "粤Z1234港"]);
    let facts = |mark: &str| {
        let mut facts = example::facts();
        facts.vehicle.mark = mark.parse().unwrap();
        facts
    };
    for (seen, entry, how) in [
        ("AB1234", "AB 1234", Match::Exact),
        ("A8I234", "AB 1234", Match::LookAlike),
        ("2B888", "ZB 888", Match::LookAlike),
    ] {
        let found = hits(&marks, &facts(seen));
        assert_eq!(found, [(entry.to_owned(), "/vehicle/mark".to_owned(), how)], "{seen}");
    }
    // 7 looks like T and T like 1, but 7 not like 1; and one other character is another vehicle.
    for seen in ["AB7234", "AB1235"] {
        assert_eq!(hits(&marks, &facts(seen)), [], "{seen}");
    }
    let mut mainland = facts("XY1");
    mainland.vehicle.mainland_mark = Some("粤Z1234澳".parse().unwrap());
    assert_eq!(hits(&marks, &mainland)[0].1, "/vehicle/mainland_mark");
    let fuzzy = index_by(ListKind::Marks, &["AB1234"], vec![Match::Exact, Match::Fuzzy]);
    for (seen, found) in [("AB1235", 1), ("AB124", 1), ("BA1234", 1), ("AB1256", 0)] {
        assert_eq!(hits(&fuzzy, &facts(seen)).len(), found, "{seen}");
    }
}

#[test]
fn goods_are_found_by_words_and_codes() {
    let goods = index(ListKind::Goods, &["lithium battery", "電子煙", "8506", "24"]);
    let mut facts = example::facts();
    facts.consignments[0].description = "20 cartons Lithium Batteries".to_owned();
    facts.consignments[0].hs_code = Some("85065000".to_owned());
    facts.consignments[0].goods = vec![crate::facts::GoodsLine {
        description: "一次性电子烟和烟油".to_owned(),
        hs_code: Some("240412".to_owned()),
        ..Default::default()
    }];
    let mut found = hits(&goods, &facts);
    found.sort();
    let places: Vec<_> = found.iter().map(|(name, at, _)| (name.as_str(), at.as_str())).collect();
    assert_eq!(
        places,
        [
            ("24", "/consignments/0/goods/0/hs_code"),
            ("8506", "/consignments/0/hs_code"),
            ("lithium battery", "/consignments/0/description"),
            ("電子煙", "/consignments/0/goods/0/description"),
        ]
    );
    facts.consignments[0] = example::facts().consignments.remove(0);
    facts.consignments[0].description = "lithium grease, battery acid, 24 pieces".to_owned();
    assert_eq!(hits(&goods, &facts), []);
}

#[test]
fn routes_are_found_from_where_and_to_where() {
    let routes = index(ListKind::Routes, &["CO>lok-ma-chau", "KP>*", "*>man-kam-to"]);
    let mut facts = example::facts();
    facts.control_point = "lok-ma-chau".parse().unwrap();
    facts.consignments[0].origin = Some("CO".to_owned());
    assert_eq!(hits(&routes, &facts).len(), 1);
    facts.control_point = "man-kam-to".parse().unwrap();
    assert_eq!(hits(&routes, &facts)[0].1, "/control_point");
    facts.control_point = "shenzhen-bay".parse().unwrap();
    assert_eq!(hits(&routes, &facts), []);
    facts.consignments[0].origin = Some("KP".to_owned());
    assert_eq!(hits(&routes, &facts).len(), 1);
}

#[test]
fn an_entry_holds_from_its_first_day_to_its_last() {
    let facts = example::facts();
    let now = facts.assessed;
    let mut entry = example::entry("1", facts.vehicle.mark.as_str());
    for (from, until, holds) in [
        (None, None, true),
        (Some(now), Some(now.plus_millis(1)), true),
        (Some(now.plus_millis(1)), None, false),
        (None, Some(now), false),
    ] {
        (entry.from, entry.until) = (from, until);
        let list = List::new(example::header("list", ListKind::Marks), vec![entry.clone()]).unwrap();
        let index = ListIndex::new(Arc::new(list));
        assert_eq!(hits(&index, &facts).len(), usize::from(holds), "{from:?} {until:?}");
    }
}

/// What every way of matching finds on a list of a kind: an entry as it is written, and as that way would find it.
fn found_by(kind: ListKind, how: Match) -> bool {
    let (name, written) = match (kind, how) {
        (ListKind::Marks, Match::LookAlike) => ("AB1234", "A8I234"),
        (ListKind::Marks, _) => ("AB1234", "AB1235"),
        (ListKind::Goods, _) => ("lithium battery", "Lithium Batteries"),
        (ListKind::Routes, _) => ("CO>*", "CO"),
        (_, Match::Normalised) => ("Golden Dragon Trading", "Trading GOLDEN Dragon"),
        (_, Match::Phonetic) => ("Sunrise Electronics", "Sunrize Electroniks"),
        (_, _) => ("Golden Dragon Trading", "Goldem Dragom Trading"),
    };
    let mut facts = consigned_to(written);
    facts.consignments[0].description = written.to_owned();
    match kind {
        ListKind::Marks => facts.vehicle.mark = written.parse().unwrap(),
        ListKind::Routes => facts.consignments[0].origin = Some(written.to_owned()),
        _ => {}
    }
    let index = index_by(kind, &[name], vec![Match::Exact, how]);
    hits(&index, &facts).iter().any(|(.., found)| *found == how)
}

#[test]
fn every_way_of_matching_that_a_list_may_name_finds_something_on_it() {
    for kind in ListKind::ALL {
        for how in kind.possible_matching().iter().filter(|how| **how != Match::Exact) {
            assert!(found_by(kind, *how), "{kind} {how:?}");
        }
        assert!(kind.usual_matching().iter().all(|how| kind.possible_matching().contains(how)), "{kind}");
    }
}

#[test]
fn a_list_that_would_let_pass_what_is_on_it_is_refused_with_the_cause_and_the_mend() {
    let refused = |header: ListHeader| {
        let name = match header.kind {
            ListKind::Marks => "AB1234",
            ListKind::Routes => "CO>*",
            _ => "lithium battery",
        };
        List::new(header, vec![example::entry("1", name)]).map(|_| ()).unwrap_err().to_string()
    };
    let matched = |kind, matching: &[Match]| ListHeader {
        matching: matching.to_vec(),
        ..example::header("wanted", kind)
    };
    for kind in ListKind::ALL {
        let words = refused(matched(kind, &[]));
        assert!(words.starts_with("list wanted: ") && words.contains("add exact"), "{words}");
    }
    for (kind, how, told) in [
        (
            ListKind::Routes,
            Match::Phonetic,
            "matching phonetic never finds anything on a list of routes: take it out; there is exact",
        ),
        (ListKind::Routes, Match::Fuzzy, "matching fuzzy"),
        (ListKind::Routes, Match::Normalised, "matching normalised"),
        (ListKind::Routes, Match::LookAlike, "matching look_alike"),
        (ListKind::Goods, Match::Phonetic, "there is exact, normalised"),
        (ListKind::Goods, Match::Fuzzy, "matching fuzzy"),
        (ListKind::Goods, Match::LookAlike, "matching look_alike"),
        (ListKind::Marks, Match::Normalised, "there is exact, look_alike, fuzzy"),
        (ListKind::Marks, Match::Phonetic, "matching phonetic"),
        (ListKind::Persons, Match::LookAlike, "there is exact, normalised, phonetic, fuzzy"),
        (ListKind::Companies, Match::LookAlike, "matching look_alike"),
    ] {
        let words = refused(matched(kind, &[Match::Exact, how]));
        assert!(words.starts_with("list wanted: ") && words.contains(told), "{words}");
    }
    // Exact is the only way in which a code is found, and what is written as on the list.
    let words = refused(matched(ListKind::Goods, &[Match::Normalised]));
    assert!(words.contains("matching without exact") && words.contains("add exact"), "{words}");
    let header = example::header("wanted", ListKind::Companies);
    let words = refused(ListHeader { measure: Measure::Release, ..header });
    assert!(
        words.starts_with("list wanted: measure release") && words.contains("take it out of the policy"),
        "{words}"
    );
    let pass = Entry { measure: Some(Measure::Release), ..example::entry("C-1", "AB1234") };
    let words = List::new(example::header("wanted", ListKind::Marks), vec![pass]).unwrap_err().to_string();
    assert!(words.starts_with("list wanted, entry C-1: measure release"), "{words}");
}

#[test]
fn of_many_hits_the_strictest_are_told() {
    let facts = example::facts();
    let mark = facts.vehicle.mark.as_str();
    let mut entries: Vec<_> = (0..200).map(|i| example::entry(&i.to_string(), mark)).collect();
    entries[150].measure = Some(Measure::Detain);
    let list = List::new(example::header("list", ListKind::Marks), entries).unwrap();
    let index = ListIndex::new(Arc::new(list));
    let terms = Terms::of(&facts);
    let hits = index.screen(&terms);
    assert_eq!((hits.len(), hits[0].measure), (MOST_HITS, Measure::Detain));
}

#[test]
fn the_digest_is_of_everything_on_a_list() {
    let list = |header, entries| List::new(header, entries).unwrap().digest();
    let header = example::header("list", ListKind::Marks);
    let entry = example::entry("1", "AB1234");
    let digest = list(header.clone(), vec![entry.clone()]);
    assert_eq!(digest, list(header.clone(), vec![entry.clone()]));
    assert_ne!(digest, list(ListHeader { version: 2, ..header.clone() }, vec![entry.clone()]));
    assert_ne!(digest, list(header.clone(), vec![Entry { until: Some(UtcMillis(1)), ..entry.clone() }]));
    assert_ne!(digest, list(header, vec![entry.clone(), example::entry("2", "AB1235")]));
}
