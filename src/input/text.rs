//! A plain text file as one article; its encoding is detected.

use super::{Parsed, Reject};
use crate::article::{Article, Origin};
use std::io::Read;
use std::path::Path;

/// Reads a text file whole, at most [`super::MAX_LINE_LEN`] bytes.
pub(super) fn parse_file(file: &str, block: u64, path: &Path, id: String, parsed: &mut Parsed) {
    let bytes = match read_limited(path) {
        Ok(bytes) => bytes,
        Err(reason) => {
            let file = file.to_string();
            parsed.rejects.push(Reject { block, line: 0, file, offset: 0, reason, record: String::new() });
            return;
        }
    };
    let (text, is_clean) = decode(&bytes);
    parsed.num_repaired += u64::from(!is_clean);
    let line = format!("{}\n", serde_json::json!({ "id": id, "text": text }));
    parsed.records.push(0..line.len());
    parsed.bytes = line.into_bytes();
    let mut article = Article::new(id, text);
    article.origin = Origin { place: file.into(), ..Origin::default() };
    parsed.articles.push(article);
}

fn read_limited(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let limit = super::MAX_LINE_LEN as u64;
    let reader = super::open(path).map_err(|e| e.to_string())?;
    reader.take(limit + 1).read_to_end(&mut bytes).map_err(|e| format!("cannot read: {e}"))?;
    if bytes.len() as u64 > limit {
        return Err(format!("larger than {} MiB", limit >> 20));
    }
    Ok(bytes)
}

/// Text from bytes: by byte order mark, else UTF-8, else by guess; says whether every byte had a meaning.
fn decode(bytes: &[u8]) -> (String, bool) {
    let encoding = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => encoding_rs::UTF_8,
        None => {
            let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Allow);
            detector.feed(bytes, true);
            detector.guess(None, chardetng::Utf8Detection::Allow)
        }
    };
    let (text, _, had_errors) = encoding.decode(bytes);
    (text.into_owned(), !had_errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_found() {
        assert_eq!(decode("Łódź".as_bytes()), ("Łódź".to_string(), true));
        assert_eq!(decode(b"\xef\xbb\xbfOil"), ("Oil".to_string(), true));
        assert_eq!(decode(b"\xff\xfeO\0i\0l\0"), ("Oil".to_string(), true));
        assert_eq!(decode(b"The caf\xe9 in M\xfcnchen is closed").0, "The café in München is closed");
        assert_eq!(decode(b""), (String::new(), true));
    }
}
