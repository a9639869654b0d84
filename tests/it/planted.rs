//! Planted hot events: stories of equally many copies, matched falsely across, with margins as the verifier gives them.
//!
//! Margins are in nats over the threshold. Two copies of one story: normal, mean 4, deviation 2.5, so that one true
//! match in eighteen is missed. Unrelated articles: normal, mean -6, deviation 2, folded at 0. Falsely matched ones:
//! uniform between 0 and 3. Pairs of two stories that share a background and are not matched: uniform between -3 and 0.
//! Pairs are drawn independently of each other, given which stories share a background.

use samestory::cluster::{Match, Pairs};
use samestory::hash::{derived_seed, mix64};

/// One nat, in the units of margins.
const NAT: i64 = 1024;
/// Of a million pairs of articles, or of stories: the unit of rates.
const MILLION: u64 = 1_000_000;
/// What draws are for: a margin, whether a pair is matched falsely, whether two stories share a background.
const MARGIN: u64 = 0;
const FALSE: u64 = 1;
const SHARED: u64 = 2;

/// How false matches come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FalseMatches {
    /// Each pair of articles on its own.
    Independent,
    /// By pairs of stories that share a background: so many in a million of their pairs of articles.
    ByStory(u64),
}

/// An event; article `a` tells story `a % num_stories`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) num_stories: u32,
    pub(crate) num_copies: u32,
    /// False matches in a million pairs of articles of two stories.
    pub(crate) false_rate: u64,
    pub(crate) kind: FalseMatches,
    pub(crate) seed: u64,
}

impl Event {
    pub(crate) fn num_articles(&self) -> u32 {
        self.num_stories * self.num_copies
    }

    pub(crate) fn story(&self, article: u32) -> u32 {
        article % self.num_stories
    }

    /// All pairs that the verifier would match, by ids.
    pub(crate) fn matches(mut self) -> Vec<Match> {
        let mut matches = Vec::new();
        for a in 0..self.num_articles() {
            for b in a + 1..self.num_articles() {
                let margin = self.margin(a, b);
                if margin >= 0 {
                    matches.push(Match { a, b, margin, excerpt: None });
                }
            }
        }
        matches
    }

    fn draw(&self, what: u64, a: u32, b: u32) -> u64 {
        let pair = (u64::from(a.min(b)) << 32) | u64::from(a.max(b));
        mix64(derived_seed(self.seed, what) ^ mix64(pair))
    }

    fn happens(&self, rate: u64, what: u64, a: u32, b: u32) -> bool {
        self.draw(what, a, b) % MILLION < rate
    }
}

impl Pairs for Event {
    fn margin(&mut self, a: u32, b: u32) -> i32 {
        let draw = self.draw(MARGIN, a, b);
        let (story, other) = (self.story(a), self.story(b));
        let margin = if story == other {
            normal(draw, 4 * NAT, 5 * NAT / 2)
        } else {
            let (shares, rate) = match self.kind {
                FalseMatches::Independent => (false, self.false_rate),
                FalseMatches::ByStory(share) => {
                    let shares = self.happens(self.false_rate * MILLION / share, SHARED, story, other);
                    (shares, if shares { share } else { 0 })
                }
            };
            let uniform = (draw % (3 * NAT as u64)) as i64;
            match (self.happens(rate, FALSE, a, b), shares) {
                (true, _) => uniform,
                (false, true) => -1 - uniform,
                (false, false) => -1 - normal(draw, 6 * NAT, 2 * NAT).abs(),
            }
        };
        margin as i32
    }

    fn precedence(&self, article: u32) -> (i64, u32) {
        (0, article)
    }

    fn content_len(&self, _: u32) -> usize {
        1
    }
}

/// A normal number from a uniform draw: the sum of twelve uniform ones, whose deviation is 1, less its mean.
fn normal(draw: u64, mean: i64, deviation: i64) -> i64 {
    const UNIT: i64 = 1 << 16;
    let sum: i64 = (0..12).map(|i| (derived_seed(draw, i) % UNIT as u64) as i64).sum();
    mean + (sum - 6 * UNIT) * deviation / UNIT
}
