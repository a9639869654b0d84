//! Did you mean: the known word that is most like one that is not.

/// Likeness from which a word is worth naming, as for flags.
const ALIKE: f64 = 0.75;

/// The word most like `word`, if one is: letters count, case and separators do not. Of equals the first.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    let mut best: Option<(f64, &str)> = None;
    for candidate in known {
        let likeness = strsim::jaro_winkler(&word, &plain(candidate));
        if likeness >= ALIKE && best.is_none_or(|(highest, _)| likeness > highest) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// A word without case and separators.
fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likeness_goes_by_letters() {
        let fields = ["id", "txt", "headline", "article_text"];
        assert_eq!(nearest("text", fields), Some("txt"));
        assert_eq!(nearest("Head-Line", fields), Some("headline"));
        assert_eq!(nearest("text", ["id", "headline"]), None);
        assert_eq!(nearest("", ["id"]), None);
    }
}
