//! Rows of Arrow's columns as articles.

use super::block::Parsed;
use super::block::Reject;
use super::fields::{FieldNames, Found, NO_ARTICLE, NamedRecord, Value};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema, TimeUnit};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Where the rows of a batch stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowsAt<'a> {
    pub(super) file: &'a str,
    /// Number of the first row in the file, from 0.
    pub(super) first: u64,
}

/// The columns that hold a field, by their number, with the field and how wanted their name is.
pub(super) fn wanted(schema: &Schema, fields: &FieldNames) -> Vec<(usize, (usize, usize))> {
    let columns = schema.fields().iter().enumerate();
    columns.filter_map(|(number, column)| Some((number, fields.find(column.name())?))).collect()
}

/// What a batch says that has neither ids nor texts.
pub(super) fn without_columns(schema: &Schema) -> String {
    let names: Vec<String> = schema.fields().iter().take(8).map(|field| format!("'{}'", field.name())).collect();
    format!("{NO_ARTICLE}; it has {}", names.join(", "))
}

/// The cells of a column.
enum Cells<'a> {
    Text(Box<dyn Fn(usize) -> String + 'a>),
    Whole(Box<dyn Fn(usize) -> Option<i64> + 'a>),
    Other(&'static str),
}

impl<'a> Cells<'a> {
    fn new(array: &'a dyn Array) -> Self {
        macro_rules! whole {
            ($kind:ty, $of:expr) => {{
                let array = array.as_primitive::<$kind>();
                let of = $of;
                Self::Whole(Box::new(move |row| of(array.value(row))))
            }};
        }
        fn as_is<T: TryInto<i64>>(value: T) -> Option<i64> {
            value.try_into().ok()
        }
        fn lossy(bytes: &[u8]) -> String {
            String::from_utf8_lossy(bytes).into_owned()
        }
        match array.data_type() {
            DataType::Utf8 => {
                let array = array.as_string::<i32>();
                Self::Text(Box::new(|row| array.value(row).to_string()))
            }
            DataType::LargeUtf8 => {
                let array = array.as_string::<i64>();
                Self::Text(Box::new(|row| array.value(row).to_string()))
            }
            DataType::Utf8View => {
                let array = array.as_string_view();
                Self::Text(Box::new(|row| array.value(row).to_string()))
            }
            // Older writers do not say that a column of bytes is one of texts.
            DataType::Binary => {
                let array = array.as_binary::<i32>();
                Self::Text(Box::new(|row| lossy(array.value(row))))
            }
            DataType::LargeBinary => {
                let array = array.as_binary::<i64>();
                Self::Text(Box::new(|row| lossy(array.value(row))))
            }
            DataType::BinaryView => {
                let array = array.as_binary_view();
                Self::Text(Box::new(|row| lossy(array.value(row))))
            }
            DataType::Dictionary(_, _) => {
                let dictionary = array.as_any_dictionary();
                // An empty dictionary has no values: every cell is null then.
                let keys = if dictionary.values().is_empty() { Vec::new() } else { dictionary.normalized_keys() };
                match Cells::new(dictionary.values().as_ref()) {
                    Self::Text(value) => Self::Text(Box::new(move |row| value(keys[row]))),
                    Self::Whole(value) => Self::Whole(Box::new(move |row| value(keys[row]))),
                    Self::Other(kind) => Self::Other(kind),
                }
            }
            DataType::Int8 => whole!(Int8Type, as_is),
            DataType::Int16 => whole!(Int16Type, as_is),
            DataType::Int32 => whole!(Int32Type, as_is),
            DataType::Int64 => whole!(Int64Type, as_is),
            DataType::UInt8 => whole!(UInt8Type, as_is),
            DataType::UInt16 => whole!(UInt16Type, as_is),
            DataType::UInt32 => whole!(UInt32Type, as_is),
            DataType::UInt64 => whole!(UInt64Type, as_is),
            DataType::Date32 => whole!(Date32Type, |days| Some(i64::from(days) * DAY)),
            DataType::Date64 => whole!(Date64Type, |millis: i64| Some(millis.div_euclid(1000))),
            DataType::Timestamp(TimeUnit::Second, _) => whole!(TimestampSecondType, Some),
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                whole!(TimestampMillisecondType, |time: i64| Some(time.div_euclid(1000)))
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                whole!(TimestampMicrosecondType, |time: i64| Some(time.div_euclid(1_000_000)))
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                whole!(TimestampNanosecondType, |time: i64| Some(time.div_euclid(1_000_000_000)))
            }
            DataType::Float16 | DataType::Float32 | DataType::Float64 => Self::Other("a fraction"),
            DataType::Boolean => Self::Other("true or false"),
            DataType::Null => Self::Other("nothing"),
            _ => Self::Other("of a type that is no text"),
        }
    }

    fn value(&self, row: usize) -> Value {
        match self {
            Self::Text(value) => Value::Text(value(row)),
            Self::Whole(value) => value(row).map_or(Value::Other("too large a number"), Value::Whole),
            Self::Other(kind) => Value::Other(kind),
        }
    }
}

/// Makes articles of the rows of a batch; each one's record is its row in the file.
pub(super) fn parse_batch(batch: &RecordBatch, at: RowsAt<'_>, fields: &FieldNames, parsed: &mut Parsed) {
    let schema = batch.schema();
    let columns: Vec<_> = wanted(&schema, fields)
        .into_iter()
        .map(|(number, place)| {
            let array = batch.column(number);
            (place, array.logical_nulls(), Cells::new(array.as_ref()))
        })
        .collect();
    for row in 0..batch.num_rows() {
        let number = at.first + row as u64;
        let place = format!("{}:{}", at.file, number + 1);
        let mut found = Found::default();
        for ((field, wish), nulls, cells) in &columns {
            let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            found.put(*field, *wish, if is_null { Value::Null } else { cells.value(row) });
        }
        let record = || NamedRecord { place: place.clone(), json: as_json(&schema, batch, row) };
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
            Err(reason) => {
                parsed.rejects.push(Reject::new(at.file, number + 1, 0, reason, &as_json(&schema, batch, row)));
            }
        }
    }
}

/// A row as a JSON object, as far as its columns are texts or whole numbers.
fn as_json(schema: &Schema, batch: &RecordBatch, row: usize) -> Vec<u8> {
    let cell = |number: usize| {
        let array = batch.column(number);
        if array.logical_nulls().is_some_and(|nulls| nulls.is_null(row)) {
            return serde_json::Value::Null;
        }
        match Cells::new(array.as_ref()).value(row) {
            Value::Text(text) => text.into(),
            Value::Whole(number) => number.into(),
            Value::Null | Value::Other(_) => serde_json::Value::Null,
        }
    };
    let pairs = schema.fields().iter().enumerate().map(|(number, field)| (field.name().clone(), cell(number)));
    serde_json::Value::Object(pairs.collect()).to_string().into_bytes()
}
