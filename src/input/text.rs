//! A plain text file as one article; its encoding is detected.

use super::block::RecordAt;
use super::item::Draft;
use super::jsonl::longer_than;
use super::stream::Broken;
use super::{Options, Parsed, Reject, page};
use crate::article::{Article, Origin};
use encoding_rs::Encoding;
use std::borrow::Cow;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;

/// Reads a text file whole, at most `limit` bytes.
pub(super) fn parse_file(file: &str, path: &Path, id: String, limit: usize, parsed: &mut Parsed) {
    let bytes = match read_limited(path, limit) {
        Ok(bytes) => bytes,
        Err(reason) => return parsed.rejects.push(Reject::new(file, 0, 0, reason, b"")),
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

/// Reads the article of an HTML page.
pub(super) fn parse_page(file: &str, path: &Path, id: String, options: Options, parsed: &mut Parsed) {
    let added = read_limited(path, options.max_record).and_then(|bytes| {
        let draft = Draft { id: Some(id), ..page::parse_page(&bytes, None)? };
        draft.add_to(parsed, file, &RecordAt { range: 0..0, number: 0, offset: 0 }, options.as_of)
    });
    if let Err(reason) = added {
        parsed.rejects.push(Reject::new(file, 0, 0, reason, b""));
    }
}

fn read_limited(path: &Path, limit: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let reader = super::open(path).map_err(|e| e.to_string())?;
    reader.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|e| format!("cannot read: {e}"))?;
    if bytes.len() > limit {
        return Err(longer_than("file", limit).replacen("longer", "larger", 1));
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

/// Text of a record whose file declares an encoding, or none; says whether it had to be mended. UTF-8 that is valid is
/// taken for it, whatever is declared: nothing else looks like it by chance.
pub(super) fn decode_as<'a>(bytes: &'a [u8], declared: Option<&'static Encoding>) -> (Cow<'a, str>, bool) {
    let declared = declared.filter(|encoding| *encoding != encoding_rs::UTF_8);
    // Of an encoding that uses ASCII for other things every byte is ASCII.
    let other = declared.filter(|encoding| !encoding.is_ascii_compatible());
    if let (None, Ok(text)) = (other, std::str::from_utf8(bytes)) {
        return (Cow::Borrowed(text), false);
    }
    match declared {
        Some(encoding) => {
            let (text, _, had_errors) = encoding.decode(bytes);
            (text, had_errors)
        }
        None => (Cow::Owned(decode(bytes).0), true),
    }
}

/// A stream as UTF-8 where a byte order mark says UTF-16: the only encoding in which ASCII is not what it looks like.
pub(super) fn narrow(mut reader: Box<dyn BufRead>) -> Box<dyn BufRead> {
    let mut head = Vec::new();
    let mut damage = None;
    while head.len() < 2 {
        match reader.fill_buf() {
            Ok([]) => break,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            // It is said when the stream is read in earnest.
            Err(error) => {
                damage = Some(error);
                break;
            }
            Ok(chunk) => {
                let len = chunk.len().min(2 - head.len());
                head.extend_from_slice(&chunk[..len]);
                reader.consume(len);
            }
        }
    }
    let encoding = match head.as_slice() {
        [0xff, 0xfe] => encoding_rs::UTF_16LE,
        [0xfe, 0xff] => encoding_rs::UTF_16BE,
        _ => return Box::new(Cursor::new(head).chain(Broken::after(damage)).chain(reader)),
    };
    let narrowed = Narrowed { reader, decoder: encoding.new_decoder_without_bom_handling(), is_done: false };
    Box::new(BufReader::with_capacity(1 << 16, narrowed))
}

/// UTF-16 read as UTF-8.
struct Narrowed {
    reader: Box<dyn BufRead>,
    decoder: encoding_rs::Decoder,
    is_done: bool,
}

impl Read for Narrowed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // A character may take three bytes, and the buffer that reads here has many more.
        while !self.is_done && buffer.len() >= 4 {
            let chunk = self.reader.fill_buf()?;
            self.is_done = chunk.is_empty();
            let (_, num_read, num_written, _) = self.decoder.decode_to_utf8(chunk, buffer, self.is_done);
            self.reader.consume(num_read);
            if num_written > 0 {
                return Ok(num_written);
            }
        }
        Ok(0)
    }
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

    #[test]
    fn what_is_declared_is_believed_where_it_can_be() {
        let latin = Some(encoding_rs::WINDOWS_1252);
        assert_eq!(decode_as("Łódź".as_bytes(), latin), ("Łódź".into(), false));
        assert_eq!(decode_as(b"caf\xe9", latin), ("café".into(), false));
        assert_eq!(
            decode_as(b"The caf\xe9 in M\xfcnchen", Some(encoding_rs::UTF_8)),
            ("The café in München".into(), true)
        );
        assert_eq!(decode_as(b"\x1b$B0l\x1b(B", Some(encoding_rs::ISO_2022_JP)).0, "一");
    }

    #[test]
    fn wide_streams_are_narrowed() {
        let read = |bytes: Vec<u8>| {
            let mut text = Vec::new();
            narrow(Box::new(Cursor::new(bytes))).read_to_end(&mut text).unwrap();
            String::from_utf8_lossy(&text).into_owned()
        };
        let wide = "\u{feff}Łódź \u{1f600}".encode_utf16();
        assert_eq!(read(wide.clone().flat_map(u16::to_le_bytes).collect()), "Łódź \u{1f600}");
        assert_eq!(read(wide.flat_map(u16::to_be_bytes).collect()), "Łódź \u{1f600}");
        assert_eq!(read(b"plain".to_vec()), "plain");
        assert_eq!(read(b"p".to_vec()), "p");
        assert_eq!(read(Vec::new()), "");
    }
}
