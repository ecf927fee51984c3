//! Officers, their sessions, clients' tokens, and replies kept for repeated requests.

use clearance::ids::UtcMillis;

use super::{Noted, StorageError, Store};

/// An officer's account.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct OfficerRow {
    /// Sign-in name.
    pub name: String,
    /// Role.
    pub role: String,
    /// Argon2 hash.
    pub password: String,
    /// Whether it may not sign in.
    pub disabled: bool,
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
        sqlx::query("INSERT INTO officers (name, role, password) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET role = ?2, password = ?3")
            .bind(name)
            .bind(role)
            .bind(password_hash)
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }

    /// An officer.
    pub async fn officer(&self, name: &str) -> Result<Option<OfficerRow>, StorageError> {
        let row = sqlx::query_as("SELECT name, role, password, disabled FROM officers WHERE name = ?")
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
        sqlx::query("UPDATE officers SET disabled = ? WHERE name = ?")
            .bind(disabled)
            .bind(name)
            .execute(&mut *write.tx)
            .await?;
        if disabled {
            sqlx::query("DELETE FROM sessions WHERE officer = ?").bind(name).execute(&mut *write.tx).await?;
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
        sqlx::query("INSERT INTO sessions (token, officer, csrf, began, seen) VALUES (?1, ?2, ?3, ?4, ?4)")
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
            "SELECT s.officer, o.role, s.csrf, s.began, s.seen FROM sessions s JOIN officers o ON o.name = s.officer WHERE s.token = ? AND o.disabled = 0",
        )
        .bind(token_hash)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row)
    }

    /// A session is in use.
    pub async fn touch_session(&self, token_hash: &str, at: UtcMillis) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("UPDATE sessions SET seen = ? WHERE token = ?")
            .bind(at.0)
            .bind(token_hash)
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }

    /// End a session.
    pub async fn end_session(&self, token_hash: &str) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("DELETE FROM sessions WHERE token = ?").bind(token_hash).execute(&mut *write.tx).await?;
        write.commit().await
    }

    /// Add a client's token.
    pub async fn put_token(&self, hash: &str, name: &str, role: &str) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("INSERT OR REPLACE INTO tokens (hash, name, role) VALUES (?, ?, ?)")
            .bind(hash)
            .bind(name)
            .bind(role)
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }

    /// Name and role of the client with a token.
    pub async fn token(&self, hash: &str) -> Result<Option<(String, String)>, StorageError> {
        let row = sqlx::query_as("SELECT name, role FROM tokens WHERE hash = ?")
            .bind(hash)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row)
    }

    /// The reply given to a client's request with this idempotency key: digest of the request, status, body.
    pub async fn reply(
        &self,
        client: &str,
        key: &str,
    ) -> Result<Option<(String, i64, String)>, StorageError> {
        let row = sqlx::query_as("SELECT request, status, body FROM replies WHERE client = ? AND key = ?")
            .bind(client)
            .bind(key)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row)
    }

    /// Keep a reply for a day.
    pub async fn keep_reply(
        &self,
        client: &str,
        key: &str,
        request: &str,
        status: u16,
        body: &str,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("DELETE FROM replies WHERE at < ?")
            .bind(at.0 - 86_400_000)
            .execute(&mut *write.tx)
            .await?;
        sqlx::query("INSERT OR IGNORE INTO replies (client, key, request, status, body, at) VALUES (?, ?, ?, ?, ?, ?)")
            .bind(client)
            .bind(key)
            .bind(request)
            .bind(i64::from(status))
            .bind(body)
            .bind(at.0)
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }
}
