//! Names and types.

use super::functions::{Fun, Function, Gives, Want};
use super::parse::{Binary, Parsed, Raw, RawKind};
use super::scalar::{self, DAY};
use super::{Arithmetic, Field, Kind, Literal, Test, Typed};
use crate::diagnostic::{Diagnostic, Problems, did_you_mean, nearest};
use crate::source::Span;
use crate::types::Type;

/// The names that an expression can read where it stands.
pub trait Scope {
    /// What a name stands for.
    fn resolve(&self, path: &[String]) -> Option<Resolved>;
    /// All names, as they are written without quotes (`Volume Size`, `param.factor`), for help lines.
    fn names(&self) -> Vec<String>;
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    /// A cell of the row.
    Column {
        /// The column's type.
        ty: Type,
    },
    /// A value known beforehand: a parameter.
    Constant(Literal),
}

impl Parsed {
    /// Resolves the names and checks the types. Everything that is wrong goes to `problems`, and then there is no
    /// result.
    pub fn check(&self, scope: &dyn Scope, problems: &mut Problems) -> Option<Typed> {
        Checker { scope, problems }.check(&self.root)
    }
}

struct Checker<'a> {
    scope: &'a dyn Scope,
    problems: &'a mut Problems,
}

impl Checker<'_> {
    fn wrong<T>(
        &mut self,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.problems.push(Diagnostic::error("expression-type", span, message).label(label).help(help));
        None
    }

    fn two(&mut self, a: &Raw, b: &Raw) -> Option<(Typed, Typed)> {
        let (a, b) = (self.check(a), self.check(b));
        Some((a?, b?))
    }

    fn all(&mut self, list: &[Raw]) -> Option<Vec<Typed>> {
        let checked: Vec<Option<Typed>> = list.iter().map(|raw| self.check(raw)).collect();
        checked.into_iter().collect()
    }

    fn check(&mut self, raw: &Raw) -> Option<Typed> {
        let span = raw.span;
        let (kind, ty) = match &raw.kind {
            RawKind::Literal(literal) => (Kind::Literal(literal.clone()), literal.ty()),
            RawKind::Interval { months: 0, micros } => {
                (Kind::Literal(Literal::Duration(*micros)), Some(Type::Duration))
            }
            RawKind::Interval { .. } => {
                return self.wrong(
                    span,
                    "months have no fixed length",
                    "only behind a date and + or -",
                    "write d + INTERVAL '1 month', or use days",
                );
            }
            RawKind::Name { path, quoted } => return self.name(path, *quoted, span),
            RawKind::Neg(inner) => {
                let inner = self.check(inner)?;
                match inner.ty {
                    Some(Type::Int | Type::Float | Type::Duration) => {}
                    None => return self.fit(inner, Type::Int, "-"),
                    Some(ty) => {
                        return self.wrong(
                            inner.span,
                            format!("cannot negate {}", a(ty)),
                            format!("this is {}", a(ty)),
                            cast_help(ty, Type::Float),
                        );
                    }
                }
                let ty = inner.ty;
                (Kind::Neg(Box::new(inner)), ty)
            }
            RawKind::Not(inner) => {
                let inner = self.check(inner)?;
                (Kind::Not(Box::new(self.fit(inner, Type::Bool, "NOT")?)), Some(Type::Bool))
            }
            RawKind::Binary(op, left, right) => return self.binary(*op, left, right, span),
            RawKind::Is(test, inner) => {
                let mut inner = self.check(inner)?;
                if *test != Test::Null || inner.ty.is_none() {
                    inner = self.fit(inner, Type::Bool, "IS TRUE")?;
                }
                (Kind::Is(*test, Box::new(inner)), Some(Type::Bool))
            }
            RawKind::In(value, list) => {
                let (value, list) = (self.check(value), self.all(list));
                let mut all = vec![value?];
                all.extend(list?);
                self.common(&mut all, "IN")?;
                let value = all.remove(0);
                (Kind::In(Box::new(value), all), Some(Type::Bool))
            }
            RawKind::Between { value, low, high } => {
                let value = self.check(value);
                let (low, high) = self.two(low, high)?;
                let mut all = vec![value?, low, high];
                self.common(&mut all, "BETWEEN")?;
                let mut all = all.into_iter().map(Box::new);
                match (all.next(), all.next(), all.next()) {
                    (Some(value), Some(low), Some(high)) => {
                        (Kind::Between { value, low, high }, Some(Type::Bool))
                    }
                    _ => return None,
                }
            }
            RawKind::Like(value, like) => {
                let value = self.check(value)?;
                (Kind::Like(Box::new(self.fit(value, Type::Text, "LIKE")?), like.clone()), Some(Type::Bool))
            }
            RawKind::Case { operand, branches, otherwise } => {
                let operand = match operand {
                    Some(operand) => Some(self.check(operand)?),
                    None => None,
                };
                let checked: Vec<_> = branches.iter().map(|(when, then)| self.two(when, then)).collect();
                let otherwise = match otherwise {
                    Some(otherwise) => Some(self.check(otherwise)?),
                    None => None,
                };
                let (whens, thens) = checked.into_iter().collect::<Option<Vec<_>>>()?.into_iter().unzip();
                return self.case(operand, whens, thens, otherwise, span);
            }
            RawKind::Cast(inner, to) => {
                let inner = self.check(inner)?;
                return match inner.ty {
                    Some(from) if !scalar::can_cast(from, *to) => self.wrong(
                        inner.span,
                        format!("{} cannot be cast to {to}", a(from)),
                        format!("this is {}", a(from)),
                        cast_way(from, *to),
                    ),
                    _ => Some(convert(inner, *to)),
                };
            }
            RawKind::Extract(field, inner) => {
                let mut inner = self.check(inner)?;
                let ty = match inner.ty {
                    Some(Type::Duration) if *field == Field::Epoch => Type::Float,
                    Some(Type::Duration) => {
                        return self.wrong(
                            inner.span,
                            "a duration has no calendar parts",
                            "this is a duration",
                            "use EXTRACT(epoch FROM d): its seconds",
                        );
                    }
                    _ => {
                        inner = self.stamp(inner, "EXTRACT")?;
                        Type::Int
                    }
                };
                (Kind::Extract(*field, Box::new(inner)), Some(ty))
            }
            RawKind::Call(function, args) => {
                let args = self.all(args)?;
                return self.call(function, args, span);
            }
        };
        Some(Typed { kind, ty, span })
    }

    fn name(&mut self, path: &[String], quoted: bool, span: Span) -> Option<Typed> {
        let joined = path.join(".");
        match self.scope.resolve(path) {
            Some(Resolved::Column { ty }) => {
                let ty = if ty.is_number() && ty != Type::Int { Type::Float } else { ty };
                Some(Typed { kind: Kind::Column(joined), ty: Some(ty), span })
            }
            Some(Resolved::Constant(value)) => {
                Some(Typed { ty: value.ty(), kind: Kind::Literal(value), span })
            }
            None => {
                let names = self.scope.names();
                let names = names.iter().map(String::as_str);
                let diagnostic = if path.len() == 2 && path[0] == "param" {
                    let params: Vec<&str> = names.filter_map(|n| n.strip_prefix("param.")).collect();
                    Diagnostic::error("unknown-param", span, format!("there is no parameter `{}`", path[1]))
                        .help(did_you_mean(&path[1], "parameters", params))
                } else {
                    let mut help = did_you_mean(&joined, "columns", names.clone());
                    if let Some(near) = nearest(&joined, names.clone()).filter(|near| needs_quotes(near)) {
                        help = format!("did you mean `{}`?", quote(near));
                    } else if quoted && path.len() == 1 && nearest(&joined, names.clone()).is_none() {
                        help = format!("text stands in single quotes: '{joined}'; {help}");
                    } else if let Some(long) = names.clone().find(|n| n.starts_with(&format!("{joined} "))) {
                        help = format!(
                            "did you mean `{}`? Names with spaces stand in double quotes",
                            quote(long)
                        );
                    }
                    Diagnostic::error("unknown-column", span, format!("there is no column `{joined}`"))
                        .help(help)
                };
                self.problems.push(diagnostic.label("not known here"));
                None
            }
        }
    }

    /// Brings a value to `to` where that needs no decision: NULL, int to float, date to datetime.
    fn fit(&mut self, value: Typed, to: Type, by: &str) -> Option<Typed> {
        match value.ty {
            Some(ty) if unify(ty, to) != Some(to) => self.wrong(
                value.span,
                format!("{by} takes {}, not {}", a(to), a(ty)),
                format!("this is {}", a(ty)),
                cast_help(ty, to),
            ),
            _ => Some(convert(value, to)),
        }
    }

    fn stamp(&mut self, value: Typed, by: &str) -> Option<Typed> {
        match value.ty {
            Some(Type::Date | Type::Datetime) => Some(value),
            _ => self.fit(value, Type::Datetime, by),
        }
    }

    /// Brings values to one common type; bare NULLs alone become text.
    fn common(&mut self, values: &mut [Typed], by: &str) -> Option<Type> {
        let mut common: Option<(Type, Span)> = None;
        for value in values.iter() {
            let Some(ty) = value.ty else { continue };
            common = match common {
                None => Some((ty, value.span)),
                Some((before, span)) => match unify(before, ty) {
                    Some(both) => Some((both, span)),
                    None => {
                        let (message, help) =
                            (format!("{by} cannot mix {before} with {ty}"), mix_help(before, ty));
                        self.problems.push(
                            Diagnostic::error("expression-type", value.span, message)
                                .label(format!("this is {}", a(ty)))
                                .related(span, format!("this is {}", a(before)))
                                .help(help),
                        );
                        return None;
                    }
                },
            };
        }
        let ty = common.map_or(Type::Text, |(ty, _)| ty);
        for value in values {
            let plain = std::mem::replace(
                value,
                Typed { kind: Kind::Literal(Literal::Null), ty: None, span: value.span },
            );
            *value = convert(plain, ty);
        }
        Some(ty)
    }

    fn case(
        &mut self,
        operand: Option<Typed>,
        mut whens: Vec<Typed>,
        mut thens: Vec<Typed>,
        otherwise: Option<Typed>,
        span: Span,
    ) -> Option<Typed> {
        let operand = match operand {
            Some(operand) => {
                whens.insert(0, operand);
                self.common(&mut whens, "CASE")?;
                Some(Box::new(whens.remove(0)))
            }
            None => {
                whens = whens
                    .into_iter()
                    .map(|when| self.fit(when, Type::Bool, "WHEN"))
                    .collect::<Option<_>>()?;
                None
            }
        };
        let has_else = otherwise.is_some();
        thens.extend(otherwise);
        // A CASE of NULLs alone stays untyped, as NULL itself.
        let ty = if thens.iter().all(|t| t.ty.is_none()) {
            return Some(Typed { kind: Kind::Literal(Literal::Null), ty: None, span });
        } else {
            self.common(&mut thens, "CASE")?
        };
        let otherwise = if has_else { thens.pop().map(Box::new) } else { None };
        let branches = whens.into_iter().zip(thens).collect();
        Some(Typed { kind: Kind::Case { operand, branches, otherwise }, ty: Some(ty), span })
    }

    fn binary(&mut self, op: Binary, left: &Raw, right: &Raw, span: Span) -> Option<Typed> {
        if let (
            Binary::Arithmetic(op @ (Arithmetic::Add | Arithmetic::Subtract)),
            RawKind::Interval { months, micros },
        ) = (op, &right.kind)
        {
            let left = self.check(left)?;
            if matches!(left.ty, Some(Type::Date | Type::Datetime)) || *months != 0 {
                let sign = if op == Arithmetic::Add { 1 } else { -1 };
                return self.shift(left, sign * *months, i64::from(sign) * *micros, span);
            }
            let right = self.check(right)?;
            return self.arithmetic(op, left, right, span);
        }
        let (left, right) = self.two(left, right)?;
        match op {
            Binary::Arithmetic(op) => self.arithmetic(op, left, right, span),
            Binary::Compare(op) => {
                let mut both = vec![left, right];
                self.common(&mut both, "a comparison")?;
                let right = both.pop().map(Box::new)?;
                let left = both.pop().map(Box::new)?;
                Some(Typed { kind: Kind::Compare(op, left, right), ty: Some(Type::Bool), span })
            }
            Binary::And | Binary::Or => {
                let by = if matches!(op, Binary::And) { "AND" } else { "OR" };
                let (left, right) = (self.fit(left, Type::Bool, by), self.fit(right, Type::Bool, by));
                let (left, right) = (Box::new(left?), Box::new(right?));
                let kind =
                    if matches!(op, Binary::And) { Kind::And(left, right) } else { Kind::Or(left, right) };
                Some(Typed { kind, ty: Some(Type::Bool), span })
            }
            Binary::Concat => {
                let (left, right) = (self.shown(left, "||"), self.shown(right, "||"));
                let (left, right) = (left?, right?);
                Some(Typed { kind: Kind::Join(Box::new(left), Box::new(right)), ty: Some(Type::Text), span })
            }
        }
    }

    fn shown(&mut self, value: Typed, by: &str) -> Option<Typed> {
        match value.ty {
            Some(Type::Duration) => self.fit(value, Type::Text, by),
            _ => Some(convert(value, Type::Text)),
        }
    }

    fn shift(&mut self, value: Typed, months: i32, micros: i64, span: Span) -> Option<Typed> {
        let mut value = self.stamp(value, "+ INTERVAL")?;
        if value.ty == Some(Type::Date) && micros % DAY != 0 {
            value = convert(value, Type::Datetime);
        }
        let ty = value.ty;
        Some(Typed { kind: Kind::Shift { value: Box::new(value), months, micros }, ty, span })
    }

    fn arithmetic(&mut self, op: Arithmetic, left: Typed, right: Typed, span: Span) -> Option<Typed> {
        use Arithmetic::{Add, Divide, Multiply, Subtract};
        use Type::{Date, Datetime, Duration, Float, Int};
        // A NULL takes the type that makes most sense beside the other operand.
        let beside = |other: Option<Type>| match other {
            Some(Date) | None => Int,
            Some(Datetime) => Duration,
            Some(other) => other,
        };
        let (l, r) = (left.ty.unwrap_or(beside(right.ty)), right.ty.unwrap_or(beside(left.ty)));
        // (left operand's type, right operand's type, result, whether they change places)
        let plan = match (op, l, r) {
            (Divide, Int | Float, Int | Float) => Some((Float, Float, Float, false)),
            (_, Int, Int) => Some((Int, Int, Int, false)),
            (_, Int | Float, Int | Float) => Some((Float, Float, Float, false)),
            (Add | Subtract, Date, Int) => Some((Date, Int, Date, false)),
            (Add, Int, Date) => Some((Date, Int, Date, true)),
            (Subtract, Date, Date) => Some((Date, Date, Int, false)),
            (Subtract, Date | Datetime, Date | Datetime) => Some((Datetime, Datetime, Duration, false)),
            (Add | Subtract, Date | Datetime, Duration) => Some((Datetime, Duration, Datetime, false)),
            (Add, Duration, Date | Datetime) => Some((Datetime, Duration, Datetime, true)),
            (Add | Subtract, Duration, Duration) => Some((Duration, Duration, Duration, false)),
            (Multiply, Duration, Int | Float) => Some((Duration, r, Duration, false)),
            (Multiply, Int | Float, Duration) => Some((Duration, l, Duration, true)),
            (Divide, Duration, Int | Float) => Some((Duration, Float, Duration, false)),
            (Divide, Duration, Duration) => Some((Duration, Duration, Float, false)),
            _ => None,
        };
        let Some((first, second, ty, swap)) = plan else {
            let sign = match op {
                Add => "+",
                Subtract => "-",
                Multiply => "*",
                Divide => "/",
                Arithmetic::IntDivide => "//",
                Arithmetic::Remainder => "%",
            };
            let culprit = if l.is_number() { (right.span, r) } else { (left.span, l) };
            let help = match (op, l, r) {
                (Add, Type::Text, _) | (Add, _, Type::Text) => "text is joined with ||".to_owned(),
                (_, Type::Text, _) | (_, _, Type::Text) => cast_help(Type::Text, Float),
                (_, Type::Bool, _) | (_, _, Type::Bool) => cast_help(Type::Bool, Int),
                (_, Date | Datetime, Float)
                | (_, Float, Date | Datetime)
                | (_, Datetime, Int)
                | (_, Int, Datetime) => "say which unit is meant: d + n * INTERVAL '1 day'".to_owned(),
                _ => "see the manual, \"Expressions\", for arithmetic with dates and durations".to_owned(),
            };
            return self.wrong(
                culprit.0,
                format!("{sign} does not go between {l} and {r}"),
                format!("this is {}", a(culprit.1)),
                help,
            );
        };
        let (left, right) = if swap { (right, left) } else { (left, right) };
        let (left, right) = (Box::new(convert(left, first)), Box::new(convert(right, second)));
        Some(Typed { kind: Kind::Arithmetic(op, left, right), ty: Some(ty), span })
    }

    fn call(&mut self, function: &'static Function, args: Vec<Typed>, span: Span) -> Option<Typed> {
        let name = function.name;
        let want = |at: usize| function.args[at.min(function.args.len() - 1)];
        let joins = |want: Want| matches!(want, Want::Any | Want::Number);
        let mut fitted = Vec::with_capacity(args.len());
        for (at, arg) in args.into_iter().enumerate() {
            fitted.push(match want(at) {
                Want::Any => Some(arg),
                Want::Number if arg.ty.is_none_or(Type::is_number) => Some(arg),
                Want::Number => {
                    let ty = arg.ty.unwrap_or(Type::Text);
                    let message = format!("{name} takes a number, not {}", a(ty));
                    self.wrong(arg.span, message, format!("this is {}", a(ty)), cast_help(ty, Type::Float))
                }
                Want::Shown => self.shown(arg, name),
                Want::Stamp => self.stamp(arg, name),
                Want::Is(ty) => self.fit(arg, ty, name),
                Want::Format => match &arg.kind {
                    Kind::Literal(Literal::Text(format)) if scalar::strftime(0, format).is_some() => {
                        Some(arg)
                    }
                    _ => {
                        let help = "write e.g. strftime(d, '%Y-%m-%d %H:%M:%S')";
                        self.wrong(
                            arg.span,
                            "the format is a text literal of strftime conversions",
                            "not a valid format",
                            help,
                        )
                    }
                },
            });
        }
        let mut args = fitted.into_iter().collect::<Option<Vec<_>>>()?;
        let mut joined: Vec<Typed> = Vec::new();
        for (at, arg) in args.iter().enumerate() {
            if joins(want(at)) {
                joined.push(arg.clone());
            }
        }
        let mut ty = match function.gives {
            Gives::Is(ty) => Some(ty),
            Gives::Same => None,
        };
        if !joined.is_empty() {
            if joined.iter().all(|arg| arg.ty.is_none()) {
                if function.args.contains(&Want::Any) {
                    return Some(Typed { kind: Kind::Literal(Literal::Null), ty: None, span });
                }
                joined = joined.into_iter().map(|arg| convert(arg, Type::Int)).collect();
            }
            let common = self.common(&mut joined, name)?;
            ty = ty.or(Some(common));
            let mut joined = joined.into_iter();
            for (at, arg) in args.iter_mut().enumerate() {
                if joins(want(at)) {
                    *arg = joined.next()?;
                }
            }
        }
        let kind = match function.id {
            Fun::If => {
                let mut args = args.into_iter();
                let (when, then, otherwise) = (args.next()?, args.next()?, args.next()?);
                Kind::Case {
                    operand: None,
                    branches: vec![(when, then)],
                    otherwise: Some(Box::new(otherwise)),
                }
            }
            Fun::Mod => {
                let mut args = args.into_iter().map(Box::new);
                Kind::Arithmetic(Arithmetic::Remainder, args.next()?, args.next()?)
            }
            id => Kind::Call(id, args),
        };
        Some(Typed { kind, ty, span })
    }
}

/// The type that values of both types have in common.
fn unify(a: Type, b: Type) -> Option<Type> {
    match (a, b) {
        _ if a == b => Some(a),
        (Type::Int, Type::Float) | (Type::Float, Type::Int) => Some(Type::Float),
        (Type::Date, Type::Datetime) | (Type::Datetime, Type::Date) => Some(Type::Datetime),
        _ => None,
    }
}

/// The value as the type `to`; constants at once.
fn convert(value: Typed, to: Type) -> Typed {
    if value.ty == Some(to) {
        return value;
    }
    let kind = match &value.kind {
        Kind::Literal(literal) => Kind::Literal(scalar::cast(literal, to)),
        _ => Kind::Cast(Box::new(value.clone())),
    };
    Typed { kind, ty: Some(to), span: value.span }
}

fn a(ty: Type) -> String {
    format!("{} {ty}", if ty == Type::Int { "an" } else { "a" }).replace("a text", "text")
}

fn needs_quotes(name: &str) -> bool {
    name.chars().any(|c| !c.is_alphanumeric() && c != '_' && c != '.')
        || name.starts_with(|c: char| c.is_numeric())
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn cast_help(from: Type, to: Type) -> String {
    match (from, to) {
        (Type::Int | Type::Float | Type::Text, Type::Bool) => {
            "write a comparison, e.g. x > 0 or x = 'yes'".into()
        }
        (Type::Text, Type::Date) => "write DATE '2026-01-31', or CAST(… AS date)".into(),
        (Type::Text, Type::Datetime) => {
            "write TIMESTAMP '2026-01-31T12:00:00Z', or CAST(… AS datetime)".into()
        }
        _ if scalar::can_cast(from, to) => format!("write CAST(… AS {to})"),
        _ => cast_way(from, to),
    }
}

fn cast_way(from: Type, to: Type) -> String {
    match (from, to) {
        (Type::Duration, _) => "EXTRACT(epoch FROM d) gives a duration's seconds".into(),
        (_, Type::Duration) => "write n * INTERVAL '1 second'".into(),
        (Type::Date | Type::Datetime, _) => {
            "EXTRACT(epoch FROM d) gives seconds, d - DATE '2026-01-01' days".into()
        }
        (Type::Bool, _) => "CAST(… AS int) gives 1 or 0".into(),
        _ => format!("there is no conversion from {from} to {to}"),
    }
}

fn mix_help(a: Type, b: Type) -> String {
    let other = |ty: Type| if a == ty { b } else { a };
    match (a, b) {
        (Type::Text, _) | (_, Type::Text) => match other(Type::Text) {
            stamp @ (Type::Date | Type::Datetime) => cast_help(Type::Text, stamp),
            Type::Duration => "write INTERVAL '3 days'".into(),
            ty => format!("write CAST(… AS {ty}) to read the text, or CAST(… AS text) to write the {ty}"),
        },
        _ => cast_help(a, b),
    }
}
