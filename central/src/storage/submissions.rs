//! Consignments, movements and their action codes.

use clearance::directive::{ActionCode, Directive, Window};
use clearance::ids::{MovementId, SiteId, UtcMillis};
use clearance::mark::RegistrationMark;
use clearance::replicate::DirectiveOp;
use serde::{Deserialize, Serialize};

use super::{Noted, StorageError, Store, data};
use crate::ccrn::Ccrn;

/// What a shipper declares (Cap. 60L: the eight mandatory items, and the optional ones).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consignment {
    /// Into or out of Hong Kong.
    pub direction: Direction,
    /// Number of packages, at least 1.
    pub packages: u32,
    /// Kind of package, such as `CT` for cartons.
    pub package_kind: String,
    /// Description of the articles.
    pub description: String,
    /// Consignor.
    pub consignor: Party,
    /// Consignee.
    pub consignee: Party,
    /// Expected day of arrival or departure, `YYYY-MM-DD`.
    pub expected_date: String,
    /// HS code, 6 to 8 digits.
    #[serde(default)]
    pub hs_code: Option<String>,
    /// Country of origin, two letters.
    #[serde(default)]
    pub origin: Option<String>,
    /// Value in Hong Kong dollars.
    #[serde(default)]
    pub value_hkd: Option<u64>,
    /// Net weight in kilograms.
    #[serde(default)]
    pub net_weight_kg: Option<u64>,
}

/// Which way a consignment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into Hong Kong.
    Inbound,
    /// Out of Hong Kong.
    Outbound,
}

/// A name and an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Name.
    pub name: String,
    /// Address.
    pub address: String,
}

/// A vehicle on its way with consignments.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, utoipa::ToSchema)]
pub struct MovementRow {
    /// Movement id.
    pub id: String,
    /// Control point.
    pub site: String,
    /// Hong Kong mark.
    pub mark: String,
    /// Mainland mark.
    pub mainland_mark: Option<String>,
    /// Expected arrival, milliseconds since 1970.
    pub expected_arrival: i64,
    /// Its action code.
    pub action: Option<String>,
    /// Who assigned it.
    pub action_by: Option<String>,
    /// When, milliseconds since 1970.
    pub action_at: Option<i64>,
}

/// Why a bundle cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// No such consignment.
    #[error("no consignment has CCRN {0}")]
    UnknownCcrn(Ccrn),
    /// It travels with another vehicle already.
    #[error("consignment {ccrn} is bundled with movement {movement} already")]
    AlreadyBundled {
        /// Which.
        ccrn: Ccrn,
        /// With what.
        movement: String,
    },
    /// The store.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

const MOVEMENT: &str =
    "SELECT id, site, mark, mainland_mark, expected_arrival, action, action_by, action_at FROM movements";

impl Store {
    /// Lodge a consignment; gives its CCRN.
    pub async fn lodge(
        &self,
        consignment: &Consignment,
        by: &str,
        at: UtcMillis,
    ) -> Result<Ccrn, StorageError> {
        let mut write = self.write().await?;
        // Numbers are spread (an odd factor modulo 36^12), so that one CCRN does not give away the next.
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM consignments").fetch_one(&mut *write.tx).await?;
        let number = (u128::from(count as u64 + 1) * 2_862_933_555_777_941_757) % 36u128.pow(12);
        let ccrn = Ccrn::from_number(number as u64);
        sqlx::query("INSERT INTO consignments (ccrn, body, lodged_by, lodged_at) VALUES (?, ?, ?, ?)")
            .bind(ccrn.as_str())
            .bind(serde_json::to_string(consignment).map_err(data)?)
            .bind(by)
            .bind(at.0)
            .execute(&mut *write.tx)
            .await?;
        write.audit(at, by, &Noted::Lodge, ccrn.as_str()).await?;
        write.commit().await?;
        Ok(ccrn)
    }

    /// A consignment and the movement it is bundled with.
    pub async fn consignment(
        &self,
        ccrn: &Ccrn,
    ) -> Result<Option<(Consignment, Option<String>)>, StorageError> {
        let row: Option<(String, Option<String>)> =
            sqlx::query_as("SELECT body, movement FROM consignments WHERE ccrn = ?")
                .bind(ccrn.as_str())
                .fetch_optional(&self.pool)
                .await?;
        row.map(|(body, movement)| Ok((serde_json::from_str(&body).map_err(data)?, movement))).transpose()
    }

    /// Bundle consignments with a vehicle.
    #[expect(clippy::too_many_arguments, reason = "a row of the table, each a type of its own")]
    pub async fn bundle(
        &self,
        id: &MovementId,
        site: &SiteId,
        mark: &RegistrationMark,
        mainland_mark: Option<&RegistrationMark>,
        expected_arrival: UtcMillis,
        ccrns: &[Ccrn],
        by: &str,
        at: UtcMillis,
    ) -> Result<(), BundleError> {
        let mut write = self.write().await?;
        sqlx::query("INSERT INTO movements (id, site, mark, mainland_mark, expected_arrival, created_at) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(id.as_str())
            .bind(site.as_str())
            .bind(mark.as_str())
            .bind(mainland_mark.map(RegistrationMark::as_str))
            .bind(expected_arrival.0)
            .bind(at.0)
            .execute(&mut *write.tx)
            .await
            .map_err(StorageError::from)?;
        for ccrn in ccrns {
            let bundled: Option<Option<String>> =
                sqlx::query_scalar("SELECT movement FROM consignments WHERE ccrn = ?")
                    .bind(ccrn.as_str())
                    .fetch_optional(&mut *write.tx)
                    .await
                    .map_err(StorageError::from)?;
            match bundled {
                None => return Err(BundleError::UnknownCcrn(ccrn.clone())),
                Some(Some(movement)) => {
                    return Err(BundleError::AlreadyBundled { ccrn: ccrn.clone(), movement });
                }
                Some(None) => {}
            }
            sqlx::query("UPDATE consignments SET movement = ? WHERE ccrn = ?")
                .bind(id.as_str())
                .bind(ccrn.as_str())
                .execute(&mut *write.tx)
                .await
                .map_err(StorageError::from)?;
        }
        write.audit(at, by, &Noted::Bundle, id.as_str()).await?;
        Ok(write.commit().await?)
    }

    /// A movement.
    pub async fn movement(&self, id: &MovementId) -> Result<Option<MovementRow>, StorageError> {
        let mut query = sqlx::QueryBuilder::<sqlx::Sqlite>::new(MOVEMENT);
        query.push(" WHERE id = ").push_bind(id.as_str());
        Ok(query.build_query_as().fetch_optional(&self.pool).await?)
    }

    /// Assign an action code: the directive is in the log when this returns. `false`: no such movement.
    pub async fn assign(
        &self,
        id: &MovementId,
        action: ActionCode,
        window: Window,
        reason: &str,
        by: &str,
        at: UtcMillis,
    ) -> Result<bool, StorageError> {
        let Some(movement) = self.movement(id).await? else { return Ok(false) };
        let directive = Directive {
            movement: id.clone(),
            mark: movement.mark.parse().map_err(data)?,
            mainland_mark: movement.mainland_mark.map(|m| m.parse()).transpose().map_err(data)?,
            action,
            window,
            more: None,
        };
        let site = movement.site.parse().map_err(data)?;
        let mut write = self.write().await?;
        self.note_action(&mut write, id, Some(action), reason, by, at).await?;
        write.append(&site, vec![DirectiveOp::Put(directive)]).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Take an action code back. `false`: no such movement, or it has none.
    pub async fn revoke(&self, id: &MovementId, by: &str, at: UtcMillis) -> Result<bool, StorageError> {
        let Some(movement) = self.movement(id).await?.filter(|m| m.action.is_some()) else {
            return Ok(false);
        };
        let site = movement.site.parse().map_err(data)?;
        let mark = movement.mark.parse().map_err(data)?;
        let mut write = self.write().await?;
        self.note_action(&mut write, id, None, "revoked", by, at).await?;
        write.append(&site, vec![DirectiveOp::Revoke { movement: id.clone(), mark }]).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn note_action(
        &self,
        write: &mut super::Write<'_>,
        id: &MovementId,
        action: Option<ActionCode>,
        reason: &str,
        by: &str,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        sqlx::query(
            "UPDATE movements SET action = ?, action_reason = ?, action_by = ?, action_at = ? WHERE id = ?",
        )
        .bind(action.map(ActionCode::code))
        .bind(reason)
        .bind(by)
        .bind(at.0)
        .bind(id.as_str())
        .execute(&mut *write.tx)
        .await?;
        let what = action.map_or(Noted::Revoke, Noted::Assign);
        write.audit(at, by, &what, id.as_str()).await
    }

    /// Movements that may arrive about `at` (a day either way) at a site, to rank candidates with.
    pub async fn expected(&self, site: &SiteId, at: UtcMillis) -> Result<Vec<MovementRow>, StorageError> {
        const DAY: i64 = 24 * 3_600_000;
        let mut query = sqlx::QueryBuilder::<sqlx::Sqlite>::new(MOVEMENT);
        query
            .push(" WHERE site = ")
            .push_bind(site.as_str())
            .push(" AND expected_arrival BETWEEN ")
            .push_bind(at.0 - DAY)
            .push(" AND ")
            .push_bind(at.0 + DAY)
            .push(" ORDER BY expected_arrival LIMIT 5000");
        Ok(query.build_query_as().fetch_all(&self.pool).await?)
    }
}
