//! Links in Markdown lead to files that are there, and to headings that they have.

use std::path::{Path, PathBuf};

use super::page::Page;
use super::{root, walk};

/// The Markdown of the repository.
fn documents() -> Vec<PathBuf> {
    let top = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
    let mut found: Vec<PathBuf> = top.iter().map(|name| root().join(name)).collect();
    for folder in ["docs/src", "rulesets", "examples", "tests/data"] {
        walk(&root().join(folder), "md", &mut found);
    }
    found
}

/// The targets of the links in a text: `[words](target)`.
fn targets(prose: &str) -> Vec<&str> {
    prose
        .match_indices("](")
        .filter_map(|(at, _)| prose[at + 2..].split_once(')'))
        .map(|(target, _)| target)
        .collect()
}

/// The ids of a page's headings, as mdBook and GitHub make them.
fn headings(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| id(line.trim_start_matches('#').trim())).collect()
}

/// Lower case, spaces to hyphens, and no other signs.
fn id(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in documents() {
        let page = Page::read(path);
        let prose = page.prose();
        for target in targets(&prose).into_iter().filter(|target| !target.contains("://")) {
            count += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file: &Path = &page.path.parent().unwrap().join(file);
            let file = if target.starts_with('#') { &page.path } else { file };
            if !file.exists() {
                wrong.push(format!("{}: there is no {target}", page.name()));
            } else if !anchor.is_empty()
                && !headings(&Page::read(file.to_owned()).prose()).contains(&anchor.to_owned())
            {
                wrong.push(format!("{}: {target} has no such heading", page.name()));
            }
        }
    }
    assert!(count > 20, "only {count} links were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn links_are_found() {
    assert_eq!(targets("see [a](b.md#c) and [d](#e)"), ["b.md#c", "#e"]);
    assert_eq!(id("Rows, times `--scale`"), "rows-times---scale");
}
