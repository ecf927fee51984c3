//! Names, lists, rules and movements, all made up from a seed.

use std::collections::HashSet;
use std::sync::Arc;

use clearance::ids::{Digest, UtcMillis};
use rand::seq::IndexedRandom as _;
use rand::{Rng, RngExt as _};

use crate::assessment::Measure;
use crate::capacity::Usage;
use crate::draw::{DayKey, Subject};
use crate::engine::{Circumstances, Engine};
use crate::example;
use crate::facts::{Consignment, Facts, GoodsLine, History, Party};
use crate::lists::{Entry, List, ListIndex, ListKind, Terms};
use crate::number::Probability;
use crate::policy::{ListUse, Policy, RandomShares, Rule, ScoreUse};

/// How large a world is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Entries on all lists.
    pub entries: usize,
    /// Rules.
    pub rules: usize,
}

/// Lists, and an engine that asks them.
#[derive(Debug)]
pub struct World {
    /// The lists.
    pub lists: Vec<Arc<ListIndex>>,
    /// The engine.
    pub engine: Engine,
}

const PLACES: [&str; 10] = [
    "Shenzhen",
    "Guangzhou",
    "Dongguan",
    "Hong Kong",
    "Foshan",
    "Zhuhai",
    "Huizhou",
    "Kowloon",
    "Zhongshan",
    "Macao",
];
const TRADES: [&str; 12] = [
    "Trading",
    "Electronics",
    "Logistics",
    "Industrial",
    "Textiles",
    "Import Export",
    "Technology",
    "Plastics",
    "Foods",
    "Machinery",
    "Development",
    "International",
];
const HAN_PLACES: [&str; 6] = ["深圳市", "廣州市", "東莞市", "香港", "佛山市", "珠海市"];
const HAN_TRADES: [&str; 6] = ["貿易", "電子", "物流", "實業", "科技", "進出口"];
const HAN: &str = "金龍華美泰豐盛興隆達利宏偉建國明輝東方新世紀天地人和長江海洋星光日月中正大同永安吉祥富貴春秋南北山水雲飛騰躍鵬程萬里恒信誠德潤澤";
const SURNAMES: [&str; 20] = [
    "Chan", "Wong", "Lee", "Cheung", "Lau", "Li", "Wang", "Zhang", "Liu", "Chen", "Yang", "Huang", "Zhao",
    "Wu", "Zhou", "Xu", "Sun", "Ma", "Smith", "Garcia",
];
const ONSETS: [&str; 18] =
    ["b", "ch", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z"];
const NUCLEI: [&str; 10] = ["a", "e", "i", "o", "u", "ai", "ang", "en", "ing", "on"];
const GOODS: [&str; 16] = [
    "toys",
    "garments",
    "printed circuit boards",
    "frozen fish",
    "ceramic tiles",
    "mobile phones",
    "furniture",
    "steel pipes",
    "wine",
    "books",
    "medical masks",
    "bicycle parts",
    "fresh vegetables",
    "led lamps",
    "plastic bags",
    "paper",
];

fn pick<'a>(of: &[&'a str], random: &mut impl Rng) -> &'a str {
    of.choose(random).copied().unwrap_or_default()
}

fn pseudo_word(random: &mut impl Rng) -> String {
    let word: String = (0..random.random_range(2..=3))
        .flat_map(|_| [pick(&ONSETS, random), pick(&NUCLEI, random)].map(str::to_owned))
        .collect();
    word[..1].to_uppercase() + &word[1..]
}

fn company(random: &mut impl Rng) -> String {
    if random.random_bool(0.4) {
        let han: Vec<char> = HAN.chars().collect();
        let own: String = (0..random.random_range(2..=4)).filter_map(|_| han.choose(random)).collect();
        format!("{}{own}{}有限公司", pick(&HAN_PLACES, random), pick(&HAN_TRADES, random))
    } else {
        format!("{} {} {} Co., Ltd.", pick(&PLACES, random), pseudo_word(random), pick(&TRADES, random))
    }
}

fn person(random: &mut impl Rng) -> String {
    format!("{} {} {}", pick(&SURNAMES, random), pseudo_word(random), pseudo_word(random))
}

fn mark(random: &mut impl Rng) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPRSTUVWXYZ";
    let mut letter = || char::from(*LETTERS.choose(random).unwrap_or(&b'A'));
    format!("{}{}{}", letter(), letter(), random.random_range(1..10_000))
}

/// With one letter other, left out or doubled.
fn misspelt(name: &str, random: &mut impl Rng) -> String {
    let mut chars: Vec<char> = name.chars().collect();
    let letters: Vec<usize> = (1..chars.len()).filter(|i| chars[*i].is_ascii_lowercase()).collect();
    if let Some(at) = letters.choose(random).copied() {
        match random.random_range(0..3) {
            0 => {
                chars.remove(at);
            }
            1 => chars.insert(at, chars[at]),
            _ => chars[at] = if chars[at] == 'x' { 'y' } else { 'x' },
        }
    }
    chars.into_iter().collect()
}

#[expect(clippy::expect_used, reason = "made-up names that a list can hold")]
fn index(name: &str, kind: ListKind, names: Vec<String>) -> Arc<ListIndex> {
    let entries: Vec<Entry> =
        names.into_iter().enumerate().map(|(i, name)| example::entry(&i.to_string(), &name)).collect();
    let list = List::new(example::header(name, kind), entries).expect("made-up names");
    Arc::new(ListIndex::new(Arc::new(list)))
}

fn rules(many: usize, random: &mut impl Rng) -> Vec<Rule> {
    (0..many)
        .map(|i| {
            let n = random.random_range(1..1_000);
            let condition = match i % 8 {
                0 => format!("direction == 'inbound' && hour >= 22 && vehicle.known_days < {}", n % 30),
                1 => format!("consignments.exists(c, c.hs_code.startsWith('{n:04}') && c.origin == 'CN')"),
                2 => format!("value_hkd > {} && net_weight_kg < {}", n * 100_000, n),
                3 => format!("consignments.exists(c, c.consignee.known_days < {} && c.value_hkd > {n}000000)", n % 7),
                4 => format!("carrier.finds > {} && carrier.inspections > 2", n % 5 + 2),
                5 => format!("control_point in ['man-kam-to', 'shenzhen-bay'] && packages > {n} && weekday == {}", n % 7 + 1),
                6 => format!("consignments.exists(c, c.description.contains('{}') && !has(c.hs_code))", pseudo_word(random)),
                _ => format!("consignments.exists(c, c.goods.exists(g, g.hs_code.startsWith('{n:04}') && g.value_hkd > {n}))"),
            };
            let measure = if i % 3 == 0 { Measure::Inspect } else { Measure::Documents };
            Rule { id: format!("rule-{i}"), version: 1, condition, measure, from: UtcMillis(0), until: None }
        })
        .collect()
}

impl World {
    /// One of `size`: companies, persons, marks, goods and routes. `model`: whose score its policy asks for.
    #[expect(clippy::expect_used, reason = "a made-up policy that fits")]
    pub fn new(size: Size, model: Digest, random: &mut impl Rng) -> Self {
        let part = |share: f64| ((size.entries as f64 * share) as usize).max(1);
        let mut unique = |many: usize, make: fn(&mut _) -> String| -> Vec<String> {
            let mut made = HashSet::new();
            (0..many * 4).map(|_| make(random)).filter(|name| made.insert(name.clone())).take(many).collect()
        };
        let lists = vec![
            index("companies", ListKind::Companies, unique(part(0.5), company)),
            index("persons", ListKind::Persons, unique(part(0.25), person)),
            index("marks", ListKind::Marks, unique(part(0.2), mark)),
            index(
                "goods",
                ListKind::Goods,
                unique(part(0.049), |random| format!("{} {}", pseudo_word(random), pick(&GOODS, random))),
            ),
            index("routes", ListKind::Routes, vec!["CO>*".to_owned(), "KP>lok-ma-chau".to_owned()]),
        ];
        let uses = lists
            .iter()
            .map(|index| ListUse { list: index.list().header().list.clone(), digest: index.list().digest() });
        let share = |part| Probability::ratio(part, 1_000);
        let score =
            ScoreUse { model, red: Some(share(900)), yellow: Some(share(700)), blue: Some(share(500)) };
        let policy = Policy {
            version: 1,
            lists: uses.collect(),
            rules: rules(size.rules, random),
            score: Some(score),
            random: RandomShares { inspect: share(10), documents: share(10), audit: share(10) },
            ..Policy::default()
        };
        let engine = Engine::new(policy, &lists).expect("a made-up policy that fits");
        Self { lists, engine }
    }

    /// Entries on all lists.
    pub fn entries(&self) -> usize {
        self.lists.iter().map(|index| index.list().entries().len()).sum()
    }

    /// Movements of one to five consignments with up to five lines each; the party of every 20th is a misspelt one of a list. They are
    /// not scored yet: that is a part of what is timed.
    pub fn movements(&self, many: usize, random: &mut impl Rng) -> Vec<(Facts, Circumstances)> {
        (0..many).map(|i| self.movement(i, random)).collect()
    }

    fn movement(&self, i: usize, random: &mut impl Rng) -> (Facts, Circumstances) {
        let mut facts = example::facts();
        if let Ok(mark) = mark(random).parse() {
            facts.vehicle.mark = mark;
        }
        facts.arrival = facts.arrival.date().at(random.random_range(0..24), 0, 0, 0);
        facts.driver = Some(party(person(random), random));
        facts.carrier = Some(party(company(random), random));
        facts.consignments = (0..random.random_range(1..=5)).map(|_| consignment(random)).collect();
        if i.is_multiple_of(20)
            && let Some(entry) = self.lists[0].list().entries().choose(random)
        {
            facts.consignments[0].consignee.name = misspelt(&entry.name, random);
        }
        let key = DayKey::new(facts.arrival.date(), [7; 32]);
        let circumstances = Circumstances {
            score: None,
            draw: key.draw(Subject::of(&facts)),
            usage: Usage::none(facts.slot()),
            drift: None,
        };
        (facts, circumstances)
    }

    /// The part of misspelt companies' and persons' names that are found.
    pub fn recall(&self, many: usize, random: &mut impl Rng) -> f64 {
        let found = (0..many)
            .filter(|i| {
                let index = &self.lists[i % 2];
                let Some(entry) = index.list().entries().choose(random) else { return false };
                let mut facts = example::facts();
                facts.consignments[0].consignee.name = misspelt(&entry.name, random);
                let terms = Terms::of(&facts);
                index.screen(&terms).iter().any(|hit| hit.entry.entry == entry.entry)
            })
            .count();
        found as f64 / many.max(1) as f64
    }
}

fn party(name: String, random: &mut impl Rng) -> Party {
    let history = History {
        passages: random.random_range(0..500),
        inspections: random.random_range(0..20),
        finds: random.random_range(0..2),
        known_days: random.random_range(0..2_000),
    };
    Party { name, address: "1 Road".to_owned(), history }
}

fn consignment(random: &mut impl Rng) -> Consignment {
    let goods = (0..random.random_range(0..=5))
        .map(|_| GoodsLine {
            description: format!("{} {}", pick(&GOODS, random), pseudo_word(random)),
            hs_code: Some(format!("{:06}", random.random_range(10_000..990_000))),
            origin: Some("CN".to_owned()),
            value_hkd: Some(random.random_range(0..100_000)),
            net_weight_kg: Some(random.random_range(1..2_000)),
        })
        .collect();
    Consignment {
        consignor: party(company(random), random),
        consignee: party(company(random), random),
        description: format!("{} cartons of {}", random.random_range(1..900), pick(&GOODS, random)),
        hs_code: Some(format!("{:06}", random.random_range(10_000..990_000))),
        value_hkd: Some(random.random_range(0..1_000_000)),
        net_weight_kg: Some(random.random_range(1..20_000)),
        goods,
        ..example::facts().consignments.remove(0)
    }
}
