//! Rows of Arrow's columns as articles.

use super::block::Parsed;
use crate::fields::{Columns, FieldNames, NamedRecord};
use crate::reject::Reject;
use arrow_array::RecordBatch;

/// Where the rows of a batch stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowsAt<'a> {
    pub(super) file: &'a str,
    /// Number of the first row in the file, from 0.
    pub(super) first: u64,
}

/// Makes articles of the rows of a batch; each one's record is its row in the file.
pub(super) fn parse_batch(batch: &RecordBatch, at: RowsAt<'_>, fields: &FieldNames, parsed: &mut Parsed) {
    let columns = Columns::new(batch, fields);
    for row in 0..batch.num_rows() {
        let number = at.first + row as u64;
        let place = format!("{}:{}", at.file, number + 1);
        let found = columns.found(row);
        let record = || NamedRecord { place: place.clone(), json: columns.as_json(row) };
        parsed.fields.note(&found, record);
        let has_text = found.has("text");
        match found.into_article(&place) {
            Ok((article, has_bad_time)) => {
                if !has_text {
                    parsed.fields.num_without_text += 1;
                    parsed.fields.first_without_text.get_or_insert_with(record);
                }
                parsed.num_bad_times += u64::from(has_bad_time);
                parsed.records.push(number as usize..number as usize + 1);
                parsed.articles.push(article);
            }
            Err(reason) => parsed.rejects.push(Reject::new(at.file, number + 1, 0, reason, &columns.as_json(row))),
        }
    }
}
