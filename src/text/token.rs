//! Normalised text to tokens and sentences, in one scan.
//!
//! A token is a run of letters, marks and digits with inner apostrophes; figures keep their point, comma or colon;
//! a character of a script written without spaces is a token of its own.

use super::number::{NUMBER_WORDS, number_value, scale_word};
use super::stem::{STOP_WORDS, stem};
use crate::hash::{combine, hash64};
use std::ops::Range;
use std::sync::LazyLock;

/// Seed of token hashes: part of the format of every sketch.
const TOKEN_SEED: u64 = 0x7361_6d65_7374_6f72;
/// Mixed into the hash of a figure's value, so that `two` and `2` are one token.
const NUMBER_SALT: u64 = 0x6e75_6d62_6572;
/// Quotes, brackets and stops behind a stop that are looked through for the end of a sentence.
const MAX_CLOSING: usize = 16;

/// A word that is known by itself, under the hash of its token.
#[derive(Clone, Copy, Debug)]
enum Known {
    Stop,
    Number(u64),
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
    let numbers = NUMBER_WORDS.iter().map(|(word, value)| (*word, Known::Number(value * 1000)));
    let words: Vec<(u64, Known)> =
        stops.chain(numbers).map(|(word, known)| (hash64(word.as_bytes(), TOKEN_SEED), known)).collect();
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
/// Cost: linear, about 250 MB/s on English.
#[must_use]
pub fn tokenize(text: &str, range: Range<usize>, max_tokens: usize) -> Vec<Token> {
    let mut scanner = Scanner {
        bytes: &text.as_bytes()[..range.end],
        text,
        at: range.start,
        tokens: Vec::with_capacity(((range.end - range.start) / 5).min(max_tokens)),
        names: Vec::with_capacity(64),
        initials: Vec::with_capacity(32),
        sentence: 0,
        sentence_has_token: false,
        in_quote: false,
        line_start: range.start,
        known: &KNOWN,
    };
    while scanner.at < range.end && scanner.tokens.len() < max_tokens {
        scanner.step();
    }
    let Scanner { mut tokens, mut names, initials, .. } = scanner;
    join_scales(text, &mut tokens);
    mark_initial_names(&mut tokens, &initials, &mut names);
    tokens
}

struct Scanner<'a> {
    bytes: &'a [u8],
    text: &'a str,
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
    known: &'static KnownWords,
}

impl Scanner<'_> {
    fn step(&mut self) {
        let byte = self.bytes[self.at];
        if byte == b' ' {
            self.at += 1;
            return;
        }
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
            let hash = hash64(&self.bytes[start..at], TOKEN_SEED);
            self.push(start, at, hash, hash as u32, TokenFlags::NUMBER, 0);
        }
        // `2nd`, `5th`: the ending is no token.
        let rest = &self.bytes[at..self.bytes.len().min(at + 3)];
        let ordinal = [&b"st"[..], b"nd", b"rd", b"th"].iter().any(|o| rest.starts_with(o));
        if ordinal && !rest.get(2).is_some_and(u8::is_ascii_alphanumeric) {
            self.at += 2;
        }
    }

    /// An ASCII word. Nearly all end at a blank, a comma or a full stop within a few bytes.
    fn word(&mut self) {
        let start = self.at;
        let Some((lower, len)) = lower_run(&self.bytes[start..]) else {
            return self.long_word();
        };
        let end = start + len;
        let next = self.bytes[end];
        if matches!(next, b'\'' | 0x80..) || (next == b'.' && len == 1) {
            return self.long_word();
        }
        self.at = end + usize::from(next == b' ');
        if lower[..len] == *b"us" && self.bytes[start + 1] == b'S' {
            return self.push_word(start, end, b"usa");
        }
        self.push_word(start, end, &lower[..len]);
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
        self.push_word(start, at, &lower);
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
        self.push_word(start, at, lower.as_bytes());
    }

    fn non_ascii(&mut self) {
        let Some(c) = self.char_at(self.at) else {
            self.at += 1;
            return;
        };
        let start = self.at;
        if is_spaceless(c) {
            self.at += c.len_utf8();
            let hash = hash64(&self.bytes[start..self.at], TOKEN_SEED);
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

    fn push_word(&mut self, start: usize, end: usize, lower: &[u8]) {
        let hash = hash64(lower, TOKEN_SEED);
        // No known word is longer than `seventeen`.
        let known = if lower.len() <= 9 { self.known.find(hash) } else { None };
        let mut flags = match known {
            Some(Known::Number(value)) => return self.push_number(start, end, value),
            Some(Known::Stop) => TokenFlags::STOP,
            None => 0,
        };
        if flags == TokenFlags::STOP {
            return self.push(start, end, hash, hash as u32, flags, 0);
        }
        let stemmed = stem(lower);
        let stem_hash = if stemmed.len() == lower.len() { hash as u32 } else { hash64(stemmed, TOKEN_SEED) as u32 };
        let word = &self.bytes[start..end];
        let is_capital =
            word[0].is_ascii_uppercase() || (word[0] >= 0x80 && self.char_at(start).is_some_and(char::is_uppercase));
        if is_capital {
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

/// The run of ASCII letters and digits that the bytes begin with, in lower case, and its length. `None` where it is
/// longer than the array, or where fewer bytes follow than are looked at together.
fn lower_run(bytes: &[u8]) -> Option<([u8; 32], usize)> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    let mut lower = [0; 32];
    for (i, lane) in lower.chunks_exact_mut(8).enumerate() {
        let word = u64::from_le_bytes(*bytes.get(8 * i..)?.first_chunk()?);
        // Eight bytes at once. With its highest bit off a byte plus `0x80 - x` has that bit where it is `x` or more,
        // and no carry leaves it.
        let ascii = word & !HIGH;
        let folded = ascii | (0x20 * EACH);
        let at_least = |bytes: u64, least: u8| bytes + (0x80 - u64::from(least)) * EACH;
        let letters = at_least(folded, b'a') & !at_least(folded, b'z' + 1) & HIGH;
        let digits = at_least(ascii, b'0') & !at_least(ascii, b'9' + 1);
        let others = (!(letters | digits) | word) & HIGH;
        lane.copy_from_slice(&(word | (letters >> 2)).to_le_bytes());
        if others != 0 {
            return Some((lower, 8 * i + others.trailing_zeros() as usize / 8));
        }
    }
    None
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
        let bytes: Vec<u8> = (0..=255).collect();
        for byte in bytes {
            let mut text = [b' '; 32];
            text[..3].copy_from_slice(&[b'Q', byte, b'q']);
            let (lower, len) = lower_run(&text).unwrap();
            assert_eq!(len, if byte.is_ascii_alphanumeric() { 3 } else { 1 });
            assert_eq!(lower[..len], text[..len].to_ascii_lowercase());
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
