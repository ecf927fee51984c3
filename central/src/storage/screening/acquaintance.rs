//! What is known from before of parties and vehicles: how often they crossed, were inspected, and what was found.

use std::collections::BTreeSet;

use clearance::ids::UtcMillis;
use risk::facts::History;

use crate::storage::trade::Carrying;
use crate::storage::{StorageError, Store, Write};
use crate::trade::consignment::fold;
use crate::trade::movement::Inspection;

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
            Self::Party(name) => ("party", name),
            Self::Vehicle(mark) => ("vehicle", mark),
        }
    }

    /// Everybody of a movement, once.
    fn of(carrying: &Carrying) -> BTreeSet<Self> {
        let counting = carrying.consignments.iter().filter(|row| !row.cancelled);
        let parties = counting.flat_map(|row| [&row.consignment.consignor, &row.consignment.consignee]);
        let mut all: BTreeSet<Self> = parties.map(|party| Self::party(&party.name)).collect();
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
    /// What is known of somebody; nothing of strangers.
    pub async fn known(&self, who: &Acquaintance) -> Result<Known, StorageError> {
        let (kind, name) = who.stored();
        let row = sqlx::query_as(
            "SELECT first_seen, passages, inspections, finds FROM acquaintances WHERE kind = $1 AND name = $2",
        )
        .bind(kind)
        .bind(name)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.unwrap_or_default())
    }
}

impl Write<'_> {
    /// Everybody of a movement was seen.
    pub(crate) async fn meet(&mut self, carrying: &Carrying, at: UtcMillis) -> Result<(), StorageError> {
        self.add_up(carrying, at, [0; 3]).await
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
        self.add_up(&carrying, at, more).await
    }

    async fn add_up(
        &mut self,
        carrying: &Carrying,
        at: UtcMillis,
        [passages, inspections, finds]: [i64; 3],
    ) -> Result<(), StorageError> {
        for who in Acquaintance::of(carrying) {
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
