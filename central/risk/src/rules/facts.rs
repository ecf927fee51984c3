//! The facts as CEL's values: made once for all rules of an assessment.

use std::any::Any;
use std::sync::Arc;

use cel_core::{Activation, MessageValue, Value};
use clearance::mark::RegistrationMark;

use super::schema::{MOVEMENT, Record, Shape};
use crate::facts::{Consignment, Facts, GoodsLine, History, Party, Vehicle};

/// Facts, ready for rules.
#[derive(Debug)]
pub struct RuleFacts {
    /// In the order of [`MOVEMENT`].
    values: [Value; MOVEMENT.len()],
    /// The values of each path of [`super::guard::columns`], over all consignments and lines.
    columns: Vec<Vec<Value>>,
    consignments: u64,
    lines: u64,
}

/// The values of each fact, in the order of [`super::guard::columns`]. `at`: the place of the first of `fields`; gives the next.
fn fill(fields: &[(&str, Shape)], values: &[&Value], at: usize, columns: &mut Vec<Vec<Value>>) -> usize {
    let mut next = at;
    for (position, (_, shape)) in fields.iter().enumerate() {
        let Some(value) = values.get(position) else { return next };
        next = put(*shape, value, next, columns);
    }
    next
}

fn put(shape: Shape, value: &Value, at: usize, columns: &mut Vec<Vec<Value>>) -> usize {
    match (shape, value) {
        (Shape::Text | Shape::Whole, value) => {
            if columns.len() <= at {
                columns.resize(at + 1, Vec::new());
            }
            columns[at].push(value.clone());
            at + 1
        }
        (Shape::One(record), Value::Message(message)) => match message.as_any().downcast_ref::<Known>() {
            Some(known) => {
                let values: Vec<&Value> = known.fields.iter().map(|told| &told.0).collect();
                fill(record.fields(), &values, at, columns)
            }
            None => at + width(record.fields()),
        },
        (Shape::Many(record), Value::List(values)) => {
            values.iter().for_each(|value| {
                put(Shape::One(record), value, at, columns);
            });
            at + width(record.fields())
        }
        (Shape::One(record) | Shape::Many(record), _) => at + width(record.fields()),
        (Shape::Truth | Shape::Texts, _) => at,
    }
}

fn width(fields: &[(&str, Shape)]) -> usize {
    let of = |shape: &Shape| match shape {
        Shape::Text | Shape::Whole => 1,
        Shape::One(record) | Shape::Many(record) => width(record.fields()),
        Shape::Truth | Shape::Texts => 0,
    };
    fields.iter().map(|(_, shape)| of(shape)).sum()
}

impl RuleFacts {
    /// Of `facts`.
    pub fn of(facts: &Facts) -> Self {
        let sum = |of: fn(&Consignment) -> u64| {
            whole(facts.consignments.iter().map(of).fold(0_u64, u64::saturating_add)).0
        };
        let nobody = Party::default();
        let values = [
            text(facts.direction.name()).0,
            text(facts.control_point.as_str()).0,
            text(facts.load.name()).0,
            whole(facts.hour()).0,
            Value::Int(i64::from(facts.weekday().to_monday_one_offset())),
            Value::Int(facts.lead_minutes),
            sum(|consignment| u64::from(consignment.packages)),
            sum(|consignment| consignment.value_hkd.unwrap_or_default()),
            sum(|consignment| consignment.net_weight_kg.unwrap_or_default()),
            vehicle(&facts.vehicle),
            party(facts.carrier.as_ref().unwrap_or(&nobody)),
            party(facts.driver.as_ref().unwrap_or(&nobody)),
            facts.consignments.iter().map(consignment).collect::<Vec<_>>().into(),
        ];
        let lines = facts.consignments.iter().map(|consignment| consignment.goods.len() as u64).sum();
        let mut columns = Vec::new();
        fill(&MOVEMENT, &values.iter().collect::<Vec<_>>(), 0, &mut columns);
        columns.resize(width(&MOVEMENT), Vec::new());
        Self { values, columns, consignments: facts.consignments.len() as u64, lines }
    }

    pub(super) fn column(&self, column: usize) -> &[Value] {
        self.columns.get(column).map_or(&[], Vec::as_slice)
    }

    #[cfg(test)]
    pub(super) fn columns_filled(&self) -> usize {
        self.columns.iter().filter(|column| !column.is_empty()).count()
    }

    /// How many consignments there are.
    pub fn consignments(&self) -> u64 {
        self.consignments
    }

    /// How many lines of goods there are, in all of them.
    pub fn lines(&self) -> u64 {
        self.lines
    }
}

impl Activation for RuleFacts {
    fn resolve(&self, name: &str) -> Option<Value> {
        let position = MOVEMENT.iter().position(|(known, _)| *known == name)?;
        self.values.get(position).cloned()
    }

    fn has(&self, name: &str) -> bool {
        MOVEMENT.iter().any(|(known, _)| *known == name)
    }
}

/// A value, and whether it was told at all.
type Told = (Value, bool);

/// One record with what is known of it, in the order of its fields.
#[derive(Clone, Debug)]
pub(super) struct Known {
    record: Record,
    fields: Arc<[Told]>,
}

impl Known {
    fn value(record: Record, fields: Vec<Told>) -> Value {
        Value::Message(Box::new(Self { record, fields: fields.into() }))
    }

    pub(super) fn record(&self) -> Record {
        self.record
    }

    pub(super) fn field(&self, position: usize) -> Option<&Told> {
        self.fields.get(position)
    }
}

impl MessageValue for Known {
    fn type_name(&self) -> &str {
        self.record.name()
    }

    fn eq_message(&self, other: &dyn MessageValue) -> bool {
        let same = |other: &Self| {
            self.record == other.record && self.fields.iter().zip(&*other.fields).all(|(a, b)| a.0 == b.0)
        };
        other.as_any().downcast_ref().is_some_and(same)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn clone_boxed(&self) -> Box<dyn MessageValue> {
        Box::new(self.clone())
    }
}

fn text(text: &str) -> Told {
    (Value::String(Arc::from(text)), !text.is_empty())
}

fn maybe_text(told: Option<&String>) -> Told {
    (Value::String(Arc::from(told.map_or("", String::as_str))), told.is_some())
}

fn whole(number: impl Into<u64>) -> Told {
    (Value::Int(i64::try_from(number.into()).unwrap_or(i64::MAX)), true)
}

fn maybe_whole(told: Option<u64>) -> Told {
    (whole(told.unwrap_or_default()).0, told.is_some())
}

fn history(history: History) -> [Told; 4] {
    [history.passages, history.inspections, history.finds, history.known_days].map(whole)
}

fn vehicle(vehicle: &Vehicle) -> Value {
    let marks: Vec<Value> = vehicle.trailers.iter().map(|mark| text(mark.as_str()).0).collect();
    let trailers = !marks.is_empty();
    let mainland = vehicle.mainland_mark.as_ref().map_or("", RegistrationMark::as_str);
    let mut fields = vec![text(vehicle.mark.as_str()), text(mainland), (marks.into(), trailers)];
    fields.extend(history(vehicle.history));
    Known::value(Record::Vehicle, fields)
}

fn party(party: &Party) -> Value {
    let mut fields = vec![text(&party.name), text(&party.address)];
    fields.extend(history(party.history));
    Known::value(Record::Party, fields)
}

fn consignment(consignment: &Consignment) -> Value {
    let lines: Vec<Value> = consignment.goods.iter().map(goods).collect();
    let nobody = Party::default();
    Known::value(
        Record::Consignment,
        vec![
            text(&consignment.ccrn),
            whole(consignment.packages),
            text(&consignment.package_kind),
            text(&consignment.description),
            (party(&consignment.consignor), true),
            (party(&consignment.consignee), true),
            (party(consignment.shipper.as_ref().unwrap_or(&nobody)), consignment.shipper.is_some()),
            maybe_text(consignment.hs_code.as_ref()),
            maybe_text(consignment.origin.as_ref()),
            maybe_whole(consignment.value_hkd),
            maybe_whole(consignment.net_weight_kg),
            (lines.into(), !consignment.goods.is_empty()),
            (Value::Bool(consignment.transhipment), consignment.transhipment),
        ],
    )
}

fn goods(line: &GoodsLine) -> Value {
    Known::value(
        Record::Goods,
        vec![
            text(&line.description),
            maybe_text(line.hs_code.as_ref()),
            maybe_text(line.origin.as_ref()),
            maybe_whole(line.value_hkd),
            maybe_whole(line.net_weight_kg),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    fn fits(value: &Value, shape: Shape) {
        match (value, shape) {
            (Value::String(_), Shape::Text)
            | (Value::Int(_), Shape::Whole)
            | (Value::Bool(_), Shape::Truth)
            | (Value::List(_), Shape::Texts) => {}
            (Value::Message(message), Shape::One(record)) => {
                let known: &Known = message.as_any().downcast_ref().unwrap();
                assert_eq!((known.record, known.fields.len()), (record, record.fields().len()));
                known.fields.iter().zip(record.fields()).for_each(|(told, (_, shape))| fits(&told.0, *shape));
            }
            (Value::List(values), Shape::Many(record)) => {
                assert!(!values.is_empty());
                values.iter().for_each(|value| fits(value, Shape::One(record)));
            }
            (value, shape) => panic!("{value:?} is no {shape:?}"),
        }
    }

    #[test]
    fn every_value_has_the_type_that_rules_are_checked_by() {
        let mut facts = example::facts();
        facts.consignments[0].goods.push(GoodsLine::default());
        let values = RuleFacts::of(&facts);
        for (value, (_, shape)) in values.values.iter().zip(MOVEMENT) {
            fits(value, shape);
        }
    }
}
