//! Normalised text to tokens and sentences, in one scan.
//!
//! A token is a run of letters, marks and digits with inner apostrophes; figures keep their point, comma or colon;
//! a character of a script written without spaces is a token of its own.

use super::number::{NUMBER_WORDS, number_value, scale_word};
use super::stem::{STOP_WORDS, stem};
use crate::bits::pack_bits;
use crate::hash::{combine, hash_short, hash_word};
use std::cell::RefCell;
use std::ops::Range;
use std::sync::LazyLock;

/// Mixed into the hash of a figure's value, so that `two` and `2` are one token.
const NUMBER_SALT: u64 = 0x6e75_6d62_6572;
/// Quotes, brackets and stops behind a stop that are looked through for the end of a sentence.
const MAX_CLOSING: usize = 16;

/// A word that is known by itself, under the hash of its token.
#[derive(Clone, Copy, Debug)]
enum Known {
    Stop,
    Number(u8),
}

/// Slots of [`KnownWords`].
const NUM_SLOTS: usize = 2048;
/// A slot that holds no word.
const FREE_SLOT: u8 = u8::MAX;

/// Stop words and number words under the hash of their token: open addressing, a tenth full, so that a word costs one
/// look; slots of a byte, so that the table stays in the nearest cache.
struct KnownWords {
    slots: [u8; NUM_SLOTS],
    words: Vec<(u64, Known)>,
}

static KNOWN: LazyLock<KnownWords> = LazyLock::new(|| {
    let stops = STOP_WORDS.iter().map(|word| (*word, Known::Stop));
    let numbers = NUMBER_WORDS.iter().map(|(word, value)| (*word, Known::Number(*value as u8)));
    let words: Vec<(u64, Known)> =
        stops.chain(numbers).map(|(word, known)| (hash_word(word.as_bytes()), known)).collect();
    assert!(words.len() < usize::from(FREE_SLOT));
    let mut slots = [FREE_SLOT; NUM_SLOTS];
    for (index, (hash, _)) in words.iter().enumerate() {
        let mut slot = *hash as usize % NUM_SLOTS;
        while slots[slot] != FREE_SLOT {
            slot = (slot + 1) % NUM_SLOTS;
        }
        slots[slot] = index as u8;
    }
    KnownWords { slots, words }
});

impl KnownWords {
    fn find(&self, hash: u64) -> Option<Known> {
        let mut slot = hash as usize % NUM_SLOTS;
        while self.slots[slot] != FREE_SLOT {
            let (known_hash, known) = self.words[usize::from(self.slots[slot])];
            if known_hash == hash {
                return Some(known);
            }
            slot = (slot + 1) % NUM_SLOTS;
        }
        None
    }
}

/// Words kept at hand by their hash, so that a word met lately is not stemmed again.
const NUM_MET: usize = 8192;

/// What follows from a word alone.
#[derive(Clone, Copy, Debug)]
struct Met {
    hash: u64,
    stem_hash: u32,
    /// The value of a number word.
    number: u8,
    /// STOP or NUMBER.
    flags: u8,
}

impl Met {
    fn new(lower: &[u8], hash: u64) -> Self {
        let met = Self { hash, stem_hash: hash as u32, number: 0, flags: 0 };
        match KNOWN.find(hash) {
            Some(Known::Stop) => Self { flags: TokenFlags::STOP, ..met },
            Some(Known::Number(number)) => Self { number, flags: TokenFlags::NUMBER, ..met },
            None => Self { stem_hash: hash_word(stem(lower)) as u32, ..met },
        }
    }
}

/// What a thread keeps from text to text. Nothing it answers depends on what it holds.
struct Kept {
    met: Vec<Met>,
    classes: Classes,
}

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::new(Kept {
        // A hash that belongs to another slot is never met.
        met: (0..NUM_MET as u64).map(|slot| Met { hash: !slot, stem_hash: 0, number: 0, flags: 0 }).collect(),
        classes: Classes::default(),
    });
}

/// What is known of a token besides its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenFlags(pub u8);

impl TokenFlags {
    /// A figure or number word.
    pub const NUMBER: u8 = 1;
    /// Capitalised inside a sentence, or an acronym.
    pub const NAME: u8 = 2;
    /// Inside double quotes.
    pub const QUOTE: u8 = 4;
    /// A stop word: not a content token.
    pub const STOP: u8 = 8;
    /// A character of a script written without spaces.
    pub const CHARACTER: u8 = 16;

    /// Whether all bits of `flag` are set.
    #[must_use]
    pub fn has(self, flag: u8) -> bool {
        self.0 & flag == flag
    }
}

/// A unit after normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// First byte in the normalised text.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
    /// Hash of the lower-cased form; figures by their value.
    pub hash: u64,
    /// Hash of the stemmed form, which content comparison uses; figures by their value.
    pub stem_hash: u32,
    /// Number of its sentence, from 0.
    pub sentence: u32,
    /// What it is.
    pub flags: TokenFlags,
    /// The value of a figure in thousandths, with its scale word applied; 0 when it is none.
    pub value: u64,
}

/// Splits the text in `range` into tokens, at most `max_tokens`.
///
/// Cost: linear, about 150 MB/s on English news, hashes and stems included.
#[must_use]
pub fn tokenize(text: &str, range: Range<usize>, max_tokens: usize) -> Vec<Token> {
    KEPT.with_borrow_mut(|kept| scan(text, range, max_tokens, kept))
}

fn scan(text: &str, range: Range<usize>, max_tokens: usize, kept: &mut Kept) -> Vec<Token> {
    let bytes = &text.as_bytes()[..range.end];
    kept.classes.fill(bytes);
    let mut scanner = Scanner {
        bytes,
        text,
        classes: &kept.classes,
        at: range.start,
        tokens: Vec::with_capacity(((range.end - range.start) / 5).min(max_tokens)),
        names: Vec::with_capacity(64),
        initials: Vec::with_capacity(32),
        sentence: 0,
        sentence_has_token: false,
        in_quote: false,
        line_start: range.start,
        met: &mut kept.met,
    };
    while scanner.tokens.len() < max_tokens && scanner.step() {}
    let Scanner { mut tokens, mut names, initials, .. } = scanner;
    join_scales(text, &mut tokens);
    mark_initial_names(&mut tokens, &initials, &mut names);
    tokens
}

struct Scanner<'a> {
    bytes: &'a [u8],
    text: &'a str,
    classes: &'a Classes,
    at: usize,
    tokens: Vec<Token>,
    /// Stems of the names so far.
    names: Vec<u32>,
    /// Tokens that are capitalised only because a sentence begins, or may be names.
    initials: Vec<u32>,
    sentence: u32,
    sentence_has_token: bool,
    in_quote: bool,
    line_start: usize,
    met: &'a mut [Met],
}

impl Scanner<'_> {
    /// Takes what stands at the next byte that is no blank; false at the end.
    fn step(&mut self) -> bool {
        self.at = self.classes.next_visible(self.at);
        let Some(&byte) = self.bytes.get(self.at) else {
            return false;
        };
        match byte {
            b'0'..=b'9' => self.number(),
            b'a'..=b'z' | b'A'..=b'Z' => self.word(),
            b'"' => {
                self.in_quote = !self.in_quote;
                self.at += 1;
            }
            b'\n' => self.newline(),
            b'.' | b'!' | b'?' => {
                if self.ends_sentence() {
                    self.end_sentence();
                }
                self.at += 1;
            }
            0..=0x7f => self.at += 1,
            _ => self.non_ascii(),
        }
        true
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..self.bytes.len())?.chars().next()
    }

    fn end_sentence(&mut self) {
        if self.sentence_has_token {
            self.sentence += 1;
            self.sentence_has_token = false;
        }
    }

    /// A blank line ends a sentence and a quotation; a single newline ends a sentence where the line is short
    /// (a heading) or already ended, so that hard-wrapped prose stays whole.
    fn newline(&mut self) {
        let line_len = self.at - self.line_start;
        let blank = line_len == 0 || self.bytes[self.line_start..self.at].iter().all(u8::is_ascii_whitespace);
        let next_upper = self.byte(self.at + 1).is_ascii_uppercase();
        if blank || !(55..=110).contains(&line_len) || (next_upper && line_len < 64) {
            self.end_sentence();
            self.in_quote = false;
        }
        self.at += 1;
        self.line_start = self.at;
    }

    /// A full stop ends a sentence when space and something that can begin one follow, and no abbreviation precedes.
    fn ends_sentence(&self) -> bool {
        let mut next = self.at + 1;
        // The last stops of a long row of them decide; looking to the end of the row from each would be quadratic.
        while next < self.at + MAX_CLOSING && matches!(self.byte(next), b'"' | b'\'' | b')' | b'.') {
            next += 1;
        }
        if next < self.bytes.len() && !self.byte(next).is_ascii_whitespace() {
            return false;
        }
        while self.byte(next).is_ascii_whitespace() && self.byte(next) != b'\n' {
            next += 1;
        }
        if self.byte(next).is_ascii_lowercase() {
            return false;
        }
        if self.bytes[self.at] != b'.' {
            return true;
        }
        let Some(last) = self.tokens.last() else {
            return true;
        };
        if last.end as usize != self.at || !self.sentence_has_token {
            return true;
        }
        let word = &self.bytes[last.start as usize..self.at];
        // `U.S.` may stand at the end of a sentence, but splits one far more often.
        let initialism = word.len() == 1 || word.contains(&b'.') && !word[0].is_ascii_digit();
        !(is_abbreviation(word) || initialism && word[0].is_ascii_alphabetic())
    }

    /// `1,200`, `6.1`, `5:12`: digits with inner separators between digits; a letter ends it (`14km`).
    fn number(&mut self) {
        let start = self.at;
        let mut at = start;
        while at < self.bytes.len() {
            let inner = matches!(self.bytes[at], b'.' | b',' | b':') && self.byte(at + 1).is_ascii_digit();
            if !self.bytes[at].is_ascii_digit() && !inner {
                break;
            }
            at += 1;
        }
        self.at = at;
        if let Some(value) = number_value(&self.bytes[start..at]) {
            self.push_number(start, at, value);
        } else {
            let hash = hash_word(&self.bytes[start..at]);
            self.push(start, at, hash, hash as u32, TokenFlags::NUMBER, 0);
        }
        // `2nd`, `5th`: the ending is no token.
        let rest = &self.bytes[at..self.bytes.len().min(at + 3)];
        let ordinal = [&b"st"[..], b"nd", b"rd", b"th"].iter().any(|o| rest.starts_with(o));
        if ordinal && !rest.get(2).is_some_and(u8::is_ascii_alphanumeric) {
            self.at += 2;
        }
    }

    /// An ASCII word. Nearly all are short and end at a blank, a comma or a full stop.
    fn word(&mut self) {
        let start = self.at;
        let end = self.classes.word_end(start);
        let next = self.byte(end);
        if end - start > 16 || matches!(next, b'\'' | 0x80..) || (next == b'.' && end - start == 1) {
            return self.long_word();
        }
        self.at = end;
        let lower = self.lower_word(start, end);
        self.push_word(start, end, hash_short(lower), || lower.to_le_bytes());
    }

    /// A short word in lower case, filled up with zeros.
    #[inline(always)]
    fn lower_word(&self, start: usize, end: usize) -> u128 {
        let text = &self.text.as_bytes()[start..];
        let word = match text.first_chunk::<16>() {
            Some(bytes) => u128::from_le_bytes(*bytes),
            None => text.iter().rev().fold(0, |word, byte| word << 8 | u128::from(*byte)),
        };
        // The bit that makes a letter small is set in digits.
        let small = word | u128::from_le_bytes([0x20; 16]);
        let lower = small & (u128::MAX >> (128 - 8 * (end - start)));
        let is_country = lower == u128::from(u16::from_le_bytes(*b"us")) && word >> 8 & 0xff == u128::from(b'S');
        lower | u128::from(u8::from(is_country) * b'a') << 16
    }

    /// Any ASCII word; hands over to the general scan when a character beyond ASCII follows.
    fn long_word(&mut self) {
        let start = self.at;
        let mut at = start;
        let mut has_points = false;
        loop {
            while self.bytes.get(at).is_some_and(u8::is_ascii_alphanumeric) {
                at += 1;
            }
            match self.byte(at) {
                b'\'' if self.byte(at + 1).is_ascii_alphabetic() => at += 1,
                // `U.S.`, `a.m.`: single letters joined by points.
                b'.' if (has_points || at == start + 1)
                    && is_initialism(&self.bytes[start..at])
                    && self.byte(at + 1).is_ascii_alphabetic()
                    && !self.byte(at + 2).is_ascii_alphanumeric() =>
                {
                    has_points = true;
                    at += 1;
                }
                0x80.. => return self.unicode_word(start),
                _ => break,
            }
        }
        self.at = at;
        let mut lower = self.bytes[start..at].to_ascii_lowercase();
        if has_points {
            lower.retain(|b| *b != b'.');
        }
        if lower == b"us" && self.bytes[start + 1] != b's' {
            lower.push(b'a');
        }
        self.push_word(start, at, hash_word(&lower), || &lower);
    }

    fn unicode_word(&mut self, start: usize) {
        let mut at = start;
        while let Some(c) = self.char_at(at) {
            let next = at + c.len_utf8();
            let joins = c == '\'' && self.char_at(next).is_some_and(is_word_char);
            if !is_word_char(c) && !joins {
                break;
            }
            at = next;
        }
        self.at = at.max(start + 1);
        let lower = self.text[start..at].to_lowercase();
        self.push_word(start, at, hash_word(lower.as_bytes()), || &lower);
    }

    fn non_ascii(&mut self) {
        let Some(c) = self.char_at(self.at) else {
            self.at += 1;
            return;
        };
        let start = self.at;
        if is_spaceless(c) {
            self.at += c.len_utf8();
            let hash = hash_word(&self.bytes[start..self.at]);
            self.push(start, self.at, hash, hash as u32, TokenFlags::CHARACTER, 0);
        } else if is_word_char(c) {
            self.unicode_word(start);
        } else {
            self.at += c.len_utf8();
            if matches!(c, '。' | '！' | '？' | '।' | '۔' | '؟') {
                self.end_sentence();
            }
        }
    }

    /// A word with its hash. `lower` gives it in lower case; zeros may follow.
    #[inline(always)]
    fn push_word<W: AsRef<[u8]>>(&mut self, start: usize, end: usize, hash: u64, lower: impl Fn() -> W) {
        let slot = &mut self.met[hash as usize % NUM_MET];
        if slot.hash != hash {
            let lower = lower();
            let lower = lower.as_ref();
            let len = lower.iter().position(|byte| *byte == 0).unwrap_or(lower.len());
            *slot = Met::new(&lower[..len], hash);
        }
        let Met { stem_hash, mut flags, number, .. } = *slot;
        if flags & TokenFlags::NUMBER != 0 {
            return self.push_number(start, end, u64::from(number) * 1000);
        }
        let word = &self.bytes[start..end];
        let is_capital =
            word[0].is_ascii_uppercase() || (word[0] >= 0x80 && self.char_at(start).is_some_and(char::is_uppercase));
        if is_capital && flags & TokenFlags::STOP == 0 {
            let is_acronym = || word.len() >= 2 && word.iter().all(|b| b.is_ascii_uppercase() || *b == b'.');
            if self.sentence_has_token || is_acronym() {
                flags |= TokenFlags::NAME;
                self.names.push(stem_hash);
            } else {
                self.initials.push(self.tokens.len() as u32);
            }
        }
        self.push(start, end, hash, stem_hash, flags, 0);
    }

    fn push_number(&mut self, start: usize, end: usize, value: u64) {
        let hash = number_hash(value);
        self.push(start, end, hash, hash as u32, TokenFlags::NUMBER, value);
    }

    fn push(&mut self, start: usize, end: usize, hash: u64, stem_hash: u32, flags: u8, value: u64) {
        let quote = if self.in_quote { TokenFlags::QUOTE } else { 0 };
        self.tokens.push(Token {
            start: start as u32,
            end: end as u32,
            hash,
            stem_hash,
            sentence: self.sentence,
            flags: TokenFlags(flags | quote),
            value,
        });
        self.sentence_has_token = true;
    }
}

fn number_hash(value: u64) -> u64 {
    combine(NUMBER_SALT, value)
}

/// Whether the bytes are single letters joined by points so far (`U`, `U.S`).
fn is_initialism(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes.iter().enumerate().all(|(i, b)| if i % 2 == 0 { b.is_ascii_alphabetic() } else { *b == b'.' })
}

/// A text's bytes by class, a bit each; one word of bits more than the text needs ends every run.
#[derive(Debug, Default)]
struct Classes {
    /// ASCII letters and digits.
    word: Vec<u64>,
    /// All but blanks.
    visible: Vec<u64>,
}

impl Classes {
    fn fill(&mut self, bytes: &[u8]) {
        let num_words = bytes.len() / 64 + 2;
        self.word.clear();
        self.word.resize(num_words, 0);
        self.visible.clear();
        self.visible.resize(num_words, u64::MAX);
        let (chunks, rest) = bytes.as_chunks::<64>();
        classify(chunks, &mut self.word, &mut self.visible);
        let mut last = [0; 64];
        last[..rest.len()].copy_from_slice(rest);
        classify(&[last], &mut self.word[chunks.len()..], &mut self.visible[chunks.len()..]);
    }

    /// The first byte from `at` on that is no blank; beyond the text when there is none.
    #[inline(always)]
    fn next_visible(&self, at: usize) -> usize {
        first_bit(at, |word| self.visible[word])
    }

    /// Where a run of ASCII letters and digits ends.
    #[inline(always)]
    fn word_end(&self, start: usize) -> usize {
        first_bit(start, |word| !self.word[word])
    }
}

/// The first bit from `at` on that is set. There must be one.
#[inline(always)]
fn first_bit(at: usize, bits: impl Fn(usize) -> u64) -> usize {
    let rest = bits(at / 64) >> (at % 64);
    if rest != 0 {
        return at + rest.trailing_zeros() as usize;
    }
    let mut word = at / 64 + 1;
    while bits(word) == 0 {
        word += 1;
    }
    word * 64 + bits(word).trailing_zeros() as usize
}

/// Sets the bits of each chunk's bytes.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn classify(chunks: &[[u8; 64]], word: &mut [u64], visible: &mut [u64]) {
    for ((chunk, word), visible) in chunks.iter().zip(word).zip(visible) {
        let (mut is_word, mut is_visible) = ([0u8; 64], [0u8; 64]);
        for i in 0..64 {
            let is_letter = (chunk[i] | 0x20).wrapping_sub(b'a') < 26;
            let is_digit = chunk[i].wrapping_sub(b'0') < 10;
            is_word[i] = u8::from(is_letter | is_digit);
            is_visible[i] = u8::from(chunk[i] != b' ');
        }
        *word = pack_bits(&is_word);
        *visible = pack_bits(&is_visible);
    }
}

fn is_abbreviation(word: &[u8]) -> bool {
    const ABBREVIATIONS: &[&[u8]] = &[
        b"Mr", b"Mrs", b"Ms", b"Dr", b"Prof", b"Gen", b"Col", b"Capt", b"Lt", b"Sgt", b"Sen", b"Rep", b"Gov", b"St",
        b"Jr", b"Sr", b"Inc", b"Corp", b"Co", b"Ltd", b"No", b"vs", b"Jan", b"Feb", b"Mar", b"Apr", b"Jun", b"Jul",
        b"Aug", b"Sept", b"Oct", b"Nov", b"Dec", b"Mt", b"Rev", b"Pct", b"pct",
    ];
    word.len() <= 4 && ABBREVIATIONS.contains(&word)
}

fn is_word_char(c: char) -> bool {
    (c.is_alphanumeric() || is_mark(c)) && !is_spaceless(c)
}

/// Combining marks that `char::is_alphanumeric` leaves out.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0487}' | '\u{0591}'..='\u{05BD}' | '\u{0610}'..='\u{061A}'
        | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{093C}' | '\u{094D}' | '\u{09BC}' | '\u{09CD}' | '\u{0A3C}'
        | '\u{0A4D}' | '\u{0ACD}' | '\u{0B4D}' | '\u{0BCD}' | '\u{0C4D}' | '\u{0CCD}' | '\u{0D4D}'
        | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}')
}

/// Characters of scripts written without spaces between words.
fn is_spaceless(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3005}'
        | '\u{3041}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// `2.2 million`: the figure takes the scale's value, the scale word stays a token.
fn join_scales(text: &str, tokens: &mut [Token]) {
    for i in 1..tokens.len() {
        let (before, after) = tokens.split_at_mut(i);
        let (number, scale) = (&mut before[i - 1], &after[0]);
        if number.value == 0 || scale.flags.has(TokenFlags::NUMBER) || scale.end - scale.start > 8 {
            continue;
        }
        if scale.start - number.end > 1 {
            continue;
        }
        let word = text.as_bytes()[scale.start as usize..scale.end as usize].to_ascii_lowercase();
        if let Some(factor) = scale_word(&word) {
            number.value = number.value.saturating_mul(factor);
            number.hash = number_hash(number.value);
            number.stem_hash = number.hash as u32;
        }
    }
}

/// A capitalised word at the head of a sentence is a name where it is one elsewhere in the text.
fn mark_initial_names(tokens: &mut [Token], initials: &[u32], names: &mut [u32]) {
    if initials.is_empty() {
        return;
    }
    names.sort_unstable();
    for &initial in initials {
        let token = &mut tokens[initial as usize];
        if names.binary_search(&token.stem_hash).is_ok() {
            token.flags.0 |= TokenFlags::NAME;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(text: &str) -> Vec<&str> {
        tokenize(text, 0..text.len(), usize::MAX).iter().map(|t| &text[t.start as usize..t.end as usize]).collect()
    }

    fn all(text: &str) -> Vec<Token> {
        tokenize(text, 0..text.len(), usize::MAX)
    }

    #[test]
    fn words_and_figures() {
        assert_eq!(forms("Oil's fall: 1,200 barrels."), ["Oil's", "fall", "1,200", "barrels"]);
        assert_eq!(forms("at 5.12am, 14km (9 miles)"), ["at", "5.12", "am", "14", "km", "9", "miles"]);
        assert_eq!(forms("U.S. and US, G20, 2nd"), ["U.S", "and", "US", "G20", "2"]);
        assert_eq!(forms("'quoted' isn't"), ["quoted", "isn't"]);
        assert_eq!(forms("Łódź naïve x"), ["Łódź", "naïve", "x"]);
        assert_eq!(forms("東京で3人"), ["東", "京", "で", "3", "人"]);
        assert_eq!(forms(""), Vec::<&str>::new());
    }

    #[test]
    fn one_value_one_token() {
        assert_eq!(all("1,200")[0].hash, all("1200")[0].hash);
        assert_eq!(all("5.12am")[0].hash, all("5:12 a.m.")[0].hash);
        assert_eq!(all("5.12am")[1].hash, all("5:12 a.m.")[1].hash);
        assert_eq!(all("three million")[0].hash, all("3 million")[0].hash);
        assert_eq!(all("3 mln")[0].value, 3_000_000_000);
        assert_eq!(all("U.S.")[0].hash, all("US")[0].hash);
        assert_ne!(all("us")[0].hash, all("US")[0].hash);
    }

    #[test]
    fn sentences_break_at_stops_not_at_abbreviations() {
        let count = |text: &str| all(text).last().map_or(0, |t| t.sentence + 1);
        assert_eq!(count("Dr. Noya of the U.S. Navy left. \"We go,\" he said. It was 6.1 then."), 3);
        assert_eq!(count("A heading\nThe text begins here and goes on."), 2);
        assert_eq!(count("One! Two? Three."), 3);
    }

    #[test]
    fn names_and_quotes_are_marked() {
        let tokens = all("Putin met Xi. \"My friend,\" said Putin.");
        let names: Vec<bool> = tokens.iter().map(|t| t.flags.has(TokenFlags::NAME)).collect();
        assert_eq!(names, [true, false, true, false, false, false, true]);
        let quotes: Vec<bool> = tokens.iter().map(|t| t.flags.has(TokenFlags::QUOTE)).collect();
        assert_eq!(quotes, [false, false, false, true, true, false, false]);
    }

    #[test]
    fn short_and_long_ways_through_a_word_agree() {
        for word in ["a", "US", "us", "U.S.", "Zaz09@[`{/:", "abcdefg", "abcdefgh", "abcdefghi", "a'b", "aé", "G20\n"]
        {
            let long = "x".repeat(20) + word;
            for word in [word, &long] {
                // Too near the end of the text the short way is not taken.
                let (near, far) = (all(word), all(&format!("{word} {}", ".".repeat(40))));
                assert_eq!(near, far, "{word}");
            }
        }
    }

    #[test]
    fn classes_are_those_of_the_bytes() {
        let bytes: Vec<u8> = (0..=255).cycle().take(700).chain([b'x'; 200]).chain([b' '; 300]).collect();
        for len in [0, 1, 63, 64, 65, 900, bytes.len()] {
            let mut classes = Classes::default();
            classes.fill(&bytes[..len]);
            for at in 0..len {
                let visible = (at..len).find(|i| bytes[*i] != b' ').unwrap_or(len);
                assert_eq!(classes.next_visible(at).min(len), visible, "{at} of {len}");
                let end = (at..len).find(|i| !bytes[*i].is_ascii_alphanumeric()).unwrap_or(len);
                assert_eq!(classes.word_end(at), end, "{at} of {len}");
            }
        }
    }

    #[test]
    fn long_rows_of_stops_cost_a_scan() {
        let row = ".".repeat(2_000_000);
        let tokens = all(&format!("One{row} Two"));
        assert_eq!(tokens.iter().map(|t| t.sentence).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(all("One ...\"..) Two")[1].sentence, 1);
    }

    #[test]
    fn the_cap_holds() {
        let text = "a ".repeat(100);
        assert_eq!(tokenize(&text, 0..text.len(), 7).len(), 7);
    }
}
