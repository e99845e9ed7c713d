//! Text to an untyped tree: the grammar, the allow-list and the places.

use std::any::TypeId;
use std::cell::Cell;
use std::collections::BTreeSet;

use jiff::civil;
use sqlparser::ast::{
    BinaryOperator, CastKind, CeilFloorKind, DataType, DateTimeField, Expr, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, Interval, Spanned, UnaryOperator, Value as SqlValue, ValueWithSpan,
};
use sqlparser::dialect::{Dialect, GenericDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span as SqlSpan, Token, TokenWithSpan, Tokenizer};

use super::functions::{self, FUNCTIONS, Function};
use super::scalar::{self, DAY, Like};
use super::{Arithmetic, Compare, Field, Literal, Test};
use crate::diagnostic::{Diagnostic, Problems, nearest};
use crate::node::{Node, Scalar};
use crate::source::Span;
use crate::types::Type;

/// Longest text of an expression, in bytes.
pub const MAX_SOURCE: usize = 16 * 1024;
/// Deepest nesting of an expression: of operations in each other, hence also the longest chain `a + b + …`.
pub const MAX_DEPTH: usize = 64;
/// Stack of the thread that parses: in a debug build one level of nesting takes the SQL parser tens of kilobytes.
const STACK: usize = 64 << 20;
/// Most tokens of an expression: keeps the parser's left-leaning chains short enough to be dropped recursively.
const MAX_TOKENS: usize = 4096;

const QUOTING: &str =
    "names with spaces stand in double quotes: \"Volume Size\"; text stands in single quotes: 'gp3'";

/// A parsed expression whose names and types are not checked yet.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub(super) root: Raw,
    references: Vec<Reference>,
}

/// A name that an expression reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// One part: a column or a draw. More: `param.name`, or links and a column of the table they lead to.
    pub path: Vec<String>,
    /// Where it stands first.
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub kind: RawKind,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(super) enum RawKind {
    Literal(Literal),
    Interval { months: i32, micros: i64 },
    Name { path: Vec<String>, quoted: bool },
    Neg(Box<Raw>),
    Not(Box<Raw>),
    Binary(Binary, Box<Raw>, Box<Raw>),
    Is(Test, Box<Raw>),
    In(Box<Raw>, Vec<Raw>),
    Between { value: Box<Raw>, low: Box<Raw>, high: Box<Raw> },
    Like(Box<Raw>, Like),
    Case { operand: Option<Box<Raw>>, branches: Vec<(Raw, Raw)>, otherwise: Option<Box<Raw>> },
    Cast(Box<Raw>, Type),
    Extract(Field, Box<Raw>),
    Call(&'static Function, Vec<Raw>),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Binary {
    Arithmetic(Arithmetic),
    Compare(Compare),
    And,
    Or,
    Concat,
}

impl Parsed {
    /// Parses the scalar `node` as one expression; a bare number or bool is one too. Everything that is wrong goes to
    /// `problems`, and then there is no result.
    pub fn parse(node: &Node, problems: &mut Problems) -> Option<Parsed> {
        let Some(scalar) = node.as_scalar() else {
            problems.error(
                "bad-expression",
                node.span,
                format!("expected an expression, found {}", node.describe()),
                "write it as one text in quotes, e.g. '\"Volume Size\" * 2'",
            );
            return None;
        };
        let place = Place { scalar, span: node.span };
        if scalar.text.len() > MAX_SOURCE {
            place.too_big(problems, format!("longer than {MAX_SOURCE} bytes"));
            return None;
        }
        // The parser and its tree recurse; a stack of its own makes that safe wherever the caller runs.
        let started = std::thread::scope(|scope| {
            let problems = &mut *problems;
            let parse = move || {
                let sql = parse_sql(&scalar.text).map_err(|error| place.syntax(error, problems)).ok()?;
                let mut reader = Reader { place, problems, seen: BTreeSet::new(), references: Vec::new() };
                let root = reader.read(&sql, 0)?;
                Some(Parsed { root, references: reader.references })
            };
            let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, parse);
            thread.map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        started.unwrap_or_else(|error| {
            let message = format!("no thread could be started to parse this: {error}");
            problems.error("bad-expression", node.span, message, "free some memory and try again");
            None
        })
    }

    /// The name that the expression is, if it is nothing but a name.
    pub fn as_name(&self) -> Option<&[String]> {
        match &self.root.kind {
            RawKind::Name { path, .. } => Some(path),
            _ => None,
        }
    }

    /// The names that it reads, each once, in the order in which they first occur.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }
}

enum SyntaxError {
    Empty,
    TooBig(String),
    Sql(ParserError),
    Trailing(SqlSpan),
}

fn parse_sql(text: &str) -> Result<Expr, SyntaxError> {
    let dialect = RowDialect { tries: Cell::new(TRIES_MAX) };
    let tokens =
        Tokenizer::new(&dialect, text).tokenize_with_location().map_err(|e| SyntaxError::Sql(e.into()))?;
    if tokens.len() > MAX_TOKENS {
        return Err(SyntaxError::TooBig(format!("longer than {MAX_TOKENS} words and signs")));
    }
    if !tokens.iter().any(|t| !matches!(t.token, Token::Whitespace(_) | Token::EOF)) {
        return Err(SyntaxError::Empty);
    }
    if unguarded(&tokens) {
        return Err(SyntaxError::TooBig(format!("nested more than {MAX_DEPTH} deep")));
    }
    let mut parser = Parser::new(&dialect).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(tokens);
    let sql = parser.parse_expr().map_err(|error| match error {
        ParserError::RecursionLimitExceeded => {
            SyntaxError::TooBig(format!("nested more than {MAX_DEPTH} deep"))
        }
        _ if dialect.tries.get() == 0 => SyntaxError::TooBig("nested too deep around a mistake".into()),
        error => SyntaxError::Sql(error),
    })?;
    match parser.peek_token() {
        end if end.token == Token::EOF => Ok(sql),
        more => Err(SyntaxError::Trailing(more.span)),
    }
}

/// Whether the tokens make the parser recurse where it does not count: `INTERVAL INTERVAL …`, `ARRAY<ARRAY<…`, brackets
/// within types.
fn unguarded(tokens: &[TokenWithSpan]) -> bool {
    let mut depth = 0_usize;
    let mut typed = 0;
    let mut last = None;
    for token in tokens {
        let keyword = match &token.token {
            Token::Whitespace(_) => continue,
            Token::LParen | Token::LBracket | Token::LBrace => {
                depth += 1;
                None
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                depth = depth.saturating_sub(1);
                None
            }
            Token::Lt if matches!(last, Some(Keyword::ARRAY | Keyword::STRUCT | Keyword::MAP)) => {
                typed += 1;
                None
            }
            Token::Word(word) => Some(word.keyword),
            _ => None,
        };
        if depth > MAX_DEPTH || typed > 4 || (keyword == last && last == Some(Keyword::INTERVAL)) {
            return true;
        }
        last = keyword;
    }
    false
}

/// Standard SQL with `//`. It poses as sqlparser's generic dialect, which alone lets `//` through, without that
/// dialect's many extras.
#[derive(Debug)]
struct RowDialect {
    /// How many more operands the parser may try. After a mistake it tries every enclosing CAST, NOT or CASE again as
    /// the name of a function, which doubles the work at each level.
    tries: Cell<usize>,
}

/// Far more than the operands of any expression of `MAX_TOKENS`.
const TRIES_MAX: usize = 64 * MAX_TOKENS;

impl Dialect for RowDialect {
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }
    fn parse_prefix(&self, _: &mut Parser) -> Option<Result<Expr, ParserError>> {
        let left = self.tries.get();
        self.tries.set(left.saturating_sub(1));
        (left == 0).then_some(Err(ParserError::RecursionLimitExceeded))
    }
    fn is_identifier_start(&self, c: char) -> bool {
        c.is_alphabetic() || c == '_'
    }
    fn is_identifier_part(&self, c: char) -> bool {
        c.is_alphanumeric() || c == '_'
    }
}

/// The scalar being read, to turn the parser's lines and columns into places of the source.
#[derive(Clone, Copy)]
struct Place<'a> {
    scalar: &'a Scalar,
    span: Span,
}

impl Place<'_> {
    /// Byte offset in the text of a line and column, both from 1 and counting characters.
    fn byte(&self, at: Location) -> usize {
        let text = &self.scalar.text;
        let mut start = 0;
        for _ in 1..at.line {
            start += text[start..].find('\n').map_or(text.len() - start, |newline| newline + 1);
        }
        let column = usize::try_from(at.column).unwrap_or(usize::MAX).saturating_sub(1);
        text[start..].char_indices().nth(column).map_or(text.len(), |(byte, _)| start + byte)
    }

    /// The place of a stretch of the text; the whole node if the text does not stand in the source as it is.
    fn span(&self, start: usize, end: usize) -> Span {
        match self.scalar.verbatim {
            Some(base) if start < end => {
                Span::new(self.span.file, base as usize + start, base as usize + end)
            }
            Some(base) => Span::new(self.span.file, base as usize + start, base as usize + start),
            None => self.span,
        }
    }

    fn sql_span(&self, span: SqlSpan) -> Span {
        if span.start.line == 0 || span.end.line == 0 {
            return self.span;
        }
        self.span(self.byte(span.start), self.byte(span.end))
    }

    /// The place of a call or cast: the parser leaves out the last parenthesis.
    fn closed(&self, span: SqlSpan) -> Span {
        if span.start.line == 0 || span.end.line == 0 {
            return self.span;
        }
        let (start, mut end) = (self.byte(span.start), self.byte(span.end));
        let mut eat = |sign: char| {
            let rest = &self.scalar.text[end..];
            let found = rest.trim_start().strip_prefix(sign);
            end += found.map_or(0, |found| rest.len() - found.len());
            found.is_some()
        };
        if eat('(') {
            eat('*');
        }
        eat(')');
        self.span(start, end)
    }

    fn too_big(&self, problems: &mut Problems, how: String) {
        problems.push(
            Diagnostic::error("bad-expression", self.span, format!("the expression is {how}"))
                .help("split it: put parts of it into `draws` and refer to them by name"),
        );
    }

    fn syntax(&self, error: SyntaxError, problems: &mut Problems) {
        let text = &self.scalar.text;
        let (message, span) = match error {
            SyntaxError::TooBig(how) => return self.too_big(problems, how),
            SyntaxError::Empty => ("the expression is empty".to_owned(), self.span),
            SyntaxError::Trailing(at) => {
                let span = self.sql_span(at);
                ("the expression ends before this".to_owned(), span)
            }
            SyntaxError::Sql(error) => {
                let words = match error {
                    ParserError::ParserError(words) | ParserError::TokenizerError(words) => words,
                    ParserError::RecursionLimitExceeded => "it is nested too deep".to_owned(),
                };
                let (words, at) = split_location(&words);
                let start = at.map_or(text.len(), |at| self.byte(at));
                let length = text[start..].split(|c: char| c.is_whitespace()).next().map_or(0, str::len);
                // At the end of the text there is nothing to underline but its last word.
                let span = if length == 0 {
                    let end = text.trim_end().len();
                    let last = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
                    self.span(last, end)
                } else {
                    let word = text[start..start + length].find(|c: char| !c.is_alphanumeric() && c != '_');
                    let first = text[start..].chars().next().map_or(0, char::len_utf8);
                    self.span(start, start + word.unwrap_or(length).max(first))
                };
                (humane(words), span)
            }
        };
        problems.push(Diagnostic::error("bad-expression", span, message).help(QUOTING));
    }
}

/// Takes "… at Line: 1, Column: 9" apart, as sqlparser's errors end.
fn split_location(words: &str) -> (&str, Option<Location>) {
    let parts = words.rsplit_once(" at Line: ").and_then(|(words, at)| {
        let (line, column) = at.split_once(", Column: ")?;
        Some((words, Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? }))
    });
    match parts {
        Some((words, at)) => (words, Some(at)),
        None => (words, None),
    }
}

/// sqlparser's "Expected: an expression, found: EOF" in the words of this program.
fn humane(words: &str) -> String {
    match words.strip_prefix("Expected: ").and_then(|rest| rest.split_once(", found: ")) {
        Some((expected, "EOF")) => format!("expected {expected}, found the end of the expression"),
        Some((expected, found)) => format!("expected {expected}, found `{found}`"),
        None => {
            let mut chars = words.chars();
            chars.next().map_or(String::new(), |c| c.to_lowercase().chain(chars).collect())
        }
    }
}

struct Reader<'a> {
    place: Place<'a>,
    problems: &'a mut Problems,
    seen: BTreeSet<Vec<String>>,
    references: Vec<Reference>,
}

impl Reader<'_> {
    fn bad<T>(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) -> Option<T> {
        self.problems.error("bad-expression", span, message, help);
        None
    }

    fn forbidden<T>(&mut self, span: Span, what: &str, help: &str) -> Option<T> {
        self.problems.error(
            "expression-not-allowed",
            span,
            format!("{what} cannot be used in an expression"),
            help,
        );
        None
    }

    fn boxed(&mut self, sql: &Expr, depth: usize) -> Option<Box<Raw>> {
        self.read(sql, depth).map(Box::new)
    }

    /// Reads all, so that the problems of all are reported, and then gives all or nothing.
    fn list<'s>(&mut self, list: impl IntoIterator<Item = &'s Expr>, depth: usize) -> Option<Vec<Raw>> {
        let read: Vec<Option<Raw>> = list.into_iter().map(|sql| self.read(sql, depth)).collect();
        read.into_iter().collect()
    }

    fn two(&mut self, a: &Expr, b: &Expr, depth: usize) -> Option<(Box<Raw>, Box<Raw>)> {
        let (a, b) = (self.boxed(a, depth), self.boxed(b, depth));
        Some((a?, b?))
    }

    fn read(&mut self, sql: &Expr, depth: usize) -> Option<Raw> {
        if depth > MAX_DEPTH {
            if depth == MAX_DEPTH + 1 {
                self.place.too_big(self.problems, format!("nested more than {MAX_DEPTH} deep"));
            }
            return None;
        }
        let depth = depth + 1;
        let mut span = match sql {
            // Its own walk down the operators would make long chains quadratic.
            Expr::BinaryOp { .. } => self.place.span,
            _ => self.place.sql_span(sql.span()),
        };
        let kind = match sql {
            Expr::Nested(inner) => return self.read(inner, depth),
            Expr::Identifier(name) if name.quote_style.is_none() && is_clock(&name.value) => {
                return self.call(&name.value, span, Vec::new(), depth);
            }
            Expr::Identifier(name) => self.name(std::slice::from_ref(name), span)?,
            Expr::CompoundIdentifier(names) => self.name(names, span)?,
            Expr::Value(value) => self.value(value, span)?,
            Expr::TypedString(typed) => {
                let text = self.plain_text(&typed.value, span)?;
                let ty = match &typed.data_type {
                    DataType::Date => Type::Date,
                    DataType::Timestamp(..) | DataType::Datetime(_) => Type::Datetime,
                    other => {
                        return self.forbidden(
                            span,
                            &format!("a literal of type {other}"),
                            "use CAST('…' AS type)",
                        );
                    }
                };
                match scalar::cast(&Literal::Text(text), ty) {
                    Literal::Null => {
                        let help = match ty {
                            Type::Date => "write it like DATE '2026-01-31', years 1 to 9999",
                            _ => "write it like TIMESTAMP '2026-01-31T12:00:00Z', years 1 to 9999",
                        };
                        return self.bad(span, format!("this is not a valid {ty}"), help);
                    }
                    literal => RawKind::Literal(literal),
                }
            }
            Expr::Interval(interval) => self.interval(interval, span)?,
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match &**expr {
                Expr::Value(ValueWithSpan { value: SqlValue::Number(digits, _), .. }) => {
                    self.number(&format!("-{digits}"), span)?
                }
                inner => RawKind::Neg(self.boxed(inner, depth)?),
            },
            Expr::UnaryOp { op: UnaryOperator::Plus, expr } => return self.read(expr, depth),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => RawKind::Not(self.boxed(expr, depth)?),
            Expr::BinaryOp { left, op, right } => {
                let Some(op) = binary(op) else {
                    let span = self.place.sql_span(sql.span());
                    return self.forbidden(
                        span,
                        &format!("the operator `{op}`"),
                        "use + - * / // % || = <> < <= > >= AND OR NOT",
                    );
                };
                let (left, right) = self.two(left, right, depth)?;
                span = Span { start: left.span.start, end: right.span.end.max(left.span.end), ..left.span };
                RawKind::Binary(op, left, right)
            }
            Expr::IsNull(a) => RawKind::Is(Test::Null, self.boxed(a, depth)?),
            Expr::IsTrue(a) => RawKind::Is(Test::True, self.boxed(a, depth)?),
            Expr::IsFalse(a) => RawKind::Is(Test::False, self.boxed(a, depth)?),
            Expr::IsNotNull(a) => negated(true, RawKind::Is(Test::Null, self.boxed(a, depth)?), span),
            Expr::IsNotTrue(a) => negated(true, RawKind::Is(Test::True, self.boxed(a, depth)?), span),
            Expr::IsNotFalse(a) => negated(true, RawKind::Is(Test::False, self.boxed(a, depth)?), span),
            Expr::InList { expr, list, negated: not } => {
                let (value, list) = (self.boxed(expr, depth), self.list(list, depth));
                negated(*not, RawKind::In(value?, list?), span)
            }
            Expr::Between { expr, negated: not, low, high } => {
                let value = self.boxed(expr, depth);
                let (low, high) = self.two(low, high, depth)?;
                negated(*not, RawKind::Between { value: value?, low, high }, span)
            }
            Expr::Like { negated: not, any: false, expr, pattern, escape_char } => {
                negated(*not, self.like(expr, pattern, escape_char.as_ref(), false, depth)?, span)
            }
            Expr::ILike { negated: not, any: false, expr, pattern, escape_char } => {
                negated(*not, self.like(expr, pattern, escape_char.as_ref(), true, depth)?, span)
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                let operand = operand.as_ref().map(|o| self.boxed(o, depth));
                let conditions: Vec<_> =
                    conditions.iter().map(|w| self.two(&w.condition, &w.result, depth)).collect();
                let otherwise = else_result.as_ref().map(|e| self.boxed(e, depth));
                RawKind::Case {
                    operand: operand.map_or(Some(None), |o| o.map(Some))?,
                    branches: conditions
                        .into_iter()
                        .map(|both| both.map(|(w, t)| (*w, *t)))
                        .collect::<Option<_>>()?,
                    otherwise: otherwise.map_or(Some(None), |e| e.map(Some))?,
                }
            }
            Expr::Cast {
                kind: CastKind::Cast | CastKind::TryCast | CastKind::DoubleColon,
                expr,
                data_type,
                array: false,
                format: None,
            } => {
                let ty = self.cast_type(data_type, span);
                let inner = self.boxed(expr, depth)?;
                RawKind::Cast(inner, ty?)
            }
            Expr::Extract { field, expr, .. } => {
                let field = self.field(field, span);
                let inner = self.boxed(expr, depth)?;
                RawKind::Extract(field?, inner)
            }
            Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                return self.call("ceil", self.place.closed(sql.span()), vec![expr], depth);
            }
            Expr::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                return self.call("floor", self.place.closed(sql.span()), vec![expr], depth);
            }
            Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
                let args = [Some(expr), Some(from), substring_for.as_ref()];
                return self.call(
                    "substr",
                    self.place.closed(sql.span()),
                    args.into_iter().flatten().map(|e| &**e).collect(),
                    depth,
                );
            }
            Expr::Trim { trim_where: None, trim_what: None, trim_characters: None, expr } => {
                return self.call("trim", self.place.closed(sql.span()), vec![expr], depth);
            }
            Expr::Function(function) => return self.function(function, depth),
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => {
                return self.forbidden(span, "a sub-select", "an expression sees the cells of its own row only; declare a lookup or a relation for facts from elsewhere");
            }
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => {
                return self.forbidden(span, "`*`", "name the columns that are meant");
            }
            Expr::Trim { .. } => {
                return self.forbidden(
                    span,
                    "this form of TRIM",
                    "use trim(s), ltrim(s), rtrim(s) or replace(s, part, by)",
                );
            }
            Expr::SimilarTo { .. } | Expr::RLike { .. } => {
                return self.forbidden(
                    span,
                    "a regular expression",
                    "use LIKE, starts_with, ends_with or contains",
                );
            }
            Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => {
                return self.forbidden(span, "IS DISTINCT FROM", "use = and IS NULL");
            }
            Expr::Tuple(_) => {
                return self.bad(span, "a list of values stands only behind IN", "write a IN (1, 2, 3)");
            }
            _ => {
                return self.forbidden(
                    span,
                    "this form of SQL",
                    "see the manual, \"Expressions\", for what an expression can be",
                );
            }
        };
        Some(Raw { kind, span })
    }

    fn name(&mut self, names: &[Ident], span: Span) -> Option<RawKind> {
        if names.iter().any(|n| !matches!(n.quote_style, None | Some('"'))) {
            return self.bad(span, "a name in quotes stands in double quotes", QUOTING);
        }
        let path: Vec<String> = names.iter().map(|n| n.value.clone()).collect();
        if self.seen.insert(path.clone()) {
            self.references.push(Reference { path: path.clone(), span });
        }
        Some(RawKind::Name { path, quoted: names.iter().any(|n| n.quote_style.is_some()) })
    }

    fn value(&mut self, value: &ValueWithSpan, span: Span) -> Option<RawKind> {
        let literal = match &value.value {
            SqlValue::Number(digits, _) => return self.number(digits, span),
            SqlValue::SingleQuotedString(text) => Literal::Text(text.clone()),
            SqlValue::Boolean(b) => Literal::Bool(*b),
            SqlValue::Null => Literal::Null,
            SqlValue::Placeholder(_) => {
                return self.forbidden(span, "a placeholder", "parameters are written `param.name`");
            }
            _ => return self.forbidden(span, "this kind of literal", "text stands in single quotes: 'gp3'"),
        };
        Some(RawKind::Literal(literal))
    }

    fn number(&mut self, digits: &str, span: Span) -> Option<RawKind> {
        if digits.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            return match digits.parse() {
                Ok(int) => Some(RawKind::Literal(Literal::Int(int))),
                Err(_) => self.bad(
                    span,
                    "this whole number does not fit 64 bits",
                    format!("write {digits}.0 for a float"),
                ),
            };
        }
        match digits.parse().ok().and_then(scalar::finite) {
            Some(float) => Some(RawKind::Literal(Literal::Float(float))),
            None => self.bad(span, format!("`{digits}` is not a number"), "the largest is about 1.8e308"),
        }
    }

    fn plain_text(&mut self, value: &ValueWithSpan, span: Span) -> Option<String> {
        match &value.value {
            SqlValue::SingleQuotedString(text) => Some(text.clone()),
            _ => self.bad(span, "expected a text literal here", "text stands in single quotes: 'gp3'"),
        }
    }

    /// `INTERVAL '1 day 2 hours'`, `INTERVAL '3' DAY`, `INTERVAL 3 DAY`.
    fn interval(&mut self, interval: &Interval, span: Span) -> Option<RawKind> {
        const HELP: &str = "write INTERVAL '3 days', INTERVAL '1 month' or INTERVAL 90 MINUTE: whole numbers of \
                            year, quarter, month, week, day, hour, minute or second";
        let amount = match &*interval.value {
            Expr::Value(value) => match &value.value {
                SqlValue::SingleQuotedString(text) | SqlValue::Number(text, _) => Some(text.clone()),
                _ => None,
            },
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match &**expr {
                Expr::Value(ValueWithSpan { value: SqlValue::Number(digits, _), .. }) => {
                    Some(format!("-{digits}"))
                }
                _ => None,
            },
            _ => None,
        };
        let words =
            amount.filter(|_| interval.last_field.is_none()).map(|amount| match &interval.leading_field {
                Some(unit) => format!("{amount} {unit}"),
                None => amount,
            });
        match words.and_then(|words| read_interval(&words)) {
            Some((months, micros)) => Some(RawKind::Interval { months, micros }),
            None => self.bad(span, "this is not an interval", HELP),
        }
    }

    fn like(
        &mut self,
        value: &Expr,
        pattern: &Expr,
        escape: Option<&ValueWithSpan>,
        ignore_case: bool,
        depth: usize,
    ) -> Option<RawKind> {
        let span = self.place.sql_span(pattern.span());
        let value = self.boxed(value, depth);
        let Expr::Value(ValueWithSpan { value: SqlValue::SingleQuotedString(text), .. }) = pattern else {
            return self.bad(
                span,
                "the pattern of LIKE is a text literal",
                "compare with contains, starts_with or ends_with if it is not constant",
            );
        };
        let escape = match escape {
            None => Some('\\'),
            Some(value) => {
                let text = self.plain_text(value, span)?;
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (escape, None) => escape,
                    _ => return self.bad(span, "the escape of LIKE is one character", "write ESCAPE '!'"),
                }
            }
        };
        match Like::new(text, escape, ignore_case) {
            Some(like) => Some(RawKind::Like(value?, like)),
            None => self.bad(
                span,
                "the pattern ends in the middle of an escape",
                "write the escape character twice",
            ),
        }
    }

    fn cast_type(&mut self, ty: &DataType, span: Span) -> Option<Type> {
        let name = ty.to_string().to_ascii_lowercase();
        Some(match name.split('(').next().unwrap_or_default().trim() {
            "bool" | "boolean" => Type::Bool,
            "int" | "integer" | "bigint" | "int8" | "int64" | "smallint" | "tinyint" => Type::Int,
            "float" | "double" | "double precision" | "real" | "float8" | "float64" => Type::Float,
            "text" | "varchar" | "char" | "string" => Type::Text,
            "date" => Type::Date,
            "datetime" | "timestamp" => Type::Datetime,
            "decimal" | "numeric" => {
                return self.forbidden(
                    span,
                    "CAST to decimal",
                    "use round(x, digits), and `type: decimal(2)` for the column",
                );
            }
            _ => {
                return self.bad(
                    span,
                    format!("there is no type `{name}`"),
                    "known types: bool, int, float, text, date, datetime",
                );
            }
        })
    }

    fn field(&mut self, field: &DateTimeField, span: Span) -> Option<Field> {
        Some(match field {
            DateTimeField::Year | DateTimeField::Years => Field::Year,
            DateTimeField::Quarter => Field::Quarter,
            DateTimeField::Month | DateTimeField::Months => Field::Month,
            DateTimeField::Week(None) | DateTimeField::Weeks | DateTimeField::IsoWeek => Field::Week,
            DateTimeField::Day | DateTimeField::Days => Field::Day,
            DateTimeField::DayOfWeek | DateTimeField::Dow => Field::Dow,
            DateTimeField::Isodow => Field::Isodow,
            DateTimeField::DayOfYear | DateTimeField::Doy => Field::Doy,
            DateTimeField::Hour | DateTimeField::Hours => Field::Hour,
            DateTimeField::Minute | DateTimeField::Minutes => Field::Minute,
            DateTimeField::Second | DateTimeField::Seconds => Field::Second,
            DateTimeField::Epoch => Field::Epoch,
            other => {
                return self.bad(
                    span,
                    format!("EXTRACT knows no `{}`", other.to_string().to_lowercase()),
                    "known: year, quarter, month, week, day, dow, isodow, doy, hour, minute, second, epoch",
                );
            }
        })
    }

    fn function(&mut self, function: &sqlparser::ast::Function, depth: usize) -> Option<Raw> {
        let span = self.place.closed(Expr::Function(function.clone()).span());
        let name = function.name.to_string();
        if function.over.is_some() {
            return self.forbidden(span, "a window function", ROW_ONLY);
        }
        let list = match &function.args {
            FunctionArguments::List(list) => list,
            // `user` and its like are keywords to the parser, but fine names of columns.
            FunctionArguments::None if !is_clock(&name) => {
                let ident = Ident::new(name);
                let kind = self.name(&[ident], self.place.sql_span(function.name.span()))?;
                return Some(Raw { kind, span: self.place.sql_span(function.name.span()) });
            }
            FunctionArguments::None => return self.call(&name, span, Vec::new(), depth),
            FunctionArguments::Subquery(_) => return self.forbidden(span, "a sub-select", ROW_ONLY),
        };
        let mut args = Vec::new();
        for arg in &list.args {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) => args.push(arg),
                // count(*) is better answered by what it is.
                _ if is_aggregate(&name) => {}
                _ => return self.bad(span, "arguments are plain expressions", "write name(a, b)"),
            }
        }
        let plain = function.filter.is_none()
            && function.within_group.is_empty()
            && function.null_treatment.is_none()
            && matches!(function.parameters, FunctionArguments::None)
            && list.duplicate_treatment.is_none()
            && list.clauses.is_empty();
        if !plain && !is_aggregate(&name) {
            return self.forbidden(span, "a call with further clauses", "write name(a, b)");
        }
        self.call(&name, span, args, depth)
    }

    /// An aggregate over children, if the argument names some; else `None`, without a problem.
    fn children(&mut self, aggregate: Aggregate, args: &[&Expr], span: Span) -> Option<RawKind> {
        let path: Vec<String> = match args {
            [Expr::Identifier(name)] if aggregate == Aggregate::Count => vec![name.value.clone()],
            [Expr::CompoundIdentifier(names)] => names.iter().map(|name| name.value.clone()).collect(),
            _ => return None,
        };
        let path = vec![aggregate.reference(&path)];
        if self.seen.insert(path.clone()) {
            self.references.push(Reference { path: path.clone(), span });
        }
        Some(RawKind::Name { path, quoted: true })
    }

    fn call(&mut self, name: &str, span: Span, args: Vec<&Expr>, depth: usize) -> Option<Raw> {
        if is_clock(name) {
            return self.forbidden(
                span,
                &format!("`{name}`"),
                "time comes from the ruleset's `clock`, so that a run can be repeated",
            );
        }
        if is_random(name) {
            return self.forbidden(span, &format!("`{name}`"), "randomness comes from generators: add a column or a draw, e.g. `draws: {u: {uniform: [0, 1]}}`");
        }
        if let Some(aggregate) = Aggregate::of(name)
            && let Some(kind) = self.children(aggregate, &args, span)
        {
            return Some(Raw { kind, span });
        }
        if is_aggregate(name) {
            return self.forbidden(span, &format!("the aggregate `{}`", name.to_lowercase()), ROW_ONLY);
        }
        let Some(function) = functions::find(name) else {
            let lower = name.to_lowercase();
            let near = || nearest(&lower, FUNCTIONS.iter().map(|function| function.name));
            let help = match alias(&lower) {
                Some(known) => format!("use {known}"),
                None => near().map_or_else(
                    || format!("`lookalike explain functions` lists the {} that there are", FUNCTIONS.len()),
                    |near| format!("did you mean `{near}`?"),
                ),
            };
            return self.bad(span, format!("there is no function `{name}`"), help);
        };
        let count = args.len();
        let args = self.list(args, depth)?;
        if count < function.required || (count > function.args.len() && !function.repeats) {
            return self.bad(
                span,
                format!(
                    "`{}` does not take {count} argument{}",
                    function.name,
                    if count == 1 { "" } else { "s" }
                ),
                function.signature,
            );
        }
        Some(Raw { kind: RawKind::Call(function, args), span })
    }
}

const ROW_ONLY: &str = "an expression sees the cells of its own row, and its children's through count, sum, avg, min and max: sum(orders.amount)";

/// What can be said of a row's children in another table: `count(orders)`, `sum(orders.amount)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// How many children there are, or how many have a value.
    Count,
    /// The sum of the values that are not null; null where there are none.
    Sum,
    /// Their mean.
    Avg,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

impl Aggregate {
    const ALL: [(&str, Aggregate); 5] = [
        ("count", Aggregate::Count),
        ("sum", Aggregate::Sum),
        ("avg", Aggregate::Avg),
        ("min", Aggregate::Min),
        ("max", Aggregate::Max),
    ];

    /// The aggregate called so, in whatever case.
    pub fn of(name: &str) -> Option<Aggregate> {
        Self::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, aggregate)| *aggregate)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, aggregate)| *aggregate == self).map_or("", |(name, _)| name)
    }

    /// The name of the aggregate's values: the path of a [`Reference`] has it as its only part.
    pub fn reference(self, children: &[String]) -> String {
        format!("{}({})", self.name(), children.join("."))
    }

    /// Reads what [`reference`](Self::reference) wrote: the aggregate, the children's name and their column.
    pub fn parse(name: &str) -> Option<(Aggregate, &str, Option<&str>)> {
        let (aggregate, rest) = name.strip_suffix(')')?.split_once('(')?;
        let aggregate = Aggregate::of(aggregate)?;
        match rest.split_once('.') {
            Some((children, column)) => Some((aggregate, children, Some(column))),
            None => Some((aggregate, rest, None)),
        }
    }
}

fn negated(not: bool, kind: RawKind, span: Span) -> RawKind {
    if not { RawKind::Not(Box::new(Raw { kind, span })) } else { kind }
}

fn binary(op: &BinaryOperator) -> Option<Binary> {
    Some(match op {
        BinaryOperator::Plus => Binary::Arithmetic(Arithmetic::Add),
        BinaryOperator::Minus => Binary::Arithmetic(Arithmetic::Subtract),
        BinaryOperator::Multiply => Binary::Arithmetic(Arithmetic::Multiply),
        BinaryOperator::Divide => Binary::Arithmetic(Arithmetic::Divide),
        BinaryOperator::DuckIntegerDivide => Binary::Arithmetic(Arithmetic::IntDivide),
        BinaryOperator::Modulo => Binary::Arithmetic(Arithmetic::Remainder),
        BinaryOperator::Eq => Binary::Compare(Compare::Equal),
        BinaryOperator::NotEq => Binary::Compare(Compare::NotEqual),
        BinaryOperator::Lt => Binary::Compare(Compare::Less),
        BinaryOperator::LtEq => Binary::Compare(Compare::LessEqual),
        BinaryOperator::Gt => Binary::Compare(Compare::Greater),
        BinaryOperator::GtEq => Binary::Compare(Compare::GreaterEqual),
        BinaryOperator::And => Binary::And,
        BinaryOperator::Or => Binary::Or,
        BinaryOperator::StringConcat => Binary::Concat,
        _ => return None,
    })
}

/// Months and microseconds of `1 month 3 days`.
fn read_interval(words: &str) -> Option<(i32, i64)> {
    let (mut months, mut micros) = (0_i32, 0_i64);
    let mut words = words.split_whitespace().peekable();
    words.peek()?;
    while let Some(amount) = words.next() {
        let amount: i64 = amount.parse().ok()?;
        let unit = words.next()?.to_ascii_lowercase();
        let (month, micro) = match unit.strip_suffix('s').unwrap_or(&unit) {
            "year" => (12, 0),
            "quarter" => (3, 0),
            "month" => (1, 0),
            "week" => (0, 7 * DAY),
            "day" => (0, DAY),
            "hour" => (0, 3_600_000_000),
            "minute" => (0, 60_000_000),
            "second" => (0, 1_000_000),
            _ => return None,
        };
        months = months.checked_add(i32::try_from(amount.checked_mul(month)?).ok()?)?;
        micros = micros.checked_add(amount.checked_mul(micro)?)?;
    }
    // More months than there are can only be a slip.
    (months.unsigned_abs() <= 12 * civil::Date::MAX.year().unsigned_abs() as u32).then_some((months, micros))
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|n| n.eq_ignore_ascii_case(name))
}

fn is_clock(name: &str) -> bool {
    is_one_of(
        name,
        &[
            "now",
            "current_date",
            "current_time",
            "current_timestamp",
            "localtime",
            "localtimestamp",
            "today",
            "getdate",
            "sysdate",
            "clock_timestamp",
        ],
    )
}

fn is_random(name: &str) -> bool {
    is_one_of(name, &["random", "rand", "uuid", "newid", "gen_random_uuid", "random_uuid"])
}

fn is_aggregate(name: &str) -> bool {
    is_one_of(
        name,
        &[
            "avg",
            "mean",
            "sum",
            "count",
            "min",
            "max",
            "median",
            "stddev",
            "variance",
            "first",
            "last",
            "row_number",
            "rank",
            "lag",
            "lead",
            "string_agg",
            "array_agg",
            "corr",
            "quantile",
        ],
    )
}

/// What a function of other dialects is called here.
fn alias(name: &str) -> Option<&'static str> {
    Some(match name {
        "ifnull" | "nvl" | "isnull" => "coalesce(a, b)",
        "pow" => "power(x, y)",
        "iif" => "if(condition, a, b)",
        "log" => "ln(x) or log10(x)",
        "log2" => "ln(x) / ln(2)",
        "len" | "char_length" | "character_length" => "length(s)",
        "ceiling" => "ceil(x)",
        "trunc" | "truncate" => "x // 1, or CAST(x AS int) to round",
        "to_char" | "date_format" | "format" => "strftime(d, 'format')",
        "date_add" | "dateadd" => "d + INTERVAL '1 day'",
        "date_sub" | "datediff" | "date_diff" => "d1 - d2",
        "year" | "month" | "day" | "date_part" => "EXTRACT(year FROM d)",
        "ucase" => "upper(s)",
        "lcase" => "lower(s)",
        _ => return None,
    })
}
