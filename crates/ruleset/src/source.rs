//! Source texts and the places in them that a diagnostic points at.

/// A stretch of one source text: `start..end` in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Index of the text in its [`Sources`].
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span in the text with index `file`.
    pub fn new(file: u32, start: usize, end: usize) -> Span {
        let clip = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file, start: clip(start), end: clip(end) }
    }

    /// The bytes that the span covers.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A source text under the name that the user knows it by.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path as given by the user, or `<text>`.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// All texts that were read for one ruleset: the file itself first, then its includes and lookups.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    list: Vec<Source>,
}

impl Sources {
    /// No texts.
    pub fn new() -> Sources {
        Sources::default()
    }

    /// Adds a text and gives its index.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> u32 {
        self.list.push(Source { name: name.into(), text: text.into() });
        u32::try_from(self.list.len() - 1).expect("far fewer than 2^32 files are read")
    }

    /// The text with index `file`.
    pub fn get(&self, file: u32) -> &Source {
        &self.list[file as usize]
    }

    /// All texts in the order in which they were read.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        self.list.iter()
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub fn line_column(&self, file: u32, byte: u32) -> (usize, usize) {
        let text = &self.get(file).text;
        let mut byte = (byte as usize).min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.bytes().filter(|b| *b == b'\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}
