//! Scores of a predicted clustering against gold: pair precision, recall and F1, ARI, B³, by kind and by relation.

use crate::hash::{HashMap, HashSet};

/// What gold says of an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoldRow {
    /// The article.
    pub id: String,
    /// Its true cluster.
    pub cluster: String,
    /// What kind of text it is, where gold says so.
    pub kind: Option<String>,
}

/// What a run says of an article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PredictedRow {
    /// The article.
    pub id: String,
    /// Its predicted cluster.
    pub cluster: String,
    /// Its representative, where the run says so.
    pub representative: Option<String>,
    /// What it is to the representative, where the run says so.
    pub relation: Option<String>,
}

/// Numbers of pairs: found and true, found and false, missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairCounts {
    /// Pairs in one cluster in both.
    pub true_pairs: u64,
    /// Pairs in one predicted cluster that gold keeps apart, or of which gold knows one only.
    pub false_pairs: u64,
    /// Pairs in one gold cluster that the prediction keeps apart.
    pub missed_pairs: u64,
}

impl PairCounts {
    /// Share of predicted pairs that are true; 1 when none is predicted.
    #[must_use]
    pub fn precision(&self) -> f64 {
        share(self.true_pairs, self.true_pairs + self.false_pairs)
    }

    /// Share of true pairs that are predicted; 1 when there are none.
    #[must_use]
    pub fn recall(&self) -> f64 {
        share(self.true_pairs, self.true_pairs + self.missed_pairs)
    }

    /// Harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self) -> f64 {
        share(2 * self.true_pairs, 2 * self.true_pairs + self.false_pairs + self.missed_pairs)
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Scores of a prediction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// Articles in gold.
    pub num_articles: u64,
    /// Articles of gold that the prediction lacks: each counts as a cluster of its own.
    pub num_missing: u64,
    /// Pairs over all.
    pub pairs: PairCounts,
    /// Adjusted Rand index over gold's articles (Hubert and Arabie, 1985); 1 for equal partitions.
    pub adjusted_rand: f64,
    /// B³ precision and recall over gold's articles (Bagga and Baldwin, 1998).
    pub b_cubed: (f64, f64),
    /// By kind, in order of name: true pairs with at least one article of the kind, found and in all; and pairs with an
    /// article of the kind that were joined falsely.
    pub by_kind: Vec<(String, KindCounts)>,
    /// By relation to the representative, in order of name: members, and those that gold puts with it.
    pub by_relation: Vec<(String, u64, u64)>,
}

/// Pairs that involve one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindCounts {
    /// Articles of the kind.
    pub num_articles: u64,
    /// Counts over the pairs with an article of the kind.
    pub pairs: PairCounts,
}

/// Scores `predicted` against `gold`.
///
/// Pairs of two articles outside gold are ignored; a predicted pair of one inside and one outside is false. Each of the
/// lists holds an article once.
///
/// Cost: linear, whatever the size of the clusters.
#[must_use]
pub fn evaluate(gold: &[GoldRow], predicted: &[PredictedRow]) -> Scores {
    let predicted_of: HashMap<&str, &PredictedRow> = predicted.iter().map(|row| (row.id.as_str(), row)).collect();
    let gold_ids: HashSet<&str> = gold.iter().map(|row| row.id.as_str()).collect();
    let mut outsiders: HashMap<&str, u64> = HashMap::default();
    for row in predicted.iter().filter(|row| !gold_ids.contains(row.id.as_str())) {
        *outsiders.entry(row.cluster.as_str()).or_default() += 1;
    }
    // An article that the prediction lacks is alone under a name no cluster has.
    let clusters: Vec<Option<&str>> =
        gold.iter().map(|row| predicted_of.get(row.id.as_str()).map(|p| p.cluster.as_str())).collect();

    let mut scores = Scores {
        num_articles: gold.len() as u64,
        num_missing: clusters.iter().filter(|c| c.is_none()).count() as u64,
        ..Scores::default()
    };
    count_pairs(gold, &clusters, &outsiders, &mut scores);
    (scores.adjusted_rand, scores.b_cubed) = partition_scores(gold, &clusters, &outsiders);
    scores.by_relation = by_relation(gold, predicted);
    scores
}

fn count_pairs(gold: &[GoldRow], clusters: &[Option<&str>], outsiders: &HashMap<&str, u64>, scores: &mut Scores) {
    let kind = |i: usize| gold[i].kind.as_deref().unwrap_or("");
    let mut kinds: HashMap<&str, KindCounts> = HashMap::default();
    // How many articles of each kind share a cluster in gold, in the prediction, in both.
    let mut shared: HashMap<[Option<&str>; 2], HashMap<&str, u64>> = HashMap::default();
    for (i, row) in gold.iter().enumerate() {
        kinds.entry(kind(i)).or_default().num_articles += 1;
        let of_gold = Some(row.cluster.as_str());
        let mut count = |group| *shared.entry(group).or_default().entry(kind(i)).or_default() += 1;
        count([of_gold, None]);
        if clusters[i].is_some() {
            count([None, clusters[i]]);
            count([of_gold, clusters[i]]);
        }
    }
    // Pairs that gold holds together, that the prediction does, and that both do: in all, and with an article of a kind.
    let pairs_of = |num: u64| num * num.saturating_sub(1) / 2;
    let mut sums: HashMap<Option<&str>, [u64; 3]> = HashMap::from_iter([(None, [0; 3])]);
    for ([of_gold, predicted], of_kind) in &shared {
        let by = if predicted.is_none() { 0 } else { 1 + usize::from(of_gold.is_some()) };
        let num: u64 = of_kind.values().sum();
        sums.entry(None).or_default()[by] += pairs_of(num);
        for (kind, num_of_kind) in of_kind {
            sums.entry(Some(kind)).or_default()[by] += pairs_of(num) - pairs_of(num - num_of_kind);
        }
    }
    for (kind, [of_gold, predicted, both]) in sums {
        let counts = PairCounts { true_pairs: both, missed_pairs: of_gold - both, false_pairs: predicted - both };
        match kind {
            None => scores.pairs = counts,
            Some(kind) => kinds.entry(kind).or_default().pairs = counts,
        }
    }
    for (i, cluster) in clusters.iter().enumerate() {
        let strangers = cluster.and_then(|c| outsiders.get(c)).copied().unwrap_or(0);
        scores.pairs.false_pairs += strangers;
        kinds.entry(kind(i)).or_default().pairs.false_pairs += strangers;
    }
    scores.by_kind =
        kinds.into_iter().filter(|(kind, _)| !kind.is_empty()).map(|(kind, c)| (kind.to_string(), c)).collect();
    scores.by_kind.sort_by(|a, b| a.0.cmp(&b.0));
}

/// Adjusted Rand index over gold's articles; B³ precision, which counts outsiders as strangers, and recall.
fn partition_scores(gold: &[GoldRow], clusters: &[Option<&str>], outsiders: &HashMap<&str, u64>) -> (f64, (f64, f64)) {
    let mut both: HashMap<(&str, &str), u64> = HashMap::default();
    let mut of_gold: HashMap<&str, u64> = HashMap::default();
    let mut of_predicted: HashMap<&str, u64> = HashMap::default();
    let mut num_alone = 0;
    for (row, cluster) in gold.iter().zip(clusters) {
        *of_gold.entry(row.cluster.as_str()).or_default() += 1;
        match cluster {
            Some(cluster) => {
                *both.entry((row.cluster.as_str(), cluster)).or_default() += 1;
                *of_predicted.entry(cluster).or_default() += 1;
            }
            None => num_alone += 1,
        }
    }
    let n = gold.len() as f64;
    let choose = |k: &u64| (*k * k.saturating_sub(1) / 2) as f64;
    let (index, a, b) = (
        both.values().map(choose).sum::<f64>(),
        of_gold.values().map(choose).sum::<f64>(),
        of_predicted.values().map(choose).sum::<f64>(),
    );
    let all = n * (n - 1.0) / 2.0;
    let expected = if all > 0.0 { a * b / all } else { 0.0 };
    let most = (a + b) / 2.0;
    let adjusted_rand = if (most - expected).abs() < 1e-12 { 1.0 } else { (index - expected) / (most - expected) };

    let (mut precision, mut recall) = (f64::from(num_alone), 0.0);
    for ((gold_cluster, cluster), count) in &both {
        let square = (*count * *count) as f64;
        precision += square / (of_predicted[cluster] + outsiders.get(cluster).copied().unwrap_or(0)) as f64;
        recall += square / of_gold[gold_cluster] as f64;
    }
    for (row, _) in gold.iter().zip(clusters).filter(|(_, cluster)| cluster.is_none()) {
        recall += 1.0 / of_gold[row.cluster.as_str()] as f64;
    }
    let n = n.max(1.0);
    (adjusted_rand, (precision / n, recall / n))
}

fn by_relation(gold: &[GoldRow], predicted: &[PredictedRow]) -> Vec<(String, u64, u64)> {
    let gold_of: HashMap<&str, &str> = gold.iter().map(|row| (row.id.as_str(), row.cluster.as_str())).collect();
    let mut counts: HashMap<&str, (u64, u64)> = HashMap::default();
    for row in predicted {
        let (Some(relation), Some(representative)) = (&row.relation, &row.representative) else {
            continue;
        };
        let Some(cluster) = gold_of.get(row.id.as_str()) else {
            continue;
        };
        if representative == &row.id {
            continue;
        }
        let entry = counts.entry(relation).or_default();
        entry.0 += 1;
        entry.1 += u64::from(gold_of.get(representative.as_str()) == Some(cluster));
    }
    let mut rows: Vec<_> =
        counts.into_iter().map(|(relation, (all, right))| (relation.to_string(), all, right)).collect();
    rows.sort();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gold(rows: &[(&str, &str, &str)]) -> Vec<GoldRow> {
        rows.iter()
            .map(|(id, cluster, kind)| GoldRow {
                id: (*id).into(),
                cluster: (*cluster).into(),
                kind: Some((*kind).into()),
            })
            .collect()
    }

    fn predicted(rows: &[(&str, &str)]) -> Vec<PredictedRow> {
        rows.iter()
            .map(|(id, cluster)| PredictedRow {
                id: (*id).into(),
                cluster: (*cluster).into(),
                representative: None,
                relation: None,
            })
            .collect()
    }

    #[test]
    fn a_perfect_answer() {
        let g = gold(&[("a", "1", "base"), ("b", "1", "light"), ("c", "2", "template")]);
        let scores = evaluate(&g, &predicted(&[("a", "x"), ("b", "x"), ("c", "y"), ("z", "z")]));
        assert_eq!(scores.pairs, PairCounts { true_pairs: 1, false_pairs: 0, missed_pairs: 0 });
        assert_eq!((scores.adjusted_rand, scores.b_cubed), (1.0, (1.0, 1.0)));
    }

    #[test]
    fn pairs_are_counted_as_stated() {
        let g = gold(&[
            ("a", "1", "base"),
            ("b", "1", "light"),
            ("c", "1", "heavy"),
            ("d", "2", "template"),
            ("e", "3", "x"),
        ]);
        // a, b, d and the outsiders y, z together; c alone; e missing.
        let p = predicted(&[("a", "k"), ("b", "k"), ("d", "k"), ("y", "k"), ("z", "k"), ("c", "c")]);
        let scores = evaluate(&g, &p);
        // True: ab. False: ad, bd, and three articles with two outsiders each. Missed: ac, bc.
        assert_eq!(scores.pairs, PairCounts { true_pairs: 1, false_pairs: 8, missed_pairs: 2 });
        assert_eq!(scores.num_missing, 1);
        let template = scores.by_kind.iter().find(|(kind, _)| kind == "template").unwrap().1;
        assert_eq!(template.pairs.false_pairs, 4);
        // B³ by hand: a and b 2/5, d 1/5, c and e 1; recall a and b 2/3, c 1/3, d and e 1.
        assert!((scores.b_cubed.0 - (0.4 + 0.4 + 0.2 + 1.0 + 1.0) / 5.0).abs() < 1e-12);
        assert!((scores.b_cubed.1 - (2.0 / 3.0 * 2.0 + 1.0 / 3.0 + 2.0) / 5.0).abs() < 1e-12);
    }

    /// All pairs one by one, with an article of a kind where one is given.
    fn pairs_one_by_one(gold: &[GoldRow], clusters: &[Option<&str>], kind: Option<&str>) -> PairCounts {
        let mut counts = PairCounts::default();
        for (j, second) in gold.iter().enumerate() {
            for (i, first) in gold[..j].iter().enumerate() {
                if kind.is_some() && first.kind.as_deref() != kind && second.kind.as_deref() != kind {
                    continue;
                }
                match (first.cluster == second.cluster, clusters[i].is_some() && clusters[i] == clusters[j]) {
                    (true, true) => counts.true_pairs += 1,
                    (true, false) => counts.missed_pairs += 1,
                    (false, true) => counts.false_pairs += 1,
                    (false, false) => {}
                }
            }
        }
        counts
    }

    proptest! {
        #[test]
        fn pairs_are_counted_as_one_by_one(rows in prop::collection::vec((0u8..4, 0u8..3, prop::option::of(0u8..4)), 0..30)) {
            let named = |number: u8| number.to_string();
            let gold: Vec<GoldRow> = (0..rows.len())
                .map(|i| GoldRow { id: i.to_string(), cluster: named(rows[i].0), kind: Some(named(rows[i].1)) })
                .collect();
            let names: Vec<(String, String)> =
                rows.iter().enumerate().filter_map(|(i, row)| Some((i.to_string(), named(row.2?)))).collect();
            let predicted = predicted(&names.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect::<Vec<_>>());
            let mut clusters = vec![None; gold.len()];
            for (id, name) in &names {
                clusters[id.parse::<usize>().unwrap()] = Some(name.as_str());
            }
            let scores = evaluate(&gold, &predicted);
            prop_assert_eq!(scores.pairs, pairs_one_by_one(&gold, &clusters, None));
            for (kind, counts) in &scores.by_kind {
                prop_assert_eq!(counts.pairs, pairs_one_by_one(&gold, &clusters, Some(kind)), "{}", kind);
            }
        }
    }

    #[test]
    fn rand_index_by_hand() {
        // Contingency 2,1 / 0,1: index 1, a = 3, b = 1 + 1, all 6: (1 - 1) / (2.5 - 1) = 0.
        let g = gold(&[("a", "1", "k"), ("b", "1", "k"), ("c", "1", "k"), ("d", "2", "k")]);
        let scores = evaluate(&g, &predicted(&[("a", "x"), ("b", "x"), ("c", "y"), ("d", "y")]));
        assert!(scores.adjusted_rand.abs() < 1e-12);
        assert_eq!(evaluate(&[], &[]).pairs.f1(), 1.0);
    }
}
