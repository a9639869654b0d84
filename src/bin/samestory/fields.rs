//! Fields that a feed does not have, and which were meant.

use crate::args::Reading;
use crate::message::{self, Usage, counted};
use crate::similar::nearest;
use samestory::input::{FieldNames, NamedRecord, Parsed};
use serde_json::{Map, Value};

/// Keys of a record that are named.
const NUM_KEYS: usize = 8;
/// Characters from which a value may be the text of an article, whatever its key.
const TEXT_LEN: usize = 200;
/// Places of the id and the text in [`FieldNames`]: without them nothing is compared, or under names nobody knows.
const NEEDED: [usize; 2] = [ID, TEXT];
const ID: usize = 0;
const TEXT: usize = 1;

/// Which fields the records of a feed had.
#[derive(Debug, Default)]
pub(crate) struct FieldLog {
    num_records: u64,
    counts: [u64; 9],
    num_without_text: u64,
    first: Option<Sample>,
    first_without_text: Option<Sample>,
}

/// A record, to be asked for its keys.
#[derive(Debug)]
struct Sample {
    block: u64,
    place: String,
    line: Vec<u8>,
}

impl FieldLog {
    /// Adds what a block had; the first records by the number of their block, in whichever order blocks come.
    pub(crate) fn add(&mut self, block: u64, parsed: &Parsed) {
        let met = &parsed.fields;
        self.num_records += met.num_records;
        self.num_without_text += met.num_without_text;
        for (sum, count) in self.counts.iter_mut().zip(met.counts) {
            *sum += count;
        }
        let sample = |record: &NamedRecord| Sample { block, place: record.place.clone(), line: record.json.clone() };
        for (known, found) in [(&mut self.first, &met.first), (&mut self.first_without_text, &met.first_without_text)] {
            if let (Some(found), true) = (found, known.as_ref().is_none_or(|known| block < known.block)) {
                *known = Some(sample(found));
            }
        }
    }

    /// Refuses a name for the id or the text that no record has.
    pub(crate) fn check(&self, reading: &Reading) -> Result<(), Usage> {
        match self.missing(reading).find(|(field, _)| NEEDED.contains(field)) {
            Some((_, reason)) => Err(Usage(reason)),
            None => Ok(()),
        }
    }

    /// Says which other names no record has, and how many articles have no text.
    pub(crate) fn warn(&self, reading: &Reading, names: &FieldNames) {
        for (_, reason) in self.missing(reading) {
            message::warning(&reason);
        }
        if let (Some(sample), [0, 0]) = (&self.first, NEEDED.map(|field| self.counts[field])) {
            let record = sample.record();
            let key = similar_key(TEXT, &names.text, &record).unwrap_or("NAME");
            message::warning(&format!(
                "no record has an id or a text: {} has {}; name the fields with --id-field NAME --text-field {key}",
                sample.place,
                keys(&record)
            ));
            return;
        }
        let Some(sample) = &self.first_without_text else {
            return;
        };
        let (have, are) = if self.num_without_text == 1 { ("has", "is") } else { ("have", "are") };
        let record = sample.record();
        let meant = similar_key(TEXT, &names.text, &record)
            .map_or(String::new(), |key| format!("; did you mean --text-field {key}?"));
        message::warning(&format!(
            "{} {have} no field {} and {are} not compared: {} has {}{meant}",
            counted(self.num_without_text, "record"),
            either(&names.text),
            sample.place,
            keys(&record),
        ));
    }

    /// Names given by options that no record has, by their field.
    fn missing(&self, reading: &Reading) -> impl Iterator<Item = (usize, String)> {
        let given = reading.given_fields().into_iter().enumerate();
        let missing = given.filter(|(field, (_, name))| name.is_some() && self.counts[*field] == 0);
        missing.filter_map(|(field, (option, name))| {
            let (name, sample) = (name?, self.first.as_ref()?);
            let record = sample.record();
            let meant = similar_key(field, &[name.to_string()], &record)
                .map_or(String::new(), |key| format!("; did you mean '{key}'?"));
            let (place, keys) = (&sample.place, keys(&record));
            Some((field, format!("{option}: no record has a field '{name}'; {place} has {keys}{meant}")))
        })
    }
}

impl Sample {
    /// The record's keys and values; none of one that had to be mended.
    fn record(&self) -> Map<String, Value> {
        serde_json::from_slice(&self.line).unwrap_or_default()
    }
}

/// The key that one of these names was meant to be: one much like it, or for a text the one with the longest value.
fn similar_key<'a>(field: usize, names: &[String], record: &'a Map<String, Value>) -> Option<&'a str> {
    let fits = |value: &Value| match field {
        TEXT => value.is_string(),
        _ => value.is_string() || value.is_i64(),
    };
    let known = || record.iter().filter(|(_, value)| fits(value)).map(|(key, _)| key.as_str());
    let by_name = names.iter().find_map(|name| nearest(name, known()));
    by_name.or_else(|| {
        let len = |key: &&str| record[*key].as_str().map_or(0, |text| text.chars().count());
        known().max_by_key(len).filter(|key| field == TEXT && len(key) >= TEXT_LEN)
    })
}

/// `'a', 'b'`
fn keys(record: &Map<String, Value>) -> String {
    if record.is_empty() {
        return "no key that can be read".to_string();
    }
    let rest = record.len().saturating_sub(NUM_KEYS);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let shown: Vec<String> = record.keys().take(NUM_KEYS).map(|key| format!("'{key}'")).collect();
    format!("{}{more}", shown.join(", "))
}

/// `'a', 'b' or 'c'`
fn either(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
