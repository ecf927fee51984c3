//! What is known from before of parties and vehicles: how often they crossed, were inspected, and what was found.

use std::collections::{BTreeMap, BTreeSet};

use clearance::ids::UtcMillis;
use risk::facts::History;
use sqlx::AssertSqlSafe;

use crate::storage::statement::{ROWS, rows};
use crate::storage::trade::{Carrying, Names};
use crate::storage::{StorageError, Store, Write};
use crate::trade::consignment::fold;
use crate::trade::movement::Inspection;

/// Kinds of those who are known, as they are stored.
const PARTY: &str = "party";
const VEHICLE: &str = "vehicle";

/// Who is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acquaintance {
    /// A person or a company, by name.
    Party(String),
    /// A vehicle, by its registration mark.
    Vehicle(String),
}

impl Acquaintance {
    /// A party as somebody declares it.
    pub fn party(name: &str) -> Self {
        Self::Party(fold(name))
    }

    fn stored(&self) -> (&'static str, &str) {
        match self {
            Self::Party(name) => (PARTY, name),
            Self::Vehicle(mark) => (VEHICLE, mark),
        }
    }

    /// Everybody of a movement, once: a company that carries or lodges is known by its name, as whoever is declared under it.
    pub(crate) fn of(carrying: &Carrying, companies: &Names) -> BTreeSet<Self> {
        let parties =
            carrying.counting().flat_map(|row| [&row.consignment.consignor, &row.consignment.consignee]);
        let mut all: BTreeSet<Self> = parties.map(|party| Self::party(&party.name)).collect();
        all.extend(carrying.companies().filter_map(|id| companies.get(id)).map(|name| Self::party(name)));
        all.insert(Self::Vehicle(carrying.movement.mark.clone()));
        all
    }
}

/// What is known of somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Known {
    first_seen: i64,
    passages: i64,
    inspections: i64,
    finds: i64,
}

impl Known {
    /// As the screening engine takes it.
    pub fn history(self, now: UtcMillis) -> History {
        let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        let days = if self.first_seen == 0 { 0 } else { (now.0 - self.first_seen).max(0) / 86_400_000 };
        History {
            passages: count(self.passages),
            inspections: count(self.inspections),
            finds: count(self.finds),
            known_days: count(days),
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Happened {
    /// It crossed: the lane has shown something for the first time.
    Passage,
    /// It was inspected; before that, with this result, if it was.
    Inspection { result: Inspection, before: Option<Inspection> },
}

impl Store {
    /// What is known of each; strangers are not among them.
    pub(crate) async fn known(
        &self,
        all: &BTreeSet<Acquaintance>,
    ) -> Result<BTreeMap<Acquaintance, Known>, StorageError> {
        let mut known = BTreeMap::new();
        let all: Vec<&Acquaintance> = all.iter().collect();
        // Of one kind each: they stand in the order of kinds.
        for some in all.chunk_by(|a, b| a.stored().0 == b.stored().0).flat_map(|same| same.chunks(ROWS)) {
            let Some((kind, _)) = some.first().map(|who| who.stored()) else { continue };
            let head = format!(
                "SELECT first_seen, passages, inspections, finds, name FROM acquaintances WHERE kind = '{kind}' AND name IN "
            );
            let query = sqlx::query_as(AssertSqlSafe(rows(&head, some.len(), 1)));
            let query = some.iter().fold(query, |q, who| q.bind(who.stored().1.to_owned()));
            let found: Vec<(i64, i64, i64, i64, String)> = query.fetch_all(&self.pool).await?;
            known.extend(found.into_iter().map(|(first_seen, passages, inspections, finds, name)| {
                let who = match kind {
                    VEHICLE => Acquaintance::Vehicle(name),
                    _ => Acquaintance::Party(name),
                };
                (who, Known { first_seen, passages, inspections, finds })
            }));
        }
        Ok(known)
    }
}

impl Write<'_> {
    /// Everybody of a movement was seen.
    pub(crate) async fn meet(
        &mut self,
        carrying: &Carrying,
        companies: &Names,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        self.add_up(Acquaintance::of(carrying, companies), at, [0; 3]).await
    }

    /// Something happened to a movement: it counts for everybody of it. Sandboxes have no past.
    pub(crate) async fn remember(
        &mut self,
        movement: &str,
        what: Happened,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let carrying = self.carrying(movement, at).await?.filter(|it| !it.movement.sandbox());
        let Some(carrying) = carrying else { return Ok(()) };
        if let Happened::Inspection { result, before } = what {
            self.count_return(movement, result, before, at).await?;
        }
        let found = |inspection| i64::from(inspection == Inspection::Found);
        let more = match what {
            Happened::Passage => [1, 0, 0],
            Happened::Inspection { result, before: None } => [0, 1, found(result)],
            Happened::Inspection { result, before: Some(before) } => [0, 0, found(result) - found(before)],
        };
        let companies = self.names_of(&carrying.companies().collect()).await?;
        self.add_up(Acquaintance::of(&carrying, &companies), at, more).await
    }

    async fn add_up(
        &mut self,
        everybody: BTreeSet<Acquaintance>,
        at: UtcMillis,
        [passages, inspections, finds]: [i64; 3],
    ) -> Result<(), StorageError> {
        for who in everybody {
            let (kind, name) = who.stored();
            sqlx::query(
                "INSERT INTO acquaintances (kind, name, first_seen, last_seen, passages, inspections, finds) \
                 VALUES ($1, $2, $3, $3, $4, $5, $6) ON CONFLICT (kind, name) DO UPDATE SET last_seen = $3, \
                 passages = acquaintances.passages + $4, inspections = acquaintances.inspections + $5, finds = acquaintances.finds + $6",
            )
            .bind(kind)
            .bind(name.to_owned())
            .bind(at.0)
            .bind(passages)
            .bind(inspections)
            .bind(finds)
            .execute(&mut *self.tx)
            .await?;
        }
        Ok(())
    }
}
