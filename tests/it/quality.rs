//! How well the fixture feed is clustered.
//!
//! The verdict was fitted on these articles among others, so these numbers are no estimate of quality on news: they
//! guard against a change that makes the answer worse.

use crate::support::{field, fixture, rows};
use samestory::engine::Clustering;
use samestory::eval::{GoldRow, PredictedRow, evaluate};
use samestory::hash::HashMap;
use samestory::input::{Blocks, FieldNames};
use samestory::{Engine, Profile};
use serde_json::Value;

fn gold() -> Vec<Value> {
    rows(&std::fs::read_to_string(fixture("gold.jsonl")).expect("the fixture is in the tree"))
}

fn clustering() -> Clustering {
    let blocks = Blocks::open(&[fixture("feed.jsonl")], None).expect("the fixture is in the tree");
    let fields = FieldNames::default();
    Engine::new(Profile::default()).cluster_blocks(blocks, |block| Ok(block.parse(&fields).articles)).expect("clusters")
}

/// The cluster of each article, by their ids.
fn clusters() -> HashMap<String, String> {
    let clustering = clustering();
    let id = |rank: u32| clustering.articles.get(rank).id().to_string();
    clustering.members.iter().map(|m| (id(m.article), id(m.cluster))).collect()
}

#[test]
fn precision_and_f1_do_not_fall() {
    let gold: Vec<GoldRow> = gold()
        .iter()
        .map(|row| GoldRow {
            id: field(row, "id").to_string(),
            cluster: field(row, "cluster").to_string(),
            kind: Some(field(row, "kind").to_string()),
        })
        .collect();
    let predicted: Vec<PredictedRow> = clusters()
        .into_iter()
        .map(|(id, cluster)| PredictedRow { id, cluster, representative: None, relation: None })
        .collect();
    assert_eq!(predicted.len(), gold.len());
    let scores = evaluate(&gold, &predicted);
    let pairs = scores.pairs;
    assert!(pairs.precision() >= 0.98, "precision {:.4}: {pairs:?}", pairs.precision());
    assert!(pairs.f1() >= 0.95, "F1 {:.4}: {pairs:?}", pairs.f1());
}

#[test]
fn two_tellings_of_one_arrival_are_one_story() {
    let clusters = clusters();
    assert_eq!(clusters["beijing-arrival/base"], clusters["beijing-arrival/heavy"]);
}

#[test]
fn look_alikes_stay_apart() {
    let clusters = clusters();
    let joined: Vec<String> = gold()
        .iter()
        .filter(|row| ["followup", "same_event", "template", "reuse"].contains(&field(row, "kind")))
        .filter(|row| clusters[field(row, "id")] == clusters[&format!("{}/base", field(row, "family"))])
        .map(|row| field(row, "id").to_string())
        .collect();
    assert_eq!(joined, Vec::<String>::new(), "look-alikes in the cluster of what they look like");
}
