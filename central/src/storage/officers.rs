//! Officers, their sessions, clients' tokens, and replies kept for repeated requests.

use clearance::ids::UtcMillis;

use super::{Noted, StorageError, Store, data};
use crate::officers::Actor;
use crate::trade::TraderId;

/// An officer's account.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct OfficerRow {
    /// Sign-in name.
    pub name: String,
    /// Role.
    pub role: String,
    /// Argon2 hash.
    pub password: String,
    /// 1 if it may not sign in.
    disabled: i64,
}

impl OfficerRow {
    /// Whether it may not sign in.
    pub fn disabled(&self) -> bool {
        self.disabled != 0
    }
}

/// A signed-in browser.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SessionRow {
    /// Whose.
    pub officer: String,
    /// Role.
    pub role: String,
    /// Token that forms carry.
    pub csrf: String,
    /// When it began.
    pub began: i64,
    /// When it was last used.
    pub seen: i64,
}

impl Store {
    /// Add an officer, or change role and password.
    pub async fn put_officer(&self, name: &str, role: &str, password_hash: &str) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("INSERT INTO officers (name, role, password) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET role = $2, password = $3")
            .bind(name)
            .bind(role)
            .bind(password_hash)
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }

    /// An officer.
    pub async fn officer(&self, name: &str) -> Result<Option<OfficerRow>, StorageError> {
        let row = sqlx::query_as("SELECT name, role, password, disabled FROM officers WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row)
    }

    /// All officers.
    pub async fn officers(&self) -> Result<Vec<OfficerRow>, StorageError> {
        let rows = sqlx::query_as("SELECT name, role, password, disabled FROM officers ORDER BY name")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows)
    }

    /// Lock an officer out, or let them in again; a locked-out officer's sessions end.
    pub async fn disable_officer(&self, name: &str, disabled: bool) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("UPDATE officers SET disabled = $1 WHERE name = $2")
            .bind(i64::from(disabled))
            .bind(name)
            .execute(&mut *write.tx)
            .await?;
        if disabled {
            sqlx::query("DELETE FROM sessions WHERE officer = $1").bind(name).execute(&mut *write.tx).await?;
        }
        write.commit().await
    }

    /// Begin a session; `token_hash` is the SHA-256 of the cookie.
    pub async fn begin_session(
        &self,
        token_hash: &str,
        officer: &str,
        csrf: &str,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("INSERT INTO sessions (token, officer, csrf, began, seen) VALUES ($1, $2, $3, $4, $4)")
            .bind(token_hash)
            .bind(officer)
            .bind(csrf)
            .bind(at.0)
            .execute(&mut *write.tx)
            .await?;
        write.audit(at, officer, &Noted::SignIn, "").await?;
        write.commit().await
    }

    /// A session of an officer who may sign in.
    pub async fn session(&self, token_hash: &str) -> Result<Option<SessionRow>, StorageError> {
        let row = sqlx::query_as(
            "SELECT s.officer, o.role, s.csrf, s.began, s.seen FROM sessions s JOIN officers o ON o.name = s.officer WHERE s.token = $1 AND o.disabled = 0",
        )
        .bind(token_hash)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row)
    }

    /// A session is in use.
    pub async fn touch_session(&self, token_hash: &str, at: UtcMillis) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("UPDATE sessions SET seen = $1 WHERE token = $2")
            .bind(at.0)
            .bind(token_hash)
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }

    /// End a session.
    pub async fn end_session(&self, token_hash: &str) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("DELETE FROM sessions WHERE token = $1").bind(token_hash).execute(&mut *write.tx).await?;
        write.commit().await
    }

    /// Add a client's token; `trader`: the company that it acts for.
    pub async fn put_token(
        &self,
        hash: &str,
        name: &str,
        role: &str,
        trader: Option<&TraderId>,
    ) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query(
            "INSERT INTO tokens (hash, name, role, trader) VALUES ($1, $2, $3, $4) ON CONFLICT (hash) DO UPDATE SET \
             name = excluded.name, role = excluded.role, trader = excluded.trader",
        )
        .bind(hash.to_owned())
        .bind(name.to_owned())
        .bind(role.to_owned())
        .bind(trader.map_or(String::new(), TraderId::to_string))
        .execute(&mut *write.tx)
        .await?;
        write.commit().await
    }

    /// Whose a token is. None also if its company may not declare any more.
    pub async fn token(&self, hash: &str) -> Result<Option<Actor>, StorageError> {
        let row: Option<(String, String, String, i64)> = sqlx::query_as(
            "SELECT k.name, k.role, k.trader, t.sandbox FROM tokens k JOIN traders t ON t.id = k.trader WHERE k.hash = $1 AND t.disabled = 0",
        )
        .bind(hash)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|(name, role, trader, sandbox)| {
            Ok(Actor {
                name,
                role: role.parse().map_err(data)?,
                trader: trader.parse().ok(),
                sandbox: sandbox != 0,
            })
        })
        .transpose()
    }
}
