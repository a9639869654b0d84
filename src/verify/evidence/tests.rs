//! Measurements against slow twins, and by hand.

use super::*;
use crate::article::Article;
use crate::article::Timestamp;
use crate::bits::Width;
use crate::profile::{Profile, RARE_IDF};
use crate::shingle::shingle_hashes;
use crate::sketch::{RecordBuf, TermSums};
use crate::tests::{naive, tokens};
use crate::text::Document;
use crate::verify::overlap::shared_sums;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn record(text: &str) -> RecordBuf {
    let profile = Profile::default();
    let article = Article::new("1", text);
    let document = Document::new(&article.text, 10_000);
    RecordBuf::new(&article, &document, &shingle_hashes(&document.tokens, 5), &profile)
}

const STORY: &str = "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard. Fishermen \
                     from Ivana brought most of them ashore. The coast guard said nobody was hurt, and that the \
                     captain had been asked to explain why the ship was two miles off its course.";

#[test]
fn a_text_is_like_itself() {
    let r = record(STORY);
    let e = measure(&r.record(), &r.record(), &mut Scratch::default());
    for measurement in [
        Measurement::ShingleJaccard,
        Measurement::WordJaccard,
        Measurement::WordCosine,
        Measurement::LcsBoth,
        Measurement::NumberJaccard,
        Measurement::SentenceOrder,
    ] {
        assert_eq!(e.value(measurement), ONE, "{measurement:?}");
    }
    assert_eq!(e.value(Measurement::FactsAgainst), 0);
}

#[test]
fn changed_figures_speak_against() {
    let (a, b) = (record(STORY), record(&STORY.replace("214", "356").replace("two miles", "seven miles")));
    let e = measure(&a.record(), &b.record(), &mut Scratch::default());
    assert_eq!(e.value(Measurement::NumberJaccard), 0);
    assert_eq!(e.value(Measurement::FactsAgainst), ONE);
    assert!(e.value(Measurement::ShingleJaccard) > ONE / 2);
}

#[test]
fn an_outlet_tells_anew_what_it_does_not_repeat() {
    let anew = "Fishermen from Ivana brought most of the 214 passengers of the ferry Santa Odilia ashore after it ran \
                aground off Batanes on Monday. Nobody was hurt, the coast guard said; the captain was asked why \
                the ship was two miles off its course.";
    let told = |text: &str, source: Option<&str>, title: Option<&str>| {
        let profile = Profile::default();
        let mut article = Article::new("1", text);
        (article.source, article.title) = (source.map(Into::into), title.map(Into::into));
        let document = Document::new(&article.text, 10_000);
        RecordBuf::new(&article, &document, &shingle_hashes(&document.tokens, 5), &profile)
    };
    let value = |first: &RecordBuf, second: &RecordBuf| {
        let e = measure(&first.record(), &second.record(), &mut Scratch::default());
        assert!(e.is_complete);
        (e.value(Measurement::ToldAnew), ONE - e.value(Measurement::ShingleContainment))
    };
    let (harbour, ferry) = (Some("Harbour News"), Some("Ferry aground"));
    let first = told(STORY, harbour, ferry);
    let (measured, expected) = value(&first, &told(anew, Some("HARBOUR NEWS "), Some("Ferry")));
    assert!(measured == expected && expected > ONE / 2, "{measured}");
    assert_eq!(value(&first, &told(STORY, harbour, ferry)).0, 0);
    assert_eq!(value(&first, &told(anew, Some("Kestrel"), ferry)).0, 0);
    assert_eq!(value(&first, &told(anew, None, ferry)).0, 0);
    // A collection of texts, an outlet that the text names, and a correction.
    assert_eq!(value(&told(STORY, harbour, None), &told(anew, harbour, None)).0, 0);
    let named = |text: &str| told(&format!("Source: Kestrel\n\n{text}"), Some("By one of many"), ferry);
    assert!(value(&named(STORY), &told(&format!("Source: Kestrel\n\n{anew}"), None, ferry)).0 > ONE / 2);
    assert_eq!(value(&first, &told(anew, harbour, Some("CORRECTED-Ferry aground"))).0, 0);
}

#[test]
fn strangers_are_left_early() {
    let other =
        record("Wheat futures in Chicago closed lower as rain reached the plains, traders said, and funds sold.");
    let e = measure(&record(STORY).record(), &other.record(), &mut Scratch::default());
    assert!(!e.is_complete);
    let empty = RecordBuf::default();
    assert!(!measure(&empty.record(), &empty.record(), &mut Scratch::default()).is_complete);
}

#[test]
fn the_order_of_the_pair_does_not_matter() {
    let (a, b) = (record(STORY), record(&STORY[..150]));
    let (a, b) = (a.record(), b.record());
    let (there, back) = (measure(&a, &b, &mut Scratch::default()), measure(&b, &a, &mut Scratch::default()));
    assert_eq!(there.values, back.values);
    assert_ne!(there.first_is_shorter, back.first_is_shorter);
}

/// A record whose content tokens are words with these hashes.
fn words(hashes: impl IntoIterator<Item = u32>) -> RecordBuf {
    let profile = Profile::default();
    let mut document = Document::new("", 0);
    let token = |hash| tokens::of_hash(hash, if hash % 3 == 0 { TokenFlags::NAME } else { 0 });
    document.tokens = hashes.into_iter().map(token).collect();
    let article = Article { language: Some("en".into()), ..Article::new("1", "") };
    RecordBuf::new(&article, &document, &[], &profile)
}

proptest! {
    #[test]
    fn nearby_words_are_those_of_all_pairs(
        a in prop::collection::vec(0u16..30, 1..60),
        b in prop::collection::vec(0u16..30, 1..60),
    ) {
        let [first, second] = [&a, &b].map(|list| words(list.iter().map(|word| u32::from(*word))));
        let mut scratch = Scratch::default();
        map_terms(&first.record(), &second.record(), &mut scratch);
        let fast = nearby_words(&first.record(), &second.record(), &mut scratch);
        prop_assert_eq!(fast.of_shorter, naive::nearby(&a, &b, NEARBY));
        prop_assert_eq!(fast.of_longer, naive::nearby(&b, &a, NEARBY));
        prop_assert_eq!(fast.in_order, naive::neighbours(&a, &b));
    }
}

proptest! {
    #[test]
    fn maps_agree_with_searching(
        a in prop::collection::btree_set(any::<u32>(), 0..60),
        b in prop::collection::btree_set(any::<u32>(), 0..60),
        both in prop::collection::btree_set(prop_oneof![any::<u32>(), 0u32..40, Just(u32::MAX - 1)], 0..60),
    ) {
        let (first, second) = (words(&a | &both), words(&b | &both));
        let (first, second) = (first.record(), second.record());
        let mut scratch = Scratch::default();
        map_terms(&first, &second, &mut scratch);
        let search = |of: &Record<'_>, within: &Record<'_>| -> Vec<u16> {
            let place = |hash: &u32| within.terms.hashes().iter().position(|other| other == hash);
            of.terms.hashes().iter().map(|hash| place(hash).map_or(NONE, |at| at as u16)).collect()
        };
        prop_assert_eq!(&scratch.shorter_map, &search(&first, &second));
        prop_assert_eq!(&scratch.longer_map, &search(&second, &first));
    }

    #[test]
    fn shared_sums_are_those_of_each_term(
        a in prop::collection::btree_set(any::<u32>(), 0..60),
        b in prop::collection::btree_set(any::<u32>(), 0..60),
        both in prop::collection::btree_set(prop_oneof![any::<u32>(), 0u32..40, Just(u32::MAX)], 0..60),
    ) {
        let (first, second) = (words(&a | &both), words(&b | &both));
        let (first, second) = (first.record(), second.record());
        let mut expected = TermSums::default();
        let mut num_names = 0;
        for (i, hash) in first.terms.hashes().iter().enumerate() {
            if let Ok(j) = second.terms.hashes().binary_search(hash) {
                let idf = u32::from(first.terms.idf()[i]);
                expected.num += 1;
                expected.idf += idf;
                expected.idf_squares += idf * idf;
                expected.num_rare += u32::from(idf > u32::from(RARE_IDF));
                let flags = first.terms.flags()[i] & second.terms.flags()[j];
                num_names += u64::from(flags & TokenFlags::NAME != 0);
            }
        }
        let (hashes, idf) = first.terms.padded();
        for width in Width::ALL {
            prop_assert_eq!(shared_sums(width, hashes, idf, second.terms.hashes()), expected);
        }
        let (cover, _) = name_overlap(&first, &second, &mut Default::default());
        prop_assert_eq!(cover, or_neutral(num_names, first.terms.num_names().into()));
    }

    #[test]
    fn overlaps_agree_with_sets(a in prop::collection::btree_set(0u32..40, 0..30), b in prop::collection::btree_set(0u32..40, 0..30)) {
        let list = |set: &BTreeSet<u32>| set.iter().copied().collect::<Vec<_>>();
        for width in Width::ALL {
            prop_assert_eq!(num_shared(width, &list(&a), &list(&b)), (&a & &b).len() as u64);
        }
        let got = overlap(&list(&a), &list(&b)).jaccard();
        prop_assert_eq!(got, (naive::jaccard(&a, &b) * f64::from(ONE)) as i32);
    }
}

/// A record of words in a language without a table, so that all weigh the same: figures are numbers, words with a
/// capital names, those with a quote in front quoted; a point ends a sentence.
fn plain(text: &str, shingles: &[u64]) -> RecordBuf {
    let mut document = Document::new("", 0);
    for (sentence, words) in (0..).zip(text.split('.')) {
        document.tokens.extend(words.split_whitespace().map(|word| tokens::of_word(word, sentence)));
    }
    let article = Article { language: Some("de".into()), ..Article::new("1", "") };
    RecordBuf::new(&article, &document, shingles, &Profile::default())
}

/// Words of one letter and a number each.
fn list(letter: char, numbers: Range<u32>) -> String {
    numbers.map(|number| format!("{letter}{number} ")).collect()
}

fn measured(first: &RecordBuf, second: &RecordBuf) -> Evidence {
    measure(&first.record(), &second.record(), &mut Scratch::default())
}

#[test]
fn the_shorter_is_the_one_of_fewer_words() {
    // Not the one whose shingles come first.
    let (long, short) = (plain("a b c d", &[1]), plain("a b c", &[9]));
    assert!(!measured(&long, &short).first_is_shorter);
    assert!(measured(&short, &long).first_is_shorter);
}

#[test]
fn leads_and_tails_are_looked_for_where_they_may_stand() {
    let shorter = plain(&list('a', 0..99), &[]);
    let longer = [
        list('a', 0..10),
        list('a', 70..80),
        list('b', 0..20),
        // Beyond the lead, but where a lead is looked for.
        list('a', 30..40),
        list('b', 20..30),
        // Beyond that.
        list('a', 10..20),
        list('b', 30..40),
        // In the last third.
        list('a', 50..60),
        list('b', 40..70),
    ];
    let e = measured(&shorter, &plain(&longer.concat(), &[]));
    assert!(e.is_complete && e.first_is_shorter);
    // Of the first 40 words of each, those that the other has anywhere.
    assert_eq!(e.value(Measurement::LeadShorter), ratio(30, 40));
    assert_eq!(e.value(Measurement::LeadLonger), ratio(20, 40));
    // Of the same, those that the other has among its first 60: 20 there, 10 back.
    assert_eq!(e.value(Measurement::LeadBoth), (ratio(20, 40) + ratio(10, 40)) / 2);
    assert_eq!(e.value(Measurement::TailShorter), ratio(10, 33));
    assert_eq!(e.value(Measurement::TailLonger), ratio(10, 40));
    assert_eq!(e.value(Measurement::LenRatio), ratio(99, 120));
    assert_eq!(e.value(Measurement::LcsShorter), ratio(30, 99));
}

#[test]
fn quotes_are_looked_for_among_quotes() {
    let shorter = plain(&format!("\"q0 \"q1 \"q2 \"q3 \"q4 {}", list('p', 0..10)), &[]);
    // Two are quoted, one stands outside of quotes; of the other words one is quoted.
    let longer = plain(&format!("\"q0 \"q1 q2 \"p0 p1 p2 {}", list('z', 0..15)), &[]);
    let e = measured(&shorter, &longer);
    assert!(e.is_complete && e.first_is_shorter);
    assert_eq!(e.value(Measurement::QuoteCover), ratio(2, 5));
    assert_eq!(e.value(Measurement::UnquotedCover), ratio(3, 10));
    let unquoted = plain(&list('p', 0..10), &[]);
    let e = measured(&unquoted, &unquoted);
    assert_eq!([Measurement::QuoteCover, Measurement::UnquotedCover].map(|of| e.value(of)), [ONE / 2, ONE]);
}

#[test]
fn figures_count_by_what_they_tell() {
    // 2 and 5 have one digit, 214 three.
    assert_eq!(figure_overlap(&[2_000, 214_000], &[5_000, 214_000]), (ratio(3, 4), ratio(3, 5)));
    let (none, seven): (&[u64], &[u64]) = (&[], &[7_000]);
    for (shorter, longer) in [(none, seven), (seven, none), (none, none)] {
        assert_eq!(figure_overlap(shorter, longer), (ONE / 2, ONE / 2));
    }
}

#[test]
fn names_are_shared_by_either_and_by_both() {
    let overlap = |shorter: &str, longer: &str| {
        let (shorter, longer) = (plain(shorter, &[]), plain(longer, &[]));
        name_overlap(&shorter.record(), &longer.record(), &mut Default::default())
    };
    assert_eq!(overlap("Yap Cruz ferry", "Yap Odilia Basco ran"), (ratio(1, 2), ratio(1, 4)));
    assert_eq!(overlap("ferry", "ran aground"), (ONE / 2, ONE / 2));
    assert_eq!(overlap("Yap ferry", "ran aground"), (0, 0));
    assert_eq!(overlap("ferry", "Yap ran"), (ONE / 2, 0));
}

/// Of a pair that shares little, names tell whether it may be on one event; of others they are measured anyhow.
#[test]
fn names_are_looked_at_where_they_tell_something() {
    let shorter = plain(&format!("Yap Cruz Odilia {}", list('w', 0..7)), &[]);
    // Two words of ten in a text as long: little, but so alike as tellings of one event are.
    let event = measured(&shorter, &plain(&format!("Yap w0 {}", list('z', 0..10)), &[]));
    assert_eq!((event.is_complete, event.value(Measurement::NameCover)), (false, ratio(1, 3)));
    // Four of ten in a text thirty times as long: enough, and not alike.
    let close = measured(&shorter, &plain(&format!("Yap w0 w1 w2 {}", list('z', 0..296)), &[]));
    assert_eq!((close.is_complete, close.value(Measurement::NameCover)), (true, ratio(1, 3)));
}

/// What shares words enough is looked at further where these stand in order, make up much of both, or were copied.
#[test]
fn order_words_or_copied_text_make_a_pair_worth_the_rest() {
    let shorter = plain(&list('s', 0..10), &(1..=25).collect::<Vec<u64>>());
    let is_complete = |shared: &str, num_others: u32, first_shingle: u64| {
        let shingles: Vec<u64> = (first_shingle..70).collect();
        let e = measured(&shorter, &plain(&format!("{shared} {}", list('z', 0..num_others)), &shingles));
        assert!(e.first_is_shorter);
        assert_eq!(e.is_complete, e.value(Measurement::NumberCover) > 0, "it stops before the figures");
        e.is_complete
    };
    // Four words of ten, the wrong way round, in a long text; one shingle of 25.
    assert!(!is_complete("s3 s2 s1 s0", 36, 25));
    // Two of ten in order; four of twenty; two shingles of 25.
    assert!(is_complete("s2 s3 s0 s1", 36, 25));
    assert!(is_complete("s3 s2 s1 s0", 10, 25));
    assert!(is_complete("s3 s2 s1 s0", 36, 24));
}

#[test]
fn sentences_are_aligned_with_those_that_hold_most_of_them() {
    let shorter = plain("a0 a1 a2 a3 a4. c0 c1 c2 c3. d0 d1 d2 d3 d4 7. e0 e1. f0 f1 f2 f3 9.", &[]);
    let longer = plain("x0 x1 9. c0 c1 c2 c3 y0 y1. a0 a1 a2 y2. d0 d1 d2 d3 8 y3. f0 y4 y5 y6.", &[]);
    let e = measured(&shorter, &longer);
    assert!(e.is_complete && e.first_is_shorter);
    // Of sentences of three words and more 3 of 5 are found, 4 of 4, 4 of 6 and 1 of 5.
    assert_eq!(e.value(Measurement::SentenceCover), ratio(12, 20));
    // The third, second and fourth of the longer; the last is not aligned.
    assert_eq!(e.value(Measurement::SentenceOrder), ratio(2, 4));
    // So its figure, which the longer has, does not count, and that of the third is missing.
    assert_eq!(e.value(Measurement::FactsAgainst), ONE);
    // 3 of 5 of the one's first, 1 of 3 of the other's.
    assert_eq!(e.value(Measurement::LeadSentence), (ratio(3, 5) + ratio(1, 3)) / 2);
}

#[test]
fn of_sentences_that_hold_as_much_the_first_is_the_counterpart() {
    let shorter = plain("a0 a1 a2 a3. c0 c1 c2 c3. d0 d1 d2 d3.", &[]);
    // The first sentence is held as well by the third, which has its first words; the second by the fourth. Of the
    // third the first has one word.
    let longer = plain("a2 a3 d3 x0. c0 c1 x1 x2. a0 a1 d0 d1 d2. c0 c1 x3 x4.", &[]);
    let e = measured(&shorter, &longer);
    assert!(e.is_complete && e.first_is_shorter);
    assert_eq!(e.value(Measurement::SentenceOrder), ONE);
    assert_eq!(e.value(Measurement::SentenceCover), ratio(7, 12));
}

#[test]
fn headlines_are_compared_by_the_smaller() {
    let titled = |title: Option<&str>| {
        let article = Article { title: title.map(Into::into), ..Article::new("1", "") };
        RecordBuf::new(&article, &Document::new("", 0), &[], &Profile::default())
    };
    let cover =
        |first: Option<&str>, second: Option<&str>| title_cover(&titled(first).record(), &titled(second).record());
    let long = Some("Ferry aground off Batanes");
    assert_eq!((cover(Some("Ferry lost"), long), cover(long, Some("Ferry lost"))), (ONE / 2, ONE / 2));
    assert_eq!((cover(Some("Wheat"), long), cover(long, long)), (0, ONE));
    assert_eq!([cover(None, long), cover(long, None), cover(None, None)], [ONE / 4; 3]);
}

#[test]
fn lengths_and_times_apart_are_logarithms() {
    let words = plain(&list('w', 0..64), &[]);
    // 2^6 words, of 2^12.
    assert_eq!(measured(&words, &words).value(Measurement::LenShorter), ONE / 2);
    let at = |seconds: Option<i64>| {
        let article = Article { published: seconds.map(Timestamp), ..Article::new("1", "") };
        RecordBuf::new(&article, &Document::new("", 0), &[], &Profile::default())
    };
    let apart = |first: Option<i64>, second: Option<i64>| time_apart(&at(first).record(), &at(second).record());
    let hours = |hours: i64| apart(Some(0), Some(hours * 3600));
    // An hour more than was between the two, of 2^13 hours, nearly a year.
    assert_eq!([0, 1, 7, 63].map(hours), [0, ONE / 13, 3 * ONE / 13, 6 * ONE / 13]);
    assert_eq!(apart(Some(7 * 3600 + 1800), Some(0)), hours(7));
    // Not known: some hours.
    for (first, second) in [(None, None), (Some(0), None), (None, Some(0))] {
        assert!((hours(1)..hours(24)).contains(&apart(first, second)));
    }
}
