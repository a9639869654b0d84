//! What stays of articles: packed words in a few large chunks, in memory or in a temporary file.
//!
//! Each article has a *head* and a *body* ([`Record`]) and *notes*: its id, its place and what outputs say of it. The three
//! lie apart, so that looking at a pair that shares little touches heads only.

use super::analyze::Analyzed;
use super::spill::{Budget, SpillFile};
use crate::article::{Article, Timestamp};
use crate::error::{Error, Result};
use crate::sketch::{Record, Terms};
use memmap2::{Mmap, MmapMut};
use std::sync::Mutex;

/// Words of a chunk, some large pages of memory; one that holds a larger article is as large as that.
const CHUNK_LEN: usize = 1 << 20;
/// Words of a head that are read ahead, and how many lie in one line of a cache.
const AHEAD_LEN: usize = 96;
const LINE_LEN: usize = 8;

/// Chunks that several workers fill, each its own.
#[derive(Debug)]
struct Arena<'a> {
    budget: &'a Budget,
    file: SpillFile<'a>,
    chunks: Mutex<Vec<Chunk>>,
}

#[derive(Debug)]
enum Chunk {
    /// A worker fills it.
    Open,
    Held(Pages),
    /// Words of the file from a byte on.
    Filed {
        start: u64,
        len: usize,
    },
}

/// Words in memory of their own, in large pages where the system has them: heads are read in no order, and of small pages
/// each would have to be looked up.
#[derive(Debug)]
struct Pages {
    map: Option<MmapMut>,
    len: usize,
}

impl Pages {
    const EMPTY: Self = Self { map: None, len: 0 };

    /// Room for a number of words.
    fn new(capacity: usize) -> Result<Self> {
        let fail = |source| Error::Io { path: "memory".into(), action: "allocate", source };
        let map = MmapMut::map_anon(8 * capacity).map_err(fail)?;
        #[cfg(target_os = "linux")]
        // Small pages do as well.
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self { map: Some(map), len: 0 })
    }

    fn all(&self) -> &[u64] {
        self.map.as_ref().map_or(&[], |map| bytemuck::cast_slice(map))
    }

    fn words(&self) -> &[u64] {
        &self.all()[..self.len]
    }

    /// The next words, to be filled; there must be room.
    fn extend(&mut self, num_words: usize) -> &mut [u64] {
        let start = self.len;
        self.len += num_words;
        let map = self.map.as_mut().expect("room was made");
        &mut bytemuck::cast_slice_mut(map)[start..self.len]
    }
}

/// A chunk that one worker fills.
#[derive(Debug)]
struct Filling {
    chunk: u32,
    pages: Pages,
}

impl<'a> Arena<'a> {
    fn new(budget: &'a Budget) -> Self {
        Self { budget, file: budget.spill_file(), chunks: Mutex::default() }
    }

    fn open(&self) -> Filling {
        let mut chunks = self.chunks.lock().expect("no worker panics while it opens a chunk");
        chunks.push(Chunk::Open);
        Filling { chunk: (chunks.len() - 1) as u32, pages: Pages::EMPTY }
    }

    /// Room for a number of words, to be written at once; where it is.
    fn push<'f>(&self, filling: &'f mut Filling, num_words: usize) -> Result<(u64, &'f mut [u64])> {
        if filling.pages.map.is_none() || filling.pages.len + num_words > filling.pages.all().len() {
            if filling.pages.len > 0 {
                let full = std::mem::replace(filling, self.open());
                // What was written to a file leaves its memory to the next.
                filling.pages = self.seal(full)?;
            }
            if filling.pages.map.is_none() || num_words > filling.pages.all().len() {
                filling.pages = Pages::new(num_words.max(CHUNK_LEN))?;
            }
        }
        let place = u64::from(filling.chunk) << 32 | filling.pages.len as u64;
        Ok((place, filling.pages.extend(num_words)))
    }

    /// Closes a chunk; gives back the memory that it does not need.
    fn seal(&self, filling: Filling) -> Result<Pages> {
        let Filling { chunk, pages } = filling;
        let words = pages.words();
        let (sealed, rest) = if self.budget.take(size_of_val(words)) {
            (Chunk::Held(pages), Pages::EMPTY)
        } else {
            let start = self.file.append(bytemuck::cast_slice(words))?;
            (Chunk::Filed { start, len: words.len() }, Pages { len: 0, ..pages })
        };
        self.chunks.lock().expect("no worker panics while it opens a chunk")[chunk as usize] = sealed;
        Ok(rest)
    }

    fn finish(self) -> Result<Shelf> {
        let chunks = self.chunks.into_inner().expect("no worker panics while it opens a chunk");
        Ok(Shelf { chunks, map: self.file.into_map()? })
    }
}

/// An arena that is full.
#[derive(Debug)]
struct Shelf {
    chunks: Vec<Chunk>,
    map: Option<Mmap>,
}

impl Shelf {
    /// The words from a place on, up to the end of the chunk.
    #[inline]
    fn words(&self, place: u64) -> &[u64] {
        let at = place as u32 as usize;
        match &self.chunks[(place >> 32) as usize] {
            Chunk::Held(pages) => &pages.words()[at..],
            Chunk::Filed { start, len } => {
                let map = self.map.as_ref().expect("a chunk was filed");
                let bytes = &map[*start as usize..][..8 * len];
                &bytemuck::cast_slice(bytes)[at..]
            }
            Chunk::Open => unreachable!("all chunks are sealed"),
        }
    }

    fn num_filed_bytes(&self) -> u64 {
        self.map.as_ref().map_or(0, |map| map.len() as u64)
    }
}

/// Articles as they come, from several workers.
#[derive(Debug)]
pub(super) struct Intake<'a> {
    heads: Arena<'a>,
    bodies: Arena<'a>,
    notes: Arena<'a>,
}

/// The chunks that one worker fills, and the places of its articles' heads in order of arrival.
#[derive(Debug)]
pub(super) struct Part {
    heads: Filling,
    bodies: Filling,
    notes: Filling,
    places: Vec<u64>,
}

impl Part {
    /// Articles in the part.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}

impl<'a> Intake<'a> {
    pub(super) fn new(budget: &'a Budget) -> Self {
        let arena = || Arena::new(budget);
        Self { heads: arena(), bodies: arena(), notes: arena() }
    }

    pub(super) fn open(&self) -> Part {
        let Self { heads, bodies, notes } = self;
        Part { heads: heads.open(), bodies: bodies.open(), notes: notes.open(), places: Vec::new() }
    }

    /// Puts an article in a worker's part. With `holds_text` text and headline are kept.
    ///
    /// # Errors
    /// When a temporary file cannot be written.
    pub(super) fn push(&self, part: &mut Part, article: &Article, analyzed: &Analyzed, holds_text: bool) -> Result<()> {
        let record = &analyzed.record;
        let (body, words) = self.bodies.push(&mut part.bodies, record.body().len())?;
        words.copy_from_slice(record.body());
        let notes = self.push_notes(&mut part.notes, article, analyzed, holds_text)?;
        let (head, words) = self.heads.push(&mut part.heads, 2 + record.head().len() / 2)?;
        words[..2].copy_from_slice(&[body, notes]);
        bytemuck::cast_slice_mut(&mut words[2..]).copy_from_slice(record.head());
        part.places.push(head);
        Ok(())
    }

    fn push_notes(
        &self,
        filling: &mut Filling,
        article: &Article,
        analyzed: &Analyzed,
        holds_text: bool,
    ) -> Result<u64> {
        let held = holds_text.then_some(article);
        let texts: [Option<&str>; note::NUM_TEXTS] = [
            Some(article.id.as_str()),
            Some(&article.origin.place),
            article.source.as_deref(),
            analyzed.unweighted_language.as_deref(),
            held.map(|article| article.text.as_str()),
            held.and_then(|article| article.title.as_deref()),
        ];
        let credits = analyzed.credits.iter().map(String::as_str);
        let num_bytes = texts.iter().flatten().map(|text| text.len()).sum::<usize>()
            + credits.clone().map(|credit| credit.len() + 1).sum::<usize>();
        let (place, words) = self.notes.push(filling, note::LEN + num_bytes.div_ceil(8))?;
        let (numbers, bytes) = words.split_at_mut(note::LEN);
        let halves = |hash: u128| [hash as u64, (hash >> 64) as u64];
        numbers[note::TEXT_HASH..][..2].copy_from_slice(&halves(analyzed.text_hash));
        numbers[note::EXACT_KEY..][..2].copy_from_slice(&halves(analyzed.exact_key.unwrap_or(0)));
        numbers[note::BLOCK] = article.origin.block;
        numbers[note::VERSION] = article.version.unwrap_or(0) as u64;
        let flags = u32::from(analyzed.exact_key.is_some()) | u32::from(article.version.is_some()) << 1;
        numbers[note::RECORD_FLAGS] = u64::from(article.origin.record) | u64::from(flags) << 32;
        let lens: &mut [u32] = bytemuck::cast_slice_mut(&mut numbers[note::TEXT_LENS..]);
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(bytes);
        let mut at = 0;
        let mut put = |text: &str| {
            bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
            at += text.len();
        };
        for (len, text) in lens.iter_mut().zip(texts) {
            *len = text.map_or(note::NONE, |text| text.len() as u32);
            put(text.unwrap_or(""));
        }
        lens[note::NUM_TEXTS] = credits.clone().map(|credit| credit.len() as u32 + 1).sum();
        for credit in credits {
            put(credit);
            put("\0");
        }
        Ok(place)
    }

    /// The articles of all parts, part by part; an article's place in this order is its number.
    ///
    /// # Errors
    /// When a temporary file cannot be written or mapped.
    pub(super) fn finish(self, parts: Vec<Part>) -> Result<Articles> {
        let mut places = Vec::with_capacity(parts.iter().map(|part| part.places.len()).sum());
        for part in parts {
            self.heads.seal(part.heads)?;
            self.bodies.seal(part.bodies)?;
            self.notes.seal(part.notes)?;
            places.extend_from_slice(&part.places);
        }
        let Self { heads, bodies, notes } = self;
        Ok(Articles { places, heads: heads.finish()?, bodies: bodies.finish()?, notes: notes.finish()? })
    }
}

/// Places of the words of a note.
mod note {
    pub(super) const TEXT_HASH: usize = 0;
    pub(super) const EXACT_KEY: usize = 2;
    pub(super) const BLOCK: usize = 4;
    pub(super) const VERSION: usize = 5;
    pub(super) const RECORD_FLAGS: usize = 6;
    /// Lengths of the texts, [`NONE`] for one that is missing, and of all credits, each with a zero byte.
    pub(super) const TEXT_LENS: usize = 7;
    pub(super) const NUM_TEXTS: usize = 6;
    pub(super) const LEN: usize = TEXT_LENS + (NUM_TEXTS + 1).div_ceil(2);
    pub(super) const NONE: u32 = u32::MAX;
}

/// Articles by rank: their place in the order of ids.
#[derive(Debug)]
pub struct Articles {
    places: Vec<u64>,
    heads: Shelf,
    bodies: Shelf,
    notes: Shelf,
}

impl Articles {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The article of a rank.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn get(&self, rank: u32) -> ArticleView<'_> {
        let words = self.heads.words(self.places[rank as usize]);
        ArticleView { articles: self, words, notes: self.notes.words(words[1]) }
    }

    /// All, by rank.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ArticleView<'_>> {
        (0..self.len() as u32).map(|rank| self.get(rank))
    }

    /// What is compared of the article of a rank.
    #[must_use]
    #[inline]
    pub fn record(&self, rank: u32) -> Record<'_> {
        let words = self.heads.words(self.places[rank as usize]);
        self.record_of(words)
    }

    /// Reads a word of each line of a head, for nothing but to have it at hand: many heads asked for together come in the
    /// time of a few, since none waits for another.
    #[inline]
    pub(super) fn read_ahead(&self, rank: u32) -> u64 {
        let words = self.heads.words(self.places[rank as usize]);
        words[..words.len().min(AHEAD_LEN)].iter().step_by(LINE_LEN).fold(0, |all, word| all ^ word)
    }

    fn record_of<'a>(&'a self, words: &'a [u64]) -> Record<'a> {
        let terms = Terms::new(bytemuck::cast_slice(&words[2..]));
        Record::with_terms(terms, bytemuck::cast_slice(self.bodies.words(words[0])))
    }

    /// Orders the articles: `order` gives the present rank of each that stays.
    pub(super) fn reorder(&mut self, order: &[u32]) {
        self.places = order.iter().map(|rank| self.places[*rank as usize]).collect();
    }

    /// Bytes that lie in temporary files.
    #[must_use]
    pub fn num_filed_bytes(&self) -> u64 {
        [&self.heads, &self.bodies, &self.notes].into_iter().map(Shelf::num_filed_bytes).sum()
    }

    /// Bytes of the article of a rank, in memory or in a file.
    pub(super) fn num_bytes(&self, rank: u32) -> usize {
        let article = self.get(rank);
        let head_len = Terms::head_len(bytemuck::cast_slice(&article.words[2..])) / 2 + 2;
        8 * (1 + head_len + article.record().body_len() + note::LEN) + article.notes_bytes().1
    }
}

/// An article that was read.
#[derive(Clone, Copy, Debug)]
pub struct ArticleView<'a> {
    articles: &'a Articles,
    words: &'a [u64],
    notes: &'a [u64],
}

impl<'a> ArticleView<'a> {
    /// What is compared of it.
    #[must_use]
    pub fn record(&self) -> Record<'a> {
        self.articles.record_of(self.words)
    }

    /// The packed words of its record, head and body.
    pub(super) fn words(&self) -> (&'a [u32], &'a [u64]) {
        let head = bytemuck::cast_slice(&self.words[2..]);
        let body = self.articles.bodies.words(self.words[0]);
        (&head[..Terms::head_len(head)], &body[..self.record().body_len()])
    }

    fn terms(&self) -> Terms<'a> {
        Terms::new(bytemuck::cast_slice(&self.words[2..]))
    }

    /// The bytes of all texts, and how many these are.
    fn notes_bytes(&self) -> (&'a [u8], usize) {
        let lens = self.text_lens();
        let num_bytes = lens.iter().filter(|len| **len != note::NONE).map(|len| *len as usize).sum();
        (bytemuck::cast_slice(&self.notes[note::LEN..]), num_bytes)
    }

    fn text_lens(&self) -> &'a [u32] {
        &bytemuck::cast_slice(&self.notes[note::TEXT_LENS..note::LEN])[..=note::NUM_TEXTS]
    }

    fn text_at(&self, index: usize) -> Option<&'a str> {
        let lens = self.text_lens();
        let len = Some(lens[index]).filter(|len| *len != note::NONE)? as usize;
        let start: usize = lens[..index].iter().filter(|len| **len != note::NONE).map(|len| *len as usize).sum();
        Some(std::str::from_utf8(&self.notes_bytes().0[start..start + len]).expect("notes hold whole texts"))
    }

    /// The feed's id.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.text_at(0).expect("each article has an id")
    }

    /// Where it stood in the input, as `FILE:LINE`.
    #[must_use]
    pub fn place(&self) -> &'a str {
        self.text_at(1).expect("each article has a place")
    }

    /// Who published it.
    #[must_use]
    pub fn source(&self) -> Option<&'a str> {
        self.text_at(2)
    }

    /// The English name of its language, of an article in one without weights: as the feed says, else by its letters,
    /// else `unknown`.
    #[must_use]
    pub fn unweighted_language(&self) -> Option<&'a str> {
        self.text_at(3)
    }

    /// Its text, where the engine holds texts.
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        self.text_at(4)
    }

    /// Its headline, where the engine holds texts.
    #[must_use]
    pub fn title(&self) -> Option<&'a str> {
        self.text_at(5)
    }

    /// Credits found at the edges of its text: provenance, not compared.
    pub fn credits(&self) -> impl Iterator<Item = &'a str> {
        let (bytes, num_bytes) = self.notes_bytes();
        let len = self.text_lens()[note::NUM_TEXTS] as usize;
        let credits = std::str::from_utf8(&bytes[num_bytes - len..num_bytes]).expect("notes hold whole texts");
        credits.split_terminator('\0')
    }

    /// When it was published.
    #[must_use]
    pub fn published(&self) -> Option<Timestamp> {
        self.terms().published()
    }

    /// Number of its block in the input, and of its record in the block.
    #[must_use]
    pub fn block_and_record(&self) -> (u64, u32) {
        (self.notes[note::BLOCK], self.notes[note::RECORD_FLAGS] as u32)
    }

    fn has(&self, bit: u32) -> bool {
        self.notes[note::RECORD_FLAGS] >> (32 + bit) & 1 == 1
    }

    /// The outlet's version number.
    pub(super) fn version(&self) -> Option<i64> {
        self.has(1).then_some(self.notes[note::VERSION] as i64)
    }

    /// Hash of the text as it came: tells a repeated line from another version.
    pub(super) fn text_hash(&self) -> u128 {
        whole(&self.notes[note::TEXT_HASH..])
    }

    /// Articles with equal keys are exact copies; `None` for an empty text.
    pub(super) fn exact_key(&self) -> Option<u128> {
        self.has(0).then(|| whole(&self.notes[note::EXACT_KEY..]))
    }

    /// The order in which articles stand for others: the earlier first, then the smaller id (given as its rank).
    pub(super) fn precedence(&self, rank: u32) -> (i64, u32) {
        (self.published().map_or(i64::MAX, |t| t.0), rank)
    }
}

fn whole(halves: &[u64]) -> u128 {
    u128::from(halves[1]) << 64 | u128::from(halves[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::profile::Profile;

    fn article(number: usize) -> Article {
        // The first has no text, and so no body.
        let text = "(Kestrel) - Rain fell on Lima for a fourth day and cut two roads to the north. ".repeat(number % 7);
        let mut article = Article::new(format!("id {number}"), text);
        article.title = number.is_multiple_of(2).then(|| format!("Title {number}"));
        article.source = number.is_multiple_of(3).then(|| "Kestrel".to_string());
        article.published = (!number.is_multiple_of(5)).then_some(Timestamp(-(number as i64)));
        article.version = number.is_multiple_of(4).then_some(number as i64 - 8);
        article.origin.block = number as u64 * 3;
        article.origin.record = number as u32;
        article.origin.place = format!("feed:{number}").into();
        article
    }

    #[test]
    fn articles_come_back_as_they_went_from_memory_and_from_files() {
        let engine = Engine::new(Profile::default());
        for limit in [0, 1 << 20, u64::MAX] {
            let budget = Budget::new(limit, std::env::temp_dir());
            let intake = Intake::new(&budget);
            let mut parts = vec![intake.open(), intake.open()];
            for number in 0..3000 {
                let article = article(number);
                intake.push(&mut parts[number / 1500], &article, &engine.analyze(&article), number % 2 == 0).unwrap();
            }
            let articles = intake.finish(parts).unwrap();
            assert_eq!(articles.num_filed_bytes() > 0, limit != u64::MAX);
            assert!(budget.held() <= limit);
            for (number, view) in articles.iter().enumerate() {
                let article = article(number);
                let analyzed = engine.analyze(&article);
                assert_eq!((view.id(), view.place()), (article.id.as_str(), &*article.origin.place));
                assert_eq!((view.source(), view.published()), (article.source.as_deref(), article.published));
                let held = (number % 2 == 0).then_some(article.text.as_str());
                assert_eq!((view.text(), view.title().is_some()), (held, number % 2 == 0));
                assert_eq!((view.version(), view.exact_key()), (article.version, analyzed.exact_key));
                assert_eq!(view.block_and_record(), (number as u64 * 3, number as u32));
                assert_eq!(view.credits().collect::<Vec<_>>(), analyzed.credits);
                assert_eq!(view.words(), (analyzed.record.head(), analyzed.record.body()));
                assert_eq!(view.text_hash(), analyzed.text_hash);
            }
        }
    }
}
