//! Bytes of a feed's text to normalised text: NFKC, plain quotes and dashes, nothing invisible, no letters that pass
//! for others. Case is kept.

use super::class::Classes;
use super::lookalike::unmask;
use icu_normalizer::ComposingNormalizerBorrowed;
use std::borrow::Cow;

/// The text in NFKC with quotes, apostrophes and dashes in their ASCII forms, and without what shows nothing:
/// zero-width characters, soft hyphens, directional marks, variation selectors, tags, fillers, and control characters
/// other than white space. Joiners go in every script: Persian and the scripts of India set them in a word or leave them out. In
/// a word that mixes Latin, Cyrillic and Greek, letters that look like another script's are put back.
///
/// ASCII text without control characters comes back borrowed. Cost: linear; about 2 GB/s on English.
///
/// ```
/// use samestory::text::normalize;
/// assert_eq!(normalize("“It’s ﬁne” — he\u{200b}said"), "\"It's fine\" - hesaid");
/// assert_eq!(normalize("a f\u{435}rry"), "a ferry"); // a Cyrillic е
/// ```
#[must_use]
pub fn normalize(text: &str) -> Cow<'_, str> {
    let mut classes = Classes::default();
    classes.fill(text.as_bytes());
    normalize_classified(text, &classes)
}

/// The same from the classes of the text's bytes.
pub(super) fn normalize_classified<'a>(text: &'a str, classes: &Classes) -> Cow<'a, str> {
    if classes.is_plain() {
        return Cow::Borrowed(text);
    }
    if let Some(out) = fold_all(text, classes, fold_composed) {
        return Cow::Owned(out);
    }
    // What is invisible goes first: it would keep a letter from its accent.
    let visible = match text.contains(is_invisible) {
        true => Cow::Owned(text.replace(is_invisible, "")),
        false => Cow::Borrowed(text),
    };
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(&visible);
    let mut composed_classes = Classes::default();
    composed_classes.fill(composed.as_bytes());
    let folded = fold_all(&composed, &composed_classes, |c| Some(fold(c))).unwrap_or_default();
    Cow::Owned(unmask(&folded).unwrap_or(folded))
}

/// The text with each character folded; `None` as soon as `fold` has no answer.
fn fold_all(text: &str, classes: &Classes, fold: impl Fn(char) -> Option<Fold>) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 16);
    // Stretches of plain ASCII are copied whole.
    let mut kept = 0;
    let mut at = 0;
    while let Some(odd) = classes.next_odd(at) {
        let c = text[odd..].chars().next()?;
        at = odd + c.len_utf8();
        let folded = fold(c)?;
        if matches!(folded, Fold::Keep) {
            continue;
        }
        out.push_str(&text[kept..odd]);
        kept = at;
        match folded {
            Fold::Keep | Fold::Drop => {}
            Fold::To(plain) => out.push(plain),
            Fold::ToStops => out.push_str("..."),
        }
    }
    out.push_str(&text[kept..]);
    Some(out)
}

/// What the NFKC of a character folds to, for those whose NFKC neither depends on their neighbours nor changes them:
/// ASCII, Western letters with their accents, and the signs of typeset English. `None` where that takes a table to see.
fn fold_composed(c: char) -> Option<Fold> {
    match c {
        '\0'..='\x7f'
        | '¡'..='§'
        | '©'
        | '«'..='®'
        | '°'..='±'
        | '¶'..='·'
        | '»'
        | '¿'..='ÿ'
        | '\u{200b}'..='\u{2010}'
        | '–'
        | '—'
        | '\u{2018}'..='\u{201f}'
        | '•'
        | '\u{2060}'
        | '€'
        | '\u{feff}' => Some(fold(c)),
        '\u{a0}' | '\u{202f}' => Some(Fold::To(' ')),
        '\u{2011}' => Some(Fold::To('-')),
        '…' => Some(Fold::ToStops),
        _ => None,
    }
}

enum Fold {
    Keep,
    Drop,
    To(char),
    ToStops,
}

fn fold(c: char) -> Fold {
    match c {
        ' '..='~' | '\n' | '\t' => Fold::Keep,
        c if is_invisible(c) => Fold::Drop,
        // Quotes and dashes of Windows code pages that were read as Latin-1 are among the controls.
        '\u{91}' | '\u{92}' | '\u{2018}'..='\u{201B}' | '\u{2032}' | '\u{02BC}' => Fold::To('\''),
        '\u{93}' | '\u{94}' | '\u{201C}'..='\u{201F}' | '\u{00AB}' | '\u{00BB}' => Fold::To('"'),
        '\u{96}' | '\u{97}' | '\u{2010}'..='\u{2015}' | '\u{2212}' => Fold::To('-'),
        '\u{85}' | '\u{2028}' | '\u{2029}' => Fold::To('\n'),
        c if c.is_control() || c.is_whitespace() => Fold::To(' '),
        _ => Fold::Keep,
    }
}

/// Whether a character shows nothing and takes no room: carriage returns, controls but those that are or were meant as
/// white space or signs, what Unicode calls default-ignorable (DerivedCoreProperties.txt), and annotation marks.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\0'..='\x08' | '\r' | '\x0e'..='\x1b' | '\x7f'..='\u{84}' | '\u{86}'..='\u{90}' | '\u{95}'
        | '\u{98}'..='\u{9F}' | '\u{AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(normalize("Oil fell 2 %.\n"), Cow::Borrowed(_)));
        assert!(matches!(normalize(""), Cow::Borrowed(_)));
    }

    #[test]
    fn forms_of_one_text_are_one() {
        assert_eq!(normalize("cafe\u{301}"), normalize("caf\u{e9}"));
        assert_eq!(normalize("１２３"), "123");
        assert_eq!(normalize("a\u{0}b\u{b}c\u{a0}d\r\n"), "ab c d\n");
        assert_eq!(normalize("it\u{92}s \u{93}so\u{94}"), "it's \"so\"");
        assert_eq!(normalize("“x”"), normalize("«x»"));
    }

    #[test]
    fn what_is_invisible_hides_nothing() {
        let ignorable = "\u{ad}\u{34f}\u{200b}\u{200d}\u{202e}\u{2060}\u{3164}\u{ffa0}\u{fe0f}\u{e0041}\u{1}\r";
        for c in ignorable.chars() {
            assert_eq!(normalize(&format!("fer{c}ry")), "ferry", "{c:?}");
            assert_eq!(normalize(&format!("cafe{c}\u{301}")), "café", "{c:?}");
        }
        // With joiners and without, as Persian and Malayalam are written.
        assert_eq!(normalize("می\u{200c}خواهم"), normalize("میخواهم"));
        assert_eq!(normalize("ന്\u{200d}"), normalize("ന്"));
    }

    #[test]
    fn composed_characters_are_folded_as_their_form_is() {
        let by_table = |text: &str| {
            let text = text.replace(is_invisible, "");
            let nfkc = ComposingNormalizerBorrowed::new_nfkc().normalize(&text);
            let fold_one = |c| match fold(c) {
                Fold::Keep => c.to_string(),
                Fold::Drop => String::new(),
                Fold::To(plain) => plain.to_string(),
                Fold::ToStops => unreachable!("NFKC has no such character"),
            };
            nfkc.chars().map(fold_one).collect::<String>()
        };
        let composed: Vec<char> = ('\0'..=char::MAX).filter(|c| fold_composed(*c).is_some()).collect();
        assert!(composed.len() > 200);
        for a in &composed {
            for b in &composed {
                let pair = format!("{a}{b}");
                assert_eq!(normalize(&pair), by_table(&pair));
            }
        }
        for text in ["e\u{301}", "1½", "“It’s” — Zoë…", "a\u{200d}\u{301}…\u{301}"] {
            assert_eq!(normalize(text), by_table(text));
        }
        assert!(fold_composed('\u{301}').is_none() && fold_composed('½').is_none());
    }

    #[test]
    fn normalising_twice_changes_nothing() {
        for text in ["“It’s”", "ﬁ\u{200d}x", "½ — ok", "東京\u{3000}で", "\u{1F468}\u{200D}\u{1F469}", "a\r\u{301}"]
        {
            let once = normalize(text).into_owned();
            assert_eq!(normalize(&once), once);
        }
    }
}
