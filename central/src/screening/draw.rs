//! The keys of the random draw: made and committed to before their day, sealed until it is over.

use std::collections::BTreeMap;

use clearance::ids::UtcMillis;
use jiff::civil::Date;
use risk::draw::{DayKey, Draw, Subject};

use crate::secrets::Vault;
use crate::storage::screening::DrawRow;
use crate::storage::{StorageError, Store, data};

/// Days ahead for which keys are made: declarations come up to two weeks ahead.
const AHEAD: i64 = 16;

/// What a key is sealed for.
fn sealed_for(day: Date) -> String {
    format!("draw/{day}")
}

/// The keys that were opened.
pub(super) struct Keys {
    store: Store,
    vault: Vault,
    open: BTreeMap<Date, DayKey>,
}

impl Keys {
    pub(super) fn new(store: Store, vault: Vault) -> Self {
        Self { store, vault, open: BTreeMap::new() }
    }

    /// Make the keys of the days from `today` on that have none yet; forget those of days that are over.
    pub(super) async fn make_ahead(&mut self, today: Date, now: UtcMillis) -> Result<(), StorageError> {
        self.open.retain(|day, _| *day >= today);
        for days in 0..AHEAD {
            self.key(today.saturating_add(jiff::Span::new().days(days)), now).await?;
        }
        Ok(())
    }

    /// Draw for a vehicle's next passage.
    pub(super) async fn draw(
        &mut self,
        subject: Subject,
        now: UtcMillis,
    ) -> Result<Option<Draw>, StorageError> {
        Ok(self.key(subject.day, now).await?.draw(subject))
    }

    async fn key(&mut self, day: Date, now: UtcMillis) -> Result<&DayKey, StorageError> {
        if !self.open.contains_key(&day) {
            let row = if let Some(row) = self.store.draw_key(day).await? {
                row
            } else {
                let key = DayKey::new(day, rand::random());
                let sealed = self.vault.seal(&sealed_for(day), key.reveal());
                let commitment = key.commitment().digest.to_string();
                self.store.put_draw_key(day, &commitment, &sealed, now).await?
            };
            self.open.insert(day, opened(&self.vault, &row)?);
        }
        self.open.get(&day).ok_or_else(|| data(format!("the draw's key of {day}")))
    }
}

/// The key of a day as it is stored; only the one that was committed to.
pub(super) fn opened(vault: &Vault, row: &DrawRow) -> Result<DayKey, StorageError> {
    let day: Date = row.day.parse().map_err(data)?;
    let bytes = vault.unseal(&sealed_for(day), &row.key).map_err(data)?;
    let bytes: [u8; 32] =
        bytes.try_into().map_err(|_| data(format!("the draw's key of {day} has not 32 bytes")))?;
    let key = DayKey::new(day, bytes);
    if key.commitment().digest.to_string() != row.commitment {
        return Err(data(format!("the draw's key of {day} is not the one that was committed to")));
    }
    Ok(key)
}
