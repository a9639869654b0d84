//! What an article or an event is about: subject, people, firms, places, figures, words that return.

use super::random::Random;
use super::vocabulary::{Form, Kind, Vocabulary, invented};

/// People and firms that return in the news over years: their ranks, as bits. The first few hundred would be as common
/// as their names are rare in the word table, which knows none of them.
const KNOWN_BITS: (usize, usize) = (8, 17);

/// A name: as it is first told, and short.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) full: String,
    pub(crate) short: String,
}

/// The cast of a telling.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    pub(crate) subject: usize,
    pub(crate) people: Vec<Name>,
    pub(crate) firms: Vec<Name>,
    pub(crate) places: Vec<String>,
    pub(crate) nationality: String,
    pub(crate) figures: Vec<String>,
    /// Nouns that return.
    pub(crate) nouns: Vec<u16>,
}

impl Cast {
    pub(crate) fn new(words: &Vocabulary, random: &mut Random) -> Self {
        let subject = random.below(words.num_subjects());
        let people = (0..random.between(1, 3)).map(|_| person(words, random)).collect();
        let firms = (0..random.between(0, 2)).map(|_| firm(random)).collect();
        let mut places: Vec<String> = vec![listed(words, Kind::Country, random), listed(words, Kind::Place, random)];
        if random.percent(30) {
            places.push(invented(random));
        }
        let figures = (0..random.between(2, 8)).map(|_| figure(random)).collect();
        let nouns = (0..random.between(6, 10))
            .map(|i| if i < 2 { words.of_subject(subject, random) } else { words.any(Kind::Noun, random) })
            .collect();
        Self { subject, people, firms, places, nationality: listed(words, Kind::Nationality, random), figures, nouns }
    }

    /// The cast of another telling of the same event: most of it, and something of its own.
    pub(crate) fn retold(&self, words: &Vocabulary, random: &mut Random) -> Self {
        let mut cast = Self::new(words, random);
        let own = cast.nouns.len() / 2;
        cast.nouns.truncate(own);
        cast.nouns.extend(self.nouns.iter().filter(|_| random.percent(60)));
        cast.people.truncate(1);
        cast.people.extend(self.people.iter().filter(|_| random.percent(70)).cloned());
        cast.firms.truncate(random.below(2));
        cast.firms.extend(self.firms.iter().filter(|_| random.percent(70)).cloned());
        cast.places.clone_from(&self.places);
        cast.figures.extend(self.figures.iter().filter(|_| random.percent(20)).cloned());
        Self { subject: self.subject, nationality: self.nationality.clone(), ..cast }
    }
}

fn listed(words: &Vocabulary, kind: Kind, random: &mut Random) -> String {
    words.form(words.any(kind, random), Form::Base).to_string()
}

/// What makes a name: of something known, the better known the more often, or of something new.
fn known_or_new(random: &mut Random) -> Random {
    let (low, high) = KNOWN_BITS;
    Random::new(if random.percent(40) { random.rank(low, high) } else { random.next() })
}

fn person(words: &Vocabulary, random: &mut Random) -> Name {
    let mut own = known_or_new(random);
    let given = listed(words, Kind::Given, &mut own);
    let short = if own.percent(60) { listed(words, Kind::Surname, &mut own) } else { invented(&mut own) };
    Name { full: format!("{given} {short}"), short }
}

/// A firm, known or new.
pub(crate) fn firm(random: &mut Random) -> Name {
    const KINDS: [&str; 12] = [
        "Corp",
        "Inc",
        "Group",
        "Holdings",
        "Bank",
        "Industries",
        "Ltd",
        "Airlines",
        "Energy",
        "Foods",
        "Systems",
        "Union",
    ];
    let mut own = known_or_new(random);
    let short = invented(&mut own);
    Name { full: format!("{short} {}", own.choose(&KINDS)), short }
}

/// A figure as news tells it: sums, shares, counts; small and round ones more often.
pub(crate) fn figure(random: &mut Random) -> String {
    match random.below(10) {
        0 => format!("{} percent", random.between(1, 99)),
        1 => format!("{}.{} percent", random.below(20), random.between(1, 9)),
        2 => format!("${}.{} million", random.between(1, 99), random.between(1, 9)),
        3 => format!("${} million", random.between(1, 90) * 10),
        4 => format!("${}.{} billion", random.between(1, 20), random.between(1, 9)),
        5 => format!("{},{:03}", random.between(1, 99), random.between(1, 999)),
        6 => format!("{}00", random.between(1, 40)),
        7 => format!("{}", random.between(10, 400)),
        8 => format!("{},000", random.between(1, 60)),
        _ => format!("{}", random.between(2, 20)),
    }
}
