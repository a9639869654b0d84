//! Reports by form: one text for many, with other names and figures in it.

use super::cast::{Cast, figure, firm};
use super::prose::Prose;
use super::random::Random;
use super::vocabulary::Vocabulary;

/// A form: text between blanks, each blank with what fills it.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    parts: Vec<(String, Blank)>,
}

#[derive(Clone, Copy, Debug)]
enum Blank {
    Firm,
    Person,
    Place,
    Figure,
}

impl Template {
    /// A form of five to nine sentences, each with two to four facts.
    pub(crate) fn new(words: &Vocabulary, random: &mut Random) -> Self {
        const HEADS: [Blank; 3] = [Blank::Firm, Blank::Place, Blank::Person];
        const LINKS: [(&str, Blank); 4] =
            [(" against ", Blank::Figure), (" and ", Blank::Figure), (" at ", Blank::Firm), (" in ", Blank::Place)];
        let cast = Cast::new(words, random);
        let mut parts = Vec::new();
        let mut text = String::new();
        for sentence in 0..random.between(5, 9) {
            let head = if sentence == 0 { Blank::Firm } else { random.choose(&HEADS) };
            parts.push((std::mem::take(&mut text), head));
            let mut prose = Prose { words, cast: &cast, random, out: String::new(), len: 0 };
            prose.form_clause();
            text = prose.out;
            text.push_str(" to ");
            parts.push((std::mem::take(&mut text), Blank::Figure));
            for _ in 0..random.between(0, 2) {
                let (link, blank) = random.choose(&LINKS);
                parts.push((link.to_string(), blank));
            }
            text.push_str(if random.percent(30) { ".\n" } else { ". " });
        }
        Self { parts }
    }

    /// The form filled in with facts of its own.
    pub(crate) fn fill(&self, words: &Vocabulary, random: &mut Random) -> (Cast, String) {
        let mut cast = Cast::new(words, random);
        cast.firms.push(firm(random));
        let mut out = String::new();
        for (text, blank) in &self.parts {
            out.push_str(text);
            match blank {
                Blank::Firm => out.push_str(&cast.firms[0].full),
                Blank::Person => out.push_str(&random.pick(&cast.people).full),
                Blank::Place => out.push_str(random.pick(&cast.places).as_str()),
                Blank::Figure => out.push_str(&figure(random)),
            }
        }
        out.push('.');
        (cast, out)
    }
}
