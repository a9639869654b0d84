//! What a record of a news format says, before it is an article or set aside.

use super::block::{Parsed, RecordAt};
use crate::article::{Article, ArticleId, Origin, Timestamp};
use crate::fields::{NO_ARTICLE, language_tag};
use std::fmt;
use std::ops::Range;

/// Why a record is no story to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aside {
    /// Withdrawn by who sent it: a kill.
    Canceled,
    /// Not to be published until further notice.
    Withheld,
    /// Not to be published before a later moment.
    Embargoed,
    /// The caption of a picture, graphic, sound or video.
    Caption,
    /// A note to editors: advisory, schedule, test.
    Advisory,
    /// A package, a plan, a concept: what points to stories.
    Package,
}

impl Aside {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Canceled, Self::Withheld, Self::Embargoed, Self::Caption, Self::Advisory, Self::Package];

    /// One word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Canceled => "canceled",
            Self::Withheld => "withheld",
            Self::Embargoed => "embargoed",
            Self::Caption => "caption",
            Self::Advisory => "advisory",
            Self::Package => "package",
        }
    }
}

impl fmt::Display for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A record that is no story to be compared: reported, never dropped as a repeat.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Number of the block, for ordering.
    pub block: u64,
    /// How many articles of the block stand before it.
    pub after: u32,
    /// `FILE:RECORD`, for people.
    pub place: Box<str>,
    /// The id; of a kill that of the article it withdraws.
    pub id: ArticleId,
    /// The outlet's version number.
    pub version: Option<i64>,
    /// Why it is set aside.
    pub aside: Aside,
    /// The headline.
    pub title: Option<String>,
    /// From when it may be published, where it is under an embargo.
    pub until: Option<Timestamp>,
    /// The record it came from, as a range of [`Parsed::bytes`].
    pub record: Range<usize>,
    /// The whole of it, as far as it is held.
    pub article: Option<Box<Article>>,
}

impl Notice {
    /// The same notice without the text.
    #[must_use]
    pub fn without_article(&self) -> Self {
        let Self { block, after, aside, version, until, .. } = *self;
        let (place, id, title, record) = (self.place.clone(), self.id.clone(), self.title.clone(), self.record.clone());
        Self { block, after, place, id, version, aside, title, until, record, article: None }
    }
}

/// What a record says, as it says it.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) id: Option<String>,
    pub(super) text: String,
    pub(super) title: Option<String>,
    pub(super) source: Option<String>,
    pub(super) published: Option<String>,
    /// From when it may be published.
    pub(super) embargoed: Option<String>,
    pub(super) url: Option<String>,
    pub(super) language: Option<String>,
    pub(super) slug: Option<String>,
    pub(super) version: Option<String>,
    /// Why it is no story, by its status or type; the status stands before the type.
    pub(super) aside: Option<Aside>,
    /// Whether it was damaged and mended.
    pub(super) is_mended: bool,
}

/// A text that says something.
pub(super) fn stated(text: impl Into<String>) -> Option<String> {
    let mut text = text.into();
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    if trimmed.len() < text.len() {
        text = trimmed.to_string();
    }
    Some(text)
}

impl Draft {
    /// Says why this is no story, unless something stronger was said: a kill is a kill, be it of a caption.
    pub(super) fn set_aside(&mut self, aside: Aside) {
        self.aside = Some(self.aside.map_or(aside, |old| old.min(aside)));
    }

    /// Takes a status as the IPTC and others name it, with or without the prefix of its scheme.
    pub(super) fn set_status(&mut self, status: &str) {
        let status = status.rsplit(':').next().unwrap_or(status).trim();
        match status.to_ascii_lowercase().as_str() {
            "canceled" | "cancelled" | "killed" | "kill" => self.set_aside(Aside::Canceled),
            "withheld" => self.set_aside(Aside::Withheld),
            _ => {}
        }
    }

    /// Takes a type of content: what is neither text nor a mix with text is no story.
    pub(super) fn set_type(&mut self, kind: &str) {
        let kind = kind.rsplit(':').next().unwrap_or(kind).trim();
        match kind.to_ascii_lowercase().as_str() {
            "picture" | "photo" | "graphic" | "audio" | "video" | "animation" => self.set_aside(Aside::Caption),
            "composite" | "package" | "planning" | "event" | "concept" | "component" => self.set_aside(Aside::Package),
            _ => {}
        }
    }

    /// Takes a genre: some are notes to editors.
    pub(super) fn set_genre(&mut self, genre: &str) {
        let genre = genre.rsplit(':').next().unwrap_or(genre).trim().to_ascii_lowercase();
        let notes = ["advisory", "daybook", "schedule", "budget", "memo", "test", "forecast of coverage"];
        if notes.iter().any(|note| genre == *note) || genre.starts_with("advisor") || genre.contains("editorial note") {
            self.set_aside(Aside::Advisory);
        } else if ["caption", "photo caption"].contains(&genre.as_str()) {
            self.set_aside(Aside::Caption);
        }
    }

    /// Puts the record where it belongs: among the articles, or the notices; or says why it is neither.
    pub(super) fn add_to(
        mut self,
        parsed: &mut Parsed,
        place: &str,
        record: &RecordAt,
        as_of: Option<Timestamp>,
    ) -> Result<(), String> {
        if self.id.is_none() && self.text.trim().is_empty() && self.title.is_none() {
            return Err(NO_ARTICLE.to_string());
        }
        parsed.num_repaired += u64::from(self.is_mended);
        let time = |text: &Option<String>| text.as_deref().map(Timestamp::parse);
        let (published, until) = (time(&self.published), time(&self.embargoed));
        parsed.num_bad_times += u64::from(published == Some(None) || until == Some(None));
        let (published, until) = (published.flatten(), until.flatten());
        if let (Some(until), Some(now)) = (until, as_of)
            && until > now
        {
            self.set_aside(Aside::Embargoed);
        }
        let article = Article {
            id: self.id.take().unwrap_or_else(|| place.to_string()).into(),
            text: self.text,
            title: self.title,
            source: self.source,
            // What was under an embargo was not told before it ended.
            published: published.max(until),
            url: self.url,
            language: self.language.map(|text| language_tag(&text)),
            slug: self.slug,
            version: self.version.as_deref().and_then(|text| text.trim().parse().ok()),
            origin: Origin { place: place.into(), ..Origin::default() },
        };
        match self.aside {
            None => {
                parsed.records.push(record.range.clone());
                parsed.articles.push(article);
            }
            Some(aside) => parsed.notices.push(Notice {
                block: 0,
                after: parsed.articles.len() as u32,
                place: place.into(),
                id: article.id.clone(),
                version: article.version,
                aside,
                title: article.title.clone(),
                until,
                record: record.range.clone(),
                article: Some(Box::new(article)),
            }),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Format;

    fn added(draft: Draft, as_of: Option<i64>) -> Parsed {
        let mut parsed = Parsed::new(Format::NewsMl);
        let record = RecordAt { range: 0..1, number: 1, offset: 0 };
        draft.add_to(&mut parsed, "f:1", &record, as_of.map(Timestamp)).unwrap();
        parsed
    }

    fn draft(change: impl FnOnce(&mut Draft)) -> Draft {
        let mut draft = Draft { id: Some("a".into()), ..Draft::default() };
        change(&mut draft);
        draft
    }

    #[test]
    fn what_is_no_story_is_told_by_status_type_and_genre() {
        for (draft, aside) in [
            (draft(|d| d.set_status("usable")), None),
            (draft(|d| d.set_status("stat:canceled")), Some(Aside::Canceled)),
            (draft(|d| d.set_status("Withheld")), Some(Aside::Withheld)),
            (draft(|d| d.set_type("ninat:text")), None),
            (draft(|d| d.set_type("picture")), Some(Aside::Caption)),
            (draft(|d| d.set_genre("genre:Advisory")), Some(Aside::Advisory)),
            (draft(|d| d.set_genre("Analysis")), None),
            (
                draft(|d| {
                    d.set_type("picture");
                    d.set_status("canceled");
                }),
                Some(Aside::Canceled),
            ),
        ] {
            let parsed = added(draft, None);
            assert_eq!(parsed.notices.first().map(|notice| notice.aside), aside);
            assert_eq!(parsed.articles.len(), usize::from(aside.is_none()));
        }
    }

    #[test]
    fn an_embargo_is_judged_at_a_moment_that_is_given() {
        let embargoed = || draft(|d| (d.published, d.embargoed) = (Some("100".into()), Some("200".into())));
        assert_eq!(added(embargoed(), None).articles[0].published, Some(Timestamp(200)));
        assert_eq!(added(embargoed(), Some(200)).articles.len(), 1);
        let parsed = added(embargoed(), Some(199));
        assert_eq!((parsed.notices[0].aside, parsed.notices[0].until), (Aside::Embargoed, Some(Timestamp(200))));
    }
}
