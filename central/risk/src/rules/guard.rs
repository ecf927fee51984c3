//! What must be true for a condition to hold at all, told cheaply: most rules are about something else than the movement at hand.
//!
//! A guard is one of the conjuncts of a condition: a fact compared with a literal, also within `exists`. If no value of the fact passes
//! it, the condition is false, whatever the rest gives: in CEL a false conjunct outweighs an error. Where a guard passes, or a
//! condition has none, `cel-core` is asked.

use cel_core::{BinaryOp, Expr, SpannedExpr, Value};

use super::facts::RuleFacts;
use super::schema::{MOVEMENT, Shape};

/// A test that some value of a fact must pass.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Guard {
    /// Position in [`columns`].
    column: usize,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    StartsWith(String),
    Contains(String),
    OneOf(Vec<Literal>),
    Whole(BinaryOp, i64),
}

#[derive(Clone, Debug, PartialEq)]
enum Literal {
    Text(String),
    Whole(i64),
}

/// The paths of all facts that guards can test, in the order in which [`RuleFacts`] keeps their values.
pub(super) fn columns() -> Vec<String> {
    fn walk(prefix: &str, fields: &[(&str, Shape)], paths: &mut Vec<String>) {
        for (name, shape) in fields {
            let path = format!("{prefix}{name}");
            match shape {
                Shape::One(record) | Shape::Many(record) => walk(&format!("{path}."), record.fields(), paths),
                Shape::Text | Shape::Whole => paths.push(path),
                Shape::Truth | Shape::Texts => {}
            }
        }
    }
    let mut paths = Vec::new();
    walk("", &MOVEMENT, &mut paths);
    paths
}

/// The guards of `condition`.
pub(super) fn guards(condition: &SpannedExpr) -> Vec<Guard> {
    let (columns, mut found) = (columns(), Vec::new());
    collect(condition, &mut Vec::new(), &columns, &mut found);
    found
}

/// Variables of the loops around, and the paths of what they go over.
type Variables<'e> = Vec<(&'e str, String)>;

fn collect<'e>(expr: &'e SpannedExpr, vars: &mut Variables<'e>, columns: &[String], found: &mut Vec<Guard>) {
    let column = |expr: &SpannedExpr, vars: &Variables<'_>| {
        let path = path(expr, vars)?;
        columns.iter().position(|known| *known == path)
    };
    match &expr.node {
        Expr::Binary { op: BinaryOp::And, left, right } => {
            collect(left, vars, columns, found);
            collect(right, vars, columns, found);
        }
        Expr::Binary { op, left, right } => {
            let test = match (op, &right.node) {
                (BinaryOp::Eq, _) => literal(right).map(|literal| Test::OneOf(vec![literal])),
                (BinaryOp::In, Expr::List(elements)) => elements
                    .iter()
                    .map(|element| literal(&element.expr))
                    .collect::<Option<Vec<_>>>()
                    .map(Test::OneOf),
                (BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge, Expr::Int(n)) => {
                    Some(Test::Whole(*op, *n))
                }
                _ => None,
            };
            found.extend(column(left, vars).zip(test).map(|(column, test)| Guard { column, test }));
        }
        Expr::Call { expr: callee, args } => {
            let (Expr::Member { expr: of, field, .. }, [arg]) = (&callee.node, args.as_slice()) else {
                return;
            };
            let test = match (field.as_str(), &arg.node) {
                ("startsWith", Expr::String(text)) => Some(Test::StartsWith(text.clone())),
                ("contains", Expr::String(text)) => Some(Test::Contains(text.clone())),
                _ => None,
            };
            found.extend(column(of, vars).zip(test).map(|(column, test)| Guard { column, test }));
        }
        // `exists`: false, then `condition || accumulated` for each.
        Expr::Comprehension(of)
            if matches!(of.accu_init.node, Expr::Bool(false)) && of.iter_var2.is_empty() =>
        {
            let (Some(range), Expr::Binary { op: BinaryOp::Or, left, right }) =
                (path(&of.iter_range, vars), &of.loop_step.node)
            else {
                return;
            };
            let is_accu =
                |expr: &SpannedExpr| matches!(&expr.node, Expr::Ident(name) if *name == of.accu_var);
            if is_accu(right) && is_accu(&of.result) {
                vars.push((&of.iter_var, range));
                collect(left, vars, columns, found);
                vars.pop();
            }
        }
        _ => {}
    }
}

fn path(expr: &SpannedExpr, vars: &Variables<'_>) -> Option<String> {
    match &expr.node {
        Expr::Ident(name) => {
            let bound = vars.iter().rev().find(|(var, _)| var == name).map(|(_, path)| path.clone());
            Some(bound.unwrap_or_else(|| name.clone()))
        }
        Expr::Member { expr, field, optional: false } => Some(format!("{}.{field}", path(expr, vars)?)),
        _ => None,
    }
}

fn literal(expr: &SpannedExpr) -> Option<Literal> {
    match &expr.node {
        Expr::String(text) => Some(Literal::Text(text.clone())),
        Expr::Int(n) => Some(Literal::Whole(*n)),
        _ => None,
    }
}

impl Guard {
    /// Whether some value passes.
    pub(super) fn passes(&self, facts: &RuleFacts) -> bool {
        facts.column(self.column).iter().any(|value| self.test.passes(value))
    }
}

impl Test {
    fn passes(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::StartsWith(start), Value::String(text)) => text.starts_with(start.as_str()),
            (Self::Contains(part), Value::String(text)) => text.contains(part.as_str()),
            (Self::OneOf(literals), Value::String(text)) => {
                literals.iter().any(|literal| matches!(literal, Literal::Text(l) if **l == **text))
            }
            (Self::OneOf(literals), Value::Int(n)) => {
                literals.iter().any(|literal| matches!(literal, Literal::Whole(l) if l == n))
            }
            (Self::Whole(op, limit), Value::Int(n)) => match op {
                BinaryOp::Lt => n < limit,
                BinaryOp::Le => n <= limit,
                BinaryOp::Gt => n > limit,
                _ => n >= limit,
            },
            // Nothing that is known: the interpreter decides.
            _ => true,
        }
    }
}
