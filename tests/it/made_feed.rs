//! The made feed of `examples/feed`: its bytes follow from the seed, and what is planted is found.

#[path = "../../examples/feed/generate/mod.rs"]
pub(crate) mod generate;

use generate::{Feed, Made, Mixture};
use samestory::hash::HashMap;
use samestory::{Article, Engine, Profile, Timestamp};

const NUM_ARTICLES: usize = 2_000;
/// So few that copies of what came just before are among them.
const PER_DAY: u64 = 500;

fn made(seed: u64, mixture: Mixture, num_articles: usize) -> Vec<Made> {
    Feed::new(seed, mixture, PER_DAY).take(num_articles).collect()
}

/// The cluster of each article, by id.
fn clusters(feed: &[Made]) -> HashMap<String, u32> {
    let articles = feed.iter().map(|made| Article {
        title: Some(made.title.clone()),
        source: Some(made.source.to_string()),
        published: Some(Timestamp(made.published)),
        ..Article::new(made.id.as_str(), made.text.as_str())
    });
    let clustering = Engine::new(Profile::default()).cluster(articles).expect("no id comes twice");
    let members = clustering.members.iter();
    members.map(|m| (clustering.articles.get(m.article).id().to_string(), m.cluster)).collect()
}

#[test]
fn a_seed_fixes_the_feed() {
    let feed = made(7, Mixture::News, NUM_ARTICLES);
    assert_eq!(feed, made(7, Mixture::News, NUM_ARTICLES));
    assert_ne!(feed, made(8, Mixture::News, NUM_ARTICLES));
    assert_eq!(feed[..100], made(7, Mixture::News, 100));
}

#[test]
fn texts_are_of_a_feeds_size() {
    let feed = made(7, Mixture::News, NUM_ARTICLES);
    let mean_bytes = feed.iter().map(|made| made.text.len()).sum::<usize>() / NUM_ARTICLES;
    assert!((1_700..2_200).contains(&mean_bytes), "{mean_bytes} bytes an article");
    for kind in ["single", "copy", "edit", "trim", "excerpt", "rewrite", "template", "background"] {
        assert!(feed.iter().any(|made| made.kind == kind), "no {kind}");
    }
    assert!(feed.is_sorted_by_key(|made| made.published));
}

#[test]
fn copies_are_found_and_templates_kept_apart() {
    let feed = made(7, Mixture::News, NUM_ARTICLES);
    let clusters = clusters(&feed);
    for copy in feed.iter().filter(|made| made.kind == "copy") {
        assert_eq!(clusters[&copy.id], clusters[&copy.cluster], "{} is a copy of {}", copy.id, copy.cluster);
    }
    let templates: Vec<&Made> = feed.iter().filter(|made| made.kind == "template").collect();
    for (i, first) in templates.iter().enumerate() {
        for second in &templates[i + 1..] {
            assert_ne!(clusters[&first.id], clusters[&second.id], "{} and {}", first.id, second.id);
        }
    }
}

#[test]
fn one_article_many_times_is_one_story() {
    let feed = made(7, Mixture::Repeats, 200);
    let clusters = clusters(&feed);
    assert!(feed.iter().all(|made| clusters[&made.id] == clusters[&feed[0].id]));
}

#[test]
fn one_template_many_times_is_many_stories() {
    let feed = made(7, Mixture::Templates, 200);
    let clusters = clusters(&feed);
    let mut distinct: Vec<u32> = feed.iter().map(|made| clusters[&made.id]).collect();
    distinct.sort_unstable();
    distinct.dedup();
    // A verdict is a matter of probability: of twenty thousand pairs a few may pass for one story.
    assert!(distinct.len() >= 198, "{} stories of {}", distinct.len(), feed.len());
}
