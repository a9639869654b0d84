//! An article of a feed: its id, text and what the feed says about it.

use crate::error::{Error, Result};
use std::fmt;

/// The feed's own id of an article, as text; ids order by their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArticleId(Box<str>);

impl ArticleId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Box<str>>> From<T> for ArticleId {
    fn from(id: T) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for ArticleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The primary subtag of a language tag, which names the language: `pt` of `pt-BR`.
#[must_use]
pub fn primary_language(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

/// A moment, in seconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Reads RFC 3339, RFC 2822, a date, epoch seconds or milliseconds, or the form `26-FEB-1987 15:01:01.79`. Eight
    /// digits that are a day (`20240304`) are that day, four are a year, which is no moment.
    ///
    /// A time without a zone is taken as UTC. `None` when the text is none of these.
    ///
    /// ```
    /// use samestory::article::Timestamp;
    /// assert_eq!(Timestamp::parse("1970-01-02"), Some(Timestamp(86_400)));
    /// assert_eq!(Timestamp::parse("20240304"), Timestamp::parse("2024-03-04"));
    /// assert_eq!(Timestamp::parse("2024"), None);
    /// assert_eq!(Timestamp::parse("26-FEB-1987 15:01:01.79"), Some(Timestamp(541_350_061)));
    /// assert_eq!(Timestamp::parse("yesterday"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // `26-FEB-1987` begins like nothing else here: the other forms need not be tried, which takes a microsecond.
        if let [b'0'..=b'9', b'0'..=b'9', b'-', b'A'..=b'Z' | b'a'..=b'z', ..] = text.as_bytes() {
            return Self::of_named_month(text);
        }
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Some(Self(time.as_second()));
        }
        if let Ok(number) = text.parse::<i64>() {
            return (text.len() != 4).then(|| Self::from_number(number));
        }
        if let Ok(time) = text.parse::<jiff::civil::DateTime>() {
            return Self::from_civil(time);
        }
        if let Ok(date) = text.parse::<jiff::civil::Date>() {
            return Self::from_civil(date.at(0, 0, 0, 0));
        }
        if let Ok(time) = jiff::fmt::rfc2822::parse(text) {
            return Some(Self(time.timestamp().as_second()));
        }
        let short = text.split('.').next().unwrap_or(text);
        match jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M", short) {
            Ok(time) => Self::from_civil(time),
            Err(_) => Self::of_named_month(text),
        }
    }

    /// `26-FEB-1987 15:01:01`; parts of a second may follow.
    fn of_named_month(text: &str) -> Option<Self> {
        let short = text.split('.').next().unwrap_or(text);
        Self::from_civil(jiff::civil::DateTime::strptime("%d-%b-%Y %H:%M:%S", short).ok()?)
    }

    /// Epoch seconds, or milliseconds where seconds would lie beyond the year 5138; a day of the years 1900 to 2099 where
    /// the digits are one (20240304), though they could be a second of 1970.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        match number {
            100_000_000_000.. | ..=-100_000_000_000 => Self(number / 1000),
            19_000_000..21_000_000 => Self::of_digits(number as u32).unwrap_or(Self(number)),
            _ => Self(number),
        }
    }

    /// Year, month and day in digits.
    fn of_digits(digits: u32) -> Option<Self> {
        let (year, month, day) = (digits / 10_000, digits / 100 % 100, digits % 100);
        Self::from_civil(jiff::civil::Date::new(year as i16, month as i8, day as i8).ok()?.at(0, 0, 0, 0))
    }

    fn from_civil(time: jiff::civil::DateTime) -> Option<Self> {
        Some(Self(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second()))
    }
}

/// RFC 3339 in UTC; a moment beyond the years that it can write, as seconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(time) => time.fmt(f),
            Err(_) => self.0.fmt(f),
        }
    }
}

/// Where an article stood in the input: what errors name, and what brings the kept articles back in input order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Number of the input block.
    pub block: u64,
    /// Number of the record in its block.
    pub record: u32,
    /// `FILE:LINE`, for people.
    pub place: Box<str>,
}

/// One item of a feed.
///
/// ```
/// use samestory::Article;
/// let article = Article::new("42", "Oil fell 2 % on Monday.").with_title("Oil slips");
/// assert_eq!(article.id.as_str(), "42");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Article {
    /// The feed's own id.
    pub id: ArticleId,
    /// The body; may be empty.
    pub text: String,
    /// The headline: evidence, never part of the compared text.
    pub title: Option<String>,
    /// Who published it.
    pub source: Option<String>,
    /// When it was published: a hint, never a filter.
    pub published: Option<Timestamp>,
    /// Where it was published.
    pub url: Option<String>,
    /// Its language as the feed states it (BCP 47).
    pub language: Option<String>,
    /// The trade's short name of the running story.
    pub slug: Option<String>,
    /// The outlet's version number of this article.
    pub version: Option<i64>,
    /// Where it stood in the input.
    pub origin: Origin,
}

impl Article {
    /// An article with an id and a text.
    pub fn new(id: impl Into<ArticleId>, text: impl Into<String>) -> Self {
        Self { id: id.into(), text: text.into(), ..Self::default() }
    }

    /// The same article with a headline.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The same article with a time of publication.
    ///
    /// # Errors
    /// When the text is no time ([`Timestamp::parse`]).
    pub fn with_published(mut self, published: &str) -> Result<Self> {
        self.published = Some(Timestamp::parse(published).ok_or_else(|| Error::BadRecord {
            place: self.id.to_string(),
            reason: format!("'{published}' is no time that can be read"),
        })?);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_many_forms() {
        let expected = Some(Timestamp(1_709_580_900));
        for text in [
            "2024-03-04T19:35:00Z",
            "2024-03-04T20:35:00+01:00",
            "2024-03-04 19:35",
            "2024-03-04T19:35:00",
            "Mon, 4 Mar 2024 19:35:00 +0000",
            "04-MAR-2024 19:35:00.12",
            "1709580900",
            "1709580900123",
        ] {
            assert_eq!(Timestamp::parse(text), expected, "{text}");
        }
        for text in ["", "soon", "2024-13-04", "99999999999999999999"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn ids_order_by_bytes() {
        assert!(ArticleId::from("10") < ArticleId::from("9"));
    }
}
