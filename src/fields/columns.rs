//! Rows of Arrow's columns by the fields of an article.

use super::{FieldNames, Found, NO_ARTICLE, Value};
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

/// The columns that hold a field, by their number, with the field and how wanted their name is.
pub(crate) fn wanted(schema: &Schema, fields: &FieldNames) -> Vec<(usize, (usize, usize))> {
    let columns = schema.fields().iter().enumerate();
    columns.filter_map(|(number, column)| Some((number, fields.find(column.name())?))).collect()
}

/// What is wrong with a batch that has neither ids nor texts.
#[must_use]
pub fn without_columns(schema: &Schema) -> String {
    let names: Vec<String> = schema.fields().iter().take(8).map(|field| format!("'{}'", field.name())).collect();
    format!("{NO_ARTICLE}; it has {}", names.join(", "))
}

/// The columns of a batch that hold a field of an article.
pub struct Columns<'a> {
    batch: &'a RecordBatch,
    columns: Vec<Column<'a>>,
}

struct Column<'a> {
    field: usize,
    wish: usize,
    is_null: Box<dyn Fn(usize) -> bool + 'a>,
    cells: Cells<'a>,
}

impl std::fmt::Debug for Columns<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Columns").field("num_columns", &self.columns.len()).finish_non_exhaustive()
    }
}

impl<'a> Columns<'a> {
    /// The columns that `names` asks for.
    #[must_use]
    pub fn new(batch: &'a RecordBatch, names: &FieldNames) -> Self {
        let columns = wanted(&batch.schema(), names).into_iter().map(|(number, (field, wish))| {
            let array = batch.column(number);
            let nulls = array.logical_nulls();
            let is_null = Box::new(move |row| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)));
            Column { field, wish, is_null, cells: Cells::new(array.as_ref()) }
        });
        Self { batch, columns: columns.collect() }
    }

    /// Whether ids or texts are among them: without, no row is an article.
    #[must_use]
    pub fn has_key(&self) -> bool {
        // Places of the id and the text in [`FieldNames`].
        self.columns.iter().any(|column| column.field < 2)
    }

    /// What a row holds of an article.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn found(&self, row: usize) -> Found {
        let mut found = Found::default();
        for Column { field, wish, is_null, cells } in &self.columns {
            found.put(*field, *wish, if is_null(row) { Value::Null } else { cells.value(row) });
        }
        found
    }

    /// A row as a JSON object, as far as its columns are texts or whole numbers.
    ///
    /// # Panics
    /// When there is no such row.
    #[must_use]
    pub fn as_json(&self, row: usize) -> Vec<u8> {
        let cell = |number: usize| {
            let array = self.batch.column(number);
            if array.logical_nulls().is_some_and(|nulls| nulls.is_null(row)) {
                return serde_json::Value::Null;
            }
            match Cells::new(array.as_ref()).value(row) {
                Value::Text(text) => text.into(),
                Value::Whole(number) => number.into(),
                Value::Null | Value::Other(_) => serde_json::Value::Null,
            }
        };
        let schema = self.batch.schema();
        let pairs = schema.fields().iter().enumerate().map(|(number, field)| (field.name().clone(), cell(number)));
        serde_json::Value::Object(pairs.collect()).to_string().into_bytes()
    }
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
