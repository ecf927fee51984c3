//! People of the trade: invitations, sessions of the portal, passkeys, and forms that they have begun.
//!
//! Invariants
//! - an invitation is taken once, within a day, and the latest only;
//! - a step of the one-time passwords opens at most one session, and none opens after a later one;
//! - a ceremony is ended once.

use clearance::ids::UtcMillis;

use super::{Noted, StorageError, Store};
use crate::people::Login;
use crate::trade::TraderId;

/// An invitation is taken within a day.
pub(crate) const INVITED_MS: i64 = 86_400_000;

/// Sessions are known for a week after they were last used, so that whoever comes back late finds what they had filled in.
const KNOWN_MS: i64 = 7 * 86_400_000;

/// Drafts are kept for a month.
const DRAFT_MS: i64 = 30 * 86_400_000;

/// A person of the trade.
#[derive(Clone, sqlx::FromRow)]
pub struct PersonRow {
    /// Sign-in name.
    pub login: String,
    /// Company.
    pub trader: String,
    /// UUID that passkeys carry.
    pub handle: String,
    /// Argon2 hash; empty before the invitation was taken.
    pub password: String,
    /// Secret of the one-time passwords, sealed.
    pub totp: Option<Vec<u8>>,
    disabled: i64,
}

impl PersonRow {
    /// Whether they may not sign in.
    pub fn disabled(&self) -> bool {
        self.disabled != 0
    }

    /// Whether they have taken their invitation.
    pub fn has_joined(&self) -> bool {
        !self.password.is_empty()
    }
}

/// A person's browser that is signed in, or was.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PersonSession {
    /// Whose.
    pub login: String,
    /// Of which company.
    pub trader: String,
    /// Its name.
    pub company: String,
    /// 1 if nothing of the company may reach a lane.
    pub sandbox: i64,
    /// Token that forms carry.
    pub csrf: String,
    /// When it began.
    pub began: i64,
    /// When it was last used.
    pub seen: i64,
}

/// An invitation that holds.
#[derive(Clone, sqlx::FromRow)]
pub struct InvitationRow {
    /// Whose.
    pub login: String,
    /// The company's name.
    pub company: String,
    /// Secret of the one-time passwords, sealed.
    pub totp: Vec<u8>,
}

/// A passkey.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PasskeyRow {
    /// The authenticator's name of it.
    pub id: String,
    /// What the person calls it.
    pub name: String,
    /// Public key and counter, JSON.
    pub key: String,
    /// When it was added, milliseconds since 1970.
    pub added_at: i64,
    /// When somebody last signed in with it.
    pub used_at: Option<i64>,
}

/// With what somebody has proved who they are.
#[derive(Clone, Debug)]
pub enum SignedWith {
    /// A one-time password of this step, after the password.
    OneTime(i64),
    /// A passkey: its id, and the key with its counter as it is now.
    Passkey(String, String),
}

/// Somebody to invite.
pub struct Invitee<'a> {
    /// Their sign-in name.
    pub login: &'a Login,
    /// Their company.
    pub trader: &'a TraderId,
    /// UUID for their passkeys, if they are new.
    pub handle: &'a str,
    /// SHA-256 of the link's token.
    pub token: &'a str,
    /// Secret of the one-time passwords, sealed.
    pub totp: &'a [u8],
}

impl Store {
    /// Invite a person, new or known, to choose a password. `false`: the login is somebody's of another company.
    pub async fn invite_person(
        &self,
        invitee: Invitee<'_>,
        by: &str,
        at: UtcMillis,
    ) -> Result<bool, StorageError> {
        let Invitee { login, trader, handle, token, totp } = invitee;
        let mut write = self.write().await?;
        sqlx::query(
            "INSERT INTO people (login, trader, handle, added_at) VALUES ($1, $2, $3, $4) ON CONFLICT (login) DO NOTHING",
        )
        .bind(login.to_string())
        .bind(trader.to_string())
        .bind(handle.to_owned())
        .bind(at.0)
        .execute(&mut *write.tx)
        .await?;
        let owner: String = sqlx::query_scalar("SELECT trader FROM people WHERE login = $1")
            .bind(login.to_string())
            .fetch_one(&mut *write.tx)
            .await?;
        if owner != trader.as_str() {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO person_invitations (login, token, totp, expires_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (login) DO UPDATE SET token = excluded.token, totp = excluded.totp, expires_at = excluded.expires_at",
        )
        .bind(login.to_string())
        .bind(token.to_owned())
        .bind(totp.to_vec())
        .bind(at.0 + INVITED_MS)
        .execute(&mut *write.tx)
        .await?;
        write.audit(at, by, &Noted::InvitePerson, login.as_str()).await?;
        write.commit().await?;
        Ok(true)
    }

    /// An invitation, by its link, that still holds.
    pub async fn invited(&self, token: &str, at: UtcMillis) -> Result<Option<InvitationRow>, StorageError> {
        let row = sqlx::query_as(
            "SELECT i.login, t.name AS company, i.totp FROM person_invitations i JOIN people p ON p.login = i.login \
             JOIN traders t ON t.id = p.trader WHERE i.token = $1 AND i.expires_at > $2 AND t.disabled = 0",
        )
        .bind(token.to_owned())
        .bind(at.0)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row)
    }

    /// Take an invitation: a password, and the step of the one-time password that proved the secret. Ends the person's sessions.
    /// `false`: the invitation does not hold.
    pub async fn take_invitation(
        &self,
        token: &str,
        password_hash: &str,
        step: i64,
        at: UtcMillis,
    ) -> Result<bool, StorageError> {
        let mut write = self.write().await?;
        let taken: Option<(String, Vec<u8>)> = sqlx::query_as(
            "DELETE FROM person_invitations WHERE token = $1 AND expires_at > $2 RETURNING login, totp",
        )
        .bind(token.to_owned())
        .bind(at.0)
        .fetch_optional(&mut *write.tx)
        .await?;
        let Some((login, totp)) = taken else { return Ok(false) };
        sqlx::query("UPDATE people SET password = $1, totp = $2, totp_step = $3 WHERE login = $4")
            .bind(password_hash.to_owned())
            .bind(totp)
            .bind(step)
            .bind(login.clone())
            .execute(&mut *write.tx)
            .await?;
        sqlx::query("DELETE FROM person_sessions WHERE login = $1")
            .bind(login.clone())
            .execute(&mut *write.tx)
            .await?;
        write.audit(at, &login, &Noted::TakeInvitation, &login).await?;
        write.commit().await?;
        Ok(true)
    }

    /// A person who may sign in.
    pub async fn person(&self, login: &Login) -> Result<Option<PersonRow>, StorageError> {
        let row = sqlx::query_as(
            "SELECT p.login, p.trader, p.handle, p.password, p.totp, p.disabled FROM people p JOIN traders t ON t.id = p.trader \
             WHERE p.login = $1 AND p.disabled = 0 AND t.disabled = 0 AND p.password <> ''",
        )
        .bind(login.to_string())
        .fetch_optional(&self.pool)
        .await?;
        Ok(row)
    }

    /// Whether somebody of this name has taken an invitation, locked out or not.
    pub async fn has_joined(&self, login: &Login) -> Result<bool, StorageError> {
        let found: Option<String> =
            sqlx::query_scalar("SELECT login FROM people WHERE login = $1 AND password <> ''")
                .bind(login.to_string())
                .fetch_optional(&self.pool)
                .await?;
        Ok(found.is_some())
    }

    /// A company's people, by login.
    pub async fn people(&self, trader: &TraderId) -> Result<Vec<PersonRow>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT login, trader, handle, password, totp, disabled FROM people WHERE trader = $1 ORDER BY login LIMIT 500",
        )
        .bind(trader.to_string())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// Lock a company's person out, whose sessions end, or let them in again. `false`: the company has none of that name.
    pub async fn disable_person(
        &self,
        trader: &TraderId,
        login: &Login,
        disabled: bool,
        by: &str,
        at: UtcMillis,
    ) -> Result<bool, StorageError> {
        let mut write = self.write().await?;
        let done = sqlx::query("UPDATE people SET disabled = $1 WHERE login = $2 AND trader = $3")
            .bind(i64::from(disabled))
            .bind(login.to_string())
            .bind(trader.to_string())
            .execute(&mut *write.tx)
            .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        if disabled {
            for table in ["person_sessions", "person_invitations", "ceremonies"] {
                sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table} WHERE login = $1")))
                    .bind(login.to_string())
                    .execute(&mut *write.tx)
                    .await?;
            }
        }
        let noted = if disabled { Noted::DisablePerson } else { Noted::EnablePerson };
        write.audit(at, by, &noted, login.as_str()).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Begin a person's session. `false`: that one-time password, or a later one, was taken already, or that passkey is gone.
    pub async fn begin_person_session(
        &self,
        token: &str,
        login: &str,
        csrf: &str,
        with: &SignedWith,
        at: UtcMillis,
    ) -> Result<bool, StorageError> {
        let mut write = self.write().await?;
        let proved = match with {
            SignedWith::OneTime(step) => sqlx::query(
                "UPDATE people SET totp_step = $1 WHERE login = $2 AND totp_step < $1 AND disabled = 0",
            )
            .bind(*step)
            .bind(login.to_owned()),
            SignedWith::Passkey(id, key) => {
                sqlx::query("UPDATE passkeys SET key = $1, used_at = $2 WHERE id = $3 AND login = $4")
                    .bind(key.clone())
                    .bind(at.0)
                    .bind(id.clone())
                    .bind(login.to_owned())
            }
        };
        if proved.execute(&mut *write.tx).await?.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO person_sessions (token, login, csrf, began, seen) VALUES ($1, $2, $3, $4, $4)",
        )
        .bind(token.to_owned())
        .bind(login.to_owned())
        .bind(csrf.to_owned())
        .bind(at.0)
        .execute(&mut *write.tx)
        .await?;
        write.audit(at, login, &Noted::SignIn, "").await?;
        write.commit().await?;
        Ok(true)
    }

    /// A session of a person who may sign in, however old it is.
    pub async fn person_session(&self, token: &str) -> Result<Option<PersonSession>, StorageError> {
        let row = sqlx::query_as(
            "SELECT s.login, p.trader, t.name AS company, t.sandbox, s.csrf, s.began, s.seen FROM person_sessions s \
             JOIN people p ON p.login = s.login JOIN traders t ON t.id = p.trader \
             WHERE s.token = $1 AND p.disabled = 0 AND t.disabled = 0",
        )
        .bind(token.to_owned())
        .fetch_optional(&self.pool)
        .await?;
        Ok(row)
    }

    /// A person's session is in use.
    pub async fn touch_person_session(&self, token: &str, at: UtcMillis) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("UPDATE person_sessions SET seen = $1 WHERE token = $2")
            .bind(at.0)
            .bind(token.to_owned())
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }

    /// End a person's session.
    pub async fn end_person_session(&self, token: &str) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("DELETE FROM person_sessions WHERE token = $1")
            .bind(token.to_owned())
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }

    /// End all sessions of a person but this one.
    pub async fn end_other_sessions(&self, login: &str, token: &str) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("DELETE FROM person_sessions WHERE login = $1 AND token <> $2")
            .bind(login.to_owned())
            .bind(token.to_owned())
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }

    /// A person's passkeys, oldest first.
    pub async fn passkeys(&self, login: &str) -> Result<Vec<PasskeyRow>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT id, name, key, added_at, used_at FROM passkeys WHERE login = $1 ORDER BY added_at, id",
        )
        .bind(login.to_owned())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// Add a passkey. `false`: it is somebody's already.
    pub async fn add_passkey(
        &self,
        login: &str,
        (id, key): (String, String),
        name: &str,
        at: UtcMillis,
    ) -> Result<bool, StorageError> {
        let mut write = self.write().await?;
        let done = sqlx::query(
            "INSERT INTO passkeys (id, login, name, key, added_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING",
        )
        .bind(id)
        .bind(login.to_owned())
        .bind(name.to_owned())
        .bind(key)
        .bind(at.0)
        .execute(&mut *write.tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        write.audit(at, login, &Noted::AddPasskey, name).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Take a passkey of a person away. `false`: they have none of that id.
    pub async fn remove_passkey(&self, login: &str, id: &str, at: UtcMillis) -> Result<bool, StorageError> {
        let mut write = self.write().await?;
        let name: Option<String> =
            sqlx::query_scalar("DELETE FROM passkeys WHERE id = $1 AND login = $2 RETURNING name")
                .bind(id.to_owned())
                .bind(login.to_owned())
                .fetch_optional(&mut *write.tx)
                .await?;
        let Some(name) = name else { return Ok(false) };
        write.audit(at, login, &Noted::RemovePasskey, &name).await?;
        write.commit().await?;
        Ok(true)
    }

    /// Keep what a ceremony's second step needs.
    pub async fn begin_ceremony(
        &self,
        id: &str,
        login: &str,
        state: &str,
        until: UtcMillis,
    ) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("INSERT INTO ceremonies (id, login, state, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(id.to_owned())
            .bind(login.to_owned())
            .bind(state.to_owned())
            .bind(until.0)
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }

    /// End a ceremony: gives whose it is, and what was kept. None: it is over.
    pub async fn end_ceremony(
        &self,
        id: &str,
        at: UtcMillis,
    ) -> Result<Option<(String, String)>, StorageError> {
        let mut write = self.write().await?;
        let ended: Option<(String, String, i64)> =
            sqlx::query_as("DELETE FROM ceremonies WHERE id = $1 RETURNING login, state, expires_at")
                .bind(id.to_owned())
                .fetch_optional(&mut *write.tx)
                .await?;
        write.commit().await?;
        Ok(ended.filter(|(_, _, until)| *until > at.0).map(|(login, state, _)| (login, state)))
    }

    /// Keep a form as far as it is filled in (JSON), instead of what was kept of it before.
    pub async fn keep_draft(
        &self,
        login: &str,
        form: &str,
        body: &str,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query(
            "INSERT INTO drafts (login, form, body, saved_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (login, form) DO UPDATE SET body = excluded.body, saved_at = excluded.saved_at",
        )
        .bind(login.to_owned())
        .bind(form.to_owned())
        .bind(body.to_owned())
        .bind(at.0)
        .execute(&mut *write.tx)
        .await?;
        write.commit().await
    }

    /// A form that was begun: what was filled in, and when it was kept.
    pub async fn draft(&self, login: &str, form: &str) -> Result<Option<(String, i64)>, StorageError> {
        let row = sqlx::query_as("SELECT body, saved_at FROM drafts WHERE login = $1 AND form = $2")
            .bind(login.to_owned())
            .bind(form.to_owned())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row)
    }

    /// The forms that somebody has begun, latest first.
    pub async fn drafts(&self, login: &str) -> Result<Vec<(String, i64)>, StorageError> {
        let rows = sqlx::query_as(
            "SELECT form, saved_at FROM drafts WHERE login = $1 ORDER BY saved_at DESC LIMIT 50",
        )
        .bind(login.to_owned())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    /// A form was sent, or is not wanted any more.
    pub async fn drop_draft(&self, login: &str, form: &str) -> Result<(), StorageError> {
        let mut write = self.write().await?;
        sqlx::query("DELETE FROM drafts WHERE login = $1 AND form = $2")
            .bind(login.to_owned())
            .bind(form.to_owned())
            .execute(&mut *write.tx)
            .await?;
        write.commit().await
    }

    /// Forget invitations and ceremonies that are over, sign-ins that failed long ago, and sessions and drafts that nobody comes back
    /// to.
    pub async fn forget_sign_ins(&self, at: UtcMillis) -> Result<(), StorageError> {
        for (statement, before) in [
            ("DELETE FROM person_invitations WHERE expires_at < $1", at.0),
            ("DELETE FROM ceremonies WHERE expires_at < $1", at.0),
            ("DELETE FROM person_sessions WHERE seen < $1", at.0 - KNOWN_MS),
            ("DELETE FROM drafts WHERE saved_at < $1", at.0 - DRAFT_MS),
        ] {
            let mut write = self.write().await?;
            sqlx::query(statement).bind(before).execute(&mut *write.tx).await?;
            write.commit().await?;
        }
        self.forget_failed_sign_ins(at).await
    }
}
