//! Everything else: each value must be one that central writes.

use std::collections::BTreeSet;

use clearance::directive::ActionCode;
use clearance::finding::Check;
use clearance::ids::{Digest, MovementId, PassageId, SiteId};
use clearance::mark::RegistrationMark;
use sqlx::Row as _;

use super::log::Said;
use super::{Checking, FROM_BACKUP, Stopped};
use crate::ccrn::Ccrn;
use crate::officers::Role;
use crate::storage::screening::{RuleRow, faults};
use crate::trade::Consignment;
use crate::trade::movement::Inspection;
use crate::workbench::decision::{Basis, DecisionState};

const VALUE: Check = Check::damage(
    "value",
    "central cannot have written this: the row was changed by other means",
    FROM_BACKUP,
);
const ACTION: Check = Check::damage(
    "movement-differs",
    "the console shows another action code than the lanes have",
    "the log counts: assign the movement its code again, so that both say the same",
);

impl Checking {
    pub(super) async fn tables(&mut self, said: &Said) -> Result<(), Stopped> {
        self.movements(said).await?;
        self.consignments().await?;
        self.people().await?;
        self.systems().await?;
        self.requests().await?;
        self.people_of_the_trade().await?;
        self.messages().await?;
        self.workbench().await?;
        self.screening().await?;
        self.notes().await
    }

    pub(super) fn value(&mut self, is_wrong: bool, place: &str, what: impl std::fmt::Display) {
        if is_wrong {
            self.found(VALUE.found(place, what));
        }
    }

    async fn movements(&mut self, said: &Said) -> Result<(), Stopped> {
        let rows: Vec<sqlx::any::AnyRow> = sqlx::query(
            "SELECT id, site, mark, mainland_mark, expected_arrival, action, \
             CASE WHEN sandbox = 0 AND signalled IS NULL AND cancelled_at IS NULL AND \
             valid_until > (SELECT COALESCE(MAX(at), 0) FROM audit) THEN 1 ELSE 0 END AS open FROM movements",
        )
        .fetch_all(&mut self.connection)
        .await?;
        self.report.count("movements", rows.len() as u64);
        // Of several movements of a vehicle, the lanes know one.
        let mut expected = BTreeSet::new();
        for row in &rows {
            let id: String = row.try_get("id")?;
            if id.parse().is_ok_and(|id| said.movements.get(&id).is_some_and(|m| m.active)) {
                expected.insert(row.try_get::<String, _>("mark")?);
            }
        }
        for row in &rows {
            let (id, site, mark): (String, String, String) =
                (row.try_get("id")?, row.try_get("site")?, row.try_get("mark")?);
            let (mainland, arrival): (Option<String>, i64) =
                (row.try_get("mainland_mark")?, row.try_get("expected_arrival")?);
            let action: Option<String> = row.try_get("action")?;
            let is_open = row.try_get::<i64, _>("open")? != 0;
            let place = format!("movements {id}");
            let is_mark =
                |text: &str| text.parse::<RegistrationMark>().is_ok_and(|mark| mark.as_str() == text);
            let movement = id.parse::<MovementId>().ok();
            let names = movement.is_some() && (site.is_empty() || site.parse::<SiteId>().is_ok());
            self.value(!names, &place, "id or site is no name");
            self.value(!is_mark(&mark), &place, format!("{mark:?} is no mark"));
            self.value(mainland.is_some_and(|mark| !is_mark(&mark)), &place, "its mainland mark is no mark");
            self.value(arrival < 0, &place, format!("expected at {arrival}, before 1970"));
            let known = action.as_deref().map(ActionCode::of_code);
            if known == Some(None) {
                self.value(true, &place, format!("{action:?} is no action code"));
                continue;
            }
            let logged = movement.and_then(|id| said.movements.get(&id)).filter(|m| m.active);
            let logged = logged.and_then(|m| m.action);
            let differs = match (known.flatten(), logged) {
                (code, Some(logged)) => code != Some(logged),
                (Some(_), None) => is_open && !expected.contains(&mark),
                (None, None) => false,
            };
            if differs && !said.holes {
                let name = |code: Option<ActionCode>| code.map_or("none", ActionCode::code);
                let what =
                    format!("its code is {}, in the log it is {}", name(known.flatten()), name(logged));
                self.found(ACTION.found(place, what));
            }
        }
        Ok(())
    }

    async fn consignments(&mut self) -> Result<(), Stopped> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT ccrn, body FROM consignments").fetch_all(&mut self.connection).await?;
        self.report.count("consignments", rows.len() as u64);
        for (ccrn, body) in rows {
            let place = format!("consignments {ccrn}");
            self.value(ccrn.parse::<Ccrn>().is_err(), &place, "the number's check character does not fit");
            if let Err(error) = serde_json::from_str::<Consignment>(&body) {
                self.value(true, &place, error);
            }
        }
        Ok(())
    }

    async fn people(&mut self) -> Result<(), Stopped> {
        let officers: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT name, role, disabled FROM officers")
                .fetch_all(&mut self.connection)
                .await?;
        let names: BTreeSet<String> = officers.iter().map(|(name, ..)| name.clone()).collect();
        for (name, role, disabled) in officers {
            let place = format!("officers {name}");
            self.value(role.parse::<Role>().is_err(), &place, format!("{role:?} is no role"));
            self.value(!matches!(disabled, 0 | 1), &place, format!("disabled is {disabled}"));
        }
        let tokens: Vec<(String, String, String)> =
            sqlx::query_as("SELECT hash, name, role FROM tokens").fetch_all(&mut self.connection).await?;
        self.report.count("accounts", (names.len() + tokens.len()) as u64);
        for (hash, name, role) in tokens {
            let place = format!("tokens {name}");
            self.value(hash.parse::<Digest>().is_err(), &place, "its hash is no digest");
            self.value(role.parse::<Role>().is_err(), &place, format!("{role:?} is no role"));
        }
        Ok(())
    }

    async fn workbench(&mut self) -> Result<(), Stopped> {
        let decisions: Vec<(String, String, String, String)> =
            sqlx::query_as("SELECT id, code, basis, state FROM decisions")
                .fetch_all(&mut self.connection)
                .await?;
        self.report.count("decisions", decisions.len() as u64);
        for (id, code, basis, state) in decisions {
            let place = format!("decisions {id}");
            self.value(ActionCode::of_code(&code).is_none(), &place, format!("{code:?} is no action code"));
            self.value(Basis::of_name(&basis).is_none(), &place, format!("{basis:?} is no basis"));
            self.value(DecisionState::of_name(&state).is_none(), &place, format!("{state:?} is no state"));
        }
        let inspections: Vec<(String, String)> =
            sqlx::query_as("SELECT id, result FROM inspections").fetch_all(&mut self.connection).await?;
        for (id, result) in inspections {
            let no_result = Inspection::of_name(&result).is_none();
            self.value(no_result, &format!("inspections {id}"), format!("{result:?} is no result"));
        }
        Ok(())
    }

    async fn screening(&mut self) -> Result<(), Stopped> {
        let rules: Vec<RuleRow> = sqlx::query_as(
            "SELECT rule, version, digest, body, dossier, steps, report, changed_at FROM screening_rules",
        )
        .fetch_all(&mut self.connection)
        .await?;
        self.report.count("rules", rules.len() as u64);
        for row in rules {
            let place = format!("screening_rules {} {}", row.rule, row.version());
            for fault in faults(&row) {
                self.value(true, &place, fault);
            }
        }
        Ok(())
    }

    async fn notes(&mut self) -> Result<(), Stopped> {
        let corrections: Vec<(String, i64, Option<String>)> =
            sqlx::query_as("SELECT passage, plate, mark FROM corrections")
                .fetch_all(&mut self.connection)
                .await?;
        for (passage, plate, mark) in corrections {
            let place = format!("corrections {passage} plate {plate}");
            let no_mark = mark.is_some_and(|mark| mark.parse::<RegistrationMark>().is_err());
            self.value(
                passage.parse::<PassageId>().is_err() || plate < 0 || no_mark,
                &place,
                "passage, plate or mark",
            );
        }
        let replies: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT client, key, status FROM replies").fetch_all(&mut self.connection).await?;
        for (client, key, status) in replies {
            let place = format!("replies {client} {key}");
            self.value(!(100..600).contains(&status), &place, format!("{status} is no HTTP status"));
        }
        let lines: Vec<(i64, i64, String)> =
            sqlx::query_as("SELECT id, at, what FROM audit").fetch_all(&mut self.connection).await?;
        self.report.count("audit lines", lines.len() as u64);
        for (id, at, what) in lines {
            // What another version noted is shown as it is; it is JSON all the same.
            let json = serde_json::from_str::<serde_json::Value>(&what).is_ok();
            self.value(at < 0 || !json, &format!("audit {id}"), format!("at {at}: {what}"));
        }
        Ok(())
    }
}
