//! Columns as validation reads them: numbers as floats, text as it is, categories as codes.

use lookalike_ruleset::Type;
use polars::prelude::*;

/// The values of a column of a block.
pub enum Cells {
    /// Numbers; dates in days, stamps and lengths of time in microseconds.
    Numbers(Float64Chunked),
    /// Text.
    Texts(StringChunked),
    /// Text with few known values.
    Codes {
        /// Of each row.
        codes: Vec<Option<u32>>,
        /// The text of each code.
        names: Vec<String>,
    },
    /// Truth values.
    Bools(BooleanChunked),
}

impl Cells {
    /// The values of a column.
    ///
    /// # Errors
    /// When it holds nothing that a table can hold.
    pub fn of(series: &Series) -> PolarsResult<Cells> {
        Ok(match series.dtype() {
            DataType::Boolean => Cells::Bools(series.bool()?.clone()),
            DataType::String => Cells::Texts(series.str()?.clone()),
            DataType::Enum(frozen, _) => {
                let names = frozen.categories().values_iter().map(str::to_owned).collect();
                let codes = match series.dtype().cat_physical()? {
                    CategoricalPhysical::U8 => {
                        series.cat8()?.physical().iter().map(|code| code.map(u32::from)).collect()
                    }
                    CategoricalPhysical::U16 => {
                        series.cat16()?.physical().iter().map(|code| code.map(u32::from)).collect()
                    }
                    CategoricalPhysical::U32 => series.cat32()?.physical().iter().collect(),
                };
                Cells::Codes { codes, names }
            }
            DataType::Decimal(..) => Cells::Numbers(series.cast(&DataType::Float64)?.f64()?.clone()),
            dtype if dtype.is_categorical() => Cells::Texts(series.cast(&DataType::String)?.str()?.clone()),
            _ => Cells::Numbers(series.to_physical_repr().cast(&DataType::Float64)?.f64()?.clone()),
        })
    }

    /// The value of a row as people read it.
    pub fn text(&self, row: usize, ty: Type) -> String {
        match self {
            Cells::Numbers(values) => values.get(row).map_or_else(null, |value| number_text(value, ty)),
            Cells::Texts(values) => {
                values.get(row).map_or_else(null, |text| format!("`{}`", shortened(text)))
            }
            Cells::Codes { codes, names } => {
                codes[row].map_or_else(null, |code| format!("`{}`", shortened(&names[code as usize])))
            }
            Cells::Bools(values) => values.get(row).map_or_else(null, |value| value.to_string()),
        }
    }

    /// Whether the value of each row is null.
    pub fn nulls(&self) -> Vec<bool> {
        match self {
            Cells::Numbers(values) => values.iter().map(|value| value.is_none()).collect(),
            Cells::Texts(values) => values.iter().map(|value| value.is_none()).collect(),
            Cells::Codes { codes, .. } => codes.iter().map(Option::is_none).collect(),
            Cells::Bools(values) => values.iter().map(|value| value.is_none()).collect(),
        }
    }
}

fn null() -> String {
    "null".to_owned()
}

/// A text for a message: not too long, on one line.
pub fn shortened(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { '�' } else { c });
    if text.chars().count() <= 40 { clean.collect() } else { clean.take(39).chain(['…']).collect() }
}

/// A number of a column of type `ty` as people read it.
pub fn number_text(value: f64, ty: Type) -> String {
    let stamp = |micros: f64| jiff::Timestamp::from_microsecond(micros as i64).ok();
    match ty {
        Type::Date => stamp(value * 86_400e6).map(|stamp| stamp.strftime("%Y-%m-%d").to_string()),
        Type::Datetime => stamp(value).map(|stamp| stamp.to_string()),
        Type::Duration => Some(jiff::SignedDuration::from_micros(value as i64).to_string()),
        Type::Decimal(scale) => Some(format!("{value:.*}", usize::from(scale))),
        _ => None,
    }
    .unwrap_or_else(|| short(value))
}

/// A figure with a sensible number of digits.
pub fn short(value: f64) -> String {
    if !value.is_finite() || (value.fract() == 0.0 && value.abs() < 1e15) {
        return format!("{value}");
    }
    let digits = (4 - (libm::log10(value.abs()).floor() as i64)).clamp(0, 12) as usize;
    if digits == 12 {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A hash of 64 bits, the same on every platform: eight bytes at a time, mixed by multiplication (in the manner of wyhash).
pub fn hash(bytes: &[u8], seed: u64) -> u64 {
    let mut state = seed ^ 0x9E37_79B9_7F4A_7C15 ^ (bytes.len() as u64).wrapping_mul(0xA076_1D64_78BD_642F);
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u64::from_le_bytes([
            chunk[0], chunk[1], chunk[2], chunk[3], chunk[4], chunk[5], chunk[6], chunk[7],
        ]);
        state = mix(state ^ word, 0xE703_7ED1_A0B4_28DB);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        state = mix(state ^ u64::from_le_bytes(last), 0x8EBC_6AF0_9C88_C6E3);
    }
    mix(state, 0x5899_65CC_7537_4CC3)
}

/// As [`hash`], of one word.
pub fn hash_word(word: u64, seed: u64) -> u64 {
    mix(mix(seed ^ word ^ 0x9E37_79B9_7F4A_7C15, 0xE703_7ED1_A0B4_28DB), 0x5899_65CC_7537_4CC3)
}

fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ 0x2D35_8DCC_AA6C_78A5) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64) ^ a.rotate_left(29)
}

/// The hasher of the maps in here; what comes out of them is sorted, so it decides nothing but speed.
#[derive(Default, Clone, Copy)]
pub struct Quick(u64);

impl std::hash::Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(bytes, self.0);
    }
    fn write_u64(&mut self, word: u64) {
        self.0 = hash_word(word, self.0);
    }
    fn write_u8(&mut self, byte: u8) {
        // The end of a text.
        self.0 ^= u64::from(byte);
    }
}

/// A map with that hasher.
pub type Map<K, V> = std::collections::HashMap<K, V, std::hash::BuildHasherDefault<Quick>>;
