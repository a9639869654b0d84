//! The words of the made feed: English ones by frequency and subject, names made of syllables.

use super::random::{Random, Weighted};
use std::collections::BTreeMap;

/// The list, its form described at its head.
const WORDS: &str = include_str!("words.txt");

/// Nouns that make a subject.
const SUBJECT_LEN: usize = 60;

/// How often a word is drawn that stands in one of e^(n/2) articles: -ln(1 - e^(-n/2)), in a hundred-thousandth. From
/// n = 10 on it is up to three times as often, for words as rare that the list lacks.
const RATES: [u64; 19] = [
    300_000, 93_275, 45_868, 25_248, 14_541, 8_565, 5_107, 3_066, 1_848, 1_117, 860, 580, 430, 300, 210, 140, 100, 60,
    30,
];

/// The form of a word in a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it stands in the list.
    Base = 0,
    /// Plural of a noun, third person of a verb.
    S = 1,
    /// Past of a verb.
    Past = 2,
    /// Present participle of a verb.
    Ing = 3,
}

/// What kind of word it is: a part of speech, or a kind of name that returns in news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Noun,
    Verb,
    Adjective,
    Adverb,
    Given,
    Surname,
    Place,
    Country,
    Nationality,
}

/// The kinds as the list names them.
const KINDS: [(&str, Kind); 9] = [
    ("noun", Kind::Noun),
    ("verb", Kind::Verb),
    ("adjective", Kind::Adjective),
    ("adverb", Kind::Adverb),
    ("given", Kind::Given),
    ("surname", Kind::Surname),
    ("place", Kind::Place),
    ("country", Kind::Country),
    ("nationality", Kind::Nationality),
];

/// The words, and tables to draw them by.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    forms: Vec<[String; 4]>,
    /// By part of speech, all its words.
    all: Vec<Weighted<u16>>,
    /// The nouns of each subject that has enough of them.
    subjects: Vec<Weighted<u16>>,
    /// By form, what is said in place of a word in a rewrite.
    substitutes: BTreeMap<String, String>,
}

impl Vocabulary {
    pub(crate) fn new() -> Self {
        let (mut forms, mut by_kind) = (Vec::new(), vec![Vec::new(); KINDS.len()]);
        let mut by_subject: BTreeMap<String, Vec<(u16, u64)>> = BTreeMap::new();
        let mut known: BTreeMap<(Kind, String), u16> = BTreeMap::new();
        for line in WORDS.replace("\n  ", " ").lines().filter(|line| !line.starts_with('#')) {
            let (head, words) = line.split_once(": ").expect("a line has a head");
            let [kind, subject, class] = head.split(' ').collect::<Vec<_>>()[..] else { panic!("no head: {line}") };
            let (_, kind) = KINDS.into_iter().find(|(name, _)| *name == kind).expect("a kind of word");
            let class: usize = class.parse().expect("a class is a number");
            let rate = RATES[class.min(RATES.len() - 1)];
            for word in words.split_whitespace() {
                let next = forms.len() as u16;
                let number = *known.entry((kind, word.to_string())).or_insert(next);
                if number == next {
                    forms.push(inflected(kind, word));
                    by_kind[kind as usize].push((number, rate));
                }
                if kind == Kind::Noun {
                    by_subject.entry(subject.to_string()).or_default().push((number, rate));
                }
            }
        }
        let substitutes = substitutes(&by_kind, &forms);
        let all = by_kind.iter().map(|words| Weighted::new(words)).collect();
        let subjects =
            by_subject.values().filter(|nouns| nouns.len() >= SUBJECT_LEN).map(|nouns| Weighted::new(nouns)).collect();
        Self { forms, all, subjects, substitutes }
    }

    pub(crate) fn num_subjects(&self) -> usize {
        self.subjects.len()
    }

    /// A word of any subject.
    pub(crate) fn any(&self, kind: Kind, random: &mut Random) -> u16 {
        self.all[kind as usize].draw(random)
    }

    /// A noun of a subject.
    pub(crate) fn of_subject(&self, subject: usize, random: &mut Random) -> u16 {
        self.subjects[subject].draw(random)
    }

    pub(crate) fn form(&self, word: u16, form: Form) -> &str {
        &self.forms[usize::from(word)][form as usize]
    }

    /// Another word of the same part of speech, frequency and form: always the same one.
    pub(crate) fn substitute(&self, form: &str) -> Option<&str> {
        self.substitutes.get(form).map(String::as_str)
    }
}

/// Neighbours in the list stand for each other, in every form.
fn substitutes(by_kind: &[Vec<(u16, u64)>], forms: &[[String; 4]]) -> BTreeMap<String, String> {
    let mut substitutes = BTreeMap::new();
    for words in &by_kind[..=Kind::Adverb as usize] {
        let mut words = words.clone();
        words.sort_by_key(|(number, rate)| (*rate, *number));
        for pair in words.chunks_exact(2) {
            let (first, second) = (&forms[usize::from(pair[0].0)], &forms[usize::from(pair[1].0)]);
            for (a, b) in first.iter().zip(second) {
                substitutes.entry(a.clone()).or_insert_with(|| b.clone());
                substitutes.entry(b.clone()).or_insert_with(|| a.clone());
            }
        }
    }
    substitutes
}

/// The forms of a word, regular but for a past that is given.
fn inflected(kind: Kind, word: &str) -> [String; 4] {
    if kind > Kind::Verb {
        return [(); 4].map(|()| word.to_string());
    }
    let (base, past) = word.split_once('/').map_or((word, None), |(base, past)| (base, Some(past)));
    let bytes = base.as_bytes();
    let is_vowel = |from_end: usize| bytes.len() >= from_end && b"aeiou".contains(&bytes[bytes.len() - from_end]);
    let (stem, with_s) = if base.ends_with('y') && !is_vowel(2) {
        let stem = &base[..base.len() - 1];
        (format!("{stem}i"), format!("{stem}ies"))
    } else if base.ends_with('s') && !base.ends_with("ss") && kind == Kind::Noun {
        (base.to_string(), base.to_string())
    } else if ["s", "x", "z", "ch", "sh"].iter().any(|end| base.ends_with(end)) {
        (base.to_string(), format!("{base}es"))
    } else {
        (base.to_string(), format!("{base}s"))
    };
    let is_short = bytes.len() <= 4 && !is_vowel(1) && is_vowel(2) && !is_vowel(3);
    let doubled = is_short && !b"wxy".contains(bytes.last().expect("a word has letters"));
    let last = if doubled { &base[base.len() - 1..] } else { "" };
    let regular = if base.ends_with('e') { format!("{base}d") } else { format!("{stem}{last}ed") };
    let bare = base.strip_suffix('e').filter(|rest| !rest.ends_with(['e', 'y', 'o'])).unwrap_or(base);
    [base.to_string(), with_s, past.map_or(regular, str::to_string), format!("{bare}{last}ing")]
}

const ONSETS: &[&str] = &[
    "b", "br", "c", "ch", "d", "dr", "f", "g", "gr", "h", "j", "k", "kl", "l", "m", "n", "p", "pr", "r", "s", "sh",
    "sk", "st", "t", "th", "tr", "v", "vel", "w", "wil", "y", "z",
];
const CORES: &[&str] = &["a", "e", "i", "o", "u", "ai", "ar", "en", "er", "in", "on", "or", "ul", "an", "el", "ia"];
const ENDINGS: &[&str] = &[
    "n", "r", "s", "t", "k", "l", "m", "nd", "rd", "sk", "ng", "ck", "ba", "do", "va", "ni", "ro", "ko", "ley", "ton",
    "by", "feld", "mann", "sen", "ov", "ez", "ich", "wala", "moto", "ski", "dale", "ham",
];

/// An invented word with a capital, one of eight million.
pub(crate) fn invented(random: &mut Random) -> String {
    let mut name = String::new();
    for _ in 0..2 {
        name.push_str(random.choose(ONSETS));
        name.push_str(random.choose(CORES));
    }
    name.push_str(random.choose(ENDINGS));
    name[..1].make_ascii_uppercase();
    name
}
