//! Reading a feed: blocks to articles, with what could not be read counted and named.

use crate::args::{OnError, Reading};
use crate::fields::FieldLog;
use crate::message::{self, counted};
use anyhow::anyhow;
use samestory::input::{Aside, Block, Blocks, FieldNames, Notice, Parsed, Reject};
use samestory::output::Output;
use samestory::report::MAX_REJECTS;
use samestory::{Article, Error};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Rejected records named one by one on stderr; the rest are counted.
pub(crate) const NUM_NAMED: usize = 10;

/// A line of the rejects file.
pub(crate) fn reject_line(reject: &Reject) -> String {
    let line = serde_json::json!({
        "place": reject.place(),
        "offset": reject.offset,
        "reason": reject.reason,
        "record": reject.record,
    });
    format!("{line}\n")
}

/// What is said of a record that could not be read.
pub(crate) fn say_rejected(reject: &Reject) {
    message::warning(&format!("{}, skipped", said_of(reject)));
}

/// Where a record stands, and what is wrong with it.
pub(crate) fn said_of(reject: &Reject) -> String {
    format!("{}: {} (byte {})", reject.place(), reject.reason, reject.offset)
}

/// Parses blocks on any thread and gathers what was amiss.
pub(crate) struct Intake<'a> {
    reading: &'a Reading,
    fields: FieldNames,
    rejected: Mutex<Rejected>,
    notices: Mutex<Vec<Notice>>,
    met: Mutex<FieldLog>,
    num_articles: Arc<AtomicU64>,
    num_repaired: AtomicU64,
    num_bad_times: AtomicU64,
}

/// What could not be read, in the order of the input: written as it comes, so that a feed of nothing else fills no memory.
struct Rejected {
    /// Where all go, where that is asked for.
    output: Option<Output>,
    /// Those of blocks that came before their turn.
    waiting: BTreeMap<u64, Vec<Reject>>,
    /// The number of the block whose turn it is.
    turn: u64,
    /// The first few.
    first: Vec<Reject>,
    number: u64,
}

impl Rejected {
    fn add(&mut self, block: u64, rejects: Vec<Reject>) -> samestory::Result<()> {
        self.waiting.insert(block, rejects);
        while let Some(rejects) = self.waiting.remove(&self.turn) {
            self.turn += 1;
            self.put(rejects)?;
        }
        Ok(())
    }

    fn put(&mut self, mut rejects: Vec<Reject>) -> samestory::Result<()> {
        rejects.sort();
        for reject in rejects {
            if let Some(output) = &mut self.output {
                output.write(reject_line(&reject).as_bytes())?;
            }
            self.number += 1;
            if self.first.len() < MAX_REJECTS {
                self.first.push(reject);
            }
        }
        Ok(())
    }

    /// All that still wait, and the file gets its name.
    fn finish(&mut self) -> samestory::Result<()> {
        for (_, rejects) in std::mem::take(&mut self.waiting) {
            self.put(rejects)?;
        }
        self.output.take().map_or(Ok(()), |output| output.finish()?.publish())
    }
}

impl<'a> Intake<'a> {
    pub(crate) fn new(reading: &'a Reading) -> samestory::Result<Self> {
        let output = reading.rejects.as_deref().map(Output::create).transpose()?;
        let rejected = Rejected { output, waiting: BTreeMap::new(), turn: 1, first: Vec::new(), number: 0 };
        Ok(Self {
            reading,
            fields: reading.field_names(),
            rejected: Mutex::new(rejected),
            notices: Mutex::default(),
            met: Mutex::default(),
            num_articles: Arc::default(),
            num_repaired: AtomicU64::new(0),
            num_bad_times: AtomicU64::new(0),
        })
    }

    /// Parses a block, keeping its rejects; with `--on-error fail` they are an error, see [`Intake::failure`].
    pub(crate) fn parse(&self, block: Block) -> samestory::Result<Parsed> {
        let seq = block.seq;
        let mut parsed = block.parse(&self.fields);
        self.met.lock().expect("no parser panics").add(seq, &parsed);
        self.num_articles.fetch_add(parsed.articles.len() as u64, Ordering::Relaxed);
        self.num_repaired.fetch_add(parsed.num_repaired, Ordering::Relaxed);
        self.num_bad_times.fetch_add(parsed.num_bad_times, Ordering::Relaxed);
        if !parsed.notices.is_empty() {
            let notices = parsed.notices.iter().map(Notice::without_article);
            self.notices.lock().expect("no parser panics").extend(notices);
        }
        let rejects = std::mem::take(&mut parsed.rejects);
        let mut rejected = self.rejected.lock().expect("no parser panics");
        match rejects.first() {
            Some(reject) if self.reading.on_error == OnError::Fail => {
                let error = Error::BadRecord { place: reject.place(), reason: reject.reason.clone() };
                // The first of all is the run's error, and known only when the blocks before are parsed.
                rejected.waiting.insert(seq, rejects);
                Err(error)
            }
            _ => rejected.add(seq, rejects).map(|()| parsed),
        }
    }

    /// Parses a block; an id or text under a name that no record of the first block has is an error, so that nothing is
    /// done that lasts.
    pub(crate) fn parse_for_good(&self, block: Block) -> samestory::Result<Vec<Article>> {
        let is_first = block.seq == 1;
        let articles = self.parse(block)?.articles;
        let is_misnamed = || self.met.lock().expect("no parser panics").check(self.reading).is_err();
        if is_first && is_misnamed() { Err(Error::Canceled) } else { Ok(articles) }
    }

    /// The error of a run that an error of [`Intake::parse`] may have ended: with `--on-error fail` the first record that
    /// could not be read, which goes to the rejects file; or an id or text under a name that no record has.
    pub(crate) fn failure(&self, error: Error) -> anyhow::Error {
        let mut rejected = self.rejected.lock().expect("no parser panics");
        let first = std::mem::take(&mut rejected.waiting).into_values().flatten().min();
        // Records are read ahead: another error comes before what is wrong with them.
        let may_be_of_record = matches!(error, Error::BadRecord { .. } | Error::Canceled);
        if let (OnError::Fail, true, Some(first)) = (self.reading.on_error, may_be_of_record, first) {
            let failed = anyhow!("{}", said_of(&first));
            let written = rejected.put(vec![first]).and_then(|()| rejected.finish());
            return written.map_or_else(Into::into, |()| failed);
        }
        match (error, self.met.lock().expect("no parser panics").check(self.reading)) {
            (Error::Canceled, Err(misnamed)) => misnamed.into(),
            (error, _) => error.into(),
        }
    }

    /// Articles so far, for whoever watches.
    pub(crate) fn num_articles(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.num_articles)
    }

    /// Where and why the first record so far could not be read, for the end of a message; empty when all could.
    pub(crate) fn first_reason(&self) -> String {
        let rejected = self.rejected.lock().expect("no parser panics");
        let first = rejected.first.first().or_else(|| rejected.waiting.values().flatten().min());
        first.map_or(String::new(), |reject| format!(": {}: {}", reject.place(), reject.reason))
    }

    /// The first records that could not be read, in the order of the input: as many as a report names.
    pub(crate) fn first_rejects(&self) -> Vec<Reject> {
        self.rejected.lock().expect("no parser panics").first.clone()
    }

    /// What was set aside so far, in the order of the input.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let mut notices = self.notices.lock().expect("no parser panics").clone();
        notices.sort_by_key(|notice| (notice.block, notice.record.start));
        notices
    }

    /// Reads all articles on this thread.
    pub(crate) fn read_all(&self, blocks: Blocks) -> anyhow::Result<Vec<Article>> {
        let mut articles = Vec::new();
        for block in blocks {
            articles.append(&mut self.parse(block?).map_err(|error| self.failure(error))?.articles);
        }
        Ok(articles)
    }

    /// Names what could not be read, writes the rejects file, and returns how many there were. An id or text under a name
    /// that no record has is an error.
    pub(crate) fn report(self, quiet: bool) -> anyhow::Result<u64> {
        let notices = self.notices();
        let mut rejected = self.rejected.into_inner().expect("no parser panics");
        rejected.finish()?;
        let met = self.met.into_inner().expect("no parser panics");
        met.check(self.reading)?;
        if !quiet {
            met.warn(self.reading, &self.fields);
            for reject in rejected.first.iter().take(NUM_NAMED) {
                say_rejected(reject);
            }
            if rejected.number > NUM_NAMED as u64 {
                let hint = if self.reading.rejects.is_some() { "" } else { "; --rejects FILE names them all" };
                let rest = counted(rejected.number - NUM_NAMED as u64, "record");
                message::warning(&format!("{rest} more skipped{hint}"));
            }
            for aside in Aside::ALL {
                let number = notices.iter().filter(|notice| notice.aside == aside).count() as u64;
                if number > 0 {
                    message::warning(&format!("{} set aside and not compared: {aside}", counted(number, "record")));
                }
            }
            warn_mended(self.num_repaired.into_inner(), self.num_bad_times.into_inner());
        }
        Ok(rejected.number)
    }
}

/// Says how many records were mended.
pub(crate) fn warn_mended(num_repaired: u64, num_bad_times: u64) {
    for (number, text) in [
        (num_repaired, "with damaged text mended"),
        (num_bad_times, "with a time that cannot be read, taken as undated"),
    ] {
        if number > 0 {
            message::warning(&format!("{} {text}", counted(number, "record")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_are_written_in_order_and_not_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.jsonl");
        let output = Some(Output::create(&path).unwrap());
        let mut rejected = Rejected { output, waiting: BTreeMap::new(), turn: 1, first: Vec::new(), number: 0 };
        let reject =
            |block: u64, line: u64| Reject { block, ..Reject::new("feed", 1000 * block + line, 0, "no JSON", b"x") };
        for block in [2, 4, 3, 1, 6] {
            rejected.add(block, (0..100).rev().map(|line| reject(block, line)).collect()).unwrap();
        }
        assert_eq!((rejected.waiting.len(), rejected.first.len()), (1, MAX_REJECTS));
        rejected.finish().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!((rejected.number, text.lines().count()), (500, 500));
        let lines = [1, 2, 3, 4, 6].into_iter().flat_map(|block| (0..100).map(move |line| (block, line)));
        let places: Vec<String> = lines.map(|(block, line)| format!("feed:{}", 1000 * block + line)).collect();
        let at = |place: &String| text.find(&format!("\"{place}\"")).expect("each is written");
        assert!(places.is_sorted_by_key(at));
    }
}
