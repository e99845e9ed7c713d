//! Every diagnostic code with its explanation: `lookalike explain CODE` prints from here.

/// A kind of problem.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// Name as printed in brackets: `error[unknown-key]`.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it means, why it is refused and how to mend it, with an example.
    pub explanation: &'static str,
}

/// The code called `name`.
pub fn find(name: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.name == name)
}

/// All codes, sorted by name.
pub static CODES: &[Code] = &[
    Code {
        name: "approximate-correlation",
        summary: "wanted correlations can only be met nearly",
        explanation: "\
A warning. Columns are correlated through normal numbers, whose correlations must be somewhat stronger than those of
the values. Strong correlations can so ask for more than fits together; then the nearest that does is taken, and the
help line gives what the columns will have. Weaken them to get exactly what is written.

    nearly:   correlate: [{spearman: [[age, income, 0.6], [age, visits, 0.8]]}]
    exactly:  correlate: [{spearman: [[age, income, 0.6], [age, visits, 0.75]]}]",
    },
    Code {
        name: "bad-anomaly",
        summary: "an anomaly cannot be as written",
        explanation: "\
Anomalies share a `rate` (or `count`) of the table's rows by weight, or have one of their own; one that takes runs of
rows (`burst`) needs its own. `set` changes written columns; `recompute` makes columns again that follow from them.

    wrong:  anomalies: {kinds: {huge: {set: {Size: 'Size * 10'}}}}
    right:  anomalies: {rate: 5%, kinds: {huge: {set: {Size: 'Size * 10'}}}}
    right:  anomalies: {kinds: {stuck: {count: 3, burst: [5, 20], set: {Value: {constant: 0}}}}}",
    },
    Code {
        name: "bad-correlation",
        summary: "a group of correlated columns is not written as it should be",
        explanation: "\
A group is either `columns` with a matrix, which has ones on its diagonal and the same numbers on both sides of it, or
a list of pairs. Numbers lie between -1 and 1. A column is a member of one group at most.

    wrong:  correlate: [{columns: [age, income], spearman: [[1, 0.8], [0.7, 1]]}]
    right:  correlate: [{columns: [age, income], spearman: [[1, 0.8], [0.8, 1]]}]
    right:  correlate: [{spearman: [[age, income, 0.8]]}]",
    },
    Code {
        name: "bad-duration",
        summary: "a length of time could not be read",
        explanation: "\
A length of time is a number with a unit: us, ms, s, min, h, d or w; several are added up, as in 1h30min. Months and
years are refused because they have no fixed length.

    wrong:  Snapshot Age: {uniform: [1 day, 1 year]}
    right:  Snapshot Age: {uniform: [1d, 365d]}",
    },
    Code {
        name: "bad-expectation",
        summary: "an expectation cannot be checked as written",
        explanation: "\
An expectation claims one thing of the written columns and says its limits, unless it is true or false by itself.
`within`, `at_least` and `at_most` are exact; `is` names the value of the law, and data may be as far from it as
chance takes them.

    wrong:  expect: [{share: late}, {mean: price, holds: price > 0}]
    right:  expect: [{share: late, within: [2%, 8%]}, {mean: price, at_most: 80}, {holds: price > 0}]",
    },
    Code {
        name: "bad-expression",
        summary: "an expression is not valid SQL",
        explanation: "\
Expressions are SQL scalar expressions. Names of columns with spaces or capitals stand in double quotes, text in
single quotes. In YAML the whole expression is best put in single quotes, with each single quote in it doubled.

    wrong:  Cost: {expr: Volume Size * 0.08}
    right:  Cost: {expr: '\"Volume Size\" * 0.08'}
    right:  Is Fast: {expr: '\"Volume Type\" = ''io2'''}",
    },
    Code {
        name: "bad-include",
        summary: "an included file cannot be used as an include",
        explanation: "\
`include` takes a list of ruleset files, with paths relative to the file that includes them. Their vocabulary and
lookups join the ruleset; an included file has no tables of its own.

    wrong:  include: ../common/prices.csv
    right:  include: [../common/aws.yaml]
    right:  lookups: {price: {file: ../common/prices.csv, key: region}}",
    },
    Code {
        name: "bad-language-version",
        summary: "the line `lookalike: 1` is missing or names a version that this program does not know",
        explanation: "\
A ruleset says which version of the language it is written in, so that later programs read it as it was meant. This
program knows version 1. A ruleset of a later version needs a newer program.

    wrong:  lookalike: '0.1'
    right:  lookalike: 1",
    },
    Code {
        name: "bad-link",
        summary: "a link between tables cannot be as written",
        explanation: "\
A link under `belongs_to` gives each row a parent in another table. Rows either pick their parents (`pick`, for a
table with `rows` of its own) or are made for them (`per_parent`, from which the table's rows follow); a table can
follow from one parent only. A link to the table itself picks an earlier row, so that there are no circles.

    wrong:  belongs_to: {customer: {table: customers, per_parent: 3, pick: uniform}}
    right:  belongs_to: {customer: {table: customers, per_parent: {int_range: [0, 5]}}}
    right:  belongs_to: {customer: {table: customers, pick: {zipf: 1.1}, null: 2%}}",
    },
    Code {
        name: "bad-lookup",
        summary: "a lookup's file, key or use is wrong",
        explanation: "\
A lookup brings facts from a CSV file. Its `key` names columns of that file, whose values must be unique together;
using it takes one column of the file, found by as many columns of the table as the key has.

    lookups:
      ebs_price: {file: prices.csv, key: [region, volume_type]}

    wrong:  Price: {lookup: {in: ebs_price, take: usd_per_gib_month, by: Region}}
    right:  Price: {lookup: {in: ebs_price, take: usd_per_gib_month, by: [Region, Volume Type]}}",
    },
    Code {
        name: "bad-merge",
        summary: "the plan of a merge cannot be as written",
        explanation: "\
A plan names inputs, each with a `share` or a `count` and a place for every table; and tables, with a `key` where
rows are to be numbered anew and a `parent` where they follow those of another table, which needs a `key` then.

    wrong:  tables: {customers: {}, orders: {parent: {table: customers, column: customer}}}
    right:  tables: {customers: {key: id}, orders: {parent: {table: customers, column: customer}}}",
    },
    Code {
        name: "bad-name",
        summary: "a name cannot be used for this",
        explanation: "\
A ruleset's and a table's name become file names: letters, digits, `-` and `_`, beginning with a letter. Params, draws
and lookups are written in expressions: letters, digits and `_`. Columns may have any name but an empty one.

    wrong:  name: EBS volumes/2026
    right:  name: ebs-volumes-2026",
    },
    Code {
        name: "bad-number",
        summary: "a number could not be read",
        explanation: "\
Numbers are written plainly or with a unit that people use: 10k, 2.5M, 5%, 100 GiB. The decimal point is a point, and
thousands are separated by `_` or by nothing.

    wrong:  rows: 10,000
    right:  rows: 10k
    right:  rows: 10_000",
    },
    Code {
        name: "bad-param",
        summary: "a parameter is declared or set wrongly",
        explanation: "\
A param has a type and a default, which must be of that type and within its bounds. The same holds for a value given
on the command line by --param.

    wrong:  params: {volumes: {type: int, default: many}}
    right:  params: {volumes: {type: int, default: 1000}}
    right:  lookalike generate ruleset.yaml --param volumes=5000",
    },
    Code {
        name: "bad-pattern",
        summary: "a pattern could not be read",
        explanation: "\
A pattern is a regular expression from which text is made, so every part must have a limited length: `*`, `+` and
`{3,}` have none and are refused, as are anchors and look-around. In YAML, put patterns in single quotes.

    wrong:  Volume ID: {pattern: 'vol-[0-9a-f]+'}
    right:  Volume ID: {pattern: 'vol-[0-9a-f]{17}'}",
    },
    Code {
        name: "bad-privacy",
        summary: "noise on a column cannot be as written",
        explanation: "\
The section `privacy` names tables, their columns and for each one kind of noise: `randomised_response` for text and
bool, with the values that there can be; `laplace` or `gaussian` for numbers, with public bounds. Bounds and values are
part of the promise and are never read off the rows.

    wrong:  privacy: {visits: {age: {laplace: {epsilon: 1}}}}
    right:  privacy: {visits: {age: {laplace: {epsilon: 1, min: 0, max: 120}}}}",
    },
    Code {
        name: "bad-release",
        summary: "a release of statistics cannot be as written",
        explanation: "\
The rules of `lookalike release` say what is public of each column and what to release. Groups need `values`,
numbers need `min` and `max`, a unit of several rows needs `max_rows`: without a bound that everybody knows, one
unit could change a figure by any amount, and no noise would hide it.

    wrong:  columns: {cost: {}}
            releases: {total: {statistic: sum, of: cost}}
    right:  columns: {cost: {min: 0, max: 500, step: 0.01}}
            releases: {total: {statistic: sum, of: cost}}",
    },
    Code {
        name: "bad-rows",
        summary: "a table's number of rows is wrong",
        explanation: "\
`rows` is a whole number of at least 0, or a param that holds one. A table whose rows hang on another table says so by
its relation, and then has no `rows` of its own.

    wrong:  rows: 0.5k to 1k
    right:  rows: 1k
    right:  rows: {param: volumes}",
    },
    Code {
        name: "bad-subset",
        summary: "the parts of a table cannot be as written",
        explanation: "\
A table's parts have a `share` or a `count` each. Counts come first; the shares are of the rows that are left, and
together 100%. A part names the columns and draws in which it differs, each with a whole rule.

    wrong:  subsets: {parts: {production: {share: 60%}, development: {share: 30%}}}
    right:  subsets: {parts: {production: {share: 60%}, development: {share: 40%}}}",
    },
    Code {
        name: "bad-texts",
        summary: "texts by a language model, or their use, are wrong",
        explanation: "\
`texts` says which model is asked, what a text must be, and in which file the texts are kept: JSON lines, which
`lookalike texts` writes. A column of the kind `llm_text` names one of them with `in`. A text that is kept but no
longer meets `max_length`, `matches` or `json_schema` is refused; `lookalike texts` asks for another one.

    texts:
      answers: {file: answers.jsonl, model: my-model, max_length: 600}

    wrong:  Answer: {llm_text: {in: answers.jsonl, prompt: '{question}'}}
    right:  Answer: {llm_text: {in: answers, prompt: '{question}'}}",
    },
    Code {
        name: "bad-timestamp",
        summary: "a date or a point in time could not be read",
        explanation: "\
Dates and points in time are written as in ISO 8601; a point in time without an offset is refused, since it would mean
something else in every time zone. Z stands for UTC.

    wrong:  clock: 01/02/2026
    right:  clock: 2026-02-01T00:00:00Z",
    },
    Code {
        name: "bad-value",
        summary: "a value is outside the range that is allowed here",
        explanation: "\
The value has the right type, but no meaning here: a share above 100 %, a spread below zero, a range whose end lies
before its start. The message says what is allowed.

    wrong:  Latency: {normal: {mean: 20, std_dev: -3}}
    right:  Latency: {normal: {mean: 20, std_dev: 3}}",
    },
    Code {
        name: "bad-weights",
        summary: "the weights of a choice do not add up",
        explanation: "\
Weights are either all shares in percent, which add up to 100 %, or all plain numbers, of which only the proportions
count. They are not negative, and at least one is above zero.

    wrong:  Stage: {choice: {prod: 60%, dev: 30%}}
    right:  Stage: {choice: {prod: 60%, dev: 40%}}
    right:  Stage: {choice: {prod: 2, dev: 1}}",
    },
    Code {
        name: "cannot-be-unique",
        summary: "this kind of column cannot be made unique",
        explanation: "\
`unique: true` numbers all values that a generator can give and deals them out without repetition. That works for
patterns, whole-number ranges and lists without weights, not for a distribution.

    wrong:  Volume ID: {normal: {mean: 5000, std_dev: 100}, unique: true}
    right:  Volume ID: {int_range: [1, 10_000], unique: true}",
    },
    Code {
        name: "cannot-correlate",
        summary: "a column cannot be a member of a `correlate` group",
        explanation: "\
Members draw one number a row, and a larger draw gives a larger value: numbers by a law, `int_range`, the ranges of
dates and times, and `choice` from a list (in the order of the list). Other kinds, `unique` columns and mixtures
cannot be correlated.

    wrong:  columns: {name: {pattern: '[a-z]+'}}   correlate: [{columns: [name, age], …}]
    right:  columns: {tier: {choice: [low, mid, high]}}   correlate: [{columns: [tier, age], …}]",
    },
    Code {
        name: "cannot-hold",
        summary: "a requirement holds for no row",
        explanation: "\
A row that breaks a `require` is drawn again, a bounded number of times. Here no draw met it, so either the
requirement contradicts the columns or it is met too seldom; build it into the generators instead.

    wrong:  Size: {int_range: [1, 100]}
            require: ['\"Size\" > 500']
    right:  Size: {int_range: [501, 1000]}",
    },
    Code {
        name: "cannot-read",
        summary: "a file cannot be read",
        explanation: "\
The file does not exist, is a folder, or may not be opened. Paths in a ruleset are relative to the file that they
stand in, not to the folder that the program was started in.

    in rulesets/ebs/ruleset.yaml, for rulesets/common/aws.yaml:

    wrong:  include: [rulesets/common/aws.yaml]
    right:  include: [../common/aws.yaml]",
    },
    Code {
        name: "dependency-cycle",
        summary: "columns need one another in a circle",
        explanation: "\
The order in which columns are made follows from what they read. Columns that read one another, even through others,
have no such order; the message gives the path. Break it with a draw that both read.

    wrong:  columns: {a: {expr: b + 1}, b: {expr: a - 1}}
    right:  draws:   {base: {int_range: [1, 9]}}
            columns: {a: {expr: base + 1}, b: {expr: base}}",
    },
    Code {
        name: "duplicate-key",
        summary: "a key is given twice in one mapping",
        explanation: "\
Two values for one key contradict each other, and many programs silently take the last. Here it is an error, because
the mistake is most often a copied column whose name was not changed.

    wrong:  columns:
              Size: {int_range: [1, 100]}
              Size: {int_range: [1, 365]}
    right:  columns:
              Size: {int_range: [1, 100]}
              Age:  {int_range: [1, 365]}",
    },
    Code {
        name: "duplicate-name",
        summary: "two things share a name by which they are found",
        explanation: "\
Columns and draws of one table share their names, because expressions read both; so do all vocabulary entries, lookups
and params, those of included files among them. Rename one.

    wrong:  columns: {stage: {choice: [prod, dev]}}
            draws:   {stage: {int_range: [1, 3]}}
    right:  columns: {stage: {choice: [prod, dev]}}
            draws:   {stage_number: {int_range: [1, 3]}}",
    },
    Code {
        name: "empty-range",
        summary: "no value is left inside the bounds",
        explanation: "\
`truncate` keeps only values within its bounds. If the distribution practically never gives one, there is nothing to
draw from. Move the bounds or the distribution; `clamp` moves outer values onto the bounds instead.

    wrong:  Size: {normal: {mean: 10, std_dev: 1}, truncate: [100, 200]}
    right:  Size: {normal: {mean: 150, std_dev: 20}, truncate: [100, 200]}",
    },
    Code {
        name: "empty-ruleset",
        summary: "a file holds no ruleset",
        explanation: "\
The file is empty, or has only comments in it. Every ruleset says its language version, has a name and at least one
table with one column.

    lookalike: 1
    name: people
    tables:
      people:
        rows: 10
        columns:
          age: {int_range: [18, 90]}",
    },
    Code {
        name: "expression-not-allowed",
        summary: "an expression uses a part of SQL that does not work on a single row",
        explanation: "\
An expression sees one row at a time. Aggregates, windows and sub-selects need many rows, and functions such as now()
or random() would make the result differ from run to run: use `clock` and draws instead.

    wrong:  Share: {expr: '\"Size\" / SUM(\"Size\")'}
    wrong:  Age: {expr: 'now() - \"Created\"'}
    right:  Age: {expr: 'clock - \"Created\"'}",
    },
    Code {
        name: "expression-type",
        summary: "types in an expression do not fit together",
        explanation: "\
Every expression has a type that is known before any row is made. Numbers mix freely; anything else is converted only
by CAST. A condition must be of type bool.

    wrong:  Large: {expr: '\"Volume Size\" > ''100'''}
    right:  Large: {expr: '\"Volume Size\" > 100'}",
    },
    Code {
        name: "impossible-count",
        summary: "there cannot be so many rows",
        explanation: "\
A table's rows contradict those of its parents: rows that need a parent in an empty table, more rows than different
combinations of the links under `unique`, or a negative number of children.

    wrong:  stock: {rows: 26, unique: [product, shelf], …}   # of 5 products and 5 shelves
    right:  stock: {rows: 25, unique: [product, shelf], …}",
    },
    Code {
        name: "include-cycle",
        summary: "files include one another in a circle",
        explanation: "\
A file that is included must not include, even through others, the file that includes it. Move what both need into a
third file that includes neither.

    wrong:  a.yaml: include: [b.yaml]      b.yaml: include: [a.yaml]
    right:  a.yaml: include: [shared.yaml] b.yaml: include: [shared.yaml]",
    },
    Code {
        name: "many-kinds",
        summary: "a column has more than one generator",
        explanation: "\
A column has exactly one key that says how its values are made, beside modifiers such as `null`, `round` or `unique`.
To choose between generators use `by` with `cases`; to compute from several draws use `expr`.

    wrong:  Size: {int_range: [1, 100], choice: [8, 16]}
    right:  Size: {choice: [8, 16], null: 5%}",
    },
    Code {
        name: "missing-case",
        summary: "cases do not cover every value",
        explanation: "\
`by` chooses a generator by the value of another column, so every value that the column can have needs a case. Add the
missing ones, or an `else` for all others.

    wrong:  {by: Stage, cases: {prod: {int_range: [1, 9]}}}
    right:  {by: Stage, cases: {prod: {int_range: [1, 9]}}, else: {constant: 0}}",
    },
    Code {
        name: "missing-key",
        summary: "a key that is needed is missing",
        explanation: "\
The mapping lacks a key without which it has no meaning and for which there is no sensible default. The message names
it, and the help line shows how it looks.

    wrong:  Size: {normal: {mean: 100}}
    right:  Size: {normal: {mean: 100, std_dev: 15}}",
    },
    Code {
        name: "no-kind",
        summary: "a column does not say how its values are made",
        explanation: "\
A column needs exactly one generator key. Modifiers alone, such as `null` or `round`, make no values. `lookalike
kinds` lists the generators.

    wrong:  Size: {round: 2, null: 5%}
    right:  Size: {uniform: [1, 100], round: 2, null: 5%}",
    },
    Code {
        name: "no-texts",
        summary: "nobody was asked for the texts yet",
        explanation: "\
Rows with texts by a language model are made from a file that keeps the texts; a run asks nobody. Ask once, and keep
the file beside the ruleset. With `fallback` a column does without, and the manifest tells in how many rows.

    lookalike texts answers.yaml --dry-run     how many calls and tokens it would take
    lookalike texts answers.yaml               asks, and writes the file

    Answer: {llm_text: {in: answers, prompt: '{question}', fallback: 'An answer to: {question}'}}",
    },
    Code {
        name: "not-positive-definite",
        summary: "the correlations of a group contradict each other",
        explanation: "\
If a goes strongly with b and b with c, then a must go with c to some degree: not every table of numbers between -1
and 1 is possible. The help line shows the nearest one that is. Pairs that are not listed have 0, which may be what
contradicts.

    wrong:  correlate: [{spearman: [[a, b, 0.9], [b, c, 0.9]]}]
    right:  correlate: [{spearman: [[a, b, 0.9], [b, c, 0.9], [a, c, 0.7]]}]",
    },
    Code {
        name: "not-text",
        summary: "a file is not text in UTF-8",
        explanation: "\
Rulesets are UTF-8 text. The file is in another encoding, such as UTF-16 or Latin-1, or no text at all. Most editors
can save with another encoding; on the command line:

    iconv -f UTF-16 -t UTF-8 old.yaml > new.yaml",
    },
    Code {
        name: "optional-link",
        summary: "a kind needs a parent for every row, and the link can be null",
        explanation: "\
Kinds with a past, such as `ordinal` or a series, work within one parent's children. A row without a parent has no
place there.

    wrong:  belongs_to: {volume: {table: volumes, null: 5%}}   # and {ordinal: volume}
    right:  belongs_to: {volume: {table: volumes, per_parent: 24}}",
    },
    Code {
        name: "outside-folder",
        summary: "a path leads out of the ruleset's folder",
        explanation: "\
A ruleset may come from a stranger, so it reads files only from the folder tree that it stands in. Copy the file
there, or allow its folder when the program is called.

    lookup: {file: /data/prices.csv, key: region}

    lookalike generate ruleset.yaml --allow-path /data",
    },
    Code {
        name: "table-cycle",
        summary: "tables belong to each other in a circle",
        explanation: "\
Each row of the one needs a row of the next, and so on back to the first: none could be written to a database before
the others. Let one of the links be null for some rows.

    wrong:  teams: {belongs_to: {lead: members}, …}   members: {belongs_to: {team: teams}, …}
    right:  teams: {belongs_to: {lead: {table: members, null: 10%}}, …}",
    },
    Code {
        name: "toml-syntax",
        summary: "the text is not valid TOML",
        explanation: "\
The place where reading failed is underlined; the mistake may stand a little before it. In TOML text always stands in
quotes, and an inline table in braces.

    wrong:  name = people
    right:  name = \"people\"
    right:  age = {int_range = [18, 90]}",
    },
    Code {
        name: "too-deep",
        summary: "mappings and lists are nested too deeply",
        explanation: "\
A file may have 64 mappings and lists inside one another. Rulesets need about ten, so the cause is most often a
bracket that is not closed, or a file that was not written by people.

    wrong:  [[[[[[[[[[[[[[[[[[ and so on
    right:  choice: [a, b, c]",
    },
    Code {
        name: "too-few-eligible",
        summary: "an anomaly cannot happen as often as it is to",
        explanation: "\
Quotas of anomalies are exact. Rows are eligible where `when` holds and no anomaly before has taken them; bursts must
fit into the table side by side. The message has both numbers: how often it is to happen, and how often it can.

    wrong:  {rate: 10%, kinds: {huge: {when: Size > 990, set: {Size: 1}}}}   # of sizes from 1 to 1000
    right:  {rate: 10%, kinds: {huge: {when: Size > 500, set: {Size: 1}}}}

With `--lenient` it happens as often as it can, and the run says so.",
    },
    Code {
        name: "too-few-words",
        summary: "there are fewer different values than rows",
        explanation: "\
A unique column needs at least as many different values as the table has rows. The message says how many there are.
Make the pattern longer or the range wider, or make fewer rows.

    wrong:  rows: 1k
            columns: {ID: {pattern: '[0-9]{2}', unique: true}}
    right:  rows: 1k
            columns: {ID: {pattern: '[0-9]{6}', unique: true}}",
    },
    Code {
        name: "too-large",
        summary: "a file is too large for a ruleset",
        explanation: "\
A ruleset file may have 4 MiB. Rulesets describe data and do not contain it: long lists of values belong into a CSV
file, which is used as a lookup.

    lookups:
      price: {file: prices.csv, key: region}
    # and in a column:
    Price: {lookup: {in: price, take: usd, by: Region}}",
    },
    Code {
        name: "too-many-nodes",
        summary: "a file has too many values, perhaps by repeated aliases",
        explanation: "\
A file may have 500,000 values. An alias (`*name`) counts as often as it is used, because aliases of aliases can blow
up a few lines to billions of values. Share a generator through the vocabulary instead.

    wrong:  a: &a [x, x, x]
            b: &b [*a, *a, *a]
            c: [*b, *b, *b]
    right:  vocabulary: {stage: {choice: [prod, dev]}}
            columns: {Stage: {ref: stage}}",
    },
    Code {
        name: "two-locales",
        summary: "columns about the same person, place or firm have different locales",
        explanation: "\
Columns with the same `of` speak of one identity, and agree because they draw the same locale and the same names. That
holds only if all of them are given the same locales with the same shares, or the same column under `by`. So this is a
warning: the values are made, but a name need not fit the e-mail address or the city beside it.

    wrong:  Name: {person: {part: name, locale: de_DE}}
            Mail: {person: email}
    right:  Name: {person: {part: name, locale: de_DE}}
            Mail: {person: {part: email, locale: de_DE}}",
    },
    Code {
        name: "unattainable-correlation",
        summary: "two columns cannot have a correlation this strong",
        explanation: "\
Values that many rows share cannot be ordered among themselves, and laws of different shapes are not proportional, so
even columns that always rise together may have a correlation below 1. The message gives what can be had.

    columns: {rare: {choice: {no: 99%, yes: 1%}}, size: {uniform: [0, 1]}}

    wrong:  correlate: [{spearman: [[rare, size, 0.5]]}]
    right:  correlate: [{spearman: [[rare, size, 0.15]]}]",
    },
    Code {
        name: "unknown-children",
        summary: "an aggregate names children that there are not",
        explanation: "\
`count(orders)` and `sum(orders.amount)` speak of the rows of another table that belong to this one. The name is the
other table's, or what its link says under `children`; that is needed where a table has two links to the same parent.

    wrong:  airports: {columns: {departures: {expr: count(flights)}}}   # flights have a source and a destination
    right:  flights: {belongs_to: {source: {table: airports, children: departures}}}
            airports: {columns: {departures: {expr: count(departures)}}}",
    },
    Code {
        name: "unknown-column",
        summary: "a column or draw of this name does not exist",
        explanation: "\
Expressions, `by`, `template` and others read columns and draws of the same table, by their exact names. In
expressions, names with spaces or capitals stand in double quotes; what stands in single quotes is text.

    wrong:  Cost: {expr: '\"Volume size\" * 2'}
    right:  Cost: {expr: '\"Volume Size\" * 2'}",
    },
    Code {
        name: "unknown-key",
        summary: "a key has no meaning here",
        explanation: "\
A misspelt key that was silently ignored would change the data without a word, so every key must be known. The help
line offers the nearest one, or lists those that are known here.

    wrong:  Size: {normal: {mean: 100, stddev: 15}}
    right:  Size: {normal: {mean: 100, std_dev: 15}}",
    },
    Code {
        name: "unknown-kind",
        summary: "there is no kind or modifier of this name",
        explanation: "\
The key stands where a kind is expected, but none is called so. `lookalike kinds` lists all kinds, and
`lookalike explain KIND` shows one with its keys and an example.

    wrong:  Size: {gaussian: {mean: 100, std_dev: 15}}
    right:  Size: {normal: {mean: 100, std_dev: 15}}",
    },
    Code {
        name: "unknown-link",
        summary: "a link is named that the table does not have",
        explanation: "\
`unique` lists links of the table, that is names under its `belongs_to`, and not the tables or columns that they lead
to. Together these links occur once: no two rows have the same parents in all of them.

    wrong:  belongs_to: {product: products}   unique: [products]
    right:  belongs_to: {product: products}   unique: [product]",
    },
    Code {
        name: "unknown-lookup",
        summary: "there is no lookup of this name",
        explanation: "\
`lookup: {in: …}` names an entry of `lookups:`, in this ruleset or in an included file; it does not name the CSV file
itself.

    lookups: {ebs_price: {file: prices.csv, key: region}}

    wrong:  Price: {lookup: {in: prices.csv, take: usd, by: Region}}
    right:  Price: {lookup: {in: ebs_price, take: usd, by: Region}}",
    },
    Code {
        name: "unknown-machine",
        summary: "there is no state machine of this name",
        explanation: "\
`state: {machine: …}` names an entry of `machines:`, in this ruleset or in an included file. The path of an entity
depends on that name, so all tables that look at the same things name the same machine.

    machines: {door: {start: shut, transitions: {shut: open, open: shut}}}

    wrong:  Door: {state: {machine: doors}}
    right:  Door: {state: {machine: door}}",
    },
    Code {
        name: "unknown-param",
        summary: "there is no parameter of this name",
        explanation: "\
A param must be declared under `params:` with a type and a default before it is used, as {param: name} in place of any
single value or as param.name in an expression. The same holds for --param on the command line.

    params: {volumes: {type: int, default: 1000}}

    wrong:  rows: {param: volume}
    right:  rows: {param: volumes}",
    },
    Code {
        name: "unknown-profile",
        summary: "there is no profile of this name",
        explanation: "\
`--profile NAME` takes a size, and perhaps a seed, that the ruleset has under `profiles`. What else the command line
says of rows and seed goes before the profile. Included files have no profiles of their own.

    profiles: {ci: {rows: 100}, load: {rows: 10m}}

    wrong:  lookalike generate orders.yaml --profile test
    right:  lookalike generate orders.yaml --profile ci",
    },
    Code {
        name: "unknown-state",
        summary: "a state machine has no state of this name",
        explanation: "\
A machine's states are the keys of its `transitions`, and those listed under `final`, which are never left. All else
(`start`, the states that follow, `dwell`) may name only these, so that a misspelt name is not taken for a new state.

    wrong:  {start: open, transitions: {open: closed}}
    right:  {start: open, transitions: {open: closed}, final: [closed]}",
    },
    Code {
        name: "unknown-table",
        summary: "a table is named that the ruleset does not have",
        explanation: "\
`belongs_to` and `--rows TABLE=N` name tables of the ruleset, as they are spelled under `tables`. Tables may stand in
any order: a child may come before its parent.

    wrong:  belongs_to: {customer: customer}
    right:  belongs_to: {customer: customers}",
    },
    Code {
        name: "unknown-vocabulary",
        summary: "there is no vocabulary entry of this name",
        explanation: "\
`ref` uses a generator that stands under `vocabulary:`, in this ruleset or in an included file. To use the value of
another column instead, write an expression.

    vocabulary: {region: {choice: [us-east-1, eu-west-1]}}

    wrong:  Region: {ref: regions}
    right:  Region: {ref: region}",
    },
    Code {
        name: "unreachable-state",
        summary: "a state machine declares a state to which no path leads",
        explanation: "\
From the states in which the machine starts, following transitions with a share above 0, this state is never reached.
It would be among the values of columns that show the machine, and never occur.

    wrong:  {start: open, transitions: {open: shut, shut: open, locked: shut}}
    right:  {start: open, transitions: {open: shut, shut: {open: 90%, locked: 10%}, locked: shut}}",
    },
    Code {
        name: "unsupported-modifier",
        summary: "this kind of column cannot be modified in this way",
        explanation: "\
Modifiers such as `clamp`, `truncate` and `round` work on numbers and times, `null` and `only_if` on everything,
`unique` on what can be counted. `lookalike explain KIND` lists those of each kind.

    wrong:  Region: {choice: [us-east-1, eu-west-1], round: 2}
    right:  Region: {choice: [us-east-1, eu-west-1], null: 2%}",
    },
    Code {
        name: "unsupported-yaml",
        summary: "a feature of YAML that rulesets do not use",
        explanation: "\
Tags, merge keys (`<<`), keys that are lists or mappings, and several documents in one file are refused: programs
treat them differently, and the ruleset language has plainer means. Anchors and aliases may be used.

    wrong:  Size: {<<: *size, null: 5%}
    right:  vocabulary: {size: {int_range: [1, 100]}}
            columns: {Size: {ref: size, null: 5%}}",
    },
    Code {
        name: "unused",
        summary: "something is defined that nothing uses",
        explanation: "\
A warning. A draw, param, lookup or vocabulary entry that nothing reads is most often left over, or the reader names
something else by mistake. It costs little and changes nothing; remove it if it is not needed.

    draws:   {stage: {choice: [prod, dev]}, number: {int_range: [1, 9]}}
    columns: {Name: {template: 'web-{number}'}}    # nothing reads `stage`",
    },
    Code {
        name: "unused-case",
        summary: "a case can never be chosen",
        explanation: "\
`cases` are looked up by the values of the column named by `by`; this case is for a value that the column never has.
Either the case is misspelt, or the value was removed.

    Stage: {choice: [prod, dev]}

    wrong:  {by: Stage, cases: {prod: {constant: 3}, dev: {constant: 1}, test: {constant: 0}}}
    right:  {by: Stage, cases: {prod: {constant: 3}, dev: {constant: 1}}}",
    },
    Code {
        name: "wrong-type",
        summary: "a value of another type is expected here",
        explanation: "\
A mapping stands where a single value was expected, text where a number was, or the like. Text in quotes is always
text; so are words such as yes and on, for only true and false are of type bool.

    wrong:  rows: [1000]
    right:  rows: 1000
    wrong:  unique: yes
    right:  unique: true",
    },
    Code {
        name: "yaml-syntax",
        summary: "the text is not valid YAML or JSON",
        explanation: "\
The place where reading failed is underlined; the mistake may stand a little before it. Most often the indentation is
uneven, a tab was used, or text needs quotes: text that contains `: ` or ` #`, or begins with one of {[*&!|>%@`.
Expressions and patterns are best put in single quotes, in which only a single quote itself must be doubled.

    wrong:  Name: {template: {role}-{stage}}
    right:  Name: {template: '{role}-{stage}'}
    wrong:  Cost: {expr: \"Volume Size\" * 2}
    right:  Cost: {expr: '\"Volume Size\" * 2'}",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_found() {
        assert!(CODES.is_sorted_by(|a, b| a.name < b.name));
        for code in CODES {
            assert_eq!(find(code.name).map(|c| c.summary), Some(code.summary));
            assert!(code.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", code.name);
        }
        assert!(find("no-such-code").is_none());
    }

    #[test]
    fn every_code_is_explained_with_an_example() {
        for code in CODES {
            let is_example = |line: &&str| line.starts_with("    ");
            let prose: usize = code
                .explanation
                .lines()
                .filter(|line| !is_example(line))
                .map(|line| line.chars().count())
                .sum();
            assert!(prose >= 120, "{} has {prose} letters of prose", code.name);
            assert!(code.explanation.lines().any(|line| is_example(&line)), "{} has no example", code.name);
            assert!(
                code.explanation.lines().all(|line| line.chars().count() <= 120),
                "{} is too wide",
                code.name
            );
            assert!(!code.summary.ends_with('.') && !code.summary.contains('\n'), "{}", code.name);
        }
    }

    /// Every string after `error(` or `warning(` in this crate's readers must be a code that can be explained.
    #[test]
    fn codes_in_use_are_explained() {
        for source in
            [include_str!("read/mod.rs"), include_str!("read/yaml.rs"), include_str!("read/toml.rs")]
        {
            for call in source.split("Diagnostic::error(\"").skip(1) {
                let name = call.split('"').next().unwrap_or("");
                assert!(find(name).is_some(), "{name} has no explanation");
            }
        }
    }
}
