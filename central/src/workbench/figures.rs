//! Figures of the shift: how many pass, what inspections find and by what they were chosen, how long a code takes, what waits for
//! the bays in the next hours.

use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use clearance::ids::{SiteId, UtcMillis};
use maud::{Markup, PreEscaped, html};
use risk::Probability;
use risk::facts::Slot;
use risk::returns::Source;
use risk::score::watch::Calibration;

use super::charts::{Chart, draw, legend};
use super::forecast::{Ahead, can_inspect, forecast};
use super::form::Fields;
use super::terms;
use super::told::{News, Told, problems};
use crate::console::page::{Frame, page};
use crate::console::session::{Refusal, SignedIn};
use crate::officers::Deed;
use crate::screening::Watched;
use crate::state::AppState;
use crate::storage::workbench::{Day, Figures, RiskReturn, SourceReturn};
use crate::words::Language;

/// Days that are counted.
const DAYS: i64 = 14;

/// Hours that are forecast.
const HOURS: i64 = 6;

/// The largest capacity that can be set.
const MOST_PER_HOUR: u32 = 1_000;

/// The figures of now.
pub(super) async fn now(state: &AppState) -> Result<(Figures, UtcMillis), Refusal> {
    let now = state.clock.now();
    let zone = &state.operations.place().zone;
    let at = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    let offset = i64::from(zone.to_offset(at).seconds()) * 1000;
    // Whole days only: the first begins at midnight.
    let today = (now.0 + offset).div_euclid(86_400_000);
    let since = UtcMillis((today - DAYS + 1) * 86_400_000 - offset);
    Ok((state.store.figures(since, offset, now).await?, now))
}

/// The forecast of each control point. What its bays can do is looked up by the hour of its clocks in which an hour of the forecast begins.
pub(super) async fn ahead(
    state: &AppState,
    figures: &Figures,
    now: UtcMillis,
) -> Result<Vec<(SiteId, Vec<Ahead>)>, Refusal> {
    let policy = state.store.current_policy().await?;
    let (place, sites) = (state.operations.place(), state.operations.sites());
    let of = |site: &SiteId| {
        let supervisor = figures.capacity.get(site.as_str()).copied();
        let hours: Vec<Option<i64>> = (0..HOURS)
            .map(|hour| {
                let at = now.plus_millis(hour * 3_600_000);
                let then = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
                let hour = place.zone.to_datetime(then).hour().unsigned_abs();
                let slot = Slot { control_point: site.clone(), day: place.day(at), hour };
                can_inspect(supervisor, policy.as_ref(), &slot)
            })
            .collect();
        (site.clone(), forecast(figures, site.as_str(), sites.len(), &hours))
    };
    Ok(sites.iter().map(of).collect())
}

/// A day as people read it, with or without its year.
pub(super) fn day(days: i64, form: &str) -> String {
    let at = jiff::Timestamp::from_second(days * 86_400).unwrap_or_default();
    at.to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime(form).to_string()
}

/// A share in percent; none of nothing.
pub(super) fn percent(part: i64, of: i64) -> Option<f64> {
    (of > 0).then(|| 100.0 * part as f64 / of as f64)
}

fn said(percent: Option<f64>) -> String {
    percent.map_or_else(|| "—".to_owned(), |percent| format!("{percent:.1}%"))
}

pub(super) async fn show(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Query(told): Query<Told>,
) -> Result<Markup, Refusal> {
    figures_page(&state, &officer, language, &told, &[]).await
}

async fn figures_page(
    state: &AppState,
    officer: &SignedIn,
    language: Language,
    told: &Told,
    wrong: &[String],
) -> Result<Markup, Refusal> {
    officer.allow(Deed::AssignAction, None)?;
    let (figures, now) = now(state).await?;
    let say = |key: &str| language.say(key);
    let mut forecasts = Vec::new();
    for (site, hours) in ahead(state, &figures, now).await? {
        forecasts.push(forecast_chart(officer, language, site.as_str(), &hours, &figures, now)?);
    }
    let content = html! {
        h1 { (say("fig-title")) }
        (told.panel(language))
        (problems(language, wrong))
        p class="soft" { (language.say_with("fig-since", &[("days", &DAYS.to_string())])) }
        div class="charts" {
            (pass_rate(language, &figures.days)?)
            (sources(language, &figures.sources)?)
            (returns(language, &figures.returns, state.operations.place().bay_hour_hkd)?)
            (model(language, state.watched().as_ref())?)
            (time_to_code(language, &figures.days)?)
            @for forecast in &forecasts { (forecast) }
        }
        p class="soft" { (say("fig-which-capacity")) }
    };
    let frame =
        Frame { language, officer: Some(officer), page: "figures", works: true, address: "/console/figures" };
    Ok(page(&frame, &content))
}

/// A chart with its numbers, its legend and its file.
fn panel(
    language: Language,
    title: &str,
    chart: &Chart<'_>,
    bars: Option<&str>,
    csv: &str,
    table: &Markup,
) -> Result<Markup, Refusal> {
    let svg = draw(chart).map_err(Refusal::Failed)?;
    let legend = legend(chart, bars);
    Ok(html! {
        section class="panel chart" {
            h2 { (title) }
            @if chart.names.is_empty() { p class="soft" { (language.say("fig-nothing-yet")) } } @else {
                (PreEscaped(svg))
                @if legend.len() > 1 { p class="legend" { @for (colour, name) in &legend {
                    svg width="12" height="12" aria-hidden="true" { rect width="12" height="12" fill=(colour) {} } " " (name) " "
                } } }
            }
            details { summary { (language.say("fig-numbers")) } div class="wide" tabindex="0" role="region" aria-label=(title) { (table) } }
            p { a href={ "/console/figures/" (csv) } { (language.say("fig-csv")) } }
        }
    })
}

fn pass_rate(language: Language, days: &[Day]) -> Result<Markup, Refusal> {
    let say = |key: &str| language.say(key);
    let days: Vec<&Day> = days.iter().filter(|day| day.signalled > 0).collect();
    let names: Vec<String> = days.iter().map(|d| day(d.day, "%m-%d")).collect();
    let rates = days.iter().map(|d| percent(d.released, d.signalled)).collect();
    let (title, passed) = (say("fig-pass-rate"), say("fig-passed"));
    let lines = [(passed.as_str(), rates)];
    let chart = Chart { label: &title, unit: "%", names: &names, bars: &[], lines: &lines, least_top: 100.0 };
    let heads = ["fig-day", "wb-crossings", "fig-passed", "wb-inspected", "wb-finds", "fig-hit-rate"];
    let table = html! { table {
        thead { tr { @for (i, head) in heads.into_iter().enumerate() { th scope="col" class=[(i >= 1).then_some("number")] { (say(head)) } } } }
        tbody { @for d in &days { tr {
            td { (day(d.day, "%Y-%m-%d")) } td class="number" { (d.signalled) }
            td class="number" { (said(percent(d.released, d.signalled))) }
            td class="number" { (d.inspected) } td class="number" { (d.found) }
            td class="number" { (said(percent(d.found, d.inspected))) }
        } } }
    } };
    panel(language, &title, &chart, None, "days.csv", &table)
}

fn sources(language: Language, sources: &[SourceReturn]) -> Result<Markup, Refusal> {
    let say = |key: &str| language.say(key);
    let names: Vec<String> = sources.iter().map(|s| say(&format!("fig-{}", s.basis.name()))).collect();
    let rates: Vec<f64> = sources.iter().map(|s| percent(s.found, s.inspected).unwrap_or(0.0)).collect();
    let title = say("fig-hit-rate-by-source");
    let chart = Chart { label: &title, unit: "%", names: &names, bars: &rates, lines: &[], least_top: 10.0 };
    let all: i64 = sources.iter().map(|s| s.found).sum();
    let heads = [
        "fig-source",
        "fig-codes",
        "fig-stopped",
        "wb-inspected",
        "wb-finds",
        "fig-hit-rate",
        "fig-share-of-finds",
    ];
    let table = html! { table {
        thead { tr { @for (i, head) in heads.into_iter().enumerate() { th scope="col" class=[(i >= 1).then_some("number")] { (say(head)) } } } }
        tbody { @for s in sources { tr {
            td { (say(terms::basis(s.basis))) } td class="number" { (s.given) } td class="number" { (s.stopped) }
            td class="number" { (s.inspected) } td class="number" { (s.found) }
            td class="number" { (said(percent(s.found, s.inspected))) } td class="number" { (said(percent(s.found, all))) }
        } } }
    } };
    panel(language, &title, &chart, None, "sources.csv", &table)
}

/// As many rules and lists as the chart has bars: those that cost most inspections.
const MOST_BARS: usize = 12;

/// What made somebody look, in words.
fn source(language: Language, of: Option<&Source>) -> String {
    match of {
        None => language.say("fig-withheld"),
        Some(Source::Rule { rule, version }) => {
            language.say_with("wb-because-rule", &[("known", rule), ("version", &version.to_string())])
        }
        Some(Source::List { list }) => language.say_with("fig-list", &[("known", list)]),
        // A digest's first digits tell models apart.
        Some(Source::Model { model }) => {
            let digits: String = model.to_string().chars().take(8).collect();
            language.say_with("fig-model", &[("known", &digits)])
        }
        Some(Source::Random) => language.say("fig-draw"),
        Some(Source::Explored) => language.say("fig-explored"),
        Some(Source::Unassessed) => language.say("wb-because-unassessed"),
    }
}

fn returns(language: Language, returns: &[RiskReturn], hour: Option<u32>) -> Result<Markup, Refusal> {
    let say = |key: &str| language.say(key);
    let returns: Vec<&RiskReturn> = returns.iter().filter(|of| of.tally.inspected > 0).collect();
    let in_percent = |share: Probability| share.as_f64() * 100.0;
    let title = say("fig-returns");
    let drawn: Vec<&&RiskReturn> = returns.iter().take(MOST_BARS).collect();
    // Names are long: the bars bear numbers, and so do the rows of the table.
    let names: Vec<String> = (1..=drawn.len()).map(|number| number.to_string()).collect();
    let rates: Vec<f64> =
        drawn.iter().map(|of| of.tally.precision().map(in_percent).unwrap_or_default()).collect();
    let chart = Chart { label: &title, unit: "%", names: &names, bars: &rates, lines: &[], least_top: 10.0 };
    let heads =
        ["fig-what-asked", "wb-inspected", "wb-finds", "fig-hit-rate", "fig-between", "fig-minutes-per-find"];
    let table = html! { table {
        thead { tr { th scope="col" class="number" { "#" } @for (i, head) in heads.into_iter().enumerate() { th scope="col" class=[(i >= 1).then_some("number")] { (say(head)) } }
            @if let Some(hour) = hour { th scope="col" class="number" { (language.say_with("fig-hkd-per-find", &[("known", &hour.to_string())])) } } } }
        tbody { @for (i, of) in returns.iter().enumerate() { tr {
            td class="number" { (i + 1) } td { (source(language, of.source.as_ref())) }
            td class="number" { (of.tally.inspected) } td class="number" { (of.tally.found) }
            td class="number" { (said(of.tally.precision().map(in_percent))) }
            td class="number" { @if let Some((low, high)) = of.tally.interval() { (format!("{:.1}–{:.1}%", in_percent(low), in_percent(high))) } }
            td class="number" { @if let Some(minutes) = of.tally.minutes_per_find() { (minutes) } @else { "—" } }
            @if let Some(hour) = hour { td class="number" { @if let Some(cost) = of.tally.cost_per_find(hour) { (cost) } @else { "—" } } }
        } } }
    } };
    panel(language, &title, &chart, None, "returns.csv", &table)
}

/// What the model said of those that were drawn among all, and what was found; and how far it drifts.
fn model(language: Language, watched: Option<&Watched>) -> Result<Markup, Refusal> {
    let say = |key: &str| language.say(key);
    let bins: Vec<_> = watched
        .and_then(|watched| watched.calibration.as_ref())
        .into_iter()
        .flat_map(Calibration::filled)
        .collect();
    let names: Vec<String> = bins.iter().map(|(from, _)| format!("{from}–{}%", from + 10)).collect();
    let (title, chance, finds) = (say("fig-model-watched"), say("fig-said"), say("wb-finds"));
    let lines = [
        (chance.as_str(), bins.iter().map(|(_, bin)| Some(bin.said * 100.0)).collect::<Vec<_>>()),
        (finds.as_str(), bins.iter().map(|(_, bin)| Some(bin.found * 100.0)).collect()),
    ];
    let chart = Chart { label: &title, unit: "%", names: &names, bars: &[], lines: &lines, least_top: 100.0 };
    let index = |index: Option<f64>| index.map_or_else(|| "—".to_owned(), |index| format!("{index:.2}"));
    let table = html! {
        p { (language.say_with("fig-drift-of-scores", &[("number", &index(watched.and_then(|it| it.stability)))])) }
        p { (language.say_with("fig-drift-of-finds", &[("number", &index(watched.and_then(|it| it.surprise)))])) }
        table {
            thead { tr { @for (i, head) in ["fig-chance", "wb-inspected", "fig-said", "fig-hit-rate"].into_iter().enumerate() { th scope="col" class=[(i >= 1).then_some("number")] { (say(head)) } } } }
            tbody { @for ((_, bin), name) in bins.iter().zip(&names) { tr {
                td { (name) } td class="number" { (bin.count) }
                td class="number" { (said(Some(bin.said * 100.0))) } td class="number" { (said(Some(bin.found * 100.0))) }
            } } }
        }
    };
    panel(language, &title, &chart, None, "model.csv", &table)
}

fn time_to_code(language: Language, days: &[Day]) -> Result<Markup, Refusal> {
    let say = |key: &str| language.say(key);
    let days: Vec<&Day> = days.iter().filter(|day| !day.minutes.is_empty()).collect();
    let names: Vec<String> = days.iter().map(|d| day(d.day, "%m-%d")).collect();
    let of = |share| days.iter().map(|d| d.minutes_of(share).map(|m| m as f64)).collect::<Vec<_>>();
    let (title, half, most) = (say("fig-time-to-code"), say("fig-half"), say("fig-nine-in-ten"));
    let lines = [(half.as_str(), of(0.5)), (most.as_str(), of(0.9))];
    let unit = say("bay-minutes");
    let chart = Chart { label: &title, unit: &unit, names: &names, bars: &[], lines: &lines, least_top: 5.0 };
    let table = html! { table {
        thead { tr { @for (i, head) in ["fig-day", "fig-codes", "fig-half", "fig-nine-in-ten"].into_iter().enumerate() { th scope="col" class=[(i >= 1).then_some("number")] { (say(head)) } } } }
        tbody { @for d in &days { tr {
            td { (day(d.day, "%Y-%m-%d")) } td class="number" { (d.minutes.iter().map(|(_, count)| count).sum::<i64>()) }
            @for share in [0.5, 0.9] { td class="number" { @if let Some(minutes) = d.minutes_of(share) { (minutes) } } }
        } } }
    } };
    panel(language, &title, &chart, None, "days.csv", &table)
}

/// The hour in which an hour of the forecast begins.
pub(super) fn hour(now: UtcMillis, hour: i64) -> String {
    super::clock::moment(now.0 + hour * 3_600_000, now)
}

fn forecast_chart(
    officer: &SignedIn,
    language: Language,
    site: &str,
    hours: &[Ahead],
    figures: &Figures,
    now: UtcMillis,
) -> Result<Markup, Refusal> {
    let say = |key: &str| language.say(key);
    let names: Vec<String> = hours.iter().map(|h| hour(now, h.hour)).collect();
    let expected: Vec<f64> = hours.iter().map(|h| h.expected).collect();
    let (to_inspect, waiting) = (say("fig-to-inspect"), say("fig-queue"));
    let lines = [
        (to_inspect.as_str(), hours.iter().map(|h| Some(h.to_inspect)).collect::<Vec<_>>()),
        (waiting.as_str(), hours.iter().map(|h| h.queue).collect()),
    ];
    let title = format!("{} · {site}", say("fig-forecast"));
    let unit = say("fig-vehicles");
    let chart =
        Chart { label: &title, unit: &unit, names: &names, bars: &expected, lines: &lines, least_top: 5.0 };
    let heads = ["fig-from", "fig-expected", "fig-to-inspect", "fig-can-inspect", "fig-queue"];
    let capacity = figures.capacity.get(site);
    let table = html! {
        table {
            thead { tr { @for (i, head) in heads.into_iter().enumerate() { th scope="col" class=[(i >= 1).then_some("number")] { (say(head)) } } } }
            tbody { @for h in hours { tr {
                td { (hour(now, h.hour)) } td class="number" { (format!("{:.0}", h.expected)) }
                td class="number" { (format!("{:.1}", h.to_inspect)) }
                td class="number" { @match h.capacity { Some(can) => { (can) } None => { "—" } } }
                td class="number" { @match h.queue { Some(queue) => { (format!("{queue:.1}")) } None => { "—" } } }
            } } }
        }
    };
    let chart = panel(language, &title, &chart, Some(&say("fig-expected")), "forecast.csv", &table)?;
    Ok(html! {
        div {
            (chart)
            @if officer.actor.role.may(Deed::LeadShift) {
                form method="post" action="/console/figures/capacity" class="row" {
                    input type="hidden" name="csrf" value=(officer.csrf);
                    input type="hidden" name="site" value=(site);
                    label class="row" { (say("fig-capacity")) input type="number" name="per_hour" min="0" max=(MOST_PER_HOUR) required value=[capacity]; }
                    button { (say("save")) }
                }
            }
            @if hours.iter().all(|h| h.capacity.is_none()) { p class="soft" { (say("fig-no-capacity")) } }
        }
    })
}

pub(super) async fn set_capacity(
    State(state): State<AppState>,
    officer: SignedIn,
    language: Language,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let fields = Fields(fields);
    officer.allow(Deed::LeadShift, Some(fields.get("csrf")))?;
    let name = fields.get("site");
    let site = state.operations.sites().iter().find(|site| site.as_str() == name).ok_or(Refusal::NotFound)?;
    match fields.get("per_hour").parse::<u32>() {
        Ok(per_hour) if per_hour <= MOST_PER_HOUR => {
            state.store.set_capacity(site, per_hour, &officer.actor.name, state.clock.now()).await?;
            Ok(Redirect::to(&Told::address("/console/figures", News::CapacitySet, None)).into_response())
        }
        _ => {
            let wrong = [language.say_with("fig-problem-capacity", &[("most", &MOST_PER_HOUR.to_string())])];
            Ok(figures_page(&state, &officer, language, &Told::default(), &wrong).await?.into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::keys;
    use crate::workbench::decision::Basis;

    #[test]
    fn days_are_named_and_nothing_is_no_share() {
        assert_eq!(day(20_784, "%Y-%m-%d"), "2026-11-27");
        assert_eq!((percent(1, 4), percent(0, 0)), (Some(25.0), None));
        let short = |language| {
            Basis::ALL
                .map(|b| format!("fig-{}", b.name()))
                .iter()
                .all(|key| keys(language).contains(&key.as_str()))
        };
        assert!(Language::ALL.into_iter().all(short));
    }
}
