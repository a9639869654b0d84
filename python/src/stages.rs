//! The stages of a clustering over rows of Arrow, for a run on several machines (`samestory/spark`).
//!
//! A call takes rows and gives rows, with Python's lock released. Rows that belong together, by the column that the
//! method names, come in one call and one after another; which others come with them changes nothing.

mod rows;

use crate::error::{DataError, of_panic, raised};
use crate::options::{level_of, near_of, versions_of};
use arrow_array::types::{Float64Type, Int8Type, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use pyo3::prelude::*;
use rows::{Cell, Kind, Row, Rows, Table};
use rows::{batches_of, block_of, bytes, each_group, flags, in_block, listed, numbers, numbers_in, texts};
use samestory::cluster::{Forest, Match};
use samestory::engine::stages::{self, Crowded, Facts, Heads, KeysScratch, SketchKey};
use samestory::engine::{Articles, ClusterRow};
use samestory::fields::{Columns, FieldNames};
use samestory::hash::HashMap;
use samestory::lsh::{KEY_BITS, MAX_DEPTH, NEIGHBOURS};
use samestory::profile::Weights;
use samestory::verify::{Outlook, Relation, Scratch, name_to_representative};
use samestory::{Article, Engine, Profile};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Characters of a text by which an error tells two of one id apart.
const EXCERPT_LEN: usize = 60;

/// The stages of one profile, level, sketch for near copies, rule for versions and seed of handles.
#[pyclass(frozen, module = "samestory._native")]
pub(crate) struct Stages {
    stages: stages::Stages,
    seed: u64,
}

#[pymethods]
impl Stages {
    /// Elements by which a bucket is refined at most.
    #[classattr]
    const MAX_DEPTH: usize = MAX_DEPTH;

    #[new]
    #[pyo3(signature = (*, profile=None, weights=None, level="rewrite", near="minhash", versions="refuse", seed=0))]
    fn new(
        profile: Option<&str>,
        weights: Option<&[u8]>,
        level: &str,
        near: &str,
        versions: &str,
        seed: u64,
    ) -> PyResult<Self> {
        let mut made = profile.map_or_else(|| Ok(Profile::default()), |text| Profile::from_toml("profile", text));
        if let Some(bytes) = weights {
            let table = Weights::from_bytes("weights", bytes).map_err(raised)?;
            made = made.map(|profile| profile.with_weights(table));
        }
        let engine = Engine::new(made.map_err(raised)?)
            .with_level(level_of(level)?)
            .with_near(near_of(near)?)
            .with_versions(versions_of(versions)?);
        Ok(Self { stages: stages::Stages::new(engine), seed })
    }

    /// The ids of sketch and verdict: what a run's machines have to agree on.
    #[getter]
    fn profile_ids(&self) -> (String, String) {
        let profile = self.stages.engine().profile();
        (profile.sketch_id(), profile.verdict_id())
    }

    /// Articles, under the fields' own names, as `handle`, `id`, `text_hash`, `exact_key`, `precedence`, `alone` (too
    /// short to compare), `head` and `packed`.
    fn sketch(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut sketcher = self.stages.sketcher();
            let mut table = Table::new(&[
                ("handle", Kind::Long),
                ("id", Kind::Text),
                ("text_hash", Kind::Bytes),
                ("exact_key", Kind::Bytes),
                ("precedence", Kind::Long),
                ("alone", Kind::Flag),
                ("head", Kind::Bytes),
                ("packed", Kind::Bytes),
            ]);
            let (names, mut packed) = (FieldNames::default(), Vec::new());
            for batch in &batches {
                let columns = Columns::new(batch, &names);
                for row in 0..batch.num_rows() {
                    let article = article_of(&columns, row)?;
                    let Facts { text_hash, exact_key, precedence, alone } = sketcher.sketch(&article, &mut packed);
                    let exact_key = exact_key.map(u128::to_be_bytes);
                    table.push([
                        Cell::handle(stages::handle(article.id.as_str(), self.seed)),
                        Cell::Text(article.id.as_str()),
                        Cell::Bytes(&text_hash.to_be_bytes()),
                        exact_key.as_ref().map_or(Cell::Null, |key| Cell::Bytes(key)),
                        Cell::Long(precedence),
                        Cell::Flag(alone.is_some()),
                        Cell::Bytes(stages::head_of(&packed)),
                        Cell::Bytes(&packed),
                    ]);
                }
            }
            Ok(table.finish())
        })
    }

    /// Which of the rows, by number, stand, by what is `packed` in them: all but those that share an id with one that
    /// does.
    fn settle(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
        let batches = batches_of(rows)?;
        apart(py, || self.stages.settle(self.unpack(&all_rows(&batches))?).map_err(raised))
    }

    /// Blocks of the keys of `packed` articles, above their `handle`s, by `shard`: those of a key are in one, but for
    /// entries beyond those that make a bucket crowded, which are `crowded` and in any.
    fn entries(&self, py: Python<'_>, rows: &Bound<'_, PyAny>, num_shards: u32) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut entries: Vec<(SketchKey, u64)> = Vec::new();
            let (mut scratch, mut keys) = (KeysScratch::default(), Vec::new());
            for batch in &batches {
                let handles = numbers::<Int64Type>(batch, "handle")?;
                let articles = self.unpack(&all_rows(std::slice::from_ref(batch)))?;
                for (article, handle) in (0..).zip(handles.values()) {
                    self.stages.keys(&articles.record(article), &mut scratch, &mut keys);
                    entries.extend(keys.iter().map(|key| (*key, *handle as u64)));
                }
            }
            Ok(self.by_shard(entries, num_shards))
        })
    }

    /// Of whole shards of [`Self::entries`] the pairs that meet, as blocks by `group`, and the articles of crowded
    /// buckets, each with its `key` and `handle`.
    fn meet(&self, py: Python<'_>, rows: &Bound<'_, PyAny>, side: u32) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let (mut entries, mut crowded) = (Vec::new(), Vec::new());
            for batch in &batches {
                let is_crowded = flags(batch, "crowded")?;
                for (row, block) in bytes(batch, "entries")?.iter().enumerate() {
                    let into = if is_crowded.value(row) { &mut crowded } else { &mut entries };
                    into.extend(in_block(block.unwrap_or_default()).map(|(key, handle)| (SketchKey(key), handle)));
                }
            }
            let mut pairs = Vec::new();
            self.stages.meet(&mut entries, |a, b| pairs.push((a, b)), |key, handle| crowded.push((key, handle)));
            crowded.sort_unstable();
            crowded.dedup();
            let mut table = Table::new(&[
                ("group", Kind::Int),
                ("pairs", Kind::Bytes),
                ("bucket", Kind::Long),
                ("key", Kind::Long),
                ("handle", Kind::Long),
            ]);
            each_block(pairs, in_grid(side), |group, block| {
                table.push([Cell::Int(group), Cell::Bytes(&block), Cell::Null, Cell::Null, Cell::Null]);
            });
            for (key, handle) in crowded {
                let [bucket, key, handle] = [key.key(), key.0, handle].map(Cell::handle);
                table.push([Cell::Null, Cell::Null, bucket, key, handle]);
            }
            Ok(table.finish())
        })
    }

    /// Articles that are `packed`, each with its `handle` and the `keys` of its crowded buckets, as the buckets' first
    /// articles have them; as members of the buckets: `part`, `id`, `handle` and `refinements`.
    fn refine(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut table = members_table();
            for batch in &batches {
                let handles = numbers::<Int64Type>(batch, "handle")?;
                let articles = self.unpack(&all_rows(std::slice::from_ref(batch)))?;
                for (row, article) in articles.iter().enumerate() {
                    for key in listed(batch, "keys", row)? {
                        let key = SketchKey(key as u64);
                        let refinements = self.stages.refinements(&article.record(), key);
                        let refinements: Vec<u8> = refinements.into_iter().flat_map(u32::to_le_bytes).collect();
                        push_member(
                            &mut table,
                            &key.key().to_le_bytes(),
                            (article.id(), handles.value(row)),
                            &refinements,
                        );
                    }
                }
            }
            Ok(table.finish())
        })
    }

    /// Blocks of the pairs, by `group`, of whole `part`s of crowded buckets, each in order of `id`.
    fn part_pairs(&self, py: Python<'_>, rows: &Bound<'_, PyAny>, side: u32) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut pairs = Vec::new();
            each_group(&batches, part_of, |part, rows| {
                let depth = depth_of(part);
                let member = |(batch, row): &Row<'_>| {
                    let refinements = numbers_in(bytes(batch, "refinements")?.value(*row)).skip(depth).collect();
                    Ok(Crowded { refinements, handle: handle_of((batch, *row))? })
                };
                let members: Vec<Crowded> = rows.iter().map(member).collect::<PyResult<_>>()?;
                self.stages.part_pairs(&members, depth, |a, b| {
                    pairs.push(ordered(members[a as usize].handle, members[b as usize].handle));
                });
                Ok(())
            })?;
            Ok(blocks(pairs, side))
        })
    }

    /// The members of parts as members of the parts that one further refinement makes of these.
    #[staticmethod]
    fn deepen(py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut table = members_table();
            for (batch, row) in all_rows(&batches) {
                let (part, refinements) = (part_of((batch, row))?, bytes(batch, "refinements")?.value(row));
                let at = 4 * depth_of(part);
                if let Some(next) = refinements.get(at..at + 4) {
                    let member = (texts(batch, "id")?.value(row), handle_of((batch, row))? as i64);
                    push_member(&mut table, &[part, next].concat(), member, refinements);
                }
            }
            Ok(table.finish())
        })
    }

    /// Blocks of the pairs, by `group`, of articles that stand next to each other in one of the large parts, of which
    /// the rows are a stretch in order of `part` and `id`, each with the `first` of its part; and the ends of the
    /// stretch's parts, by which [`Self::stitch`] finds what stands next to each other across stretches.
    #[staticmethod]
    fn neighbours(py: Python<'_>, rows: &Bound<'_, PyAny>, side: u32) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut table = Table::new(&[
                ("group", Kind::Int),
                ("pairs", Kind::Bytes),
                ("part", Kind::Bytes),
                ("id", Kind::Text),
                ("handle", Kind::Long),
                ("stretch", Kind::Long),
            ]);
            let mut pairs = Vec::new();
            each_group(&batches, part_of, |part, rows| {
                let handles: Vec<u64> = rows.iter().map(|row| handle_of(*row)).collect::<PyResult<_>>()?;
                for (place, (row, handle)) in rows.iter().zip(&handles).enumerate() {
                    let first = numbers::<Int64Type>(row.0, "first")?.value(row.1) as u64;
                    let before = &handles[place.saturating_sub(NEIGHBOURS)..place];
                    let earlier = before.iter().copied().chain([first]).filter(|earlier| earlier != handle);
                    pairs.extend(earlier.map(|earlier| ordered(earlier, *handle)));
                    if place < NEIGHBOURS || place + NEIGHBOURS >= rows.len() {
                        let id = Cell::Text(texts(row.0, "id")?.value(row.1));
                        let [handle, stretch] = [*handle, handles[0]].map(Cell::handle);
                        table.push([Cell::Null, Cell::Null, Cell::Bytes(part), id, handle, stretch]);
                    }
                }
                Ok(())
            })?;
            each_block(pairs, in_grid(side), |group, block| {
                let none = || Cell::Null;
                table.push([Cell::Int(group), Cell::Bytes(&block), none(), none(), none(), none()]);
            });
            Ok(table.finish())
        })
    }

    /// Blocks of the pairs, by `group`, that stand next to each other across stretches: of whole `part`s the ends that
    /// [`Self::neighbours`] gives, in order of `id`.
    #[staticmethod]
    fn stitch(py: Python<'_>, rows: &Bound<'_, PyAny>, side: u32) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut pairs = Vec::new();
            each_group(&batches, part_of, |_, rows| {
                let end = |row: &Row<'_>| Ok((numbers::<Int64Type>(row.0, "stretch")?.value(row.1), handle_of(*row)?));
                let ends: Vec<(i64, u64)> = rows.iter().map(end).collect::<PyResult<_>>()?;
                for (place, (stretch, handle)) in ends.iter().enumerate() {
                    let before = &ends[place.saturating_sub(NEIGHBOURS)..place];
                    let across = before.iter().filter(|earlier| earlier.0 != *stretch);
                    pairs.extend(across.map(|earlier| ordered(earlier.1, *handle)));
                }
                Ok(())
            })?;
            Ok(blocks(pairs, side))
        })
    }

    /// A block of the distinct pairs of each whole `group`, and beside it the `handle`s of the articles in them.
    #[staticmethod]
    fn gather(py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut table = Table::new(&[("group", Kind::Int), ("pairs", Kind::Bytes), ("handle", Kind::Long)]);
            each_group(&batches, group_of, |group, rows| {
                let mut pairs: Vec<(u64, u64)> = Vec::new();
                for (batch, row) in rows {
                    pairs.extend(in_block(bytes(batch, "pairs")?.value(*row)));
                }
                pairs.sort_unstable();
                pairs.dedup();
                let mut handles: Vec<u64> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
                handles.sort_unstable();
                handles.dedup();
                table.push([Cell::Int(group), Cell::Bytes(&block_of(&pairs)), Cell::Null]);
                for handle in handles {
                    table.push([Cell::Int(group), Cell::Null, Cell::handle(handle)]);
                }
                Ok(())
            })?;
            Ok(table.finish())
        })
    }

    /// Blocks, by `group`, of those of the `pairs` of whole `group`s that may be matches, with `links` look-alikes, by
    /// the `head`s of the articles in them, which are in the group with their `handle`s.
    fn sift(&self, py: Python<'_>, rows: &Bound<'_, PyAny>, num_groups: u32, links: bool) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let least = if links { Outlook::Link } else { Outlook::Match };
            let mut open: Vec<(u64, u64)> = Vec::new();
            each_group(&batches, group_of, |_, rows| {
                let (held, pairs): (Vec<_>, Vec<_>) = rows.iter().copied().partition(|row| has("head", *row));
                let mut heads = Heads::default();
                for (batch, row) in &held {
                    heads.push(bytes(batch, "head")?.value(*row)).map_err(raised)?;
                }
                let places = places_of(&held)?;
                for (batch, row) in pairs {
                    for (a, b) in in_block(bytes(batch, "pairs")?.value(row)) {
                        let [first, second] = [place(&places, a)?, place(&places, b)?].map(|at| heads.terms(at));
                        if self.stages.outlook(&first, &second) >= least {
                            open.push((a, b));
                        }
                    }
                }
                Ok(())
            })?;
            let mut table = blocks_table();
            each_block(open, by_first(num_groups), |group, block| table.push([Cell::Int(group), Cell::Bytes(&block)]));
            Ok(table.finish())
        })
    }

    /// The matches, with `links` the look-alikes too, among the `pairs` of whole `group`s, which have the `packed`
    /// articles in them, with their `handle`s: `a` is the one with the smaller id.
    fn judge(&self, py: Python<'_>, rows: &Bound<'_, PyAny>, links: bool) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut table = Table::new(&[
                ("a", Kind::Long),
                ("b", Kind::Long),
                ("a_id", Kind::Text),
                ("b_id", Kind::Text),
                ("margin", Kind::Int),
                ("excerpt", Kind::Byte),
                ("is_match", Kind::Flag),
                ("is_forward", Kind::Flag),
                ("relation", Kind::Text),
                ("score_e4", Kind::Int),
                ("correction", Kind::Flag),
            ]);
            let mut scratch = Scratch::default();
            each_group(&batches, group_of, |_, rows| {
                let (packed, pairs): (Vec<_>, Vec<_>) = rows.iter().copied().partition(|row| has("packed", *row));
                let articles = self.unpack(&packed)?;
                let places = places_of(&packed)?;
                for (batch, row) in pairs {
                    for (a, b) in in_block(bytes(batch, "pairs")?.value(row)) {
                        let [mut a, mut b] = [(a, place(&places, a)?), (b, place(&places, b)?)];
                        if articles.get(b.1).id() < articles.get(a.1).id() {
                            (a, b) = (b, a);
                        }
                        let (first, second) = (articles.record(a.1), articles.record(b.1));
                        let judged = self.stages.judge(&first, &second, &mut scratch);
                        let verdict = &judged.0;
                        if !(verdict.relation.is_match() || links && verdict.relation.is_link()) {
                            continue;
                        }
                        let excerpt = judged.as_match(0, 1).and_then(|m| m.excerpt).map(|at| Cell::Byte(at as i8));
                        table.push([
                            Cell::handle(a.0),
                            Cell::handle(b.0),
                            Cell::Text(articles.get(a.1).id()),
                            Cell::Text(articles.get(b.1).id()),
                            Cell::Int(verdict.margin),
                            excerpt.unwrap_or(Cell::Null),
                            Cell::Flag(verdict.relation.is_match()),
                            Cell::Flag(verdict.is_forward),
                            Cell::Text(verdict.relation.name()),
                            Cell::Int(i32::from(verdict.probability_e4)),
                            Cell::Flag(verdict.is_correction),
                        ]);
                    }
                }
                Ok(())
            })?;
            Ok(table.finish())
        })
    }

    /// A forest over the edges from `a` to `b`: each article that has one as an `a`, the least that it reaches its `b`.
    #[staticmethod]
    fn forest(py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut edges: Vec<(i64, i64)> = Vec::new();
            for batch in &batches {
                let [a, b] = [numbers::<Int64Type>(batch, "a")?, numbers::<Int64Type>(batch, "b")?];
                edges.extend(a.values().iter().copied().zip(b.values().iter().copied()));
            }
            let mut nodes: Vec<i64> = edges.iter().flat_map(|(a, b)| [*a, *b]).collect();
            nodes.sort_unstable();
            nodes.dedup();
            let places: HashMap<i64, u32> = nodes.iter().copied().zip(0..).collect();
            let mut forest = Forest::new(nodes.len());
            for (a, b) in edges {
                forest.join(places[&a], places[&b], usize::MAX);
            }
            let mut table = Table::new(&[("a", Kind::Long), ("b", Kind::Long)]);
            for (place, node) in (0..).zip(&nodes) {
                table.push([Cell::Long(*node), Cell::Long(nodes[forest.find(place) as usize])]);
            }
            Ok(table.finish())
        })
    }

    /// The matches of whole `component`s by the `part` that is to be clustered whole, which goes by its least handle.
    fn cut(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut table = Table::new(&[
                ("part", Kind::Long),
                ("a", Kind::Long),
                ("b", Kind::Long),
                ("margin", Kind::Int),
                ("excerpt", Kind::Byte),
            ]);
            let component = |(batch, row): Row<'_>| Ok(numbers::<Int64Type>(batch, "component")?.value(row));
            each_group(&batches, component, |_, rows| {
                let mut members: Vec<(&str, i64)> = Vec::new();
                for (batch, row) in rows {
                    for (id, end) in [("a_id", "a"), ("b_id", "b")] {
                        members.push((texts(batch, id)?.value(*row), numbers::<Int64Type>(batch, end)?.value(*row)));
                    }
                }
                members.sort_unstable();
                members.dedup();
                let handles: Vec<i64> = members.into_iter().map(|(_, handle)| handle).collect();
                for part in self.stages.cut(handles.len(), &matches_of(rows, &handles)?) {
                    let ends = |m: &Match| [m.a, m.b].map(|at| handles[at as usize]);
                    let name = part.iter().flat_map(ends).min().unwrap_or_default();
                    for m in &part {
                        let [a, b] = ends(m).map(Cell::Long);
                        let excerpt = m.excerpt.map_or(Cell::Null, |at| Cell::Byte(i8::from(at == m.b)));
                        table.push([Cell::Long(name), a, b, Cell::Int(m.margin), excerpt]);
                    }
                }
                Ok(())
            })?;
            Ok(table.finish())
        })
    }

    /// The clusters of whole `part`s, which have their matches and their `packed` articles in order of id, with their
    /// `handle`s: of each article its `representative`.
    fn cluster(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut table = Table::new(&[("handle", Kind::Long), ("representative", Kind::Long)]);
            let part = |(batch, row): Row<'_>| Ok(numbers::<Int64Type>(batch, "part")?.value(row));
            each_group(&batches, part, |_, rows| {
                let (packed, matches): (Vec<_>, Vec<_>) = rows.iter().copied().partition(|row| has("packed", *row));
                let articles = self.unpack(&packed)?;
                let handle = |row: &Row<'_>| Ok(handle_of(*row)? as i64);
                let handles: Vec<i64> = packed.iter().map(handle).collect::<PyResult<_>>()?;
                for cluster in self.stages.cluster(&articles, &matches_of(&matches, &handles)?) {
                    let representative = handles[cluster.representative as usize];
                    for member in cluster.members {
                        table.push([Cell::Long(handles[member as usize]), Cell::Long(representative)]);
                    }
                }
                Ok(())
            })?;
            Ok(table.finish())
        })
    }

    /// What the `packed` articles are to their `representative`, which is among the rows of each `salt` of it: of each
    /// but this, and of this itself under salt 0, `representative`, the ids of both, `relation` and `score_e4`.
    fn relate(&self, py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut table = Table::new(&[
                ("handle", Kind::Long),
                ("representative", Kind::Long),
                ("id", Kind::Text),
                ("representative_id", Kind::Text),
                ("relation", Kind::Text),
                ("score_e4", Kind::Int),
            ]);
            let mut scratch = Scratch::default();
            let key = |(batch, row): Row<'_>| {
                let representative = numbers::<Int64Type>(batch, "representative")?.value(row);
                Ok((representative, numbers::<Int32Type>(batch, "salt")?.value(row)))
            };
            each_group(&batches, key, |(representative, salt), rows| {
                let articles = self.unpack(rows)?;
                let handle = |row: &Row<'_>| Ok(handle_of(*row)? as i64);
                let handles: Vec<i64> = rows.iter().map(handle).collect::<PyResult<_>>()?;
                let place = handles.iter().position(|handle| *handle == representative);
                let place = place.ok_or_else(|| DataError::new_err("a representative is missing among its rows"))?;
                let standing = articles.get(place as u32);
                for (article, handle) in articles.iter().zip(handles) {
                    let (name, score_e4) = if handle != representative {
                        let (relation, score_e4) = self.stages.relation_to(&article, &standing, &mut scratch);
                        (name_to_representative(relation), score_e4)
                    } else if salt == 0 {
                        (name_to_representative(None), 10_000)
                    } else {
                        continue;
                    };
                    table.push([
                        Cell::Long(handle),
                        Cell::Long(representative),
                        Cell::Text(article.id()),
                        Cell::Text(standing.id()),
                        Cell::Text(name),
                        Cell::Int(i32::from(score_e4)),
                    ]);
                }
                Ok(())
            })?;
            Ok(table.finish())
        })
    }

    /// Rows of the answer as `samestory cluster` writes them, each a `value` without an end of line; beside it what
    /// they are ordered by.
    #[staticmethod]
    fn lines(py: Python<'_>, rows: &Bound<'_, PyAny>) -> PyResult<Rows> {
        let batches = batches_of(rows)?;
        apart(py, || {
            let mut table = Table::new(&[("cluster", Kind::Text), ("id", Kind::Text), ("value", Kind::Text)]);
            for (batch, row) in all_rows(&batches) {
                let text = |name| Ok::<_, PyErr>(texts(batch, name)?.value(row));
                let name = text("relation")?;
                let line = ClusterRow {
                    id: text("id")?,
                    cluster: text("cluster")?,
                    representative: text("representative")?,
                    relation: Relation::ALL.into_iter().find(|relation| relation.name() == name),
                    probability_e4: (numbers::<Float64Type>(batch, "score")?.value(row) * 10_000.0).round() as u16,
                    size: numbers::<Int32Type>(batch, "size")?.value(row) as u64,
                };
                let mut json = Vec::new();
                line.write_json(&mut json);
                table.push([
                    Cell::Text(line.cluster),
                    Cell::Text(line.id),
                    Cell::Text(&String::from_utf8_lossy(&json)),
                ]);
            }
            Ok(table.finish())
        })
    }
}

impl Stages {
    /// The packed articles of some rows, in their order.
    fn unpack(&self, rows: &[Row<'_>]) -> PyResult<Articles> {
        let packed: Vec<&[u8]> = rows.iter().map(|row| packed_of(*row)).collect::<PyResult<_>>()?;
        self.stages.unpack(packed).map_err(raised)
    }

    fn by_shard(&self, mut entries: Vec<(SketchKey, u64)>, num_shards: u32) -> Rows {
        let mut table = Table::new(&[("shard", Kind::Int), ("crowded", Kind::Flag), ("entries", Kind::Bytes)]);
        // By key, so also by shard.
        entries.sort_unstable();
        let shard_of = |key: SketchKey| ((key.key() * u64::from(num_shards)) >> KEY_BITS) as i32;
        let plain =
            |entries: &[(SketchKey, u64)]| entries.iter().map(|(key, handle)| (key.0, *handle)).collect::<Vec<_>>();
        let mut surplus: Vec<(u64, u64)> = Vec::new();
        for shard in entries.chunk_by(|a, b| shard_of(a.0) == shard_of(b.0)) {
            let mut block: Vec<(u64, u64)> = Vec::with_capacity(shard.len());
            for bucket in shard.chunk_by(|a, b| a.0.key() == b.0.key()) {
                let (enough, rest) = bucket.split_at(bucket.len().min(self.stages.bucket_cap() + 1));
                block.extend(plain(enough));
                surplus.extend(plain(rest));
            }
            table.push([Cell::Int(shard_of(shard[0].0)), Cell::Flag(false), Cell::Bytes(&block_of(&block))]);
        }
        // These are known to be of crowded buckets: anywhere will do, so that no shard has all of a large one.
        if let Some((_, handle)) = surplus.first() {
            let anywhere = (handle % u64::from(num_shards)) as i32;
            table.push([Cell::Int(anywhere), Cell::Flag(true), Cell::Bytes(&block_of(&surplus))]);
        }
        table.finish()
    }
}

/// Does the work with Python's lock released; what panics is an exception.
fn apart<T: Send>(py: Python<'_>, work: impl FnOnce() -> PyResult<T> + Send) -> PyResult<T> {
    py.detach(|| catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(of_panic(&*panic))))
}

/// The article of a row; instead of a place it has the beginning of its text, by which people may find it.
fn article_of(columns: &Columns<'_>, row: usize) -> PyResult<Article> {
    let bad = |reason: &str| {
        let said = String::from_utf8_lossy(&columns.as_json(row)).chars().take(200).collect::<String>();
        DataError::new_err(format!("a row is no article: {reason}: {said}"))
    };
    let (mut article, _) = columns.found(row).into_article("").map_err(|reason| bad(&reason))?;
    if article.id.as_str().is_empty() {
        return Err(bad("its id is missing; articles keep their own: give each one, or name another column as id"));
    }
    let mut begin: String = article.text.chars().take(EXCERPT_LEN).collect();
    if begin.len() < article.text.len() {
        begin.push('…');
    }
    article.origin.place = format!("'{begin}'").into();
    Ok(article)
}

fn all_rows(batches: &[RecordBatch]) -> Vec<Row<'_>> {
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row))).collect()
}

fn handle_of((batch, row): Row<'_>) -> PyResult<u64> {
    Ok(numbers::<Int64Type>(batch, "handle")?.value(row) as u64)
}

fn part_of<'a>((batch, row): Row<'a>) -> PyResult<&'a [u8]> {
    Ok(bytes(batch, "part")?.value(row))
}

fn group_of((batch, row): Row<'_>) -> PyResult<i32> {
    Ok(numbers::<Int32Type>(batch, "group")?.value(row))
}

fn packed_of<'a>((batch, row): Row<'a>) -> PyResult<&'a [u8]> {
    Ok(bytes(batch, "packed")?.value(row))
}

fn has(name: &str, (batch, row): Row<'_>) -> bool {
    batch.column_by_name(name).is_some_and(|column| column.is_valid(row))
}

/// The places of some rows by their handles.
fn places_of(rows: &[Row<'_>]) -> PyResult<HashMap<u64, u32>> {
    rows.iter().zip(0..).map(|(row, place)| Ok((handle_of(*row)?, place))).collect()
}

fn place(places: &HashMap<u64, u32>, handle: u64) -> PyResult<u32> {
    let lost = || DataError::new_err("an article of a pair is missing: what a stage wrote has changed since");
    places.get(&handle).copied().ok_or_else(lost)
}

/// Refinements that a part's members share: it goes by its bucket's key and these.
fn depth_of(part: &[u8]) -> usize {
    part.len() / 4 - 2
}

fn ordered(a: u64, b: u64) -> (u64, u64) {
    (a.min(b), a.max(b))
}

/// The matches of some rows, between articles numbered by their place in `handles`.
fn matches_of(rows: &[Row<'_>], handles: &[i64]) -> PyResult<Vec<Match>> {
    let places: HashMap<i64, u32> = handles.iter().copied().zip(0..).collect();
    let of = |(batch, row): &Row<'_>| {
        let end = |name| {
            let place = places.get(&numbers::<Int64Type>(batch, name)?.value(*row)).copied();
            place.ok_or_else(|| DataError::new_err("an article of a match is missing among its rows"))
        };
        let [a, b] = [end("a")?, end("b")?];
        let excerpt = numbers::<Int8Type>(batch, "excerpt")?;
        let excerpt = excerpt.is_valid(*row).then(|| [a, b][usize::from(excerpt.value(*row) == 1)]);
        Ok(Match { a, b, margin: numbers::<Int32Type>(batch, "margin")?.value(*row), excerpt })
    };
    rows.iter().map(of).collect()
}

fn members_table() -> Table {
    Table::new(&[("part", Kind::Bytes), ("id", Kind::Text), ("handle", Kind::Long), ("refinements", Kind::Bytes)])
}

fn push_member(table: &mut Table, part: &[u8], (id, handle): (&str, i64), refinements: &[u8]) {
    table.push([Cell::Bytes(part), Cell::Text(id), Cell::Long(handle), Cell::Bytes(refinements)]);
}

/// Calls `each` with the distinct pairs as blocks, by group.
fn each_block(mut pairs: Vec<(u64, u64)>, group: impl Fn((u64, u64)) -> i32, mut each: impl FnMut(i32, Vec<u8>)) {
    pairs.sort_unstable_by_key(|pair| (group(*pair), *pair));
    pairs.dedup();
    pairs.chunk_by(|a, b| group(*a) == group(*b)).for_each(|block| each(group(block[0]), block_of(block)));
}

/// Where a handle lies when all are parted to `num` stretches.
fn stretch(handle: u64, num: u32) -> u64 {
    ((u128::from(handle) * u128::from(num)) >> 64) as u64
}

/// The group of a pair by the stretches, `side` of them, of both its handles, the smaller first: an article has its
/// pairs in `side` groups at most.
fn in_grid(side: u32) -> impl Fn((u64, u64)) -> i32 {
    move |(a, b)| {
        let (low, high) = (stretch(a, side), stretch(b, side));
        (high * (high + 1) / 2 + low) as i32
    }
}

/// The group of a pair by the stretch of its smaller handle.
fn by_first(num_groups: u32) -> impl Fn((u64, u64)) -> i32 {
    move |(a, _)| stretch(a, num_groups) as i32
}

fn blocks_table() -> Table {
    Table::new(&[("group", Kind::Int), ("pairs", Kind::Bytes)])
}

fn blocks(pairs: Vec<(u64, u64)>, side: u32) -> Rows {
    let mut table = blocks_table();
    each_block(pairs, in_grid(side), |group, block| table.push([Cell::Int(group), Cell::Bytes(&block)]));
    table.finish()
}
