//! One set of articles, one profile: the same bytes for any threads, order, files and compression.

use crate::made_feed::generate::{Feed, Mixture};
use crate::support::{Folder, feed_lines, fixture, gzip, json, rows, shuffled, zstd};
use proptest::prelude::*;
use samestory::bits::{Width, limit_width};
use samestory::engine::NearSketch;
use samestory::hash::HashSet;
use samestory::input::{Blocks, FieldNames};
use samestory::profile::{SketchParams, VerdictParams};
use samestory::verify::Level;
use samestory::{Article, Clustering, Engine, Index, Profile, Timestamp};

const OUTPUTS: [&str; 3] = ["clusters.jsonl", "pairs.jsonl", "links.jsonl"];

/// Clusters, pairs and links of the inputs.
fn answer(folder: &Folder, inputs: &str, options: &str) -> [String; 3] {
    let [clusters, pairs, links] = OUTPUTS;
    folder.done(&format!("cluster {inputs} -o {clusters} --pairs {pairs} --links {links} --quiet {options}"));
    OUTPUTS.map(|name| folder.read(name))
}

fn of_fixture(options: &str) -> [String; 3] {
    let folder = Folder::new();
    answer(&folder, fixture("feed.jsonl").to_str().expect("a path in UTF-8"), options)
}

fn join(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

#[test]
fn the_answer_is_not_trivial() {
    let [clusters, pairs, links] = of_fixture("--threads 1");
    let shared: HashSet<String> = rows(&clusters)
        .iter()
        .filter(|row| row["size"].as_u64() > Some(1))
        .map(|row| row["cluster"].to_string())
        .collect();
    assert!(shared.len() > 10, "{} clusters of more than one", shared.len());
    assert!(pairs.lines().count() > 100, "{} pairs", pairs.lines().count());
    assert!(links.lines().count() > 20, "{} links", links.lines().count());
}

#[test]
fn threads_change_nothing() {
    let one = of_fixture("--threads 1");
    for threads in [2, 8] {
        assert!(of_fixture(&format!("--threads {threads}")) == one, "{threads} threads answer otherwise");
    }
    let simhash = of_fixture("--threads 1 --near simhash");
    assert!(of_fixture("--threads 8 --near simhash") == simhash);
}

#[test]
fn the_order_of_lines_changes_nothing() {
    let expected = of_fixture("--threads 2");
    for seed in [1, 2, 3, 4] {
        let lines = shuffled(feed_lines(), seed);
        assert_ne!(lines, feed_lines());
        let folder = Folder::with_feed(&lines);
        assert!(answer(&folder, "feed.jsonl", "--threads 2") == expected, "order {seed} answers otherwise");
    }
}

#[test]
fn files_and_their_order_change_nothing() {
    let expected = of_fixture("");
    let lines = shuffled(feed_lines(), 9);
    let folder = Folder::new()
        .write("in/a.jsonl", join(&lines[..50]))
        .write("in/b.jsonl", join(&lines[50..250]))
        .write("in/c.jsonl", join(&lines[250..]));
    for inputs in ["in/a.jsonl in/b.jsonl in/c.jsonl", "in/c.jsonl in/a.jsonl in/b.jsonl", "in"] {
        assert!(answer(&folder, inputs, "") == expected, "{inputs} answer otherwise");
    }
}

#[test]
fn compression_changes_nothing() {
    let expected = of_fixture("");
    let bytes = std::fs::read(fixture("feed.jsonl")).unwrap();
    // Two gzip members, as `cat a.gz b.gz` makes them; and a name that hides what the file is.
    let (head, tail) = bytes.split_at(bytes.len() / 3);
    let folder = Folder::new()
        .write("feed.jsonl.gz", [gzip(head), gzip(tail)].concat())
        .write("feed.jsonl.zst", zstd(&bytes))
        .write("feed", zstd(&bytes));
    for input in ["feed.jsonl.gz", "feed.jsonl.zst", "feed"] {
        assert!(answer(&folder, input, "") == expected, "{input} answers otherwise");
    }
    let ran = folder.run_on("cluster - -o - --quiet", &gzip(&bytes));
    assert_eq!(ran.code, 0);
    assert!(ran.stdout == expected[0], "stdin answers otherwise");
}

#[test]
fn lines_that_share_an_id_settle_by_what_they_say() {
    // Equal ids, versions and texts that differ in headline and source only: which stands is no matter of arrival.
    let story = "Three men were held in Ghent on Friday over the theft of two panels from the city museum in May, and \
                 the police said that one of the panels had been found in a barn.";
    let lines: Vec<String> = ["Alpha", "Beta", "Gamma"]
        .iter()
        .map(|name| serde_json::json!({"id": "x", "text": story, "title": format!("{name} held"), "source": name}))
        .map(|value| value.to_string())
        .chain([crate::support::line("y", &story.replace("in a barn", "in a barn nearby"))])
        .collect();
    let mut answers = Vec::new();
    for order in [[0, 1, 2, 3], [2, 1, 0, 3], [1, 3, 2, 0]] {
        let folder = Folder::with_feed(&order.map(|i: usize| lines[i].clone()));
        answers.push(answer(&folder, "feed.jsonl", ""));
    }
    assert!(answers[0][1].contains("title_cover"), "{}", answers[0][1]);
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[test]
fn instructions_change_nothing() {
    let fields = FieldNames::default();
    let answers = [Width::Plain, Width::Avx2, Width::Avx512].map(|width| {
        limit_width(width);
        let blocks = Blocks::open(&[fixture("feed.jsonl")], None).expect("the fixture is in the tree");
        let clustering = Engine::new(Profile::default())
            .cluster_blocks(blocks, |block| Ok(block.parse(&fields).articles))
            .expect("the fixture can be clustered");
        (clustering.members, clustering.pairs, clustering.links)
    });
    limit_width(Width::Avx512);
    assert!(answers[0].1.len() > 100 && answers[0].2.len() > 20);
    assert!(answers[0] == answers[1] && answers[1] == answers[2]);
}

/// Members, pairs and links of an answer.
type Answer = (Vec<samestory::engine::Member>, Vec<samestory::engine::Pair>, Vec<samestory::engine::Pair>);

#[test]
fn what_was_sketched_is_clustered_anew_as_from_the_start() {
    let fields = FieldNames::default();
    let from_the_start = |engine: &Engine| {
        let blocks = Blocks::open(&[fixture("feed.jsonl")], None).expect("the fixture is in the tree");
        engine.cluster_blocks(blocks, |block| Ok(block.parse(&fields).articles)).expect("the fixture can be clustered")
    };
    let told = |clustering: &Clustering| -> Answer {
        (clustering.members.clone(), clustering.pairs.clone(), clustering.links.clone())
    };
    let profile = Profile::default();
    let verdict = VerdictParams { match_percent: 95, ..profile.verdict().clone() };
    let strict = profile.clone().with_verdict(verdict).expect("95 is in range");
    let first = from_the_start(&Engine::new(profile.clone()));
    for engine in [
        Engine::new(strict.clone()).with_threads(3),
        Engine::new(strict.clone()).with_near(NearSketch::SimHash),
        Engine::new(strict).with_level(Level::Near).with_memory(1 << 20),
    ] {
        let anew = engine.cluster_anew(&first).expect("the sketches are the same");
        assert!(told(&anew) == told(&from_the_start(&engine)));
        assert!(told(&anew) != told(&first));
    }
    let sketch = SketchParams { seed: 99, ..profile.sketch().clone() };
    let other = Engine::new(profile.with_sketch(sketch).expect("any seed will do"));
    assert!(matches!(other.cluster_anew(&first), Err(samestory::Error::OtherSketch { .. })));
}

#[test]
fn a_run_that_is_canceled_says_so() {
    let engine = Engine::new(Profile::default());
    let progress = engine.progress();
    let articles = feed_lines().into_iter().enumerate().map(|(number, line)| {
        if number == 300 {
            progress.cancel();
        }
        samestory::Article::new(number.to_string(), line)
    });
    assert!(matches!(engine.cluster(articles), Err(samestory::Error::Canceled)));
}

/// Articles of a made feed, of which the first come again at the end under other ids.
fn made(seed: u64, mixture: Mixture, num_articles: usize, num_copies: usize) -> Vec<Article> {
    let article = |id: String, made: crate::made_feed::generate::Made| Article {
        title: Some(made.title),
        source: Some(made.source.to_string()),
        published: Some(Timestamp(made.published)),
        ..Article::new(id, made.text)
    };
    let feed: Vec<_> = Feed::new(seed, mixture, 500).take(num_articles).collect();
    let copies = feed[..num_copies].iter().map(|made| article(format!("copy-{}", made.id), made.clone()));
    feed.iter().map(|made| article(made.id.clone(), made.clone())).chain(copies).collect()
}

/// Each member with its cluster, its representative and what it is to that.
fn memberships(clustering: &Clustering) -> Vec<String> {
    let id = |rank| clustering.articles.get(rank).id();
    let told = clustering.members.iter().map(|m| {
        let (relation, probability) = (m.relation, m.probability_e4);
        format!("{} {} {} {relation:?} {probability}", id(m.article), id(m.cluster), id(m.representative))
    });
    told.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn made_feeds_give_one_answer_by_any_threads_order_and_portions(
        seed in 0u64..1000,
        is_news in any::<bool>(),
        num_articles in 40usize..400,
        order in any::<u64>(),
        portion_len in 1usize..200,
        near in prop::sample::select(vec![NearSketch::MinHash, NearSketch::SimHash]),
    ) {
        let mixture = if is_news { Mixture::News } else { Mixture::Templates };
        let articles = made(seed, mixture, num_articles, num_articles / 4);
        let engine = Engine::new(Profile::default()).with_near(near);
        let run = |threads: usize, articles: Vec<Article>| {
            engine.clone().with_threads(threads).cluster(articles).expect("no id comes twice")
        };
        let expected = run(1, articles.clone());
        prop_assert!(expected.stats.num_repeats > 0 && expected.stats.num_clusters > 1);
        for (threads, order) in [(2, order), (8, order ^ 1)] {
            let found = run(threads, shuffled(articles.clone(), order));
            prop_assert_eq!(memberships(&found), memberships(&expected), "{} threads", threads);
            prop_assert!(found.pairs == expected.pairs && found.links == expected.links, "{} threads", threads);
        }
        // Article by article as an index takes them, the portions by several threads.
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut index = Index::open(folder.path(), engine.clone().with_threads(2)).expect("a new index");
        for portion in shuffled(articles, order ^ 2).chunks(portion_len) {
            index.add(portion.to_vec()).expect("no id comes twice");
        }
        prop_assert_eq!(memberships(&index.clusters().expect("the index is sound")), memberships(&expected));
    }
}

#[test]
fn memory_changes_nothing() {
    // A thousand articles more than the fixture's, so that records, keys and pairs all have to leave.
    let made = Feed::new(11, Mixture::News, 500);
    let more = made.take(6_000).map(|made| {
        serde_json::json!({"id": made.id, "text": made.text, "title": made.title, "source": made.source}).to_string()
    });
    let lines: Vec<String> = feed_lines().into_iter().chain(more).collect();
    let folder = Folder::with_feed(&lines).write("tmp/keep", "");
    let options = "--versions newest --temp-dir tmp";
    let expected = answer(&folder, "feed.jsonl", &format!("{options} --memory 8GiB --stats whole.json"));
    let filed = |name: &str| json(&folder.read(name))["filed_bytes"].as_u64();
    assert_eq!(filed("whole.json"), Some(0));
    for (threads, memory) in [(1, "16MiB"), (2, "16MiB"), (3, "20MB")] {
        let bound = format!("{options} --threads {threads} --memory {memory} --stats bound.json");
        assert!(answer(&folder, "feed.jsonl", &bound) == expected, "{memory} and {threads} threads answer otherwise");
        assert!(filed("bound.json") > Some(1 << 20), "{:?} bytes lay in files", filed("bound.json"));
    }
    // Files without a name leave none.
    assert_eq!(std::fs::read_dir(folder.path("tmp")).unwrap().count(), 1);
}
