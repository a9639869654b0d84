//! Clustering of planted hot events: many stories tied into one component by false matches.

use crate::planted::{Event, FalseMatches};
use samestory::cluster::{Match, cluster_component, components};
use samestory::engine::COMPONENT_LIMIT;
use samestory::eval::PairCounts;
use samestory::hash::HashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Seeds over which figures are taken: none of those (0 to 4) on which `LARGE_MERGER` was chosen.
const SEEDS: Range<u64> = 100..105;
/// False matches each on its own; by pairs of stories, of whose pairs of articles half or four fifths match.
const KINDS: [FalseMatches; 3] =
    [FalseMatches::Independent, FalseMatches::ByStory(500_000), FalseMatches::ByStory(800_000)];

/// Ways to cluster the parts of a component.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Each part is a cluster.
    Components,
    /// Each article in order of id that has no cluster yet starts one, with all its matches that have none.
    Pivot,
    /// The project's own.
    AverageLink,
}

/// Counts of pairs over the seeds; components are cut as the engine cuts them.
fn counts(way: Way, kind: FalseMatches, false_rate: u64) -> PairCounts {
    let mut all = PairCounts::default();
    for seed in SEEDS {
        let event = Event { num_stories: 200, num_copies: 5, false_rate, kind, seed };
        let parts = components(event.num_articles() as usize, &event.matches(), COMPONENT_LIMIT);
        let clusters = parts.iter().flat_map(|part| match way {
            Way::Components => vec![part.iter().flat_map(|m| [m.a, m.b]).collect()],
            Way::Pivot => pivot(part),
            Way::AverageLink => cluster_component(part, &mut { event }).into_iter().map(|c| c.members).collect(),
        });
        let counts = count_pairs(&event, clusters);
        all.true_pairs += counts.true_pairs;
        all.false_pairs += counts.false_pairs;
        all.missed_pairs += counts.missed_pairs;
    }
    all
}

fn pivot(matches: &[Match]) -> Vec<Vec<u32>> {
    let mut neighbours: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for m in matches {
        neighbours.entry(m.a).or_default().push(m.b);
        neighbours.entry(m.b).or_default().push(m.a);
    }
    let mut taken = BTreeSet::new();
    let mut clusters = Vec::new();
    for (article, others) in neighbours {
        if taken.insert(article) {
            let others = others.into_iter().filter(|other| taken.insert(*other));
            clusters.push([article].into_iter().chain(others).collect());
        }
    }
    clusters
}

fn count_pairs(event: &Event, clusters: impl Iterator<Item = Vec<u32>>) -> PairCounts {
    let pairs = |n: u64| n * n.saturating_sub(1) / 2;
    let mut counts = PairCounts::default();
    for mut members in clusters {
        members.sort_unstable();
        members.dedup();
        let mut of_story: HashMap<u32, u64> = HashMap::default();
        for member in &members {
            *of_story.entry(event.story(*member)).or_default() += 1;
        }
        let num_true: u64 = of_story.values().map(|n| pairs(*n)).sum();
        counts.true_pairs += num_true;
        counts.false_pairs += pairs(members.len() as u64) - num_true;
    }
    counts.missed_pairs = u64::from(event.num_stories) * pairs(u64::from(event.num_copies)) - counts.true_pairs;
    counts
}

#[test]
fn false_matches_come_at_the_stated_rate() {
    for kind in KINDS {
        let (mut num_true, mut num_false) = (0.0, 0.0);
        for seed in SEEDS {
            let event = Event { num_stories: 200, num_copies: 5, false_rate: 1_000, kind, seed };
            for m in event.matches() {
                let is_true = event.story(m.a) == event.story(m.b);
                *(if is_true { &mut num_true } else { &mut num_false }) += 1.0;
            }
        }
        let events = SEEDS.count() as f64;
        let (recall, rate) = (num_true / (2_000.0 * events), num_false / (497_500.0 * events));
        assert!((recall - 0.945_f64).abs() < 0.01, "{kind:?}: {recall:.4} of the true pairs match");
        assert!((0.0007..0.0013).contains(&rate), "{kind:?}: {rate:.6} of the false pairs match");
    }
}

#[test]
fn independent_false_matches_tie_no_stories() {
    let counts = counts(Way::AverageLink, FalseMatches::Independent, 1_000);
    let (precision, recall) = (counts.precision(), counts.recall());
    assert!(precision >= 0.99 && recall >= 0.92, "precision {precision:.4}, recall {recall:.4}");
}

#[test]
fn shared_backgrounds_tie_few_stories() {
    for kind in [500_000, 800_000].map(FalseMatches::ByStory) {
        let counts = counts(Way::AverageLink, kind, 1_000);
        let (precision, recall) = (counts.precision(), counts.recall());
        assert!(precision >= 0.95 && recall >= 0.90, "{kind:?}: precision {precision:.4}, recall {recall:.4}");
    }
}

#[test]
#[ignore = "prints the table of docs/quality.md"]
#[allow(clippy::print_stdout, reason = "the table is its answer")]
fn table() {
    for kind in KINDS {
        let name = match kind {
            FalseMatches::Independent => "independent".to_string(),
            FalseMatches::ByStory(share) => format!("by story, {} % of its pairs", share / 10_000),
        };
        for false_rate in [200, 500, 1_000, 2_000, 5_000] {
            let cells = [Way::Components, Way::Pivot, Way::AverageLink].map(|way| {
                let counts = counts(way, kind, false_rate);
                format!("{:.4} / {:.4}", counts.precision(), counts.recall())
            });
            println!("| {name} | {:.2} % | {} |", false_rate as f64 / 10_000.0, cells.join(" | "));
        }
    }
}
