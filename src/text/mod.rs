//! Text: bytes → normalised text → body without credits → tokens with sentences, names, figures and quotes.

mod class;
mod credit;
mod date;
mod fingerprint;
mod language;
mod lookalike;
mod normalize;
mod number;
mod stem;
mod token;

pub(crate) use credit::slug_len;
pub use credit::{Body, find_body};
pub use date::{Date, find_dates};
pub use language::{guess_language, language_name};
pub use normalize::normalize;
pub use number::number_value;
pub(crate) use number::number_weight;
pub use stem::stem;
pub use token::{Token, TokenFlags, tokenize};

use crate::bits::widest;
use fingerprint::fingerprint;
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
        token::read(text, max_tokens)
    }

    /// XXH3-128 of the body in lower case with runs of white space as one space: what `exact` means.
    #[must_use]
    pub fn fingerprint(&self) -> u128 {
        fingerprint(widest(), &self.text[self.body.clone()])
    }

    /// The normalised form of a token, as written.
    #[must_use]
    pub fn form(&self, token: &Token) -> &str {
        &self.text[token.start as usize..token.end as usize]
    }
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
