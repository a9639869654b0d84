//! What an index holds that tells what an article tells. Nothing is written.

use super::Index;
use crate::article::Article;
use crate::engine::analyze::Analyzed;
use crate::engine::keys::KeyingScratch;
use crate::error::Result;
use crate::lsh::key_of;
use crate::sketch::Record;
use crate::verify::{Relation, Scratch, Verdict};
use rayon::prelude::*;
use std::sync::Arc;

/// An article of the index that has something to do with the one that was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its id.
    pub id: String,
    /// What the article asked about is to it.
    pub relation: Relation,
    /// Probability of one telling, in parts of 10,000.
    pub probability_e4: u16,
    /// The story it is in.
    pub story: u32,
}

impl Index {
    /// The live articles that tell the story of this one (matches first, by probability, then by id), and look-alikes.
    ///
    /// Cost: a search for each of some 185 keys, and a verdict on each article met.
    ///
    /// # Errors
    /// [`crate::Error::IndexDamaged`] when something that is needed is not as it was written.
    pub fn query(&self, article: &Article) -> Result<Vec<Hit>> {
        let mut analyzed = Analyzed::default();
        self.engine.analyzer(self.keying.needs_signatures()).analyze(article, &mut analyzed);
        let record = analyzed.record.record();
        let mut hits: Vec<(bool, i32, Hit)> = Vec::new();
        let hit = |ordinal: u32, verdict: (Relation, u16)| Hit {
            id: self.articles.get(ordinal).id().to_string(),
            relation: verdict.0,
            probability_e4: verdict.1,
            story: self.state.stories[ordinal as usize],
        };
        let mut copies = Vec::new();
        if let Some(key) = analyzed.exact_key {
            copies = self.with_exact_text(key)?;
            copies.retain(|ordinal| self.is_current(*ordinal));
            hits.extend(copies.iter().map(|copy| (true, i32::MAX, hit(*copy, (Relation::Exact, 10_000)))));
        }
        let mut scratch = Scratch::default();
        let mut met = self.candidates(&analyzed)?;
        met.retain(|ordinal| copies.binary_search(ordinal).is_err());
        self.articles.will_look_at(&met)?;
        for ordinal in met {
            self.articles.look_at(ordinal)?;
            let (verdict, relation) = self.judge_guest(article.id.as_str(), &record, ordinal, &mut scratch);
            if relation.is_match() || relation.is_link() {
                hits.push((relation.is_match(), verdict.margin, hit(ordinal, (relation, verdict.probability_e4))));
            }
        }
        hits.sort_unstable_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then_with(|| a.2.id.cmp(&b.2.id)));
        Ok(hits.into_iter().map(|(_, _, hit)| hit).collect())
    }

    /// What [`Index::query`] says of each of several articles, in parallel.
    ///
    /// # Errors
    /// Those of [`Index::query`].
    pub fn query_all(&self, articles: &[Article]) -> Result<Vec<Vec<Hit>>> {
        let pool = Arc::clone(&self.pool);
        pool.install(|| articles.par_iter().map(|article| self.query(article)).collect())
    }

    /// The verdict on a record that is not in the index and one that is, and what the first is to the second.
    fn judge_guest(&self, id: &str, record: &Record<'_>, other: u32, scratch: &mut Scratch) -> (Verdict, Relation) {
        let there = self.articles.record(other);
        if id <= self.articles.get(other).id() {
            let verdict = self.engine.judge_records(record, &there, scratch);
            let relation = verdict.of_first();
            (verdict, relation)
        } else {
            let verdict = self.engine.judge_records(&there, record, scratch);
            let relation = verdict.of_second();
            (verdict, relation)
        }
    }

    /// Articles that meet one that is not in the index under any of its keys.
    fn candidates(&self, guest: &Analyzed) -> Result<Vec<u32>> {
        let record = guest.record.record();
        let mut keys = Vec::new();
        let mut scratch = KeyingScratch::default();
        self.keying.each_key(&record, &guest.signature, &mut scratch, |_, hash| keys.push(key_of(hash)));
        keys.sort_unstable();
        keys.dedup();
        let mut met = Vec::new();
        let mut found = Vec::new();
        for key in keys {
            found.clear();
            self.runs.find(key, &mut found)?;
            found.dedup();
            found.retain(|ordinal| self.state.takes_part(*ordinal));
            let num_all = found.len();
            found.retain(|ordinal| self.is_current(*ordinal));
            if found.len() < self.keying.bucket_cap() {
                met.extend_from_slice(&found);
                continue;
            }
            // Where articles have expired and what follows is not derived yet, a crowd holds more of them.
            let are_all = found.len() == num_all;
            let crowd = match self.crowds.find(key).filter(|_| are_all) {
                Some(crowd) => crowd,
                None => self.crowd_of(key, &mut found, are_all)?,
            };
            // The guest stands behind all others.
            let refine = |origin, depth| self.keying.refine_of(&record, origin, key, depth);
            crowd.meet_guest(self.bucket(key), refine, |other| met.push(other));
        }
        met.sort_unstable();
        met.dedup();
        Ok(met)
    }
}
