//! The fields of an article by the names that a feed gives them.

#[cfg(feature = "arrow")]
mod columns;
mod language;

#[cfg(feature = "parquet")]
pub(crate) use columns::wanted;
#[cfg(feature = "arrow")]
pub use columns::{Columns, without_columns};
pub use language::language_tag;

use crate::article::{Article, Origin, Timestamp};

/// The names of the fields that make an article, most wanted first.
#[derive(Clone, Debug)]
pub struct FieldNames {
    /// The id: text or whole number.
    pub id: Vec<String>,
    /// The body.
    pub text: Vec<String>,
    /// The headline.
    pub title: Vec<String>,
    /// Who published it.
    pub source: Vec<String>,
    /// When it was published.
    pub published: Vec<String>,
    /// Where it was published.
    pub url: Vec<String>,
    /// Its language.
    pub language: Vec<String>,
    /// The trade's short name.
    pub slug: Vec<String>,
    /// The outlet's version number.
    pub version: Vec<String>,
}

impl Default for FieldNames {
    fn default() -> Self {
        let names = |list: &[&str]| list.iter().map(|n| (*n).to_string()).collect();
        Self {
            id: names(&["id"]),
            text: names(&["text", "body", "content"]),
            title: names(&["title"]),
            source: names(&["source"]),
            published: names(&["published"]),
            url: names(&["url"]),
            language: names(&["language"]),
            slug: names(&["slug"]),
            version: names(&["version"]),
        }
    }
}

/// What is wrong with a record that has nothing to know it by.
pub const NO_ARTICLE: &str = "neither id nor text";

/// Which fields of an article the records of a block have, in formats that name fields as they like.
#[derive(Clone, Debug, Default)]
pub struct FieldsMet {
    /// Records that were read, those that are no article too.
    pub num_records: u64,
    /// How many of them have each field, in the order of [`FieldNames`].
    pub counts: [u64; FIELDS.len()],
    /// The first of them.
    pub first: Option<NamedRecord>,
    /// Articles without the field of the text.
    pub num_without_text: u64,
    /// The first of these.
    pub first_without_text: Option<NamedRecord>,
}

/// Where a record stands.
#[derive(Clone, Debug)]
pub struct NamedRecord {
    /// `FILE:LINE`, for people.
    pub place: String,
    /// Its fields as a JSON object.
    pub json: Vec<u8>,
}

impl FieldsMet {
    /// Counts a record by the fields it has; `record` is called for the first.
    pub fn note(&mut self, found: &Found, record: impl FnOnce() -> NamedRecord) {
        self.num_records += 1;
        for (count, value) in self.counts.iter_mut().zip(&found.values) {
            *count += u64::from(value.is_some());
        }
        self.first.get_or_insert_with(record);
    }
}

/// What a record holds of an article: a JSON object, a row of a table.
///
/// ```
/// use samestory::fields::{FieldNames, Found, Value};
/// let names = FieldNames::default();
/// let mut found = Found::default();
/// for (key, value) in [("id", Value::Whole(7)), ("body", Value::Text("Rain.".into())), ("page", Value::Whole(3))] {
///     if let Some((field, wish)) = names.find(key) {
///         found.put(field, wish, value);
///     }
/// }
/// assert!(found.is_null("title") && !found.is_null("text"));
/// let (article, has_bad_time) = found.into_article("feed:1").unwrap();
/// assert_eq!((article.id.as_str(), &*article.text, has_bad_time), ("7", "Rain.", false));
/// ```
#[derive(Debug, Default, PartialEq)]
pub struct Found {
    values: [Option<(usize, Value)>; FIELDS.len()],
}

/// A field's value as far as an article can use it.
#[derive(Debug, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// Nothing.
    Null,
    /// What no field can be, in words that go on "id is": `a fraction`.
    Other(&'static str),
}

/// The fields of an article, in the order of [`FieldNames`].
const FIELDS: [&str; 9] = ["id", "text", "title", "source", "published", "url", "language", "slug", "version"];

impl FieldNames {
    /// Which field a key names, and how wanted the key is.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<(usize, usize)> {
        let all = [
            &self.id,
            &self.text,
            &self.title,
            &self.source,
            &self.published,
            &self.url,
            &self.language,
            &self.slug,
            &self.version,
        ];
        all.iter().enumerate().find_map(|(field, names)| Some((field, names.iter().position(|n| n == key)?)))
    }
}

impl Found {
    /// A more wanted name wins over a less wanted; of one name the last stands, as in most JSON readers.
    pub fn put(&mut self, field: usize, wish: usize, value: Value) {
        if self.values[field].as_ref().is_none_or(|(old, held)| wish <= *old || *held == Value::Null) {
            self.values[field] = Some((wish, value));
        }
    }

    /// Whether there is a field of this name, by default.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        FIELDS.iter().zip(&self.values).any(|(field, value)| *field == name && value.is_some())
    }

    /// Whether a field, by its default name, is null or missing.
    #[must_use]
    pub fn is_null(&self, name: &str) -> bool {
        let value = FIELDS.iter().zip(&self.values).find(|(field, _)| **field == name);
        value.and_then(|(_, value)| value.as_ref()).is_none_or(|(_, value)| *value == Value::Null)
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let field = FIELDS.iter().position(|f| *f == name)?;
        self.values[field].take().map(|(_, value)| value).filter(|value| *value != Value::Null)
    }

    /// A descriptive field: what is no text is as good as absent.
    fn take_text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::Text(text) if !text.trim().is_empty() => Some(text),
            Value::Whole(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The article, and whether it states a time that cannot be read; one without an id goes by `place`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn into_article(mut self, place: &str) -> Result<(Article, bool), String> {
        let id = match self.take("id") {
            Some(Value::Text(id)) if !id.is_empty() => Some(id),
            Some(Value::Whole(number)) => Some(number.to_string()),
            Some(Value::Text(_)) | None => None,
            Some(Value::Other(kind)) => {
                return Err(format!("id is {kind}, expected text or a whole number"));
            }
            Some(Value::Null) => None,
        };
        let text = match self.take("text") {
            Some(Value::Text(text)) => text,
            None | Some(Value::Null) if id.is_some() => String::new(),
            None | Some(Value::Null) => return Err(NO_ARTICLE.to_string()),
            Some(Value::Whole(_)) => return Err("text is a number, expected text".to_string()),
            Some(Value::Other(kind)) => return Err(format!("text is {kind}, expected text")),
        };
        let published = self.take("published");
        let time = match &published {
            Some(Value::Text(text)) => Timestamp::parse(text),
            Some(Value::Whole(number)) => Some(Timestamp::from_number(*number)),
            _ => None,
        };
        let has_bad_time = published.is_some() && time.is_none();
        let version = match self.take("version") {
            Some(Value::Whole(number)) => Some(number),
            Some(Value::Text(text)) => text.trim().parse().ok(),
            _ => None,
        };
        let article = Article {
            id: id.unwrap_or_else(|| place.to_string()).into(),
            text,
            title: self.take_text("title"),
            source: self.take_text("source"),
            published: time,
            url: self.take_text("url"),
            language: self.take_text("language").map(|text| language_tag(&text)),
            slug: self.take_text("slug"),
            version,
            origin: Origin { place: place.into(), ..Origin::default() },
        };
        Ok((article, has_bad_time))
    }
}
