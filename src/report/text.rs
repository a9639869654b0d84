//! Texts as the page shows them: which there is room for, how far, and what is marked in them.

use super::{ReportText, count};
use crate::article::Timestamp;
use crate::engine::Clustering;
use crate::text::Document;
use crate::verify::Passage;
use bitvec::vec::BitVec;
use serde::Serialize;

/// Bytes of all texts on the page, as they are written.
pub(super) const TEXTS_LEN: usize = 6_500_000;
/// Bytes of texts that are shown for a pair, which come first.
pub(super) const PAIR_TEXTS_LEN: usize = 2_000_000;
/// Bytes of one text that are shown.
pub(super) const TEXT_LEN: usize = 20_000;
/// Bytes of a headline, or of the words that stand in for one.
const TITLE_LEN: usize = 160;
/// Bytes of an id or a source.
const NAME_LEN: usize = 120;

/// The articles of a run as the page may show them.
pub(super) struct Texts<'a> {
    clustering: &'a Clustering,
    text: ReportText,
    /// Articles whose texts have room.
    has_room: BitVec,
    /// Articles whose texts were asked for.
    is_wanted: BitVec,
    /// Bytes taken.
    len: usize,
}

/// An article as it is named in a list.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Heading {
    /// Its rank, which names it on the page.
    n: u32,
    id: String,
    title: String,
    /// Whether the title is the beginning of the text, or a stand-in.
    is_made: bool,
    source: Option<String>,
    time: Option<String>,
}

/// A text as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct Body {
    segments: Vec<Segment>,
    /// What is missing, where something is.
    note: Option<String>,
}

/// A stretch of a text.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Segment {
    text: String,
    kind: Mark,
}

/// Why a stretch is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mark {
    Plain,
    /// It stands in the other text too.
    Shared,
    /// A figure, name or date that the other text lacks.
    Changed,
}

impl<'a> Texts<'a> {
    pub(super) fn new(clustering: &'a Clustering, text: ReportText) -> Self {
        let none = BitVec::repeat(false, clustering.articles.len());
        Self { clustering, text, has_room: none.clone(), is_wanted: none, len: 0 }
    }

    /// Gives these articles room for their texts, in order, until `limit` bytes are taken in all.
    pub(super) fn make_room(&mut self, articles: impl Iterator<Item = u32>, limit: usize) {
        for rank in articles {
            let Some(document) = self.shown(rank).filter(|_| !self.has_room[rank as usize]) else { continue };
            self.is_wanted.set(rank as usize, true);
            let len = escaped_len(document);
            if self.len + len <= limit {
                self.len += len;
                self.has_room.set(rank as usize, true);
            }
        }
    }

    /// The text as the feed has it, as far as it may be shown.
    fn shown(&self, rank: u32) -> Option<&'a str> {
        let text = self.clustering.articles.get(rank).text()?;
        (self.text == ReportText::Full).then(|| head(text, TEXT_LEN))
    }

    /// The text cut into tokens, where the engine held it: what is compared, shown or not.
    pub(super) fn document(&self, rank: u32) -> Option<Document<'a>> {
        let text = self.clustering.articles.get(rank).text()?;
        Some(Document::new(text, self.clustering.profile().sketch().max_tokens))
    }

    /// Whether the page shows the article's text.
    pub(super) fn has_room(&self, rank: u32) -> bool {
        self.has_room[rank as usize]
    }

    /// How the article is named.
    pub(super) fn heading(&self, rank: u32) -> Heading {
        let article = self.clustering.articles.get(rank);
        let headline = article.title().map(str::trim).filter(|title| !title.is_empty());
        let title = match (headline, self.shown(rank).map(str::trim).filter(|text| !text.is_empty())) {
            (Some(title), _) => cut(title, TITLE_LEN),
            (None, Some(text)) => cut(text, TITLE_LEN / 2),
            (None, None) => "No headline".to_string(),
        };
        Heading {
            n: rank,
            id: cut(article.id(), NAME_LEN),
            title,
            is_made: headline.is_none(),
            source: article.source().map(|source| cut(source, NAME_LEN)),
            time: article.published().and_then(moment),
        }
    }

    /// The article's text with what is marked in it; `None` where the page holds no texts.
    pub(super) fn body(
        &self,
        document: &Document<'_>,
        rank: u32,
        shared: &[Passage],
        changed: &[&str],
    ) -> Option<Body> {
        if self.text == ReportText::None {
            return None;
        }
        if !self.has_room(rank) {
            return Some(Body { segments: Vec::new(), note: Some("The page has no room for this text.".to_string()) });
        }
        let text = head(&document.text, TEXT_LEN);
        let note = if document.text.trim().is_empty() {
            Some("This article has no text.".to_string())
        } else {
            (text.len() < document.text.len()).then(|| {
                let [shown, all] = [text, &document.text].map(|text| count(text.chars().count() as u64));
                format!("The first {shown} of {all} characters.")
            })
        };
        Some(Body { segments: segments(text, shared, changed), note })
    }

    /// How far texts are shown, where some are not shown whole.
    pub(super) fn rule(&self) -> Option<String> {
        let num_left_out = (self.is_wanted.count_ones() - self.has_room.count_ones()) as u64;
        (num_left_out > 0).then(|| {
            format!(
                "{} of the listed articles have their text left out, for the page holds {} MB of text at most: those of the \
                 pairs come first, then those of the stories in their order.",
                count(num_left_out),
                TEXTS_LEN as f64 / 1e6,
            )
        })
    }
}

/// A text in stretches: changed over shared over plain.
fn segments(text: &str, shared: &[Passage], changed: &[&str]) -> Vec<Segment> {
    let mut marks = vec![Mark::Plain; text.len()];
    for passage in shared {
        let end = passage.first.end.min(text.len());
        marks[passage.first.start.min(end)..end].fill(Mark::Shared);
    }
    for form in changed {
        for (at, _) in text.match_indices(form).filter(|(at, _)| is_whole(text, *at, form.len())) {
            marks[at..at + form.len()].fill(Mark::Changed);
        }
    }
    let mut from = 0;
    marks
        .chunk_by(|a, b| a == b)
        .map(|run| {
            let segment = Segment { text: text[from..from + run.len()].to_string(), kind: run[0] };
            from += run.len();
            segment
        })
        .collect()
}

/// Whether a word or figure at `at` is not part of a longer one.
fn is_whole(text: &str, at: usize, len: usize) -> bool {
    // Scripts without spaces begin with the radicals of Chinese.
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && c < '\u{2e80}');
    let separates = |c: Option<char>| matches!(c, Some('.' | ',' | ':'));
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let (mut before, mut after) = (text[..at].chars().rev(), text[at + len..].chars());
    let (before, after) = ([before.next(), before.next()], [after.next(), after.next()]);
    let form = &text[at..at + len];
    let in_figure =
        |[next, second]: [Option<char>; 2], edge: Option<char>| separates(next) && is_digit(second) && is_digit(edge);
    !joins(before[0])
        && !joins(after[0])
        && !in_figure(before, form.chars().next())
        && !in_figure(after, form.chars().next_back())
}

/// At most `len` bytes from the beginning, whole characters.
fn head(text: &str, len: usize) -> &str {
    &text[..text.floor_char_boundary(len)]
}

/// One line of at most `len` bytes, with an ellipsis where something is cut.
pub(super) fn cut(text: &str, len: usize) -> String {
    // Marks that turn the direction of text would turn what stands around it.
    let is_shown = |c: &char| {
        !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    // Three times the length leaves room for white space.
    let words: Vec<String> =
        head(text, 3 * len).split_whitespace().map(|word| word.chars().filter(is_shown).collect()).collect();
    let line = words.join(" ");
    if line.len() <= len && text.len() <= 3 * len {
        return line;
    }
    let short = head(&line, len);
    // At a word's end, where one is near.
    let end = short.rfind(' ').filter(|end| end * 3 > len * 2).unwrap_or(short.len());
    format!("{}…", &short[..end])
}

/// Bytes of a text as the page writes it.
fn escaped_len(text: &str) -> usize {
    text.bytes().map(|byte| if matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'' | b'/') { 6 } else { 1 }).sum()
}

/// A time of publication in UTC; `None` outside the years that people write.
pub(super) fn moment(time: Timestamp) -> Option<String> {
    let time = jiff::Timestamp::from_second(time.0).ok()?;
    Some(time.strftime("%-d %b %Y, %H:%M").to_string())
}

/// A length of time in its largest unit, or two.
pub(super) fn duration(seconds: u64) -> String {
    let minutes = (seconds.saturating_add(30)) / 60;
    let (hours, days) = (minutes / 60, minutes / (24 * 60));
    match (days, hours, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) if hours < 6 => format!("{hours} h {minutes} min"),
        (0, hours, _) => format!("{hours} h"),
        (1, ..) => "1 day".to_string(),
        (days, ..) => format!("{} days", count(days)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_cover_the_text() {
        let text = "The ferry carried 214 people, 1,214 bags and Yap.";
        let passage = |first| Passage { first, second: 0..1, num_content: 4 };
        let found = segments(text, &[passage(4..28), passage(40..4000)], &["214", "Yap"]);
        assert_eq!(found.iter().map(|s| s.text.as_str()).collect::<String>(), text);
        let marked: Vec<_> =
            found.iter().filter(|s| s.kind != Mark::Plain).map(|s| (s.text.as_str(), s.kind)).collect();
        let expected = [
            ("ferry carried ", Mark::Shared),
            ("214", Mark::Changed),
            (" people", Mark::Shared),
            (" and ", Mark::Shared),
            ("Yap", Mark::Changed),
            (".", Mark::Shared),
        ];
        assert_eq!(marked, expected);
        assert_eq!(segments("", &[passage(0..5)], &["x"]), []);
    }

    #[test]
    fn figures_are_found_whole() {
        let found =
            |text: &str, form: &str| text.match_indices(form).filter(|(at, _)| is_whole(text, *at, form.len())).count();
        assert_eq!(found("3, 13, 3.5, 5.3, 3rd and 3.", "3"), 2);
        assert_eq!(found("東京で三日", "三日"), 1);
    }

    #[test]
    fn lines_are_cut_at_words_and_characters() {
        assert_eq!(cut(" a \n b ", 10), "a b");
        assert_eq!(cut("one two three four", 14), "one two three…");
        assert_eq!(cut("a\u{202e}b\u{0}", 10), "ab");
        assert_eq!(cut(&"é".repeat(100), 5), "éé…");
        assert_eq!(cut(&" ".repeat(100), 5), "…");
    }

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(moment(Timestamp(1_709_580_900)).as_deref(), Some("4 Mar 2024, 19:35"));
        assert_eq!(moment(Timestamp(i64::MAX)), None);
        let lengths = [0, 89, 3600, 5400, 7 * 3600 + 60, 86_400, u64::MAX].map(duration);
        assert_eq!(lengths[..6], ["0 min", "1 min", "1 h", "1 h 30 min", "7 h", "1 day"]);
    }
}
