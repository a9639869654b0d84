//! Figures: one value for `1,200` and `1200`, `5:12` and `5.12`, `three million` and `3 million`.

/// The value of a lower-cased figure in thousandths: digits with grouping commas, and one decimal point or colon.
///
/// `None` when it is no plain figure (`6.1.2`, `a4`) or too large.
///
/// ```
/// use samestory::text::number_value;
/// assert_eq!(number_value(b"1,200"), number_value(b"1200"));
/// assert_eq!(number_value(b"5:12"), number_value(b"5.12"));
/// assert_eq!(number_value(b"6.1"), Some(6_100));
/// ```
#[must_use]
pub fn number_value(figure: &[u8]) -> Option<u64> {
    let mut whole: u64 = 0;
    let mut fraction: u64 = 0;
    let mut places = 0;
    let mut in_fraction = false;
    let mut any = false;
    for &c in figure {
        match c {
            b'0'..=b'9' if in_fraction => {
                any = true;
                if places < 3 {
                    fraction = fraction * 10 + u64::from(c - b'0');
                    places += 1;
                }
            }
            b'0'..=b'9' => {
                any = true;
                whole = whole.checked_mul(10)?.checked_add(u64::from(c - b'0'))?;
            }
            b',' if !in_fraction => {}
            b'.' | b':' if !in_fraction => in_fraction = true,
            _ => return None,
        }
    }
    for _ in places..3 {
        fraction *= 10;
    }
    any.then_some(())?;
    whole.checked_mul(1000)?.checked_add(fraction)
}

/// English number words of one token. `one` is left out: it is a pronoun more often than a figure.
pub(super) const NUMBER_WORDS: &[(&str, u64)] = &[
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("nineteen", 19),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
];

/// The factor of a scale word after a figure: `million`, `mln`, `bn`, …
#[must_use]
pub(crate) fn scale_word(token: &[u8]) -> Option<u64> {
    Some(match token {
        b"hundred" => 100,
        b"thousand" => 1_000,
        b"million" | b"mln" | b"mn" | b"m" => 1_000_000,
        b"billion" | b"bln" | b"bn" => 1_000_000_000,
        b"trillion" | b"trn" => 1_000_000_000_000,
        _ => return None,
    })
}

/// How much a figure tells, 1 to 4: its significant digits. `2` agrees by chance, `471,000` and `81.87` do not.
#[must_use]
pub(crate) fn number_weight(value: u64) -> u8 {
    let mut digits = value;
    while digits != 0 && digits.is_multiple_of(10) {
        digits /= 10;
    }
    match digits {
        0..10 => 1,
        10..100 => 2,
        100..1000 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        assert_eq!(number_value(b"0.5"), Some(500));
        assert_eq!(number_value(b"12,345,678.90"), Some(12_345_678_900));
        assert_eq!(number_value(b"1.23456"), Some(1_234));
        for bad in [&b""[..], b".", b"1.2.3", b"x1", b"99999999999999999999"] {
            assert_eq!(number_value(bad), None);
        }
        assert_eq!(scale_word(b"mln"), scale_word(b"million"));
    }

    #[test]
    fn weights_count_significant_digits() {
        assert_eq!(number_weight(2_000), 1);
        assert_eq!(number_weight(1_000_000_000), 1);
        assert_eq!(number_weight(14_000), 2);
        assert_eq!(number_weight(471_000_000), 3);
        assert_eq!(number_weight(81_870), 4);
        assert_eq!(number_weight(0), 1);
    }
}
