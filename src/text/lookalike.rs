//! Letters of one script that look like another's: a word that mixes scripts is put back into one.
//!
//! Only Latin, Cyrillic and Greek are looked at, letter by letter (after Unicode Technical Standard 39, "Unicode
//! Security Mechanisms", section 4). A letter is *plain* where no other of the three has one that looks like it: it tells
//! which script a word is in.

use super::token::is_word_char;

/// Letters that look alike: Latin, Cyrillic, Greek; a blank where a script has none.
#[rustfmt::skip]
const LOOK_ALIKES: [[char; 3]; 43] = [
    ['A', 'А', 'Α'], ['B', 'В', 'Β'], ['C', 'С', ' '], ['E', 'Е', 'Ε'], ['G', 'Ԍ', ' '], ['H', 'Н', 'Η'],
    ['I', 'І', 'Ι'], ['J', 'Ј', 'Ϳ'], ['K', 'К', 'Κ'], ['M', 'М', 'Μ'], ['N', ' ', 'Ν'], ['O', 'О', 'Ο'],
    ['P', 'Р', 'Ρ'], ['Q', 'Ԛ', ' '], ['S', 'Ѕ', ' '], ['T', 'Т', 'Τ'], ['V', 'Ѵ', ' '], ['W', 'Ԝ', ' '],
    ['X', 'Х', 'Χ'], ['Y', 'У', 'Υ'], ['Z', ' ', 'Ζ'],
    ['a', 'а', 'α'], ['c', 'с', ' '], ['d', 'ԁ', ' '], ['e', 'е', ' '], ['h', 'һ', ' '], ['i', 'і', 'ι'],
    ['j', 'ј', 'ϳ'], ['l', 'ӏ', ' '], ['o', 'о', 'ο'], ['p', 'р', 'ρ'], ['q', 'ԛ', ' '],
    ['s', 'ѕ', ' '], ['u', ' ', 'υ'], ['v', 'ѵ', 'ν'], ['w', 'ԝ', ' '], ['x', 'х', 'χ'], ['y', 'у', 'γ'],
    ['Ë', 'Ё', ' '], ['Ï', 'Ї', 'Ϊ'], ['ë', 'ё', ' '], ['ï', 'ї', 'ϊ'], ['ó', ' ', 'ό'],
];

/// The column of a script in [`LOOK_ALIKES`].
const LATIN: usize = 0;
const CYRILLIC: usize = 1;
const GREEK: usize = 2;

/// The normalised text with the look-alikes of other scripts put back; `None` where it stays as it is.
///
/// A word takes the script of its plain letters, one without any that of the text's; a word that has plain letters of
/// two scripts stays, and so does a word in Latin letters alone. A plain letter never changes, and so twice is once.
pub(super) fn unmask(text: &str) -> Option<String> {
    // The first bytes of Greek and Cyrillic letters.
    if !text.bytes().any(|byte| matches!(byte, 0xcd..=0xd4)) {
        return None;
    }
    let mut num_plain = [0u32; 3];
    let mut is_suspect = false;
    for (_, word) in words(text) {
        let seen = Seen::of(word);
        num_plain.iter_mut().zip(seen.num_plain).for_each(|(sum, num)| *sum += num);
        is_suspect |= seen.is_suspect();
    }
    if !is_suspect {
        return None;
    }
    // Of two as frequent the first.
    let main = (0..3).rev().max_by_key(|script| num_plain[*script]).filter(|script| num_plain[*script] > 0);
    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    for (start, word) in words(text) {
        let Some(script) = Seen::of(word).script(main) else { continue };
        out.push_str(&text[kept..start]);
        out.extend(letters(word).map(|(c, letter)| letter.and_then(|(_, row)| in_script(row?, script)).unwrap_or(c)));
        kept = start + word.len();
    }
    out.push_str(&text[kept..]);
    (out != text).then_some(out)
}

/// What the letters of a word say of its script.
struct Seen {
    num_letters: [u32; 3],
    num_plain: [u32; 3],
}

impl Seen {
    fn of(word: &str) -> Self {
        let mut seen = Self { num_letters: [0; 3], num_plain: [0; 3] };
        for (script, row) in letters(word).filter_map(|(_, letter)| letter) {
            seen.num_letters[script] += 1;
            seen.num_plain[script] += u32::from(row.is_none());
        }
        seen
    }

    fn is_mixed(&self) -> bool {
        self.num_letters.iter().filter(|num| **num > 0).count() > 1
    }

    /// Whether the word may have to change: one of one script with a plain letter stays, and one in Latin letters.
    fn is_suspect(&self) -> bool {
        self.is_mixed() || (self.num_letters[LATIN] == 0 && self.num_plain == [0; 3])
    }

    /// The script the word is to be in, where it may have to change.
    fn script(&self, main: Option<usize>) -> Option<usize> {
        let mut plain = (0..3).filter(|script| self.num_plain[*script] > 0);
        match (plain.next(), plain.next()) {
            _ if !self.is_suspect() => None,
            (Some(_), Some(_)) => None,
            (Some(script), None) => Some(script),
            // A Cyrillic word in a Greek text is no disguise.
            (None, _) => main.filter(|script| self.is_mixed() || *script == LATIN),
        }
    }
}

/// The characters of a word; with each that is a letter of the three scripts the script, and its row of [`LOOK_ALIKES`]
/// unless it is plain.
///
/// A letter under a combining mark counts as plain: another in its place might come to one character with the mark.
fn letters(word: &str) -> impl Iterator<Item = (char, Option<(usize, Option<usize>)>)> {
    let mut chars = word.chars().peekable();
    std::iter::from_fn(move || {
        let c = chars.next()?;
        let is_marked = chars.peek().is_some_and(|next| matches!(next, '\u{300}'..='\u{36f}'));
        let letter = script_of(c).map(|script| {
            let row = LOOK_ALIKES.iter().position(|row| row[script] == c);
            (script, row.filter(|_| !is_marked))
        });
        Some((c, letter))
    })
}

/// The letter of a row in a script.
fn in_script(row: usize, script: usize) -> Option<char> {
    Some(LOOK_ALIKES[row][script]).filter(|c| *c != ' ')
}

/// The column of a letter's script.
fn script_of(c: char) -> Option<usize> {
    match c {
        'A'..='Z' | 'a'..='z' | 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Some(LATIN),
        '\u{400}'..='\u{481}' | '\u{48a}'..='\u{52f}' | '\u{1c80}'..='\u{1c8a}' | '\u{a640}'..='\u{a69b}' => {
            Some(CYRILLIC)
        }
        '\u{370}'..='\u{373}' | '\u{376}'..='\u{37d}' | '\u{37f}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(GREEK),
        _ => None,
    }
}

/// The runs of letters, marks and digits of a text, each with its place.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(is_word_char)?;
        at = text[start..].find(|c| !is_word_char(c)).map_or(text.len(), |len| start + len);
        Some((start, &text[start..at]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::normalize;
    use proptest::prelude::*;

    fn unmasked(text: &str) -> String {
        unmask(text).unwrap_or_else(|| text.to_string())
    }

    /// Each letter that has a look-alike in `script`, as that.
    fn masked(text: &str, script: usize) -> String {
        text.chars()
            .map(|c| {
                let row = LOOK_ALIKES.iter().position(|row| c != ' ' && row.contains(&c));
                row.and_then(|row| in_script(row, script)).unwrap_or(c)
            })
            .collect()
    }

    const ENGLISH: &str = "Police said on Monday that a ferry was hit off Peace Island, and 12 people were hurt.";

    #[test]
    fn a_latin_text_in_the_letters_of_others_is_found() {
        for script in [CYRILLIC, GREEK] {
            let masked = masked(ENGLISH, script);
            assert_ne!(masked, ENGLISH);
            assert_eq!(unmasked(&masked), ENGLISH);
        }
        // Words that are in other letters altogether: `peace`, `said`, `a`.
        assert_eq!(unmasked("for реасе, ѕаіԁ а man"), "for peace, said a man");
    }

    #[test]
    fn other_scripts_take_their_letters_back() {
        // A Latin o in `Москва`, an a in `Αθήνα`.
        assert_eq!(unmasked("Мoсквa и область"), "Москва и область");
        assert_eq!(unmasked("Αθήνa και"), "Αθήνα και");
        // Ukrainian with an ï of Western keyboards.
        assert_eq!(unmasked("Украïнський уряд"), "Український уряд");
        // A mixed word without a plain letter goes by the text's.
        assert_eq!(unmasked("Полиция и хop"), "Полиция и хор");
    }

    #[test]
    fn what_is_no_disguise_stays() {
        for text in [
            ENGLISH,
            "Полиция сообщила о хоре, а ICE и Apple молчат: TASS, США и 5 °C.",
            "Η αστυνομία είπε ότι ο χορός της NATO και της ICC",
            "10 μm, 3 kΩ and ζ-potential",
            "«за\u{301}мок»",
            "می‌خواهم",
            "",
        ] {
            assert_eq!(unmasked(text), text);
        }
    }

    #[test]
    fn rows_are_letters_of_their_scripts_each_once() {
        let letters: Vec<char> = LOOK_ALIKES.as_flattened().iter().copied().filter(|c| *c != ' ').collect();
        let mut sorted = letters.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), letters.len());
        for row in LOOK_ALIKES {
            for (script, c) in row.into_iter().enumerate().filter(|(_, c)| *c != ' ') {
                assert_eq!(script_of(c), Some(script), "{c}");
                assert_eq!(normalize(&c.to_string()), c.to_string());
            }
        }
    }

    proptest! {
        #[test]
        fn twice_is_once(text in "([a-eoprsxyfgAсдеорТхуѕοραβν\u{301}\u{306} ]{0,12}){0,4}") {
            let once = normalize(&text).into_owned();
            prop_assert_eq!(normalize(&once), once.as_str());
        }
    }
}
