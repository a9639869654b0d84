//! Normalised text to tokens and sentences, in one scan.
//!
//! A token is a run of letters, marks and digits with inner apostrophes; figures keep their point, comma or colon;
//! a character of a script written without spaces is a token of its own.

use super::Document;
use super::class::{Bits, Classes};
use super::credit::{Body, find_body};
use super::normalize::normalize_classified;
use super::number::{NUMBER_WORDS, number_value, scale_word};
use super::stem::{STOP_WORDS, stem, stem_len};
use crate::bits::{CHUNK_LEN, Width, kernel, widest};
use crate::hash::{combine, hash_short, hash_word};
use std::borrow::Cow;
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

/// Pairs of words kept at hand by their hash, so that a word met lately is not stemmed again. Of English news one token
/// in twenty is not among them; of half as many single words it would be one in eight.
const NUM_MET: usize = 16_384;

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

    /// Of a short ASCII word of letters and digits, filled up with zeros.
    fn of_short(lower: u128, len: usize, hash: u64) -> Self {
        let met = Self { hash, stem_hash: hash as u32, number: 0, flags: 0 };
        match KNOWN.find(hash) {
            Some(Known::Stop) => Self { flags: TokenFlags::STOP, ..met },
            Some(Known::Number(number)) => Self { number, flags: TokenFlags::NUMBER, ..met },
            None => {
                let [low, high] = WORD_MASKS[stem_len(lower, len)];
                let mask = u128::from(low) | u128::from(high) << 64;
                Self { stem_hash: hash_short(lower & mask) as u32, ..met }
            }
        }
    }

    /// The word in its place, and the one that was there in the other.
    #[cold]
    #[inline(never)]
    fn keep(self, pair: &mut [Self; 2]) -> Self {
        *pair = [self, pair[0]];
        self
    }
}

/// What a thread keeps from text to text. Nothing it answers depends on what it holds.
struct Kept {
    met: Box<[[Met; 2]; NUM_MET]>,
    classes: Classes,
    figures: Vec<u32>,
    names: Vec<u32>,
    initials: Vec<u32>,
}

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::new(Kept {
        // A hash that belongs to another slot is never met.
        met: (0..NUM_MET as u64)
            .map(|slot| [Met { hash: !slot, stem_hash: 0, number: 0, flags: 0 }; 2])
            .collect::<Box<[[Met; 2]]>>()
            .try_into()
            .expect("a slot for each"),
        classes: Classes::default(),
        figures: Vec::new(),
        names: Vec::new(),
        initials: Vec::new(),
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
/// Cost: linear, about 400 MB/s on English news, hashes and stems included.
#[must_use]
pub fn tokenize(text: &str, range: Range<usize>, max_tokens: usize) -> Vec<Token> {
    KEPT.with_borrow_mut(|kept| {
        kept.classes.fill(text.as_bytes());
        scan(widest(), text, range, max_tokens, kept)
    })
}

/// The document of a text, from one look at the classes of its bytes.
pub(super) fn read(text: &str, max_tokens: usize) -> Document<'_> {
    KEPT.with_borrow_mut(|kept| {
        kept.classes.fill(text.as_bytes());
        let text = normalize_classified(text, &kept.classes);
        if matches!(text, Cow::Owned(_)) {
            kept.classes.fill(text.as_bytes());
        }
        let Body { range: body, credits } = find_body(&text);
        let credits = credits.iter().map(|credit| (*credit).to_string()).collect();
        let tokens = scan(widest(), &text, body.clone(), max_tokens, kept);
        Document { text, body, tokens, credits }
    })
}

fn scan(width: Width, text: &str, range: Range<usize>, max_tokens: usize, kept: &mut Kept) -> Vec<Token> {
    kept.figures.clear();
    let mut scanner = Scanner {
        bytes: &text.as_bytes()[..range.end],
        text,
        at: range.start,
        tokens: Vec::with_capacity(((range.end - range.start) / 5).min(max_tokens)),
        figures: &mut kept.figures,
        names: &mut kept.names,
        num_names: 0,
        initials: &mut kept.initials,
        num_initials: 0,
        sentence: 0,
        sentence_has_token: false,
        quote: 0,
        line_start: range.start,
        met: &mut kept.met,
    };
    walk(width, &mut scanner, &kept.classes, max_tokens);
    let Scanner { mut tokens, num_names, num_initials, .. } = scanner;
    join_scales(text, &mut tokens, &kept.figures);
    mark_initial_names(&mut tokens, &kept.initials[..num_initials], &mut kept.names[..num_names]);
    tokens
}

/// From one thing to the next that a text's classes name. Words that are short and end as most do are taken at once;
/// [`Scanner::step`] takes the others and whatever is no word.
macro_rules! walk {
    ($lanes:path, $scanner:ident, $classes:ident, $max_tokens:ident) => {{
        let end = $scanner.bytes.len();
        let text = $scanner.text.as_bytes();
        let mut block = $scanner.at / CHUNK_LEN;
        let mut before = if block > 0 { $classes.word(block - 1).word >> 63 } else { 0 };
        while block * CHUNK_LEN < end && $scanner.tokens.len() < $max_tokens {
            let from = block * CHUNK_LEN;
            let (bits, next) = ($classes.word(block), $classes.word(block + 1));
            $scanner.make_room();
            let mut starts = starts(bits, before, $scanner.at, from);
            while starts != 0 {
                let bit = starts.trailing_zeros();
                let start = from + bit as usize;
                if start >= end {
                    break;
                }
                let len = (!(bits.word >> bit | next.word << 1 << (63 - bit))).trailing_zeros() as usize;
                match text[start..].first_chunk::<17>() {
                    Some(head) if is_usual(head, len) & (start + len <= end) => {
                        $scanner.at = start + len;
                        $scanner.usual_word(start, len, head);
                        starts &= starts - 1;
                    }
                    _ => {
                        $scanner.at = start;
                        $scanner.step();
                        starts = self::starts(bits, before, $scanner.at, from);
                    }
                }
                if $scanner.tokens.len() >= $max_tokens {
                    break;
                }
            }
            before = bits.word >> 63;
            block += 1;
        }
    }};
}
kernel! {
    fn walk(scanner: &mut Scanner<'_>, classes: &Classes, max_tokens: usize) = walk;
}

/// Where words and special bytes begin in the 64 bytes at `from`, from `at` on: at `at` itself a word may begin in the
/// middle of a run, behind what was taken of it.
#[inline(always)]
fn starts(bits: Bits, before: u64, at: usize, from: usize) -> u64 {
    let behind = bits.word << 1 | before;
    match at.checked_sub(from) {
        None => bits.word & !behind | bits.special,
        Some(bit) if bit < CHUNK_LEN => (bits.word & !(behind & !(1 << bit)) | bits.special) & (u64::MAX << bit),
        Some(_) => 0,
    }
}

/// Whether a run of `len` letters and digits is a word that nothing but its bytes decides: it begins with a letter, is
/// short, and no apostrophe, point of an initial or character beyond ASCII follows.
#[inline(always)]
fn is_usual(head: &[u8; 17], len: usize) -> bool {
    let next = head[len.min(16)];
    let is_letter = (head[0] | 0x20).wrapping_sub(b'a') < 26;
    is_letter & (len <= 16) & (next < 0x80) & (next != b'\'') & ((next != b'.') | (len != 1))
}

/// The bytes of a word of each length among the 16 from its start.
const WORD_MASKS: [[u64; 2]; 17] = {
    let mut masks = [[0, 0]; 17];
    let mut len = 1;
    while len <= 16 {
        let mask = u128::MAX >> (128 - 8 * len);
        masks[len] = [mask as u64, (mask >> 64) as u64];
        len += 1;
    }
    masks
};
/// The bit that is set in small letters and in digits.
const SMALL: u64 = u64::from_le_bytes([0x20; 8]);

struct Scanner<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    /// Tokens that are figures with a value.
    figures: &'a mut Vec<u32>,
    /// Stems of the names so far, with room for those of a block of bytes.
    names: &'a mut Vec<u32>,
    num_names: usize,
    /// Tokens that are capitalised only because a sentence begins, or may be names; with room likewise.
    initials: &'a mut Vec<u32>,
    num_initials: usize,
    sentence: u32,
    sentence_has_token: bool,
    /// QUOTE inside double quotes, else 0.
    quote: u8,
    line_start: usize,
    met: &'a mut [[Met; 2]; NUM_MET],
}

impl Scanner<'_> {
    /// Makes room for the names among the tokens of a block.
    #[inline(always)]
    fn make_room(&mut self) {
        for (list, len) in [(&mut *self.names, self.num_names), (&mut *self.initials, self.num_initials)] {
            if list.len() < len + CHUNK_LEN {
                list.resize(2 * (len + CHUNK_LEN), 0);
            }
        }
    }

    /// Takes what stands at the next byte.
    #[inline(never)]
    fn step(&mut self) {
        match self.byte(self.at) {
            b'0'..=b'9' => self.number(),
            b'a'..=b'z' | b'A'..=b'Z' => self.word(),
            b'"' => {
                self.quote ^= TokenFlags::QUOTE;
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
            self.quote = 0;
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

    /// A word that [`is_usual`].
    #[inline(always)]
    fn usual_word(&mut self, start: usize, len: usize, head: &[u8; 17]) {
        let half = |from: usize| head[from..].first_chunk::<8>().map_or(0, |half| u64::from_le_bytes(*half));
        let word = [half(0), half(8)];
        let mask = WORD_MASKS[len.min(16)];
        let mut lower = [(word[0] | SMALL) & mask[0], (word[1] | SMALL) & mask[1]];
        let is_us = (lower[0] == u64::from(u16::from_le_bytes(*b"us"))) & (word[0] >> 8 & 0x20 == 0);
        lower[0] |= (u64::from(is_us) * u64::from(b'a')) << 16;
        let lower = u128::from(lower[0]) | u128::from(lower[1]) << 64;
        let hash = hash_short(lower);
        let pair = &mut self.met[hash as usize % NUM_MET];
        let mut met = pair[usize::from(pair[0].hash != hash)];
        if met.hash != hash {
            met = Met::of_short(lower, len + usize::from(is_us), hash).keep(pair);
        }
        let Met { stem_hash, mut flags, number, .. } = met;
        if flags & TokenFlags::NUMBER != 0 {
            return self.push_number(start, start + len, u64::from(number) * 1000);
        }
        let is_candidate = (word[0] & 0x20 == 0) & (flags & TokenFlags::STOP == 0);
        let is_acronym = (word[0] & mask[0] & SMALL == 0) & (word[1] & mask[1] & SMALL == 0) & (len >= 2);
        let is_name = is_candidate & (self.sentence_has_token | is_acronym);
        // Written in any case and counted if true: the processor need not guess.
        self.names[self.num_names] = stem_hash;
        self.num_names += usize::from(is_name);
        self.initials[self.num_initials] = self.tokens.len() as u32;
        self.num_initials += usize::from(is_candidate & !is_name);
        flags |= TokenFlags::NAME * u8::from(is_name);
        self.push(start, start + len, hash, stem_hash, flags, 0);
    }

    /// An ASCII word; hands over to the general scan when a character beyond ASCII follows.
    fn word(&mut self) {
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
        let word = &self.bytes[start..at];
        let mut short = [0; 16];
        let is_us = |lower: &[u8]| lower == b"us" && word[1] != b's';
        if !has_points && word.len() <= 16 {
            short[..word.len()].copy_from_slice(word);
            short.make_ascii_lowercase();
            let mut len = word.len();
            if is_us(&short[..len]) {
                short[len] = b'a';
                len += 1;
            }
            return self.push_word(start, at, &short[..len]);
        }
        let mut lower = word.to_ascii_lowercase();
        if has_points {
            lower.retain(|b| *b != b'.');
        }
        if is_us(&lower) {
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

    /// A word with its lower-cased form.
    fn push_word(&mut self, start: usize, end: usize, lower: &[u8]) {
        let hash = hash_word(lower);
        let pair = &mut self.met[hash as usize % NUM_MET];
        let mut met = pair[usize::from(pair[0].hash != hash)];
        if met.hash != hash {
            met = Met::new(lower, hash).keep(pair);
        }
        let Met { stem_hash, mut flags, number, .. } = met;
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
                self.names[self.num_names] = stem_hash;
                self.num_names += 1;
            } else {
                self.initials[self.num_initials] = self.tokens.len() as u32;
                self.num_initials += 1;
            }
        }
        self.push(start, end, hash, stem_hash, flags, 0);
    }

    fn push_number(&mut self, start: usize, end: usize, value: u64) {
        let hash = number_hash(value);
        if value != 0 {
            self.figures.push(self.tokens.len() as u32);
        }
        self.push(start, end, hash, hash as u32, TokenFlags::NUMBER, value);
    }

    #[inline(always)]
    fn push(&mut self, start: usize, end: usize, hash: u64, stem_hash: u32, flags: u8, value: u64) {
        self.tokens.push(Token {
            start: start as u32,
            end: end as u32,
            hash,
            stem_hash,
            sentence: self.sentence,
            flags: TokenFlags(flags | self.quote),
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

fn is_abbreviation(word: &[u8]) -> bool {
    const ABBREVIATIONS: &[&[u8]] = &[
        b"Mr", b"Mrs", b"Ms", b"Dr", b"Prof", b"Gen", b"Col", b"Capt", b"Lt", b"Sgt", b"Sen", b"Rep", b"Gov", b"St",
        b"Jr", b"Sr", b"Inc", b"Corp", b"Co", b"Ltd", b"No", b"vs", b"Jan", b"Feb", b"Mar", b"Apr", b"Jun", b"Jul",
        b"Aug", b"Sept", b"Oct", b"Nov", b"Dec", b"Mt", b"Rev", b"Pct", b"pct",
    ];
    word.len() <= 4 && ABBREVIATIONS.contains(&word)
}

pub(super) fn is_word_char(c: char) -> bool {
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
fn join_scales(text: &str, tokens: &mut [Token], figures: &[u32]) {
    for &figure in figures {
        let [number, scale, ..] = &mut tokens[figure as usize..] else {
            break;
        };
        if scale.flags.has(TokenFlags::NUMBER) || scale.end - scale.start > 8 || scale.start - number.end > 1 {
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

/// Comparisons of stems beyond which the names are sorted first.
const MANY_NAMES: usize = 1 << 14;

/// A capitalised word at the head of a sentence is a name where it is one elsewhere in the text.
fn mark_initial_names(tokens: &mut [Token], initials: &[u32], names: &mut [u32]) {
    let is_sorted = initials.len() * names.len() > MANY_NAMES;
    if is_sorted {
        names.sort_unstable();
    }
    for &initial in initials {
        let token = &mut tokens[initial as usize];
        let is_name = match is_sorted {
            true => names.binary_search(&token.stem_hash).is_ok(),
            // No early exit: so it vectorises.
            false => names.iter().fold(false, |found, name| found | (*name == token.stem_hash)),
        };
        if is_name {
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
