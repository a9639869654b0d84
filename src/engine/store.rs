//! What stays of articles: packed words in a few large chunks, in memory or in a temporary file.
//!
//! Each article has a *head* and a *body* ([`Record`]) and *notes*: its id, its place and what outputs say of it. The three
//! lie apart, so that looking at a pair that shares little touches heads only.

use super::analyze::Analyzed;
use super::spill::{Budget, SpillFile};
use crate::article::{Article, Timestamp};
use crate::error::{Error, Result};
use crate::index::Segment;
use crate::sketch::{Record, Terms};
use memmap2::{Mmap, MmapMut};
use std::sync::{Arc, Mutex};

/// Words of a chunk, some large pages of memory; one that holds a larger article is as large as that.
const CHUNK_LEN: usize = 1 << 20;
/// Words of a head that are read ahead, and how many lie in one line of a cache.
const AHEAD_LEN: usize = 96;
const LINE_LEN: usize = 8;
/// Words of a head that say how long it is and where the rest lies.
const HEAD_WORDS: usize = 2 + 8;

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
    /// A section of a segment of an index.
    Segment(Arc<Segment>, usize),
    /// What an index has not put in a segment yet.
    Table(Arc<Vec<u64>>),
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

/// An arena that is full, or what an index has of one kind.
#[derive(Debug, Default)]
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
            Chunk::Segment(segment, section) => &bytemuck::cast_slice(segment.unchecked(*section))[at..],
            Chunk::Table(words) => &words[at..],
            Chunk::Open => unreachable!("all chunks are sealed"),
        }
    }

    /// The chunks of an index, shared.
    fn share(&self) -> Self {
        let share = |chunk: &Chunk| match chunk {
            Chunk::Segment(segment, section) => Chunk::Segment(Arc::clone(segment), *section),
            Chunk::Table(words) => Chunk::Table(Arc::clone(words)),
            Chunk::Open => Chunk::Open,
            Chunk::Held(_) | Chunk::Filed { .. } => unreachable!("an index has segments and tables"),
        };
        Self { chunks: self.chunks.iter().map(share).collect(), map: None }
    }

    fn put(&mut self, chunk: u32, what: Chunk) {
        let chunk = chunk as usize;
        while self.chunks.len() <= chunk {
            self.chunks.push(Chunk::Open);
        }
        self.chunks[chunk] = what;
    }

    /// The table under a number, to be filled.
    fn table(&mut self, chunk: u32) -> &mut Vec<u64> {
        match &mut self.chunks[chunk as usize] {
            Chunk::Table(words) => Arc::make_mut(words),
            _ => unreachable!("a table was put there"),
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
        let of_article = Notes::new(article, analyzed, holds_text);
        let (notes, words) = self.notes.push(&mut part.notes, of_article.len())?;
        of_article.fill(words);
        let (head, words) = self.heads.push(&mut part.heads, 2 + record.head().len() / 2)?;
        words[..2].copy_from_slice(&[body, notes]);
        bytemuck::cast_slice_mut(&mut words[2..]).copy_from_slice(record.head());
        part.places.push(head);
        Ok(())
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
        let [heads, bodies, notes] = [heads.finish()?, bodies.finish()?, notes.finish()?];
        Ok(Articles { places, heads, bodies, notes })
    }
}

/// The words of an article's notes; with `holds_text` text and headline among them.
pub(super) fn note_words(article: &Article, analyzed: &Analyzed, holds_text: bool) -> Vec<u64> {
    let notes = Notes::new(article, analyzed, holds_text);
    let mut words = vec![0; notes.len()];
    notes.fill(&mut words);
    words
}

/// What outputs say of an article, before it is put away.
struct Notes<'a> {
    article: &'a Article,
    analyzed: &'a Analyzed,
    texts: [Option<&'a str>; note::NUM_TEXTS],
}

impl<'a> Notes<'a> {
    fn new(article: &'a Article, analyzed: &'a Analyzed, holds_text: bool) -> Self {
        let held = holds_text.then_some(article);
        let texts = [
            Some(article.id.as_str()),
            Some(&*article.origin.place),
            article.source.as_deref(),
            analyzed.unweighted_language.as_deref(),
            held.map(|article| article.text.as_str()),
            held.and_then(|article| article.title.as_deref()),
        ];
        Self { article, analyzed, texts }
    }

    fn credits_len(&self) -> usize {
        self.analyzed.credits.iter().map(|credit| credit.len() + 1).sum()
    }

    /// Words they take.
    fn len(&self) -> usize {
        let num_bytes = self.texts.iter().flatten().map(|text| text.len()).sum::<usize>() + self.credits_len();
        note::LEN + num_bytes.div_ceil(8)
    }

    /// Writes them; the words must be zero.
    fn fill(&self, words: &mut [u64]) {
        let Self { article, analyzed, texts } = self;
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
        lens[note::NUM_TEXTS] = self.credits_len() as u32;
        for credit in &analyzed.credits {
            put(credit);
            put("\0");
        }
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

/// Articles by rank: their place in the order of ids. An index has them by ordinal, in order of arrival.
#[derive(Debug, Default)]
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

    /// Takes in the articles of a segment: its number and sections (heads, bodies, notes), and where their heads lie in it.
    pub(super) fn add_segment(&mut self, number: u32, segment: &Arc<Segment>, sections: [usize; 3], heads: &[u32]) {
        self.replace_table(number, segment, sections);
        self.places.extend(heads.iter().map(|at| u64::from(number) << 32 | u64::from(*at)));
    }

    /// Begins the table that articles are pushed to, under the number that its segment will have.
    pub(super) fn begin_table(&mut self, number: u32) {
        for shelf in [&mut self.heads, &mut self.bodies, &mut self.notes] {
            shelf.put(number, Chunk::Table(Arc::default()));
        }
    }

    /// Puts a segment in place of the table of its number: the same words in the same places.
    pub(super) fn replace_table(&mut self, number: u32, segment: &Arc<Segment>, sections: [usize; 3]) {
        for (shelf, section) in [&mut self.heads, &mut self.bodies, &mut self.notes].into_iter().zip(sections) {
            shelf.put(number, Chunk::Segment(Arc::clone(segment), section));
        }
    }

    /// Adds an article to the table of a number.
    pub(super) fn push(&mut self, number: u32, article: &Article, analyzed: &Analyzed) {
        let notes = note_words(article, analyzed, false);
        let record = &analyzed.record;
        self.push_words(number, bytemuck::cast_slice(record.head()), record.body(), &notes);
    }

    /// Adds an article to the table of a number by the words of its head, body and notes.
    pub(super) fn push_words(&mut self, number: u32, head: &[u64], body: &[u64], notes: &[u64]) {
        let place = |at: usize| u64::from(number) << 32 | at as u64;
        let of_notes = self.notes.table(number);
        let notes_at = place(of_notes.len());
        of_notes.extend_from_slice(notes);
        let of_bodies = self.bodies.table(number);
        let body_at = place(of_bodies.len());
        of_bodies.extend_from_slice(body);
        let of_heads = self.heads.table(number);
        self.places.push(place(of_heads.len()));
        of_heads.extend_from_slice(&[body_at, notes_at]);
        of_heads.extend_from_slice(head);
    }

    /// Takes back what was pushed to the table of a number after the first `num_articles`.
    pub(super) fn truncate(&mut self, number: u32, num_articles: usize) {
        let Some(first) = self.places.get(num_articles).copied() else { return };
        let head = self.heads.words(first);
        let [body, notes] = [head[0], head[1]];
        self.places.truncate(num_articles);
        for (shelf, place) in [(&mut self.heads, first), (&mut self.bodies, body), (&mut self.notes, notes)] {
            shelf.table(number).truncate(place as u32 as usize);
        }
    }

    /// The words of heads, bodies and notes in the table of a number, and where the heads begin of the articles from
    /// `first` on.
    pub(super) fn table(&self, number: u32, first: usize) -> ([&[u64]; 3], Vec<u32>) {
        let words = [&self.heads, &self.bodies, &self.notes].map(|shelf| shelf.words(u64::from(number) << 32));
        (words, self.places[first..].iter().map(|place| *place as u32).collect())
    }

    /// The articles of an index at these ordinals, in this order; nothing is copied.
    pub(super) fn select(&self, ordinals: &[u32]) -> Self {
        let [heads, bodies, notes] = [&self.heads, &self.bodies, &self.notes].map(Shelf::share);
        let places = ordinals.iter().map(|ordinal| self.places[*ordinal as usize]).collect();
        Self { places, heads, bodies, notes }
    }

    /// Looks at the bytes of an article's head in an index, if they lie in a segment; where body and notes lie.
    ///
    /// # Errors
    /// [`Error::IndexDamaged`] when they are not as they were written.
    fn look_at_head(&self, ordinal: u32) -> Result<Option<(&Segment, usize, [u64; 2])>> {
        let place = self.places[ordinal as usize];
        let Chunk::Segment(segment, heads) = &self.heads.chunks[(place >> 32) as usize] else { return Ok(None) };
        let look = |len: usize| segment.bytes(*heads, 8 * (place as u32 as usize), 8 * len);
        // First what says how long the rest is.
        let words: &[u64] = bytemuck::cast_slice(look(HEAD_WORDS)?);
        let (body, notes) = (words[0], words[1]);
        look(2 + Terms::head_len(bytemuck::cast_slice(&words[2..])) / 2)?;
        Ok(Some((segment, *heads, [body, notes])))
    }

    /// The terms of an article of an index, looked at if they lie in a segment.
    ///
    /// # Errors
    /// [`Error::IndexDamaged`] when they are not as they were written.
    pub(super) fn terms(&self, ordinal: u32) -> Result<Terms<'_>> {
        self.look_at_head(ordinal)?;
        let words = self.heads.words(self.places[ordinal as usize]);
        Ok(Terms::new(bytemuck::cast_slice(&words[2..])))
    }

    /// Looks at the bytes of an article of an index, if they lie in a segment.
    ///
    /// # Errors
    /// [`Error::IndexDamaged`] when they are not as they were written.
    pub(super) fn look_at(&self, ordinal: u32) -> Result<()> {
        let Some((segment, heads, [body, notes])) = self.look_at_head(ordinal)? else { return Ok(()) };
        let look =
            |section: usize, place: u64, len: usize| segment.bytes(section, 8 * (place as u32 as usize), 8 * len);
        look(heads + 1, body, self.record(ordinal).body_len())?;
        look(heads + 2, notes, note::LEN)?;
        look(heads + 2, notes, self.get(ordinal).notes_len())?;
        Ok(())
    }

    /// Asks the system for what [`Articles::look_at`] reads of articles, so that the disk is waited for once and not once for
    /// each.
    ///
    /// # Errors
    /// [`Error::IndexDamaged`] when a head is not as it was written.
    pub(super) fn will_look_at(&self, ordinals: &[u32]) -> Result<()> {
        for ordinal in ordinals {
            if let Some((segment, heads, [body, notes])) = self.look_at_head(*ordinal)? {
                let body_len = self.terms(*ordinal)?.body_len();
                for (section, place, len) in [(heads + 1, body, body_len), (heads + 2, notes, note::LEN)] {
                    segment.will_read(section, 8 * (place as u32 as usize), 8 * len);
                }
            }
        }
        Ok(())
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

    /// Words of its notes.
    fn notes_len(&self) -> usize {
        note::LEN + self.notes_bytes().1.div_ceil(8)
    }

    /// The words of its head without its places, of its body and of its notes.
    pub(super) fn all_words(&self) -> [&'a [u64]; 3] {
        let (head, body) = self.words();
        [bytemuck::cast_slice(head), body, &self.notes[..self.notes_len()]]
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
        (precedence_of(self.published()), rank)
    }
}

/// Of exact copies the one with the smallest number stands in for the others.
pub(super) fn precedence_of(published: Option<Timestamp>) -> i64 {
    published.map_or(i64::MAX, |time| time.0)
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
