//! From an article to what the later stages need of it, and the checks over the whole set.

use super::keys::NO_RANK;
use super::{Replaced, Stats, Versions};
use crate::article::{Article, ArticleId, Origin, Timestamp};
use crate::error::{Error, Result};
use crate::hash::{combine, hash128};
use crate::profile::Profile;
use crate::shingle::shingle_hashes;
use crate::sketch::{MinHasher, Record};
use crate::text::{Document, guess_language, language_name};
use rayon::prelude::*;

/// What stays of an article.
#[derive(Clone, Debug)]
pub struct Analyzed {
    /// The feed's id.
    pub id: ArticleId,
    /// Where it stood in the input.
    pub origin: Origin,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// Who published it.
    pub source: Option<Box<str>>,
    /// Credits found at the edges of its text: provenance, not compared.
    pub credits: Vec<String>,
    /// The English name of its language, of an article in one without weights: as the feed says, else by its letters,
    /// else `unknown`.
    pub unweighted_language: Option<Box<str>>,
    /// Its text, where the engine holds texts.
    pub text: Option<Box<str>>,
    /// Its headline, where the engine holds texts.
    pub title: Option<Box<str>>,
    /// What verification reads.
    pub record: Record,
    /// Its place in the order of analysis, under which its keys are kept until ranks are known.
    pub(super) number: u32,
    /// The outlet's version number.
    pub(super) version: Option<i64>,
    /// Hash of the text as it came: tells a repeated line from another version.
    pub(super) text_hash: u128,
    /// Articles with equal keys are exact copies; `None` for an empty text.
    pub(super) exact_key: Option<u128>,
    /// MinHash signature.
    pub(super) signature: Vec<u32>,
}

impl Analyzed {
    /// The order in which articles stand for others: the earlier first, then the smaller id (given as its rank).
    pub(super) fn precedence(&self, rank: u32) -> (i64, u32) {
        (self.published.map_or(i64::MAX, |t| t.0), rank)
    }
}

/// Makes records and signatures under one profile.
#[derive(Debug)]
pub(super) struct Analyzer<'a> {
    profile: &'a Profile,
    hasher: MinHasher,
}

impl<'a> Analyzer<'a> {
    pub(super) fn new(profile: &'a Profile) -> Self {
        let params = profile.sketch();
        Self { profile, hasher: MinHasher::new(params.num_slots, params.seed) }
    }

    pub(super) fn analyze(&self, article: &Article) -> Analyzed {
        let document = Document::new(&article.text, self.profile.sketch().max_tokens);
        let shingles = shingle_hashes(&document.tokens, self.profile.sketch().shingle_len);
        let record = Record::new(article, &document, &shingles, self.profile);
        Analyzed {
            id: article.id.clone(),
            number: 0,
            text: None,
            title: None,
            origin: article.origin.clone(),
            published: article.published,
            source: article.source.as_deref().map(Into::into),
            version: article.version,
            text_hash: hash128(article.text.as_bytes()),
            unweighted_language: (!record.is_weighted).then(|| language_of(article, &document)),
            exact_key: self.exact_key(&document, &record),
            signature: self.hasher.signature(&shingles),
            credits: document.credits,
            record,
        }
    }

    /// The fingerprint of the text; of a text too short to tell a story by itself ("Qtly div 12 cts"), of text and
    /// headline.
    fn exact_key(&self, document: &Document<'_>, record: &Record) -> Option<u128> {
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

/// Orders articles by id and settles those that share one.
pub(super) fn sort_and_check(
    articles: Vec<Analyzed>,
    versions: Versions,
    stats: &mut Stats,
) -> Result<(Vec<Analyzed>, Vec<Replaced>)> {
    // Articles are large: their places are sorted, and each is moved once.
    let mut order: Vec<u32> = (0..articles.len() as u32).collect();
    // Among equal ids the one that stands comes first: newest version, then newest, then by text, then by whatever else
    // can reach an output, so that the place only tells apart what answers alike.
    order.par_sort_unstable_by(|a, b| {
        fn newest(x: &Analyzed) -> impl Ord + '_ {
            let record = &x.record;
            let described = (&x.source, &record.title, &x.title, record.says_correction, record.is_weighted);
            (x.version, x.published, x.text_hash, described)
        }
        let (a, b) = (&articles[*a as usize], &articles[*b as usize]);
        a.id.cmp(&b.id).then_with(|| newest(b).cmp(&newest(a))).then_with(|| a.origin.cmp(&b.origin))
    });
    let mut unsorted: Vec<Option<Analyzed>> = articles.into_iter().map(Some).collect();
    let mut articles: Vec<Analyzed> = order
        .into_iter()
        .map(|at| unsorted[at as usize].take().expect("each place stands once in the order"))
        .collect();
    let mut repeated = None;
    let mut replaced = Vec::new();
    articles.dedup_by(|next, kept| {
        if next.id != kept.id {
            return false;
        }
        let is_older_version = next.text_hash != kept.text_hash;
        replaced.push(Replaced { id: kept.id.clone(), origin: next.origin.clone(), is_older_version });
        if !is_older_version {
            stats.num_repeated_lines += 1;
        } else {
            stats.num_older_versions += 1;
            let mut places = [kept.origin.clone(), next.origin.clone()];
            places.sort();
            repeated.get_or_insert((kept.id.clone(), places));
        }
        true
    });
    match repeated {
        Some((id, [first, second])) if versions == Versions::Refuse => {
            Err(Error::RepeatedId { id: id.to_string(), first: first.place.into(), second: second.place.into() })
        }
        _ => Ok((articles, replaced)),
    }
}

/// Exact copies: of each group one article, the first by precedence, stands in for the others.
#[derive(Debug)]
pub(super) struct Groups {
    stand_in: Vec<u32>,
}

impl Groups {
    pub(super) fn new(articles: &[Analyzed]) -> Self {
        let mut order: Vec<(u128, (i64, u32), u32)> = articles
            .iter()
            .enumerate()
            .filter_map(|(rank, article)| Some((article.exact_key?, article.precedence(rank as u32), rank as u32)))
            .collect();
        order.par_sort_unstable();
        let mut stand_in: Vec<u32> = (0..articles.len() as u32).collect();
        for group in order.chunk_by(|a, b| a.0 == b.0) {
            for (_, _, rank) in group {
                stand_in[*rank as usize] = group[0].2;
            }
        }
        Self { stand_in }
    }

    /// Ranks by number, [`NO_RANK`] for an article that another stands in for or has replaced.
    pub(super) fn ranks_by_number(&self, articles: &[Analyzed], num_analyzed: usize) -> Vec<u32> {
        let mut ranks = vec![NO_RANK; num_analyzed];
        for (rank, article) in articles.iter().enumerate().filter(|(rank, _)| self.stand_in[*rank] == *rank as u32) {
            ranks[article.number as usize] = rank as u32;
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
