//! The Philox 2x64-10 block function.
//!
//! J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11
//! (<https://doi.org/10.1145/2063384.2063405>). A counter-based generator: every (counter, key) has its own block of
//! output, with no state to carry from one to the next.
//!
//! Of the family's members, 2x64 makes two 64-bit words with ten 64-bit multiplications where the better known 4x32
//! takes twenty; `benches/streams.rs` compares the two.

/// Multiplier of the round function.
const MULTIPLIER: u64 = 0xD2B7_4407_B1CE_6E93;
/// What the key is raised by after every round: the golden ratio's fraction in 64 bits.
const WEYL: u64 = 0x9E37_79B9_7F4A_7C15;
/// Rounds, with the authors' safety margin (six pass their tests).
const ROUNDS: u64 = 10;

/// The block of two words at `counter` under `key`.
#[inline]
pub fn philox2x64(counter: [u64; 2], key: u64) -> [u64; 2] {
    let [mut left, mut right] = counter;
    for round in 0..ROUNDS {
        let product = u128::from(left) * u128::from(MULTIPLIER);
        left = (product >> 64) as u64 ^ right ^ key.wrapping_add(round.wrapping_mul(WEYL));
        right = product as u64;
    }
    [left, right]
}

#[cfg(test)]
mod tests {
    use super::philox2x64;

    /// The three vectors for `philox2x64 10` in the authors' `kat_vectors` (Random123).
    #[test]
    fn known_answers() {
        assert_eq!(philox2x64([0, 0], 0), [0xca00a0459843d731, 0x66c24222c9a845b5]);
        assert_eq!(philox2x64([u64::MAX; 2], u64::MAX), [0x65b021d60cd8310f, 0x4d02f3222f86df20]);
        assert_eq!(
            philox2x64([0x243f6a8885a308d3, 0x13198a2e03707344], 0xa4093822299f31d0),
            [0x0a5e742c2997341c, 0xb0f883d38000de5d]
        );
    }
}
