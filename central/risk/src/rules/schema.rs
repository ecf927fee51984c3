//! Which facts a condition may ask for, and their types.

use std::any::Any;
use std::sync::Arc;

use cel_core::{
    BinaryOp, CelType, CheckError, CheckErrorKind, CheckResult, Env, EvalError, Expr, MessageValue,
    ProtoRegistry, ProtoTypeResolver, ResolvedProtoType, SpannedExpr, StructFieldValue, Value,
};

use super::ConditionError;
use super::facts::Known;

/// What a fact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Whole,
    Truth,
    Texts,
    One(Record),
    Many(Record),
}

impl Shape {
    fn cel_type(self) -> CelType {
        match self {
            Self::Text => CelType::String,
            Self::Whole => CelType::Int,
            Self::Truth => CelType::Bool,
            Self::Texts => CelType::list(CelType::String),
            Self::One(record) => CelType::message(record.name()),
            Self::Many(record) => CelType::list(CelType::message(record.name())),
        }
    }
}

/// What has facts of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// A vehicle.
    Vehicle,
    /// A party.
    Party,
    /// A consignment.
    Consignment,
    /// A line of goods.
    Goods,
}

use Shape::{Many, One, Text, Texts, Truth, Whole};

/// What stands by itself in a condition. Sums are over all consignments; `weekday` is 1 for Monday to 7.
pub(super) const MOVEMENT: [(&str, Shape); 13] = [
    ("direction", Text),
    ("control_point", Text),
    ("load", Text),
    ("hour", Whole),
    ("weekday", Whole),
    ("lead_minutes", Whole),
    ("packages", Whole),
    ("value_hkd", Whole),
    ("net_weight_kg", Whole),
    ("vehicle", One(Record::Vehicle)),
    ("carrier", One(Record::Party)),
    ("driver", One(Record::Party)),
    ("consignments", Many(Record::Consignment)),
];

const VEHICLE: [(&str, Shape); 7] = [
    ("mark", Text),
    ("mainland_mark", Text),
    ("trailers", Texts),
    ("passages", Whole),
    ("inspections", Whole),
    ("finds", Whole),
    ("known_days", Whole),
];

const PARTY: [(&str, Shape); 6] = [
    ("name", Text),
    ("address", Text),
    ("passages", Whole),
    ("inspections", Whole),
    ("finds", Whole),
    ("known_days", Whole),
];

const CONSIGNMENT: [(&str, Shape); 13] = [
    ("ccrn", Text),
    ("packages", Whole),
    ("package_kind", Text),
    ("description", Text),
    ("consignor", One(Record::Party)),
    ("consignee", One(Record::Party)),
    ("shipper", One(Record::Party)),
    ("hs_code", Text),
    ("origin", Text),
    ("value_hkd", Whole),
    ("net_weight_kg", Whole),
    ("goods", Many(Record::Goods)),
    ("transhipment", Truth),
];

const GOODS: [(&str, Shape); 5] = [
    ("description", Text),
    ("hs_code", Text),
    ("origin", Text),
    ("value_hkd", Whole),
    ("net_weight_kg", Whole),
];

impl Record {
    const ALL: [Self; 4] = [Self::Vehicle, Self::Party, Self::Consignment, Self::Goods];

    /// Its name, as messages tell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vehicle => "Vehicle",
            Self::Party => "Party",
            Self::Consignment => "Consignment",
            Self::Goods => "Goods",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|record| record.name() == name)
    }

    pub(super) fn fields(self) -> &'static [(&'static str, Shape)] {
        match self {
            Self::Vehicle => &VEHICLE,
            Self::Party => &PARTY,
            Self::Consignment => &CONSIGNMENT,
            Self::Goods => &GOODS,
        }
    }

    fn position(self, field: &str) -> Option<usize> {
        self.fields().iter().position(|(name, _)| *name == field)
    }
}

/// Every fact with its type, one a line, for whoever writes rules: `consignments[].consignee.name: string`.
pub fn facts_there_are() -> Vec<String> {
    fn tell(prefix: &str, fields: &[(&str, Shape)], told: &mut Vec<String>) {
        for (name, shape) in fields {
            match shape {
                One(record) => tell(&format!("{prefix}{name}."), record.fields(), told),
                Many(record) => tell(&format!("{prefix}{name}[]."), record.fields(), told),
                shape => told.push(format!("{prefix}{name}: {}", shape.cel_type().display_name())),
            }
        }
    }
    let mut told = Vec::new();
    tell("", &MOVEMENT, &mut told);
    told
}

pub(super) fn environment() -> Env {
    MOVEMENT
        .iter()
        .fold(Env::with_standard_library(), |env, (name, shape)| env.with_variable(*name, shape.cel_type()))
        .with_proto_registry(Arc::new(Schema))
}

/// What the checker found, in words that name the facts.
pub(super) fn explain(error: &CheckError, at: usize) -> ConditionError {
    let names =
        |fields: &[(&str, Shape)]| fields.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    match &error.kind {
        CheckErrorKind::UndeclaredReference { name, .. } => {
            ConditionError::UnknownFact { at, name: name.clone(), known: names(&MOVEMENT) }
        }
        CheckErrorKind::UndefinedField { type_name, field } => match Record::of_name(type_name) {
            Some(record) => ConditionError::UnknownFact {
                at,
                name: format!("{field} of a {type_name}"),
                known: names(record.fields()),
            },
            None => ConditionError::Type { at, why: format!("a {type_name} has no {field}") },
        },
        kind => ConditionError::Type { at, why: kind.to_string() },
    }
}

/// CEL lets anything be compared with anything, and says that they differ: a rule that asks `hour == '5'` would never hold.
/// Gives where it is and what is wrong.
pub(super) fn check_comparisons(expr: &SpannedExpr, types: &CheckResult) -> Result<(), (usize, String)> {
    let type_of = |part: &SpannedExpr| types.type_map.get(&part.id).cloned().unwrap_or(CelType::Dyn);
    if let Expr::Binary { op, left, right } = &expr.node {
        let (a, b) = (type_of(left), type_of(right));
        let at = left.span.start;
        match (op, &b) {
            (BinaryOp::Eq | BinaryOp::Ne, b) if a != *b => {
                return Err((at, format!("{} is compared with {}", a.display_name(), b.display_name())));
            }
            (BinaryOp::In, CelType::List(each)) if a != **each => {
                return Err((
                    at,
                    format!("{} is looked for among {}", a.display_name(), each.display_name()),
                ));
            }
            _ => {}
        }
    }
    parts(expr).into_iter().try_for_each(|part| check_comparisons(part, types))
}

/// What a part is made of.
fn parts(expr: &SpannedExpr) -> Vec<&SpannedExpr> {
    match &expr.node {
        Expr::List(elements) => elements.iter().map(|element| &element.expr).collect(),
        Expr::Unary { expr, .. } | Expr::Member { expr, .. } | Expr::MemberTestOnly { expr, .. } => {
            vec![expr]
        }
        Expr::Binary { left, right, .. } | Expr::Index { expr: left, index: right, .. } => vec![left, right],
        Expr::Ternary { cond, then_expr, else_expr } => vec![cond, then_expr, else_expr],
        Expr::Call { expr, args } => std::iter::once(&**expr).chain(args).collect(),
        // The rest of a comprehension is made by the macro, and soundly.
        Expr::Comprehension(of) => vec![&of.iter_range, &of.loop_step],
        _ => Vec::new(),
    }
}

/// The facts as CEL's messages: what is absent reads as empty, zero or false, and `has(...)` tells it apart.
#[derive(Debug)]
struct Schema;

impl ProtoTypeResolver for Schema {
    fn get_field_type(&self, message: &str, field: &str) -> Option<CelType> {
        let record = Record::of_name(message)?;
        record.fields().iter().find(|(name, _)| *name == field).map(|(_, shape)| shape.cel_type())
    }

    fn has_message(&self, message: &str) -> bool {
        Record::of_name(message).is_some()
    }

    fn is_extension(&self, _: &str, _: &str) -> bool {
        false
    }

    fn get_enum_value(&self, _: &str, _: &str) -> Option<i32> {
        None
    }

    fn resolve_qualified(&self, _: &[&str], _: &str) -> Option<ResolvedProtoType> {
        None
    }

    fn resolve_message_name(&self, name: &str, _: &str) -> Option<String> {
        Record::of_name(name).map(|record| record.name().to_owned())
    }

    fn message_field_names(&self, message: &str) -> Option<Vec<String>> {
        Some(Record::of_name(message)?.fields().iter().map(|(name, _)| (*name).to_owned()).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl ProtoRegistry for Schema {
    fn construct_message(&self, type_name: &str, _: &[StructFieldValue], _: bool) -> Value {
        // The cost check refuses such conditions before.
        Value::error(EvalError::invalid_argument(format!("{type_name} cannot be made in a condition")))
    }

    fn message_field_access(&self, message: &dyn MessageValue, field: &str, _: bool, _: bool) -> Value {
        known(message)
            .and_then(|known| Some(known.field(known.record().position(field)?)?.0.clone()))
            .unwrap_or_else(|| Value::error(EvalError::field_not_found(field)))
    }

    fn message_has_field(&self, message: &dyn MessageValue, field: &str) -> Value {
        let told = known(message).and_then(|known| Some(known.field(known.record().position(field)?)?.1));
        Value::Bool(told.unwrap_or(false))
    }

    fn get_extension_value(&self, _: &dyn MessageValue, _: &str, _: bool, _: bool) -> Option<Value> {
        None
    }

    fn has_extension(&self, _: &dyn MessageValue, _: &str) -> Option<bool> {
        None
    }
}

fn known(message: &dyn MessageValue) -> Option<&Known> {
    message.as_any().downcast_ref()
}
