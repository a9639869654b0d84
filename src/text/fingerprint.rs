//! The hash of a text in which neither case nor white space counts.

use crate::bits::{CHUNK_LEN, Width, kernel};
use crate::hash::hash128;
use std::cell::RefCell;

thread_local! {
    /// The bytes that are hashed, kept for their room.
    static PLAIN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// XXH3-128 of a normalised text in lower case with runs of white space as one blank and none at the ends.
pub(super) fn fingerprint(width: Width, text: &str) -> u128 {
    PLAIN.with_borrow_mut(|plain| {
        // Each chunk is written whole, wherever its end then lies.
        plain.resize(text.len() + 2 * CHUNK_LEN, 0);
        let (len, is_ascii) = write_plain(width, text.as_bytes(), plain);
        let plain = &plain[..len];
        let plain = plain.strip_suffix(b" ").unwrap_or(plain);
        if is_ascii {
            return hash128(plain);
        }
        let text = std::str::from_utf8(plain).expect("blanks and small letters stand where others stood");
        hash128(lower_case(text).as_bytes())
    })
}

macro_rules! write_plain {
    ($lanes:path, $text:ident, $out:ident) => {{
        use $lanes as lanes;
        let (mut len, mut any_high, mut after_blank) = (0, 0, 1);
        let (chunks, rest) = $text.as_chunks::<CHUNK_LEN>();
        let mut last = [b' '; CHUNK_LEN];
        last[..rest.len()].copy_from_slice(rest);
        for chunk in chunks.iter().chain([&last]) {
            let lower = chunk.map(|byte| if byte.is_ascii_whitespace() { b' ' } else { byte.to_ascii_lowercase() });
            let bytes = lanes::load(&lower);
            any_high |= lanes::high(bytes);
            let blank = lanes::equal(bytes, b' ');
            let mut dropped = blank & (blank << 1 | after_blank);
            after_blank = blank >> 63;
            // What stands between dropped blanks is written with all that follows it, and then over that.
            let mut padded = [0; 2 * CHUNK_LEN];
            let mut from = 0;
            if dropped != 0 {
                padded[..CHUNK_LEN].copy_from_slice(&lower);
                while dropped != 0 {
                    let at = dropped.trailing_zeros() as usize;
                    dropped &= dropped - 1;
                    if at > from {
                        $out[len..len + CHUNK_LEN].copy_from_slice(&padded[from..from + CHUNK_LEN]);
                    }
                    len += at - from;
                    from = at + 1;
                }
                if from < CHUNK_LEN {
                    $out[len..len + CHUNK_LEN].copy_from_slice(&padded[from..from + CHUNK_LEN]);
                }
            } else {
                $out[len..len + CHUNK_LEN].copy_from_slice(&lower);
            }
            len += CHUNK_LEN - from;
        }
        (len, any_high == 0)
    }};
}
kernel! {
    /// Writes the text in small ASCII letters and single blanks; returns how long it is, a blank at its end included, and
    /// whether it is ASCII.
    fn write_plain(text: &[u8], out: &mut [u8]) -> (usize, bool) = write_plain;
}

/// [`str::to_lowercase`] of a text whose ASCII is in lower case.
fn lower_case(text: &str) -> String {
    // The one letter whose small form depends on its neighbours.
    if text.contains('Σ') {
        return text.to_lowercase();
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte >= 0x80) {
        out.push_str(&rest[..at]);
        let mut chars = rest[at..].chars();
        out.extend(chars.next().into_iter().flat_map(char::to_lowercase));
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slow(text: &str) -> u128 {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        hash128(words.join(" ").to_lowercase().as_bytes())
    }

    proptest! {
        #[test]
        fn every_width_gives_the_hash_of_the_joined_words(
            text in "([ \n\t]{0,3}[a-zA-Z,É€ΣσİŁ]{0,9}|[ \n]{60,70}|[A-Z]{60,70}){0,40}"
        ) {
            for width in Width::ALL {
                prop_assert_eq!(fingerprint(width, &text), slow(&text));
            }
        }
    }

    #[test]
    fn edges() {
        for text in ["", " ", "\n\n", "A", " A", "ΟΔΟΣ και", &" ".repeat(64), &"AB".repeat(32), &"A ".repeat(64)]
        {
            assert_eq!(fingerprint(Width::Avx512, text), slow(text), "{text}");
        }
    }
}
