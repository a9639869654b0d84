//! `samestory filter`

use crate::args::{self, OnError};
use crate::feed::{NUM_NAMED, reject_line, said_of, say_rejected, warn_mended};
use crate::fields::FieldLog;
use crate::index::say_recovered;
use crate::message::{self, Usage, count, counted};
use crate::outputs::Outputs;
use crate::tag::with_fields;
use anyhow::bail;
use samestory::engine::{Decision, decimals};
use samestory::hash::{HashMap, hash128};
use samestory::input::{Aside, Block, FieldNames, Format, Notice, Reject};
use samestory::output::is_stdout;
use samestory::{Article, Error, Index, Timestamp};
use std::fs::File;
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Lines that are judged, written and made to last at once, at most; and their bytes, about.
const PORTION_LEN: usize = 1000;
const PORTION_BYTES: usize = 4 << 20;
/// Pieces of input read ahead.
const PIECES_AHEAD: usize = 16;
/// Between two looks for a signal while nothing comes.
const LOOK: Duration = Duration::from_millis(50);
/// Share of the window by which old articles may outstay it on disk: a hundredth.
const EXPIRY_STEP: i64 = 100;

pub(crate) fn run(args: &args::Filter) -> anyhow::Result<ExitCode> {
    let outputs = Outputs::new(&[("--rejects", args.reading.rejects.as_deref())])?;
    outputs.refuse_inputs(None, [args.input.as_path()].into_iter().chain(args.running.files()))?;
    outputs.refuse_unwritable()?;
    if !matches!(args.reading.format, None | Some(Format::Jsonl | Format::Ninjs)) {
        let hint = "filter reads a JSON object a line: --format jsonl or ninjs; index add reads every format";
        return Err(Usage(hint.to_string()).into());
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let index = Index::open(&args.index, args.keeping.ask(args.near.engine(&args.running, &args.index)?))?;
    say_recovered(index.recovered(), args.running.quiet);
    let mut lines = Lines::read(&args.input, &args.reading, stop)?;
    let mut filter = Filter::new(args, index)?;
    while let Some(portion) = lines.next_portion() {
        filter.pass(portion)?;
    }
    filter.finish()
}

/// Whole lines that came together.
struct Portion {
    bytes: Vec<u8>,
    first_line: u64,
    offset: u64,
    /// Lines before these that were too long to be held.
    too_long: Vec<(u64, u64)>,
    /// Why no more of the input can be read, where it ends so.
    broken: Option<String>,
}

/// Input as it comes, read by a thread of its own, so that what has come is passed on when no more does.
struct Lines {
    /// Bytes, none at the end; or why no more can be read.
    pieces: Receiver<Result<Vec<u8>, String>>,
    /// Nothing more is to be read; what has come is passed on, but for a line that has not come whole.
    stop: Arc<AtomicBool>,
    /// Whether all of it is there: then portions are as large as they may be, and the same in every run.
    is_file: bool,
    broken: Option<String>,
    /// What has come and is not passed on.
    held: Vec<u8>,
    line: u64,
    offset: u64,
    is_at_end: bool,
    /// The end came by `stop`.
    is_stopped: bool,
    /// Within a line that is too long: its number and where it began.
    passing_over: Option<(u64, u64)>,
    too_long: Vec<(u64, u64)>,
    /// Bytes of the longest line that is held.
    max_len: usize,
}

impl Lines {
    fn read(path: &Path, reading: &args::Reading, stop: Arc<AtomicBool>) -> anyhow::Result<Self> {
        let (sender, pieces) = sync_channel(PIECES_AHEAD);
        let (path, max_ratio) = (path.to_path_buf(), reading.max_ratio);
        let asked = Arc::clone(&stop);
        let is_stdin = path.as_os_str() == "-";
        let found = std::fs::metadata(if is_stdin { Path::new("/dev/stdin") } else { &path });
        let is_file = found.as_ref().is_ok_and(std::fs::Metadata::is_file);
        if !is_stdin {
            // A pipe must not be opened twice.
            let opened = if is_file { std::fs::File::open(&path).map(|_| ()) } else { found.map(|_| ()) };
            opened.map_err(|error| samestory::Error::io(&path, "open", error))?;
        }
        std::thread::spawn(move || read_pieces(&path, max_ratio, &sender, &asked));
        Ok(Self::of(pieces, stop, is_file, reading.max_record))
    }

    /// The lines of pieces that come from elsewhere.
    fn of(pieces: Receiver<Result<Vec<u8>, String>>, stop: Arc<AtomicBool>, is_file: bool, max_len: usize) -> Self {
        Self {
            pieces,
            stop,
            is_file,
            broken: None,
            held: Vec::new(),
            line: 1,
            offset: 0,
            is_at_end: false,
            is_stopped: false,
            passing_over: None,
            too_long: Vec::new(),
            max_len,
        }
    }

    /// The whole lines that have come; waits where there are none. `None` at the end, or when told to stop and all that
    /// has come is passed on.
    fn next_portion(&mut self) -> Option<Portion> {
        loop {
            let is_full = self.held.len() >= PORTION_BYTES;
            let has_line = memchr::memrchr(b'\n', &self.held).is_some();
            let piece = if self.is_at_end || (is_full && has_line) {
                None
            } else if has_line && !self.is_file {
                // More only if it is there already.
                self.pieces.try_recv().ok()
            } else {
                match self.pieces.recv_timeout(LOOK) {
                    Ok(piece) => Some(piece),
                    Err(RecvTimeoutError::Timeout) if !self.stop.load(Ordering::Relaxed) => continue,
                    Err(_) => {
                        (self.is_at_end, self.is_stopped) = (true, true);
                        None
                    }
                }
            };
            match piece {
                Some(Ok(piece)) if piece.is_empty() => self.is_at_end = true,
                Some(Ok(piece)) => self.take(&piece),
                Some(Err(reason)) => {
                    self.broken = Some(reason);
                    self.is_at_end = true;
                }
                None if self.is_stopped && !has_line && self.too_long.is_empty() => return None,
                None if self.held.is_empty() && self.too_long.is_empty() && self.broken.is_none() => return None,
                None => return Some(self.cut()),
            }
        }
    }

    fn take(&mut self, mut piece: &[u8]) {
        if let Some((line, start)) = self.passing_over {
            let Some(end) = memchr::memchr(b'\n', piece) else {
                self.offset += piece.len() as u64;
                return;
            };
            self.offset += end as u64 + 1;
            self.line += 1;
            piece = &piece[end + 1..];
            self.too_long.push((line, start));
            self.passing_over = None;
        }
        self.held.extend_from_slice(piece);
        let last = memchr::memrchr(b'\n', &self.held).map_or(0, |at| at + 1);
        if last == 0 && self.held.len() > self.max_len {
            self.passing_over = Some((self.line, self.offset));
            self.offset += self.held.len() as u64;
            self.held.clear();
        }
    }

    /// The first lines of what is held; at the end of the input the rest too.
    fn cut(&mut self) -> Portion {
        let mut num_lines = 0;
        let mut len = 0;
        for end in memchr::memchr_iter(b'\n', &self.held).take(PORTION_LEN) {
            if num_lines > 0 && end >= PORTION_BYTES {
                break;
            }
            num_lines += 1;
            len = end + 1;
        }
        let is_last = self.is_at_end && !self.is_stopped && memchr::memchr(b'\n', &self.held[len..]).is_none();
        if is_last && num_lines < PORTION_LEN {
            len = self.held.len();
        }
        let rest = self.held.split_off(len);
        let portion = Portion {
            bytes: std::mem::replace(&mut self.held, rest),
            first_line: self.line,
            offset: self.offset,
            too_long: std::mem::take(&mut self.too_long),
            broken: if self.held.is_empty() { self.broken.take() } else { None },
        };
        self.line += num_lines as u64;
        self.offset += len as u64;
        portion
    }
}

fn read_pieces(path: &Path, max_ratio: u64, sender: &SyncSender<Result<Vec<u8>, String>>, stop: &AtomicBool) {
    let mut reader = match samestory::input::open_within(path, max_ratio) {
        Ok(reader) => reader,
        Err(error) => {
            let reason = error.to_string();
            let place = format!("{}: ", path.display());
            let _ = sender.send(Err(reason.strip_prefix(&place).unwrap_or(&reason).to_string()));
            return;
        }
    };
    while !stop.load(Ordering::Relaxed) {
        let piece = match reader.fill_buf() {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => Err(format!("cannot read: {error}")),
        };
        let len = piece.as_ref().map_or(0, Vec::len);
        // A receiver that is gone, an error, or nothing is the end.
        if sender.send(piece).is_err() || len == 0 {
            return;
        }
        reader.consume(len);
    }
}

/// Counts of a run.
#[derive(Default)]
struct Counts {
    new: u64,
    added_to: u64,
    repeats: u64,
    too_old: u64,
    set_aside: u64,
    unread: u64,
    repaired: u64,
    bad_times: u64,
}

struct Filter<'a> {
    args: &'a args::Filter,
    fields: FieldNames,
    index: Index,
    /// What cannot be read goes to its end at once, so that it is there whatever becomes of the run.
    rejects: Option<File>,
    met: FieldLog,
    counts: Counts,
    file: String,
    format: Format,
    seq: u64,
    cutoff: i64,
}

impl<'a> Filter<'a> {
    fn new(args: &'a args::Filter, index: Index) -> anyhow::Result<Self> {
        let rejects = args.reading.rejects.as_deref().map(open_rejects).transpose()?;
        let fields = args.reading.field_names();
        let file = args.input.display().to_string();
        let format = args.reading.format.unwrap_or(Format::Jsonl);
        let (met, counts) = Default::default();
        Ok(Self { args, fields, index, rejects, met, counts, file, format, seq: 0, cutoff: i64::MIN })
    }

    /// Judges lines, writes those that pass, then makes their articles last.
    fn pass(&mut self, portion: Portion) -> anyhow::Result<()> {
        let Portion { bytes, first_line, offset, too_long, broken } = portion;
        let (num_lines, len) = (memchr::memchr_iter(b'\n', &bytes).count() as u64, bytes.len() as u64);
        self.seq += 1;
        let place = (self.seq, self.file.as_str());
        let options = self.args.reading.options();
        let block = Block::of_lines(place, bytes, (first_line, offset), self.format, options);
        let mut parsed = block.parse(&self.fields);
        self.met.add(self.seq, &parsed);
        if self.seq == 1 {
            // Under a name that no record has all would pass, and be remembered without a text.
            self.met.check(&self.args.reading)?;
        }
        self.counts.repaired += parsed.num_repaired;
        self.counts.bad_times += parsed.num_bad_times;
        for (line, start) in too_long {
            parsed.rejects.push(Reject {
                block: self.seq,
                line,
                file: self.file.clone(),
                offset: start,
                reason: format!("longer than {} bytes", self.args.reading.max_record),
                record: String::new(),
            });
        }
        if let Some(reason) = broken {
            let mut reject = Reject::new(&self.file, first_line + num_lines, offset + len, reason, b"");
            reject.block = self.seq;
            parsed.rejects.push(reject);
        }
        self.reject(&parsed.rejects)?;
        for article in &mut parsed.articles {
            // A line's number is another's in the next run: an article without an id is known by what it says.
            if article.id.as_str() == &*article.origin.place {
                let said = format!("{}\n{}", article.title.as_deref().unwrap_or(""), article.text);
                article.id = format!("text:{:032x}", hash128(said.as_bytes())).into();
            }
        }
        let mut notices = parsed.notices.iter().peekable();
        let mut articles = std::mem::take(&mut parsed.articles);
        let mut records = parsed.records.as_slice();
        loop {
            // A version is held against the one before, which therefore has to be in.
            let rest = articles.split_off(num_first_versions(&articles));
            let (these, others) = records.split_at(articles.len().min(records.len()));
            let mut offer = self.index.offer(articles)?;
            let decisions = self.index.decide(&mut offer, self.args.window)?;
            let mut out = Vec::new();
            for (decision, range) in decisions.iter().zip(these) {
                while let Some(notice) = notices.next_if(|notice| notice.record.start < range.start) {
                    self.pass_notice(notice, &parsed.bytes, &mut out)?;
                }
                let line = &parsed.bytes[range.clone()];
                self.counts.add(decision);
                let adds = decision.relation.is_some() && !decision.is_repeat;
                if self.args.tag || adds {
                    out.extend_from_slice(&with_fields(line, &fields_of(decision)));
                } else if !decision.is_repeat {
                    out.extend_from_slice(line);
                    if !line.ends_with(b"\n") {
                        out.push(b'\n');
                    }
                }
            }
            if rest.is_empty() {
                for notice in notices.by_ref() {
                    self.pass_notice(notice, &parsed.bytes, &mut out)?;
                }
            }
            let mut stdout = std::io::stdout().lock();
            stdout
                .write_all(&out)
                .and_then(|()| stdout.flush())
                .map_err(|error| samestory::Error::io("-", "write", error))?;
            self.index.commit(offer)?;
            if rest.is_empty() {
                return self.expire();
            }
            (articles, records) = (rest, others);
        }
    }

    /// Passes on what is no story to be compared. A kill says which story it withdraws, and who tells it.
    fn pass_notice(&mut self, notice: &Notice, bytes: &[u8], out: &mut Vec<u8>) -> anyhow::Result<()> {
        self.counts.set_aside += 1;
        let mut fields = format!("\"notice\":\"{}\"", notice.aside.name());
        if notice.aside == Aside::Canceled {
            let (story, copies) = self.index.story_of(notice.id.as_str())?.unzip();
            let copies = serde_json::Value::from(copies.unwrap_or_default());
            fields.push_str(&format!(",\"story\":{},\"copies\":{copies}", serde_json::Value::from(story)));
        }
        out.extend(with_fields(&bytes[notice.record.clone()], &fields));
        Ok(())
    }

    fn expire(&mut self) -> anyhow::Result<()> {
        let Some(window) = self.args.window else { return Ok(()) };
        let newest = self.index.newest();
        if newest == i64::MIN {
            return Ok(());
        }
        let cutoff = newest.saturating_sub(window);
        if cutoff > self.cutoff.saturating_add(window / EXPIRY_STEP) {
            self.index.expire(Timestamp(cutoff))?;
            self.cutoff = cutoff;
        }
        Ok(())
    }

    fn reject(&mut self, rejects: &[Reject]) -> anyhow::Result<()> {
        for reject in rejects {
            self.counts.unread += 1;
            if let (Some(file), Some(path)) = (&mut self.rejects, &self.args.reading.rejects) {
                file.write_all(reject_line(reject).as_bytes()).map_err(|error| Error::io(path, "write", error))?;
            }
            if self.args.reading.on_error == OnError::Fail {
                bail!("{}", said_of(reject));
            }
            if !self.args.running.quiet && self.counts.unread <= NUM_NAMED as u64 {
                say_rejected(reject);
            }
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<ExitCode> {
        if !self.args.running.quiet {
            self.met.warn(&self.args.reading, &self.fields);
            let Counts { new, added_to, repeats, too_old, set_aside, unread, repaired, bad_times } = self.counts;
            warn_mended(repaired, bad_times);
            let what = if self.args.tag { "tagged" } else { "dropped" };
            message::line(&format!("{} new, {} {what}", counted(new, "article"), counted(repeats, "repeat")));
            for (number, text) in [
                (added_to, "that add something to what came before, passed"),
                (too_old, "from before the window, passed unjudged"),
                (set_aside, "set aside and passed: kills, what is withheld, captions, notes"),
                (unread, "that could not be read, skipped"),
            ] {
                if number > 0 {
                    message::line(&format!("  {} {text}", count(number)));
                }
            }
        }
        // The system takes the memory back faster.
        std::mem::forget(self.index);
        Ok(ExitCode::SUCCESS)
    }
}

impl Counts {
    fn add(&mut self, decision: &Decision) {
        let count = match decision {
            Decision { is_too_old: true, .. } => &mut self.too_old,
            Decision { is_repeat: true, .. } => &mut self.repeats,
            Decision { relation: Some(_), .. } => &mut self.added_to,
            _ => &mut self.new,
        };
        *count += 1;
    }
}

/// The file of what cannot be read, to be written at its end: a filter that is started again goes on with it.
fn open_rejects(path: &Path) -> anyhow::Result<File> {
    let path = if is_stdout(path) { Path::new("/dev/stdout") } else { path };
    let opened = File::options().append(true).create(true).open(path);
    Ok(opened.map_err(|error| Error::io(path, "open", error))?)
}

/// How many articles come before the first that has the id of one before it and says something else.
fn num_first_versions(articles: &[Article]) -> usize {
    let mut firsts: HashMap<&str, &Article> = HashMap::default();
    for (number, article) in articles.iter().enumerate() {
        let first = firsts.entry(article.id.as_str()).or_insert(article);
        if first.text != article.text || first.title != article.title {
            return number;
        }
    }
    articles.len()
}

/// What is said of an article, as the fields of a JSON object.
fn fields_of(decision: &Decision) -> String {
    let id = |of: Option<&String>| serde_json::Value::from(of.map(String::as_str));
    let e4 = |parts: u16| decimals(parts.into());
    let repeated = decision.of.as_ref().filter(|_| decision.is_repeat);
    let relation = serde_json::Value::from(decision.relation.map(|relation| relation.name()));
    let score = decision.relation.map_or("null".to_string(), |_| e4(decision.probability_e4));
    let story = Some(decision.story).filter(|story| *story != 0);
    let mut fields = format!(
        "\"duplicate_of\":{},\"story\":{},\"relation\":{relation},\"score\":{score},\"novel\":{}",
        id(repeated),
        serde_json::Value::from(story),
        e4(decision.novel_e4),
    );
    if !decision.is_repeat && decision.of.is_some() {
        fields.push_str(&format!(",\"updates\":{}", id(decision.of.as_ref())));
    }
    if decision.is_correction {
        fields.push_str(",\"correction\":true");
    }
    if decision.is_too_old {
        fields.push_str(",\"before_window\":true");
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of pieces that have come, after which the reader is gone.
    fn lines_of(pieces: &[&str], is_stopped: bool) -> Vec<String> {
        let (sender, receiver) = sync_channel(pieces.len());
        pieces.iter().for_each(|piece| sender.send(Ok(piece.as_bytes().to_vec())).expect("there is room"));
        drop(sender);
        let mut lines = Lines::of(receiver, Arc::new(AtomicBool::new(is_stopped)), false, 100);
        let mut found = Vec::new();
        while let Some(portion) = lines.next_portion() {
            let text = String::from_utf8(portion.bytes).expect("whole lines are text");
            found.extend(text.lines().map(str::to_string));
        }
        found
    }

    #[test]
    fn what_has_come_whole_is_passed_on_when_a_signal_has_come() {
        assert_eq!(lines_of(&["a\nb", "\nc\nhal"], true), ["a", "b", "c"]);
        // The end of the input ends the last line.
        assert_eq!(lines_of(&["a\nb", "\nc\nhal", ""], true), ["a", "b", "c", "hal"]);
        assert_eq!(lines_of(&["a\nb", "\nc\nhal", ""], false), ["a", "b", "c", "hal"]);
        assert!(lines_of(&["hal"], true).is_empty());
    }
}
