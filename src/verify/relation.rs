//! Relations: what a verified pair is, or why it is not a match.

use serde::Serialize;
use std::fmt;

/// What article A is to article B.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Same normalised text.
    Exact,
    /// Same telling, small edits, facts agree.
    Near,
    /// Same telling by the same lead, changed: figures or text added or corrected.
    Update,
    /// A's substance is covered by B, which has more.
    Excerpt,
    /// Same telling, other words.
    Rewrite,
    /// A holds several stories, B is one of them.
    Includes,
    /// New lead, reused background.
    Followup,
    /// Another telling of the event.
    SameEvent,
    /// Same wording, other facts.
    Template,
    /// Shares quoted speech, not the telling.
    QuotesOnly,
    /// Too short, no text, or a language this level does not know.
    Undecidable,
    /// Nothing of these.
    Unrelated,
}

impl Relation {
    /// All relations, in order of precedence of what they say.
    pub const ALL: [Self; 12] = [
        Self::Exact,
        Self::Near,
        Self::Update,
        Self::Excerpt,
        Self::Rewrite,
        Self::Includes,
        Self::Followup,
        Self::SameEvent,
        Self::Template,
        Self::QuotesOnly,
        Self::Undecidable,
        Self::Unrelated,
    ];

    /// Whether the two tell one story in one telling.
    #[must_use]
    pub fn is_match(self) -> bool {
        matches!(self, Self::Exact | Self::Near | Self::Update | Self::Excerpt | Self::Rewrite)
    }

    /// Whether the pair is no match but worth a link.
    #[must_use]
    pub fn is_link(self) -> bool {
        matches!(self, Self::Includes | Self::Followup | Self::SameEvent | Self::Template)
    }

    /// The name as it is written in outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Near => "near",
            Self::Update => "update",
            Self::Excerpt => "excerpt",
            Self::Rewrite => "rewrite",
            Self::Includes => "includes",
            Self::Followup => "followup",
            Self::SameEvent => "same_event",
            Self::Template => "template",
            Self::QuotesOnly => "quotes_only",
            Self::Undecidable => "undecidable",
            Self::Unrelated => "unrelated",
        }
    }
}

/// The name of what an article is to the representative of its cluster; `None` of the representative itself.
#[must_use]
pub fn name_to_representative(relation: Option<Relation>) -> &'static str {
    relation.map_or("self", Relation::name)
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relations_are_matches_links_or_neither() {
        let named = |is: fn(Relation) -> bool| -> Vec<String> {
            Relation::ALL.into_iter().filter(|relation| is(*relation)).map(|relation| relation.to_string()).collect()
        };
        assert_eq!(named(Relation::is_match), ["exact", "near", "update", "excerpt", "rewrite"]);
        assert_eq!(named(Relation::is_link), ["includes", "followup", "same_event", "template"]);
        assert_eq!(name_to_representative(None), "self");
        assert_eq!(name_to_representative(Some(Relation::QuotesOnly)), "quotes_only");
    }
}
