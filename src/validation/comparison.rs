//! Files beside real data. Memory is bounded: of large tables a sample of the rows is held, and what a sample does not tell is
//! counted in a pass over all rows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use lookalike_engine::run::{UNIT_ROWS, in_order};
use lookalike_io::{Source, SourceOptions};
use lookalike_ruleset::TableSchema;
use lookalike_validate::cells::hash_word;
use lookalike_validate::model::{Check, Note, Question, Reference, TableReport, Verdict};
use lookalike_validate::reference::{Census, LinkTables, Role, Sampled, Sought, Table};
use lookalike_validate::{leakage, reference as compared};
use polars::prelude::*;

use super::files::{DataTable, file_entry, find};
use super::{internal, temporary};
use crate::{Error, Ruleset};

/// Cells of a table, at most, that are held: what bounds memory in wide tables.
const HELD_CELLS: u64 = 4_000_000;

/// Of a link between tables of which one is larger than what is held of it, so many times fewer rows are held.
const LINKED: u64 = 4;

/// What decides with a row's number whether the row is in the sample.
const SAMPLE: u64 = 0xC0_3A9E;

/// What is compared, and how.
pub(super) struct Comparing<'a> {
    pub(super) ruleset: &'a Ruleset,
    pub(super) tables: &'a [DataTable],
    pub(super) reference: &'a Path,
    pub(super) holdout: Option<&'a Path>,
    /// How far figures may lie beyond noise; none for the default.
    pub(super) margin: Option<f64>,
    /// Column whose value says which rows are steps of one sequence.
    pub(super) sequence: Option<&'a str>,
    /// Rows of a table, about, that are held.
    pub(super) held_rows: u64,
    pub(super) threads: usize,
    pub(super) stop: &'a AtomicBool,
}

/// A table of which rows are held.
struct Side<'a> {
    schema: TableSchema,
    source: &'a dyn Source,
    frame: DataFrame,
    sampled: Option<Sampled>,
}

/// A file of real rows, open.
struct Real {
    path: PathBuf,
    source: Box<dyn Source>,
}

/// Compares tables with real ones, and adds the checks to their reports.
pub(super) fn compare(comparing: &Comparing<'_>, reports: &mut [TableReport]) -> Result<Reference, Error> {
    let Comparing { ruleset, tables, reference, holdout, .. } = comparing;
    let real = find_like(ruleset, tables, reference)?;
    let held = holdout.map(|holdout| find_like(ruleset, tables, holdout)).transpose()?.unwrap_or_default();
    let of = |list: &[(String, PathBuf)], table: &DataTable| -> Result<Option<Real>, Error> {
        let path = list.iter().find(|(name, _)| *name == table.name).map(|(_, path)| path.clone());
        path.map(|path| Ok(Real { source: open_like(ruleset, table, &path)?, path })).transpose()
    };
    let mut files = Vec::new();
    for table in *tables {
        if let Some(real) = of(&real, table)? {
            files.push((table, real, of(&held, table)?));
        }
    }
    let mut entries = Reference { private: true, files: Vec::new(), holdout: Vec::new() };
    let entry = |table: &DataTable, real: &Real| file_entry(&table.name, &real.path, real.source.rows());
    for (table, real, held) in &files {
        entries.files.push(entry(table, real));
        entries.holdout.extend(held.as_ref().map(|held| entry(table, held)));
    }
    let links = links(ruleset, tables);
    let fallback = compared::Options::default();
    let fallback = compared::Options { margin: comparing.margin.unwrap_or(fallback.margin), ..fallback };
    let (mut options, mut counts, mut shared) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
    let (mut reals, mut owns, mut helds) = (Vec::new(), Vec::new(), Vec::new());
    for (table, real, held) in &files {
        let mut sides = [
            Some(comparing.hold(&table.name, real.source.as_ref())?),
            Some(comparing.hold(&table.name, table.source.as_ref())?),
            held.as_ref().map(|held| comparing.hold(&table.name, held.source.as_ref())).transpose()?,
        ];
        let declared =
            ruleset.plan().table(&table.name).map(|plan| plan.audit(|_| true).declared().columns.clone());
        let declared = declared.unwrap_or_default();
        let key = declared.iter().find(|column| column.unique).map(|column| column.name.clone());
        let sequence = comparing.sequence.filter(|name| declared.iter().any(|column| column.name == **name));
        let mut own = compared::Options {
            key: key.into_iter().collect(),
            sequence: sequence.map(str::to_owned),
            ..fallback.clone()
        };
        // Numbers of rows are no amounts.
        let named = declared.iter().filter(|column| column.names_rows);
        own.roles.extend(named.map(|column| (column.name.clone(), Role::Id)));
        let listed =
            declared.iter().filter(|column| column.listed).map(|column| column.name.clone()).collect();
        let leakage = leakage::Options {
            compare: own.linked(&table.name, &links),
            listed,
            ..leakage::Options::default()
        };
        let is_id = |name: &String| leakage.compare.roles.get(name) == Some(&Role::Id);
        let sharing = declared.iter().filter(|column| !column.rows_independent && !is_id(&column.name));
        shared.insert(table.name.clone(), sharing.map(|column| column.name.clone()).collect::<Vec<_>>());
        let sought = {
            let [Some(real), Some(own), held] = sides.each_ref().map(|side| side.as_ref().map(Side::table))
            else {
                continue;
            };
            leakage::sought(&real, &own, held.as_ref(), &leakage)
        };
        let mut counted = [None, None, None];
        for (side, counted) in sides.iter_mut().zip(&mut counted) {
            if let Some(side) = side {
                let mut census = comparing.count(side, &sought)?;
                if let Some(sampled) = &mut side.sampled {
                    sampled.unique = census.unique_share().map_err(temporary)?;
                }
                *counted = Some(census);
            }
        }
        options.insert(table.name.clone(), leakage.compare.clone());
        counts.push((leakage, counted));
        let [real, own, held] = sides;
        reals.extend(real);
        owns.extend(own);
        helds.push(held);
    }
    let real_tables: Vec<Table<'_>> = reals.iter().map(Side::table).collect();
    let own_tables: Vec<Table<'_>> = owns.iter().map(Side::table).collect();
    let linked =
        links.iter().map(|link| comparing.linked(link, &reals, &owns)).collect::<Result<Vec<_>, _>>()?;
    let samples: Vec<Option<LinkTables<'_>>> = linked
        .iter()
        .map(|linked| {
            let [real, synthetic] = linked.as_ref()?;
            Some(LinkTables {
                real: [whole(&real[0]), whole(&real[1])],
                synthetic: [whole(&synthetic[0]), whole(&synthetic[1])],
            })
        })
        .collect();
    let found = compared::compare_sampled(&real_tables, &own_tables, &links, &samples, &options, &fallback);
    let mut across = found.links.checks;
    for ((at, (name, comparison)), (leakage, counted)) in found.tables.into_iter().enumerate().zip(counts) {
        let held = helds[at].as_ref().map(Side::table);
        let assessment =
            leakage::assess_counted(&real_tables[at], &own_tables[at], held.as_ref(), &leakage, counted);
        let Some(report) = reports.iter_mut().find(|report| report.name == name) else { continue };
        report.notes.extend(comparison.notes.iter().chain(&assessment.notes).map(Note::private));
        if let Some(columns) = shared.get(&name).filter(|columns| !columns.is_empty()) {
            let columns: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
            report.notes.push(Note::new(format!(
                "The rows share draws, of a parent or of a series, in {}: a figure beyond its threshold there is told but is no failure, \
                 since thresholds are those of independent rows.",
                columns.join(", ")
            )));
        }
        report.charts.extend(comparison.matrices());
        report.charts.extend(comparison.charts);
        report.checks.extend(comparison.checks);
        report.checks.extend(assessment.checks);
        let (mine, others) = across.into_iter().partition(|check: &Check| check.table == name);
        report.checks.extend::<Vec<Check>>(mine);
        across = others;
    }
    // What speaks of all tables together stands with the first.
    if let Some(report) = reports.first_mut() {
        report.checks.extend(across);
        report.notes.extend(found.links.notes.iter().map(Note::private));
    }
    for report in reports {
        let compared = report.checks.iter_mut().filter(|check| check.metric.question != Question::Rules);
        compared.for_each(|check| forgive(check, &shared));
    }
    Ok(entries)
}

/// The rows of a link's side, with all that belongs to them.
fn whole<'s>(side: &'s Side<'_>) -> Table<'s> {
    Table::new(&side.schema, &side.frame)
}

impl Side<'_> {
    fn table(&self) -> Table<'_> {
        match self.sampled {
            Some(sampled) => Table::sample(&self.schema, &self.frame, sampled),
            None => Table::new(&self.schema, &self.frame),
        }
    }
}

impl Comparing<'_> {
    /// Reads a table, or of a large one a sample of the rows, which their numbers alone decide.
    fn hold<'a>(&self, table: &str, source: &'a dyn Source) -> Result<Side<'a>, Error> {
        let (rows, fields) = (source.rows(), source.schema().fields.clone());
        let most = self.held_rows.min(HELD_CELLS / fields.len().max(1) as u64).max(1);
        let schema = TableSchema { table: table.to_owned(), fields };
        if rows <= most {
            return Ok(Side { schema, source, frame: source.read(0..rows)?, sampled: None });
        }
        let below = share_of_hashes(most, rows);
        let kept = |first: u64, frame: &DataFrame| -> BooleanChunked {
            (0..frame.height() as u64).map(|row| Some(hash_word(first + row, SAMPLE) < below)).collect()
        };
        let frame = self.filtered(source, &kept)?;
        Ok(Side { schema, source, frame, sampled: Some(Sampled { rows, unique: None }) })
    }

    /// The rows that `kept` keeps, given the number of the first.
    fn filtered(
        &self,
        source: &dyn Source,
        kept: &(dyn Fn(u64, &DataFrame) -> BooleanChunked + Sync),
    ) -> Result<DataFrame, Error> {
        let work = |unit: u64| {
            let start = unit * UNIT_ROWS;
            let frame = source.read(start..(start + UNIT_ROWS).min(source.rows()))?;
            compact(frame.filter(&kept(start, &frame)).map_err(internal)?)
        };
        let mut all: Option<DataFrame> = None;
        in_order(source.rows().div_ceil(UNIT_ROWS).max(1), self.threads, self.stop, work, |part| {
            match &mut all {
                Some(all) => drop(all.vstack_mut(&part).map_err(internal)?),
                None => all = Some(part),
            }
            Ok::<(), Error>(())
        })?;
        self.go_on()?;
        Ok(all.unwrap_or_default())
    }

    /// Looks through all rows of a table.
    fn count(&self, side: &Side<'_>, sought: &Sought) -> Result<Census, Error> {
        if side.sampled.is_none() {
            return sought.look(&side.frame, 0).map_err(temporary);
        }
        let names: Vec<&str> = sought.columns().collect();
        let places: Vec<usize> = (0..side.schema.fields.len())
            .filter(|at| names.contains(&side.schema.fields[*at].name.as_str()))
            .collect();
        let rows = side.source.rows();
        let work = |unit: u64| {
            let start = unit * UNIT_ROWS;
            let frame = side.source.columns(start..(start + UNIT_ROWS).min(rows), &places)?;
            sought.look(&frame, start).map_err(temporary)
        };
        let mut all: Option<Census> = None;
        in_order(rows.div_ceil(UNIT_ROWS).max(1), self.threads, self.stop, work, |part| {
            match &mut all {
                Some(all) => all.merge(part).map_err(temporary)?,
                None => all = Some(part),
            }
            Ok::<(), Error>(())
        })?;
        self.go_on()?;
        Ok(all.unwrap_or_default())
    }

    /// Parent and child of both sides with the rows that are joined, where one of the tables is too large to be held.
    fn linked<'a>(
        &self,
        link: &compared::Link,
        reals: &[Side<'a>],
        owns: &[Side<'a>],
    ) -> Result<Option<[[Side<'a>; 2]; 2]>, Error> {
        let mut pairs = Vec::new();
        for sides in [reals, owns] {
            let of = |name: &str| sides.iter().find(|side| side.schema.table == name);
            let (Some(parent), Some(child)) = (of(&link.parent), of(&link.child)) else { return Ok(None) };
            pairs.push([parent, child]);
        }
        if pairs.iter().flatten().all(|side| side.sampled.is_none()) {
            return Ok(None);
        }
        let mut sampled = Vec::new();
        for [parent, child] in pairs {
            let below =
                share_of_hashes(self.held_rows / LINKED, parent.source.rows().max(child.source.rows()));
            let rows_of = |side: &Side<'a>, key: &[String]| -> Result<Side<'a>, Error> {
                let kept = |first: u64, frame: &DataFrame| -> BooleanChunked {
                    let hashes = compared::key_hashes(&Table::new(&side.schema, frame), key);
                    // Rows without a key belong to no parent: their numbers decide.
                    let hash = |(row, hash): (usize, Option<u64>)| {
                        hash.unwrap_or_else(|| hash_word(first + row as u64, SAMPLE))
                    };
                    hashes.into_iter().enumerate().map(|row| Some(hash(row) <= below)).collect()
                };
                let frame = self.filtered(side.source, &kept)?;
                Ok(Side { schema: side.schema.clone(), source: side.source, frame, sampled: None })
            };
            sampled.push([rows_of(parent, &link.parent_key)?, rows_of(child, &link.child_key)?]);
        }
        let mut sampled = sampled.into_iter();
        Ok(sampled.next().zip(sampled.next()).map(|(real, own)| [real, own]))
    }

    fn go_on(&self) -> Result<(), Error> {
        if self.stop.load(std::sync::atomic::Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }
}

/// Below which hashes there are about `most` of `rows`.
fn share_of_hashes(most: u64, rows: u64) -> u64 {
    if most >= rows { u64::MAX } else { (u128::from(u64::MAX) * u128::from(most) / u128::from(rows)) as u64 }
}

/// The same rows without what a filter leaves behind: texts of rows that are gone.
fn compact(frame: DataFrame) -> Result<DataFrame, Error> {
    let columns = frame.columns().iter().map(|column| {
        let series = column.as_materialized_series();
        match series.str() {
            Ok(texts) => {
                let own: StringChunked = texts.iter().collect();
                own.with_name(series.name().clone()).into_column()
            }
            Err(_) => column.clone(),
        }
    });
    DataFrame::new(frame.height(), columns.collect()).map_err(internal)
}

/// Where rows share draws, of a parent or a series, two samples of one truth lie farther apart than independent rows do, by as much
/// as nobody knows: then a figure beyond its threshold is no failure. What is right or wrong in each row stays judged.
fn forgive(check: &mut Check, shared: &BTreeMap<String, Vec<String>>) {
    const STILL: [&str; 6] = [
        "TableStructure",
        "KeyUniqueness",
        "ReferentialIntegrity",
        "IdenticalMatchShare",
        "CopiedValueShare",
        "CategoryAdherence",
    ];
    let shares = if check.columns.is_empty() {
        // Of the table, or of all.
        shared.iter().any(|(table, columns)| {
            (*table == check.table || !shared.contains_key(&check.table)) && !columns.is_empty()
        })
    } else {
        // Across a link columns are called `table.column`.
        let is_shared = |name: &String| {
            shared.iter().any(|(table, columns)| {
                columns.iter().any(|column| {
                    (*table == check.table && column == name) || *name == format!("{table}.{column}")
                })
            })
        };
        check.columns.iter().any(is_shared)
    };
    if check.verdict == Verdict::Fail && shares && !STILL.contains(&check.metric.name) {
        check.verdict = Verdict::Info;
        check.message.push_str("; rows share draws, so chance may take it as far");
    }
}

/// Opens a file of real rows of a table. Real data may be less tidy than the rules; then its own types do.
fn open_like(ruleset: &Ruleset, table: &DataTable, path: &Path) -> Result<Box<dyn Source>, Error> {
    let schema = ruleset.table(&table.name)?.schema();
    let options = SourceOptions { table: Some(table.name.clone()), ..SourceOptions::default() };
    let untyped = lookalike_io::sources::open(path, None, &options)?;
    let there = |name: &str| untyped.schema().fields.iter().any(|field| field.name == name);
    let known = schema.fields.iter().filter(|field| there(&field.name));
    let types = known.map(|field| (field.name.clone(), field.ty)).collect();
    let typed = lookalike_io::sources::open(path, None, &SourceOptions { types, ..options });
    Ok(typed.unwrap_or(untyped))
}

/// The links between the tables, by the columns that are written of both sides' keys.
fn links(ruleset: &Ruleset, tables: &[DataTable]) -> Vec<compared::Link> {
    let mut out: Vec<(String, compared::Link)> = Vec::new();
    for table in tables {
        let Some(plan) = ruleset.plan().table(&table.name) else { continue };
        for reference in
            plan.audit(|_| true).declared().references.iter().filter(|reference| reference.is_key)
        {
            let same = |(name, link): &&mut (String, compared::Link)| {
                *name == reference.link && link.child == table.name && link.parent == reference.parent
            };
            let link = match out.iter_mut().find(same) {
                Some((_, link)) => link,
                None => {
                    let link = compared::Link {
                        parent: reference.parent.clone(),
                        parent_key: Vec::new(),
                        child: table.name.clone(),
                        child_key: Vec::new(),
                    };
                    out.push((reference.link.clone(), link));
                    let Some((_, link)) = out.last_mut() else { continue };
                    link
                }
            };
            link.parent_key.push(reference.parent_column.clone());
            link.child_key.push(reference.column.clone());
        }
    }
    out.into_iter().map(|(_, link)| link).collect()
}

/// The files of a reference for the tables that are validated.
fn find_like(ruleset: &Ruleset, tables: &[DataTable], path: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    match tables {
        [only] if !path.is_dir() => Ok(vec![(only.name.clone(), path.to_owned())]),
        _ => find(ruleset, path, None),
    }
}
