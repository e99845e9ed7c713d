//! CSV: rows are drawn and written out as text in one pass, straight into the buffer that goes to the file.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use crate::ebs::{ANOMALIES, BLOCK, HEADER, MAX_AGE, NAMES, OLD_NAMES, REGIONS, Row, TYPES, Tables};
use crate::{Failure, ebs, in_order};

/// Room for any row; the longest possible has about 190 bytes, and every store is of a fixed width.
const ROOM: usize = 256;

/// A ready piece of text. It is stored whole and the position moves by its length, so that no copy has a length that is
/// not known to the compiler. The last byte is that length.
#[derive(Clone, Copy)]
struct Piece<const N: usize>([u8; N]);

impl<const N: usize> Piece<N> {
    fn new(text: &str) -> Self {
        assert!(text.len() < N, "the piece `{text}` is too long");
        let mut bytes = [0; N];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        bytes[N - 1] = text.len() as u8;
        Self(bytes)
    }
}

/// Every finite domain of the table as text with the separators that follow.
struct Text {
    /// `us-east-1,vol-9999`
    region: [Piece<32>; 4],
    /// `,app-prod-1,`
    name: Vec<Piece<32>>,
    /// `gp2,`
    kind: [Piece<16>; 8],
    /// `0000` to `9999`
    digits: Vec<[u8; 4]>,
    /// `,app-prod`, or nothing for a null
    stem: [Piece<16>; 32],
    /// `-2025-12-31,1`: the date of a snapshot and its age
    date_age: Vec<Piece<32>>,
    /// `,false,old_snapshot` and the end of the line
    tail: [Piece<32>; 16],
}

impl Text {
    fn new() -> Self {
        let stem = |i: usize| match i {
            1..=20 => format!(",{}", ebs::snapshot_stem(i as u32)),
            _ => ",".to_owned(),
        };
        let tail =
            |i: usize| format!(",{},{}\n", i >= 8, ANOMALIES.get(i % 8).expect("rows know six anomalies"));
        Self {
            region: REGIONS.map(|region| Piece::new(&format!("{region},vol-9999"))),
            name: (0..=NAMES + OLD_NAMES)
                .map(|i| Piece::new(&format!(",{},", ebs::name(i).unwrap_or_default())))
                .collect(),
            kind: std::array::from_fn(|i| {
                Piece::new(&TYPES.get(i).map_or(String::new(), |kind| format!("{kind},")))
            }),
            digits: (0..10_000u32)
                .map(|i| [i / 1000, i / 100 % 10, i / 10 % 10, i % 10].map(|digit| b'0' + digit as u8))
                .collect(),
            stem: std::array::from_fn(|i| Piece::new(&stem(i))),
            date_age: (0..=MAX_AGE)
                .map(|age| Piece::new(&format!("-{},{age}", ebs::date_before(age))))
                .collect(),
            tail: std::array::from_fn(|i| if i % 8 < 6 { Piece::new(&tail(i)) } else { Piece::new("") }),
        }
    }
}

/// Where the next byte of a row goes.
struct Cursor<'a> {
    row: &'a mut [u8; ROOM],
    at: usize,
}

impl Cursor<'_> {
    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        self.row[self.at..self.at + N].copy_from_slice(bytes);
        self.at += len;
    }

    #[inline(always)]
    fn piece<const N: usize>(&mut self, piece: &Piece<N>) {
        self.put(&piece.0, piece.0[N - 1] as usize);
    }

    /// Thirteen hex digits of the low 52 bits.
    #[inline(always)]
    fn hex13(&mut self, bits: u64) {
        self.put(&ebs::hex8((bits >> 20) as u32), 8);
        self.put(&ebs::hex8((bits as u32) << 12), 5);
    }

    /// A number below 10^8 without leading zeros.
    #[inline(always)]
    fn number(&mut self, n: u32, digits: &[[u8; 4]]) {
        let (high, low) = (n / 10_000, n % 10_000);
        if high > 0 {
            self.short(high, digits);
            self.put(&digits[low as usize], 4);
        } else {
            self.short(low, digits);
        }
    }

    /// A number below 10^4: four digits at once, the leading zeros shifted out.
    #[inline(always)]
    fn short(&mut self, n: u32, digits: &[[u8; 4]]) {
        let zeros = 3 - (u32::from(n > 9) + u32::from(n > 99) + u32::from(n > 999));
        let text = u32::from_le_bytes(digits[n as usize]) >> (8 * zeros);
        self.put(&text.to_le_bytes(), 4 - zeros as usize);
    }
}

#[inline(always)]
fn put_row(row: &Row, text: &Text, out: &mut [u8; ROOM]) -> usize {
    let mut c = Cursor { row: out, at: 0 };
    c.piece(&text.region[row.region as usize & 3]);
    c.hex13(row.volume_id);
    c.piece(&text.name[row.name as usize]);
    c.piece(&text.kind[row.kind as usize & 7]);
    c.number(row.size, &text.digits);
    c.put(b",", 1);
    c.number(row.cents / 100, &text.digits);
    let [_, _, tens, ones] = text.digits[(row.cents % 100) as usize];
    c.put(&[b'.', tens, ones, b','], 4);
    if row.age > 0 {
        c.put(b"snap-9999", 9);
        c.hex13(row.snapshot_id);
        c.piece(&text.stem[row.snapshot_name as usize & 31]);
        // Without a name the text of date and age is taken from the comma before the age on.
        let from = if row.snapshot_name > 0 { 0 } else { "-2025-12-31".len() };
        let Piece(date_age) = &text.date_age[row.age as usize];
        let bytes: &[u8; 16] = date_age[from..from + 16].first_chunk().expect("the slice has 16 bytes");
        c.put(bytes, date_age[31] as usize - from);
    } else {
        c.put(b",,", 2);
    }
    c.piece(&text.tail[(usize::from(row.underutilized) * 8 + row.anomaly as usize) & 15]);
    c.at
}

/// Writes the table to `path`.
pub fn write(tables: &Tables, rows: u64, threads: usize, path: &Path) -> Result<(), Failure> {
    let text = Text::new();
    let mut file = File::create(path)?;
    file.write_all(HEADER.as_bytes())?;
    let make = |block: u64, buffer: &mut Option<(Vec<u8>, usize)>| {
        let (bytes, len) = buffer.get_or_insert_with(|| (vec![0; (BLOCK as usize) * ROOM], 0));
        let mut stream = tables.stream(block);
        let mut at = 0;
        for _ in 0..BLOCK.min(rows - block * BLOCK) {
            let row = tables.draw(&mut stream);
            let room = bytes[at..].first_chunk_mut().expect("the buffer has room for the longest rows");
            at += put_row(&row, &text, room);
        }
        *len = at;
        Ok(())
    };
    let write = |file: &mut File, buffer: &mut Option<(Vec<u8>, usize)>| {
        let (bytes, len) = buffer.as_ref().expect("a block was made");
        Ok(file.write_all(&bytes[..*len])?)
    };
    in_order(rows.div_ceil(BLOCK), threads, file, make, write)?;
    Ok(())
}
