//! The whole clustering by the stages alone, rows shuffled and parted between them, against the engine's.

#[path = "../../../examples/feed/generate/mod.rs"]
mod generate;

use super::*;
use crate::article::Timestamp;
use crate::cluster::Forest;
use crate::engine::{ClusterRow, Clustering, Versions};
use crate::hash::{HashMap, HashSet, mix64};
use crate::lsh::Neighbours;
use crate::profile::{Profile, SketchParams};
use generate::{Feed, Mixture};

/// Articles of a crowded bucket that are refined whole; of larger ones each part by itself.
const SPLIT_LIMIT: usize = 20;

/// Rows in an order, and in portions, that a seed makes.
fn shuffled<T>(rows: impl IntoIterator<Item = T>, seed: u64) -> Vec<T> {
    let mut keyed: Vec<(u64, T)> = rows.into_iter().zip(seed..).map(|(row, i)| (mix64(i ^ seed << 40), row)).collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, row)| row).collect()
}

fn grouped<K: Eq + std::hash::Hash, V>(rows: impl IntoIterator<Item = (K, V)>) -> HashMap<K, Vec<V>> {
    let mut groups: HashMap<K, Vec<V>> = HashMap::default();
    rows.into_iter().for_each(|(key, value)| groups.entry(key).or_default().push(value));
    groups
}

/// What is at hand of an article between stages.
struct Row {
    id: String,
    packed: Vec<u8>,
    facts: Facts,
}

/// The distinct candidate pairs of the articles that stand in, by handle, and how many crowded buckets were parted.
fn pairs_met(stages: &Stages, rows: &HashMap<u64, Row>, standing: &[u64], seed: u64) -> (HashSet<(u64, u64)>, usize) {
    let record = |handle: u64| stages.unpack([rows[&handle].packed.as_slice()]).expect("packed just now");
    let mut entries: Vec<(SketchKey, u64)> = Vec::new();
    let mut keys = Vec::new();
    for handle in shuffled(standing.iter().copied(), seed) {
        stages.keys(&record(handle).record(0), &mut KeysScratch::default(), &mut keys);
        entries.extend(keys.iter().map(|key| (*key, handle)));
    }
    // Buckets are looked at in seven places.
    let mut pairs: HashSet<(u64, u64)> = HashSet::default();
    let mut crowded: Vec<(SketchKey, u64)> = Vec::new();
    for place in 0..7 {
        let part = entries.iter().copied().filter(|(key, _)| key.key() % 7 == place);
        let found = |a, b| {
            pairs.insert((a, b));
        };
        stages.meet(&mut shuffled(part, seed), found, |key, handle| crowded.push((key, handle)));
    }
    // Of each crowded bucket the articles in order of id, each with its refinements by the first one's key.
    let mut parts: Vec<(usize, Vec<Crowded>)> = Vec::new();
    for mut bucket in grouped(crowded.into_iter().map(|entry| (entry.0.key(), entry))).into_values() {
        bucket.sort_by_key(|(_, handle)| &rows[handle].id);
        let first = bucket[0].0;
        let refined = bucket.into_iter().map(|(key, handle)| {
            assert_eq!(key.key(), first.key());
            let refinements = stages.refinements(&record(handle).record(0), first);
            Crowded { refinements, handle }
        });
        parts.push((0, refined.collect()));
    }
    let mut num_parted = 0;
    while let Some((depth, part)) = parts.pop() {
        let mut each = |a: u64, b: u64| {
            pairs.insert((a.min(b), a.max(b)));
        };
        if part.len() <= SPLIT_LIMIT {
            stages.part_pairs(&part, depth, |a, b| each(part[a as usize].handle, part[b as usize].handle));
            continue;
        }
        num_parted += 1;
        let mut neighbours = Neighbours::default();
        part.iter().for_each(|article| neighbours.meet(article.handle, &mut each));
        let deeper = part.into_iter().filter(|article| !article.refinements.is_empty()).map(|article| {
            let rest = article.refinements[1..].to_vec();
            (article.refinements[0], Crowded { refinements: rest, ..article })
        });
        parts.extend(grouped(deeper).into_values().map(|deeper| (depth + 1, deeper)));
    }
    (pairs, num_parted)
}

/// The answer by the stages: rows as `cluster -o` writes them; and how many crowded buckets were parted.
fn answer_by_stages(engine: &Engine, articles: &[Article], seed: u64) -> (String, usize) {
    let stages = Stages::new(engine.clone());
    let mut sketcher = stages.sketcher();
    let sketched = shuffled(articles, seed).into_iter().map(|article| {
        let mut packed = Vec::new();
        let facts = sketcher.sketch(article, &mut packed);
        (handle(article.id.as_str(), seed), Row { id: article.id.as_str().to_string(), packed, facts })
    });
    // One article an id.
    let mut rows: HashMap<u64, Row> = HashMap::default();
    for (handle, mut same) in grouped(sketched) {
        let all = stages.unpack(same.iter().map(|row| row.packed.as_slice())).expect("packed just now");
        let stands = stages.settle(all).expect("the newest stands");
        assert_eq!(stands.len(), 1);
        rows.insert(handle, same.swap_remove(stands[0] as usize));
    }
    // One of each group of exact copies.
    let mut stand_in: HashMap<u64, u64> = HashMap::default();
    let keyed = rows.iter().filter_map(|(handle, row)| Some((row.facts.exact_key?, *handle)));
    for copies in grouped(keyed).into_values() {
        let first = copies.iter().copied().min_by_key(|handle| (rows[handle].facts.precedence, &rows[handle].id));
        let first = first.expect("a group has members");
        stand_in.extend(copies.into_iter().map(|copy| (copy, first)));
    }
    let of = |handle: u64| stand_in.get(&handle).copied().unwrap_or(handle);
    let standing: Vec<u64> = rows.keys().copied().filter(|handle| of(*handle) == *handle).collect();

    // Matches between handles in order of id, by component.
    let mut matches: Vec<(u64, u64, Match)> = Vec::new();
    let (pairs, num_parted) = pairs_met(&stages, &rows, &standing, seed);
    let (num_met, mut num_open) = (pairs.len(), 0);
    for (a, b) in shuffled(pairs, seed) {
        let (a, b) = if rows[&a].id < rows[&b].id { (a, b) } else { (b, a) };
        let both = stages.unpack([&rows[&a].packed[..], &rows[&b].packed]).expect("packed just now");
        let judged = stages.judge(&both.record(0), &both.record(1), &mut Scratch::default());
        let mut heads = Heads::default();
        [b, a].iter().for_each(|handle| heads.push(head_of(&rows[handle].packed)).expect("packed just now"));
        let relation = judged.0.relation;
        match stages.outlook(&heads.terms(0), &heads.terms(1)) {
            Outlook::Nothing => assert!(!relation.is_match() && !relation.is_link(), "{relation:?} came of nothing"),
            Outlook::Link => assert!(!relation.is_match(), "{relation:?} came of a link"),
            Outlook::Match => num_open += 1,
        }
        matches.extend(judged.as_match(0, 1).map(|m| (a, b, m)));
    }
    assert!((matches.len()..num_met).contains(&num_open), "the heads told nothing");
    let mut numbers: HashMap<u64, u32> = HashMap::default();
    for (a, b, _) in &matches {
        for handle in [a, b] {
            let next = numbers.len() as u32;
            numbers.entry(*handle).or_insert(next);
        }
    }
    let mut forest = Forest::new(numbers.len());
    for (a, b, _) in &matches {
        forest.join(numbers[a], numbers[b], usize::MAX);
    }
    let mut home: HashMap<u64, u64> = HashMap::default();
    for component in grouped(matches.into_iter().map(|edge| (forest.find(numbers[&edge.0]), edge))).into_values() {
        let mut members: Vec<u64> = component.iter().flat_map(|(a, b, _)| [*a, *b]).collect();
        members.sort_by_key(|handle| &rows[handle].id);
        members.dedup();
        let place: HashMap<u64, u32> = members.iter().copied().zip(0..).collect();
        let local = shuffled(component, seed).into_iter().map(|(a, b, m)| {
            let ends = [place[&a], place[&b]];
            Match { a: ends[0], b: ends[1], excerpt: m.excerpt.map(|at| ends[at as usize]), ..m }
        });
        let local: Vec<Match> = local.collect();
        let articles = stages.unpack(members.iter().map(|handle| rows[handle].packed.as_slice())).expect("packed");
        for part in stages.cut(members.len(), &local) {
            for cluster in stages.cluster(&articles, &part) {
                let representative = members[cluster.representative as usize];
                home.extend(cluster.members.iter().map(|member| (members[*member as usize], representative)));
            }
        }
    }
    let mut lines: Vec<(String, String, Vec<u8>)> = Vec::new();
    let home_of = |handle: u64| home.get(&of(handle)).copied().unwrap_or(of(handle));
    for (representative, members) in grouped(rows.keys().map(|handle| (home_of(*handle), *handle))) {
        let cluster = members.iter().map(|handle| rows[handle].id.as_str()).min().expect("a cluster has members");
        for handle in &members {
            let (relation, probability_e4) = match *handle == representative {
                true if members.len() == 1 && rows[handle].facts.alone.is_some() => (rows[handle].facts.alone, 0),
                true => (None, 10_000),
                false => {
                    let both = [&rows[handle].packed[..], &rows[&representative].packed];
                    let both = stages.unpack(both).expect("packed just now");
                    stages.relation_to(&both.get(0), &both.get(1), &mut Scratch::default())
                }
            };
            let (id, representative) = (rows[handle].id.as_str(), rows[&representative].id.as_str());
            let size = members.len() as u64;
            let row = ClusterRow { id, cluster, representative, relation, probability_e4, size };
            let mut line = Vec::new();
            row.write_json(&mut line);
            lines.push((cluster.to_string(), id.to_string(), line));
        }
    }
    lines.sort();
    let text = |line| String::from_utf8(line).expect("JSON is text") + "\n";
    (lines.into_iter().map(|(_, _, line)| text(line)).collect(), num_parted)
}

fn answer_of(clustering: &Clustering) -> String {
    let id = |rank: u32| clustering.articles.get(rank).id();
    let line = |member: &crate::engine::Member| {
        let [id, cluster, representative] = [member.article, member.cluster, member.representative].map(id);
        let (relation, probability_e4, size) = (member.relation, member.probability_e4, member.size.into());
        let mut line = Vec::new();
        ClusterRow { id, cluster, representative, relation, probability_e4, size }.write_json(&mut line);
        String::from_utf8(line).expect("JSON is text") + "\n"
    };
    clustering.members.iter().map(line).collect()
}

fn engine(bucket_cap: usize, component_limit: usize) -> Engine {
    let profile = Profile::default();
    let sketch = SketchParams { bucket_cap, ..profile.sketch().clone() };
    let mut engine = Engine::new(profile.with_sketch(sketch).unwrap()).with_versions(Versions::Newest);
    engine.component_limit = component_limit;
    engine
}

fn of_fixture() -> Vec<Article> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/feed.jsonl")).unwrap();
    let article = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| row[name].as_str().map(str::to_string);
        Article {
            title: field("title"),
            source: field("source"),
            published: field("published").and_then(|text| Timestamp::parse(&text)),
            slug: field("slug"),
            language: field("language"),
            ..Article::new(field("id").unwrap(), field("text").unwrap())
        }
    };
    text.lines().map(article).collect()
}

fn made(mixture: Mixture, num_articles: usize) -> Vec<Article> {
    let made = Feed::new(7, mixture, 500).take(num_articles).map(|made| Article {
        title: Some(made.title),
        source: Some(made.source.to_string()),
        published: Some(Timestamp(made.published)),
        ..Article::new(made.id.as_str(), made.text.as_str())
    });
    made.collect()
}

#[test]
fn the_stages_answer_as_the_engine_does() {
    let mut feed = made(Mixture::News, 1500);
    // A line twice, an older version, an article without text, and one too short.
    feed.extend([feed[3].clone(), Article { version: Some(-1), ..Article::new(feed[4].id.clone(), "Rain.") }]);
    feed.extend([Article::new("empty", ""), Article::new("short", "Rain fell.")]);
    for mixture in [Mixture::Templates, Mixture::Repeats] {
        let others = made(mixture, 200).into_iter();
        feed.extend(others.map(|article| Article { id: format!("{mixture:?} {}", article.id).into(), ..article }));
    }
    let mut all_parted = 0;
    for (articles, engine) in [
        (of_fixture(), engine(32, 400)),
        (of_fixture(), engine(8, 6)),
        (feed.clone(), engine(8, 400)),
        (feed, engine(8, 4)),
    ] {
        let expected = answer_of(&engine.cluster(articles.clone()).unwrap());
        assert!(expected.contains("\"relation\":\"near\""), "nothing was found");
        for seed in [1, 2] {
            let (answer, num_parted) = answer_by_stages(&engine, &articles, seed);
            assert!(answer == expected, "the stages answer otherwise");
            all_parted += num_parted;
        }
    }
    assert!(all_parted > 0, "no crowded bucket was parted");
}

#[test]
fn a_packed_article_is_what_it_was_or_refused() {
    let stages = Stages::new(engine(32, 400));
    let (mut packed, article) = (Vec::new(), &of_fixture()[0]);
    let facts = stages.sketcher().sketch(article, &mut packed);
    let articles = stages.unpack([packed.as_slice()]).unwrap();
    let view = articles.get(0);
    assert_eq!((view.id(), view.exact_key()), (article.id.as_str(), facts.exact_key));
    assert_eq!(view.record().content, stages.engine().analyze(article).record.record().content);

    let reason = |packed: &[u8]| stages.unpack([packed]).unwrap_err().to_string();
    assert_eq!(reason(&packed[..20]), "a sketched article is cut short");
    assert_eq!(reason(&packed[..packed.len() - 8]), "a sketched article is damaged");
    assert!(Heads::default().push(&head_of(&packed)[8..]).is_err());
    assert!(Heads::default().push(head_of(&packed[..20])).is_err());
    for at in 16..packed.len() {
        let mut damaged = packed.clone();
        damaged[at] ^= 1 << (at % 8);
        assert_eq!(reason(&damaged), "a sketched article is damaged");
    }
    let mut later = packed.clone();
    later[4] = 2;
    assert!(reason(&later).contains("another version of samestory"));
    let other = Stages::new(engine(8, 400));
    let found = other.unpack([packed.as_slice()]).unwrap_err().to_string();
    assert!(found.contains(&stages.engine().profile().sketch_id()), "{found}");
    assert!(found.contains(&other.engine().profile().sketch_id()), "{found}");
}

/// What `fixtures/formats/v1/article.packed` holds.
fn packed_article() -> Vec<u8> {
    let article = Article {
        title: Some("Ferry aground off Batanes".into()),
        source: Some("Batanes Courier".into()),
        published: Some(Timestamp(1_772_600_000)),
        ..Article::new(
            "ferry-1",
            "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard, and fishermen from \
             Ivana brought most of them ashore before the coast guard came.",
        )
    };
    let stages = Stages::new(Engine::new(Profile::default()));
    let mut packed = Vec::new();
    stages.sketcher().sketch(&article, &mut packed);
    packed
}

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/formats/v1/article.packed");

// Other machines have a form of their own.
#[test]
#[cfg(target_endian = "little")]
fn the_packed_form_is_that_of_version_1() {
    let golden = std::fs::read(GOLDEN).unwrap();
    assert!(packed_article() == golden, "the form of packed articles has changed, and its version has not");
}

#[test]
#[ignore = "writes fixtures: run by hand after a wanted change of format or of sketches"]
fn regenerate() {
    std::fs::write(GOLDEN, packed_article()).unwrap();
}

#[test]
fn two_texts_under_one_id_are_refused() {
    let stages = Stages::new(Engine::new(Profile::default()));
    let mut sketcher = stages.sketcher();
    let packed: Vec<Vec<u8>> = ["Rain fell.", "Rain fell.", "Snow fell."]
        .into_iter()
        .map(|text| {
            let mut packed = Vec::new();
            let mut article = Article::new("7", text);
            article.origin.place = text.into();
            sketcher.sketch(&article, &mut packed);
            packed
        })
        .collect();
    let settle = |packed: &[Vec<u8>]| stages.settle(stages.unpack(packed.iter().map(Vec::as_slice)).unwrap());
    assert_eq!(settle(&packed[..2]).unwrap().len(), 1);
    let refused = settle(&packed).unwrap_err().to_string();
    assert!(refused.contains("Rain fell. and Snow fell."), "{refused}");
}

#[test]
fn keys_order_and_tell_their_origin() {
    for origin in [KeyOrigin::Band(41), KeyOrigin::Tree(511), KeyOrigin::Passage, KeyOrigin::Fingerprint] {
        let key = SketchKey::new(origin, (1 << 42) - 1);
        assert_eq!((key.origin(), key.key()), (origin, (1 << 42) - 1));
        assert!(SketchKey::new(origin, 7) < SketchKey::new(KeyOrigin::Band(0), 8));
    }
}
