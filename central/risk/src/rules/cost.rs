//! What a condition may cost, told from its text before it is ever asked.

use cel_core::{BinaryOp, ComprehensionData, Expr, SpannedExpr};

/// As many characters as a condition has. A long row of values belongs on a list.
pub const LONGEST: usize = 4_000;

/// Brackets within brackets.
const DEEPEST_BRACKETS: usize = 24;

/// Parts within parts, once it is parsed: a row of `&&` is as deep as it is long.
const DEEPEST: usize = 200;

/// As many `? :`, `!` and `-` in a row as are parsed; each is a step deeper into the parser.
const MOST_CHAINED: usize = 16;

/// Steps that one rule may take with the largest movement there is.
pub const MOST_STEPS: u64 = 250_000;

/// The largest movement there is: consignments and, in all of them, lines of goods.
pub(crate) const LARGEST: (u64, u64) = (500, 5_000);

/// Functions there are. `matches` is none of them: a regular expression would be compiled anew for each movement.
const FUNCTIONS: [&str; 7] = ["size", "startsWith", "endsWith", "contains", "int", "double", "string"];

/// How many steps a call counts for.
const CALL: u64 = 4;

/// Why a condition could cost too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Runaway {
    /// Too long.
    #[error("the condition has more than {LONGEST} characters: put long rows of values on a list")]
    TooLong,
    /// Too deep.
    #[error("the condition nests too deeply: split the rule")]
    TooDeep,
    /// A function that is none of ours.
    #[error("there is no function {0}; there are size, startsWith, endsWith, contains, int, double, string")]
    Function(String),
    /// Something that conditions cannot have.
    #[error("{0} cannot stand in a condition")]
    Construct(&'static str),
    /// Loops within loops.
    #[error(
        "the condition goes over {0} for each of {1}: it may go over consignments, and over the goods of each"
    )]
    Loop(&'static str, &'static str),
    /// Too many steps.
    #[error(
        "the condition could take {steps} steps with a large movement, more than {MOST_STEPS}: split the rule"
    )]
    TooMany {
        /// How many.
        steps: u64,
    },
}

/// Steps that a condition takes: so many, and so many more for each consignment and each line of goods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    fixed: u64,
    per_consignment: u64,
    per_line: u64,
}

impl Cost {
    /// With a movement of so many consignments and, in all of them, lines of goods.
    pub fn steps(self, consignments: u64, lines: u64) -> u64 {
        self.fixed
            .saturating_add(self.per_consignment.saturating_mul(consignments))
            .saturating_add(self.per_line.saturating_mul(lines))
    }
}

/// Refuse what a parser should not even see.
pub(super) fn check_text(condition: &str) -> Result<(), Runaway> {
    if condition.chars().count() > LONGEST {
        return Err(Runaway::TooLong);
    }
    let (mut open, mut questions, mut chained) = (0_usize, 0, 0);
    for c in condition.chars() {
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            '?' => questions += 1,
            _ => {}
        }
        match c {
            '!' | '-' => chained += 1,
            c if c.is_whitespace() => {}
            _ => chained = 0,
        }
        if open > DEEPEST_BRACKETS || questions > MOST_CHAINED || chained > MOST_CHAINED {
            return Err(Runaway::TooDeep);
        }
    }
    Ok(())
}

/// What `condition` costs.
pub(super) fn cost_of(condition: &SpannedExpr) -> Result<Cost, Runaway> {
    let mut counter = Counter { cost: Cost::default(), loops: Vec::new() };
    counter.count(condition, Often { over: Over::Once, times: 1 }, 0)?;
    let steps = counter.cost.steps(LARGEST.0, LARGEST.1);
    if steps > MOST_STEPS { Err(Runaway::TooMany { steps }) } else { Ok(counter.cost) }
}

/// What a part is asked for each of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Once,
    Consignments,
    Lines,
}

impl Over {
    fn name(self) -> &'static str {
        match self {
            Self::Once => "one movement",
            Self::Consignments => "consignments",
            Self::Lines => "goods",
        }
    }
}

/// How often a part is asked: `times` for each of `over`.
#[derive(Clone, Copy, Debug)]
struct Often {
    over: Over,
    times: u64,
}

struct Counter {
    cost: Cost,
    /// Variables of the loops around, and what they go over.
    loops: Vec<(String, Over)>,
}

impl Counter {
    fn add(&mut self, steps: u64, often: Often) {
        let steps = steps.saturating_mul(often.times);
        let sum = match often.over {
            Over::Once => &mut self.cost.fixed,
            Over::Consignments => &mut self.cost.per_consignment,
            Over::Lines => &mut self.cost.per_line,
        };
        *sum = sum.saturating_add(steps);
    }

    fn count(&mut self, expr: &SpannedExpr, often: Often, depth: usize) -> Result<(), Runaway> {
        if depth > DEEPEST {
            return Err(Runaway::TooDeep);
        }
        self.add(1, often);
        let deeper = depth + 1;
        match &expr.node {
            Expr::Null | Expr::Bool(_) | Expr::Int(_) | Expr::UInt(_) | Expr::Float(_) | Expr::String(_) => {
                Ok(())
            }
            Expr::Ident(_) => Ok(()),
            Expr::List(elements) => {
                elements.iter().try_for_each(|element| self.count(&element.expr, often, deeper))
            }
            Expr::Unary { expr, .. } | Expr::Member { expr, .. } | Expr::MemberTestOnly { expr, .. } => {
                self.count(expr, often, deeper)
            }
            Expr::Binary { left, right, .. } | Expr::Index { expr: left, index: right, .. } => {
                self.count(left, often, deeper)?;
                self.count(right, often, deeper)
            }
            Expr::Ternary { cond, then_expr, else_expr } => {
                [cond, then_expr, else_expr].into_iter().try_for_each(|part| self.count(part, often, deeper))
            }
            Expr::Call { expr, args } => {
                self.call(expr, often, deeper)?;
                args.iter().try_for_each(|arg| self.count(arg, often, deeper))
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, often, deeper),
            Expr::RootIdent(_) => Err(Runaway::Construct("a leading dot")),
            Expr::Bytes(_) => Err(Runaway::Construct("bytes")),
            Expr::Map(_) | Expr::Struct { .. } => Err(Runaway::Construct("a map or a message")),
            Expr::Bind { .. } => Err(Runaway::Construct("cel.bind")),
            Expr::Error => Err(Runaway::Construct("a part that cannot be read")),
        }
    }

    fn call(&mut self, callee: &SpannedExpr, often: Often, depth: usize) -> Result<(), Runaway> {
        self.add(CALL, often);
        let (name, receiver) = match &callee.node {
            Expr::Ident(name) => (name, None),
            Expr::Member { expr, field, .. } => (field, Some(expr)),
            _ => return Err(Runaway::Construct("a call of this kind")),
        };
        // What macros of CEL expand to is no function of anybody's.
        if !FUNCTIONS.contains(&name.as_str()) && !name.starts_with('@') {
            return Err(Runaway::Function(name.clone()));
        }
        receiver.map_or(Ok(()), |receiver| self.count(receiver, often, depth))
    }

    fn comprehension(&mut self, of: &ComprehensionData, often: Often, depth: usize) -> Result<(), Runaway> {
        self.count(&of.iter_range, often, depth)?;
        self.count(&of.accu_init, often, depth)?;
        let each = self.each(&of.iter_range, often)?;
        if gathers(of) {
            // `map` and `filter` copy what they have gathered with each one more.
            if each.over == Over::Lines {
                return Err(Runaway::Construct("map or filter over goods (use exists, all or exists_one)"));
            }
            self.add(LARGEST.0 / 4, each);
        }
        self.loops.push((of.iter_var.clone(), each.over));
        let within = [&of.loop_condition, &of.loop_step]
            .into_iter()
            .try_for_each(|part| self.count(part, each, depth));
        self.loops.pop();
        within?;
        self.count(&of.result, often, depth)
    }

    /// How often what stands in a loop over `range` is asked.
    fn each(&self, range: &SpannedExpr, often: Often) -> Result<Often, Runaway> {
        let fixed = |n: usize| Ok(Often { over: often.over, times: often.times.saturating_mul(n as u64) });
        match &range.node {
            Expr::List(elements) => fixed(elements.len()),
            Expr::Ident(name) if name == "consignments" => match often.over {
                Over::Once => Ok(Often { over: Over::Consignments, ..often }),
                over => Err(Runaway::Loop("consignments", over.name())),
            },
            Expr::Member { expr, field, .. } if field == "goods" => {
                // The goods of each consignment are all goods; those of one, asked anew for each, are not.
                let of_each = matches!(&expr.node, Expr::Ident(name)
                    if self.loops.last().is_some_and(|(var, over)| var == name && *over == Over::Consignments));
                match often.over {
                    Over::Once => Ok(Often { over: Over::Lines, ..often }),
                    Over::Consignments if of_each => Ok(Often { over: Over::Lines, ..often }),
                    over => Err(Runaway::Loop("goods", over.name())),
                }
            }
            Expr::Member { field, .. } if field == "trailers" => fixed(3),
            // What `map` and `filter` give is no longer than what they go over.
            Expr::Comprehension(inner) if gathers(inner) => self.each(&inner.iter_range, often),
            _ => Err(Runaway::Construct(
                "a loop over something else than consignments, goods, trailers or a row of values",
            )),
        }
    }
}

/// Whether a loop gathers a list: `map` and `filter`.
fn gathers(of: &ComprehensionData) -> bool {
    fn adds(expr: &SpannedExpr) -> bool {
        match &expr.node {
            Expr::Binary { op, .. } => *op == BinaryOp::Add,
            Expr::Ternary { then_expr, .. } => adds(then_expr),
            _ => false,
        }
    }
    matches!(of.accu_init.node, Expr::List(_)) && adds(&of.loop_step)
}
