//! The trade's people: their secrets, invitations, sessions, passkeys and forms that they have begun.

use clearance::finding::Check;
use clearance::ids::Digest;
use webauthn_rs::prelude::{Passkey, Uuid};

use super::{Checking, Stopped};
use crate::people::{Login, sealed_for};

const PERSON: Check = Check::damage(
    "person",
    "central cannot have written this of a person of the trade: somebody may sign in who should not, or cannot who should",
    "lock the person out (`central person`), invite them anew, and look in the audit for who changed the database",
);
const SECRET: Check = Check::damage(
    "secret",
    "a sealed secret does not open with `secrets_file`: nobody can sign in with it, or nothing be signed with it",
    "bring back the `secrets_file` that belongs to this database; else invite the person anew, give the webhook a new secret",
);

/// A person, as far as other rows are looked at beside it.
#[derive(sqlx::FromRow)]
struct Person {
    login: String,
    trader: String,
    handle: String,
    password: String,
    totp: Option<Vec<u8>>,
    totp_step: i64,
    disabled: i64,
    company: Option<String>,
}

impl Checking {
    /// People and whatever is theirs.
    pub(super) async fn people_of_the_trade(&mut self) -> Result<(), Stopped> {
        let people: Vec<Person> = sqlx::query_as(
            "SELECT p.login, p.trader, p.handle, p.password, p.totp, p.totp_step, p.disabled, t.name AS company \
             FROM people p LEFT JOIN traders t ON t.id = p.trader",
        )
        .fetch_all(&mut self.connection)
        .await?;
        self.report.count("people", people.len() as u64);
        for person in people {
            self.person(&person);
        }
        self.invitations().await?;
        self.sessions().await?;
        self.passkeys().await?;
        self.begun().await
    }

    fn wrong_person(&mut self, is_wrong: bool, place: &str, what: impl std::fmt::Display) {
        if is_wrong {
            self.found(PERSON.found(place, what));
        }
    }

    /// A secret must open with the key that is at hand.
    pub(super) fn secret(&mut self, place: &str, used_for: &str, sealed: &[u8]) {
        if let Some(vault) = &self.vault
            && let Err(error) = vault.unseal(used_for, sealed)
        {
            self.found(SECRET.found(place, error));
        }
    }

    fn person(&mut self, person: &Person) {
        let place = format!("people {}", person.login);
        let is_login = person.login.parse::<Login>().is_ok_and(|login| login.as_str() == person.login);
        self.wrong_person(!is_login, &place, "the name is no sign-in name");
        self.wrong_person(
            person.company.is_none() || person.trader.is_empty(),
            &place,
            format!("{:?} is no company", person.trader),
        );
        self.wrong_person(Uuid::parse_str(&person.handle).is_err(), &place, "the handle is no UUID");
        let joined = !person.password.is_empty();
        let is_hash = argon2::PasswordHash::new(&person.password).is_ok();
        self.wrong_person(joined && !is_hash, &place, "the password is no hash");
        self.wrong_person(
            joined != person.totp.is_some(),
            &place,
            "password and secret of one-time passwords do not go together",
        );
        self.wrong_person(
            person.totp_step < 0,
            &place,
            format!("step {} of one-time passwords", person.totp_step),
        );
        self.wrong_person(
            !matches!(person.disabled, 0 | 1),
            &place,
            format!("disabled is {}", person.disabled),
        );
        if let Some(sealed) = &person.totp {
            self.secret(&place, &sealed_for(&person.login), sealed);
        }
    }

    async fn invitations(&mut self) -> Result<(), Stopped> {
        let rows: Vec<(String, String, Vec<u8>, Option<i64>)> = sqlx::query_as(
            "SELECT i.login, i.token, i.totp, p.disabled FROM person_invitations i LEFT JOIN people p ON p.login = i.login",
        )
        .fetch_all(&mut self.connection)
        .await?;
        for (login, token, sealed, disabled) in rows {
            let place = format!("person_invitations {login}");
            self.wrong_person(token.parse::<Digest>().is_err(), &place, "the token is no digest");
            self.wrong_person(disabled.is_none(), &place, "there is no such person");
            self.secret(&place, &sealed_for(&login), &sealed);
        }
        Ok(())
    }

    async fn sessions(&mut self) -> Result<(), Stopped> {
        type Row = (String, String, i64, i64, Option<String>, Option<i64>);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT s.login, s.token, s.began, s.seen, p.password, p.disabled FROM person_sessions s \
             LEFT JOIN people p ON p.login = s.login",
        )
        .fetch_all(&mut self.connection)
        .await?;
        self.report.count("sessions", rows.len() as u64);
        for (login, token, began, seen, password, disabled) in rows {
            let place = format!("person_sessions of {login}");
            self.wrong_person(token.parse::<Digest>().is_err(), &place, "the cookie is no digest");
            self.wrong_person(seen < began, &place, "last used before it began");
            self.wrong_person(
                password.is_none_or(|password| password.is_empty()),
                &place,
                "nobody of that name has joined",
            );
            self.wrong_person(disabled == Some(1), &place, "the person is locked out");
        }
        Ok(())
    }

    async fn passkeys(&mut self) -> Result<(), Stopped> {
        let rows: Vec<(String, String, String, Option<String>)> = sqlx::query_as(
            "SELECT k.id, k.login, k.key, p.password FROM passkeys k LEFT JOIN people p ON p.login = k.login",
        )
        .fetch_all(&mut self.connection)
        .await?;
        self.report.count("passkeys", rows.len() as u64);
        for (id, login, key, password) in rows {
            let place = format!("passkeys of {login}");
            let named = serde_json::from_str::<Passkey>(&key).ok().map(|key| crate::people::id_of(&key));
            self.wrong_person(named.as_ref() != Some(&id), &place, "the key is not the one of its id");
            self.wrong_person(
                password.is_none_or(|password| password.is_empty()),
                &place,
                "nobody of that name has joined",
            );
        }
        Ok(())
    }

    /// Ceremonies and drafts, and sign-ins that failed.
    async fn begun(&mut self) -> Result<(), Stopped> {
        let rows: Vec<(String, String, String, Option<String>)> = sqlx::query_as(
            "SELECT c.id, c.login, c.state, p.login FROM ceremonies c LEFT JOIN people p ON p.login = c.login",
        )
        .fetch_all(&mut self.connection)
        .await?;
        for (id, login, state, whose) in rows {
            let place = format!("ceremonies of {login}");
            self.wrong_person(id.parse::<Digest>().is_err(), &place, "its id is no digest");
            self.wrong_person(whose.is_none(), &place, "there is no such person");
            let json = serde_json::from_str::<serde_json::Value>(&state).is_ok();
            self.wrong_person(!json, &place, "what was kept cannot be read");
        }
        let rows: Vec<(String, String, String, Option<String>)> = sqlx::query_as(
            "SELECT d.login, d.form, d.body, p.login FROM drafts d LEFT JOIN people p ON p.login = d.login",
        )
        .fetch_all(&mut self.connection)
        .await?;
        self.report.count("drafts", rows.len() as u64);
        for (login, form, body, whose) in rows {
            let place = format!("drafts of {login}: {form}");
            self.wrong_person(whose.is_none(), &place, "there is no such person");
            self.wrong_person(!form.starts_with("/trade/"), &place, "it is of no form");
            let json = serde_json::from_str::<serde_json::Value>(&body).is_ok();
            self.wrong_person(!json, &place, "what was filled in cannot be read");
        }
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT tried, failures FROM failed_sign_ins")
            .fetch_all(&mut self.connection)
            .await?;
        for (tried, failures) in rows {
            let place = format!("failed_sign_ins {tried}");
            self.value(
                tried.parse::<Digest>().is_err() || failures < 1,
                &place,
                format!("{failures} failures"),
            );
        }
        Ok(())
    }
}
