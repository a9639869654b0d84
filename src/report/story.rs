//! The listed stories, each with its members and how they differ from the one that stands for it.

use super::pair::{Compared, Differ, Known};
use super::sample::{Sample, Shown};
use super::text::{Body, Heading, Texts, duration, moment};
use super::{label, phrase, score};
use crate::engine::{Clustering, Member};
use crate::hash::HashSet;
use crate::text::Document;
use crate::verify::Relation;
use serde::Serialize;

/// The listed stories.
#[derive(Serialize)]
pub(super) struct Stories {
    stories: Vec<Story>,
    /// Stories told more than once, listed or not.
    num_all: u64,
    /// What is known of each listed member and the one that stands for its story.
    #[serde(skip)]
    pub(super) known: Vec<Known>,
}

#[derive(Serialize)]
struct Story {
    /// The rank of the article that names it.
    n: u32,
    heading: Heading,
    size: usize,
    num_sources: usize,
    /// Members by relation, for a reader.
    relations: Vec<(u64, &'static str)>,
    /// Time from the first telling to the last, where two are dated.
    span: Option<String>,
    /// When the first was published, in seconds, for sorting.
    began: Option<i64>,
    /// The same for a reader.
    began_at: Option<String>,
    lowest_e4: u16,
    lowest: String,
    members: Vec<MemberRow>,
    /// Members that are not listed.
    num_more: usize,
}

#[derive(Serialize)]
struct MemberRow {
    heading: Heading,
    is_representative: bool,
    is_first: bool,
    label: &'static str,
    score: String,
    /// How long after the first telling it came.
    after: Option<String>,
    differs: Vec<Differ>,
    body: Option<Body>,
}

impl Stories {
    pub(super) fn new(clustering: &Clustering, sample: &Sample<'_>, texts: &Texts<'_>) -> Self {
        let mut known = Vec::new();
        let stories = sample.clusters.iter().map(|shown| Story::new(clustering, shown, texts, &mut known)).collect();
        Self { stories, num_all: sample.num_clusters, known }
    }
}

impl Story {
    fn new(clustering: &Clustering, shown: &Shown<'_>, texts: &Texts<'_>, known: &mut Vec<Known>) -> Self {
        let article = |rank: u32| clustering.articles.get(rank);
        let representative = shown.all[0].representative;
        let stands = texts.document(representative);
        let began = article(shown.first).published();
        let ended = shown.all.iter().filter_map(|member| article(member.article).published()).max();
        let sources: HashSet<Option<&str>> = shown.all.iter().map(|member| article(member.article).source()).collect();
        let lowest_e4 = shown.all.iter().map(|member| member.probability_e4).min().unwrap_or(0);
        let members = shown
            .members
            .iter()
            .map(|member| MemberRow::new(clustering, shown.first, member, stands.as_ref(), texts, known))
            .collect();
        Self {
            n: shown.all[0].cluster,
            heading: texts.heading(representative),
            size: shown.all.len(),
            num_sources: sources.iter().filter(|source| source.is_some()).count(),
            relations: relations(shown.all),
            span: match (began, ended) {
                (Some(began), Some(ended)) if ended > began => Some(duration(ended.0.abs_diff(began.0))),
                _ => None,
            },
            began: began.map(|time| time.0),
            began_at: began.and_then(moment),
            lowest_e4,
            lowest: score(lowest_e4),
            members,
            num_more: shown.all.len() - shown.members.len(),
        }
    }
}

/// Members by what they are to the one that stands for the story.
fn relations(members: &[Member]) -> Vec<(u64, &'static str)> {
    [
        (Relation::Exact, "exact copy", "exact copies"),
        (Relation::Near, "near copy", "near copies"),
        (Relation::Update, "update", "updates"),
        (Relation::Excerpt, "excerpt", "excerpts"),
        (Relation::Rewrite, "rewrite", "rewrites"),
    ]
    .into_iter()
    .map(|(relation, one, many)| {
        let number = members.iter().filter(|member| member.relation == Some(relation)).count() as u64;
        (number, if number == 1 { one } else { many })
    })
    .filter(|(number, _)| *number > 0)
    .collect()
}

/// How long after the first telling another came, in words.
fn follows(seconds: u64) -> String {
    if seconds == 0 { "at the same time".to_string() } else { format!("{} later", duration(seconds)) }
}

impl MemberRow {
    fn new(
        clustering: &Clustering,
        first: u32,
        member: &Member,
        stands: Option<&Document<'_>>,
        texts: &Texts<'_>,
        known: &mut Vec<Known>,
    ) -> Self {
        let rank = member.article;
        let is_representative = rank == member.representative;
        let mut row = Self {
            heading: texts.heading(rank),
            is_representative,
            is_first: rank == first,
            label: member.relation.map_or("stands for the story", |relation| label(relation, false)),
            score: score(member.probability_e4),
            after: match [first, rank].map(|rank| clustering.articles.get(rank).published()) {
                [Some(began), Some(own)] if rank != first => Some(follows(own.0.abs_diff(began.0))),
                _ => None,
            },
            differs: Vec::new(),
            body: None,
        };
        let (Some(own), Some(stands)) = (texts.document(rank), stands) else { return row };
        if is_representative {
            row.body = texts.body(&own, rank, &[], &[]);
            return row;
        }
        let relation = member.relation.unwrap_or(Relation::Exact);
        let is_correction =
            relation == Relation::Update && clustering.verdict(rank, member.representative).is_correction;
        row.label = label(relation, is_correction);
        let compared = Compared::new(&own, stands);
        row.differs = compared.differs();
        row.body = texts.body(&own, rank, &compared.passages, &compared.only_in_first());
        let told = (phrase(relation, is_correction), Some(row.score.clone()));
        known.extend(Known::new(texts, [rank, member.representative], [&own, stands], &compared, told));
        row
    }
}
