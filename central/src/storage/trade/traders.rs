//! Companies of the trade, and their vehicles.

use std::collections::{BTreeMap, BTreeSet};

use clearance::ids::UtcMillis;
use serde::Serialize;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::storage::statement::{ROWS, rows};
use crate::storage::{Noted, StorageError, Store, Write, data};
use crate::trade::{TraderId, Vehicle};

/// A company as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct TraderRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    sandbox: i64,
    disabled: i64,
}

impl TraderRow {
    /// Whether nothing of it may reach a lane.
    pub fn sandbox(&self) -> bool {
        self.sandbox != 0
    }

    /// Whether it may not declare.
    pub fn disabled(&self) -> bool {
        self.disabled != 0
    }
}

/// Names of companies, by their ids.
pub(crate) type Names = BTreeMap<String, String>;

async fn names_of(connection: &mut AnyConnection, ids: &BTreeSet<&str>) -> Result<Names, StorageError> {
    let mut names = Names::new();
    for some in ids.iter().collect::<Vec<_>>().chunks(ROWS) {
        let statement = rows("SELECT id, name FROM traders WHERE id IN ", some.len(), 1);
        let query =
            some.iter().fold(sqlx::query_as(AssertSqlSafe(statement)), |q, id| q.bind(String::from(**id)));
        let found: Vec<(String, String)> = query.fetch_all(&mut *connection).await?;
        names.extend(found);
    }
    Ok(names)
}

impl Write<'_> {
    /// Names of companies, by their ids; of those that are there.
    pub(crate) async fn names_of(&mut self, ids: &BTreeSet<&str>) -> Result<Names, StorageError> {
        names_of(&mut self.tx, ids).await
    }
}

impl Store {
    /// Add a company. `false`: there is one with this id.
    pub async fn add_trader(
        &self,
        id: &TraderId,
        name: &str,
        sandbox: bool,
        by: &str,
        at: UtcMillis,
    ) -> Result<bool, StorageError> {
        let mut write = self.write().await?;
        let done = sqlx::query(
            "INSERT INTO traders (id, name, sandbox, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(id.as_str().to_owned())
        .bind(name.to_owned())
        .bind(i64::from(sandbox))
        .bind(at.0)
        .execute(&mut *write.tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        write.audit(at, by, &Noted::AddTrader, id.as_str()).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Names of companies, by their ids; of those that are there.
    pub(crate) async fn names_of(&self, ids: &BTreeSet<&str>) -> Result<Names, StorageError> {
        names_of(&mut *self.pool.acquire().await?, ids).await
    }

    /// A company.
    pub async fn trader(&self, id: &TraderId) -> Result<Option<TraderRow>, StorageError> {
        let row = sqlx::query_as("SELECT id, name, sandbox, disabled FROM traders WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row)
    }

    /// Register a company's vehicle, or change its other marks.
    pub async fn put_vehicle(
        &self,
        trader: &TraderId,
        vehicle: &Vehicle,
        by: &str,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query(
            "INSERT INTO vehicles (trader, mark, mainland_mark, trailers, added_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (trader, mark) DO UPDATE SET mainland_mark = excluded.mainland_mark, trailers = excluded.trailers",
        )
        .bind(trader.as_str().to_owned())
        .bind(vehicle.mark.to_string())
        .bind(vehicle.mainland_mark.as_ref().map(ToString::to_string))
        .bind(serde_json::to_string(&vehicle.trailers).map_err(data)?)
        .bind(at.0)
        .execute(&mut *write.tx)
        .await?;
        write.audit(at, by, &Noted::PutVehicle, vehicle.mark.as_str()).await?;
        write.commit().await
    }

    /// Forget a company's vehicle. `false`: there is none.
    pub async fn remove_vehicle(
        &self,
        trader: &TraderId,
        mark: &str,
        by: &str,
        at: UtcMillis,
    ) -> Result<bool, StorageError> {
        let mut write = self.write().await?;
        let done = sqlx::query("DELETE FROM vehicles WHERE trader = $1 AND mark = $2")
            .bind(trader.as_str().to_owned())
            .bind(mark.to_owned())
            .execute(&mut *write.tx)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        write.audit(at, by, &Noted::RemoveVehicle, mark).await?;
        write.commit().await?;
        Ok(true)
    }

    /// A company's vehicles, by mark.
    pub async fn vehicles(&self, trader: &TraderId) -> Result<Vec<Vehicle>, StorageError> {
        let rows: Vec<(String, Option<String>, String)> = sqlx::query_as(
            "SELECT mark, mainland_mark, trailers FROM vehicles WHERE trader = $1 ORDER BY mark LIMIT 5000",
        )
        .bind(trader.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|(mark, mainland, trailers)| {
                Ok(Vehicle {
                    mark: mark.parse().map_err(data)?,
                    mainland_mark: mainland.map(|m| m.parse()).transpose().map_err(data)?,
                    trailers: serde_json::from_str(&trailers).map_err(data)?,
                })
            })
            .collect()
    }
}
