//! The answer of a run: its tables, which rows to keep, another threshold, the report.

use crate::article::{MissingId, Source};
use crate::error::{DataError, OptionError, raised};
use crate::options::{Options, out_of_reach, percent_of};
use crate::run::{fed, released};
use crate::table::Table;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use samestory::calibrate::{Judged, curve, group, most_precise, prevalence, smallest_reaching};
use samestory::engine::{Clustering, Keep, Kept, Pair, Progress};
use samestory::fixed::logit_q10;
use samestory::hash::HashMap;
use samestory::output::{Format, Output, cluster_batches, format_of, pair_batches, write_clusters, write_pairs};
use samestory::profile::VerdictParams;
use samestory::report::{ReportText, Run, to_html};
use samestory::{Engine, Timestamp};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Articles with their clusters, as an `Engine` says.
#[pyclass(frozen, module = "samestory")]
#[derive(Debug)]
pub(crate) struct Answer {
    clustering: Clustering,
    engine: Engine,
    /// Rows of the data, those that repeat an id too.
    num_rows: u64,
    num_unread_times: u64,
    holds_texts: bool,
    holds_pairs: bool,
}

/// Clusters `data` as the attributes of `options` ask for; `progress` is called with the numbers of articles read, of
/// candidate pairs (`None` before they are known) and of pairs verified.
#[pyfunction]
#[pyo3(signature = (options, data, progress=None))]
pub(crate) fn fit(
    py: Python<'_>,
    options: Options<'_>,
    data: &Bound<'_, PyAny>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Answer> {
    let engine = options.engine()?.with_progress(Arc::default());
    let reading = options.reading(MissingId::Position)?;
    let mut source = Source::new(data, &reading)?;
    let watched = engine.progress();
    let num_read = AtomicU64::new(0);
    let mut next = || {
        let block = source.next_block();
        num_read.store(source.num_rows(), Ordering::Relaxed);
        block
    };
    let mut beat = || {
        let num_read = num_read.load(Ordering::Relaxed);
        if reading.has_refused() && reading.num_done() == num_read {
            // No answer of the other rows; the first bad one is known, as all before it were looked at.
            watched.cancel();
        }
        match progress {
            Some(call) => call.call1((num_read, watched.num_candidates(), watched.num_verified())).map(|_| ()),
            None => Ok(()),
        }
    };
    let clustering = fed(py, &watched, &mut next, &mut beat, |blocks| {
        engine.cluster_blocks(blocks, |block| Ok(reading.articles(block)))
    });
    reading.refused()?;
    let (holds_texts, holds_pairs) = options.holds();
    let num_unread_times = reading.num_unread_times();
    Ok(Answer {
        clustering: clustering?,
        engine,
        num_rows: source.num_rows(),
        num_unread_times,
        holds_texts,
        holds_pairs,
    })
}

#[pymethods]
impl Answer {
    /// Rows of the data.
    #[getter]
    fn num_rows(&self) -> u64 {
        self.num_rows
    }

    /// Counts and times.
    #[getter]
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = &self.clustering.stats;
        let dict = PyDict::new(py);
        for (name, number) in [
            ("articles", stats.num_articles),
            ("clusters", stats.num_clusters),
            ("repeats", stats.num_repeats),
            ("exact_copies", stats.num_exact_copies),
            ("undecidable", stats.num_undecidable),
            ("without_weights", stats.num_unweighted),
            ("repeated_rows", stats.num_repeated_lines),
            ("older_versions", stats.num_older_versions),
            ("unread_times", self.num_unread_times),
            ("keys", stats.num_keys),
            ("candidates", stats.num_candidates),
            ("matches", stats.num_matches),
            ("links", stats.num_links),
            ("filed_bytes", stats.num_filed_bytes),
        ] {
            dict.set_item(name, number)?;
        }
        let relations = PyDict::new(py);
        for (relation, number) in &stats.relations {
            relations.set_item(relation.name(), number)?;
        }
        dict.set_item("relations", relations)?;
        dict.set_item("seconds", stats.total_seconds)?;
        Ok(dict)
    }

    /// The profile that answered.
    #[getter]
    fn profile(&self) -> crate::options::Profile {
        crate::options::Profile { inner: self.engine.profile().clone() }
    }

    /// One row an article: id, cluster, representative, relation, score, size.
    fn clusters(&self, py: Python<'_>) -> PyResult<Table> {
        self.table(py, |clustering| Table::new(cluster_batches(clustering)))
    }

    /// One row a verified match, with its evidence.
    fn pairs(&self, py: Python<'_>) -> PyResult<Table> {
        self.need_pairs("pairs")?;
        self.table(py, |clustering| Table::new(pair_batches(clustering, &clustering.pairs)))
    }

    /// One row a look-alike that was kept apart, with its evidence.
    fn links(&self, py: Python<'_>) -> PyResult<Table> {
        self.need_pairs("links")?;
        self.table(py, |clustering| Table::new(pair_batches(clustering, &clustering.links)))
    }

    /// Of each row whether it stays when repeats go.
    #[pyo3(signature = (keep, sources, updates))]
    fn keep_mask(&self, py: Python<'_>, keep: &str, sources: Vec<String>, updates: &str) -> PyResult<Vec<bool>> {
        let keep = match keep {
            "earliest" => Keep::Earliest,
            "longest" => Keep::Longest,
            "latest" => Keep::Latest,
            "source" => Keep::Sources(sources),
            other => {
                return Err(OptionError::new_err(format!(
                    "keep is '{other}'; expected 'earliest', 'longest', 'latest' or a list of sources"
                )));
            }
        };
        let updates_stay = match updates {
            "keep" => true,
            "drop" => false,
            other => {
                return Err(OptionError::new_err(format!("updates is '{other}'; expected 'keep' or 'drop'")));
            }
        };
        let kept = released(py, &Progress::default(), || Ok(self.clustering.keep(&keep, updates_stay)))?;
        Ok(self.by_row(|rank| kept[rank] == Kept::Yes))
    }

    /// The rows that stand for their clusters, in order.
    fn representatives(&self) -> Vec<usize> {
        let stands = self.clustering.representatives();
        let mask = self.by_row(|rank| stands[rank]);
        mask.iter().enumerate().filter(|(_, stands)| **stands).map(|(row, _)| row).collect()
    }

    /// The same articles under another threshold.
    fn at_score(&self, py: Python<'_>, score: f64) -> PyResult<Self> {
        self.at_percent(py, percent_of(score)?)
    }

    /// The same articles under the smallest threshold with a precision, as the scores say.
    fn at_expected_precision(&self, py: Python<'_>, precision: f64) -> PyResult<Self> {
        self.need_pairs("rethreshold(precision=…)")?;
        let logit = self.logits();
        let pairs = self.clustering.pairs.iter().chain(&self.clustering.near_misses);
        // A pair of probability p is p of a true one and 1 − p of a false one.
        let judged: Vec<Judged> = pairs
            .filter_map(|pair| Some((logit(pair)?, f64::from(pair.probability_e4()) / 10_000.0)))
            .flat_map(|(logit, p)| {
                let of = |is_same, weight| Judged { logit: Some(logit), is_same, weight, group: 0 };
                [of(true, p), of(false, 1.0 - p)]
            })
            .filter(|judged| judged.weight > 0.0)
            .collect();
        self.at_precision(py, &judged, prevalence(&judged), precision, "by the scores of these pairs")
    }

    /// The same articles under the smallest threshold with a precision on labelled pairs: two ids, and whether they are
    /// one story.
    #[pyo3(signature = (precision, labels, share=None))]
    fn at_labelled_precision(
        &self,
        py: Python<'_>,
        precision: f64,
        labels: Vec<(String, String, bool)>,
        share: Option<f64>,
    ) -> PyResult<Self> {
        let clustering = &self.clustering;
        let ranks: HashMap<&str, u32> = (0..).zip(clustering.articles.iter()).map(|(rank, a)| (a.id(), rank)).collect();
        let ids: Vec<[&str; 2]> = labels.iter().map(|(a, b, _)| [a.as_str(), b.as_str()]).collect();
        let groups = group(&ids);
        let logit = self.logits();
        let mut judged = Vec::new();
        for (number, ((ids, group), (_, _, is_same))) in ids.iter().zip(groups).zip(&labels).enumerate() {
            let rank = |id: &str| {
                ranks.get(id).copied().ok_or_else(|| {
                    DataError::new_err(format!("label {number}: no article with id '{id}' in this answer"))
                })
            };
            let (a, b) = (rank(ids[0])?, rank(ids[1])?);
            let verdict = Some(clustering.verdict(a.min(b), a.max(b)));
            let logit = logit(&Pair { a, b, verdict });
            judged.push(Judged { logit, is_same: *is_same, weight: 1.0, group });
        }
        let share = share.unwrap_or_else(|| prevalence(&judged));
        self.at_precision(py, &judged, share, precision, "on these labels")
    }

    /// Writes a table as the command line does.
    fn write(&self, py: Python<'_>, table: &str, path: PathBuf) -> PyResult<()> {
        let format: Format = format_of(&path).ok_or_else(|| {
            OptionError::new_err(format!(
                "{}: expected a name that ends in .jsonl or .csv, also in .gz or .zst after it; a Parquet file is \
                 written by pyarrow, polars or pandas from the table",
                path.display()
            ))
        })?;
        let clustering = &self.clustering;
        let pairs = match table {
            "clusters" => None,
            "pairs" => Some(&clustering.pairs),
            "links" => Some(&clustering.links),
            other => {
                return Err(OptionError::new_err(format!(
                    "table is '{other}'; expected 'clusters', 'pairs' or 'links'"
                )));
            }
        };
        if pairs.is_some() {
            self.need_pairs(table)?;
        }
        released(py, &Progress::default(), || {
            let mut output = Output::create(&path)?;
            match pairs {
                Some(pairs) => write_pairs(clustering, pairs, &mut output, format)?,
                None => write_clusters(clustering, &mut output, format)?,
            }
            output.finish()?.publish()
        })
    }

    /// Writes the page to look at the run.
    fn report(&self, py: Python<'_>, path: PathBuf, name: String, text: &str) -> PyResult<()> {
        self.need_pairs("the report")?;
        let text = match text {
            "full" if !self.holds_texts => {
                return Err(OptionError::new_err(
                    "the report shows texts, and this answer holds none: cluster with texts=True, or write it with \
                     text='none'",
                ));
            }
            "full" => ReportText::Full,
            "none" => ReportText::None,
            other => return Err(OptionError::new_err(format!("text is '{other}'; expected 'full' or 'none'"))),
        };
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
        let made = since.map(|since| Timestamp(since.as_secs() as i64));
        released(py, &Progress::default(), || {
            let run = Run { inputs: vec![name], settings: Vec::new(), made, rejects: &[], num_rejects: 0, text };
            let page = to_html(&self.clustering, &run);
            let mut output = Output::create(&path)?;
            output.write(page.as_bytes())?;
            output.finish()?.publish()
        })
    }
}

impl Answer {
    fn table(&self, py: Python<'_>, make: impl FnOnce(&Clustering) -> Table + Send) -> PyResult<Table> {
        released(py, &Progress::default(), || Ok(make(&self.clustering)))
    }

    fn need_pairs(&self, what: &str) -> PyResult<()> {
        if self.holds_pairs {
            return Ok(());
        }
        Err(OptionError::new_err(format!("{what}: this answer holds no pairs: cluster with pairs=True")))
    }

    /// Of each row what is said of its article; `false` of rows that another with the same id stands for.
    fn by_row(&self, of: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut mask = vec![false; self.num_rows as usize];
        for (rank, article) in self.clustering.articles.iter().enumerate() {
            mask[article.block_and_record().0 as usize] = of(rank);
        }
        mask
    }

    /// The log-odds of a pair that was scored.
    fn logits(&self) -> impl Fn(&Pair) -> Option<i32> {
        let needed = logit_q10((self.engine.profile().verdict().match_percent * 100) as u16);
        move |pair| {
            let verdict = pair.verdict.as_ref().filter(|verdict| verdict.evidence.is_complete)?;
            Some(verdict.margin + needed)
        }
    }

    fn at_precision(&self, py: Python<'_>, judged: &[Judged], share: f64, precision: f64, by: &str) -> PyResult<Self> {
        if !(precision > 0.0 && precision <= 1.0) {
            return Err(OptionError::new_err(format!("precision is {precision}; expected a share up to 1")));
        }
        let curve = curve(judged, share);
        if let Some(point) = smallest_reaching(&curve, precision) {
            return self.at_percent(py, point.percent);
        }
        let best = most_precise(&curve).and_then(|point| Some((point.percent, point.precision?.value)));
        Err(out_of_reach(match best {
            Some((percent, best)) => format!(
                "no threshold has precision {precision} {by}; the best is {best:.4}, at score {:.2}",
                f64::from(percent) / 100.0
            ),
            None => format!("no threshold has precision {precision} {by}: no pair was scored"),
        }))
    }

    fn at_percent(&self, py: Python<'_>, match_percent: u32) -> PyResult<Self> {
        let profile = self.engine.profile();
        let verdict = VerdictParams { match_percent, ..profile.verdict().clone() };
        let profile = profile.clone().with_verdict(verdict).map_err(raised)?;
        let engine = self.engine.clone().with_profile(profile).with_progress(Arc::<Progress>::default());
        let clustering = released(py, &engine.progress(), || engine.cluster_anew(&self.clustering))?;
        Ok(Self { clustering, engine, ..*self })
    }
}
