//! Clusters and pairs as batches of Arrow.

use super::table::{differs_cell, share_e4};
use crate::engine::{Clustering, Member, Pair};
use crate::profile::Measurement;
use crate::verify::name_to_representative;
use arrow_array::builder::{BooleanBuilder, Float64Builder, Int32Builder, StringBuilder, StringDictionaryBuilder};
use arrow_array::types::Int8Type;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

/// Rows of a batch at most.
const BATCH_LEN: usize = 1 << 14;

/// A column of names of which there are few.
fn named(name: &str) -> Field {
    Field::new_dictionary(name, DataType::Int8, DataType::Utf8, false)
}

fn relations(names: impl Iterator<Item = &'static str>) -> ArrayRef {
    let mut builder = StringDictionaryBuilder::<Int8Type>::new();
    names.for_each(|name| builder.append_value(name));
    Arc::new(builder.finish())
}

fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_new(Arc::clone(schema), columns).expect("columns are of the schema's types")
}

/// One row an article: as [`super::write_clusters`], the score a number of double precision.
pub fn cluster_batches(clustering: &Clustering) -> (SchemaRef, impl Iterator<Item = RecordBatch>) {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let fields = vec![
        text("id"),
        text("cluster"),
        text("representative"),
        named("relation"),
        Field::new("score", DataType::Float64, false),
        Field::new("size", DataType::Int32, false),
    ];
    let schema = Arc::new(Schema::new(fields));
    let own = Arc::clone(&schema);
    let batches = clustering.members.chunks(BATCH_LEN).map(move |members| {
        let ids = |of: fn(&Member) -> u32| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(members.iter().map(|m| clustering.articles.get(of(m)).id())))
        };
        let (mut scores, mut sizes) = (Float64Builder::new(), Int32Builder::new());
        for member in members {
            scores.append_value(f64::from(member.probability_e4) / 10_000.0);
            sizes.append_value(i32::try_from(member.size).unwrap_or(i32::MAX));
        }
        let columns = vec![
            ids(|member| member.article),
            ids(|member| member.cluster),
            ids(|member| member.representative),
            relations(members.iter().map(|member| name_to_representative(member.relation))),
            Arc::new(scores.finish()),
            Arc::new(sizes.finish()),
        ];
        batch(&own, columns)
    });
    (schema, batches)
}

/// One row a pair: as [`super::write_pairs`], evidence in a column a measurement, `differs` as JSON.
pub fn pair_batches(clustering: &Clustering, pairs: &[Pair]) -> (SchemaRef, impl Iterator<Item = RecordBatch>) {
    let mut fields = vec![
        Field::new("a", DataType::Utf8, false),
        Field::new("b", DataType::Utf8, false),
        named("relation"),
        Field::new("score", DataType::Float64, false),
        Field::new("correction", DataType::Boolean, false),
    ];
    fields.extend(Measurement::ALL.map(|measurement| Field::new(measurement.name(), DataType::Float64, true)));
    fields.push(Field::new("differs", DataType::Utf8, true));
    let schema = Arc::new(Schema::new(fields));
    let own = Arc::clone(&schema);
    let batches = pairs.chunks(BATCH_LEN).map(move |pairs| {
        let ids = |of: fn(&Pair) -> u32| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(pairs.iter().map(|p| clustering.articles.get(of(p)).id())))
        };
        let (mut scores, mut corrections) = (Float64Builder::new(), BooleanBuilder::new());
        let mut differs = StringBuilder::new();
        let mut evidence: Vec<Float64Builder> = Measurement::ALL.iter().map(|_| Float64Builder::new()).collect();
        for pair in pairs {
            scores.append_value(f64::from(pair.probability_e4()) / 10_000.0);
            corrections.append_value(pair.verdict.as_ref().is_some_and(|verdict| verdict.is_correction));
            differs.append_option(differs_cell(clustering, pair));
            let verdict = pair.verdict.as_ref().filter(|verdict| verdict.evidence.is_complete);
            for (number, column) in evidence.iter_mut().enumerate() {
                let value = verdict.map(|verdict| share_e4(verdict.evidence.values[number]) as f64 / 10_000.0);
                column.append_option(value);
            }
        }
        let mut columns = vec![
            ids(|pair| pair.a),
            ids(|pair| pair.b),
            relations(pairs.iter().map(|pair| pair.relation().name())),
            Arc::new(scores.finish()) as ArrayRef,
            Arc::new(corrections.finish()),
        ];
        columns.extend(evidence.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        columns.push(Arc::new(differs.finish()));
        batch(&own, columns)
    });
    (schema, batches)
}
