//! A text's bytes by class, a bit each: what the scans of a text walk through in place of its bytes.

use crate::bits::{CHUNK_LEN, kernel, widest};

/// The bits of a text, 64 bytes a word; one word more than the text needs ends every run.
#[derive(Clone, Debug, Default)]
pub(super) struct Classes {
    words: Vec<Bits>,
    /// Whether all bytes are ASCII that normalisation keeps as it is.
    is_plain: bool,
}

/// The bits of 64 bytes, the first lowest.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bits {
    /// ASCII letters and digits.
    pub(super) word: u64,
    /// What else means something to the tokens: stops, double quotes, newlines, bytes beyond ASCII.
    pub(super) special: u64,
    /// Control characters other than newline and tab, and bytes beyond ASCII.
    pub(super) odd: u64,
}

macro_rules! classify {
    ($lanes:path, $chunks:ident, $words:ident) => {{
        use $lanes as lanes;
        let mut any_odd = 0;
        for (chunk, bits) in $chunks.iter().zip($words) {
            let chunk = lanes::load(chunk);
            let high = lanes::high(chunk);
            let newline = lanes::equal(chunk, b'\n');
            let stop = lanes::equal(chunk, b'.') | lanes::equal(chunk, b'?');
            // An exclamation mark and a double quote are neighbours.
            let mark = lanes::within(chunk, b'!', 2);
            let control = lanes::within(chunk, 0, b' ') & !(newline | lanes::equal(chunk, b'\t'));
            *bits = Bits {
                word: lanes::letters(chunk) | lanes::within(chunk, b'0', 10),
                special: high | newline | stop | mark,
                odd: high | control | lanes::equal(chunk, 0x7f),
            };
            any_odd |= bits.odd;
        }
        any_odd
    }};
}
kernel! {
    /// Sets the bits of each chunk; returns those of all that are odd.
    fn fill_chunks(chunks: &[[u8; CHUNK_LEN]], words: &mut [Bits]) -> u64 = classify;
}

impl Classes {
    /// Takes the bytes of another text.
    pub(super) fn fill(&mut self, bytes: &[u8]) {
        let width = widest();
        let (chunks, rest) = bytes.as_chunks::<CHUNK_LEN>();
        self.words.clear();
        self.words.resize(chunks.len() + 2, Bits::default());
        let mut odd = fill_chunks(width, chunks, &mut self.words);
        // Blanks are of no class.
        let mut last = [b' '; CHUNK_LEN];
        last[..rest.len()].copy_from_slice(rest);
        odd |= fill_chunks(width, &[last], &mut self.words[chunks.len()..]);
        self.is_plain = odd == 0;
    }

    /// Whether normalisation keeps the text as it is.
    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// The bits of a word; none beyond the text.
    #[inline(always)]
    pub(super) fn word(&self, word: usize) -> Bits {
        self.words.get(word).copied().unwrap_or_default()
    }

    /// The first odd byte from `at` on, if there is one.
    pub(super) fn next_odd(&self, at: usize) -> Option<usize> {
        let mut word = at / CHUNK_LEN;
        let mut bits = self.words.get(word)?.odd >> (at % CHUNK_LEN) << (at % CHUNK_LEN);
        while bits == 0 {
            word += 1;
            bits = self.words.get(word)?.odd;
        }
        Some(word * CHUNK_LEN + bits.trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::Width;

    #[test]
    fn classes_are_those_of_the_bytes() {
        let bytes: Vec<u8> = (0..=255).cycle().take(700).chain([b'x'; 200]).chain([b' '; 300]).collect();
        for len in [0, 1, 63, 64, 65, 900, bytes.len()] {
            let mut classes = Classes::default();
            classes.fill(&bytes[..len]);
            let is = |bits: u64, at: usize| bits >> (at % CHUNK_LEN) & 1 == 1;
            let is_odd = |byte: u8| !matches!(byte, b' '..=b'~' | b'\n' | b'\t');
            for at in 0..len + CHUNK_LEN {
                let (bits, byte) = (classes.word(at / CHUNK_LEN), if at < len { bytes[at] } else { b' ' });
                assert_eq!(is(bits.word, at), byte.is_ascii_alphanumeric(), "{at} of {len}");
                let is_special = matches!(byte, b'"' | b'\n' | b'.' | b'!' | b'?' | 0x80..);
                assert_eq!(is(bits.special, at), is_special, "{at} of {len}");
                assert_eq!(is(bits.odd, at), is_odd(byte), "{at} of {len}");
                assert_eq!(classes.next_odd(at), (at..len).find(|i| is_odd(bytes[*i])), "{at} of {len}");
            }
            assert_eq!(classes.is_plain(), !bytes[..len].iter().any(|byte| is_odd(*byte)));
        }
    }

    #[test]
    fn every_width_gives_the_same_classes() {
        let chunks: [[u8; CHUNK_LEN]; 4] = std::array::from_fn(|c| std::array::from_fn(|i| (c * 64 + i) as u8));
        let filled = Width::ALL.map(|width| {
            let mut words = [Bits::default(); 4];
            let odd = fill_chunks(width, &chunks, &mut words);
            (odd, words.map(|bits| (bits.word, bits.special, bits.odd)))
        });
        assert!(filled[0] == filled[1] && filled[1] == filled[2]);
    }
}
