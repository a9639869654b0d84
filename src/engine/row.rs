//! The rows of an answer as text: what a run here and the stages elsewhere write alike.

use crate::verify::{Relation, name_to_representative};

/// An article with its cluster, by the ids of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterRow<'a> {
    /// The article.
    pub id: &'a str,
    /// The member of its cluster with the smallest id.
    pub cluster: &'a str,
    /// The member that stands for the cluster.
    pub representative: &'a str,
    /// What the article is to the representative; `None` for the representative itself.
    pub relation: Option<Relation>,
    /// Probability of one telling, in parts of 10,000.
    pub probability_e4: u16,
    /// Members of the cluster.
    pub size: u64,
}

impl ClusterRow<'_> {
    /// The relation's name; `self` for the representative.
    #[must_use]
    pub fn relation_name(&self) -> &'static str {
        name_to_representative(self.relation)
    }

    /// The probability with four decimals.
    #[must_use]
    pub fn score(&self) -> String {
        decimals(u64::from(self.probability_e4))
    }

    /// Appends the row as a JSON object, without an end of line.
    ///
    /// ```
    /// use samestory::engine::ClusterRow;
    /// let (id, probability_e4) = ("7", 10_000);
    /// let row = ClusterRow { id, cluster: id, representative: id, relation: None, probability_e4, size: 1 };
    /// let mut line = Vec::new();
    /// row.write_json(&mut line);
    /// let expected = r#"{"id":"7","cluster":"7","representative":"7","relation":"self","score":1.0000,"size":1}"#;
    /// assert_eq!(line, expected.as_bytes());
    /// ```
    pub fn write_json(&self, line: &mut Vec<u8>) {
        let texts = [("id", self.id), ("cluster", self.cluster), ("representative", self.representative)];
        for (i, (name, text)) in texts.into_iter().enumerate() {
            line.extend_from_slice(if i == 0 { b"{\"" } else { b",\"" });
            line.extend_from_slice(name.as_bytes());
            line.extend_from_slice(b"\":");
            serde_json::to_writer(&mut *line, text).expect("text to memory");
        }
        let (relation, score, size) = (self.relation_name(), self.score(), self.size);
        line.extend_from_slice(format!(",\"relation\":\"{relation}\",\"score\":{score},\"size\":{size}}}").as_bytes());
    }
}

/// Parts of 10,000 as outputs have them: a number with four decimals.
#[must_use]
pub fn decimals(parts_e4: u64) -> String {
    format!("{}.{:04}", parts_e4 / 10_000, parts_e4 % 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_decimals() {
        assert_eq!(decimals(0), "0.0000");
        assert_eq!(decimals(9_874), "0.9874");
        assert_eq!(decimals(10_000), "1.0000");
    }
}
