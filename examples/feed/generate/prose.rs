//! Sentences, paragraphs and headlines: English in form, without sense.

use super::cast::{Cast, figure};
use super::random::Random;
use super::vocabulary::{Form, Kind, Vocabulary, invented};

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const PREPOSITIONS: [&str; 16] = [
    "of", "in", "for", "with", "on", "at", "by", "from", "to", "against", "after", "under", "over", "about", "between",
    "of",
];
const PRONOUNS: [&str; 12] = [
    "he",
    "she",
    "it",
    "they",
    "this",
    "some of them",
    "those who are there",
    "we",
    "many",
    "most of us",
    "no one",
    "all",
];
const WHOSE: [&str; 8] = ["its", "their", "his", "her", "this", "that", "any", "our"];
const JOINTS: [&str; 8] = ["after", "because", "while", "before", "when", "as", "but", "although"];
const MODALS: [&str; 6] = ["would", "will", "could", "may", "should", "must"];
const TAILS: [&str; 4] = ["said", "said", "told the paper", "said on the phone"];
/// Rare things, by rank as bits.
const RARE_BITS: (usize, usize) = (12, 22);

/// Writes prose about a cast.
pub(crate) struct Prose<'a> {
    pub(crate) words: &'a Vocabulary,
    pub(crate) cast: &'a Cast,
    pub(crate) random: &'a mut Random,
    pub(crate) out: String,
    /// Words written.
    pub(crate) len: usize,
}

impl Prose<'_> {
    /// Paragraphs until so many words are written, each ended by a line break but the last.
    pub(crate) fn paragraphs(&mut self, len: usize, gap: &str) {
        let end = self.len + len;
        while self.len < end {
            if !self.out.is_empty() {
                self.out.push_str(gap);
            }
            let num_sentences = self.random.between(1, 3);
            self.paragraph(num_sentences);
        }
    }

    /// Sentences of one paragraph.
    pub(crate) fn paragraph(&mut self, num_sentences: usize) {
        for i in 0..num_sentences {
            if i > 0 {
                self.out.push(' ');
            }
            self.sentence();
        }
    }

    fn sentence(&mut self) {
        let start = self.out.len();
        match self.random.below(12) {
            0 => {
                self.speaker();
                self.text(" said ");
                self.clause();
            }
            1 => {
                self.text("In ");
                self.place();
                self.text(", ");
                self.clause();
            }
            2 => {
                self.text("On ");
                let day = self.random.choose(&DAYS);
                self.text(day);
                self.text(", ");
                self.clause();
            }
            3 => {
                self.clause();
                self.text(", ");
                self.speaker();
                self.text(" ");
                let tail = self.random.choose(&TAILS);
                self.text(tail);
            }
            4 => {
                self.out.push('"');
                self.clause();
                self.text(",\" ");
                self.speaker();
                self.text(" said");
            }
            5 => {
                self.clause();
                self.text(", which ");
                self.predicate();
            }
            6 => {
                self.clause();
                self.text(" and ");
                self.predicate();
            }
            7 => {
                self.clause();
                self.text(" ");
                self.adverb();
            }
            8 => {
                self.text("The ");
                self.noun(Form::Base);
                self.out.push(' ');
                self.verb(Form::Past);
                self.text(" to ");
                self.figure();
                self.text(" from ");
                self.figure();
                self.text(" in ");
                let month = self.random.choose(&MONTHS);
                self.text(month);
            }
            9 | 10 => {
                self.clause();
                self.text(" ");
                let joint = self.random.choose(&JOINTS);
                self.text(joint);
                self.text(" ");
                self.clause();
            }
            _ => self.clause(),
        }
        self.out.push('.');
        let first = start + usize::from(self.out.as_bytes()[start] == b'"');
        self.out[first..=first].make_ascii_uppercase();
    }

    fn clause(&mut self) {
        self.subject();
        self.out.push(' ');
        self.predicate();
        while self.random.percent(55) {
            self.phrase();
        }
    }

    /// The fixed part of a form's sentence: no name, place or figure.
    pub(crate) fn form_clause(&mut self) {
        self.out.push(' ');
        self.verb(Form::Past);
        self.text(" the ");
        self.adjective();
        self.out.push(' ');
        self.noun(Form::Base);
        self.text(" of ");
        self.noun(Form::S);
        self.text(" as the ");
        self.noun(Form::Base);
        self.out.push(' ');
        self.verb(Form::Past);
    }

    /// A verb with what belongs to it.
    fn predicate(&mut self) {
        match self.random.below(8) {
            0 => {
                let modal = self.random.choose(&MODALS);
                self.text(modal);
                self.out.push(' ');
                self.verb(Form::Base);
            }
            1 => {
                self.text("has ");
                self.verb(Form::Past);
            }
            2 => {
                self.text("was ");
                self.verb(Form::Ing);
            }
            3 => {
                self.text("was ");
                self.adjective();
                return self.phrase();
            }
            4 => {
                self.verb(Form::Past);
                self.text(" to ");
                self.verb(Form::Base);
            }
            _ => self.verb(Form::Past),
        }
        self.out.push(' ');
        self.object();
    }

    fn phrase(&mut self) {
        self.out.push(' ');
        let preposition = self.random.choose(&PREPOSITIONS);
        self.text(preposition);
        self.out.push(' ');
        self.object();
    }

    fn subject(&mut self) {
        match self.random.below(10) {
            0 | 1 => self.name(),
            2 | 3 => {
                let pronoun = self.random.choose(&PRONOUNS);
                self.text(pronoun);
            }
            _ => self.noun_phrase(),
        }
    }

    fn object(&mut self) {
        match self.random.below(12) {
            0 if self.random.percent(50) => self.name(),
            1 if self.random.percent(70) => self.place(),
            2 => self.figure(),
            3 => {
                self.figure();
                self.out.push(' ');
                self.noun(Form::S);
            }
            _ => self.noun_phrase(),
        }
    }

    fn noun_phrase(&mut self) {
        match self.random.below(10) {
            0..3 => self.text("the "),
            3 | 4 => {
                let whose = self.random.choose(&WHOSE);
                self.text(whose);
                self.out.push(' ');
            }
            5 => {
                self.text("the ");
                self.noun(Form::Base);
                self.text(" of ");
                return self.noun(Form::S);
            }
            6 => {
                self.text("the ");
                let nationality = &self.cast.nationality;
                self.text(nationality);
                self.out.push(' ');
            }
            7 => {
                self.adjective();
                self.out.push(' ');
                return self.noun(Form::S);
            }
            8 => return self.noun(Form::S),
            _ => {
                self.text("the ");
                self.adjective();
                self.out.push(' ');
            }
        }
        self.noun(Form::Base);
    }

    fn noun(&mut self, form: Form) {
        if self.random.below(64) == 0 {
            let (low, high) = RARE_BITS;
            let thing = invented(&mut Random::new(self.random.rank(low, high) << 32));
            return self.text(&thing.to_ascii_lowercase());
        }
        let noun = match self.random.below(20) {
            0..3 => self.random.choose(&self.cast.nouns),
            3..7 => self.words.of_subject(self.cast.subject, self.random),
            _ => self.words.any(Kind::Noun, self.random),
        };
        self.text(self.words.form(noun, form));
    }

    fn verb(&mut self, form: Form) {
        let verb = self.words.any(Kind::Verb, self.random);
        self.text(self.words.form(verb, form));
    }

    fn adjective(&mut self) {
        let adjective = self.words.any(Kind::Adjective, self.random);
        self.text(self.words.form(adjective, Form::Base));
    }

    fn adverb(&mut self) {
        let adverb = self.words.any(Kind::Adverb, self.random);
        self.text(self.words.form(adverb, Form::Base));
    }

    fn speaker(&mut self) {
        let person = self.random.pick(&self.cast.people);
        let full = self.random.percent(40);
        self.text(if full { &person.full } else { &person.short });
    }

    fn name(&mut self) {
        if self.cast.firms.is_empty() || self.random.percent(60) {
            return self.speaker();
        }
        let firm = self.random.pick(&self.cast.firms);
        let full = self.random.percent(40);
        self.text(if full { &firm.full } else { &firm.short });
    }

    fn place(&mut self) {
        let place = self.random.pick(&self.cast.places);
        self.text(place);
    }

    fn figure(&mut self) {
        if self.random.percent(70) {
            let figure = self.random.pick(&self.cast.figures);
            self.text(figure);
        } else {
            let figure = figure(self.random);
            self.text(&figure);
        }
    }

    /// Words, counted by what parts them.
    fn text(&mut self, text: &str) {
        self.out.push_str(text);
        self.len += 1;
    }
}

/// A headline.
pub(crate) fn title(words: &Vocabulary, cast: &Cast, random: &mut Random) -> String {
    let mut prose = Prose { words, cast, random, out: String::new(), len: 0 };
    prose.name();
    prose.out.push(' ');
    prose.verb(Form::S);
    prose.out.push(' ');
    prose.noun(Form::S);
    prose.phrase();
    prose.out
}
