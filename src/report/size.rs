//! How many stories are told how often.

use super::count;
use crate::engine::Clustering;
use serde::Serialize;

/// Sizes at which a row of the histogram begins.
const FROM: [u32; 11] = [1, 2, 3, 4, 5, 7, 10, 20, 50, 100, 1000];

/// A row of the histogram.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct SizeRow {
    /// The sizes it covers, as text.
    label: String,
    num_stories: u64,
    num_articles: u64,
    /// Stories against those of the longest row, in parts of 10,000.
    width_e4: u64,
}

/// Stories by number of articles, up to the largest there is.
pub(super) fn histogram(clustering: &Clustering) -> Vec<SizeRow> {
    let clusters = clustering.members.iter().filter(|member| member.article == member.cluster);
    rows(clusters.map(|member| member.size))
}

fn rows(sizes: impl Iterator<Item = u32>) -> Vec<SizeRow> {
    let mut stories = [(0_u64, 0_u64); FROM.len()];
    for size in sizes {
        let row = FROM.partition_point(|from| *from <= size) - 1;
        stories[row].0 += 1;
        stories[row].1 += u64::from(size);
    }
    let longest = stories.iter().map(|(number, _)| *number).max().unwrap_or(0).max(1);
    let num_rows = stories.iter().rposition(|(number, _)| *number > 0).map_or(0, |last| last + 1);
    (0..num_rows)
        .map(|row| {
            let from = u64::from(FROM[row]);
            let to = FROM.get(row + 1).map(|next| u64::from(*next) - 1);
            let label = match to {
                Some(to) if to == from => count(from),
                Some(to) => format!("{}–{}", count(from), count(to)),
                None => format!("{} and more", count(from)),
            };
            let (num_stories, num_articles) = stories[row];
            SizeRow { label, num_stories, num_articles, width_e4: num_stories * 10_000 / longest }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_fall_into_rows() {
        assert_eq!(rows([].into_iter()), []);
        let all = rows([1, 1, 6, 5, 4000].into_iter());
        let filled: Vec<_> = all
            .iter()
            .filter(|row| row.num_stories > 0)
            .map(|row| (row.label.as_str(), row.num_stories, row.num_articles))
            .collect();
        assert_eq!(filled, [("1", 2, 2), ("5–6", 2, 11), ("1,000 and more", 1, 4000)]);
        assert_eq!((all.len(), all[0].width_e4, all[10].width_e4), (11, 10_000, 5_000));
    }
}
