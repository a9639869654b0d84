//! What a run answers: clusters, pairs, links, and which articles to keep.

use super::analyze::Groups;
use super::store::Articles;
use super::{Engine, Found, REPRESENTATIVE};
use crate::article::ArticleId;
use crate::cluster::Cluster;
use crate::lsh::BucketCounts;
use crate::profile::Profile;
use crate::text::Document;
use crate::verify::{Differences, Relation, Scratch, Verdict, differences};
use bitvec::vec::BitVec;
use rayon::prelude::*;
use std::sync::Arc;

/// An article in its cluster. Articles are given by their rank: their place in [`Clustering::articles`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The article.
    pub article: u32,
    /// The cluster, named by its member with the smallest id.
    pub cluster: u32,
    /// The member that stands for the cluster.
    pub representative: u32,
    /// What the article is to the representative; `None` for the representative itself, unless it is alone and
    /// undecidable.
    pub relation: Option<Relation>,
    /// Probability of one telling, in parts of 10,000.
    pub probability_e4: u16,
    /// Members of the cluster.
    pub size: u32,
}

/// A verified pair: `a` is … of `b`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The article the relation is said of.
    pub a: u32,
    /// The article it is related to.
    pub b: u32,
    /// The verdict, with its evidence; `None` for exact copies, which need none.
    pub verdict: Option<Verdict>,
}

impl Pair {
    /// What `a` is to `b`.
    #[must_use]
    pub fn relation(&self) -> Relation {
        self.verdict.as_ref().map_or(Relation::Exact, |verdict| verdict.relation)
    }

    /// Probability of one telling, in parts of 10,000.
    #[must_use]
    pub fn probability_e4(&self) -> u16 {
        self.verdict.as_ref().map_or(10_000, |verdict| verdict.probability_e4)
    }
}

/// Counts and times of a run.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Articles clustered.
    pub num_articles: u64,
    /// Clusters, singletons included.
    pub num_clusters: u64,
    /// Articles that are no representative.
    pub num_repeats: u64,
    /// Lines that repeat an id with the same text.
    pub num_repeated_lines: u64,
    /// Articles that a newer version of the same id replaced.
    pub num_older_versions: u64,
    /// Exact copies that another stands in for.
    pub num_exact_copies: u64,
    /// Articles too short or empty to compare.
    pub num_undecidable: u64,
    /// Articles in a language without weights, compared by wording only.
    pub num_unweighted: u64,
    /// Their languages with their articles, most first, then by name.
    pub unweighted_languages: Vec<(Box<str>, u64)>,
    /// Keys of all kinds.
    pub num_keys: u64,
    /// MinHash bands.
    pub num_bands: u64,
    /// Rows a band.
    pub num_rows: u64,
    /// Recall of the bands at the similarity that the profile states.
    pub band_recall: f64,
    /// Buckets of two or more, crowded ones, and the largest.
    pub buckets: BucketCounts,
    /// Distinct candidate pairs.
    pub num_candidates: u64,
    /// Verified matches.
    pub num_matches: u64,
    /// Verified pairs that are look-alikes worth a link.
    pub num_links: u64,
    /// These by relation.
    pub links: Vec<(Relation, u64)>,
    /// Bytes that were put away in temporary files.
    pub num_filed_bytes: u64,
    /// Members by relation to their representative.
    pub relations: Vec<(Relation, u64)>,
    /// Seconds for reading, parsing and sketching.
    pub analysis_seconds: f64,
    /// Seconds for keys and buckets.
    pub candidates_seconds: f64,
    /// Seconds for verification.
    pub verify_seconds: f64,
    /// Seconds for clustering.
    pub cluster_seconds: f64,
    /// Seconds from the first block to the answer.
    pub total_seconds: f64,
}

/// Which member of a cluster is kept. Excerpts never stand for a full telling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The first published.
    #[default]
    Earliest,
    /// The one with most text.
    Longest,
    /// The last published.
    Latest,
    /// One of the first of these sources that has one; else the earliest.
    Sources(Vec<String>),
}

/// What becomes of an article when repeats are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It stays.
    Yes,
    /// It goes: what it is to the article that stays.
    DuplicateOf(u32, Relation),
}

/// A line of the input whose id another line with the same id stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The id of both.
    pub id: ArticleId,
    /// Number of its block in the input, and of its record in the block.
    pub place: (u64, u32),
    /// Whether its text differs from the one that stands.
    pub is_older_version: bool,
}

/// The answer of a run over a set of articles.
#[derive(Debug)]
pub struct Clustering {
    /// The articles in order of id.
    pub articles: Arc<Articles>,
    /// Every article with its cluster, by cluster, then id.
    pub members: Vec<Member>,
    /// Verified matches, by `a`, then `b`; where the engine does not hold verdicts, exact copies only. So for the others.
    pub pairs: Vec<Pair>,
    /// Verified look-alikes: `followup`, `same_event`, `template`, `includes`.
    pub links: Vec<Pair>,
    /// Verified pairs up to two nats under the threshold that are no look-alikes either, by `a`, then `b`.
    pub near_misses: Vec<Pair>,
    /// Lines that others with the same id stand for.
    pub replaced: Vec<Replaced>,
    /// Counts and times.
    pub stats: Stats,
    engine: Engine,
}

impl Clustering {
    pub(super) fn new(
        engine: Engine,
        articles: impl Into<Arc<Articles>>,
        groups: &Groups,
        clusters: Vec<Cluster>,
        found: Found,
        stats: Stats,
    ) -> Self {
        let mut clustering = Self {
            articles: articles.into(),
            members: Vec::new(),
            pairs: Vec::new(),
            links: Vec::new(),
            near_misses: Vec::new(),
            replaced: Vec::new(),
            stats,
            engine,
        };
        clustering.add_members(groups, clusters);
        clustering.stats.num_matches = clustering.stats.num_exact_copies + found.matches.len() as u64;
        clustering.stats.links = Relation::ALL.into_iter().zip(found.num_links).filter(|(r, _)| r.is_link()).collect();
        clustering.add_pairs(groups, found.verdicts);
        clustering.count();
        clustering
    }

    fn add_members(&mut self, groups: &Groups, clusters: Vec<Cluster>) {
        let num_articles = self.articles.len() as u32;
        let mut home: Vec<u32> = (0..num_articles).collect(); // representative of each stand-in
        for cluster in clusters {
            for member in cluster.members {
                home[member as usize] = cluster.representative;
            }
        }
        let representative_of = |rank: u32| home[groups.stand_in(rank) as usize];
        // A cluster is named by its smallest member.
        let mut first: Vec<u32> = vec![u32::MAX; self.articles.len()];
        let mut size: Vec<u32> = vec![0; self.articles.len()];
        for rank in 0..num_articles {
            let representative = representative_of(rank) as usize;
            first[representative] = first[representative].min(rank);
            size[representative] += 1;
        }
        let member = |scratch: &mut Scratch, rank: u32| {
            let representative = representative_of(rank);
            let is_alone = size[representative as usize] == 1;
            let article = self.articles.get(rank);
            let (relation, probability_e4) = match rank == representative {
                true if is_alone => self.engine.alone(&article.record()),
                true => REPRESENTATIVE,
                false => self.engine.relation_to(&article, &self.articles.get(representative), scratch),
            };
            Member {
                article: rank,
                cluster: first[representative as usize],
                representative,
                relation,
                probability_e4,
                size: size[representative as usize],
            }
        };
        self.members = (0..num_articles).into_par_iter().with_min_len(64).map_init(Scratch::default, member).collect();
        self.members.sort_unstable_by_key(|member| (member.cluster, member.article));
    }

    fn add_pairs(&mut self, groups: &Groups, verdicts: Vec<(u32, u32, Verdict)>) {
        for rank in 0..self.articles.len() as u32 {
            let stand_in = groups.stand_in(rank);
            if stand_in != rank {
                self.pairs.push(Pair { a: rank, b: stand_in, verdict: None });
            }
        }
        for (first, second, verdict) in verdicts {
            let (a, b) = if verdict.is_forward { (first, second) } else { (second, first) };
            let relation = verdict.relation;
            let pair = Pair { a, b, verdict: Some(verdict) };
            match relation {
                _ if relation.is_match() => self.pairs.push(pair),
                _ if relation.is_link() => self.links.push(pair),
                _ => self.near_misses.push(pair),
            }
        }
        self.near_misses.sort_unstable_by_key(|pair| (pair.a, pair.b));
        self.pairs.sort_unstable_by_key(|pair| (pair.a, pair.b));
        self.links.sort_unstable_by_key(|pair| (pair.a, pair.b));
    }

    fn count(&mut self) {
        let stats = &mut self.stats;
        stats.num_articles = self.articles.len() as u64;
        stats.num_clusters = self.members.iter().filter(|m| m.article == m.cluster).count() as u64;
        stats.num_repeats = self.members.iter().filter(|m| m.article != m.representative).count() as u64;
        stats.num_links = stats.links.iter().map(|(_, number)| number).sum();
        stats.unweighted_languages = count_languages(&self.articles);
        stats.num_unweighted = stats.unweighted_languages.iter().map(|(_, number)| number).sum();
        let count = |relation| self.members.iter().filter(|m| m.relation == Some(relation)).count() as u64;
        stats.num_undecidable = count(Relation::Undecidable);
        stats.relations =
            Relation::ALL.into_iter().filter(|r| r.is_match()).map(|relation| (relation, count(relation))).collect();
    }

    /// Judges two of the articles.
    #[must_use]
    pub fn verdict(&self, first: u32, second: u32) -> Verdict {
        self.verdict_with(first, second, &mut Scratch::default())
    }

    /// What differs between the two articles of a pair whose relation rests on it, `update` or `template`: of its `a`
    /// the first, of its `b` the second. `None` for other relations, and where the engine does not hold texts.
    #[must_use]
    pub fn differences(&self, pair: &Pair) -> Option<Differences> {
        if !matches!(pair.relation(), Relation::Update | Relation::Template) {
            return None;
        }
        let max_tokens = self.engine.profile().sketch().max_tokens;
        let text = |rank: u32| self.articles.get(rank).text();
        let (first, second) = (text(pair.a)?, text(pair.b)?);
        Some(differences(&Document::new(first, max_tokens), &Document::new(second, max_tokens)))
    }

    fn verdict_with(&self, first: u32, second: u32, scratch: &mut Scratch) -> Verdict {
        self.engine.judge_views(&self.articles.get(first), &self.articles.get(second), scratch)
    }

    /// Which articles to keep, in the order of [`Clustering::articles`].
    ///
    /// Each cluster keeps one full telling by `policy`. With `updates_stay`, members that update it and add something
    /// stay too, each once.
    #[must_use]
    pub fn keep(&self, policy: &Keep, updates_stay: bool) -> Vec<Kept> {
        let mut kept = vec![Kept::Yes; self.articles.len()];
        let mut scratch = Scratch::default();
        for cluster in self.members.chunk_by(|a, b| a.cluster == b.cluster) {
            if cluster.len() > 1 {
                self.keep_in(cluster, policy, updates_stay, &mut kept, &mut scratch);
            }
        }
        kept
    }

    fn keep_in(&self, cluster: &[Member], policy: &Keep, updates_stay: bool, kept: &mut [Kept], scratch: &mut Scratch) {
        let precedence = |rank: u32| self.articles.get(rank).precedence(rank);
        let tellings = cluster.iter().filter(|m| m.relation != Some(Relation::Excerpt)).map(|m| m.article);
        let chosen = match policy {
            Keep::Earliest => tellings.min_by_key(|rank| precedence(*rank)),
            Keep::Longest => tellings.max_by_key(|rank| {
                let (time, rank) = precedence(*rank);
                (self.articles.record(rank).terms.num_tokens(), -i128::from(time), std::cmp::Reverse(rank))
            }),
            Keep::Latest => tellings.max_by_key(|rank| {
                (self.articles.get(*rank).published().map_or(i64::MIN, |t| t.0), std::cmp::Reverse(*rank))
            }),
            Keep::Sources(sources) => tellings.min_by_key(|rank| {
                let source = self.articles.get(*rank).source();
                let place = sources.iter().position(|s| Some(s.as_str()) == source).unwrap_or(sources.len());
                (place, precedence(*rank))
            }),
        };
        let chosen = chosen.unwrap_or(cluster[0].representative);
        let mut staying = vec![chosen];
        let mut order: Vec<u32> = cluster.iter().map(|m| m.article).filter(|rank| *rank != chosen).collect();
        order.sort_unstable_by_key(|rank| precedence(*rank));
        for rank in order {
            let relation = self.verdict_with(rank, chosen, scratch).of_first();
            // What corrects another member is not lost for being an excerpt or rewrite of this one.
            let says_correction = |rank: u32| self.articles.record(rank).terms.says_correction();
            let is_update = relation == Relation::Update || (says_correction(rank) && !says_correction(chosen));
            if !is_update || !updates_stay {
                let relation = if relation.is_match() { relation } else { Relation::Rewrite };
                kept[rank as usize] = Kept::DuplicateOf(chosen, relation);
                continue;
            }
            // A second copy of an update that stays adds nothing.
            let repeats = staying[1..].iter().find_map(|update| {
                let relation = self.verdict_with(rank, *update, scratch).of_first();
                (relation.is_match() && relation != Relation::Update).then_some((*update, relation))
            });
            match repeats {
                Some((update, relation)) => kept[rank as usize] = Kept::DuplicateOf(update, relation),
                None => staying.push(rank),
            }
        }
    }

    /// A mask of the articles that are representatives, in the order of [`Clustering::articles`].
    #[must_use]
    pub fn representatives(&self) -> BitVec {
        let mut mask = BitVec::repeat(false, self.articles.len());
        for member in &self.members {
            mask.set(member.representative as usize, true);
        }
        mask
    }

    /// The profile that answered.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        self.engine.profile()
    }

    /// The ids of the profile that answered: sketch and verdict.
    #[must_use]
    pub fn profile_ids(&self) -> (String, String) {
        (self.engine.profile().sketch_id(), self.engine.profile().verdict_id())
    }
}

/// Languages without weights with their articles, most first, then by name.
fn count_languages(articles: &Articles) -> Vec<(Box<str>, u64)> {
    let language = |rank: u32| articles.get(rank).unweighted_language();
    let mut names: Vec<&str> = (0..articles.len() as u32).into_par_iter().filter_map(language).collect();
    names.sort_unstable();
    let mut languages: Vec<(Box<str>, u64)> =
        names.chunk_by(|a, b| a == b).map(|same| (same[0].into(), same.len() as u64)).collect();
    languages.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    languages
}
