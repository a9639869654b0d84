//! Fixed-point logarithm, exponential, square root and ratio: integers in, integers out, the same on every machine.
//!
//! Floating-point `ln` and `exp` come from the platform's mathematical library and differ in the last bit between
//! machines. Nothing that reaches a key, a score or an output may use them.

/// One, in the 12-bit fixed point that all evidence is held in.
pub const ONE: i32 = 1 << 12;

/// ln 2 with 32 fractional bits.
const LN_2_Q32: u64 = 2_977_044_472;

/// log2 e with 30 fractional bits.
const LOG2_E_Q30: i64 = 1_549_082_005;

/// `num / den` in 12-bit fixed point, at most [`ONE`]; 0 when `den` is 0.
#[must_use]
pub fn ratio(num: u64, den: u64) -> i32 {
    if den == 0 {
        return 0;
    }
    ((num.min(den) as u128 * ONE as u128) / den as u128) as i32
}

/// Base-2 logarithm with 16 fractional bits, rounded down; 0 for 0.
///
/// Bit by bit: squaring a number in [1, 2) doubles its logarithm.
#[must_use]
pub(crate) fn log2_q16(x: u64) -> u32 {
    if x == 0 {
        return 0;
    }
    let whole = 63 - x.leading_zeros();
    let mut mantissa = x << (63 - whole); // in [1, 2) with 63 fractional bits
    let mut fraction = 0;
    for bit in (0..16).rev() {
        let square = (u128::from(mantissa) * u128::from(mantissa)) >> 63;
        if square >> 64 != 0 {
            fraction |= 1 << bit;
            mantissa = (square >> 1) as u64;
        } else {
            mantissa = square as u64;
        }
    }
    (whole << 16) | fraction
}

/// Natural logarithm with 16 fractional bits, rounded down; 0 for 0.
///
/// ```
/// assert_eq!(samestory::fixed::ln_q16(1), 0);
/// assert_eq!(samestory::fixed::ln_q16(20_000) >> 16, 9); // ln 20,000 = 9.90
/// ```
#[must_use]
pub fn ln_q16(x: u64) -> u32 {
    ((u64::from(log2_q16(x)) * LN_2_Q32) >> 32) as u32
}

/// `exp(-x)` with 30 fractional bits, for `x >= 0` with 16 fractional bits.
#[must_use]
pub(crate) fn exp_neg_q30(x_q16: u32) -> u32 {
    // 2^-(1/2), 2^-(1/4), … with 30 fractional bits.
    const ROOTS: [u64; 16] = [
        759_250_125,
        902_905_651,
        984_625_594,
        1_028_218_693,
        1_050_733_751,
        1_062_175_491,
        1_067_942_999,
        1_070_838_486,
        1_072_289_173,
        1_073_015_252,
        1_073_378_477,
        1_073_560_135,
        1_073_650_976,
        1_073_696_399,
        1_073_719_111,
        1_073_730_468,
    ];
    let log2 = (i64::from(x_q16) * LOG2_E_Q30) >> 30; // 16 fractional bits
    let whole = log2 >> 16;
    if whole > 30 {
        return 0;
    }
    let mut value: u64 = 1 << 30;
    for (i, root) in ROOTS.iter().enumerate() {
        if log2 & (1 << (15 - i)) != 0 {
            value = (value * root) >> 30;
        }
    }
    (value >> whole) as u32
}

/// The logistic function of a log-odds in units of 1/1024, as parts of 10,000.
///
/// ```
/// assert_eq!(samestory::fixed::probability_e4(0), 5_000);
/// assert_eq!(samestory::fixed::probability_e4(5 * 1024), 9_933);
/// ```
#[must_use]
pub fn probability_e4(logit_q10: i32) -> u16 {
    let small = u64::from(exp_neg_q30(logit_q10.unsigned_abs().saturating_mul(64)));
    let one = 1u64 << 30;
    // 1 / (1 + e^-|x|), rounded to the nearest part.
    let upper = ((10_000 * one + (one + small) / 2) / (one + small)) as u16;
    if logit_q10 >= 0 { upper } else { 10_000 - upper }
}

/// The log-odds in units of 1/1024 of a probability in parts of 10,000, within ±9.2 (0.0001 to 0.9999).
#[must_use]
pub fn logit_q10(probability_e4: u16) -> i32 {
    let p = u64::from(probability_e4.clamp(1, 9_999));
    (ln_q16(p) as i32 - ln_q16(10_000 - p) as i32) / 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_follow_floating_point() {
        for x in [1u64, 2, 3, 7, 10, 1000, 24_218, u64::from(u32::MAX), u64::MAX] {
            let expected = (x as f64).ln();
            let got = f64::from(ln_q16(x)) / 65536.0;
            assert!((got - expected).abs() < 5e-5, "ln {x}: {got} against {expected}");
        }
        assert_eq!(ln_q16(0), 0);
    }

    #[test]
    fn exponentials_follow_floating_point() {
        for x in [0.0f64, 0.01, 0.5, 1.0, 3.3, 9.0, 20.0] {
            let got = f64::from(exp_neg_q30((x * 65536.0) as u32)) / f64::from(1 << 30);
            assert!((got - (-x).exp()).abs() < 3e-5, "exp -{x}: {got}");
        }
        assert_eq!(exp_neg_q30(u32::MAX), 0);
    }

    #[test]
    fn probabilities_are_symmetric_and_monotone() {
        let mut last = 0;
        for logit in (-12_000..12_000).step_by(37) {
            let p = probability_e4(logit);
            assert!(p >= last);
            assert_eq!(p + probability_e4(-logit), 10_000);
            last = p;
        }
        assert_eq!(probability_e4(i32::MAX), 10_000);
        assert_eq!(probability_e4(i32::MIN), 0);
        assert!((logit_q10(9_933) - 5 * 1024).abs() < 20);
    }

    #[test]
    fn ratios_stay_within_one() {
        assert_eq!(ratio(1, 0), 0);
        assert_eq!(ratio(3, 2), ONE);
        assert_eq!(ratio(1, 4), ONE / 4);
        assert_eq!(ratio(u64::MAX, u64::MAX), ONE);
    }
}
