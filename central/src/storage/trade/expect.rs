//! What the lanes are told to expect: of each mark, at each control point, one crossing that customs has assessed.
//!
//! A vehicle may be declared for several. Of those that serve now the strictest code counts: nobody escapes an inspection by
//! declaring the vehicle once more. When none serves yet, it is the first that will.

use clearance::directive::{ActionCode, Directive, DirectiveEntry, DirectiveStatus, Window};
use clearance::ids::{SiteId, UtcMillis};
use clearance::mark::RegistrationMark;
use clearance::replicate::DirectiveOp;

use crate::storage::{StorageError, Store, Write, data};

/// An assessed crossing: movement, mainland mark, code, window.
type Assessed = (String, Option<String>, String, i64, i64);

impl Write<'_> {
    /// Bring the logs of all control points in line with what is assessed for a mark.
    pub(crate) async fn expect(
        &mut self,
        mark: &RegistrationMark,
        at: UtcMillis,
    ) -> Result<(), StorageError> {
        for site in self.sites_of(mark).await? {
            let wanted = self.next_crossing(&site, mark, at).await?;
            let known = self.entry(&site, mark).await?;
            match (wanted, known) {
                (Some(wanted), Some(known))
                    if known.directive == wanted && known.status == DirectiveStatus::Active => {}
                (Some(wanted), _) => {
                    self.append(&site, vec![DirectiveOp::Put(wanted)]).await?;
                }
                (None, Some(DirectiveEntry { directive, status: DirectiveStatus::Active, .. })) => {
                    let op = DirectiveOp::Revoke { movement: directive.movement, mark: directive.mark };
                    self.append(&site, vec![op]).await?;
                }
                (None, _) => {}
            }
        }
        Ok(())
    }

    /// Marks of which a code has begun to serve after `from` and until `to`.
    async fn marks_due(
        &mut self,
        from: UtcMillis,
        to: UtcMillis,
    ) -> Result<Vec<RegistrationMark>, StorageError> {
        let marks: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT mark FROM movements WHERE valid_from > $1 AND valid_from <= $2 AND action IS NOT NULL AND signalled IS NULL AND sandbox = 0",
        )
        .bind(from.0)
        .bind(to.0)
        .fetch_all(&mut *self.tx)
        .await?;
        marks.iter().map(|mark| mark.parse().map_err(data)).collect()
    }

    /// A directive for whichever control point the vehicle comes to was used at one: the others must not release on it.
    pub(crate) async fn forget_elsewhere(
        &mut self,
        here: &SiteId,
        mark: &RegistrationMark,
    ) -> Result<(), StorageError> {
        for site in self.sites_of(mark).await?.into_iter().filter(|site| site != here) {
            if let Some(entry) = self.entry(&site, mark).await?
                && entry.status == DirectiveStatus::Active
                && self.has_signalled(entry.directive.movement.as_str()).await?
            {
                let op =
                    DirectiveOp::Revoke { movement: entry.directive.movement, mark: entry.directive.mark };
                self.append(&site, vec![op]).await?;
            }
        }
        Ok(())
    }

    async fn has_signalled(&mut self, movement: &str) -> Result<bool, StorageError> {
        let signalled: Option<Option<String>> =
            sqlx::query_scalar("SELECT signalled FROM movements WHERE id = $1")
                .bind(movement.to_owned())
                .fetch_optional(&mut *self.tx)
                .await?;
        Ok(signalled.flatten().is_some())
    }

    /// Control points where a mark is known or to be known.
    async fn sites_of(&mut self, mark: &RegistrationMark) -> Result<Vec<SiteId>, StorageError> {
        let mut names: Vec<String> = sqlx::query_scalar(
            "SELECT site FROM entries WHERE mark = $1 \
             UNION SELECT site FROM movements WHERE mark = $1 AND action IS NOT NULL AND signalled IS NULL AND sandbox = 0",
        )
        .bind(mark.as_str().to_owned())
        .fetch_all(&mut *self.tx)
        .await?;
        if names.iter().any(String::is_empty) {
            names.extend(self.store.sites().iter().map(SiteId::to_string));
        }
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        names.dedup();
        names.iter().map(|name| name.parse().map_err(data)).collect()
    }

    async fn next_crossing(
        &mut self,
        site: &SiteId,
        mark: &RegistrationMark,
        at: UtcMillis,
    ) -> Result<Option<Directive>, StorageError> {
        let row: Option<Assessed> = sqlx::query_as(
            "SELECT id, mainland_mark, action, valid_from, valid_until FROM movements \
             WHERE mark = $1 AND site IN ($2, '') AND sandbox = 0 AND action IS NOT NULL AND valid_until > $3 \
             AND cancelled_at IS NULL AND signalled IS NULL \
             ORDER BY CASE WHEN valid_from > $3 THEN valid_from ELSE 0 END, \
             CASE action WHEN 'detain' THEN 0 WHEN 'inspect' THEN 1 WHEN 'escort' THEN 2 WHEN 'documents' THEN 3 ELSE 4 END, \
             expected_arrival, id LIMIT 1",
        )
        .bind(mark.as_str().to_owned())
        .bind(site.as_str().to_owned())
        .bind(at.0)
        .fetch_optional(&mut *self.tx)
        .await?;
        let Some((id, mainland, action, from, until)) = row else { return Ok(None) };
        let action = ActionCode::of_code(&action)
            .ok_or_else(|| data(format!("movement {id} has the action code {action:?}")))?;
        Ok(Some(Directive {
            movement: id.parse().map_err(data)?,
            mark: mark.clone(),
            mainland_mark: mainland.map(|mark| mark.parse()).transpose().map_err(data)?,
            action,
            window: Window { from: UtcMillis(from), until: UtcMillis(until) },
            more: None,
        }))
    }
}

impl Store {
    /// Tell the lanes of codes that have begun to serve after `from` and until `to`: one may be stricter than what they know.
    pub async fn expect_due(&self, from: UtcMillis, to: UtcMillis) -> Result<(), StorageError> {
        let due: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM movements WHERE valid_from > $1 AND valid_from <= $2 AND action IS NOT NULL AND signalled IS NULL LIMIT 1",
        )
        .bind(from.0)
        .bind(to.0)
        .fetch_optional(&self.pool)
        .await?;
        if due.is_none() {
            return Ok(());
        }
        let mut write = self.write().await?;
        for mark in write.marks_due(from, to).await? {
            write.expect(&mark, to).await?;
        }
        write.commit().await
    }
}
