//! Clusters, members, pairs and links as a database of SQLite, ready for queries.

use super::table::{differs_cell, share_e4};
use super::{Finished, without_name};
use crate::engine::{Clustering, Pair};
use crate::error::{Error, Result};
use crate::profile::Measurement;
use crate::verify::name_to_representative;
use rusqlite::{Connection, ToSql, params};
use std::path::Path;

const TABLES: &str = "
    CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE clusters (cluster TEXT PRIMARY KEY, representative TEXT NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE members (
        id TEXT PRIMARY KEY, cluster TEXT NOT NULL REFERENCES clusters, relation TEXT NOT NULL, score REAL NOT NULL
    ) WITHOUT ROWID;
";
const INDICES: &str = "
    CREATE INDEX members_by_cluster ON members (cluster);
    CREATE INDEX pairs_by_a ON pairs (a);
    CREATE INDEX pairs_by_b ON pairs (b);
    CREATE INDEX links_by_a ON links (a);
    CREATE INDEX links_by_b ON links (b);
";

/// Writes a run as a database; pairs and links as far as the clustering holds them. The file appears under its name when
/// it is published.
///
/// # Errors
/// When it cannot be written.
pub fn write_sqlite(clustering: &Clustering, path: &Path) -> Result<Finished> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(".samestory-").tempfile_in(folder);
    let file = file.map_err(|error| Error::io(path, "create", without_name(&error, folder)))?;
    fill(clustering, file.path()).map_err(|error| Error::io(path, "write", std::io::Error::other(error)))?;
    Ok(Finished { path: path.to_path_buf(), staged: Some(file) })
}

fn fill(clustering: &Clustering, path: &Path) -> rusqlite::Result<()> {
    let mut database = Connection::open(path)?;
    // What is half written has no name and is thrown away.
    database.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA page_size = 8192;")?;
    let work = database.transaction()?;
    work.execute_batch(TABLES)?;
    let id = |rank: u32| clustering.articles.get(rank).id();
    let (sketch_id, verdict_id) = clustering.profile_ids();
    {
        let mut run = work.prepare("INSERT INTO run VALUES (?, ?)")?;
        for (key, value) in [
            ("version", env!("CARGO_PKG_VERSION")),
            ("profile", clustering.profile().name()),
            ("sketch_id", &sketch_id),
            ("verdict_id", &verdict_id),
        ] {
            run.execute([key, value])?;
        }
        let mut cluster = work.prepare("INSERT INTO clusters VALUES (?, ?, ?)")?;
        let mut member = work.prepare("INSERT INTO members VALUES (?, ?, ?, ?)")?;
        for row in &clustering.members {
            if row.article == row.cluster {
                cluster.execute(params![id(row.cluster), id(row.representative), row.size])?;
            }
            let relation = name_to_representative(row.relation);
            let score = f64::from(row.probability_e4) / 10_000.0;
            member.execute(params![id(row.article), id(row.cluster), relation, score])?;
        }
    }
    for (name, pairs) in [("pairs", &clustering.pairs), ("links", &clustering.links)] {
        write_pairs(clustering, pairs, name, &work)?;
    }
    work.execute_batch(INDICES)?;
    work.commit()?;
    database.close().map_err(|(_, error)| error)
}

fn write_pairs(clustering: &Clustering, pairs: &[Pair], name: &str, work: &Connection) -> rusqlite::Result<()> {
    let columns: Vec<String> =
        Measurement::ALL.iter().map(|measurement| format!("{} REAL", measurement.name())).collect();
    work.execute_batch(&format!(
        "CREATE TABLE {name} (a TEXT NOT NULL, b TEXT NOT NULL, relation TEXT NOT NULL, score REAL NOT NULL, \
         correction INTEGER NOT NULL, {}, differs TEXT);",
        columns.join(", ")
    ))?;
    let marks = vec!["?"; 6 + columns.len()].join(", ");
    let mut insert = work.prepare(&format!("INSERT INTO {name} VALUES ({marks})"))?;
    for pair in pairs {
        let id = |rank: u32| clustering.articles.get(rank).id();
        let verdict = pair.verdict.as_ref();
        let complete = verdict.filter(|verdict| verdict.evidence.is_complete);
        let evidence: Vec<Option<f64>> = (0..columns.len())
            .map(|number| complete.map(|verdict| share_e4(verdict.evidence.values[number]) as f64 / 10_000.0))
            .collect();
        let (a, b, relation) = (id(pair.a), id(pair.b), pair.relation().name());
        let score = f64::from(pair.probability_e4()) / 10_000.0;
        let is_correction = verdict.is_some_and(|verdict| verdict.is_correction);
        let differs = differs_cell(clustering, pair);
        let mut row: Vec<&dyn ToSql> = vec![&a, &b, &relation, &score, &is_correction];
        row.extend(evidence.iter().map(|value| value as &dyn ToSql));
        row.push(&differs);
        insert.execute(row.as_slice())?;
    }
    Ok(())
}
