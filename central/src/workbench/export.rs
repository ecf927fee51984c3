//! Figures as files. Names of columns are in English, for programs.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use clearance::ids::UtcMillis;
use risk::Probability;
use risk::returns::Source;
use risk::score::watch::Calibration;

use super::figures::{ahead, day, hour, now, percent};
use crate::console::session::{Refusal, SignedIn};
use crate::officers::Deed;
use crate::screening::Watched;
use crate::state::AppState;
use crate::storage::Noted;
use crate::storage::workbench::RiskReturn;

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.2}"))
}

/// A file of rows.
pub(super) fn written(heads: &[&str], rows: Vec<Vec<String>>) -> Result<Vec<u8>, csv::Error> {
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record(heads)?;
    for row in rows {
        file.write_record(row)?;
    }
    file.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

fn returned(of: &RiskReturn, hour: Option<u32>) -> Vec<String> {
    let percent = |share: Option<Probability>| number(share.map(|share| share.as_f64() * 100.0));
    let (kind, name, version) = match &of.source {
        None => ("withheld", String::new(), String::new()),
        Some(Source::Rule { rule, version }) => ("rule", rule.clone(), version.to_string()),
        Some(Source::List { list }) => ("list", list.clone(), String::new()),
        Some(Source::Model { model }) => ("model", model.to_string(), String::new()),
        Some(Source::Explored) => ("explored", String::new(), String::new()),
        Some(Source::Random) => ("random", String::new(), String::new()),
        Some(Source::Unassessed) => ("unassessed", String::new(), String::new()),
    };
    let (tally, interval) = (of.tally, of.tally.interval());
    vec![
        kind.to_owned(),
        name,
        version,
        tally.inspected.to_string(),
        tally.found.to_string(),
        percent(tally.precision()),
        percent(interval.map(|interval| interval.0)),
        percent(interval.map(|interval| interval.1)),
        tally.minutes.to_string(),
        tally.minutes_per_find().map_or_else(String::new, |minutes| minutes.to_string()),
        hour.and_then(|hour| tally.cost_per_find(hour)).map_or_else(String::new, |cost| cost.to_string()),
    ]
}

/// What the model said of those that were drawn among all, in tenths of a chance, and how far it drifts.
fn model(watched: &Watched) -> Vec<Vec<String>> {
    let drift = [watched.stability, watched.surprise].map(number);
    let bins = watched.calibration.iter().flat_map(Calibration::filled);
    bins.map(|(from, bin)| {
        let counted = [from.to_string(), bin.count.to_string()];
        let shares = [bin.said, bin.found].map(|share| number(Some(share * 100.0)));
        counted.into_iter().chain(shares).chain(drift.clone()).collect()
    })
    .collect()
}

pub(super) async fn csv(
    State(state): State<AppState>,
    officer: SignedIn,
    Path(table): Path<String>,
) -> Result<Response, Refusal> {
    officer.allow(Deed::AssignAction, None)?;
    let (figures, at) = now(&state).await?;
    let file = match table.as_str() {
        "days.csv" => written(
            &[
                "day",
                "signalled",
                "released",
                "inspected",
                "found",
                "pass_rate_percent",
                "codes",
                "minutes_to_code_median",
                "minutes_to_code_p90",
            ],
            figures
                .days
                .iter()
                .map(|d| {
                    let minutes =
                        |share| d.minutes_of(share).map_or_else(String::new, |minutes| minutes.to_string());
                    vec![
                        day(d.day, "%Y-%m-%d"),
                        d.signalled.to_string(),
                        d.released.to_string(),
                        d.inspected.to_string(),
                        d.found.to_string(),
                        number(percent(d.released, d.signalled)),
                        d.minutes.iter().map(|(_, count)| count).sum::<i64>().to_string(),
                        minutes(0.5),
                        minutes(0.9),
                    ]
                })
                .collect(),
        ),
        "sources.csv" => written(
            &["source", "codes", "stopped", "inspected", "found", "hit_rate_percent"],
            figures
                .sources
                .iter()
                .map(|s| {
                    let counts = [s.given, s.stopped, s.inspected, s.found].map(|count| count.to_string());
                    let mut row = vec![s.basis.name().to_owned()];
                    row.extend(counts);
                    row.push(number(percent(s.found, s.inspected)));
                    row
                })
                .collect(),
        ),
        "returns.csv" => written(
            &[
                "kind",
                "name",
                "version",
                "inspected",
                "found",
                "precision_percent",
                "precision_low_percent",
                "precision_high_percent",
                "minutes",
                "minutes_per_find",
                "hkd_per_find",
            ],
            figures.returns.iter().map(|of| returned(of, state.operations.place().bay_hour_hkd)).collect(),
        ),
        "model.csv" => {
            let heads = [
                "chance_from_percent",
                "inspected_at_random",
                "said_percent",
                "found_percent",
                "score_stability_index",
                "surprise",
            ];
            written(&heads, model(&state.watched().unwrap_or_default()))
        }
        "forecast.csv" => {
            let forecasts = ahead(&state, &figures, at).await?;
            let rows = forecasts.into_iter().flat_map(|(site, hours)| {
                hours.into_iter().map(move |h| {
                    vec![
                        site.to_string(),
                        hour(at, h.hour),
                        number(Some(h.expected)),
                        number(Some(h.to_inspect)),
                        number(h.queue),
                        h.capacity.map_or_else(String::new, |can| can.to_string()),
                    ]
                })
            });
            let heads = ["site", "from", "expected", "to_inspect", "waiting_at_the_end", "bays_can_inspect"];
            written(&heads, rows.collect())
        }
        _ => return Err(Refusal::NotFound),
    };
    sent(&state, &officer, &table, at, file).await
}

/// A table as a file of this name, with a line in the audit.
pub(super) async fn sent(
    state: &AppState,
    officer: &SignedIn,
    name: &str,
    at: UtcMillis,
    file: Result<Vec<u8>, csv::Error>,
) -> Result<Response, Refusal> {
    let file = file.map_err(|error| Refusal::Failed(error.to_string()))?;
    state.store.audit(at, &officer.actor.name, &Noted::ExportFigures, name).await?;
    let disposition = format!("attachment; filename=\"{name}\"");
    let kind = "text/csv; charset=utf-8".to_owned();
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, disposition)], file).into_response())
}

#[cfg(test)]
mod tests {
    use risk::score::watch::{Outcome, calibration};

    use super::*;

    #[test]
    fn the_model_is_written_as_it_was_watched() {
        let drawn = [(0.05, false), (0.07, false), (0.62, true), (0.66, false)];
        let drawn = drawn.map(|(probability, fraud)| Outcome { probability, fraud });
        let calibration = calibration(&drawn);
        let watched = Watched { stability: Some(0.25), surprise: None, calibration };
        assert_eq!(
            model(&watched),
            [["0", "2", "6.00", "0.00", "0.25", ""], ["60", "2", "64.00", "50.00", "0.25", ""]]
        );
        assert!(model(&Watched::default()).is_empty());
    }
}
