//! Clusters and pairs as JSON lines or CSV; in other formats by their own modules.

use super::{Format, Output};
use crate::engine::{ClusterRow, Clustering, Pair, decimals};
use crate::error::Result;
use crate::fixed::ONE;
use crate::profile::{Measurement, NUM_MEASUREMENTS};
use crate::verify::Differences;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Figures, names or dates of one article that a row of a pair holds at most.
pub const MAX_DIFFERING: usize = 12;

/// A number that is written with exactly four decimals.
struct Decimal(u64);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let raw = serde_json::value::RawValue::from_string(decimals(self.0)).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// Writes one row an article: id, cluster, representative, relation to it, score, size; by cluster, then id.
///
/// # Errors
/// When the output cannot be written.
pub fn write_clusters(clustering: &Clustering, output: &mut Output, format: Format) -> Result<()> {
    #[cfg(feature = "parquet")]
    if format == Format::Parquet {
        return super::parquet::write_clusters(clustering, output);
    }
    let mut rows = Rows::new(output, format);
    rows.header(&["id", "cluster", "representative", "relation", "score", "size"])?;
    let id = |rank: u32| clustering.articles.get(rank).id();
    for member in &clustering.members {
        let [id, cluster, representative] = [member.article, member.cluster, member.representative].map(id);
        let (relation, probability_e4) = (member.relation, member.probability_e4);
        let row = ClusterRow { id, cluster, representative, relation, probability_e4, size: member.size.into() };
        match format {
            Format::Jsonl => rows.line(|line| row.write_json(line))?,
            _ => {
                rows.cells(&[id, cluster, representative, row.relation_name(), &row.score(), &row.size.to_string()])?
            }
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct PairRow<'a> {
    a: &'a str,
    b: &'a str,
    relation: &'a str,
    score: Decimal,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    correction: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    differs: Option<DiffersMap<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<EvidenceMap<'a>>,
}

/// What only one of two articles says, by kind; kinds without a difference are left out.
#[derive(Serialize)]
struct DiffersMap<'a> {
    #[serde(skip_serializing_if = "Sides::is_empty")]
    numbers: Sides<'a>,
    #[serde(skip_serializing_if = "Sides::is_empty")]
    names: Sides<'a>,
    #[serde(skip_serializing_if = "Sides::is_empty")]
    dates: Sides<'a>,
}

#[derive(Serialize)]
struct Sides<'a> {
    a: &'a [String],
    b: &'a [String],
}

impl<'a> Sides<'a> {
    fn new(a: &'a [String], b: &'a [String]) -> Self {
        let [a, b] = [a, b].map(|list| &list[..list.len().min(MAX_DIFFERING)]);
        Self { a, b }
    }

    fn is_empty(&self) -> bool {
        self.a.is_empty() && self.b.is_empty()
    }
}

impl<'a> DiffersMap<'a> {
    /// `None` where nothing of these kinds differs.
    fn new(differences: &'a Differences) -> Option<Self> {
        let Differences { first_figures, second_figures, first_names, second_names, first_dates, second_dates } =
            differences;
        let map = Self {
            numbers: Sides::new(first_figures, second_figures),
            names: Sides::new(first_names, second_names),
            dates: Sides::new(first_dates, second_dates),
        };
        (*differences != Differences::default()).then_some(map)
    }
}

struct EvidenceMap<'a>(&'a [i32; NUM_MEASUREMENTS]);

pub(super) fn share_e4(value: i32) -> u64 {
    (value as u64 * 10_000 + ONE as u64 / 2) / ONE as u64
}

impl Serialize for EvidenceMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(NUM_MEASUREMENTS))?;
        for (measurement, value) in Measurement::ALL.iter().zip(self.0) {
            map.serialize_entry(measurement.name(), &Decimal(share_e4(*value)))?;
        }
        map.end()
    }
}

/// What differs in a pair, as JSON.
#[cfg(any(feature = "arrow", feature = "cli"))]
pub(super) fn differs_cell(clustering: &Clustering, pair: &Pair) -> Option<String> {
    let differences = clustering.differences(pair)?;
    DiffersMap::new(&differences).map(|map| serde_json::to_string(&map).expect("text to memory"))
}

/// Writes one row a pair, "a is … of b": ids, relation, score, whether an update corrects, what differs in an update or
/// template (at most [`MAX_DIFFERING`] figures, names and dates of each article, where the clustering holds texts), and
/// the evidence it rests on. In CSV what differs is a cell of JSON.
///
/// # Errors
/// When the output cannot be written.
pub fn write_pairs(clustering: &Clustering, pairs: &[Pair], output: &mut Output, format: Format) -> Result<()> {
    #[cfg(feature = "parquet")]
    if format == Format::Parquet {
        return super::parquet::write_pairs(clustering, pairs, output);
    }
    let mut rows = Rows::new(output, format);
    let mut header = vec!["a", "b", "relation", "score", "correction"];
    header.extend(Measurement::ALL.map(Measurement::name));
    header.push("differs");
    rows.header(&header)?;
    for pair in pairs {
        // A pair that shares too little was not measured in full.
        let verdict = pair.verdict.as_ref().filter(|verdict| verdict.evidence.is_complete);
        let values = verdict.map(|verdict| &verdict.evidence.values);
        let differences = clustering.differences(pair);
        let row = PairRow {
            a: clustering.articles.get(pair.a).id(),
            b: clustering.articles.get(pair.b).id(),
            relation: pair.relation().name(),
            score: Decimal(u64::from(pair.probability_e4())),
            correction: pair.verdict.as_ref().is_some_and(|verdict| verdict.is_correction),
            differs: differences.as_ref().and_then(DiffersMap::new),
            evidence: values.map(EvidenceMap),
        };
        rows.row(&row, || {
            let correction = if row.correction { "true" } else { "" };
            let mut cells =
                vec![row.a.to_string(), row.b.into(), row.relation.into(), decimals(row.score.0), correction.into()];
            match values {
                Some(values) => cells.extend(values.iter().map(|v| decimals(share_e4(*v)))),
                None => cells.resize(header.len() - 1, String::new()),
            }
            let differs = row.differs.as_ref().map(|map| serde_json::to_string(map).expect("text to memory"));
            cells.push(differs.unwrap_or_default());
            cells
        })?;
    }
    Ok(())
}

/// Rows of a table in either format.
struct Rows<'a> {
    output: &'a mut Output,
    format: Format,
    line: Vec<u8>,
}

impl<'a> Rows<'a> {
    fn new(output: &'a mut Output, format: Format) -> Self {
        Self { output, format, line: Vec::new() }
    }

    fn header(&mut self, names: &[&str]) -> Result<()> {
        match self.format {
            Format::Jsonl => Ok(()),
            _ => self.cells(names),
        }
    }

    fn row(&mut self, row: &impl Serialize, cells: impl FnOnce() -> Vec<String>) -> Result<()> {
        match self.format {
            Format::Jsonl => self.line(|line| serde_json::to_writer(line, row).expect("rows are text and numbers")),
            _ => self.cells(&cells()),
        }
    }

    fn line(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
        self.line.clear();
        fill(&mut self.line);
        self.line.push(b'\n');
        self.output.write(&self.line)
    }

    fn cells(&mut self, cells: &[impl AsRef<[u8]>]) -> Result<()> {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        writer.write_record(cells).expect("writing to memory");
        self.output.write(&writer.into_inner().expect("flushing to memory"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_share_is_one() {
        assert_eq!(share_e4(ONE), 10_000);
    }
}
