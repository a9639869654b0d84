//! The stages apart, for a run whose articles lie on several machines.
//!
//! What goes from stage to stage is bytes and numbers: an article's *packed* form (`docs/format.md`), its *handle* (a hash
//! of its id, for what has to be small), keys, pairs of handles, matches. Where the order of ids decides, articles are
//! given in that order. Whoever brings the right ones together gets the answer of [`Engine::cluster`], byte for byte,
//! however they were parted:
//!
//! 1. [`Sketcher::sketch`] each article; of those that share an id [`Stages::settle`] says which stands;
//! 2. of those with one exact key the first by precedence, then id, stands in for the others;
//! 3. [`Stages::keys`] of those that stand in; [`Stages::meet`] over all entries of one key: pairs, and crowded buckets;
//! 4. of a crowded bucket the [`Stages::refinements`] of each article by the key of its first, then
//!    [`Stages::part_pairs`], or part by part [`Neighbours`](crate::lsh::Neighbours);
//! 5. [`Stages::judge`] the distinct pairs, or of those only whose [`Stages::outlook`] is not [`Outlook::Nothing`], for which
//!    the heads suffice, a third of a packed article ([`head_of`]); [`Judged::as_match`] of the two in order of id;
//! 6. [`Stages::cut`] the components of matches, [`Stages::cluster`] each;
//! 7. [`Stages::relation_to`] each article's representative.

use super::analyze::{Analyzer, sort_and_check};
use super::keys::{Keying, KeyingScratch};
use super::store::{ArticleView, Articles, note_words, precedence_of};
use super::{Analyzed, Engine, Stats, Texts, match_of};
use crate::article::Article;
use crate::cluster::{Cluster, Match, components};
use crate::error::{Error, Result};
use crate::hash::hash64;
use crate::lsh::{CrowdRule, KeyOrigin, MAX_DEPTH, Refine, bucket_pairs, key_of, part_pairs};
use crate::sketch::{Record, Terms, simhash};
use crate::verify::{Outlook, Relation, Scratch, Verdict, outlook};

/// What a packed article begins with, and the version of its format.
const MAGIC: u64 = u64::from_le_bytes(*b"SSAR\x01\0\0\0");
/// Words before those of head, body and notes.
const PREFACE_LEN: usize = 4;
/// Seed of the checksum of a packed article.
const CHECK_SEED: u64 = 0x5353_4152;
/// Bits of a [`SketchKey`] that say where it comes from.
const ORIGIN_BITS: u32 = 18;

/// A key of an article and where it comes from, in one number that orders by the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SketchKey(pub u64);

impl SketchKey {
    fn new(origin: KeyOrigin, key: u64) -> Self {
        let (kind, number) = match origin {
            KeyOrigin::Band(band) => (0, band),
            KeyOrigin::Tree(tree) => (1, tree),
            KeyOrigin::Passage => (2, 0),
            KeyOrigin::Fingerprint => (3, 0),
        };
        Self(key << ORIGIN_BITS | kind << 16 | u64::from(number))
    }

    /// The key, of 42 bits: the articles under it make a bucket, wherever their keys come from.
    #[must_use]
    pub fn key(self) -> u64 {
        self.0 >> ORIGIN_BITS
    }

    /// Where it comes from.
    #[must_use]
    pub fn origin(self) -> KeyOrigin {
        let number = self.0 as u16;
        match self.0 >> 16 & 3 {
            0 => KeyOrigin::Band(number),
            1 => KeyOrigin::Tree(number),
            2 => KeyOrigin::Passage,
            _ => KeyOrigin::Fingerprint,
        }
    }
}

/// What is known of a sketched article beside its packed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Hash of the text as it came: two articles of one id and one such hash are one line twice.
    pub text_hash: u128,
    /// Articles with equal keys are exact copies; `None` for an empty text.
    pub exact_key: Option<u128>,
    /// Of exact copies the one with the smallest number, then the smallest id, stands in for the others.
    pub precedence: i64,
    /// What the article is where its cluster holds no other: [`Relation::Undecidable`] where it is too short to compare.
    pub alone: Option<Relation>,
}

/// The stages of one engine: its profile, level, sketch for near copies and rule for versions.
#[derive(Debug)]
pub struct Stages {
    engine: Engine,
    keying: Keying,
    sketch_id: u64,
}

/// Sketches articles one after another.
#[derive(Debug)]
pub struct Sketcher<'a> {
    stages: &'a Stages,
    analyzer: Analyzer<'a>,
    analyzed: Analyzed,
}

/// What other pipelines can match articles by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sketches {
    /// Articles with equal ones are exact copies; `None` for an empty text.
    pub exact_key: Option<u128>,
    /// The SimHash fingerprint of the vocabulary; 0 where there is none.
    pub fingerprint: u64,
    /// The MinHash signature of the shingles; empty where there are none.
    pub signature: Vec<u32>,
    /// Keys of 42 bits, in order: two articles that share one are a candidate pair.
    pub keys: Vec<u64>,
}

/// Scratch space for keys.
#[derive(Debug, Default)]
pub struct KeysScratch(KeyingScratch);

/// An article of a crowded bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crowded {
    /// Its key refined by one further element, by two, and so on ([`Stages::refinements`]).
    pub refinements: Vec<u32>,
    /// The article's handle.
    pub handle: u64,
}

/// A verdict on two articles in order of id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged(pub Verdict);

impl Judged {
    /// The match that it comes to, between two articles given by numbers that order like their ids.
    #[must_use]
    pub fn as_match(&self, a: u32, b: u32) -> Option<Match> {
        match_of(a, b, &self.0)
    }
}

/// The handle of an article: a hash of its id. Of 10⁹ articles two share one with a probability of 1 in 37; then all take
/// another seed, which changes no answer.
#[must_use]
pub fn handle(id: &str, seed: u64) -> u64 {
    hash64(id.as_bytes(), seed)
}

/// The head of a packed article: what tells of most pairs that they come to nothing. Empty where the article is cut short.
#[must_use]
pub fn head_of(packed: &[u8]) -> &[u8] {
    let lens = packed.as_chunks::<8>().0.get(PREFACE_LEN - 2);
    let head_len = lens.map_or(0, |lens| u64::from_le_bytes(*lens) as u32 as usize);
    packed.get(8 * PREFACE_LEN..8 * (PREFACE_LEN + head_len)).unwrap_or_default()
}

/// Heads of articles, numbered as they came.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    words: Vec<u32>,
    starts: Vec<usize>,
}

impl Heads {
    /// Adds what [`head_of`] gave.
    ///
    /// # Errors
    /// [`Error::Packed`] when it is cut.
    pub fn push(&mut self, head: &[u8]) -> Result<()> {
        let start = self.words.len();
        for word in head.as_chunks().0 {
            self.words.extend_from_slice(bytemuck::cast_slice(&[u64::from_le_bytes(*word)]));
        }
        let words = &self.words[start..];
        if words.len() < Terms::LEAST_HEAD_LEN || words.len() < Terms::head_len(words) {
            self.words.truncate(start);
            return Err(Error::Packed { reason: "cut within its head".to_string() });
        }
        self.starts.push(start);
        Ok(())
    }

    /// The terms of the article of a number.
    ///
    /// # Panics
    /// When there is no such number.
    #[must_use]
    pub fn terms(&self, number: u32) -> Terms<'_> {
        Terms::new(&self.words[self.starts[number as usize]..])
    }
}

impl Stages {
    /// The stages of an engine.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        let keying = Keying::new(&engine.profile, engine.level, engine.near);
        let id = engine.profile.sketch_id();
        let sketch_id = u64::from_str_radix(&id, 16).expect("a sketch id is 16 hexadecimal digits");
        Self { engine, keying, sketch_id }
    }

    /// The engine whose stages these are.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A maker of sketches.
    #[must_use]
    pub fn sketcher(&self) -> Sketcher<'_> {
        let analyzer = self.engine.analyzer(false);
        Sketcher { stages: self, analyzer, analyzed: Analyzed::default() }
    }

    /// Packed articles to be looked at, in the order given.
    ///
    /// # Errors
    /// [`Error::Packed`] when one is cut, damaged or of another format, [`Error::OtherSketch`] when it was sketched under
    /// another profile.
    pub fn unpack<'p>(&self, packed: impl IntoIterator<Item = &'p [u8]>) -> Result<Articles> {
        let mut articles = Articles::default();
        articles.begin_table(0);
        let mut words: Vec<u64> = Vec::new();
        for bytes in packed {
            words.clear();
            words.extend(bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)));
            let [head, body, notes] = self.parts(bytes, &words)?;
            articles.push_words(0, head, body, notes);
        }
        Ok(articles)
    }

    /// The words of head, body and notes among those of a packed article.
    fn parts<'w>(&self, bytes: &[u8], words: &'w [u64]) -> Result<[&'w [u64]; 3]> {
        let fail = |reason: &str| Error::Packed { reason: reason.to_string() };
        let Some((&[magic, sketch_id, lens, check], rest)) = words.split_first_chunk::<PREFACE_LEN>() else {
            return Err(fail("cut short"));
        };
        if magic != MAGIC {
            return Err(fail("of another format: another version of samestory made it"));
        }
        if sketch_id != self.sketch_id {
            let [found, asked] = [sketch_id, self.sketch_id].map(|id| format!("{id:016x}"));
            return Err(Error::OtherSketch { found, asked });
        }
        if check != hash64(&bytes[8 * PREFACE_LEN..], CHECK_SEED) {
            return Err(fail("damaged"));
        }
        let (head_len, body_len) = (lens as u32 as usize, (lens >> 32) as usize);
        let split = |words: &'w [u64], len: usize| words.split_at_checked(len).ok_or_else(|| fail("damaged"));
        let (head, rest) = split(rest, head_len)?;
        let (body, notes) = split(rest, body_len)?;
        // The lengths are no part of what the checksum is of; the head says both once more.
        let halves: &[u32] = bytemuck::cast_slice(head);
        let is_head = halves.len() >= Terms::LEAST_HEAD_LEN && halves.len() == Terms::head_len(halves);
        if !is_head || body_len != Terms::new(halves).body_len() {
            return Err(fail("damaged"));
        }
        Ok([head, body, notes])
    }

    /// Which of some articles stand, in order of id: all but those that share an id with one that stands.
    ///
    /// # Errors
    /// [`Error::RepeatedId`] when two share an id and differ in text, unless the newest is asked for.
    pub fn settle(&self, mut articles: Articles) -> Result<Vec<u32>> {
        let (numbers, _) = sort_and_check(&mut articles, self.engine.versions, &mut Stats::default())?;
        Ok(numbers)
    }

    /// Replaces `keys` by those of an article, each once, in order.
    pub fn keys(&self, record: &Record<'_>, scratch: &mut KeysScratch, keys: &mut Vec<SketchKey>) {
        keys.clear();
        let signature = self.keying.signature(record);
        self.keying.each_key(record, &signature, &mut scratch.0, |origin, hash| {
            keys.push(SketchKey::new(origin, key_of(hash)));
        });
        // Of a key from several places the first place counts, as everywhere; a stable sort keeps it first.
        keys.sort_by_key(|key| key.key());
        keys.dedup_by_key(|key| key.key());
    }

    /// Calls `pair` with the pairs of each bucket of at most as many articles as the profile allows, and `crowded` with
    /// each article of a larger one. `entries` are all that have their keys, each above a handle, in any order; a pair
    /// comes once for each key it meets under, the smaller handle first.
    pub fn meet(
        &self,
        entries: &mut Vec<(SketchKey, u64)>,
        mut pair: impl FnMut(u64, u64),
        mut crowded: impl FnMut(SketchKey, u64),
    ) {
        entries.sort_unstable();
        // An entry that comes again, from a part that was made twice, is one.
        entries.dedup();
        let mut handles: Vec<u64> = Vec::new();
        let mut places: Vec<u32> = Vec::new();
        for bucket in entries.chunk_by(|a, b| a.0.key() == b.0.key()).filter(|bucket| bucket.len() > 1) {
            if bucket.len() > self.rule().cap {
                bucket.iter().for_each(|(key, handle)| crowded(*key, *handle));
                continue;
            }
            handles.clear();
            handles.extend(bucket.iter().map(|(_, handle)| *handle));
            handles.sort_unstable();
            places.clear();
            places.extend(0..handles.len() as u32);
            bucket_pairs(&places, bucket[0].0.key(), self.rule(), &Refined { members: &[], depth: 0 }, &mut |a, b| {
                pair(handles[a as usize], handles[b as usize]);
            });
        }
    }

    fn rule(&self) -> CrowdRule {
        CrowdRule { cap: self.keying.bucket_cap(), pairs_neighbours: true }
    }

    /// Articles a bucket may hold before it is refined.
    #[must_use]
    pub fn bucket_cap(&self) -> usize {
        self.keying.bucket_cap()
    }

    /// An article's refinements of a crowded bucket, whose first article by id has this key there: by one further element,
    /// by two, and so on until it has no more.
    #[must_use]
    pub fn refinements(&self, record: &Record<'_>, key: SketchKey) -> Vec<u32> {
        (1..=MAX_DEPTH).map_while(|depth| self.keying.refine_of(record, key.origin(), key.key(), depth)).collect()
    }

    /// Calls `each` with the pairs of a crowded bucket, or of a part of one that shares its first `depth` refinements: all
    /// its articles, in order of id. The pairs are places in `articles`, the smaller first; one may come again.
    pub fn part_pairs(&self, articles: &[Crowded], depth: usize, mut each: impl FnMut(u32, u32)) {
        let places: Vec<u32> = (0..articles.len() as u32).collect();
        let refined = Refined { members: articles, depth };
        part_pairs(&places, (0, depth), self.rule(), &refined, &mut each);
    }

    /// What a candidate pair may come to by the heads of its articles, in any order: [`Stages::judge`] comes to no more.
    #[must_use]
    pub fn outlook(&self, first: &Terms<'_>, second: &Terms<'_>) -> Outlook {
        let min_content = self.engine.profile.sketch().min_content;
        match first.content_len().min(second.content_len()) < min_content {
            true => Outlook::Nothing,
            false => outlook(first, second),
        }
    }

    /// Judges a candidate pair, articles in order of id.
    #[must_use]
    pub fn judge(&self, first: &Record<'_>, second: &Record<'_>, scratch: &mut Scratch) -> Judged {
        Judged(self.engine.judge_records(first, second, scratch))
    }

    /// Cuts components of matches to parts that can be clustered. Articles are numbered by order of id from 0 on.
    #[must_use]
    pub fn cut(&self, num_articles: usize, matches: &[Match]) -> Vec<Vec<Match>> {
        components(num_articles, matches, self.engine.component_limit)
    }

    /// The clusters of one part: its articles in order of id, and its matches, which give articles by their places.
    #[must_use]
    pub fn cluster(&self, articles: &Articles, part: &[Match]) -> Vec<Cluster> {
        self.engine.cluster_component(articles, part)
    }

    /// What an article is to the representative of its cluster, another than itself, and the probability of one telling
    /// in parts of 10,000.
    #[must_use]
    pub fn relation_to(
        &self,
        article: &ArticleView<'_>,
        representative: &ArticleView<'_>,
        scratch: &mut Scratch,
    ) -> (Option<Relation>, u16) {
        self.engine.relation_to(article, representative, scratch)
    }
}

impl Sketcher<'_> {
    /// Signature, fingerprint and keys of an article.
    ///
    /// ```
    /// use samestory::{Article, Engine, Profile, engine::stages::Stages};
    /// let stages = Stages::new(Engine::new(Profile::default()));
    /// let told = "The ferry Santa Odilia ran aground on a reef off Batanes, and fishermen from Ivana brought all 214 \
    ///             passengers ashore before dark, the coast guard in Basco told reporters.";
    /// let [one, two] = [told, &told.to_uppercase()].map(|text| stages.sketcher().sketches(&Article::new("7", text)));
    /// assert_eq!(one, two);
    /// assert_eq!((one.signature.len(), one.keys.is_empty()), (128, false));
    /// ```
    pub fn sketches(&mut self, article: &Article) -> Sketches {
        let Self { stages, analyzer, analyzed } = self;
        analyzer.analyze(article, analyzed);
        let record = analyzed.record.record();
        let mut keys = Vec::new();
        stages.keys(&record, &mut KeysScratch::default(), &mut keys);
        let mut keys: Vec<u64> = keys.into_iter().map(SketchKey::key).collect();
        keys.dedup();
        let signature = if record.shingles.is_empty() { Vec::new() } else { stages.keying.signature_of(&record) };
        let fingerprint = simhash(&record, stages.engine.profile.sketch().seed);
        Sketches { exact_key: analyzed.exact_key, fingerprint, signature, keys }
    }

    /// Sketches an article; `packed` is overwritten with what the other stages read of it.
    pub fn sketch(&mut self, article: &Article, packed: &mut Vec<u8>) -> Facts {
        let Self { stages, analyzer, analyzed } = self;
        analyzer.analyze(article, analyzed);
        let notes = note_words(article, analyzed, stages.engine.texts == Texts::Held);
        let head: &[u64] = bytemuck::cast_slice(analyzed.record.head());
        let body = analyzed.record.body();
        packed.clear();
        let lens = (body.len() as u64) << 32 | head.len() as u64;
        let preface = [MAGIC, stages.sketch_id, lens, 0];
        packed.extend([&preface, head, body, &notes].into_iter().flatten().flat_map(|word| word.to_le_bytes()));
        let check = hash64(&packed[8 * PREFACE_LEN..], CHECK_SEED);
        packed[8 * (PREFACE_LEN - 1)..8 * PREFACE_LEN].copy_from_slice(&check.to_le_bytes());
        Facts {
            text_hash: analyzed.text_hash,
            exact_key: analyzed.exact_key,
            precedence: precedence_of(article.published),
            alone: stages.engine.alone(&analyzed.record.record()).0,
        }
    }
}

/// A crowded bucket whose articles bring their refinements along.
struct Refined<'a> {
    members: &'a [Crowded],
    /// Elements that all share, which the refinements do not have.
    depth: usize,
}

impl Refine for Refined<'_> {
    fn origin(&self, _: u32, _: u64) -> Option<KeyOrigin> {
        // The refinements are by the right one already.
        Some(KeyOrigin::Passage)
    }

    fn refine(&self, article: u32, _: KeyOrigin, _: u64, depth: usize) -> Option<u32> {
        self.members[article as usize].refinements.get(depth - self.depth - 1).copied()
    }
}

#[cfg(test)]
mod tests;
