//! Who tells first, who copies whom, and how soon: over all stories of a run, shown or not.

use super::sample::first_telling;
use super::text::{cut, duration};
use crate::engine::Clustering;
use crate::hash::HashMap;
use crate::output::with_thousands;
use serde::Serialize;
use std::cmp::Reverse;

/// Sources in the table; the rest are counted.
const MAX_SOURCES: usize = 100;
/// Sources with a row of their own in the time line.
const MAX_ROWS: usize = 12;
/// Sources named as copied from or by.
const MAX_PEERS: usize = 3;
/// Bytes of a source's name shown.
const NAME_LEN: usize = 80;

/// Columns of the time line: the longest delay of each in seconds, and its name.
const DELAYS: [(u64, &str); 10] = [
    (60, "at once"),
    (15 * 60, "15 min"),
    (3600, "1 h"),
    (3 * 3600, "3 h"),
    (6 * 3600, "6 h"),
    (12 * 3600, "12 h"),
    (24 * 3600, "1 day"),
    (3 * 24 * 3600, "3 days"),
    (7 * 24 * 3600, "1 week"),
    (u64::MAX, "later"),
];

/// Sources and the time line.
#[derive(Serialize)]
pub(super) struct Sources {
    /// Whether any article names its source.
    is_known: bool,
    /// Sources by number of articles, then by name; `None` is the articles that name none.
    rows: Vec<SourceRow>,
    /// Sources that the rows leave out.
    num_more: usize,
    timeline: TimeLine,
}

#[derive(Serialize)]
struct SourceRow {
    name: Option<String>,
    num_articles: u64,
    /// Stories that it alone tells, once.
    num_alone: u64,
    /// Stories that it tells first and others repeat.
    num_first: u64,
    /// Articles that follow another telling of their story.
    num_copies: u64,
    /// The delay that half of its dated copies stay under, and in seconds, for sorting.
    median: Option<String>,
    median_seconds: Option<u64>,
    /// Whose first tellings its copies follow, most first.
    copies: Vec<Peer>,
    /// Who follows its first tellings, most first.
    copied_by: Vec<Peer>,
}

#[derive(Serialize)]
struct Peer {
    /// `None` for articles that name no source.
    name: Option<String>,
    is_self: bool,
    number: u64,
}

#[derive(Serialize)]
struct TimeLine {
    columns: Vec<&'static str>,
    /// All sources, then each of the busiest, then all others.
    rows: Vec<TimeRow>,
    num_dated: u64,
    num_undated: u64,
}

#[derive(Serialize)]
struct TimeRow {
    name: Option<String>,
    kind: &'static str,
    cells: Vec<Cell>,
    total: u64,
}

#[derive(Serialize)]
struct Cell {
    number: u64,
    /// Against the largest cell of its kind, in percent.
    share: u64,
}

/// Counts of a source while they are gathered.
#[derive(Default)]
struct Tally<'a> {
    num_articles: u64,
    num_alone: u64,
    num_first: u64,
    num_copies: u64,
    delays: Vec<u64>,
    copies: HashMap<Option<&'a str>, u64>,
    copied_by: HashMap<Option<&'a str>, u64>,
}

impl Sources {
    pub(super) fn new(clustering: &Clustering) -> Self {
        let articles = &clustering.articles;
        let source = |rank: u32| articles.get(rank).source().filter(|name| !name.trim().is_empty());
        let mut tallies: HashMap<Option<&str>, Tally<'_>> = HashMap::default();
        let mut num_undated = 0;
        for cluster in clustering.members.chunk_by(|a, b| a.cluster == b.cluster) {
            let first = first_telling(clustering, cluster);
            let teller = tallies.entry(source(first)).or_default();
            *if cluster.len() == 1 { &mut teller.num_alone } else { &mut teller.num_first } += 1;
            for member in cluster {
                let tally = tallies.entry(source(member.article)).or_default();
                tally.num_articles += 1;
                if member.article == first {
                    continue;
                }
                tally.num_copies += 1;
                *tally.copies.entry(source(first)).or_default() += 1;
                match [member.article, first].map(|rank| articles.get(rank).published()) {
                    [Some(later), Some(earlier)] => tally.delays.push(later.0.abs_diff(earlier.0)),
                    _ => num_undated += 1,
                }
                *tallies.entry(source(first)).or_default().copied_by.entry(source(member.article)).or_default() += 1;
            }
        }
        let mut order: Vec<(Option<&str>, Tally<'_>)> = tallies.into_iter().collect();
        order.sort_by_key(|(name, tally)| (Reverse(tally.num_articles), name.is_none(), *name));
        for (_, tally) in &mut order {
            tally.delays.sort_unstable();
        }
        Self {
            is_known: order.iter().any(|(name, _)| name.is_some()),
            rows: order.iter().take(MAX_SOURCES).map(|(name, tally)| tally.row(*name)).collect(),
            num_more: order.len().saturating_sub(MAX_SOURCES),
            timeline: TimeLine::new(&order, num_undated),
        }
    }
}

impl Tally<'_> {
    fn row(&self, name: Option<&str>) -> SourceRow {
        let median_seconds = self.delays.get(self.delays.len() / 2).copied();
        SourceRow {
            name: shown(name),
            num_articles: self.num_articles,
            num_alone: self.num_alone,
            num_first: self.num_first,
            num_copies: self.num_copies,
            median: median_seconds.map(duration),
            median_seconds,
            copies: peers(&self.copies, name),
            copied_by: peers(&self.copied_by, name),
        }
    }
}

fn shown(name: Option<&str>) -> Option<String> {
    name.map(|name| cut(name, NAME_LEN))
}

/// Most first, then by name.
fn peers(numbers: &HashMap<Option<&str>, u64>, own: Option<&str>) -> Vec<Peer> {
    let mut order: Vec<(Option<&str>, u64)> = numbers.iter().map(|(name, number)| (*name, *number)).collect();
    order.sort_by_key(|(name, number)| (Reverse(*number), name.is_none(), *name));
    let peer = |(name, number): (Option<&str>, u64)| Peer { name: shown(name), is_self: name == own, number };
    order.into_iter().take(MAX_PEERS).map(peer).collect()
}

impl TimeLine {
    /// Of sources with their delays in order.
    fn new(sources: &[(Option<&str>, Tally<'_>)], num_undated: u64) -> Self {
        let mut order: Vec<(Option<&str>, [u64; DELAYS.len()])> =
            sources.iter().map(|(name, tally)| (*name, by_delay(&tally.delays))).collect();
        order.retain(|(_, numbers)| numbers.iter().any(|number| *number > 0));
        order.sort_by_key(|(name, numbers)| (Reverse(numbers.iter().sum::<u64>()), name.is_none(), *name));
        let sum = |rows: &[(Option<&str>, [u64; DELAYS.len()])]| -> [u64; DELAYS.len()] {
            std::array::from_fn(|column| rows.iter().map(|(_, numbers)| numbers[column]).sum())
        };
        let all = sum(&order);
        let mut rows = vec![time_row(None, "all", &all, largest(&[all]))];
        // One source is all sources.
        if order.len() > 1 {
            let others = order.split_off(order.len().min(MAX_ROWS));
            let most = largest(&order.iter().map(|(_, numbers)| *numbers).collect::<Vec<_>>());
            for (name, numbers) in &order {
                rows.push(time_row(*name, if name.is_some() { "source" } else { "none" }, numbers, most));
            }
            if !others.is_empty() {
                let numbers = sum(&others);
                let name = format!("{} others", with_thousands(others.len() as u64));
                rows.push(time_row(Some(&name), "others", &numbers, largest(&[numbers])));
            }
        }
        let columns = DELAYS.map(|(_, name)| name).to_vec();
        Self { columns, rows, num_dated: all.iter().sum(), num_undated }
    }
}

fn time_row(name: Option<&str>, kind: &'static str, numbers: &[u64], most: u64) -> TimeRow {
    let cells = numbers.iter().map(|number| Cell { number: *number, share: number * 100 / most }).collect();
    TimeRow { name: shown(name), kind, cells, total: numbers.iter().sum() }
}

fn largest(rows: &[[u64; DELAYS.len()]]) -> u64 {
    rows.iter().flatten().copied().max().unwrap_or(0).max(1)
}

fn by_delay(delays: &[u64]) -> [u64; DELAYS.len()] {
    let mut numbers = [0; DELAYS.len()];
    for delay in delays {
        numbers[DELAYS.partition_point(|(longest, _)| longest < delay)] += 1;
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Timestamp;
    use crate::{Article, Engine, Profile};

    const STORY: &str = "The ferry Santa Odilia ran aground off Batanes on Monday with 214 passengers aboard, and \
                         fishermen brought most of them ashore before the coast guard came.";

    fn sources(articles: &[(&str, Option<i64>)]) -> Sources {
        let articles = articles.iter().enumerate().map(|(i, (source, published))| Article {
            source: (!source.is_empty()).then(|| (*source).to_string()),
            published: published.map(Timestamp),
            ..Article::new(i.to_string(), STORY)
        });
        Sources::new(&Engine::new(Profile::default()).cluster(articles).unwrap())
    }

    #[test]
    fn delays_fall_into_columns() {
        let numbers = by_delay(&[0, 60, 61, 15 * 60, 15 * 60 + 1, u64::MAX]);
        assert_eq!(numbers, [2, 2, 1, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn the_first_is_not_the_smallest_id() {
        let found = sources(&[("Late", Some(7200)), ("Wire", Some(0)), ("Late", Some(100)), ("", None)]);
        let rows: Vec<_> = found
            .rows
            .iter()
            .map(|row| (row.name.as_deref(), row.num_articles, row.num_first, row.num_copies))
            .collect();
        assert_eq!(rows, [(Some("Late"), 2, 0, 2), (Some("Wire"), 1, 1, 0), (None, 1, 0, 1)]);
        assert_eq!(found.rows[0].copies[0].name.as_deref(), Some("Wire"));
        let by: Vec<_> = found.rows[1].copied_by.iter().map(|peer| (peer.name.as_deref(), peer.number)).collect();
        assert_eq!(by, [(Some("Late"), 2), (None, 1)]);
        assert_eq!((found.timeline.num_dated, found.timeline.num_undated), (2, 1));
        assert_eq!(found.rows[0].median.as_deref(), Some("2 h"));
    }

    #[test]
    fn times_far_apart_do_not_overflow() {
        let found = sources(&[("A", Some(i64::MIN)), ("B", Some(i64::MAX))]);
        assert_eq!(found.timeline.num_dated, 1);
    }

    #[test]
    fn without_sources_and_dates_nothing_is_claimed() {
        let found = sources(&[("", None), ("", None)]);
        assert!(!found.is_known);
        assert_eq!((found.timeline.num_dated, found.timeline.num_undated), (0, 1));
    }
}
