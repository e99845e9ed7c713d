//! Dividing numbers of rows.

/// Divides a number by weights: each part is rounded down, and what is left goes to the largest remainders, the first of
/// equal ones first.
pub fn largest_remainder(total: u64, weights: &[f64]) -> Vec<u64> {
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        return vec![0; weights.len()];
    }
    let exact: Vec<f64> = weights.iter().map(|weight| total as f64 * (weight / sum)).collect();
    // A product such as 1001 × 0.3 may come out a hair below a whole number that it should be.
    let whole = |share: f64| {
        if (share.round() - share).abs() < 1e-9 * share.max(1.0) { share.round() } else { share.floor() }
    };
    let mut parts: Vec<u64> = exact.iter().map(|share| whole(*share) as u64).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    let remainder = |at: usize| exact[at] - whole(exact[at]);
    order.sort_by(|a, b| remainder(*b).total_cmp(&remainder(*a)).then(a.cmp(b)));
    let mut left = total.saturating_sub(parts.iter().sum());
    for at in order.iter().cycle().take(weights.len() * 2) {
        if left == 0 {
            break;
        }
        if weights[*at] > 0.0 {
            parts[*at] += 1;
            left -= 1;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders_go_to_the_largest() {
        assert_eq!(largest_remainder(1001, &[0.6, 0.3, 0.1]), [601, 300, 100]);
        assert_eq!(largest_remainder(100, &[1.0; 5]), [20; 5]);
        assert_eq!(largest_remainder(7, &[1.0; 5]), [2, 2, 1, 1, 1]);
        assert_eq!(largest_remainder(10, &[0.3, 0.0, 0.7]), [3, 0, 7]);
        assert_eq!(largest_remainder(0, &[1.0, 2.0]), [0, 0]);
        assert_eq!(largest_remainder(3, &[0.0, 0.0]), [0, 0]);
        for total in 0..500 {
            let parts = largest_remainder(total, &[0.17, 0.33, 0.2, 0.3]);
            assert_eq!(parts.iter().sum::<u64>(), total);
        }
    }
}
