//! The draws of a day in the open: what was committed to before it, and once it is over its key, with every ticket, so that anybody
//! can make them again.
//!
//! A day is over when nothing that was expected on it can cross any more: whoever saw its key before could reckon the ticket of a
//! vehicle that has not come yet, and declare it for another day.

use std::io::{BufRead, Write};

use clearance::ids::{Digest, MovementId, UtcMillis};
use jiff::civil::Date;
use risk::assessment::Drawn;
use risk::draw::{Commitment, DayKey, Distrust, Draw, verify};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::draw::opened;
use crate::secrets::Vault;
use crate::storage::{StorageError, Store};
use crate::trade::Place;

/// Assessments that are taken from the store together.
const TOGETHER: u32 = 256;

/// Days that are told together, at most.
pub(crate) const MOST_DAYS: u32 = 100;

/// Why nothing is told of a day's draws.
#[derive(Debug, thiserror::Error)]
pub enum NotTold {
    /// Somebody could still profit from knowing.
    #[error(
        "{0} is not over yet: what was expected then may cross until its declaration serves no more, and until then nobody sees the key"
    )]
    NotOver(Date),
    /// There was no key.
    #[error("nothing was drawn on {0}")]
    Nothing(Date),
    /// Where it is written to.
    #[error("it cannot be written: {0}")]
    Written(#[from] std::io::Error),
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What everybody may know of a day's draw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Published {
    /// The day, at the place.
    #[schema(value_type = String, format = Date)]
    day: Date,
    /// SHA-256 of the day and the key, hexadecimal: told before the day.
    #[schema(value_type = String)]
    commitment: Digest,
    /// The key, hexadecimal, once the day is over and nothing that was expected on it can cross any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    key: Option<Digest>,
}

/// What everybody may know of the days from one on, at most [`MOST_DAYS`].
pub(crate) async fn published(
    store: &Store,
    vault: &Vault,
    (place, now): (&Place, UtcMillis),
    from: Date,
) -> Result<Vec<Published>, StorageError> {
    let rows = store.draw_keys(from, MOST_DAYS).await?;
    let told = |row| {
        let key = opened(vault, &row)?;
        let Commitment { day, digest: commitment } = key.commitment();
        Ok(Published { day, commitment, key: place.is_over(day, now).then(|| Digest(*key.reveal())) })
    };
    rows.into_iter().map(told).collect()
}

/// The key of a day that is over.
pub(crate) async fn reveal(
    store: &Store,
    vault: &Vault,
    (place, now): (&Place, UtcMillis),
    day: Date,
) -> Result<DayKey, NotTold> {
    if !place.is_over(day, now) {
        return Err(NotTold::NotOver(day));
    }
    let row = store.draw_key(day).await?.ok_or(NotTold::Nothing(day))?;
    Ok(opened(vault, &row)?)
}

/// The first line of a file of draws.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    day: Date,
    /// As it was published before the day.
    commitment: Digest,
    /// 32 bytes, hexadecimal.
    key: Digest,
}

/// A line of a file of draws: an assessment that drew.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    movement: MovementId,
    /// Which of the movement's assessments.
    number: i64,
    draw: Draw,
    /// The shares that were drawn at that moment, and what the ticket was drawn for.
    drawn: Drawn,
}

/// Write every draw of a day that is over, a JSON object a line; gives how many they are.
pub async fn tell(
    store: &Store,
    vault: &Vault,
    (place, now): (&Place, UtcMillis),
    day: Date,
    out: &mut impl Write,
) -> Result<u64, NotTold> {
    let key = reveal(store, vault, (place, now), day).await?;
    let head = Head { day, commitment: key.commitment().digest, key: Digest(*key.reveal()) };
    let mut write = |line: Result<String, serde_json::Error>| writeln!(out, "{}", line?);
    write(serde_json::to_string(&head))?;
    let (mut after, mut lines) = ((i64::MIN, String::new(), 0), 0);
    loop {
        let rows = store.assessments_of_day(day, (after.0, &after.1, after.2), TOGETHER).await?;
        let Some(last) = rows.last() else { return Ok(lines) };
        after = (last.at, last.movement.clone(), last.number);
        for row in &rows {
            let decision = row.decision()?;
            let (Some(draw), Some(drawn)) = (decision.circumstances.draw, decision.assessment.drawn) else {
                continue;
            };
            let line = Line { movement: decision.facts.movement, number: row.number, draw, drawn };
            write(serde_json::to_string(&line))?;
            lines += 1;
        }
    }
}

/// Why a file of draws is not to be believed.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct NotVerified {
    /// Which line, from 1.
    line: usize,
    why: Doubt,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
enum Doubt {
    #[error("it cannot be read: {0}")]
    Read(#[from] std::io::Error),
    #[error("it is not as `central risk draws` writes it: {0}")]
    Form(#[from] serde_json::Error),
    #[error("there is nothing")]
    Empty,
    #[error(transparent)]
    Distrust(#[from] Distrust),
    #[error("the ticket is {draw}, and {drawn} was decided by")]
    OtherTicket { draw: u32, drawn: u32 },
    #[error("by the shares the ticket is drawn for {ought}, the line says {told}")]
    Outcome { told: &'static str, ought: &'static str },
}

/// A file of draws that came out of the key that was committed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What is to be compared with what was published before the day.
    pub commitment: Commitment,
    /// How many draws.
    pub draws: u64,
}

/// Make every draw of a file again, as anybody can.
pub fn verify_all(file: impl BufRead) -> Result<Verified, NotVerified> {
    let mut lines = file.lines().zip(1..);
    let at = |line| move |why| NotVerified { line, why };
    let (head, _) = lines.next().ok_or(Doubt::Empty).map_err(at(1))?;
    let (key, commitment) = read_head(head).map_err(at(1))?;
    let mut draws = 0;
    for (text, line) in lines {
        check(text, &key, &commitment).map_err(at(line))?;
        draws += 1;
    }
    Ok(Verified { commitment, draws })
}

fn read_head(text: std::io::Result<String>) -> Result<(DayKey, Commitment), Doubt> {
    let Head { day, commitment, key } = serde_json::from_str(&text?)?;
    let (key, commitment) = (DayKey::new(day, key.0), Commitment { day, digest: commitment });
    if key.commitment() == commitment { Ok((key, commitment)) } else { Err(Distrust::Key(day).into()) }
}

fn check(text: std::io::Result<String>, key: &DayKey, commitment: &Commitment) -> Result<(), Doubt> {
    let Line { draw, drawn, .. } = serde_json::from_str(&text?)?;
    verify(&draw, key, commitment)?;
    if drawn.ticket != draw.ticket {
        return Err(Doubt::OtherTicket { draw: draw.ticket, drawn: drawn.ticket });
    }
    let ought = drawn.by_shares();
    if ought == drawn.measure {
        Ok(())
    } else {
        Err(Doubt::Outcome { told: drawn.measure.name(), ought: ought.name() })
    }
}
