//! Pages in Markdown, and the blocks in their fences.

use std::path::PathBuf;

use super::root;

/// A page.
pub struct Page {
    pub path: PathBuf,
    pub text: String,
}

/// What stands in a fence.
#[derive(Clone, Copy)]
pub struct Block<'a> {
    /// The first word behind the opening fence.
    pub language: &'a str,
    /// The other words.
    attributes: &'a str,
    /// The lines between the fences.
    pub body: &'a str,
    /// Number of the first of them, from 1.
    pub line: usize,
    /// Where they begin, in bytes.
    start: usize,
}

impl Page {
    pub fn read(path: PathBuf) -> Page {
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Page { path, text }
    }

    /// Its path in the repository.
    pub fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap().display().to_string()
    }

    /// Its blocks, in order. Fences stand at the beginning of a line, and say their language.
    pub fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        let mut blocks = Vec::new();
        let mut open: Option<(&str, usize, usize)> = None;
        let mut at = 0;
        for (number, line) in self.text.split_inclusive('\n').enumerate() {
            if let Some(info) = line.strip_prefix("```") {
                open = match open {
                    None => {
                        assert!(
                            !info.trim().is_empty(),
                            "{}:{}: a fence without a language",
                            self.name(),
                            number + 1
                        );
                        Some((info.trim(), at + line.len(), number + 2))
                    }
                    Some((info, start, line)) => {
                        let (language, attributes) = info.split_once(' ').unwrap_or((info, ""));
                        blocks.push(Block { language, attributes, body: &self.text[start..at], line, start });
                        None
                    }
                };
            }
            assert!(
                !line.starts_with(" ```"),
                "{}:{}: an indented fence is not tested",
                self.name(),
                number + 1
            );
            at += line.len();
        }
        assert!(open.is_none(), "{}: a fence is not closed", self.name());
        blocks.into_iter()
    }

    /// What stands outside of the fences.
    pub fn prose(&self) -> String {
        let mut prose = String::new();
        let mut end = 0;
        for block in self.blocks() {
            prose.push_str(&self.text[end..block.start]);
            end = block.start + block.body.len();
        }
        prose + &self.text[end..]
    }

    /// The body of a block; where it names a file, that file's text.
    pub fn expanded(&self, block: &Block<'_>) -> String {
        let Some(path) = block.included() else { return block.body.to_owned() };
        let path = self.path.with_file_name(path);
        std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {}: {error}", self.name(), path.display()))
    }

    /// Writes the page with other bodies of blocks.
    pub fn replace(&self, bodies: &[(Block<'_>, String)]) {
        let mut text = self.text.clone();
        for (block, body) in bodies.iter().rev() {
            text.replace_range(block.start..block.start + block.body.len(), body);
        }
        if !bodies.is_empty() {
            std::fs::write(&self.path, text).unwrap();
        }
    }
}

impl Block<'_> {
    /// The value of `name=value` behind the language.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    /// The file that the reader makes or changes.
    pub fn file(&self) -> Option<&str> {
        self.attribute("file").or(self.attribute("add"))
    }

    fn included(&self) -> Option<&str> {
        self.body.trim().strip_prefix("{{#include ")?.strip_suffix("}}")
    }

    /// Whether it is a file of the repository, and nothing else.
    pub fn is_include(&self) -> bool {
        self.included().is_some()
    }
}
