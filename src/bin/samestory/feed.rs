//! Reading a feed: blocks to articles, with what could not be read counted and named.

use crate::args::{OnError, Reading};
use crate::fields::FieldLog;
use crate::message::{self, counted};
use anyhow::bail;
use samestory::Article;
use samestory::input::{Aside, Block, Blocks, FieldNames, Notice, Parsed, Reject};
use samestory::output::Output;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Rejected records named one by one on stderr; the rest are counted.
const NUM_NAMED: usize = 10;

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
pub(crate) struct Intake {
    fields: FieldNames,
    rejects: Mutex<Vec<Reject>>,
    notices: Mutex<Vec<Notice>>,
    met: Mutex<FieldLog>,
    num_articles: Arc<AtomicU64>,
    num_repaired: AtomicU64,
    num_bad_times: AtomicU64,
}

impl Intake {
    pub(crate) fn new(reading: &Reading) -> Self {
        Self {
            fields: reading.field_names(),
            rejects: Mutex::default(),
            notices: Mutex::default(),
            met: Mutex::default(),
            num_articles: Arc::default(),
            num_repaired: AtomicU64::new(0),
            num_bad_times: AtomicU64::new(0),
        }
    }

    /// Parses a block, keeping its rejects.
    pub(crate) fn parse(&self, block: Block) -> Parsed {
        let seq = block.seq;
        let mut parsed = block.parse(&self.fields);
        self.met.lock().expect("no parser panics").add(seq, &parsed);
        self.num_articles.fetch_add(parsed.articles.len() as u64, Ordering::Relaxed);
        self.num_repaired.fetch_add(parsed.num_repaired, Ordering::Relaxed);
        self.num_bad_times.fetch_add(parsed.num_bad_times, Ordering::Relaxed);
        if !parsed.rejects.is_empty() {
            self.rejects.lock().expect("no parser panics").append(&mut parsed.rejects);
        }
        if !parsed.notices.is_empty() {
            let notices = parsed.notices.iter().map(Notice::without_article);
            self.notices.lock().expect("no parser panics").extend(notices);
        }
        parsed
    }

    /// Articles so far, for whoever watches.
    pub(crate) fn num_articles(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.num_articles)
    }

    /// Where and why the first record so far could not be read, for the end of a message; empty when all could.
    pub(crate) fn first_reason(&self) -> String {
        let rejects = self.rejects.lock().expect("no parser panics");
        rejects.iter().min().map_or(String::new(), |reject| format!(": {}: {}", reject.place(), reject.reason))
    }

    /// What could not be read so far, in the order of the input.
    pub(crate) fn rejects(&self) -> Vec<Reject> {
        let mut rejects = self.rejects.lock().expect("no parser panics").clone();
        rejects.sort();
        rejects
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
            articles.append(&mut self.parse(block?).articles);
        }
        Ok(articles)
    }

    /// Names what could not be read, writes the rejects file, and returns how many there were.
    ///
    /// With `--on-error fail` the first is the run's error; so is an id or text under a name that no record has.
    pub(crate) fn report(self, reading: &Reading, quiet: bool) -> anyhow::Result<u64> {
        let notices = self.notices();
        let mut rejects = self.rejects.into_inner().expect("no parser panics");
        rejects.sort();
        if let Some(path) = &reading.rejects {
            let mut output = Output::create(path)?;
            for reject in &rejects {
                output.write(reject_line(reject).as_bytes())?;
            }
            output.finish()?.publish()?;
        }
        if let (OnError::Fail, Some(first)) = (reading.on_error, rejects.first()) {
            bail!("{}", said_of(first));
        }
        let met = self.met.into_inner().expect("no parser panics");
        met.check(reading)?;
        if !quiet {
            met.warn(reading, &self.fields);
            for reject in rejects.iter().take(NUM_NAMED) {
                say_rejected(reject);
            }
            if rejects.len() > NUM_NAMED {
                let rest = (rejects.len() - NUM_NAMED) as u64;
                let hint = if reading.rejects.is_some() { "" } else { "; --rejects FILE names them all" };
                message::warning(&format!("{} more skipped{hint}", counted(rest, "record")));
            }
            for aside in Aside::ALL {
                let number = notices.iter().filter(|notice| notice.aside == aside).count() as u64;
                if number > 0 {
                    message::warning(&format!("{} set aside and not compared: {aside}", counted(number, "record")));
                }
            }
            for (number, text) in [
                (self.num_repaired.into_inner(), "with damaged text mended"),
                (self.num_bad_times.into_inner(), "with a time that cannot be read, taken as undated"),
            ] {
                if number > 0 {
                    message::warning(&format!("{} {text}", counted(number, "record")));
                }
            }
        }
        Ok(rejects.len() as u64)
    }
}
