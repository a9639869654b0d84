//! What a run is at, on stderr: a bar on a terminal, else a line every few seconds.

use crate::feed::Intake;
use crate::message::{self, count, counted};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use samestory::engine::Progress;
use samestory::input::{Blocks, BytesRead};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two looks on a terminal; a run that is over before the third shows nothing.
const LOOK: Duration = Duration::from_millis(150);
const QUICK: u32 = 2;
/// Between two lines where there is no terminal.
const LINE: Duration = Duration::from_secs(5);
/// Cells of a terminal from which there is room for a bar.
const WIDE: usize = 80;
/// Seconds of a stage from which a rate means something.
const SETTLED: f64 = 0.5;
/// Share of a stage from which the time left is worth saying.
const FORESEEABLE: f64 = 0.01;

/// Watches a run from a thread of its own until it is dropped.
pub(crate) struct Watch {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Watch {
    /// Begins to watch a run that reads `blocks`, unless nothing is to be said.
    pub(crate) fn start(quiet: bool, blocks: &Blocks, intake: &Intake<'_>, engine: Option<Arc<Progress>>) -> Self {
        if quiet {
            return Self { running: None };
        }
        let run =
            Run { read: blocks.bytes_read(), total: blocks.total_bytes(), articles: intake.num_articles(), engine };
        let (stop, stopped) = channel();
        let is_terminal = std::io::stderr().is_terminal();
        let is_typed = blocks.files().any(|file| file.as_os_str() == "-") && std::io::stdin().is_terminal();
        let end = if is_typed { ": type or paste lines, end with Ctrl-D" } else { "" };
        let thread = std::thread::spawn(move || {
            let bar = if is_terminal {
                ProgressBar::new(0)
            } else {
                ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
            };
            let (mut stage, mut num_looks) = ((run.stage(), Instant::now()), 0);
            while stopped.recv_timeout(if is_terminal { LOOK } else { LINE }) == Err(RecvTimeoutError::Timeout) {
                let at = run.stage();
                if at.name != stage.0.name {
                    stage = (at, Instant::now());
                }
                let text = if at.is_waiting() { format!("waiting for input{end}") } else { at.text(stage.1.elapsed()) };
                num_looks += 1;
                if !is_terminal {
                    message::line(&text);
                } else if num_looks > QUICK {
                    bar.set_style(style(at.total.is_some(), message::stderr_width().unwrap_or(0)));
                    bar.set_message(text);
                    bar.set_length(at.total.unwrap_or(at.done));
                    bar.set_position(at.done);
                    bar.tick();
                }
            }
            bar.finish_and_clear();
        });
        Self { running: Some((stop, thread)) }
    }

    /// Ends watching: what follows may write to stderr.
    pub(crate) fn finish(self) {
        drop(self);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            // A watcher that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

/// A bar where there is an end to be seen and room for it beside the words.
fn style(has_end: bool, width: usize) -> ProgressStyle {
    let template = if has_end && width >= WIDE { "{spinner} {bar:24} {wide_msg}" } else { "{spinner} {wide_msg}" };
    ProgressStyle::with_template(template).expect("a valid template")
}

/// The counters of a run.
struct Run {
    read: Arc<BytesRead>,
    total: Option<u64>,
    articles: Arc<AtomicU64>,
    engine: Option<Arc<Progress>>,
}

/// Where a run is.
#[derive(Clone, Copy, Debug)]
struct Stage {
    name: &'static str,
    /// What is counted, as a noun in the singular, and how much of it is done.
    noun: &'static str,
    number: u64,
    /// How much of the whole stage is done, of how much where that is known.
    done: u64,
    total: Option<u64>,
}

impl Run {
    fn stage(&self) -> Stage {
        let number = self.articles.load(Ordering::Relaxed);
        let pairs = self.engine.as_ref().map(|engine| (engine.num_verified(), engine.num_candidates()));
        match pairs {
            Some((done, Some(total))) if done < total => {
                Stage { name: "comparing", noun: "pair", number: done, done, total: Some(total) }
            }
            Some((done, Some(_))) => Stage { name: "clustering", noun: "pair", number: done, done, total: None },
            Some((_, None)) if self.read.is_at_end() => {
                Stage { name: "looking for candidates", noun: "article", number, done: number, total: None }
            }
            _ => Stage { name: "reading", noun: "article", number, done: self.read.num_bytes(), total: self.total },
        }
    }
}

impl Stage {
    /// Whether nothing has come yet from where nobody knows what will.
    fn is_waiting(&self) -> bool {
        self.name == "reading" && self.total.is_none() && self.done == 0
    }

    /// One line, after some time in this stage.
    fn text(&self, elapsed: Duration) -> String {
        let seconds = elapsed.as_secs_f64();
        let is_begun = seconds >= SETTLED;
        let mut text = format!("{}: {}", self.name, counted(self.number, self.noun));
        // What has no end that is known is not under way either, but for reading from a pipe.
        if is_begun && (self.total.is_some() || self.name == "reading") {
            text.push_str(&format!(", {}/s", count((self.number as f64 / seconds) as u64)));
        }
        if let Some(total) = self.total.filter(|total| *total > 0) {
            let share = (self.done as f64 / total as f64).min(1.0);
            text.push_str(&format!(", {:.0} %", 100.0 * share));
            if is_begun && share >= FORESEEABLE {
                text.push_str(&format!(", {} left", duration(seconds * (1.0 - share) / share)));
            }
        }
        text
    }
}

/// Seconds as people say them.
fn duration(seconds: f64) -> String {
    let whole = seconds.ceil() as u64;
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_says_rate_and_time_left() {
        let reading = Stage { name: "reading", noun: "article", number: 20_000, done: 1 << 20, total: Some(4 << 20) };
        let at = |stage: &Stage| stage.text(Duration::from_secs(10));
        assert_eq!(at(&reading), "reading: 20,000 articles, 2,000/s, 25 %, 30 s left");
        assert_eq!(at(&Stage { total: None, ..reading }), "reading: 20,000 articles, 2,000/s");
        assert_eq!(at(&Stage { done: 1, ..reading }), "reading: 20,000 articles, 2,000/s, 0 %");
        assert_eq!(at(&Stage { number: 0, total: Some(0), ..reading }), "reading: 0 articles, 0/s");
        assert!(Stage { total: None, done: 0, number: 0, ..reading }.is_waiting());
        assert!(!reading.is_waiting() && !Stage { done: 0, number: 0, ..reading }.is_waiting());
        assert_eq!(reading.text(Duration::ZERO), "reading: 20,000 articles, 25 %");
        let done = Stage { name: "clustering", noun: "pair", number: 1, done: 1, total: None };
        assert_eq!(at(&done), "clustering: 1 pair");
    }

    #[test]
    fn durations_are_rounded_up() {
        let all = [0.0, 0.2, 59.5, 61.0, 3599.0, 7260.0].map(duration);
        assert_eq!(all, ["0 s", "1 s", "1 min 0 s", "1 min 1 s", "59 min 59 s", "2 h 1 min"]);
    }
}
