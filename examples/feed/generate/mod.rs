//! A made feed, article by article, with gold. What is held in memory does not grow with the feed: the events that
//! are being told, the templates in use, and the planted copies that are still to come.

mod cast;
mod edit;
mod prose;
mod random;
mod template;
mod vocabulary;

use cast::Cast;
use edit::{Edit, PLANTED};
use prose::Prose;
use random::{Random, Weighted};
use std::collections::BTreeMap;
use template::Template;
use vocabulary::Vocabulary;

/// Lengths in words at every twentieth of the articles: log-normal, cut at both ends.
const LENGTHS: [usize; 21] =
    [60, 72, 86, 99, 113, 127, 142, 157, 174, 192, 212, 235, 261, 291, 327, 372, 430, 511, 640, 880, 1500];
const SOURCES: [&str; 20] = [
    "Kestrel",
    "Meridian",
    "Northern Post",
    "Harbour Times",
    "Daily Ledger",
    "Evening Courier",
    "Capital Wire",
    "The Observer of Velden",
    "Coast Herald",
    "Union Tribune",
    "Market Desk",
    "Plains Gazette",
    "City Mail",
    "Beacon",
    "Standard News",
    "Lakeside Journal",
    "Frontier Press",
    "The Sentinel",
    "Bulletin 24",
    "Morning Star Wire",
];
/// The first article's time: the start of 2024.
const START_SECONDS: i64 = 1_704_067_200;
/// In a thousand: articles that open an event, articles by a template.
const OPEN_EVENTS: usize = 150;
const BY_TEMPLATE: usize = 40;
/// Of so many events one is hot, and told so many times.
const HOT_EVENTS: usize = 400;
const HOT_TELLINGS: usize = 120;
/// Most tellings of another event.
const MOST_TELLINGS: usize = 24;
const NUM_TEMPLATES: usize = 48;
/// Articles at most by one template before another takes its place.
const TEMPLATE_LIFE: usize = 60;
/// Bytes of text from which an article is copied, cut and rewritten: some 120 words.
const PLANTED_BYTES: usize = 720;

/// An article of the feed and what gold says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) title: String,
    pub(crate) source: &'static str,
    /// Seconds since 1970.
    pub(crate) published: i64,
    /// The id of the first telling.
    pub(crate) cluster: String,
    /// `copy`, `edit`, `trim`, `excerpt`, `rewrite` of the first telling; `template`; `event`, of a hot one;
    /// `background`, which shares a paragraph with other tellings of its event; `single`.
    pub(crate) kind: &'static str,
}

/// What the feed consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mixture {
    /// Single articles, events, templates, planted copies.
    News,
    /// One template, filled in anew for each article.
    Templates,
    /// One article under many ids.
    Repeats,
}

/// Makes the articles of a feed, without end.
#[derive(Debug)]
pub(crate) struct Feed {
    words: Vocabulary,
    random: Random,
    mixture: Mixture,
    per_day: u64,
    num_made: u64,
    planted: Weighted<Option<Edit>>,
    templates: Vec<(Template, usize)>,
    /// By the number of the article that it may be at the earliest, and by the number of the one that planned it.
    due: BTreeMap<(u64, u64), Due>,
    repeated: Option<Made>,
}

/// What is still to come.
#[derive(Debug)]
enum Due {
    /// The next telling of an event.
    Telling(Box<Event>),
    /// An article under an edit.
    Planted(Edit, Box<Made>),
}

/// Something that is told many times, each time by an article of its own.
#[derive(Debug)]
struct Event {
    cast: Cast,
    backgrounds: Vec<String>,
    is_hot: bool,
    num_left: usize,
    mean_gap: usize,
}

impl Feed {
    /// A feed of a mixture, with so many articles a day.
    pub(crate) fn new(seed: u64, mixture: Mixture, per_day: u64) -> Self {
        let words = Vocabulary::new();
        let mut random = Random::new(seed);
        let mut planted: Vec<(Option<Edit>, u64)> = PLANTED.iter().map(|(edit, share)| (Some(*edit), *share)).collect();
        planted.push((None, 100_000 - PLANTED.iter().map(|(_, share)| share).sum::<u64>()));
        let templates = (0..NUM_TEMPLATES).map(|_| (Template::new(&words, &mut random), 0)).collect();
        Self {
            planted: Weighted::new(&planted),
            words,
            random,
            mixture,
            per_day,
            num_made: 0,
            templates,
            due: BTreeMap::new(),
            repeated: None,
        }
    }

    fn fresh(&mut self) -> Made {
        match self.mixture {
            Mixture::Templates => return self.by_template(0),
            Mixture::Repeats => return self.repeat(),
            Mixture::News => {}
        }
        let made = match self.random.below(1000) {
            n if n < BY_TEMPLATE => return self.next_by_template(),
            n if n < BY_TEMPLATE + OPEN_EVENTS => self.open_event(),
            _ => {
                let cast = Cast::new(&self.words, &mut self.random);
                let len = self.len();
                self.telling(&cast, len, &[], "single")
            }
        };
        self.plant(&made);
        made
    }

    /// The first telling of an event; the next is planned.
    fn open_event(&mut self) -> Made {
        let is_hot = self.random.below(HOT_EVENTS) == 0;
        let cast = Cast::new(&self.words, &mut self.random);
        let num_backgrounds = self.random.between(1, 3);
        let backgrounds = (0..num_backgrounds).map(|_| self.background(&cast)).collect();
        let (num_left, days) =
            if is_hot { (HOT_TELLINGS, 4) } else { (self.random.size(MOST_TELLINGS), self.random.between(1, 3)) };
        let mean_gap = 1 + days * self.per_day as usize / (num_left + 1);
        self.next_telling(Event { cast, backgrounds, is_hot, num_left, mean_gap })
    }

    fn background(&mut self, cast: &Cast) -> String {
        let mut prose = Prose { words: &self.words, cast, random: &mut self.random, out: String::new(), len: 0 };
        let num_sentences = prose.random.between(2, 3);
        prose.paragraph(num_sentences);
        prose.out
    }

    fn next_telling(&mut self, mut event: Event) -> Made {
        let cast = event.cast.retold(&self.words, &mut self.random);
        let len = self.len();
        let mut room = len / 3;
        let mut backgrounds = Vec::new();
        for background in &event.backgrounds {
            let background_len = background.split(' ').count();
            if background_len <= room && self.random.percent(50) {
                room -= background_len;
                backgrounds.push(background.clone());
            }
        }
        let kind = match (event.is_hot, backgrounds.is_empty()) {
            (true, _) => "event",
            (false, true) => "single",
            (false, false) => "background",
        };
        let made = self.telling(&cast, len - len / 3 + room, &backgrounds, kind);
        if event.num_left > 0 {
            event.num_left -= 1;
            let wait = self.random.between(1, 2 * event.mean_gap) as u64;
            self.plan(wait, Due::Telling(Box::new(event)));
        }
        made
    }

    /// The length of an article, in words.
    fn len(&mut self) -> usize {
        let place = self.random.below(20_000);
        let (low, high) = (LENGTHS[place / 1000], LENGTHS[place / 1000 + 1]);
        low + (high - low) * (place % 1000) / 1000
    }

    /// An article of so many words of its own about a cast, with paragraphs that it shares at its end.
    fn telling(&mut self, cast: &Cast, len: usize, shared: &[String], kind: &'static str) -> Made {
        let gap = if self.random.percent(50) { "\n\n" } else { "\n" };
        let mut out = String::with_capacity(8 * len);
        let number = self.num_made;
        let source = self.random.choose(&SOURCES);
        match self.random.below(10) {
            0..3 => {
                out.push_str(&cast.places[1].to_uppercase());
                out.push_str(&format!(" ({source}) - "));
            }
            3 => out.push_str(&format!("By {}\n", cast.people[0].full)),
            _ => {}
        }
        let mut prose = Prose { words: &self.words, cast, random: &mut self.random, out, len: 0 };
        let num_sentences = prose.random.between(1, 2);
        prose.paragraph(num_sentences);
        prose.paragraphs(len.saturating_sub(prose.len), gap);
        let mut text = prose.out;
        for paragraph in shared {
            text.push_str(gap);
            text.push_str(paragraph);
        }
        let title = prose::title(&self.words, cast, &mut self.random);
        let id = format!("n{number:09}");
        Made { cluster: id.clone(), id, text, title, source, published: self.now(), kind }
    }

    /// An article by one of the templates in use; another takes the place of one that is worn out.
    fn next_by_template(&mut self) -> Made {
        let place = self.random.below(NUM_TEMPLATES);
        self.templates[place].1 += 1;
        if self.templates[place].1 > TEMPLATE_LIFE {
            self.templates[place] = (Template::new(&self.words, &mut self.random), 1);
        }
        self.by_template(place)
    }

    fn by_template(&mut self, place: usize) -> Made {
        let (cast, text) = self.templates[place].0.fill(&self.words, &mut self.random);
        let title = prose::title(&self.words, &cast, &mut self.random);
        let id = format!("n{:09}", self.num_made);
        let source = SOURCES[place % SOURCES.len()];
        Made { cluster: id.clone(), id, text, title, source, published: self.now(), kind: "template" }
    }

    /// The first article again.
    fn repeat(&mut self) -> Made {
        let Some(first) = self.repeated.take() else {
            let cast = Cast::new(&self.words, &mut self.random);
            let len = self.len();
            let first = self.telling(&cast, len, &[], "single");
            self.repeated = Some(first.clone());
            return first;
        };
        let made = self.edited(Edit::Copy, &first);
        self.repeated = Some(first);
        made
    }

    /// Plans copies of an article, for some.
    fn plant(&mut self, made: &Made) {
        // A story that is taken up once is likely to be taken up again.
        let mut again = true;
        while again && made.text.len() >= PLANTED_BYTES {
            let edit = self.planted.draw(&mut self.random);
            again = edit.is_some() && self.random.percent(30);
            if let Some(edit) = edit {
                let wait = self.random.between(1, 1 + self.per_day as usize / 2) as u64;
                self.plan(wait, Due::Planted(edit, Box::new(made.clone())));
            }
        }
    }

    fn plan(&mut self, wait: u64, due: Due) {
        let mut key = (self.num_made + wait, self.num_made);
        while self.due.contains_key(&key) {
            key.0 += 1;
        }
        self.due.insert(key, due);
    }

    fn edited(&mut self, edit: Edit, of: &Made) -> Made {
        Made {
            id: format!("n{:09}", self.num_made),
            text: edit.apply(&of.text, &self.words, &mut self.random),
            title: of.title.clone(),
            source: self.random.choose(&SOURCES),
            published: self.now(),
            cluster: of.cluster.clone(),
            kind: edit.name(),
        }
    }

    fn now(&self) -> i64 {
        START_SECONDS + (self.num_made * 86_400 / self.per_day) as i64
    }
}

impl Iterator for Feed {
    type Item = Made;

    fn next(&mut self) -> Option<Made> {
        let is_due = self.mixture == Mixture::News
            && self.due.first_key_value().is_some_and(|((number, _), _)| *number <= self.num_made);
        let made = match if is_due { self.due.pop_first() } else { None } {
            Some((_, Due::Planted(edit, of))) => self.edited(edit, &of),
            Some((_, Due::Telling(event))) => {
                let made = self.next_telling(*event);
                self.plant(&made);
                made
            }
            None => self.fresh(),
        };
        self.num_made += 1;
        Some(made)
    }
}
