//! The book in `docs/` is true: rulesets in it make rows, commands in it print what it shows, the chapters about the language
//! are made from the language, and links lead somewhere.
//!
//! What may stand in a page, beside words:
//!
//! - ` ```yaml ` is a whole ruleset; it is compiled, without warnings, and all of its rows are made.
//! - ` ```yaml file=NAME ` (or `csv`, `sql`, …) is a file that the reader makes. `add=NAME` goes to the end of one, `add=NAME
//!   before=KEY` above the first line that begins with `KEY:`.
//! - ` ```console ` has commands behind `$ ` with what they print. They run in the page's own folder. A line `…` stands for any
//!   lines, and `…` in a line for any text. A command that fails is followed by `$ echo $?`; one with nothing behind it may
//!   print what it likes.
//! - ` ```rust ` runs as a documentation test, see `src/book.rs`.
//! - `{{#include PATH}}` alone shows a file that is tested elsewhere.
//!
//! With `LOOKALIKE_UPDATE=1` the pages of the reference, and what commands print, are written anew.

mod ci;
mod links;
mod page;
mod reference;
mod session;

use std::path::{Path, PathBuf};

use lookalike::Ruleset;
use page::{Block, Page};
use session::Session;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The pages of the book, in order.
fn pages() -> Vec<Page> {
    let mut paths: Vec<PathBuf> = Vec::new();
    walk(&root().join("docs/src"), "md", &mut paths);
    paths.sort();
    assert!(paths.len() > 10, "the book is not where it should be");
    paths.into_iter().map(Page::read).collect()
}

/// Adds the files below a folder whose names end in `.extension`.
fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn tutorial() -> PathBuf {
    root().join("docs/src/tutorial.md")
}

fn is_update() -> bool {
    std::env::var_os("LOOKALIKE_UPDATE").is_some()
}

/// Follows a page in a folder; gives what is wrong with it.
fn follow(page: &Page, session: &Session) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut updated = Vec::new();
    let commands: String =
        page.blocks().filter(|block| block.language == "console").map(|b| b.body).collect();
    for block in page.blocks() {
        let place = format!("{}:{}", page.name(), block.line);
        if let Some(name) = block.file() {
            let text = page.expanded(&block);
            match block.attribute("before") {
                _ if block.attribute("file").is_some() => session.write(name, &text),
                Some(key) => session.insert(name, &text, key),
                None => session.append(name, &text),
            }
            if !commands.contains(name) && !page.text.contains(&format!("{{file: {name}")) {
                wrong.push(format!("{place}: no command of the page uses `{name}`"));
            }
            continue;
        }
        match block.language {
            "rust" if is_documentation_test(page) => {}
            // What is only shown is a file that is tested elsewhere.
            _ if block.is_include() => drop(page.expanded(&block)),
            "yaml" => wrong.extend(compiled(&block).err().map(|what| format!("{place}: {what}"))),
            "console" => match session.console(block.body) {
                Ok(()) => {}
                Err(failure) if is_update() && failure.is_mere_output => {
                    updated.push((block, failure.actual))
                }
                Err(failure) => wrong.push(format!("{place}: {}", failure.message)),
            },
            other => wrong.push(format!("{place}: nothing tests a block of `{other}`")),
        }
    }
    page.replace(&updated);
    wrong
}

/// Whether the Rust of a page runs as documentation tests.
fn is_documentation_test(page: &Page) -> bool {
    let library = std::fs::read_to_string(root().join("src/book.rs")).unwrap();
    library.contains(&format!("include_str!(\"../{}\")", page.name()))
}

/// Makes all rows of a ruleset.
fn compiled(block: &Block<'_>) -> Result<(), String> {
    let ruleset = Ruleset::from_str(block.body).map_err(|error| error.to_string())?;
    if let Some(warning) = ruleset.warnings().first() {
        return Err(format!("the ruleset has a warning: {}", warning.message));
    }
    for table in ruleset.tables() {
        table.collect().map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[test]
fn what_the_book_shows_is_what_happens() {
    let pages: Vec<Page> = pages().into_iter().filter(|page| page.path != tutorial()).collect();
    let wrong = std::sync::Mutex::new(Vec::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        while let Some(page) = pages.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
            wrong.lock().unwrap().extend(follow(page, &Session::new()));
        }
    };
    std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    assert!(wrong.is_empty(), "the book is wrong\n\n{}", wrong.join("\n\n"));
}

/// The tutorial makes the ruleset that ships, and its lock, to the byte.
#[test]
fn the_tutorial_makes_the_ruleset_that_ships() {
    let session = Session::new();
    let wrong = follow(&Page::read(tutorial()), &session);
    assert!(wrong.is_empty(), "the tutorial is wrong\n\n{}", wrong.join("\n\n"));
    for name in ["shop.yaml", "lookalike.lock"] {
        let made = std::fs::read_to_string(session.path(name)).unwrap();
        let shipped = root().join("rulesets/tutorial").join(name);
        if is_update() {
            std::fs::write(&shipped, &made).unwrap();
        }
        assert_eq!(made, std::fs::read_to_string(shipped).unwrap(), "{name}");
        assert!(name != "shop.yaml" || made.lines().count() < 60);
    }
}

/// Every page is in the table of contents, and every line of that leads to a page.
#[test]
fn the_table_of_contents_is_whole() {
    let summary = Page::read(root().join("docs/src/SUMMARY.md"));
    for page in pages() {
        let name = page.path.strip_prefix(root().join("docs/src")).unwrap().to_str().unwrap().to_owned();
        if name != "SUMMARY.md" {
            assert_eq!(summary.text.matches(&format!("({name})")).count(), 1, "{name} in SUMMARY.md");
        }
    }
}
