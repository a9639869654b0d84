//! Text: bytes → normalised text → body without credits → tokens with sentences, names, figures and quotes.

mod credit;
mod date;
mod language;
mod normalize;
mod number;
mod stem;
mod token;

pub(crate) use credit::slug_len;
pub use credit::{Body, find_body};
pub use date::{Date, find_dates};
pub use language::{guess_language, language_name};
pub use normalize::normalize;
pub use number::{number_value, number_weight, number_word, scale_word};
pub use stem::{is_stop_word, stem};
pub use token::{Token, TokenFlags, tokenize};

use crate::hash::hash128;
use std::borrow::Cow;

/// An article's text after normalisation, cut into tokens.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// The normalised text, credits included; token offsets point into it.
    pub text: Cow<'a, str>,
    /// The part that is compared.
    pub body: std::ops::Range<usize>,
    /// The tokens of the body.
    pub tokens: Vec<Token>,
    /// What was left out at the edges.
    pub credits: Vec<String>,
}

impl<'a> Document<'a> {
    /// Normalises and tokenises a text; at most `max_tokens` tokens are made.
    ///
    /// ```
    /// use samestory::text::Document;
    /// let document = Document::new("LIMA (Kestrel) - Rain fell on Lima for a fourth day, and two roads were cut.", 1000);
    /// assert_eq!(document.tokens.len(), 13);
    /// assert_eq!(document.credits, ["LIMA (Kestrel) -"]);
    /// ```
    #[must_use]
    pub fn new(text: &'a str, max_tokens: usize) -> Self {
        let text = normalize(text);
        let body = find_body(&text);
        let credits = body.credits.iter().map(|c| (*c).to_string()).collect();
        let range = body.range;
        let tokens = tokenize(&text, range.clone(), max_tokens);
        Self { text, body: range, tokens, credits }
    }

    /// XXH3-128 of the body in lower case with runs of white space as one space: what `exact` means.
    #[must_use]
    pub fn fingerprint(&self) -> u128 {
        let body = self.text[self.body.clone()].as_bytes();
        let mut plain = Vec::with_capacity(body.len());
        // Normalised text has no white space beyond ASCII's.
        let mut after_blank = true;
        let (chunks, rest) = body.as_chunks::<CHUNK_LEN>();
        for chunk in chunks.iter().map(|chunk| &chunk[..]).chain([rest]) {
            if let Ok(chunk) = chunk.try_into()
                && is_single_spaced(chunk)
                && !(after_blank && chunk[0] == b' ')
            {
                plain.extend_from_slice(&chunk.map(|byte| byte.to_ascii_lowercase()));
                after_blank = chunk[CHUNK_LEN - 1] == b' ';
                continue;
            }
            for byte in chunk {
                let is_blank = byte.is_ascii_whitespace();
                if !is_blank {
                    plain.push(byte.to_ascii_lowercase());
                } else if !after_blank {
                    plain.push(b' ');
                }
                after_blank = is_blank;
            }
        }
        if plain.last() == Some(&b' ') {
            plain.pop();
        }
        if !plain.is_ascii() {
            plain = String::from_utf8_lossy(&plain).to_lowercase().into_bytes();
        }
        hash128(&plain)
    }

    /// The normalised form of a token, as written.
    #[must_use]
    pub fn form(&self, token: &Token) -> &str {
        &self.text[token.start as usize..token.end as usize]
    }
}

/// Bytes looked at together where the loop vectorises.
const CHUNK_LEN: usize = 32;

/// Whether the only white space is single blanks; also false for other bytes below a blank.
fn is_single_spaced(chunk: &[u8; CHUNK_LEN]) -> bool {
    // No early exit: such a loop would not vectorise.
    let mut found = chunk[CHUNK_LEN - 1] < b' ';
    for i in 0..CHUNK_LEN - 1 {
        found |= (chunk[i] < b' ') | ((chunk[i] == b' ') & (chunk[i + 1] == b' '));
    }
    !found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_space_and_credits_do_not_change_the_fingerprint() {
        let plain = "Rain fell on the city for a fourth day and cut two roads to the north of it.";
        let print = |text: &str| Document::new(text, 1000).fingerprint();
        assert_eq!(print(plain), print(&plain.to_uppercase()));
        assert_eq!(print(plain), print(&plain.replace(' ', "\n ")));
        assert_eq!(print(plain), print(&format!("LIMA (Kestrel) - {plain}")));
        assert_ne!(print(plain), print(&plain.replace("two", "three")));
        assert_eq!(print(""), print("  \n"));
    }
}
