//! Rows in many small files, named after their values: `{region}/{volume_id}.json`.
//!
//! Whatever the values are, a file lies in the table's folder: letters, digits, spaces and `-_.` stay as they are, every
//! other byte of a value becomes `%` and two hexadecimal digits, and so do points and spaces at its ends. So different values
//! never share a name. Null is `%null`, the empty text `%empty`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use lookalike_ruleset::{Field, TableSchema};
use polars::prelude::*;

use crate::part::Body;
use crate::tree::Tree;
use crate::{Encoder, Error, Output, Part, Pending, SINKS, Sink, SinkKind, SinkOptions, texts};

/// Most files of a table.
pub const MAX_FILES: usize = 100_000;

/// Most bytes of one name, which is what file systems take.
const MAX_NAME: usize = 255;

/// Most folders, one in the other, with the file's own name.
const MAX_DEPTH: usize = 8;

/// The formats that there are.
const FORMATS: [&str; 3] = ["json", "jsonl", "csv"];

/// Where each row goes: names of folders and of the file, with columns in braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What stands between the slashes.
    names: Vec<Vec<Bit>>,
    format: &'static str,
}

/// A piece of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Bit {
    Text(String),
    Column(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`Error::Option`]: it leads out of its folder, names no column, or does not end in `.json`, `.jsonl` or `.csv`.
    pub fn parse(text: &str) -> Result<Template, Error> {
        let refuse = |why: &str| Error::Option(format!("`{}` cannot name files: {why}", text.escape_debug()));
        let format =
            text.rsplit_once('.').and_then(|(_, end)| FORMATS.into_iter().find(|format| *format == end));
        let format = format
            .ok_or_else(|| refuse("it ends in none of .json (a file for each row), .jsonl and .csv"))?;
        let mut names = vec![Vec::new()];
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}', '/']) {
            push(&mut names, &rest[..at]);
            match rest.as_bytes()[at] {
                b'/' => {
                    names.push(Vec::new());
                    rest = &rest[at + 1..];
                }
                b'{' => {
                    let (column, after) =
                        rest[at + 1..].split_once('}').ok_or_else(|| refuse("a `{` is not closed"))?;
                    names.last_mut().expect("there is one").push(Bit::Column(column.to_owned()));
                    rest = after;
                }
                _ => return Err(refuse("a `}` stands alone")),
            }
        }
        push(&mut names, rest);
        if names.len() > MAX_DEPTH {
            return Err(refuse("there are too many folders"));
        }
        for name in &names {
            let [Bit::Text(only)] = name.as_slice() else {
                if name.is_empty() {
                    return Err(refuse(
                        "a name is empty; it begins below the table's folder, without a slash",
                    ));
                }
                continue;
            };
            if only.starts_with('.') {
                return Err(refuse("a name begins with a point"));
            }
        }
        let texts = || {
            names.iter().flatten().filter_map(|bit| match bit {
                Bit::Text(text) => Some(text),
                Bit::Column(_) => None,
            })
        };
        if texts().any(|text| text.chars().any(|c| c.is_control() || "\\:*?\"<>|%".contains(c))) {
            return Err(refuse("it has one of \\:*?\"<>|% or a control character"));
        }
        let template = Template { names, format };
        if template.columns().next().is_none() {
            return Err(refuse("it names no column; write one in braces, as in `{id}.json`"));
        }
        Ok(template)
    }

    /// The format of the files.
    pub fn kind(&self) -> &'static SinkKind {
        SINKS.iter().find(|kind| kind.name == self.format).expect("it is one of the sinks")
    }

    fn columns(&self) -> impl Iterator<Item = &str> {
        self.names.iter().flatten().filter_map(|bit| match bit {
            Bit::Text(_) => None,
            Bit::Column(column) => Some(column.as_str()),
        })
    }

    /// The name of each row's file, with slashes.
    fn files(&self, schema: &TableSchema, frame: &DataFrame) -> Result<Vec<String>, Error> {
        let mut values: BTreeMap<&str, StringChunked> = BTreeMap::new();
        for column in self.columns() {
            let field = field(schema, column)?;
            let series = frame.column(column).map_err(Error::engine("split"))?.as_materialized_series();
            values.insert(column, texts(field, series)?);
        }
        let mut files = Vec::with_capacity(frame.height());
        for row in 0..frame.height() {
            let mut file = String::new();
            for (at, name) in self.names.iter().enumerate() {
                file.push_str(if at > 0 { "/" } else { "" });
                let start = file.len();
                for bit in name {
                    match bit {
                        Bit::Text(text) => file.push_str(text),
                        Bit::Column(column) => safe(values[column.as_str()].get(row), &mut file),
                    }
                }
                let name = &file[start..];
                if name.len() > MAX_NAME {
                    let shown: String = name.chars().take(40).collect();
                    return Err(Error::Option(format!(
                        "`{shown}…` has {} bytes; a file's name has at most {MAX_NAME}",
                        name.len()
                    )));
                }
            }
            files.push(file);
        }
        Ok(files)
    }
}

fn push(names: &mut [Vec<Bit>], text: &str) {
    if !text.is_empty() {
        names.last_mut().expect("there is one").push(Bit::Text(text.to_owned()));
    }
}

fn field<'a>(schema: &'a TableSchema, column: &str) -> Result<&'a Field, Error> {
    schema.fields.iter().find(|field| field.name == column).ok_or_else(|| {
        let known: Vec<_> = schema.fields.iter().map(|field| format!("`{}`", field.name)).collect();
        Error::Option(format!(
            "table `{}` has no column `{column}` to name files by; it has {}",
            schema.table,
            known.join(", ")
        ))
    })
}

/// Appends a value so that it can be part of a name.
fn safe(value: Option<&str>, out: &mut String) {
    let value = match value {
        None => return out.push_str("%null"),
        Some("") => return out.push_str("%empty"),
        Some(value) => value,
    };
    let last = value.chars().count() - 1;
    for (at, c) in value.chars().enumerate() {
        let at_an_end = at == 0 || at == last;
        let stays = c.is_alphanumeric() || "-_".contains(c) || " .".contains(c) && !at_an_end;
        if stays {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|byte| {
                let _ = write!(out, "%{byte:02X}");
            });
        }
    }
}

/// Opens a sink that writes a table's rows into files in `folder`, which appear when the result is published.
///
/// # Errors
/// The folder beside is missing or not writable, the table lacks a column, or options cannot be honoured.
pub fn split(
    template: &Template,
    schema: &TableSchema,
    folder: PathBuf,
    options: &SinkOptions,
) -> Result<Box<dyn Sink>, Error> {
    for column in template.columns() {
        field(schema, column)?;
    }
    // Files of one row hold that row as JSON lines do.
    let format = if template.format == "json" { "jsonl" } else { template.format };
    let kind = SINKS.iter().find(|kind| kind.name == format).expect("it is one of the sinks");
    let rows = (kind.open)(schema, Output::memory(), options)?;
    let encoder = SplitEncoder { template: template.clone(), schema: schema.clone(), rows: rows.encoder() };
    let head = rows.finish()?.into_bytes().unwrap_or_default();
    let tree = Tree::new(folder)?;
    Ok(Box::new(SplitSink { encoder: Arc::new(encoder), head, tree, rows: 0 }))
}

struct SplitEncoder {
    template: Template,
    schema: TableSchema,
    rows: Arc<dyn Encoder>,
}

impl SplitEncoder {
    fn text(&self, frame: &DataFrame) -> Result<Vec<u8>, Error> {
        match self.rows.encode(frame)?.body {
            Body::Bytes(bytes) => Ok(bytes),
            _ => Err(Error::ForeignPart { format: self.template.format }),
        }
    }
}

impl Encoder for SplitEncoder {
    fn encode(&self, frame: &DataFrame) -> Result<Part, Error> {
        let names = self.template.files(&self.schema, frame)?;
        // The rows of each file, in the order in which the files come up.
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut groups: Vec<(&str, Vec<IdxSize>)> = Vec::new();
        for (row, name) in (0..).zip(&names) {
            let at = *places.entry(name).or_insert_with(|| {
                groups.push((name, Vec::new()));
                groups.len() - 1
            });
            groups[at].1.push(row);
        }
        let mut files = Vec::with_capacity(groups.len());
        if self.template.format == "csv" {
            for (name, rows) in groups {
                let rows =
                    frame.take(&IdxCa::from_vec("rows".into(), rows)).map_err(Error::engine("split"))?;
                files.push((name.to_owned(), self.text(&rows)?));
            }
        } else {
            // A row of JSON lines is a line: line breaks in it are escaped.
            let text = self.text(frame)?;
            let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
            for (name, rows) in groups {
                if self.template.format == "json" && rows.len() > 1 {
                    return Err(twice(name));
                }
                files.push((
                    name.to_owned(),
                    rows.iter().map(|row| lines[*row as usize]).collect::<Vec<_>>().concat(),
                ));
            }
        }
        Ok(Part { rows: frame.height() as u64, body: Body::Files(files) })
    }
}

/// A file of one row that is to hold another.
fn twice(name: &str) -> Error {
    Error::Option(format!(
        "two rows would be `{name}`; name files by a column without repetitions, or end the name in .jsonl"
    ))
}

struct SplitSink {
    encoder: Arc<SplitEncoder>,
    /// What a file begins with.
    head: Vec<u8>,
    tree: Tree,
    rows: u64,
}

impl Sink for SplitSink {
    fn encoder(&self) -> Arc<dyn Encoder> {
        self.encoder.clone()
    }

    fn write(&mut self, part: Part) -> Result<(), Error> {
        let Body::Files(files) = part.body else {
            return Err(Error::ForeignPart { format: "split" });
        };
        self.rows += part.rows;
        for (name, bytes) in files {
            let is_new = !self.tree.has(&name);
            if !is_new && self.encoder.template.format == "json" {
                return Err(twice(&name));
            }
            if is_new && self.tree.len() == MAX_FILES {
                return Err(Error::Option(format!(
                    "the rows need more than {MAX_FILES} files; ask for fewer rows, or name files by fewer values"
                )));
            }
            let head: &[u8] = if is_new { &self.head } else { b"" };
            self.tree.append(&name, head, &bytes)?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Pending, Error> {
        Ok(self.tree.finish(self.rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::everything;

    #[test]
    fn templates_stay_in_their_folder() {
        for text in ["{id}.json", "{a}/{b c}.jsonl", "x/y-{id}-z.csv", "a b/{id}.json"] {
            assert!(Template::parse(text).is_ok(), "{text}");
        }
        for (text, why) in [
            ("/{id}.json", "a name is empty"),
            ("a//{id}.json", "a name is empty"),
            ("../{id}.json", "begins with a point"),
            ("a/../{id}.json", "begins with a point"),
            (".{id}/x.parquet", "it ends in none of"),
            ("x.json", "it names no column"),
            ("{id.json", "is not closed"),
            ("id}.json", "stands alone"),
            ("a\\{id}.json", "it has one of"),
            ("c:{id}.json", "it has one of"),
            ("{id}", "it ends in none of"),
            ("a/b/c/d/e/f/g/h/{id}.json", "too many folders"),
        ] {
            let error = Template::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn values_become_names_that_lead_nowhere_else() {
        let name = |value| {
            let mut out = String::new();
            safe(value, &mut out);
            out
        };
        for (value, expected) in [
            (Some("us-east-1"), "us-east-1"),
            (Some(".."), "%2E%2E"),
            (Some("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd"),
            (Some("a/b"), "a%2Fb"),
            (Some("a%2Fb"), "a%252Fb"),
            (Some(" x. "), "%20x.%20"),
            (Some("x."), "x%2E"),
            (Some("a\0\n🌍ä"), "a%00%0A%F0%9F%8C%8Dä"),
            (Some(""), "%empty"),
            (Some("%empty"), "%25empty"),
            (None, "%null"),
            (Some("C:\\x"), "C%3A%5Cx"),
        ] {
            assert_eq!(name(value), expected);
        }
    }

    fn files(folder: &std::path::Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![folder.to_path_buf()];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { open.push(path) } else { found.push(path.display().to_string()) }
            }
        }
        let cut = folder.display().to_string().len() + 1;
        found.iter_mut().for_each(|path| *path = path.split_off(cut));
        found.sort();
        found
    }

    #[test]
    fn rows_go_to_files_of_their_own() {
        let (schema, frame) = everything();
        let folder = tempfile::tempdir().unwrap();
        let write = |template: &str| {
            let template = Template::parse(template)?;
            let table = folder.path().join("things");
            let mut sink = split(&template, &schema, table, &SinkOptions::default())?;
            sink.write(sink.encoder().encode(&frame)?)?;
            sink.finish()
        };
        // Nothing is there before all is.
        let pending = write("{text}/{id}.json").unwrap();
        assert!(!folder.path().join("things").exists());
        drop(pending);
        assert_eq!(files(folder.path()), [""; 0]);
        let written = write("{text}/{id}.json").unwrap().publish().unwrap();
        let found = files(folder.path());
        assert_eq!((found.len(), written.rows), (16, 16));
        assert!(found.contains(&"things/%null/1.json".to_owned()), "{found:?}");
        assert!(found.contains(&"things/a%2Cb/4.json".to_owned()), "{found:?}");
        let text = std::fs::read_to_string(folder.path().join("things/%null/1.json")).unwrap();
        let row: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&row["id"], &row["text"]), (&1.into(), &serde_json::Value::Null));

        // A file of one row takes no second one; the other formats do.
        let error = write("{flag}.json").err().unwrap().to_string();
        assert!(error.starts_with("two rows would be `%null.json`"), "{error}");
        write("{flag}.csv").unwrap().publish().unwrap();
        let rows = std::fs::read(folder.path().join("things/true.csv")).unwrap();
        let mut reader = csv::Reader::from_reader(rows.as_slice());
        let flags: Vec<String> = reader.records().map(|record| record.unwrap()[1].to_owned()).collect();
        assert!(flags.len() > 2 && flags.iter().all(|flag| flag == "true"), "{flags:?}");
        let error = write("{flags}.csv").err().unwrap().to_string();
        assert!(error.contains("no column `flags`") && error.contains("`flag`"), "{error}");
    }
}
