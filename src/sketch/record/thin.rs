//! Records that keep the rarer words only: sketches that are judged by the same rules.

use super::{BuildScratch, Record, RecordBuf, head};

/// Terms of less idf are not in a thin record, in sixteenths of a nat: one in 115 articles has a word of this idf.
const THIN_IDF: u8 = 76;
/// One shingle in so many is in a thin record.
const THIN_SHINGLES: u32 = 32;

/// How much of an article its record keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Records {
    /// All that verification reads.
    #[default]
    Whole,
    /// A sketch of that, a sixth as large: the rarer words where they stand, one shingle in 32, and the figures. Which they
    /// are depends on word and shingle alone, so that what two articles share is kept of both. Of an article in a
    /// language without weights all is kept.
    Thin,
}

impl Records {
    /// As an index names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Thin => "thin",
        }
    }
}

impl RecordBuf {
    /// Makes the record a thin one: [`Records::Thin`].
    pub(crate) fn thin_out(&mut self) {
        let (head, body) = (std::mem::take(&mut self.head), std::mem::take(&mut self.body));
        let record = Record::new(&head, bytemuck::cast_slice(&body));
        if !record.terms.is_weighted() {
            (self.head, self.body) = (head, body);
            return;
        }
        let BuildScratch { shingles, terms, content, content_flags, sentence_ends, .. } = &mut self.scratch;
        terms.clear();
        let mut kept_idf = Vec::new();
        // Of each term its place among those that are kept.
        let mut places: Vec<Option<u16>> = Vec::with_capacity(record.terms.len());
        let all = record.terms.hashes().iter().zip(record.terms.flags());
        for ((hash, flags), idf) in all.zip(record.terms.idf()) {
            let is_kept = *idf >= THIN_IDF;
            places.push(is_kept.then_some(terms.len() as u16));
            if is_kept {
                terms.push((*hash, *flags));
                kept_idf.push(*idf);
            }
        }
        content.clear();
        content_flags.clear();
        sentence_ends.clear();
        for sentence in record.sentences() {
            let before = content.len();
            for at in sentence {
                if let Some(place) = places[usize::from(record.content[at])] {
                    content.push(place);
                    content_flags.push(record.content_flags[at]);
                }
            }
            if content.len() > before {
                sentence_ends.push(content.len() as u16);
            }
        }
        shingles.clear();
        shingles.extend(record.shingles.iter().filter(|hash| *hash % THIN_SHINGLES == 0));
        self.lay_out(record.figures, record.title, |_, idf| idf.copy_from_slice(&kept_idf));
        for stays in [head::NUM_TOKENS, head::FLAGS, head::PUBLISHED, head::PUBLISHED + 1, head::OUTLET] {
            self.head[stays] = head[stays];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Article;
    use crate::profile::Profile;
    use crate::shingle::shingle_hashes;
    use crate::text::{Document, Token};

    const STORY: &str = "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard. It was \
                         said to be all right. Fishermen from Ivana brought most of them ashore before the coast \
                         guard came.";

    fn article(text: &str) -> Article {
        let mut article = Article::new("1", text).with_title("Ferry aground");
        (article.published, article.source) = (Some(crate::Timestamp(77)), Some("Kestrel".into()));
        article
    }

    /// The record of a document without the tokens and shingles that go, made as any other.
    fn naive(article: &Article, profile: &Profile) -> RecordBuf {
        let document = Document::new(&article.text, 1000);
        let shingles: Vec<u64> = shingle_hashes(&document.tokens, 5)
            .into_iter()
            .filter(|hash| crate::sketch::fold(*hash).is_multiple_of(THIN_SHINGLES))
            .collect();
        let whole = RecordBuf::new(article, &document, &shingles, profile);
        let num_tokens = document.tokens.len() as u32;
        let is_kept = |token: &Token| profile.weights().idf(token.stem_hash) >= THIN_IDF;
        let figures: Vec<u64> = whole.record().figures.to_vec();
        let mut document = document;
        document.tokens.retain(is_kept);
        let mut thin = RecordBuf::new(article, &document, &shingles, profile);
        // Figures are kept whether or not their words are.
        let title = thin.record().title.to_vec();
        let idf = thin.record().terms.idf().to_vec();
        thin.scratch.shingles = thin.record().shingles.to_vec();
        let numbers = thin.head.clone();
        thin.lay_out(&figures, &title, |_, to| to.copy_from_slice(&idf));
        for stays in [head::FLAGS, head::PUBLISHED, head::PUBLISHED + 1, head::OUTLET] {
            thin.head[stays] = numbers[stays];
        }
        thin.head[head::NUM_TOKENS] = num_tokens;
        thin
    }

    #[test]
    fn a_thin_record_is_that_of_a_text_without_its_common_words() {
        let profile = Profile::default();
        let long = format!("{STORY} {}", "Rain cut 3 roads to Lima, and 1,200 people left their homes. ".repeat(40));
        for text in [STORY, &long, "It was said to be all right.", ""] {
            let article = article(text);
            let document = Document::new(&article.text, 1000);
            let shingles = shingle_hashes(&document.tokens, 5);
            let mut record = RecordBuf::new(&article, &document, &shingles, &profile);
            let num_before = record.record().content.len();
            record.thin_out();
            let expected = naive(&article, &profile);
            assert_eq!(format!("{:?}", record.record()), format!("{:?}", expected.record()));
            assert!(text.is_empty() || record.record().content.len() < num_before);
            let twice = (record.head().to_vec(), record.body().to_vec());
            record.thin_out();
            assert_eq!((record.head(), record.body()), (&twice.0[..], &twice.1[..]), "thinned twice");
        }
    }

    #[test]
    fn a_record_without_weights_stays_whole() {
        let profile = Profile::default();
        let german = article(
            "Der Regen hat am Montag die Straßen nach Lima unterbrochen, und die Menschen mussten mit Booten von den \
             Dächern geholt werden, wie ein Sprecher der Provinz am Abend mitteilte.",
        );
        let document = Document::new(&german.text, 1000);
        let mut record = RecordBuf::new(&german, &document, &shingle_hashes(&document.tokens, 5), &profile);
        let before = (record.head().to_vec(), record.body().to_vec());
        record.thin_out();
        assert_eq!((record.head(), record.body()), (&before.0[..], &before.1[..]));
    }

    #[test]
    fn a_thin_record_keeps_a_time_before_1970() {
        let profile = Profile::default();
        let early = Article { published: Some(crate::Timestamp(-77)), ..article(STORY) };
        let document = Document::new(&early.text, 1000);
        let mut record = RecordBuf::new(&early, &document, &shingle_hashes(&document.tokens, 5), &profile);
        record.thin_out();
        assert_eq!(record.record().terms.published(), Some(crate::Timestamp(-77)));
    }
}
