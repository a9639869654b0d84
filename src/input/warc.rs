//! WARC and WET: the records of a crawl.

use super::block::Kind;
use super::item::{Draft, stated};
use super::page;
use super::records::{Cut, Step};
use super::text::decode_as;
use encoding_rs::Encoding;
use std::borrow::Cow;
use std::io::Read;

/// How a record begins.
const MARK: &[u8] = b"WARC/";
/// What stands behind a record.
const SEPARATOR: &[u8] = b"\r\n\r\n";
/// Longest header of a record that is looked at.
const MAX_HEADER: usize = 1 << 16;

/// Finds records: by their lengths, and where one is wrong by the beginning of the next.
#[derive(Debug, Default)]
pub(super) struct WarcRecords {
    /// Whether the next beginning of a record is looked for, whatever stands before it.
    is_lost: bool,
    /// How far the bytes at hand were looked at for it.
    scanned: usize,
}

/// The header's end with the blank line behind it.
fn header_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\n', &bytes[at..]) {
        at += found + 1;
        let rest = &bytes[at..];
        if rest.starts_with(b"\r\n") {
            return Some(at + 2);
        }
        if rest.starts_with(b"\n") {
            return Some(at + 1);
        }
    }
    None
}

/// The value of a field of a header.
fn field<'a>(header: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    header.split(|b| *b == b'\n').skip(1).find_map(|line| {
        let colon = memchr::memchr(b':', line)?;
        let (key, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        key.eq_ignore_ascii_case(name.as_bytes()).then(|| String::from_utf8_lossy(value))
    })
}

/// Where behind `from` a record begins, on a line of its own. A mark at the very end is one where these are all bytes.
fn next_record(bytes: &[u8], from: usize, is_all: bool) -> Option<usize> {
    let mut at = from.max(1);
    while let Some(found) = memchr::memmem::find(bytes.get(at..)?, MARK) {
        let start = at + found;
        let is_version = bytes.get(start + MARK.len()).map_or(is_all, u8::is_ascii_digit);
        if bytes[start - 1] == b'\n' && is_version {
            return Some(start);
        }
        at = start + 1;
    }
    None
}

impl WarcRecords {
    /// Looks for the next record.
    fn find(&mut self, bytes: &[u8], is_all: bool) -> Step {
        if let Some(start) = next_record(bytes, self.scanned, is_all) {
            (self.is_lost, self.scanned) = (false, 0);
            return Step::Skip(start);
        }
        self.scanned = 0;
        // The mark may be half there.
        let keep = if is_all { 0 } else { MARK.len() + 1 };
        let len = bytes.len().saturating_sub(keep);
        if len == 0 { Step::More } else { Step::Skip(len) }
    }

    /// A record that is none; the next is looked for behind its first line.
    fn bad(&mut self, bytes: &[u8], is_all: bool, reason: String) -> Step {
        match next_record(bytes, 1, is_all) {
            Some(start) => Step::Bad { range: 0..start, next: start, reason },
            None if is_all => Step::Bad { range: 0..bytes.len(), next: bytes.len(), reason },
            None => {
                self.is_lost = true;
                Step::Bad { range: 0..bytes.len().min(MAX_HEADER), next: 1, reason }
            }
        }
    }
}

impl Cut for WarcRecords {
    fn step(&mut self, bytes: &[u8], is_all: bool) -> Step {
        if bytes.is_empty() {
            return Step::More;
        }
        if self.is_lost {
            return self.find(bytes, is_all);
        }
        let space = bytes.iter().take_while(|b| b.is_ascii_whitespace()).count();
        if space > 0 {
            return Step::Skip(space);
        }
        if bytes.len() < MARK.len() && !is_all {
            return Step::More;
        }
        if !bytes.starts_with(MARK) {
            return self.bad(bytes, is_all, "no record begins here".to_string());
        }
        let Some(header_len) = header_end(bytes) else {
            if bytes.len() < MAX_HEADER && !is_all {
                return Step::More;
            }
            return self.bad(bytes, is_all, "its header has no end".to_string());
        };
        let len = field(&bytes[..header_len], "Content-Length").and_then(|text| text.parse::<usize>().ok());
        let Some(end) = len.and_then(|len| header_len.checked_add(len)) else {
            return self.bad(bytes, is_all, "its header states no length".to_string());
        };
        let after = bytes.get(end..).map(|rest| rest.trim_ascii_start());
        match after {
            // Of a record that ends where it says the next begins there, or nothing does.
            Some(rest) if rest.len() < MARK.len() && !is_all => Step::More,
            Some(rest) if rest.is_empty() || rest.starts_with(MARK) => {
                self.scanned = 0;
                Step::Record { range: 0..end, next: bytes.len() - rest.len() }
            }
            None if !is_all => Step::More,
            // Whether a record begins behind four bytes that are no blank lines is not to be seen yet.
            Some(_) if !is_all && bytes.len() - end < SEPARATOR.len() + MARK.len() => Step::More,
            // What is damaged between two records harms neither.
            Some(rest)
                if bytes[end..].get(SEPARATOR.len()..).is_some_and(|rest| rest.starts_with(MARK))
                    || (is_all && bytes.len() - end <= SEPARATOR.len() && !rest.starts_with(MARK)) =>
            {
                Step::Record { range: 0..end, next: bytes.len().min(end + SEPARATOR.len()) }
            }
            // What ends as a record does is one, whatever follows: unless another begins within it.
            Some(_)
                if bytes[end..].starts_with(SEPARATOR) && next_record(&bytes[..end], header_len, true).is_none() =>
            {
                Step::Record { range: 0..end, next: end + SEPARATOR.len() }
            }
            _ => {
                let is_cut = after.is_none() && next_record(bytes, header_len, is_all).is_none();
                let reason = if is_cut { "it is cut off" } else { "its length is wrong" };
                self.bad(bytes, is_all, reason.to_string())
            }
        }
    }

    fn pass_over(&mut self, _: &[u8]) -> usize {
        // Its length may be a lie: what is held of it is looked through for others.
        self.is_lost = true;
        1
    }

    fn kind(&self) -> Kind {
        Kind::Warc
    }

    fn noun(&self) -> &'static str {
        "record"
    }
}

/// What a record says; `None` where its type holds no text: requests, metadata, what is no page.
pub(super) fn parse_record(raw: &[u8], limit: usize) -> Result<Option<Draft>, String> {
    let Some(header_len) = header_end(raw) else { return Err("its header has no end".to_string()) };
    let (header, content) = raw.split_at(header_len);
    let kind = field(header, "WARC-Type").unwrap_or_default().to_ascii_lowercase();
    let mut draft = match kind.as_str() {
        "conversion" => {
            let (text, is_mended) = decode_as(content, None);
            Draft { text: text.trim().to_string(), is_mended, ..Draft::default() }
        }
        "response" => match page_of(content, limit)? {
            Some(draft) => draft,
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let of = |name: &str| field(header, name).and_then(|value| stated(value.into_owned()));
    draft.id = of("WARC-Record-ID").map(|id| id.trim_matches(['<', '>']).to_string());
    draft.url = of("WARC-Target-URI").map(|uri| uri.trim_matches(['<', '>']).to_string());
    draft.source = draft.url.as_deref().and_then(host).map(str::to_string);
    draft.published = of("WARC-Date");
    let language = of("WARC-Identified-Content-Language");
    draft.language = language.and_then(|tags| stated(tags.split(',').next().unwrap_or_default())).or(draft.language);
    Ok(Some(draft))
}

/// The host of an address.
fn host(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#', ':']).next()?;
    Some(host.strip_prefix("www.").unwrap_or(host)).filter(|host| !host.is_empty())
}

/// The article of an answer over HTTP; `None` where it is no page.
fn page_of(response: &[u8], limit: usize) -> Result<Option<Draft>, String> {
    let Some(header_len) = header_end(response) else { return Ok(None) };
    let (header, body) = response.split_at(header_len);
    let is_done = header.split(|b| *b == b' ').nth(1).is_some_and(|code| code.starts_with(b"2"));
    let kind = field(header, "Content-Type").unwrap_or_default().to_ascii_lowercase();
    if !is_done || !(kind.contains("html") || kind.is_empty()) {
        return Ok(None);
    }
    let encoding = kind.split("charset=").nth(1).and_then(|label| {
        Encoding::for_label(label.trim_matches(['"', '\'', ' ']).split(';').next().unwrap_or_default().as_bytes())
    });
    page::parse_page(&body_of(header, body, limit)?, encoding).map(Some)
}

/// The body of an answer in one piece and unpacked; crawls do that to what they keep, most of them.
fn body_of<'b>(header: &[u8], body: &'b [u8], limit: usize) -> Result<Cow<'b, [u8]>, String> {
    let is_chunked = field(header, "Transfer-Encoding").is_some_and(|how| how.to_ascii_lowercase().contains("chunked"));
    let body = match is_chunked.then(|| without_chunks(body)).flatten() {
        Some(whole) => Cow::Owned(whole),
        None => Cow::Borrowed(body),
    };
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Ok(body);
    }
    let mut whole = Vec::new();
    let mut packed = flate2::read::MultiGzDecoder::new(&body[..]).take(limit as u64 + 1);
    packed.read_to_end(&mut whole).map_err(|error| format!("its packed body cannot be read: {error}"))?;
    if whole.len() > limit {
        return Err(format!("its packed body holds more than {limit} bytes"));
    }
    Ok(Cow::Owned(whole))
}

/// A body that was sent in chunks; `None` where it was not.
fn without_chunks(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::with_capacity(body.len());
    loop {
        let end = memchr::memchr(b'\n', body)?;
        let figure = std::str::from_utf8(body[..end].split(|b| *b == b';').next()?).ok()?.trim();
        let len = usize::from_str_radix(figure, 16).ok()?;
        if len == 0 {
            return Some(whole);
        }
        body = &body[end + 1..];
        whole.extend_from_slice(body.get(..len)?);
        body = body.get(len..)?.trim_ascii_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::block::Content;
    use crate::input::records::RecordBlocks;

    fn record(kind: &str, len: usize, text: &str) -> String {
        format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{text}>\r\nContent-Length: {len}\r\n\r\n{text}\r\n\r\n"
        )
    }

    /// The texts of the records, and the reasons why others are none.
    fn read(bytes: &str) -> (Vec<String>, Vec<String>) {
        let reader = Box::new(std::io::BufReader::with_capacity(7, std::io::Cursor::new(bytes.as_bytes().to_vec())));
        let mut blocks = RecordBlocks::new(reader, Box::new(WarcRecords::default()), "f".into(), 1 << 16);
        let (mut texts, mut reasons) = (Vec::new(), Vec::new());
        while let Some(Content::Records { bytes, records, rejects, .. }) = blocks.next_content() {
            texts.extend(records.iter().filter_map(|at| Some(parse_record(&bytes[at.range.clone()], 99).ok()??.text)));
            reasons.extend(rejects.into_iter().map(|reject| reject.reason));
        }
        (texts, reasons)
    }

    #[test]
    fn lengths_that_are_wrong_harm_one_record() {
        let (one, three) = (record("conversion", 3, "one"), record("conversion", 5, "three"));
        for (two, reason) in [
            (record("conversion", 3, "two"), None),
            (record("request", 3, "two"), Some("")),
            (record("conversion", 1, "two"), Some("its length is wrong")),
            (record("conversion", 50, "two"), Some("its length is wrong")),
            (record("conversion", 5000, "two"), Some("its length is wrong")),
            (record("conversion", 3, "two").replace("Length: 3", "Length: x"), Some("its header states no length")),
            (record("conversion", 99_999_999, "two"), Some("its length is wrong")),
            ("torn\r\n\r\n".to_string(), Some("no record begins here")),
        ] {
            let (texts, reasons) = read(&[&one[..], &two, &three].concat());
            match reason {
                None => assert_eq!(texts, ["one", "two", "three"]),
                Some(reason) => {
                    assert_eq!(texts, ["one", "three"], "{two}");
                    assert_eq!(reasons.join(""), reason);
                }
            }
        }
        for flipped in [one.len() - 4, one.len() - 1] {
            let mut torn = one.clone();
            torn.replace_range(flipped..=flipped, "x");
            assert_eq!(read(&torn).0, ["one"]);
            assert_eq!(read(&(torn + &three)).0, ["one", "three"]);
        }
        assert_eq!(read(&one[..one.len() - 5]).1, ["it is cut off"]);
        assert_eq!(read(&one[..30]).1, ["its header has no end"]);
        assert_eq!(read(""), (vec![], vec![]));
    }

    #[test]
    fn bodies_are_put_together() {
        assert_eq!(without_chunks(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n").as_deref(), Some(&b"abcde"[..]));
        assert_eq!(without_chunks(b"abc"), None);
        let body = |header: &str, body: &[u8]| body_of(header.as_bytes(), body, 9).map(Cow::into_owned);
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n";
        assert_eq!(body(chunked, b"1\r\na\r\n0\r\n\r\n").as_deref(), Ok(&b"a"[..]));
        // It was put together already, and the header left as it was.
        assert_eq!(body(chunked, b"<p>a").as_deref(), Ok(&b"<p>a"[..]));
        assert_eq!(body("HTTP/1.1 200 OK\r\n\r\n", b"0\r\n").as_deref(), Ok(&b"0\r\n"[..]));
        let mut packed = flate2::read::GzEncoder::new(&b"<p>abcdef"[..], flate2::Compression::fast());
        let mut bytes = Vec::new();
        packed.read_to_end(&mut bytes).unwrap();
        assert_eq!(body("", &bytes).as_deref(), Ok(&b"<p>abcdef"[..]));
        assert!(body("", &bytes[..bytes.len() - 9]).unwrap_err().contains("cannot be read"));
        assert!(body_of(b"", &bytes, 8).unwrap_err().contains("more than 8 bytes"));
        assert_eq!(host("https://www.example.org:80/a"), Some("example.org"));
    }
}
