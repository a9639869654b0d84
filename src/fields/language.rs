//! Languages as BCP 47 writes them.

/// Three letters that stand for two: ISO 639-2, bibliographic and terminological.
const SHORTER: [(&str, &str); 34] = [
    ("ara", "ar"),
    ("bul", "bg"),
    ("ces", "cs"),
    ("chi", "zh"),
    ("cze", "cs"),
    ("dan", "da"),
    ("deu", "de"),
    ("dut", "nl"),
    ("ell", "el"),
    ("eng", "en"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("fre", "fr"),
    ("ger", "de"),
    ("gre", "el"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hun", "hu"),
    ("ind", "id"),
    ("ita", "it"),
    ("jpn", "ja"),
    ("kor", "ko"),
    ("nld", "nl"),
    ("nor", "no"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rum", "ro"),
    ("rus", "ru"),
    ("spa", "es"),
    ("swe", "sv"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("zho", "zh"),
];

/// A language tag in the case and with the joints of BCP 47: `en_us` is `en-US`, `zh_hant` `zh-Hant`, `eng` `en`. What
/// is no tag stays as it is.
#[must_use]
pub fn language_tag(text: &str) -> String {
    let text = text.trim();
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return text.to_string();
    }
    let mut out = String::with_capacity(text.len());
    for (i, part) in text.split(['-', '_']).enumerate() {
        let mut part = part.to_ascii_lowercase();
        if i == 0 {
            if let Some((_, short)) = SHORTER.iter().find(|(long, _)| *long == part) {
                part = (*short).to_string();
            }
        } else {
            out.push('-');
            if part.len() == 2 {
                part.make_ascii_uppercase();
            } else if part.len() == 4 && part.is_char_boundary(1) {
                part[..1].make_ascii_uppercase();
            }
        }
        out.push_str(&part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_written_in_one_way() {
        for (given, tag) in [
            ("en", "en"),
            ("EN-us", "en-US"),
            ("en_GB", "en-GB"),
            ("zh_hant_tw", "zh-Hant-TW"),
            ("ger", "de"),
            (" fra ", "fr"),
            ("tlh", "tlh"),
            ("es-419", "es-419"),
            ("English (US)", "English (US)"),
            ("", ""),
        ] {
            assert_eq!(language_tag(given), tag);
        }
    }
}
