//! The one table of functions: the check, the help lines and the manual read it.

use crate::types::Type;

/// Names a function in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "FUNCTIONS says what each does")]
pub enum Fun {
    Abs,
    Acos,
    Asin,
    Atan2,
    Ceil,
    Coalesce,
    Concat,
    Contains,
    Cos,
    Degrees,
    EndsWith,
    Exp,
    Floor,
    Greatest,
    If,
    Least,
    Left,
    Length,
    Ln,
    Log10,
    Lower,
    Lpad,
    Ltrim,
    Mod,
    Nullif,
    Power,
    Radians,
    Replace,
    Right,
    Round,
    Rpad,
    Rtrim,
    Sign,
    Sin,
    Sqrt,
    StartsWith,
    Strftime,
    Substr,
    Tan,
    Trim,
    Upper,
}

/// What an argument must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Any type; all such arguments are brought to one common type.
    Any,
    /// A number; all such arguments are brought to one common type.
    Number,
    /// Anything, taken as CAST to text writes it.
    Shown,
    /// A date or a datetime.
    Stamp,
    /// A text literal with a valid `strftime` format.
    Format,
    /// This type, or what converts to it by itself (int to float, date to datetime).
    Is(Type),
}

/// The type of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// The common type of the `Any` or `Number` arguments.
    Same,
    /// This type.
    Is(Type),
}

/// A function of the expression language.
#[derive(Debug)]
pub struct Function {
    /// Its name in the tree.
    pub id: Fun,
    /// Its name, in lower case.
    pub name: &'static str,
    /// Name and arguments for people; `[...]` may be left out, `...` repeats.
    pub signature: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// An expression with its value: `round(2.5) = 3.0`.
    pub example: &'static str,
    /// What the arguments must be.
    pub args: &'static [Want],
    /// How many of `args` must be given.
    pub required: usize,
    /// Whether the last of `args` may be repeated without end.
    pub repeats: bool,
    /// The type of the result.
    pub gives: Gives,
}

/// The function called `name`, in any case of letters.
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|f| f.name.eq_ignore_ascii_case(name))
}

const TEXT: Want = Want::Is(Type::Text);
const INT: Want = Want::Is(Type::Int);
const FLOAT: Want = Want::Is(Type::Float);
const BOOL: Want = Want::Is(Type::Bool);

macro_rules! functions {
    ($($id:ident $name:literal $signature:literal, [$($arg:expr),*] $required:literal $repeats:ident -> $gives:expr,
       $doc:literal, $example:literal;)*) => {
        /// All functions, sorted by name.
        pub static FUNCTIONS: &[Function] = &[$(Function {
            id: Fun::$id,
            name: $name,
            signature: $signature,
            doc: $doc,
            example: $example,
            args: &[$($arg),*],
            required: $required,
            repeats: functions!(@ $repeats),
            gives: $gives,
        }),*];
    };
    (@ repeats) => { true };
    (@ fixed) => { false };
}

functions! {
    Abs "abs" "abs(x)", [Want::Number] 1 fixed -> Gives::Same,
        "The number without its sign.", "abs(-3) = 3";
    Acos "acos" "acos(x)", [FLOAT] 1 fixed -> Gives::Is(Type::Float),
        "The angle, in radians, whose cosine is x; NULL unless x is from -1 to 1.", "acos(1) = 0.0";
    Asin "asin" "asin(x)", [FLOAT] 1 fixed -> Gives::Is(Type::Float),
        "The angle, in radians, whose sine is x; NULL unless x is from -1 to 1.", "asin(0) = 0.0";
    Atan2 "atan2" "atan2(y, x)", [FLOAT, FLOAT] 2 fixed -> Gives::Is(Type::Float),
        "The angle, in radians from -pi to pi, of the direction to the point (x, y).", "atan2(0, 5) = 0.0";
    Ceil "ceil" "ceil(x)", [Want::Number] 1 fixed -> Gives::Same,
        "The least whole number that is not below x, of x's type.", "ceil(1.2) = 2.0";
    Coalesce "coalesce" "coalesce(a, ...)", [Want::Any] 1 repeats -> Gives::Same,
        "The first argument that is not NULL.", "coalesce(NULL, 7) = 7";
    Concat "concat" "concat(a, ...)", [Want::Shown] 1 repeats -> Gives::Is(Type::Text),
        "The arguments as texts, one after the other; NULL counts as empty.", "concat('vol-', 7, NULL) = 'vol-7'";
    Contains "contains" "contains(s, part)", [TEXT, TEXT] 2 fixed -> Gives::Is(Type::Bool),
        "Whether part occurs in s.", "contains('prod-db', 'db')";
    Cos "cos" "cos(x)", [FLOAT] 1 fixed -> Gives::Is(Type::Float),
        "The cosine of an angle in radians.", "cos(0) = 1.0";
    Degrees "degrees" "degrees(x)", [FLOAT] 1 fixed -> Gives::Is(Type::Float),
        "An angle in radians as degrees.", "round(degrees(acos(-1)), 9) = 180.0";
    EndsWith "ends_with" "ends_with(s, part)", [TEXT, TEXT] 2 fixed -> Gives::Is(Type::Bool),
        "Whether s ends with part.", "ends_with('a.csv', '.csv')";
    Exp "exp" "exp(x)", [FLOAT] 1 fixed -> Gives::Is(Type::Float),
        "e to the power of x.", "exp(0) = 1.0";
    Floor "floor" "floor(x)", [Want::Number] 1 fixed -> Gives::Same,
        "The greatest whole number that is not above x, of x's type.", "floor(1.8) = 1.0";
    Greatest "greatest" "greatest(a, ...)", [Want::Any] 1 repeats -> Gives::Same,
        "The greatest argument; NULLs are passed over.", "greatest(1, 5, NULL) = 5";
    If "if" "if(condition, a, b)", [BOOL, Want::Any, Want::Any] 3 fixed -> Gives::Same,
        "a if the condition is true, else b.", "if(2 > 1, 'yes', 'no') = 'yes'";
    Least "least" "least(a, ...)", [Want::Any] 1 repeats -> Gives::Same,
        "The least argument; NULLs are passed over.", "least(1, 5, NULL) = 1";
    Left "left" "left(s, n)", [TEXT, INT] 2 fixed -> Gives::Is(Type::Text),
        "The first n characters; none if n is negative.", "left('volume', 3) = 'vol'";
    Length "length" "length(s)", [TEXT] 1 fixed -> Gives::Is(Type::Int),
        "The number of characters.", "length('größe') = 5";
    Ln "ln" "ln(x)", [FLOAT] 1 fixed -> Gives::Is(Type::Float),
        "The natural logarithm; NULL unless x is positive.", "ln(1) = 0.0";
    Log10 "log10" "log10(x)", [FLOAT] 1 fixed -> Gives::Is(Type::Float),
        "The decimal logarithm; NULL unless x is positive.", "log10(1000) = 3.0";
    Lower "lower" "lower(s)", [TEXT] 1 fixed -> Gives::Is(Type::Text),
        "The text in small letters.", "lower('ÄB') = 'äb'";
    Lpad "lpad" "lpad(s, n[, fill])", [TEXT, INT, TEXT] 2 fixed -> Gives::Is(Type::Text),
        "The text filled up on the left to n characters (with blanks, or fill), or cut to n.", "lpad('7', 3, '0') = '007'";
    Ltrim "ltrim" "ltrim(s)", [TEXT] 1 fixed -> Gives::Is(Type::Text),
        "The text without white space at its start.", "ltrim('  a ') = 'a '";
    Mod "mod" "mod(a, b)", [Want::Number, Want::Number] 2 fixed -> Gives::Same,
        "The remainder of a // b, with the sign of a; the same as a % b.", "mod(-7, 2) = -1";
    Nullif "nullif" "nullif(a, b)", [Want::Any, Want::Any] 2 fixed -> Gives::Same,
        "NULL if a equals b, else a.", "nullif(0, 0) IS NULL";
    Power "power" "power(x, y)", [FLOAT, FLOAT] 2 fixed -> Gives::Is(Type::Float),
        "x to the power of y.", "power(2, 10) = 1024.0";
    Radians "radians" "radians(x)", [FLOAT] 1 fixed -> Gives::Is(Type::Float),
        "An angle in degrees as radians.", "round(cos(radians(60)), 9) = 0.5";
    Replace "replace" "replace(s, part, by)", [TEXT, TEXT, TEXT] 3 fixed -> Gives::Is(Type::Text),
        "The text with every occurrence of part replaced; s itself if part is empty.", "replace('a-b', '-', '_') = 'a_b'";
    Right "right" "right(s, n)", [TEXT, INT] 2 fixed -> Gives::Is(Type::Text),
        "The last n characters; none if n is negative.", "right('volume', 2) = 'me'";
    Round "round" "round(x[, digits])", [Want::Number, INT] 1 fixed -> Gives::Same,
        "x rounded half away from zero to that many digits after the point (before it, if negative; -18 to 18).", "round(2.5) = 3.0";
    Rpad "rpad" "rpad(s, n[, fill])", [TEXT, INT, TEXT] 2 fixed -> Gives::Is(Type::Text),
        "The text filled up on the right to n characters (with blanks, or fill), or cut to n.", "rpad('ab', 4, '.') = 'ab..'";
    Rtrim "rtrim" "rtrim(s)", [TEXT] 1 fixed -> Gives::Is(Type::Text),
        "The text without white space at its end.", "rtrim(' a  ') = ' a'";
    Sign "sign" "sign(x)", [Want::Number] 1 fixed -> Gives::Is(Type::Int),
        "-1, 0 or 1.", "sign(-2.5) = -1";
    Sin "sin" "sin(x)", [FLOAT] 1 fixed -> Gives::Is(Type::Float),
        "The sine of an angle in radians.", "round(sin(radians(30)), 9) = 0.5";
    Sqrt "sqrt" "sqrt(x)", [FLOAT] 1 fixed -> Gives::Is(Type::Float),
        "The square root; NULL if x is negative.", "sqrt(9) = 3.0";
    StartsWith "starts_with" "starts_with(s, part)", [TEXT, TEXT] 2 fixed -> Gives::Is(Type::Bool),
        "Whether s starts with part.", "starts_with('prod-db', 'prod')";
    Strftime "strftime" "strftime(d, 'format')", [Want::Stamp, Want::Format] 2 fixed -> Gives::Is(Type::Text),
        "A date or datetime (UTC) written with the conversions of C's strftime; the format is a literal.",
        "strftime(DATE '2026-01-31', '%d.%m.%Y') = '31.01.2026'";
    Substr "substr" "substr(s, from[, n])", [TEXT, INT, INT] 2 fixed -> Gives::Is(Type::Text),
        "n characters (or all) from position `from` on; positions before 1 count as empty.", "substr('volume', 2, 3) = 'olu'";
    Tan "tan" "tan(x)", [FLOAT] 1 fixed -> Gives::Is(Type::Float),
        "The tangent of an angle in radians.", "round(tan(radians(45)), 9) = 1.0";
    Trim "trim" "trim(s)", [TEXT] 1 fixed -> Gives::Is(Type::Text),
        "The text without white space at both ends.", "trim('  a ') = 'a'";
    Upper "upper" "upper(s)", [TEXT] 1 fixed -> Gives::Is(Type::Text),
        "The text in capital letters.", "upper('äb') = 'ÄB'";
}
