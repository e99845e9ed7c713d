//! Making and changing typed columns: the few places that know how polars holds them.

use lookalike_ruleset::Type;
use polars::prelude::*;
use polars_arrow::array::{Array, MutablePlString, Utf8ViewArray};
use polars_arrow::bitmap::Bitmap;

use crate::generator::{Categories, Failure};

/// A column of whole numbers.
pub fn ints(values: Vec<i64>) -> Series {
    Int64Chunked::from_vec(PlSmallStr::EMPTY, values).into_series()
}

/// A column of numbers.
pub fn floats(values: Vec<f64>) -> Series {
    Float64Chunked::from_vec(PlSmallStr::EMPTY, values).into_series()
}

/// A column of truth values.
pub fn bools(values: impl IntoIterator<Item = bool>) -> Series {
    BooleanChunked::from_iter_values(PlSmallStr::EMPTY, values.into_iter()).into_series()
}

/// A column of text with at most as many bytes as fit in memory.
pub fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = T>, len: usize) -> Series {
    let mut builder = MutablePlString::with_capacity(len);
    for value in values {
        builder.push_value_ignore_validity(value.as_ref());
    }
    text_series(builder)
}

/// A finished text column.
pub fn text_series(builder: MutablePlString) -> Series {
    let array: Utf8ViewArray = builder.into();
    StringChunked::with_chunk(PlSmallStr::EMPTY, array).into_series()
}

/// A column of categories, from codes below the number of categories.
pub fn codes(values: impl Iterator<Item = u32>, categories: &Categories) -> Series {
    let dtype = categories.dtype().clone();
    match dtype.cat_physical().expect("categories have a categorical type") {
        CategoricalPhysical::U8 => {
            let physical = UInt8Chunked::from_vec(PlSmallStr::EMPTY, values.map(|v| v as u8).collect());
            CategoricalChunked::<Categorical8Type>::from_cats_and_dtype(physical, dtype).into_series()
        }
        CategoricalPhysical::U16 => {
            let physical = UInt16Chunked::from_vec(PlSmallStr::EMPTY, values.map(|v| v as u16).collect());
            CategoricalChunked::<Categorical16Type>::from_cats_and_dtype(physical, dtype).into_series()
        }
        CategoricalPhysical::U32 => {
            let physical = UInt32Chunked::from_vec(PlSmallStr::EMPTY, values.collect());
            CategoricalChunked::<Categorical32Type>::from_cats_and_dtype(physical, dtype).into_series()
        }
    }
}

/// The codes of a column of categories; `None` for nulls.
///
/// # Errors
/// When the column has no categories.
pub fn codes_of(series: &Series) -> Result<Vec<Option<u32>>, Failure> {
    Ok(match series.dtype().cat_physical()? {
        CategoricalPhysical::U8 => series.cat8()?.physical().iter().map(|v| v.map(u32::from)).collect(),
        CategoricalPhysical::U16 => series.cat16()?.physical().iter().map(|v| v.map(u32::from)).collect(),
        CategoricalPhysical::U32 => series.cat32()?.physical().iter().collect(),
    })
}

/// Numbers as floats: dates in days, stamps and lengths of time in microseconds.
///
/// # Errors
/// When the column does not hold such.
pub fn to_floats(series: &Series) -> Result<Vec<Option<f64>>, Failure> {
    let floats = match series.dtype() {
        DataType::Decimal(..) => series.cast(&DataType::Float64)?,
        _ => series.to_physical_repr().cast(&DataType::Float64)?,
    };
    Ok(floats.f64()?.iter().collect())
}

/// Rounds half away from zero, as decimal digits say: 100.5 that came of 1.005 × 100 is a little less in binary.
pub fn half_away(value: f64) -> f64 {
    // Only values that lie within a few units in the last place of a half need a second look.
    let short = 0.5 - value.abs().fract();
    let is_half = short > 0.0 && short < value.abs() * 4.0 * f64::EPSILON;
    if is_half { value.round() + value.signum() } else { value.round() }
}

/// Whole numbers as a column of type `ty`, which must be stored in whole numbers: int, datetime, duration, date.
pub fn from_ints(values: Vec<i64>, ty: Type) -> Result<Series, Failure> {
    Ok(match ty {
        Type::Int => ints(values),
        Type::Datetime => Int64Chunked::from_vec(PlSmallStr::EMPTY, values)
            .into_datetime(TimeUnit::Microseconds, None)
            .into_series(),
        Type::Duration => Int64Chunked::from_vec(PlSmallStr::EMPTY, values)
            .into_duration(TimeUnit::Microseconds)
            .into_series(),
        Type::Date => {
            let days: Result<Vec<i32>, _> = values.into_iter().map(i32::try_from).collect();
            let days = days.map_err(|_| Failure::new("a date lies outside the range of dates"))?;
            Int32Chunked::from_vec(PlSmallStr::EMPTY, days).into_date().into_series()
        }
        other => return Err(Failure::new(format!("whole numbers cannot become {other}"))),
    })
}

/// Stamps in microseconds as a column of type datetime; `None` for null.
pub fn stamps(values: Vec<Option<i64>>) -> Series {
    let column = Int64Chunked::from_iter_options(PlSmallStr::EMPTY, values.into_iter());
    column.into_datetime(TimeUnit::Microseconds, None).into_series()
}

/// The polars type of a logical type.
pub fn dtype_of(ty: Type) -> DataType {
    match ty {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int64,
        Type::Float => DataType::Float64,
        Type::Decimal(scale) => DataType::Decimal(DECIMAL_PRECISION, scale as usize),
        Type::Text => DataType::String,
        Type::Date => DataType::Date,
        Type::Datetime => DataType::Datetime(TimeUnit::Microseconds, None),
        Type::Duration => DataType::Duration(TimeUnit::Microseconds),
    }
}

/// Digits that a decimal column can hold.
pub const DECIMAL_PRECISION: usize = 18;

/// Replaces the values at the rows where `keep` is false by null.
pub fn keep_where(series: Series, keep: &BooleanChunked) -> Result<Series, Failure> {
    let bits = Bitmap::from_trusted_len_iter(keep.iter().map(|value| value == Some(true)));
    with_validity(series, bits)
}

/// Replaces the values at the rows whose bit is unset by null; nulls stay nulls.
pub fn with_validity(series: Series, bits: Bitmap) -> Result<Series, Failure> {
    fn masked<T: PolarsDataType<Array: StaticArray>>(
        column: &ChunkedArray<T>,
        bits: Bitmap,
    ) -> ChunkedArray<T> {
        let column = column.rechunk();
        let array = column.downcast_as_array().clone();
        let both = match array.validity() {
            Some(old) => old & &bits,
            None => bits,
        };
        ChunkedArray::with_chunk(PlSmallStr::EMPTY, array.with_validity_typed(Some(both)))
    }
    let dtype = series.dtype().clone();
    let physical = || series.to_physical_repr();
    Ok(match &dtype {
        DataType::Boolean => masked(physical().bool()?, bits).into_series(),
        DataType::String => masked(physical().str()?, bits).into_series(),
        DataType::Float64 => masked(physical().f64()?, bits).into_series(),
        DataType::Int64 => masked(physical().i64()?, bits).into_series(),
        DataType::Date => masked(physical().i32()?, bits).into_date().into_series(),
        DataType::Datetime(unit, _) => {
            masked(physical().i64()?, bits).into_datetime(*unit, None).into_series()
        }
        DataType::Duration(unit) => masked(physical().i64()?, bits).into_duration(*unit).into_series(),
        DataType::Decimal(precision, scale) => {
            masked(physical().i128()?, bits).into_decimal_unchecked(*precision, *scale).into_series()
        }
        DataType::Enum(..) => match dtype.cat_physical()? {
            CategoricalPhysical::U8 => {
                let codes = masked(series.cat8()?.physical(), bits);
                CategoricalChunked::<Categorical8Type>::from_cats_and_dtype(codes, dtype).into_series()
            }
            CategoricalPhysical::U16 => {
                let codes = masked(series.cat16()?.physical(), bits);
                CategoricalChunked::<Categorical16Type>::from_cats_and_dtype(codes, dtype).into_series()
            }
            CategoricalPhysical::U32 => {
                let codes = masked(series.cat32()?.physical(), bits);
                CategoricalChunked::<Categorical32Type>::from_cats_and_dtype(codes, dtype).into_series()
            }
        },
        other => return Err(Failure::new(format!("columns of type {other} cannot hold nulls"))),
    })
}
