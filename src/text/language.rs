//! Languages: what they are called, and which one a text is in where a feed does not say.

use super::Document;
use whatlang::Lang;

/// Characters of a text that are looked at.
const HEAD_LEN: usize = 600;

/// ISO 639-1 codes of the languages that can be told by their letters, as they stand in language tags.
const CODES: [(&str, Lang); 70] = [
    ("af", Lang::Afr),
    ("ak", Lang::Aka),
    ("am", Lang::Amh),
    ("ar", Lang::Ara),
    ("az", Lang::Aze),
    ("be", Lang::Bel),
    ("bg", Lang::Bul),
    ("bn", Lang::Ben),
    ("ca", Lang::Cat),
    ("cs", Lang::Ces),
    ("cy", Lang::Cym),
    ("da", Lang::Dan),
    ("de", Lang::Deu),
    ("el", Lang::Ell),
    ("en", Lang::Eng),
    ("eo", Lang::Epo),
    ("es", Lang::Spa),
    ("et", Lang::Est),
    ("fa", Lang::Pes),
    ("fi", Lang::Fin),
    ("fr", Lang::Fra),
    ("gu", Lang::Guj),
    ("he", Lang::Heb),
    ("hi", Lang::Hin),
    ("hr", Lang::Hrv),
    ("hu", Lang::Hun),
    ("hy", Lang::Hye),
    ("id", Lang::Ind),
    ("it", Lang::Ita),
    ("ja", Lang::Jpn),
    ("jv", Lang::Jav),
    ("ka", Lang::Kat),
    ("km", Lang::Khm),
    ("kn", Lang::Kan),
    ("ko", Lang::Kor),
    ("la", Lang::Lat),
    ("lt", Lang::Lit),
    ("lv", Lang::Lav),
    ("mk", Lang::Mkd),
    ("ml", Lang::Mal),
    ("mr", Lang::Mar),
    ("my", Lang::Mya),
    ("nb", Lang::Nob),
    ("ne", Lang::Nep),
    ("nl", Lang::Nld),
    ("or", Lang::Ori),
    ("pa", Lang::Pan),
    ("pl", Lang::Pol),
    ("pt", Lang::Por),
    ("ro", Lang::Ron),
    ("ru", Lang::Rus),
    ("si", Lang::Sin),
    ("sk", Lang::Slk),
    ("sl", Lang::Slv),
    ("sn", Lang::Sna),
    ("sr", Lang::Srp),
    ("sv", Lang::Swe),
    ("ta", Lang::Tam),
    ("te", Lang::Tel),
    ("th", Lang::Tha),
    ("tk", Lang::Tuk),
    ("tl", Lang::Tgl),
    ("tr", Lang::Tur),
    ("uk", Lang::Ukr),
    ("ur", Lang::Urd),
    ("uz", Lang::Uzb),
    ("vi", Lang::Vie),
    ("yi", Lang::Yid),
    ("zh", Lang::Cmn),
    ("zu", Lang::Zul),
];

/// The English name of the language of a tag (BCP 47); of a language that is not known here, its code.
///
/// ```
/// use samestory::text::language_name;
/// assert_eq!(language_name("de-AT"), "German");
/// assert_eq!(language_name("ZH"), "Chinese");
/// assert_eq!(language_name("tlh"), "tlh");
/// ```
#[must_use]
pub fn language_name(tag: &str) -> String {
    let code = crate::article::primary_language(tag).to_ascii_lowercase();
    let known = CODES.iter().find(|(known, _)| *known == code).map(|(_, language)| *language);
    known.or_else(|| Lang::from_code(&code)).map_or(code, |language| name_of(language).to_string())
}

/// The code of the language of a document's body by its letters, as in a language tag; `None` where they leave it open.
///
/// Cost: the first characters only.
#[must_use]
pub fn guess_language(document: &Document<'_>) -> Option<&'static str> {
    let text = &document.text[document.body.clone()];
    let end = text.char_indices().nth(HEAD_LEN).map_or(text.len(), |(at, _)| at);
    let guess = whatlang::detect(&text[..end]).filter(whatlang::Info::is_reliable)?;
    CODES.iter().find(|(_, language)| *language == guess.lang()).map(|(code, _)| *code)
}

fn name_of(language: Lang) -> &'static str {
    match language {
        Lang::Cmn => "Chinese",
        Lang::Nob => "Norwegian",
        Lang::Pes => "Persian",
        _ => language.eng_name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_a_code_of_its_own() {
        assert!(CODES.is_sorted_by(|(a, _), (b, _)| a < b));
        let mut languages: Vec<Lang> = CODES.iter().map(|(_, language)| *language).collect();
        languages.sort_unstable_by_key(|language| language.code());
        languages.dedup();
        assert_eq!(languages.len(), Lang::all().len());
    }

    #[test]
    fn languages_are_told_by_their_letters() {
        let guess = |text: &str| guess_language(&Document::new(text, 1000));
        assert_eq!(guess("Der Regen hat am Montag die Straßen unterbrochen, wie ein Sprecher mitteilte."), Some("de"));
        assert_eq!(guess("東京で雨が降り、道路が二本通行止めになったと県の担当者が述べた。"), Some("ja"));
        assert_eq!(guess("央行周三将基准利率下调二十五个基点，为七月以来首次。"), Some("zh"));
        assert_eq!(guess(""), None);
        assert_eq!(guess("3 000"), None);
    }
}
