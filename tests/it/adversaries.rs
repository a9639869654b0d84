//! Articles written against the program: work stays bounded, counted in pairs, and the verdict is the right one or a
//! limit that `docs/security.md` names.

use crate::made_feed::generate::{Feed, Mixture};
use crate::support::{Folder, feed_lines, field, json, line, rows, text_of};
use samestory::engine::NearSketch;
use samestory::hash::{HashMap, derived_seed};
use samestory::profile::SketchParams;
use samestory::shingle::shingle_hashes;
use samestory::sketch::{MinHasher, RecordBuf, estimated_jaccard, simhash};
use samestory::text::Document;
use samestory::verify::Relation;
use samestory::{Article, Clustering, Engine, Profile};
use std::collections::BTreeSet;

/// What an attacker knows, and what only the house does.
const KNOWN_SEED: u64 = 1;
const SECRET_SEED: u64 = 0x51f2_77b0_9c3d_e4a8;

fn profile(seed: u64) -> Profile {
    let profile = Profile::default();
    assert_eq!(profile.sketch().seed, KNOWN_SEED);
    let sketch = SketchParams { seed, ..profile.sketch().clone() };
    profile.with_sketch(sketch).expect("any seed will do")
}

fn cluster(engine: &Engine, articles: &[(String, String)]) -> Clustering {
    let articles = articles.iter().map(|(id, text)| Article::new(id.as_str(), text.as_str()));
    engine.cluster(articles).expect("no id comes twice")
}

fn default_engine() -> Engine {
    Engine::new(Profile::default())
}

/// What one text is to another.
fn relation(text: &str, other: &str) -> Relation {
    default_engine().judge(&Article::new("a", text), &Article::new("b", other)).of_first()
}

/// The ids of each cluster of two and more.
fn clusters(clustering: &Clustering) -> BTreeSet<BTreeSet<String>> {
    let mut members: HashMap<u32, BTreeSet<String>> = HashMap::default();
    for member in &clustering.members {
        let id = clustering.articles.get(member.article).id().to_string();
        members.entry(member.cluster).or_default().insert(id);
    }
    members.into_values().filter(|ids| ids.len() > 1).collect()
}

/// The first telling of each fixture family: as many stories, with id and text.
fn stories() -> Vec<(String, String)> {
    let rows: Vec<_> = feed_lines().iter().map(|line| json(line)).collect();
    let bases = rows.iter().filter(|row| field(row, "id").ends_with("/base"));
    let stories: Vec<_> = bases.map(|row| (field(row, "id").to_string(), field(row, "text").to_string())).collect();
    assert_eq!(stories.len(), 32);
    stories
}

/// Words that carry no content, so that a phrase of them makes a shingle and nothing else.
const SMALL_WORDS: [&str; 40] = [
    "the", "of", "and", "to", "in", "that", "for", "with", "by", "from", "was", "were", "is", "are", "be", "been",
    "it", "its", "this", "these", "he", "she", "they", "his", "her", "their", "an", "at", "on", "as", "or", "but",
    "not", "would", "will", "which", "who", "than", "then", "there",
];

/// For each slot of a signature the phrase of five small words whose shingle comes lowest of very many: texts that hold
/// it agree in that slot, whatever else they say.
fn lowest_phrases(seed: u64) -> Vec<String> {
    let num_slots = Profile::default().sketch().num_slots;
    let hasher = MinHasher::new(num_slots, seed);
    let mut lowest = vec![(u32::MAX, String::new()); num_slots];
    for number in 0..60_000 {
        let mut bits = derived_seed(9, number);
        let words: Vec<&str> = (0..5)
            .map(|_| {
                let word = SMALL_WORDS[(bits % 40) as usize];
                bits /= 40;
                word
            })
            .collect();
        let phrase = words.join(" ");
        let tokens = Document::new(&phrase, 100).tokens;
        let signature = hasher.signature(&shingle_hashes(&tokens, 5));
        for (place, slot) in lowest.iter_mut().zip(signature) {
            if slot < place.0 {
                *place = (slot, phrase.clone());
            }
        }
    }
    lowest.into_iter().map(|(_, phrase)| phrase).collect()
}

/// A text with phrases behind it, each a sentence, in an order of its own.
fn with_phrases(text: &str, phrases: &[String], order: u64) -> String {
    let shuffled = crate::support::shuffled(phrases.to_vec(), order);
    shuffled.iter().fold(text.to_string(), |text, phrase| text + "\n\n" + phrase + ".")
}

#[test]
fn minhash_collides_by_design_only_under_a_known_seed() {
    let phrases = lowest_phrases(KNOWN_SEED);
    let stories = stories();
    let [first, second] = [0, 1].map(|i| with_phrases(&stories[i].1, &phrases, i as u64 + 1));
    let shingles = [&first, &second].map(|text| shingle_hashes(&Document::new(text, 20_000).tokens, 5));
    let sets = shingles.clone().map(|shingles| shingles.into_iter().collect::<BTreeSet<u64>>());
    let exact = sets[0].intersection(&sets[1]).count() as f64 / sets[0].union(&sets[1]).count() as f64;
    let estimate = |seed| {
        let hasher = MinHasher::new(128, seed);
        estimated_jaccard(&hasher.signature(&shingles[0]), &hasher.signature(&shingles[1]))
    };
    assert!(exact < 0.15, "{exact}");
    assert!(estimate(KNOWN_SEED) > 0.9, "{}", estimate(KNOWN_SEED));
    assert!(estimate(SECRET_SEED) < 0.25, "{}", estimate(SECRET_SEED));
    // The verdict does not go by the signature.
    assert!(!relation(&first, &second).is_match());
}

#[test]
fn articles_made_to_meet_in_a_band_are_told_apart_and_a_secret_seed_keeps_them_from_meeting() {
    // Six phrases, for the rows of two bands.
    let phrases = &lowest_phrases(KNOWN_SEED)[..6];
    let plain = stories();
    let made: Vec<_> =
        (1..).zip(&plain).map(|(order, (id, text))| (id.clone(), with_phrases(text, phrases, order))).collect();
    let num_candidates = |seed, articles: &[(String, String)]| {
        let clustering = cluster(&Engine::new(profile(seed)), articles);
        assert_eq!(clusters(&clustering), BTreeSet::new());
        clustering.stats.num_candidates
    };
    let all_pairs = 32 * 31 / 2;
    let [honest, met, kept_apart] = [(KNOWN_SEED, &plain), (KNOWN_SEED, &made), (SECRET_SEED, &made)]
        .map(|(seed, articles)| num_candidates(seed, articles));
    assert!(met > all_pairs * 9 / 10, "{met} of {all_pairs} met");
    assert!(kept_apart < met / 4, "{kept_apart} met, {met} under the known seed, {honest} without phrases");
}

/// What a word adds to a fingerprint: its term, its weight, its bits.
fn word_bits(word: &str, profile: &Profile) -> Option<(u32, i32, u64)> {
    let mut article = Article::new("word", word);
    article.language = Some("en".to_string());
    let document = Document::new(word, 10);
    let shingles = shingle_hashes(&document.tokens, 5);
    let record = RecordBuf::new(&article, &document, &shingles, profile);
    let record = record.record();
    let (hashes, idf) = (record.terms.hashes(), record.terms.idf());
    (hashes.len() == 1).then(|| (hashes[0], i32::from(idf[0]), simhash(&record, profile.sketch().seed)))
}

fn fingerprint(text: &str, profile: &Profile) -> u64 {
    let article = Article { language: Some("en".to_string()), ..Article::new("text", text) };
    let document = Document::new(text, 20_000);
    let shingles = shingle_hashes(&document.tokens, 5);
    simhash(&RecordBuf::new(&article, &document, &shingles, profile).record(), profile.sketch().seed)
}

/// The text with words behind it that pull its fingerprint to `target`.
fn pulled(text: &str, target: u64, profile: &Profile) -> String {
    let signs = |bits: u64| std::array::from_fn::<i32, 64, _>(|bit| if bits >> bit & 1 == 1 { 1 } else { -1 });
    let wanted = signs(target);
    let document = Document::new(text, 20_000);
    let of_word: HashMap<u32, (i32, u64)> = document
        .tokens
        .iter()
        .filter_map(|token| word_bits(document.form(token), profile))
        .map(|(term, weight, bits)| (term, (weight, bits)))
        .collect();
    let mut counts: HashMap<u32, i32> = HashMap::default();
    document.tokens.iter().for_each(|token| *counts.entry(token.stem_hash).or_default() += 1);
    let mut sums = [0; 64];
    for (term, (weight, bits)) in &of_word {
        let weight = weight * counts.get(term).copied().unwrap_or(1).min(4);
        sums.iter_mut().zip(signs(*bits)).for_each(|(sum, sign)| *sum += weight * sign);
    }
    let words = include_str!("../../examples/feed/generate/words.txt").split_whitespace();
    let mut pool: Vec<(&str, i32, [i32; 64])> = words
        .filter_map(|word| word_bits(word, profile).map(|(term, weight, bits)| (word, term, weight, bits)))
        .filter(|(_, term, ..)| !of_word.contains_key(term))
        .map(|(word, _, weight, bits)| (word, 4 * weight, signs(bits)))
        .collect();
    let mut text = text.to_string();
    for _ in 0..120 {
        let short_of =
            |sums: &[i32; 64]| -> i32 { sums.iter().zip(wanted).map(|(sum, sign)| (400 - sum * sign).max(0)).sum() };
        let with =
            |(_, weight, signs): &(&str, i32, [i32; 64])| std::array::from_fn(|bit| sums[bit] + weight * signs[bit]);
        let best = (0..pool.len()).min_by_key(|at| short_of(&with(&pool[*at]))).expect("words are left");
        if short_of(&with(&pool[best])) >= short_of(&sums) {
            break;
        }
        sums = with(&pool[best]);
        let (word, ..) = pool.swap_remove(best);
        text.push_str(&format!("\n\n{word} {word} {word} {word}."));
    }
    text
}

#[test]
fn simhash_collides_by_design_only_under_a_known_seed() {
    let stories = stories();
    let (first, second) = (&stories[3].1, &stories[4].1);
    let known = profile(KNOWN_SEED);
    let made = pulled(second, fingerprint(first, &known), &known);
    let distance = |profile: &Profile| (fingerprint(first, profile) ^ fingerprint(&made, profile)).count_ones();
    assert!(distance(&known) <= 4, "{} bits apart", distance(&known));
    let secret = profile(SECRET_SEED);
    assert!(distance(&secret) > 12, "{} bits apart", distance(&secret));
    let articles = [("a".to_string(), first.clone()), ("b".to_string(), made.clone())];
    let num_candidates = |profile| {
        let clustering = cluster(&Engine::new(profile).with_near(NearSketch::SimHash), &articles);
        assert_eq!(clusters(&clustering), BTreeSet::new());
        clustering.stats.num_candidates
    };
    assert_eq!((num_candidates(known), num_candidates(secret)), (1, 0));
}

/// The texts of a made feed.
fn made(mixture: Mixture, num_articles: usize) -> Vec<(String, String)> {
    Feed::new(5, mixture, 500).take(num_articles).map(|made| (made.id, made.text)).collect()
}

/// Candidates an article.
fn candidates_each(clustering: &Clustering) -> u64 {
    clustering.stats.num_candidates / clustering.stats.num_articles
}

#[test]
fn a_flood_of_one_template_costs_pairs_by_the_article_and_stays_apart() {
    let [few, many] = [1_000, 4_000].map(|num| cluster(&default_engine(), &made(Mixture::Templates, num)));
    assert!(many.stats.num_clusters >= 3_960, "{} clusters of 4,000", many.stats.num_clusters);
    let [few, many] = [few, many].map(|clustering| candidates_each(&clustering));
    // Four times the articles, and not twice the pairs of each.
    assert!(few > 5 && many < 2 * few, "{few} and {many} candidates an article");
}

#[test]
fn a_passage_in_every_article_costs_few_pairs_and_joins_few() {
    let plain = made(Mixture::News, 3_000);
    let passage = "\n\nSubscribers of the Quillbrook bulletin receive marbled parchment almanacs, verdigris sextants and \
                   hammered pewter astrolabes from the Ossington foundry every leap year without further charge.";
    let bomb: Vec<_> = plain.iter().map(|(id, text)| (id.clone(), text.clone() + passage)).collect();
    let [plain, bomb] = [plain, bomb].map(|articles| cluster(&default_engine(), &articles));
    assert!(bomb.stats.buckets.largest > 2_900, "{:?}", bomb.stats.buckets);
    // All pairs would be 1,500 an article.
    assert!(candidates_each(&bomb) < 60, "{} candidates an article", candidates_each(&bomb));
    // It is a third of the shortest articles' text: some of these are taken for one story.
    let more = plain.stats.num_clusters - bomb.stats.num_clusters;
    assert!(more < 300, "{more} clusters fewer of {}", plain.stats.num_clusters);
}

#[test]
fn one_article_many_times_is_no_pair_at_all() {
    let text = text_of("ferry-grounding/base");
    let articles: Vec<_> = (0..100_000).map(|number| (format!("{number:06}"), text.clone())).collect();
    let clustering = cluster(&default_engine(), &articles);
    let stats = &clustering.stats;
    assert_eq!((stats.num_exact_copies, stats.num_candidates, stats.num_clusters), (99_999, 0, 1));
    // Keys are made of one of them in the end, and the answer holds all.
    assert_eq!(clustering.members.len(), 100_000);
    assert!(clustering.members.iter().all(|member| member.size == 100_000));
}

/// The sentences of a text.
fn sentences(text: &str) -> Vec<&str> {
    text.split_inclusive(". ")
        .flat_map(|part| part.split_inclusive("\n\n"))
        .filter(|part| !part.trim().is_empty())
        .collect()
}

#[test]
fn a_chain_of_small_steps_does_not_join_its_ends() {
    let stories = stories();
    for (from, to) in [(0, 1), (5, 9), (12, 20)] {
        let [first, last] = [from, to].map(|i| sentences(&stories[i].1));
        let num_steps = first.len().max(last.len());
        let step = |at: usize| {
            // So much of the one is gone, so much of the other has come.
            let (gone, come) = (first.len() * at / num_steps, last.len() * at / num_steps);
            (format!("{at:02}"), [&last[..come], &first[gone..]].concat().concat())
        };
        let articles: Vec<_> = (0..=num_steps).map(step).collect();
        let clustering = cluster(&default_engine(), &articles);
        let found = clusters(&clustering);
        assert!(clustering.stats.num_matches as usize >= num_steps, "no chain");
        let ends = [&articles[0].0, &articles[num_steps].0];
        assert!(!found.iter().any(|cluster| ends.iter().all(|id| cluster.contains(*id))), "{found:?}");
    }
}

#[test]
fn an_article_that_holds_two_stories_stands_for_both() {
    let stories = stories();
    for (first, second) in [(0, 1), (5, 9), (12, 20)] {
        let [first, second] = [first, second].map(|i| stories[i].1.clone());
        let both = format!("{first}\n\n{second}");
        let articles = [("a", first), ("b", second), ("both", both)].map(|(id, text)| (id.to_string(), text));
        let clustering = cluster(&default_engine(), &articles);
        // The two are no match of each other, and whichever is in its cluster is an excerpt of what says all of it.
        assert!(!relation(&articles[0].1, &articles[1].1).is_match());
        for member in &clustering.members {
            let ids =
                [member.article, member.representative].map(|rank| clustering.articles.get(rank).id().to_string());
            let is_told = ids[0] == ids[1] || (ids[1] == "both" && member.relation == Some(Relation::Excerpt));
            assert!(is_told, "{ids:?} {:?}", member.relation);
        }
    }
}

/// The text with each character through `hide`.
fn hidden(text: &str, hide: impl Fn(usize, char) -> String) -> String {
    text.chars().enumerate().map(|(at, c)| hide(at, c)).collect()
}

#[test]
fn a_copy_hidden_by_what_no_reader_sees_is_exact() {
    let text = text_of("ferry-grounding/base");
    for between in
        ['\u{200b}', '\u{200d}', '\u{ad}', '\u{2060}', '\u{feff}', '\u{fe0f}', '\u{e0061}', '\u{3164}', '\u{8}']
    {
        let copy = hidden(&text, |at, c| if at % 3 == 0 { format!("{c}{between}") } else { c.to_string() });
        assert_eq!(relation(&copy, &text), Relation::Exact, "{between:?}");
    }
    // A whole other story in tags, which show nothing.
    let other = text_of("korea-exports/base");
    let tags = hidden(&other, |_, c| char::from_u32(0xe0000 + u32::from(c) % 128).unwrap_or(' ').to_string());
    assert_eq!(relation(&format!("{text}{tags}"), &text), Relation::Exact);
    // Directions, isolated and overridden.
    let turned = hidden(&text, |_, c| if c == ' ' { "\u{2066} \u{2069}".to_string() } else { c.to_string() });
    assert_eq!(relation(&turned, &text), Relation::Exact);
}

#[test]
fn a_copy_in_letters_that_look_alike_is_exact() {
    let text = text_of("ferry-grounding/base");
    let cyrillic = |c: char| match "aceiopxysABCEHKMOPTX".find(c) {
        Some(at) => "асеіорхуѕАВСЕНКМОРТХ".chars().nth(at).expect("one for each"),
        None => c,
    };
    let greek = |c: char| match "aiopuvABEHIKMNOPTXYZ".find(c) {
        Some(at) => "αιορυνΑΒΕΗΙΚΜΝΟΡΤΧΥΖ".chars().nth(at).expect("one for each"),
        None => c,
    };
    let wide = |c: char| if ('!'..='~').contains(&c) { char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c) } else { c };
    let bold = |c: char| match c {
        'a'..='z' => char::from_u32(u32::from(c) - u32::from('a') + 0x1d41a).unwrap_or(c),
        'A'..='Z' => char::from_u32(u32::from(c) - u32::from('A') + 0x1d400).unwrap_or(c),
        _ => c,
    };
    let every = |other: fn(char) -> char| hidden(&text, |_, c| other(c).to_string());
    for (name, copy) in [
        ("cyrillic", every(cyrillic)),
        ("greek", every(greek)),
        ("wide", every(wide)),
        ("bold", every(bold)),
        ("one in two", hidden(&text, |at, c| if at % 2 == 0 { cyrillic(c) } else { c }.to_string())),
        ("both", hidden(&text, |at, c| if at % 2 == 0 { cyrillic(c) } else { greek(c) }.to_string())),
    ] {
        assert_ne!(copy, text);
        assert_eq!(relation(&copy, &text), Relation::Exact, "{name}");
    }
}

#[test]
fn letters_of_further_scripts_are_not_put_back() {
    // Armenian letters are not put back: a documented limit.
    let text = text_of("ferry-grounding/base");
    let every = |share: usize| {
        let words = text.split(' ').enumerate();
        let words =
            words.map(
                |(at, word)| {
                    if at % share == 0 { word.replace('o', "օ").replace('h', "հ") } else { word.to_string() }
                },
            );
        words.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(relation(&every(8), &text), Relation::Near);
    assert_ne!(relation(&every(1), &text), Relation::Exact);
}

#[test]
fn other_text_behind_a_copy_leaves_it_found() {
    // What a page hides by its style is read like the rest.
    let text = text_of("ferry-grounding/base");
    let other: String = ["korea-exports/base", "wheat-futures/base", "lido-prize/base"].map(text_of).join("\n\n");
    let articles = [("a".to_string(), text.clone()), ("b".to_string(), format!("{text}\n\n{other}"))];
    let clustering = cluster(&default_engine(), &articles);
    assert_eq!(relation(&articles[0].1, &articles[1].1), Relation::Excerpt);
    assert_eq!(clusters(&clustering).len(), 1);
}

#[test]
fn an_index_under_a_secret_seed_is_no_ones_elses() {
    let secret = Profile::default().to_toml().replace("seed = 1\n", &format!("seed = {SECRET_SEED}\n"));
    let folder = Folder::with_feed(&[line("a", &text_of("ferry-grounding/base"))]).write("secret.toml", secret);
    folder.done("index add seen feed.jsonl --profile secret.toml --quiet");
    let ran = folder.run("index query seen feed.jsonl --quiet");
    assert_eq!(ran.code, 1, "{ran}");
    assert!(ran.stderr.contains(&Profile::default().sketch_id()), "{ran}");
    let ran = folder.done("index query seen feed.jsonl --profile secret.toml --quiet");
    assert_eq!(rows(&ran.stdout).len(), 1);
    // The seed itself stands nowhere.
    for entry in std::fs::read_dir(folder.path("seen")).expect("the index is there") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("it can be read");
        let seed = [SECRET_SEED.to_string().into_bytes(), SECRET_SEED.to_le_bytes().to_vec()];
        assert!(!seed.iter().any(|seed| bytes.windows(seed.len()).any(|part| part == seed)));
    }
}
