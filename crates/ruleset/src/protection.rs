//! Noise on the columns of a table, record by record, as a ruleset asks for it.

use crate::decode::{Number, Positive, Spanned};
use crate::params;

params! {
    /// How a column is protected before its rows are written: by one of these.
    pub struct Protection {
        /// The value is told as it is with some probability, and is else any other of those listed. For text and bool.
        randomised_response: Option<Spanned<RandomisedResponse>>,
        /// Discrete Laplace noise. For int and float.
        laplace: Option<Spanned<LaplaceNoise>>,
        /// Discrete Gaussian noise. For int and float.
        gaussian: Option<Spanned<GaussianNoise>>,
    }
}

params! {
    /// Randomised response.
    pub struct RandomisedResponse {
        /// What a record loses at most by this column: pure epsilon.
        epsilon: Positive,
        /// The values that there can be, as is known to everybody. Any other value becomes one of them at random; so does null in rows that come from a file.
        values: Vec<String>,
    }
}

params! {
    /// Discrete Laplace noise.
    pub struct LaplaceNoise {
        /// What a record loses at most by this column: pure epsilon.
        epsilon: Positive,
        /// Least value that there can be; smaller ones are raised to it before noise is added.
        min: Number,
        /// Greatest value that there can be.
        max: Number,
        /// What values are rounded to a multiple of.
        step: Positive = Positive(1.0),
    }
}

params! {
    /// Discrete Gaussian noise.
    pub struct GaussianNoise {
        /// What a record loses at most by this column: rho of zero-concentrated differential privacy.
        rho: Positive,
        /// Least value that there can be; smaller ones are raised to it before noise is added.
        min: Number,
        /// Greatest value that there can be.
        max: Number,
        /// What values are rounded to a multiple of.
        step: Positive = Positive(1.0),
    }
}
