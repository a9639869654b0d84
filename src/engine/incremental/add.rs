//! Articles into an index and out of it: put away, derived, written to the log, and only then counted.

use super::crowds::ChangedCrowds;
use super::decide::believed;
use super::derive::{Change, Derived};
use super::state::{Bytes, Delta, State, flag};
use super::story::Event;
use super::{Index, files};
use crate::article::{Article, ArticleId, Timestamp};
use crate::engine::analyze::{Analyzed, standing};
use crate::engine::keys::{Keying, KeyingScratch};
use crate::engine::{Engine, Versions};
use crate::error::{Error, Result};
use crate::hash::HashMap;
use crate::index::{KeyRun, NUM_LISTS, NUM_PARTS, RunPart, list_of_exact, list_of_id};
use crate::lsh::key_of;
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::SystemTime;

/// Live articles that expire at once: what follows from them is derived and written portion by portion. In tests fewer, so that
/// there are portions.
const EXPIRED_AT_ONCE: usize = if cfg!(test) { 16 } else { 1 << 12 };

/// Articles that are made to last at once, bytes of their texts, and blocks that are parsed at once.
const PORTION_LEN: usize = 1000;
const PORTION_BYTES: usize = 32 << 20;
const PORTION_BLOCKS: usize = 8;
/// Keys that most articles have fewer than.
const KEYS_EACH: usize = 192;
/// Portions that may wait to be added.
const NUM_READY: usize = 2;

/// What became of articles that were added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// Articles that are in the index now and were not before, new versions among them.
    pub num_added: u64,
    /// Articles that were there already, with the same text.
    pub num_repeated: u64,
    /// Articles that a newer version replaced.
    pub num_replaced: u64,
    /// Articles that are older versions of what is there.
    pub num_older: u64,
    /// Articles from before the moment up to which all have expired: they are not added.
    pub num_expired: u64,
}

impl Added {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            num_added: self.num_added + other.num_added,
            num_repeated: self.num_repeated + other.num_repeated,
            num_replaced: self.num_replaced + other.num_replaced,
            num_older: self.num_older + other.num_older,
            num_expired: self.num_expired + other.num_expired,
        }
    }
}

/// Articles that are ready to be added: what they are is known, [`Index::commit`] makes it so.
#[derive(Debug)]
pub struct Offer {
    pub(super) fates: Vec<Fate>,
    pub(super) added: Added,
    pub(super) change: Change,
    pub(super) delta: Delta,
    pub(super) events: Vec<Event>,
    crowds: ChangedCrowds,
    pub(super) first: u32,
    /// Number among those that the index has made.
    number: u64,
}

/// What becomes of an article that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is added under this ordinal.
    Born(u32),
    /// One of the same id stands, under this ordinal; whether its text differs.
    Stands { by: u32, is_older: bool },
    /// It is from before the moment up to which all have expired.
    Expired,
}

impl Offer {
    /// What becomes of the articles.
    #[must_use]
    pub fn added(&self) -> Added {
        self.added
    }
}

/// Keys of articles by list, to be sorted list by list.
#[derive(Debug)]
pub(super) struct ByList(Vec<Vec<u64>>);

impl ByList {
    /// Room for a number of keys.
    pub(super) fn new(num_keys: usize) -> Self {
        // Half as many again: lists are not all as long.
        let capacity = num_keys * 3 / 2 / NUM_LISTS;
        Self((0..NUM_LISTS).map(|_| Vec::with_capacity(capacity)).collect())
    }

    pub(super) fn add(&mut self, key: u64, ordinal: u32) {
        self.0[(key >> 32) as usize].push(key << 32 | u64::from(ordinal));
    }

    /// Orders the keys above their articles, each once, and makes a run of them.
    pub(super) fn make_run(&mut self, covers: (u32, u32)) -> KeyRun {
        self.0.par_iter_mut().with_min_len(16).for_each(|list| {
            list.sort_unstable();
            list.dedup();
        });
        let lists = &self.0;
        let parts = (0..NUM_PARTS).into_par_iter().map(|part| RunPart::of_lists(covers, part, lists));
        KeyRun::join(covers, parts.collect())
    }

    /// All keys above their articles, in order once a run was made of them.
    fn all(&self) -> Vec<(u64, u32)> {
        let mut all = Vec::with_capacity(self.0.iter().map(Vec::len).sum());
        for (list, entries) in (0u64..).zip(&self.0) {
            all.extend(entries.iter().map(|entry| (list << 32 | entry >> 32, *entry as u32)));
        }
        all
    }
}

/// What sketches articles, apart from the index that they go to.
struct Preparing {
    engine: Engine,
    keying: Arc<Keying>,
}

/// Articles with what is known of each by itself, and its keys, some more than once.
struct Prepared {
    articles: Vec<Article>,
    analyzed: Vec<(Analyzed, Vec<u64>)>,
}

impl Preparing {
    fn prepare(&self, articles: Vec<Article>) -> Prepared {
        let analyzer = self.engine.analyzer(self.keying.needs_signatures());
        let each = |(scratch, buffer): &mut (KeyingScratch, Analyzed), article| {
            analyzer.analyze(article, buffer);
            let mut keys = Vec::with_capacity(KEYS_EACH);
            self.keying.each_key(&buffer.record.record(), &buffer.signature, scratch, |_, hash| {
                keys.push(key_of(hash));
            });
            (buffer.take(), keys)
        };
        let analyzed = articles.par_iter().map_init(Default::default, each).collect();
        Prepared { articles, analyzed }
    }
}

/// Articles of blocks that are parsed in parallel, a portion at a time.
struct Portions<'a, I, P> {
    blocks: I,
    parse: P,
    pool: &'a rayon::ThreadPool,
    waiting: Vec<Article>,
}

impl<B: Send, I, P> Portions<'_, I, P>
where
    I: Iterator<Item = Result<B>>,
    P: Fn(B) -> Result<Vec<Article>> + Sync,
{
    /// The next portion; `None` at the end.
    fn next(&mut self) -> Result<Option<Vec<Article>>> {
        loop {
            let num = portion_len(&self.waiting);
            if num > 0 && (num < self.waiting.len() || num >= PORTION_LEN) {
                return Ok(Some(self.cut(num)));
            }
            let some: Vec<B> = self.blocks.by_ref().take(PORTION_BLOCKS).collect::<Result<_>>()?;
            if some.is_empty() {
                return Ok((num > 0).then(|| self.cut(num)));
            }
            let parse = &self.parse;
            let parsed: Vec<Result<Vec<Article>>> = self.pool.install(|| some.into_par_iter().map(parse).collect());
            for articles in parsed {
                self.waiting.extend(articles?);
            }
        }
    }

    fn cut(&mut self, num: usize) -> Vec<Article> {
        let rest = self.waiting.split_off(num);
        std::mem::replace(&mut self.waiting, rest)
    }
}

/// How many of these articles make a portion: some are long.
fn portion_len(articles: &[Article]) -> usize {
    let mut num_bytes = 0;
    let fits = |article: &&Article| {
        num_bytes += article.text.len();
        num_bytes <= PORTION_BYTES
    };
    articles.iter().take(PORTION_LEN).take_while(fits).count().max(articles.len().min(1))
}

/// Seconds since 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

impl Index {
    /// Adds articles; when this returns they are in the index, whatever happens.
    ///
    /// An article of an id that is there with the same text is counted and passed over; one with another text is a version:
    /// an error, or by [`Versions::Newest`] the newest stands.
    ///
    /// # Errors
    /// [`Error::RepeatedId`], and nothing was added; [`Error::Io`] when it cannot be written: what is in is seen when the
    /// index is opened anew.
    pub fn add(&mut self, articles: Vec<Article>) -> Result<Added> {
        let offer = self.offer(articles)?;
        let added = offer.added;
        self.commit(offer)?;
        Ok(added)
    }

    /// Says what adding articles will do, and makes all ready for it. Of an offer that is not committed nothing stays.
    ///
    /// # Errors
    /// Those of [`Index::add`].
    pub fn offer(&mut self, articles: Vec<Article>) -> Result<Offer> {
        let pool = Arc::clone(&self.pool);
        let prepared = pool.install(|| self.preparing().prepare(articles));
        self.offer_prepared(prepared)
    }

    fn offer_prepared(&mut self, prepared: Prepared) -> Result<Offer> {
        self.ready()?;
        self.finish_expiry()?;
        let pool = Arc::clone(&self.pool);
        pool.install(|| self.offer_in_pool(prepared))
    }

    fn preparing(&self) -> Preparing {
        Preparing { engine: self.engine.clone(), keying: Arc::clone(&self.keying) }
    }

    /// Adds articles from blocks that are parsed in parallel, a thousand or so at a time, each lasting before the next; calls
    /// `each` with what is in after every one.
    ///
    /// # Errors
    /// Those of [`Index::add`], the first that `blocks` yields, and the first that `parse` gives. What was added before is
    /// in the index.
    pub fn add_blocks<B: Send>(
        &mut self,
        blocks: impl Iterator<Item = Result<B>>,
        parse: impl Fn(B) -> Result<Vec<Article>> + Sync,
        mut each: impl FnMut(Added),
    ) -> Result<Added> {
        let (pool, preparing) = (Arc::clone(&self.pool), self.preparing());
        let mut portions = Portions { blocks: blocks.fuse(), parse, pool: &pool, waiting: Vec::new() };
        let (ready, coming) = mpsc::sync_channel(NUM_READY);
        let (done, told) = mpsc::channel();
        let mut sum = Added::default();
        let mut tell = |added| {
            sum = sum.plus(added);
            each(sum);
        };
        // Some of what adding takes is work for one thread, or waiting for the disk: portions that come are made ready then.
        let is_canceled = &AtomicBool::new(false);
        std::thread::scope(|scope| {
            let adding = scope.spawn(move || {
                for prepared in coming {
                    if is_canceled.load(Ordering::Relaxed) {
                        break;
                    }
                    let offer = self.offer_prepared(prepared)?;
                    let added = offer.added;
                    self.commit(offer)?;
                    done.send(added).expect("it is heard out");
                }
                Ok(())
            });
            let prepared = loop {
                let next = match portions.next() {
                    Ok(Some(articles)) => pool.install(|| preparing.prepare(articles)),
                    Ok(None) => break Ok(()),
                    Err(error) => {
                        is_canceled.store(matches!(error, Error::Canceled), Ordering::Relaxed);
                        break Err(error);
                    }
                };
                if ready.send(next).is_err() {
                    // Adding has failed, and says why.
                    break Ok(());
                }
                told.try_iter().for_each(&mut tell);
            };
            drop(ready);
            told.iter().for_each(&mut tell);
            adding.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).and(prepared)
        })?;
        Ok(sum)
    }

    fn offer_in_pool(&mut self, prepared: Prepared) -> Result<Offer> {
        let Prepared { mut articles, analyzed } = prepared;
        // A clock that runs backwards does not make the new older than the old.
        let arrival = now().max(self.state.arrival);
        for article in &mut articles {
            article.origin.block = arrival as u64;
            article.origin.record = 0;
        }
        let first = self.articles.len() as u32;
        let (fates, change, added) = self.settle_ids(&articles, &analyzed)?;
        let mut entries = ByList::new(analyzed.iter().map(|(_, keys)| keys.len()).sum());
        for (fate, (article, (analyzed, keys))) in fates.iter().zip(articles.iter().zip(analyzed)) {
            let Fate::Born(ordinal) = *fate else { continue };
            self.articles.push(self.table, article, &analyzed);
            self.whens.push(article.published.map_or(arrival, |time| time.0));
            self.state.flags.push(0);
            self.state.stories.push(0);
            let lookups = analyzed.exact_key.map(list_of_exact).into_iter().chain([list_of_id(article.id.as_str())]);
            keys.into_iter().chain(lookups).for_each(|key| entries.add(key, ordinal));
        }
        let num = change.born.len() as u32;
        if num > 0 {
            self.runs.offer(entries.make_run((first, num)));
        }
        let derived = self.derive(&change, &entries.all());
        let Derived { mut delta, events, crowds } = match derived {
            Ok(derived) => derived,
            Err(error) => {
                self.withdraw();
                return Err(error);
            }
        };
        delta.arrival = arrival;
        Ok(Offer { fates, added, change, delta, events, crowds, first, number: self.num_offers })
    }

    /// Of each id the article that stands, among those that come and the one that is there.
    fn settle_ids(
        &self,
        articles: &[Article],
        analyzed: &[(Analyzed, Vec<u64>)],
    ) -> Result<(Vec<Fate>, Change, Added)> {
        let there: Vec<Option<u32>> =
            articles.par_iter().map(|article| self.find_id(article.id.as_str())).collect::<Result<_>>()?;
        let mut by_id: HashMap<&ArticleId, Vec<usize>> = HashMap::default();
        // One without a date is from when it came.
        let when = |article: &Article| article.published.map_or(article.origin.block as i64, |time| time.0);
        let has_expired = |article: &Article| when(article) < self.state.cutoff;
        for (at, article) in articles.iter().enumerate().filter(|(_, article)| !has_expired(article)) {
            by_id.entry(&article.id).or_default().push(at);
        }
        let mut added = Added::default();
        let mut wins: Vec<bool> = vec![false; articles.len()];
        let standing_of = |at: usize| analyzed[at].0.standing(&articles[at]);
        for same in by_id.values() {
            // Of equals the first.
            let best = same.iter().copied().rev().max_by_key(|at| standing_of(*at)).expect("an id has articles");
            let old = there[best].map(|ordinal| self.articles.get(ordinal));
            let stays = old.as_ref().is_some_and(|old| standing(old) >= standing_of(best));
            let text = analyzed[best].0.text_hash;
            let other = same.iter().copied().find(|at| analyzed[*at].0.text_hash != text);
            let other_place = match (&old, other) {
                (Some(old), _) if old.text_hash() != text => Some(old.place().to_string()),
                (_, Some(other)) => Some(articles[other].origin.place.to_string()),
                _ => None,
            };
            if let (Some(first), Versions::Refuse) = (other_place, self.engine.versions) {
                let second = articles[best].origin.place.to_string();
                return Err(Error::RepeatedId { id: articles[best].id.to_string(), first, second });
            }
            wins[best] = !stays;
        }
        let mut change = Change::default();
        let first = self.articles.len() as u32;
        let mut born: HashMap<&ArticleId, (u32, u128)> = HashMap::default();
        for (at, article) in articles.iter().enumerate().filter(|(at, _)| wins[*at]) {
            let ordinal = first + change.born.len() as u32;
            change.born.push(ordinal);
            born.insert(&article.id, (ordinal, analyzed[at].0.text_hash));
            added.num_added += 1;
            if let Some(old) = there[at] {
                change.dead.push(old);
                change.replaced.push((ordinal, old));
                added.num_replaced += 1;
            }
        }
        change.dead.sort_unstable();
        let fates = (0..articles.len())
            .map(|at| {
                if has_expired(&articles[at]) {
                    added.num_expired += 1;
                    return Fate::Expired;
                }
                let stands = born.get(&articles[at].id).copied();
                let (by, text) = stands.unwrap_or_else(|| {
                    let old = there[at].expect("what does not win is beaten by something");
                    (old, self.articles.get(old).text_hash())
                });
                if wins[at] {
                    return Fate::Born(by);
                }
                let is_older = analyzed[at].0.text_hash != text;
                *(if is_older { &mut added.num_older } else { &mut added.num_repeated }) += 1;
                Fate::Stands { by, is_older }
            })
            .collect();
        Ok((fates, change, added))
    }

    /// Makes an offer last.
    ///
    /// # Errors
    /// [`Error::StaleOffer`] when the index has changed or made another offer since. [`Error::Io`] when it cannot be written;
    /// the index takes nothing more then, until it is opened anew.
    pub fn commit(&mut self, offer: Offer) -> Result<()> {
        if offer.number != self.num_offers {
            return Err(Error::StaleOffer);
        }
        if offer.change.born.is_empty() && offer.change.dead.is_empty() {
            return Ok(());
        }
        self.write_change(offer.first, &offer.delta, &offer.events, offer.crowds)?;
        self.flush_if_large()
    }

    /// Takes back what an offer that was not committed has put away.
    pub(super) fn withdraw(&mut self) {
        self.num_offers += 1;
        let num = self.num_counted as usize;
        if self.articles.len() > num {
            self.articles.truncate(self.table, num);
            self.whens.truncate(num);
            self.state.flags.truncate(num);
            self.state.stories.truncate(num);
            self.runs.withdraw();
            // Ordinals will be given anew.
            self.margins.clear();
        }
    }

    /// Writes a change to the log, then carries it out. New articles are those from `first` on.
    pub(super) fn write_change(
        &mut self,
        first: u32,
        delta: &Delta,
        events: &[Event],
        crowds: ChangedCrowds,
    ) -> Result<()> {
        let seq = self.seq + 1;
        let lines = self.describe(seq, events)?;
        let mut out = Bytes::default();
        let new = first..self.articles.len() as u32;
        out.word(new.len() as u32);
        for ordinal in new {
            let words = self.articles.get(ordinal).all_words();
            words.iter().for_each(|part| out.word(part.len() as u32));
            words.iter().for_each(|part| out.0.extend_from_slice(bytemuck::cast_slice(part)));
        }
        let changes_from = out.0.len();
        delta.write(&mut out);
        let changes_end = out.0.len();
        out.0.extend_from_slice(lines.as_bytes());
        let writing = self.writing.as_mut().expect("only writers change anything");
        let written = writing.log.append(seq, &out.0).and_then(|()| writing.events.append(&lines));
        if let Err(error) = written {
            writing.is_halted = true;
            return Err(error);
        }
        self.seq = seq;
        let new = self.whens[first as usize..].iter().map(|when| believed(*when, delta.arrival));
        self.newest = new.fold(self.newest, i64::max);
        self.is_expiry_done &= delta.cutoff <= self.state.cutoff;
        self.num_counted = self.articles.len() as u32;
        self.state.apply(delta);
        self.unsaved.add(&out.0[changes_from..changes_end]);
        self.crowds.apply(crowds);
        let Self { pool, runs, .. } = self;
        pool.install(|| runs.settle());
        Ok(())
    }

    /// Events as JSON lines.
    pub(super) fn describe(&self, seq: u64, events: &[Event]) -> Result<String> {
        let mut lines = String::new();
        for event in events {
            let line = match *event {
                Event::Join { article, story } => self.with_article(seq, "join", story, article)?,
                Event::Leave { article, story } => self.with_article(seq, "leave", story, article)?,
                Event::Merge { story, into } => files::event_line(seq, "merge", story, &format!(r#","into":{into}"#)),
                Event::Split { story, from } => files::event_line(seq, "split", story, &format!(r#","from":{from}"#)),
                Event::End { story } => files::event_line(seq, "end", story, ""),
            };
            lines.push_str(&line);
        }
        Ok(lines)
    }

    fn with_article(&self, seq: u64, event: &str, story: u32, article: u32) -> Result<String> {
        self.articles.look_at(article)?;
        let id = serde_json::to_string(self.articles.get(article).id()).expect("text is JSON");
        Ok(files::event_line(seq, event, story, &format!(r#","article":{id}"#)))
    }

    /// Removes articles by id; how many were there. They are gone from answers at once, from disk by [`Index::compact`].
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn remove<'a>(&mut self, ids: impl IntoIterator<Item = &'a str>) -> Result<u64> {
        self.ready()?;
        self.finish_expiry()?;
        let mut dead = Vec::new();
        for id in ids {
            dead.extend(self.find_id(id)?);
        }
        dead.sort_unstable();
        dead.dedup();
        let num = dead.len() as u64;
        for some in dead.chunks(EXPIRED_AT_ONCE) {
            self.bury(some.to_vec())?;
        }
        Ok(num)
    }

    /// Lets all articles go that were published, else came, before a moment; how many: [`Index::hide_before`], and what
    /// follows from it for clusters.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn expire(&mut self, before: Timestamp) -> Result<u64> {
        self.hide_before(before)?;
        self.finish_expiry()
    }

    /// Takes all articles out of every answer that were published, else came, before a moment: one small write, whatever
    /// their number. What follows from it for clusters is derived when the index is changed next, or by [`Index::expire`].
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be written.
    pub fn hide_before(&mut self, before: Timestamp) -> Result<()> {
        self.ready()?;
        self.finish_expiry()?;
        if before.0 <= self.state.cutoff {
            return Ok(());
        }
        let mut delta = Delta { last_story: self.state.last_story, ..Delta::default() };
        (delta.cutoff, delta.arrival) = (before.0, self.state.arrival);
        self.write_change(self.articles.len() as u32, &delta, &[], ChangedCrowds::default())
    }

    /// Derives what follows from a moment that was set; how many articles have gone.
    pub(super) fn finish_expiry(&mut self) -> Result<u64> {
        if self.is_expiry_done {
            return Ok(0);
        }
        let due = self.due();
        for some in due.chunks(EXPIRED_AT_ONCE) {
            self.bury(some.to_vec())?;
        }
        self.is_expiry_done = true;
        Ok(due.len() as u64)
    }

    /// Derives in memory what the writer has not yet, as it will, so that a reader sees what is there without the expired.
    pub(super) fn catch_up(&mut self) -> Result<()> {
        let pool = Arc::clone(&self.pool);
        let due = if self.is_expiry_done { Vec::new() } else { self.due() };
        for some in due.chunks(EXPIRED_AT_ONCE) {
            let change = Change { dead: some.to_vec(), ..Change::default() };
            let Derived { delta, crowds, .. } = pool.install(|| self.derive(&change, &[]))?;
            self.state.apply(&delta);
            self.crowds.apply(crowds);
        }
        self.is_expiry_done = true;
        Ok(())
    }

    /// The state without the articles that have expired.
    pub(super) fn settled(&self) -> Result<Cow<'_, State>> {
        let due = if self.is_expiry_done { Vec::new() } else { self.due() };
        if due.is_empty() {
            return Ok(Cow::Borrowed(&self.state));
        }
        let delta = self.derive(&Change { dead: due, ..Change::default() }, &[])?.delta;
        let mut state = self.state.clone();
        state.apply(&delta);
        Ok(Cow::Owned(state))
    }

    /// Articles that have expired and whose going is not derived yet.
    pub(super) fn due(&self) -> Vec<u32> {
        let is_due = |ordinal: &u32| self.state.is_live(*ordinal) && !self.is_current(*ordinal);
        (0..self.articles.len() as u32).filter(is_due).collect()
    }

    fn bury(&mut self, dead: Vec<u32>) -> Result<()> {
        let pool = Arc::clone(&self.pool);
        pool.install(|| {
            let change = Change { dead, ..Change::default() };
            let first = self.articles.len() as u32;
            let Derived { delta, events, crowds } = self.derive(&change, &[])?;
            self.write_change(first, &delta, &events, crowds)
        })?;
        self.flush_if_large()
    }

    /// Whether the index takes changes.
    pub(super) fn ready(&mut self) -> Result<()> {
        let folder = || self.folder.clone();
        match &self.writing {
            Some(writing) if writing.is_halted => return Err(Error::IndexHalted { folder: folder() }),
            Some(_) => {}
            None => {
                let source = std::io::Error::new(std::io::ErrorKind::PermissionDenied, "opened for reading");
                return Err(Error::io(folder(), "write", source));
            }
        }
        self.withdraw();
        Ok(())
    }
}

/// Marks an article for having been taken for a repeat.
pub(super) fn mark_repeat(delta: &mut Delta, ordinal: u32) {
    if let Ok(at) = delta.flags.binary_search_by_key(&ordinal, |(changed, _)| *changed) {
        delta.flags[at].1 |= flag::REPEAT;
    }
}
