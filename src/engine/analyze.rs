//! From an article to what the later stages need of it, and the checks over the whole set.

use super::keys::NO_RANK;
use super::store::{ArticleView, Articles};
use super::{Replaced, Stats, Versions};
use crate::article::{Article, Timestamp};
use crate::error::{Error, Result};
use crate::hash::{combine, hash128};
use crate::profile::Profile;
use crate::shingle::shingle_hashes;
use crate::sketch::{MinHasher, Record, RecordBuf, Records};
use crate::text::{Document, guess_language, language_name};
use rayon::prelude::*;

/// What is known of an article after it was looked at.
#[derive(Clone, Debug, Default)]
pub struct Analyzed {
    /// Credits found at the edges of its text: provenance, not compared.
    pub credits: Vec<String>,
    /// The English name of its language, of an article in one without weights: as the feed says, else by its letters,
    /// else `unknown`.
    pub unweighted_language: Option<Box<str>>,
    /// What verification reads.
    pub record: RecordBuf,
    /// Hash of the text as it came: tells a repeated line from another version.
    pub(super) text_hash: u128,
    /// Articles with equal keys are exact copies; `None` for an empty text.
    pub(super) exact_key: Option<u128>,
    /// MinHash signature, where it is asked for.
    pub(super) signature: Vec<u32>,
}

/// Makes records and signatures under one profile.
#[derive(Debug)]
pub(super) struct Analyzer<'a> {
    profile: &'a Profile,
    records: Records,
    hasher: Option<MinHasher>,
}

impl<'a> Analyzer<'a> {
    /// An analyzer that makes signatures where they are needed.
    pub(super) fn new(profile: &'a Profile, records: Records, needs_signatures: bool) -> Self {
        let params = profile.sketch();
        let hasher = needs_signatures.then(|| MinHasher::new(params.num_slots, params.seed));
        Self { profile, records, hasher }
    }

    /// Looks at an article; `analyzed` is overwritten.
    pub(super) fn analyze(&self, article: &Article, analyzed: &mut Analyzed) {
        let document = Document::new(&article.text, self.profile.sketch().max_tokens);
        let mut shingles = shingle_hashes(&document.tokens, self.profile.sketch().shingle_len);
        analyzed.record.fill(article, &document, &shingles, self.profile);
        let record = analyzed.record.record();
        analyzed.text_hash = hash128(article.text.as_bytes());
        analyzed.unweighted_language = (!record.terms.is_weighted()).then(|| language_of(article, &document));
        analyzed.exact_key = self.exact_key(&document, &record);
        if self.records == Records::Thin {
            analyzed.record.thin_out();
            // What can be made again of the record alone.
            shingles.clear();
            shingles.extend(analyzed.record.record().shingles.iter().copied().map(u64::from));
        }
        if let Some(hasher) = &self.hasher {
            analyzed.signature.resize(hasher.num_slots(), 0);
            hasher.signature_into(&shingles, &mut analyzed.signature);
        }
        analyzed.credits = document.credits;
    }

    /// The fingerprint of the text; of a text too short to tell a story by itself ("Qtly div 12 cts"), of text and
    /// headline.
    fn exact_key(&self, document: &Document<'_>, record: &Record<'_>) -> Option<u128> {
        if document.tokens.is_empty() {
            return None;
        }
        let fingerprint = document.fingerprint();
        if record.content.len() >= self.profile.sketch().min_content {
            return Some(fingerprint);
        }
        let title = record.title.iter().fold(record.title.len() as u64, |hash, stem| combine(hash, u64::from(*stem)));
        Some(fingerprint ^ u128::from(combine(title, 1)))
    }
}

/// The name of an article's language.
fn language_of(article: &Article, document: &Document<'_>) -> Box<str> {
    match &article.language {
        Some(tag) => language_name(tag).into(),
        None => guess_language(document).map_or_else(|| "unknown".into(), |code| language_name(code).into()),
    }
}

/// An id's first bytes behind what all ids begin with, as a number that orders like them, and the article's number.
type ShortId = (u64, u32);

/// The articles in order of id, equal ids in order of number.
fn order_by_id(articles: &Articles) -> Vec<ShortId> {
    let id = |number: u32| articles.get(number).id().as_bytes();
    let num_articles = articles.len() as u32;
    let shared_len = |a: &[u8], b: &[u8]| a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let first = if num_articles > 0 { id(0) } else { b"" };
    let prefix_len = (0..num_articles).into_par_iter().map(|number| shared_len(first, id(number))).min().unwrap_or(0);
    let short = |number: u32| -> ShortId {
        let rest = &id(number)[prefix_len..];
        let mut bytes = [0; 8];
        let len = rest.len().min(8);
        bytes[..len].copy_from_slice(&rest[..len]);
        (u64::from_be_bytes(bytes), number)
    };
    let mut order: Vec<ShortId> = (0..num_articles).into_par_iter().map(short).collect();
    // Most ids differ in what is at hand; for the others the store is asked.
    order.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| id(a.1).cmp(id(b.1))).then(a.1.cmp(&b.1)));
    order
}

/// Orders articles by id and settles those that share one. Also says which number each had before.
pub(super) fn sort_and_check(
    articles: &mut Articles,
    versions: Versions,
    stats: &mut Stats,
) -> Result<(Vec<u32>, Vec<Replaced>)> {
    let order = order_by_id(articles);
    let mut repeated: Option<(String, [String; 2])> = None;
    let mut replaced = Vec::new();
    let mut stands: Vec<u32> = Vec::with_capacity(order.len());
    // Only articles whose ids begin alike are asked for them.
    for alike in order.chunk_by(|a, b| a.0 == b.0) {
        if let [(_, number)] = alike {
            stands.push(*number);
            continue;
        }
        for same in alike.chunk_by(|a, b| articles.get(a.1).id() == articles.get(b.1).id()) {
            let mut group: Vec<u32> = same.iter().map(|(_, number)| *number).collect();
            group.sort_unstable_by(|a, b| by_standing(&articles.get(*a), &articles.get(*b)));
            let kept = articles.get(group[0]);
            stands.push(group[0]);
            let id = kept.id();
            for next in group[1..].iter().map(|number| articles.get(*number)) {
                let is_older_version = next.text_hash() != kept.text_hash();
                let place = next.block_and_record();
                replaced.push(Replaced { id: id.into(), place, is_older_version });
                if is_older_version {
                    stats.num_older_versions += 1;
                    let mut places = [kept, next];
                    places.sort_by_key(|article| (article.block_and_record(), article.place()));
                    repeated.get_or_insert_with(|| (id.to_string(), places.map(|article| article.place().to_string())));
                } else {
                    stats.num_repeated_lines += 1;
                }
            }
        }
    }
    match repeated {
        Some((id, [first, second])) if versions == Versions::Refuse => Err(Error::RepeatedId { id, first, second }),
        _ => {
            articles.reorder(&stands);
            Ok((stands, replaced))
        }
    }
}

/// Among equal ids the one that stands comes first: newest version, then newest, then by text, then by whatever else can
/// reach an output, so that the place only tells apart what answers alike.
fn by_standing(a: &ArticleView<'_>, b: &ArticleView<'_>) -> std::cmp::Ordering {
    let place = |article: &ArticleView<'_>| (article.block_and_record(), article.place().to_string());
    standing(b).cmp(&standing(a)).then_with(|| place(a).cmp(&place(b)))
}

/// What decides between articles of one id: the greatest stands.
pub(super) type Standing<'a> =
    (Option<i64>, Option<Timestamp>, u128, (Option<&'a str>, &'a [u32], Option<&'a str>), (bool, bool));

/// What decides for an article that was put away.
pub(super) fn standing<'a>(article: &ArticleView<'a>) -> Standing<'a> {
    let record = article.record();
    let described = (article.source(), record.title, article.title());
    let flags = (record.terms.says_correction(), record.terms.is_weighted());
    (article.version(), article.published(), article.text_hash(), described, flags)
}

impl Analyzed {
    /// What was found of an article, without the signature and what making the next one takes.
    pub(super) fn take(&mut self) -> Self {
        Self {
            credits: std::mem::take(&mut self.credits),
            unweighted_language: self.unweighted_language.take(),
            record: self.record.copied(),
            signature: Vec::new(),
            ..*self
        }
    }

    /// What decides for an article before it is put away, where texts are not held.
    pub(super) fn standing<'a>(&'a self, article: &'a Article) -> Standing<'a> {
        let record = self.record.record();
        let flags = (record.terms.says_correction(), record.terms.is_weighted());
        let described = (article.source.as_deref(), record.title, None);
        (article.version, article.published, self.text_hash, described, flags)
    }
}

/// Exact copies: of each group one article, the first by precedence, stands in for the others.
#[derive(Debug)]
pub(super) struct Groups {
    stand_in: Vec<u32>,
}

impl Groups {
    pub(super) fn new(articles: &Articles) -> Self {
        // Half of a key tells nearly all apart.
        let keyed = |rank: u32| Some((articles.get(rank).exact_key()? as u64, rank));
        let mut order: Vec<(u64, u32)> = (0..articles.len() as u32).into_par_iter().filter_map(keyed).collect();
        order.par_sort_unstable();
        let mut stand_in: Vec<u32> = (0..articles.len() as u32).collect();
        for alike in order.chunk_by(|a, b| a.0 == b.0).filter(|alike| alike.len() > 1) {
            let mut group: Vec<(u128, (i64, u32))> = alike
                .iter()
                .map(|(_, rank)| {
                    let article = articles.get(*rank);
                    (article.exact_key().expect("taken for its key"), article.precedence(*rank))
                })
                .collect();
            group.sort_unstable();
            for copies in group.chunk_by(|a, b| a.0 == b.0) {
                for (_, (_, rank)) in copies {
                    stand_in[*rank as usize] = copies[0].1.1;
                }
            }
        }
        Self { stand_in }
    }

    /// Ranks by number, [`NO_RANK`] for an article that another stands in for or has replaced. `numbers` gives each
    /// article's number by rank.
    pub(super) fn ranks_by_number(&self, numbers: &[u32], num_analyzed: usize) -> Vec<u32> {
        let mut ranks = vec![NO_RANK; num_analyzed];
        for (rank, number) in numbers.iter().enumerate().filter(|(rank, _)| self.stand_in[*rank] == *rank as u32) {
            ranks[*number as usize] = rank as u32;
        }
        ranks
    }

    /// The article that stands in for this one; itself for most.
    pub(super) fn stand_in(&self, article: u32) -> u32 {
        self.stand_in[article as usize]
    }

    pub(super) fn num_copies(&self) -> usize {
        self.stand_in.iter().enumerate().filter(|(rank, stand_in)| *rank as u32 != **stand_in).count()
    }
}
