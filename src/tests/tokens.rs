//! Tokens as tests put them into documents.

use crate::hash::hash64;
use crate::text::{Token, TokenFlags};

/// A word by its hash, with flags.
pub(crate) fn of_hash(hash: u32, flags: u8) -> Token {
    let flags = TokenFlags(flags);
    Token { start: 0, end: 0, hash: u64::from(hash), stem_hash: hash, sentence: 0, flags, value: 0 }
}

/// A word of a sentence as it is: a figure is a number, one with a capital a name, one with a quote in front quoted.
pub(crate) fn of_word(word: &str, sentence: u32) -> Token {
    let (is_quoted, word) = (word.starts_with('"'), word.trim_start_matches('"'));
    let value = 1000 * word.parse::<u64>().unwrap_or(0);
    let is_name = word.starts_with(char::is_uppercase);
    let flags = (TokenFlags::NUMBER * u8::from(value > 0))
        | (TokenFlags::NAME * u8::from(is_name))
        | (TokenFlags::QUOTE * u8::from(is_quoted));
    let hash = hash64(word.as_bytes(), 0);
    Token { start: 0, end: 0, hash, stem_hash: hash as u32, sentence, flags: TokenFlags(flags), value }
}
