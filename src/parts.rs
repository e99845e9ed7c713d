//! The files whose rows are parts of a ruleset's tables.

use std::path::Path;

use lookalike_engine::PartRows;
use lookalike_io::SourceOptions;
use lookalike_ruleset::document::{Files, Loaded};
use lookalike_ruleset::{Diagnostic, Problems};

use crate::data::{Data, DataEntry};

/// A file whose rows are a part of a table.
#[derive(Clone)]
pub(crate) struct PartFile {
    pub table: String,
    pub part: String,
    /// What a manifest says of it, under the name that the ruleset gives it.
    pub entry: DataEntry,
    data: Data,
}

impl PartFile {
    pub fn path(&self) -> &Path {
        self.data.path()
    }

    pub fn data(&self) -> &Data {
        &self.data
    }
}

/// Opens the files that the tables of a ruleset, which is called `from`, name; also their rows, as the engine reads them.
/// `None` after a problem.
pub(crate) fn open(
    loaded: &Loaded,
    from: &str,
    files: &dyn Files,
    problems: &mut Problems,
) -> Option<(Vec<PartFile>, Vec<PartRows>)> {
    let (mut opened, mut rows, mut whole) = (Vec::new(), Vec::new(), true);
    for table in &loaded.document.tables.0 {
        let parts = table.value.subsets.iter().flat_map(|subsets| &subsets.value.parts.0);
        for (part, file) in parts.filter_map(|part| Some((part, part.value.from.as_ref()?))) {
            let (name, path) = match files.locate(from, &file.value) {
                Ok(found) => found,
                Err(problem) => {
                    problems
                        .push(Diagnostic::error(problem.code, file.span, problem.message).help(problem.help));
                    whole = false;
                    continue;
                }
            };
            let options = SourceOptions {
                table: Some(table.name.clone()),
                types: part.value.types.0.iter().map(|item| (item.name.clone(), item.value)).collect(),
                ..SourceOptions::default()
            };
            let found = Data::open(&path, None, &options).and_then(|data| Ok((data.entry()?, data)));
            let (mut entry, data) = match found {
                Ok(found) => found,
                Err(error) => {
                    problems.push(
                        Diagnostic::error("cannot-read", file.span, error.to_string())
                            .label("the rows of this part"),
                    );
                    whole = false;
                    continue;
                }
            };
            entry.file.clone_from(&file.value);
            let (own_table, own_part) = (table.name.clone(), part.name.clone());
            let part_rows = PartRows { table: own_table, part: own_part, file: name, rows: data.rows() };
            rows.push(part_rows);
            opened.push(PartFile { table: table.name.clone(), part: part.name.clone(), entry, data });
        }
    }
    whole.then_some((opened, rows))
}
